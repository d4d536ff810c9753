"""The heartbeat: it shows that we live, buries who does not, and notices a clock that was set."""

import asyncio
import functools
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog

from core.catalogue import Catalogue
from core.clock import HOUR_MS
from core.errors import StoreAway
from plumbing.threads import InlineWriter
from smsc_link.keeping import LinkState
from store import processes, schema
from store.home import Home
from store.journal import Fact
from store.processes import Registered
from store.pulse import ALIVE, DEAD
from store.recovery import WaitingPart
from tests import services
from tests.makers import NOON
from tests.partner_api.rows import add
from tests.simulation.faults import FaultyDatabase, faulty_copy, template_of
from tests.simulation.loop import VirtualClock, VirtualLoop
from tests.store.locks import Failing, conflict
from tollbridge.watch import BEAT_S, WRITING_S, Heartbeat, watch_writing
from traffic.commit import Batcher


@functools.cache
def _template() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return template_of(services.fresh_sqlite(Path(folder)).removeprefix("sqlite:///"))


class NoLinks:
    """smsc_link.links.Links of a process that has none."""

    def states(self) -> dict[str, LinkState]:
        return {}

    def errors(self) -> dict[str, str]:
        return {}


class NoJournal:
    """traffic.commit.Journal of a process that writes nothing."""

    def write(self, facts: Sequence[Fact]) -> None:
        raise AssertionError(facts)

    def resolve(self, doubtful: Sequence[Fact], refused: Sequence[Fact]) -> bool:
        raise AssertionError(doubtful)


class Room:
    """One process with its heartbeat, and others that have a row only."""

    def __init__(self, database: FaultyDatabase, loop: VirtualLoop) -> None:
        self.database = database
        self.clock = VirtualClock(loop, NOON)
        self.parts: list[WaitingPart] = []
        self.dues = 0
        self.is_died = False
        self.gone: set[int] = set()
        self._pids = 0
        self.me = self.another("here")
        links: Any = NoLinks()
        self.heartbeat = Heartbeat(
            self.me, database, InlineWriter(), self.clock, links, catalogue=Catalogue, doubt_from=lambda for_ms: 1,
            on_due=self._due, on_parts=self.parts.extend, on_death=self._die,
        )  # fmt: skip
        self.task = loop.create_task(self.heartbeat.run())

    def another(self, space: str) -> Registered:
        self._pids += 1
        home = Home(space, space, self._pids, 1, is_gone=lambda pid, started: pid in self.gone)
        return processes.register(self.database, roles="links", now=self.clock.now(), home=home)

    def state(self, one: Registered) -> int:
        with self.database.read() as connection:
            return connection.execute(sa.select(schema.Process.state).where(schema.Process.id == one.id)).scalar_one()

    def _due(self) -> None:
        self.dues += 1

    def _die(self) -> None:
        self.is_died = True


def told(story: Callable[[Room], Coroutine[Any, Any, None]]) -> None:
    """A story in virtual time."""
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    try:
        room = Room(faulty_copy(_template()), loop)
        loop.run_until_complete(loop.create_task(story(room)))
        room.task.cancel()
        loop.run_until_complete(asyncio.wait([room.task]))
    finally:
        loop.close()
        asyncio.set_event_loop(None)


def test_who_died_elsewhere_is_buried_after_ten_seconds_and_not_before() -> None:
    async def story(room: Room) -> None:
        dead = room.another("there")
        await asyncio.sleep(9)
        assert room.state(dead) == ALIVE
        assert not room.heartbeat.is_clear.is_set()

        await asyncio.sleep(4)

        assert room.state(dead) == DEAD
        assert room.heartbeat.is_clear.is_set()
        assert room.dues == 1

    told(story)


def test_who_lives_elsewhere_is_known_to_live_after_a_beat() -> None:
    async def story(room: Room) -> None:
        alive = room.another("there")
        await asyncio.sleep(1)
        assert not room.heartbeat.is_clear.is_set()

        processes.beat(room.database, alive.id, NOON - HOUR_MS, doubt_from=1)
        await asyncio.sleep(BEAT_S)

        assert room.heartbeat.is_clear.is_set()
        assert room.state(alive) == ALIVE

    told(story)


def test_the_database_away_for_a_minute_buries_nobody() -> None:
    async def story(room: Room) -> None:
        alive = room.another("there")
        await asyncio.sleep(8)

        room.database.is_away = True
        await asyncio.sleep(60)
        room.database.is_away = False
        await asyncio.sleep(8)

        assert room.state(alive) == ALIVE

    told(story)


def test_who_was_died_stops_at_the_next_beat() -> None:
    async def story(room: Room) -> None:
        await asyncio.sleep(1)
        with room.database.write() as connection:
            connection.execute(sa.update(schema.Process).values(state=DEAD))

        await asyncio.sleep(BEAT_S)

        assert room.is_died
        assert room.task.done()
        assert room.heartbeat.is_clear.is_set(), "a start that waits would wait for ever"

    told(story)


