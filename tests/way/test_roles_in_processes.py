"""Roles in two real processes over one MariaDB: they meet in the database, also when one of them is killed."""

import asyncio
import signal

import pytest

from tests.case import AsyncioTestCase
from tests.fire.process import ServiceProcess
from tests.fire.stage import Ask, Stage
from tests.fire.truth import end_faults, raise_for

pytestmark = pytest.mark.campaign

_WHO_CALLED = "SELECT DISTINCT process.roles FROM callback JOIN process ON process.id = callback.leased_by"
_WHO_SENT = "SELECT DISTINCT process.roles FROM mt JOIN process ON process.id = mt.process_id"


class Playing(ServiceProcess):
    """A process of the service with these roles; without `api` it is up when its log says so."""

    def __init__(self, config: str, roles: str) -> None:
        super().__init__(config)
        self.roles = roles

    def command(self) -> list[str]:
        return [*super().command()[:-1], self.roles]

    def answers(self) -> bool:
        return super().answers() if "api" in self.roles else bool(self.said("up"))


class RolesApart(AsyncioTestCase):
    timeout = 240

    async def test_what_one_process_accepts_another_calls_and_the_first_one_sends(self) -> None:
        async with Stage(Ask(database="mariadb")) as stage, Pair(stage) as pair:
            await stage.until_bound()
            stage.centre.flood(300)
            await stage.until_settled()

            raise_for(await asyncio.to_thread(end_faults, stage), "with roles in two processes")
            assert stage.rows(_WHO_CALLED) == [(pair.calls.roles,)]
            assert stage.rows(_WHO_SENT) == [(pair.links.roles,)]
            assert set(stage.book.calls.values()) == {1}

    async def test_a_caller_that_is_killed_delays_its_calls_and_loses_none(self) -> None:
        async with Stage(Ask(database="mariadb", timeout_s=15)) as stage, Pair(stage) as pair:
            await stage.until_bound()
            stage.book.pause = asyncio.Event()
            stage.centre.flood(100)
            await stage.until_rows(
                f"SELECT COUNT(*) FROM callback WHERE due_at > {stage.clock.now()}", lambda row: row[0] > 0, "jobs held"
            )

            await pair.calls.down(signal.SIGKILL)
            stage.book.pause.set()
            await stage.until_acknowledged(0)
            await pair.calls.up()
            await stage.until_settled()

            raise_for(await asyncio.to_thread(end_faults, stage), "after the caller was killed")
            assert pair.links.is_alive


class Pair:
    """Two processes on a stage: one with the links, one that calls partners and answers the API."""

    def __init__(self, stage: Stage) -> None:
        self.links = Playing(stage._config(), "links")
        self.calls = Playing(stage._config(), "dispatch,api")

    async def __aenter__(self) -> "Pair":
        await asyncio.gather(self.links.up(), self.calls.up())
        return self

    async def __aexit__(self, kind: object, *_: object) -> None:
        for process in (self.links, self.calls):
            if kind is not None:
                print(f"--- {process.roles}\n{(process.folder / 'log').read_text(errors='replace')[-3000:]}")
            await asyncio.to_thread(process.remove)
