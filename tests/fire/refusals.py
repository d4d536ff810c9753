"""The database is there, but does not let us work: locked by a backup, only to be read, our rights taken away.

locked       MariaDB under FLUSH TABLES WITH READ LOCK, SQLite under another's BEGIN IMMEDIATE
locked_idle  the same, while nobody writes
read_only    MariaDB may be read, as after a failover to a replica
locked_out   our password is another one, and our connections are killed

Rule: as for an outage: health says so in time, the operators keep their messages, work resumes by itself.
"""

import asyncio
import math
import sqlite3
import time
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from tests import services
from tests.fire.outages import QUIRKS, Outage, away
from tests.fire.stage import Ask, Stage

USER, PASSWORD = "tollbridge", "first"


class Seen(NamedTuple):
    """What /health said while nobody wrote."""

    unavailable_after_s: float
    said_after: set[int]
    back_after_s: float


async def locked(kind: str, seconds: float) -> Outage:
    """Somebody else holds everything, as a backup does."""
    async with Stage(Ask(database=kind, quirks=QUIRKS)) as stage:
        lock = _Lock(kind, stage)
        return await away(
            stage, f"{kind} locked {seconds:g} s", seconds, _off_loop(lock.take), _off_loop(lock.give_back)
        )


async def locked_idle(kind: str, seconds: float) -> Seen:
    """Somebody else holds everything, and nobody notices by writing."""
    async with Stage(Ask(database=kind)) as stage:
        lock = _Lock(kind, stage)
        await stage.service.up()
        await stage.until_bound()
        await asyncio.to_thread(lock.take)
        begun = time.monotonic()
        seen: list[tuple[float, int]] = []
        try:
            while time.monotonic() - begun < seconds:
                said = await asyncio.to_thread(stage.service.health, 5.0)
                seen.append((time.monotonic() - begun, said.status))
                await asyncio.sleep(0.05)
        finally:
            await asyncio.to_thread(lock.give_back)
        back_after_s, _ = await stage.service.until_health(lambda said: said.status == 200)
    told = next((after_s for after_s, status in seen if status == 503), math.inf)
    return Seen(told, {status for after_s, status in seen if after_s > told}, back_after_s)


class _Lock:
    """A second connection that lets nobody write."""

    def __init__(self, kind: str, stage: Stage) -> None:
        self._kind, self._stage = kind, stage

    def take(self) -> None:
        if self._kind == "sqlite":
            file = self._stage.url.removeprefix("sqlite:///")
            self._connection: Any = sqlite3.connect(file, 30, isolation_level=None, check_same_thread=False)
            self._connection.execute("BEGIN IMMEDIATE")
        else:
            self._connection = services.mariadb().connect()
            self._connection.cursor().execute("FLUSH TABLES WITH READ LOCK")

    def give_back(self) -> None:
        self._connection.close()


async def read_only(seconds: float) -> Outage:
    """Nobody but an administrator may write."""
    server = await asyncio.to_thread(services.mariadb)
    return await _as_user(
        f"MariaDB read-only {seconds:g} s",
        seconds,
        lambda: server.run("SET GLOBAL read_only=1"),
        lambda: server.run("SET GLOBAL read_only=0"),
    )


async def locked_out(seconds: float) -> Outage:
    """Our password no longer holds."""
    server = await asyncio.to_thread(services.mariadb)

    def take() -> None:
        server.run(f"ALTER USER {USER}@'%' IDENTIFIED BY 'another'")
        server.run(f"KILL CONNECTION USER {USER}")

    def give_back() -> None:
        server.run(f"ALTER USER {USER}@'%' IDENTIFIED BY '{PASSWORD}'")

    return await _as_user(f"MariaDB locks us out {seconds:g} s", seconds, take, give_back)


async def _as_user(what: str, seconds: float, take: Callable[[], None], give_back: Callable[[], None]) -> Outage:
    """The service is no administrator of its database here."""
    server = await asyncio.to_thread(services.mariadb)
    server.run(f"CREATE OR REPLACE USER {USER}@'%' IDENTIFIED BY '{PASSWORD}'")
    server.run(f"GRANT ALL ON *.* TO {USER}@'%'")
    server.run(f"REVOKE READ_ONLY ADMIN, SUPER ON *.* FROM {USER}@'%'")
    ask = Ask(
        database="mariadb",
        quirks=QUIRKS,
        database_url=lambda url: f"mysql://{USER}:{PASSWORD}@{url.rpartition('@')[2]}",
    )
    try:
        async with Stage(ask) as stage:
            return await away(stage, what, seconds, _off_loop(take), _off_loop(give_back))
    finally:
        server.run(f"DROP USER {USER}@'%'")


def _off_loop(work: Callable[[], None]) -> Callable[[], Awaitable[None]]:
    return lambda: asyncio.to_thread(work)
