"""What came by the old catalogue until a process had the new one is rated by it, without another load."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from sqlalchemy import Connection
from structlog.testing import capture_logs

from core.catalogue import Catalogue
from core.clock import MINUTE_MS
from core.errors import StoreAway
from plumbing.clock import SystemClock
from plumbing.threads import InlineWriter, Writer
from store.backlog import rate_backlog
from store.database import Database
from store.desk import Desk
from store.journal import MoFact
from store.provisioning import load
from store.schema import Mo, Series
from store.secrets import Keyring
from store.snapshot import read_catalogue
from tests.makers import a_catalogue
from tests.store.clerk import clerk_of
from tests.store.journal.desk import MoDesk
from tests.store.mt_desk import HandClock
from tollbridge.config import Config, DatabaseSection, SecuritySection
from tollbridge.roles import Service
from tollbridge.stragglers import SLACK_MS, Stragglers

T = TypeVar("T")
POSTED = 2
KEY = Fernet.generate_key().decode()
KEYRING = Keyring(KEY)


def old() -> Catalogue:
    return replace(a_catalogue(), tariffs={}, version=1)


def new() -> Catalogue:
    return replace(a_catalogue(), version=2)


class CountingWriter(InlineWriter):
    """Counts what it was given."""

    runs = 0

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        self.runs += 1
        return await super().run(function, *args)


class Process:
    """A process of the service: its journal, and what it does about stragglers. `away` is raised by what is read."""

    def __init__(self, database: Database, writer: Writer | InlineWriter) -> None:
        self.office = MoDesk(database, old())
        self.writer = writer
        self.away: Exception | None = None
        office = self.office
        desk = Desk(database, lambda: office.catalogue, office.clock, office.ids, office.me.id)
        self.stragglers = Stragglers(desk, lambda: office.catalogue, office.clock, writer, self.read)

    async def read(self, function: Callable[[Connection], T]) -> T:
        if self.away is not None:
            raise self.away
        with self.office.database.read() as connection:
            return function(connection)

    def takes(self, *texts: str) -> None:
        """Messages come in."""
        self.office.take(*map(self.office.mo, texts))

    @property
    def states(self) -> list[int]:
        """Of all messages, in the order in which they came."""
        return [row.charge_state for row in self.office.rows(Mo)]


def test_a_batch_that_the_old_catalogue_has_decided_is_rated_when_it_is_written(database: Database) -> None:
    """It is with the writer while the new one is taken: the look comes behind it."""
    writer = Writer()
    writer.start()
    process = Process(database, writer)
    office = process.office
    decided, go_on = threading.Event(), threading.Event()
    decide = office.decider.decide

    def slowly(facts: list[MoFact]) -> Catalogue:
        catalogue = decide(facts)
        decided.set()
        go_on.wait()
        return catalogue

    async def story() -> None:
        office.decider.decide = slowly  # type: ignore[method-assign, assignment]
        batch = asyncio.create_task(writer.run(process.takes, "GAME 1", "GAME 2"))
        await asyncio.to_thread(decided.wait)
        office.use(new())
        rated = asyncio.create_task(process.stragglers.rate())
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(batch, rated)
        await writer.stop()

    asyncio.run(story())

    assert process.states == [POSTED, POSTED]
    assert office.audit() == []
    assert rate_backlog(clerk_of(office)).messages == 0


def test_of_several_processes_one_rates_a_message(database: Database) -> None:
    writers = [Writer(), Writer()]
    for writer in writers:
        writer.start()
    processes = [Process(database, writer) for writer in writers]
    for n, process in enumerate(processes):
        process.takes(*(f"GAME {n}{m}" for m in range(150)))

    async def story() -> None:
        for process in processes:
            process.office.use(new())
        await asyncio.gather(*(process.stragglers.rate() for process in processes))
        for writer in writers:
            await writer.stop()

    asyncio.run(story())

    assert processes[0].states == [POSTED] * 300
    assert processes[0].office.audit() == []


def test_where_nothing_can_be_rated_the_writer_has_nothing_to_do(database: Database) -> None:
    writer = CountingWriter()
    process = Process(database, writer)
    process.takes("GAME 1", "GAME 2")
    process.office.use(replace(old(), version=2))

    asyncio.run(process.stragglers.rate())

    assert writer.runs == 1, "to come behind what is being written"
    assert process.states == [1, 1]


def test_looking_for_them_writes_nothing_even_in_a_database_that_has_seen_nothing(database: Database) -> None:
    process = Process(database, InlineWriter())
    process.office.use(new())
    with capture_logs() as logs:
        asyncio.run(process.stragglers.rate())

    assert logs == []
    with database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(Series)).scalar() == 0


def test_what_waited_before_the_catalogue_was_old_is_for_the_load(database: Database) -> None:
    """A load rates it; nobody looks through all of it once more in every process."""
    process = Process(database, CountingWriter())
    process.takes("GAME 1")
    process.office.clock.advance(SLACK_MS + MINUTE_MS)
    # One that nobody has asked the database about is not known to be old.
    process.away = StoreAway("away")

    async def story() -> None:
        with pytest.raises(StoreAway):
            await process.stragglers.read_version()
        process.away = None
        process.office.catalogue = replace(old(), version=0)
        assert await process.stragglers.read_version() == 0
        process.takes("GAME 2")
        process.office.use(new())
        await process.stragglers.rate()

    asyncio.run(story())

    assert process.states == [1, POSTED]


def test_a_database_that_goes_away_leaves_them_to_the_next_load(database: Database) -> None:
    process = Process(database, CountingWriter())
    process.takes("GAME 1")
    process.office.use(new())
    process.away = StoreAway("away")

    asyncio.run(process.stragglers.rate())

    assert process.states == [1]
    assert rate_backlog(clerk_of(process.office)).messages == 1


WORLD = """
[[operator]]
code = "alpha"
country = "RU"
currency = "RUB"
vat = "0.20"
[[link]]
name = "alpha-1"
operator = "alpha"
protocol = "smpp"
host = "127.0.0.1"
port = 1
system_id = "us"
enabled = false
[[short_code]]
number = "4446"
"""
TARIFF = """
  [[short_code.tariff]]
  operator = "alpha"
  price = "12.00"
  payout = "0.50"
  valid_from = "2020-01-01T00:00:00Z"
"""


def test_a_service_that_takes_a_new_catalogue_rates_what_came_by_the_old_one(
    database: Database, database_url: str
) -> None:
    load(database, WORLD, "world.toml", SystemClock().now(), KEYRING)
    config = Config(database=DatabaseSection(url=database_url), security=SecuritySection(key=KEY))
    service = Service(config, roles=("links",))

    async def story() -> None:
        await service.start()
        try:
            with database.read() as connection:
                catalogue = read_catalogue(connection, KEYRING)
            office = MoDesk(database, catalogue, catalogue.links["alpha-1"], HandClock(SystemClock().now()))
            # As the command loads, but for what it rates itself: these came a moment later.
            load(database, WORLD + TARIFF, "world.toml", SystemClock().now(), KEYRING)
            office.take(office.mo("GAME 1"), office.mo("GAME 2"))
            await service._swap()
            assert [row.charge_state for row in office.rows(Mo)] == [POSTED, POSTED]
        finally:
            await service.stop()

    asyncio.run(story())
