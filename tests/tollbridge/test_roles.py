"""What a process does beside its messages: where one of these works fails, the process ends, to be started again."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from smsc_link.links import Links
from tests import services
from tests.tollbridge.test_stragglers import KEY
from tollbridge import roles
from tollbridge.config import ApiSection, Config, DatabaseSection, SecuritySection
from tollbridge.link_desk import LinkDesk
from tollbridge.roles import Service
from tollbridge.watch import Heartbeat
from traffic.janitor import Janitor
from traffic.ussd import Dialogues

WORKS: dict[str, tuple[Any, str]] = {
    "heartbeat": (Heartbeat, "run"),
    "ussd": (Dialogues, "run"),
    "orders to links": (LinkDesk, "run"),
    "catalogue": (roles, "watch_catalogue"),
    "janitor": (Janitor, "run"),
    "counting": (roles, "watch_counts"),
    "descriptors": (roles, "watch_descriptors"),
    "memory": (roles, "watch_memory"),
    "writing": (roles, "watch_writing"),
}


def a_service(folder: Path) -> Service:
    return Service(
        Config(
            database=DatabaseSection(url=services.fresh_sqlite(folder)),
            security=SecuritySection(key=KEY),
            api=ApiSection(listen="127.0.0.1:0"),
        ),
        roles=("links", "dispatch", "api"),
    )


async def fails(*_: object, **__: object) -> None:
    raise RuntimeError("a mistake of ours")


@pytest.mark.parametrize("work", WORKS)
def test_a_work_that_fails_ends_the_process_so_that_it_is_started_again(
    work: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(*WORKS[work], fails)
    service = a_service(tmp_path)

    async def story() -> None:
        async with asyncio.timeout(30):
            try:
                await service.start()
                await service.died.wait()
            finally:
                await service.stop()

    asyncio.run(story())

    assert service.why_died == f"the work «{work}» failed; the log says how"


def test_a_work_that_fails_while_the_process_stops_throws_nothing_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopping = asyncio.Event()

    async def fails_at_the_stop(*_: object) -> None:
        await stopping.wait()
        raise RuntimeError("a mistake of ours")

    async def stop(links: Links, *limits: float) -> None:
        stopping.set()
        await asyncio.sleep(0.1)

    monkeypatch.setattr(roles, "watch_descriptors", fails_at_the_stop)
    monkeypatch.setattr(Links, "stop", stop)
    service = a_service(tmp_path)

    async def story() -> None:
        await service.start()
        await service.stop()

    asyncio.run(story())

    assert not service.died.is_set()
    assert service.is_up is False