def test_what_is_a_mistake_of_ours_is_told_and_the_database_is_asked_again_all_the_same() -> None:
    async def story(room: Room) -> None:
        bug = ValueError("a bug")
        failing = Failing(room.database, [bug, conflict("sqlite"), StoreAway("away"), bug])
        batcher = Batcher(NoJournal(), InlineWriter().run, room.clock)
        with structlog.testing.capture_logs() as lines:
            task = asyncio.create_task(watch_writing(batcher, failing, room.me.id))
            await asyncio.sleep(5 * WRITING_S)
        task.cancel()

        told = [line["log_level"] for line in lines if line["event"].startswith("the database was not asked")]
        assert told == ["error", "debug", "error"]
        assert batcher._reported is not None
        assert not failing.errors

    told(story)


def a_part_of_one_that_is_gone(room: Room, part_id: int) -> None:
    gone = room.another("here")
    room.gone.add(gone.home.pid)
    with room.database.write() as connection:
        add(connection, schema.MoPart, id=part_id, process_id=gone.id, payload=b"x")


def test_parts_of_a_process_that_is_gone_go_on_waiting_with_us() -> None:
    async def story(room: Room) -> None:
        a_part_of_one_that_is_gone(room, 5)
        await asyncio.sleep(BEAT_S)
        assert room.parts == [], "they may be whole messages, and limits do not know yet what they have counted"

        await room.heartbeat.inherit()
        assert [part.id for part in room.parts] == [5]

        a_part_of_one_that_is_gone(room, 6)
        await asyncio.sleep(BEAT_S)
        assert [part.id for part in room.parts] == [5, 6]

    told(story)


def test_parts_are_inherited_when_the_database_is_back() -> None:
    async def story(room: Room) -> None:
        a_part_of_one_that_is_gone(room, 5)
        await asyncio.sleep(BEAT_S)

        room.database.is_away = True
        inheriting = asyncio.create_task(room.heartbeat.inherit())
        await asyncio.sleep(5)
        assert not inheriting.done()
        room.database.is_away = False
        await asyncio.sleep(1)

        assert inheriting.done()
        assert [part.id for part in room.parts] == [5]

    told(story)


def a_retry_of_the_future(room: Room) -> None:
    now = room.clock.now()
    with room.database.write() as connection:
        add(connection, schema.Callback, mo_id=1, tried_at=now, due_at=now + 4_000)


def waits_ms(room: Room) -> int:
    with room.database.read() as connection:
        due_at = connection.execute(sa.select(schema.Callback.due_at)).scalar_one()
    assert due_at is not None
    return due_at - room.clock.now()


def test_a_clock_that_is_set_back_an_hour_delays_no_retry_by_an_hour_and_is_told() -> None:
    async def story(room: Room) -> None:
        await asyncio.sleep(100)
        a_retry_of_the_future(room)

        with structlog.testing.capture_logs() as lines:
            room.clock.set_back(HOUR_MS)
            await asyncio.sleep(BEAT_S)

        assert waits_ms(room) <= 0
        assert [(line["event"], line["by_s"]) for line in lines] == [("the wall clock was set", -3600.0)]

    told(story)


def test_a_clock_that_was_ahead_only_while_the_database_was_away_is_noticed_too() -> None:
    async def story(room: Room) -> None:
        await asyncio.sleep(100)
        room.clock.set_back(-HOUR_MS)
        a_retry_of_the_future(room)
        room.database.is_away = True
        await asyncio.sleep(5)
        room.clock.set_back(HOUR_MS)
        await asyncio.sleep(5)
        room.database.is_away = False

        await asyncio.sleep(BEAT_S)

        assert waits_ms(room) <= 0

    told(story)


def test_a_result_that_reckoned_with_the_old_time_and_is_written_later_does_not_wait_either() -> None:
    async def story(room: Room) -> None:
        room.clock.set_back(-HOUR_MS)
        await asyncio.sleep(100)
        ahead = room.clock.now()
        room.clock.set_back(HOUR_MS)
        await asyncio.sleep(10)
        with room.database.write() as connection:
            add(connection, schema.Callback, mo_id=1, tried_at=ahead, due_at=ahead + 4_000)

        await asyncio.sleep(BEAT_S)

        assert waits_ms(room) <= 0

    told(story)


def test_a_clock_that_is_slewed_is_not_spoken_of() -> None:
    async def story(room: Room) -> None:
        with structlog.testing.capture_logs() as lines:
            for _ in range(100):
                room.clock.set_back(200)
                await asyncio.sleep(BEAT_S)

        assert lines == []

    told(story)
