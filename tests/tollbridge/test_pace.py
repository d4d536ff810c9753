"""What the configuration says of speed and size reaches the stations that it is to govern; what a start tells."""

import asyncio
import json
import urllib.request
from collections.abc import MutableMapping
from dataclasses import asdict
from typing import Any

from structlog.testing import capture_logs

from store.database import Database
from tests import services
from tests.tollbridge.test_stragglers import KEY
from tollbridge.config import (
    ApiSection,
    Config,
    DatabaseSection,
    DispatchSection,
    JournalSection,
    LinksSection,
    SecuritySection,
)
from tollbridge.pace import pace_of
from tollbridge.roles import Service
from traffic.way import Pace

ADMIN_KEY = "k" * 40
ODD = Config(
    api=ApiSection(listen="127.0.0.1:0", admin_key=ADMIN_KEY),
    journal=JournalSection(max_batch=7, max_delay_ms=3, backlog=11),
    dispatch=DispatchSection(timeout_s=0.75, concurrency_total=13, allow_private_addresses=True),
    links=LinksSection(reassembly_timeout_s=17),
)


def test_every_key_that_sets_a_pace_sets_its_own() -> None:
    pace = pace_of(ODD)

    assert pace == Pace(max_batch=7, max_delay_ms=3, backlog=11, callbacks=13, timeout_s=0.75, parts_timeout_s=17)
    untouched = asdict(Pace())
    assert all(value != untouched[name] for name, value in asdict(pace).items()), "a new one is tried here, too"


def service_of(url: str, *played: str) -> Service:
    where = {"database": DatabaseSection(url=url), "security": SecuritySection(key=KEY)}
    return Service(ODD.model_copy(update=where), roles=played)


def test_the_stations_of_a_service_go_at_its_pace_and_its_administrators_have_their_key(
    database: Database, database_url: str
) -> None:
    """Looked at from inside: what each does with its number is told by its own tests."""
    service = service_of(database_url, "links", "api")

    async def story() -> None:
        await service.start()
        try:
            way = service.way
            batcher, dispatcher = way.batcher, way.dispatcher
            assert (batcher._max_batch, batcher._max_delay_s, batcher._backlog) == (7, 0.003, 11)
            assert dispatcher._total_max == service.dialogues.calls._total_max == 13
            assert way.accept._parts_timeout_s == 17
            assert service._caller._timeout_s == 0.75
            assert service._caller._guard._allow_private
            assert service._runner is not None
            assert await asyncio.to_thread(links_there, service._runner.addresses[0][1]) == []
        finally:
            await service.stop()

    asyncio.run(story())


def links_there(port: int) -> object:
    """What an administrator hears of the links; anything but a 200 is an error."""
    address = f"http://127.0.0.1:{port}/admin/links"
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {ADMIN_KEY}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["links"]


def told_at_the_start(url: str, *played: str) -> list[MutableMapping[str, Any]]:
    """What a service logs that is started and stopped."""

    async def story() -> None:
        service = service_of(url, *played)
        try:
            await service.start()
        finally:
            await service.stop()

    with capture_logs() as told:
        asyncio.run(story())
    return told


def test_a_server_that_may_lose_what_it_committed_is_warned_of_at_the_start(mariadb_url: str) -> None:
    services.mariadb().run("SET GLOBAL innodb_flush_log_at_trx_commit=2")
    try:
        told = told_at_the_start(mariadb_url)
    finally:
        services.mariadb().run("SET GLOBAL innodb_flush_log_at_trx_commit=1")

    (line,) = (one for one in told if one["event"] == "durability")
    assert line["log_level"] == "warning"
    assert "innodb_flush_log_at_trx_commit is 2" in str(line["warning"])


def test_a_role_that_serves_nothing_yet_says_so_and_a_sound_database_is_not_warned_of(sqlite_url: str) -> None:
    told = told_at_the_start(sqlite_url, "site")

    assert [one["role"] for one in told if one["event"] == "this role serves nothing yet"] == ["site"]
    assert "durability" not in {one["event"] for one in told}
