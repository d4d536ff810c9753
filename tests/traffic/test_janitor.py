"""What comes to its end by time alone, beside the traffic and behind what came before it."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa

from core.clock import DAY_MS, HOUR_MS, SECOND_MS
from core.message import Mt, MtState
from plumbing.threads import InlineWriter
from store import schema
from store.database import Database, connect
from store.folding import last_folded
from store.journal import Fact, MtFact, OverdueFact
from tests import services
from tests.makers import NOON
from tests.partner_api.rows import add
from tests.simulation.faults import Fault, FaultyDatabase, faulty_copy, template_of
from tests.simulation.loop import VirtualLoop
from tests.store.ledger_rows import MONTH, post
from tests.store.mt_desk import HandClock, MtDesk
from traffic.commit import Batcher
from traffic.janitor import FOLD_S, LOOK_S, PRUNE_S, SETTLED_MS, SWEEP_MAX, SWEEP_S, Janitor

T = TypeVar("T")


class SetClock(HandClock):
    """A wall clock that somebody sets; the other one goes its way."""

    def __init__(self, now: int) -> None:
        super().__init__(now)
        self._set_ms = 0

    def now(self) -> int:
        return self._now + self._set_ms

    def passes(self, ms: int) -> None:
        self.advance(ms)

    def jumps(self, ms: int) -> None:
        self._set_ms += ms


class Room:
    """One process's batcher and janitor, on a loop whose time is virtual. `then` happens when a look is over."""

    def __init__(self, database: Database, desk: MtDesk | None = None, *, ends_mts: bool = True) -> None:
        self.database = database
        self.desk = desk or MtDesk(database)
        self.written: list[Sequence[Fact]] = []
        self.done: list[str] = []
        self.then: Callable[[], None] = lambda: None
        self.writer = InlineWriter()
        self.batcher = Batcher(self, self._run, self.desk.clock)
        self.janitor = Janitor(self.batcher, database, self, self.writer, self.desk.clock, ends_mts=ends_mts)

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        """The threads for reading."""
        found = function(*args)
        self.then()
        return found

    def _run(self, function: Callable[..., T], *args: Any) -> Coroutine[Any, Any, T]:
        return self.writer.run(function, *args)

    def write(self, facts: Sequence[Fact]) -> None:
        """The journal, watched."""
        self.written.append(list(facts))
        self.desk.journal.write(facts)

    def resolve(self, doubtful: Sequence[Fact], refused: Sequence[Fact]) -> bool:
        """The journal's."""
        return self.desk.journal.resolve(doubtful, refused)

    def put(self, fact: Fact) -> None:
        """Something comes in."""
        self.batcher.put(fact, lambda fact, error: None)

    def count(self, table: type[schema.Base]) -> int:
        """Rows of a table."""
        with self.database.read() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def play(room: Room, story: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a story beside the batcher."""

    async def whole() -> T:
        batching = asyncio.create_task(room.batcher.run())
        try:
            return await story()
        finally:
            batching.cancel()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(whole())


async def live(room: Room, seconds: float) -> None:
    """The janitor's life for a while, as a process begins and ends it."""
    life = asyncio.create_task(room.janitor.run())
    await asyncio.sleep(seconds)
    life.cancel()
    await asyncio.wait({life})
    assert life.cancelled()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return template_of(services.fresh_sqlite(tmp_path_factory.mktemp("template")).removeprefix("sqlite:///"))


@pytest.fixture
def faulty(template: bytes) -> FaultyDatabase:
    return faulty_copy(template)


@pytest.fixture
def room(faulty: FaultyDatabase) -> Room:
    return Room(faulty)


def test_every_overdue_message_gets_its_end_a_few_in_a_batch(room: Room) -> None:
    mts = [room.desk.queued(valid_ms=HOUR_MS) for _ in range(2 * SWEEP_MAX + 7)]
    late = room.desk.submitted("1A", valid_ms=HOUR_MS)
    room.desk.advance(HOUR_MS + DAY_MS)

    counted = play(room, room.janitor.sweep)

    assert (counted.expired, counted.unknown) == (len(mts), 1)
    assert {room.desk.state(mt) for mt in mts} == {MtState.EXPIRED}
    assert room.desk.state(late) is MtState.UNKNOWN
    over = [fact for facts in room.written for fact in facts if isinstance(fact, OverdueFact)]
    assert [len(fact.mt_ids) for fact in over] == [SWEEP_MAX, SWEEP_MAX, 8]


def test_a_receipt_that_arrives_at_the_same_moment_is_in_time(room: Room) -> None:
    """The look has found the message; the receipt is put in front of its end."""
    mt = room.desk.submitted("1A", valid_ms=HOUR_MS)
    room.desk.advance(HOUR_MS + DAY_MS)
    room.then = lambda: room.put(room.desk.a_receipt("1A"))

    counted = play(room, room.janitor.sweep)

    assert counted.unknown == 0
    assert room.desk.state(mt) is MtState.DELIVERED
    assert room.desk.history(mt) == []


def test_an_answer_that_arrives_at_the_same_moment_is_not_lost(room: Room) -> None:
    """It is given up as one without a receipt, not as one without an answer; its receipt still finds it."""
    mt = room.desk.submitting(valid_ms=HOUR_MS)
    room.desk.advance(HOUR_MS + DAY_MS)
    mt.keys = ["1A"]
    room.then = lambda: room.put(MtFact(mt, MtState.SUBMITTED, room.desk.clock.now()))

    play(room, room.janitor.sweep)
    ended = [(old, new) for old, new, _ in room.desk.history(mt)]
    room.desk.receipt("1A")

    assert ended == [(MtState.SUBMITTED, MtState.UNKNOWN)]
    assert room.desk.state(mt) is MtState.DELIVERED


def test_two_processes_that_sweep_at_once_end_each_message_once(database: Database) -> None:
    one = Room(database)
    other = Room(connect_again(database), MtDesk(connect_again(database), one.desk.clock))
    mts = [one.desk.submitted(f"1A{number}", valid_ms=HOUR_MS) for number in range(20)]
    one.desk.advance(HOUR_MS + DAY_MS)

    async def both() -> int:
        batching = asyncio.create_task(other.batcher.run())
        swept = await asyncio.gather(one.janitor.sweep(), other.janitor.sweep())
        batching.cancel()
        return sum(counted.unknown for counted in swept)

    assert play(one, both) == len(mts)
    assert all(len(one.desk.history(mt)) == 1 for mt in mts)
    other.database.close()
    other.desk.database.close()


def connect_again(database: Database) -> Database:
    return connect(database.engine.url.set(drivername=database.dialect).render_as_string(hide_password=False))


def test_a_look_that_another_process_has_used_up_ends_the_sweep(room: Room) -> None:
    mts = [room.desk.queued(valid_ms=HOUR_MS) for _ in range(SWEEP_MAX)]
    room.desk.advance(HOUR_MS)
    other = MtDesk(room.database, room.desk.clock)
    room.then = lambda: other.write(*[] if room.desk.state(mts[0]).is_final else [other.look(SWEEP_MAX)])

    counted = play(room, room.janitor.sweep)

    assert counted.expired == 0
    assert {room.desk.state(mt) for mt in mts} == {MtState.EXPIRED}


def test_an_outage_delays_the_end_of_a_message_and_nothing_more(room: Room, faulty: FaultyDatabase) -> None:
    mt = room.desk.queued(valid_ms=HOUR_MS)
    room.desk.advance(HOUR_MS)

    async def story() -> None:
        faulty.is_away = True
        asyncio.get_running_loop().call_later(SWEEP_S * 2.5, setattr, faulty, "is_away", False)
        await live(room, SWEEP_S * 4)

    play(room, story)

    assert room.desk.state(mt) is MtState.EXPIRED


@pytest.mark.parametrize("fault", [Fault.AWAY, Fault.DOUBT_WRITTEN, Fault.DOUBT_LOST])
def test_a_commit_that_fails_or_ends_in_doubt_ends_each_message_once(
    room: Room, faulty: FaultyDatabase, fault: Fault
) -> None:
    mts = [room.desk.queued(valid_ms=HOUR_MS) for _ in range(3)]
    room.desk.advance(HOUR_MS)
    faults = [fault]
    faulty.next_fault = lambda: faults.pop() if faults else Fault.NONE

    counted = play(room, room.janitor.sweep)

    assert counted.expired == 3
    assert all(room.desk.history(mt) == [(MtState.QUEUED, MtState.EXPIRED, room.desk.row(mt).error)] for mt in mts)


def _old_rows(room: Room, count: int = 1) -> None:
    now = room.desk.clock.now()
    with room.database.write() as connection:
        for number in range(count):
            add(connection, schema.Idempotency, key=f"{number}", at=now - 2 * DAY_MS)


def test_a_process_begins_with_all_of_it_and_goes_on(room: Room) -> None:
    first = room.desk.queued(valid_ms=HOUR_MS)
    room.desk.advance(HOUR_MS)
    _old_rows(room)

    async def story() -> tuple[Mt, bool]:
        life = asyncio.create_task(room.janitor.run())
        await asyncio.sleep(1)
        at_once = room.desk.state(first).is_final and not room.count(schema.Idempotency)
        second = room.desk.queued(valid_ms=SECOND_MS)
        room.desk.advance(SECOND_MS)
        _old_rows(room)
        with room.database.write() as connection:
            post(connection, room.desk.clock.now() - HOUR_MS, [(1, 2, 5, MONTH)])
        await asyncio.sleep(max(SWEEP_S, PRUNE_S, FOLD_S) + 1)
        life.cancel()
        return second, at_once

    second, at_once = play(room, story)

    assert at_once
    assert (room.desk.state(second), room.count(schema.Idempotency)) == (MtState.EXPIRED, 0)
    with room.database.read() as connection:
        assert last_folded(connection) == 1


@pytest.mark.parametrize("jumps_ms", [0, 2 * DAY_MS])
def test_what_tells_repeats_is_pruned_by_its_age_and_not_by_a_clock_that_was_set(room: Room, jumps_ms: int) -> None:
    """The first hour proves nothing: the clock may have been set just before."""
    now = room.desk.clock.now()
    with room.database.write() as connection:
        add(connection, schema.Identity, key="1/old", at=now - 2 * DAY_MS)
        add(connection, schema.Identity, key="1/late", at=now + 2 * HOUR_MS - DAY_MS)
    clock = room.desk.clock = SetClock(now)
    room.janitor = Janitor(room.batcher, room.database, room, room.writer, clock, ends_mts=True)

    play(room, room.janitor.prune)
    at_first = room.count(schema.Identity)
    clock.passes(HOUR_MS)
    clock.jumps(jumps_ms)
    play(room, room.janitor.prune)
    after_an_hour = room.count(schema.Identity)
    clock.passes(HOUR_MS + SECOND_MS)
    play(room, room.janitor.prune)

    assert (at_first, after_an_hour, room.count(schema.Identity)) == (2, 1, 0)


def test_a_process_without_links_ends_no_message(faulty: FaultyDatabase) -> None:
    room = Room(faulty, ends_mts=False)
    mt = room.desk.queued(valid_ms=HOUR_MS)
    room.desk.advance(HOUR_MS)
    _old_rows(room)

    play(room, lambda: live(room, SWEEP_S * 3))

    assert (room.desk.state(mt), room.count(schema.Idempotency)) == (MtState.QUEUED, 0)


def test_a_chore_that_failed_is_done_the_next_time(room: Room, faulty: FaultyDatabase) -> None:
    _old_rows(room)
    with room.database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE idempotency RENAME TO elsewhere")

    async def story() -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(PRUNE_S / 2, _rename_back, faulty)
        await live(room, PRUNE_S * 1.5)

    play(room, story)

    assert room.count(schema.Idempotency) == 0


def _rename_back(database: Database) -> None:
    with database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO idempotency")


def test_messages_are_committed_between_the_steps_of_a_long_chore(room: Room) -> None:
    _old_rows(room, 1600)

    async def story() -> int:
        pruning = asyncio.create_task(room.janitor.prune())
        await asyncio.sleep(0)
        await room.batcher.commit(MtFact(mt, MtState.SUBMITTED, room.desk.clock.now()))
        left = room.count(schema.Idempotency)
        await pruning
        return left

    mt = room.desk.submitting()
    left = play(room, story)

    assert left >= 600
    assert (room.desk.state(mt), room.count(schema.Idempotency)) == (MtState.SUBMITTED, 0)


# --- receipts that were kept beside their messages ----------------------------------------------------------------


def stranded(room: Room, *keys: str) -> list[Mt]:
    """Receipts that wait, and messages of theirs that another process wrote in the same moment."""
    room.desk.write(*(room.desk.a_receipt(key) for key in keys))
    mts = [room.desk.submitting() for _ in keys]
    with room.database.write() as connection:
        for mt, key in zip(mts, keys, strict=True):
            values = {"key": key, "state": int(MtState.SUBMITTED), "link_id": 1}
            connection.execute(sa.update(schema.Mt).where(schema.Mt.id == mt.id).values(**values))
    return mts


def test_a_receipt_that_was_kept_beside_its_message_finds_it_when_nothing_of_then_is_under_way(room: Room) -> None:
    mts = stranded(room, "1A", "1B")

    soon = play(room, room.janitor.look)
    room.desk.advance(SETTLED_MS)
    found = play(room, room.janitor.look)
    again = play(room, room.janitor.look)

    assert (soon, found, again) == (0, 2, 0)
    assert {room.desk.state(mt) for mt in mts} == {MtState.DELIVERED}
    assert room.count(schema.Receipt) == 0


def test_what_was_kept_while_no_process_ran_is_looked_at_by_the_next_one(faulty: FaultyDatabase) -> None:
    before = Room(faulty)
    (mt,) = stranded(before, "1A")
    before.desk.advance(HOUR_MS)

    room = Room(faulty, before.desk)
    assert play(room, room.janitor.look) == 1
    assert room.desk.state(mt) is MtState.DELIVERED


def test_a_clock_that_was_ahead_leaves_no_receipt_out(faulty: FaultyDatabase) -> None:
    clock = SetClock(NOON)
    desk = MtDesk(faulty, clock)
    clock.jumps(DAY_MS)
    room = Room(faulty, desk)
    room.desk.write(room.desk.a_receipt("77"))
    clock.passes(SETTLED_MS)
    play(room, room.janitor.look)
    clock.jumps(-DAY_MS)
    (mt,) = stranded(room, "1A")
    clock.passes(SETTLED_MS)

    assert play(room, room.janitor.look) == 1
    assert room.desk.state(mt) is MtState.DELIVERED


def test_the_janitor_looks_by_itself_where_there_are_messages_of_its_own(faulty: FaultyDatabase) -> None:
    desk = MtDesk(faulty)
    (mt,) = stranded(Room(faulty, desk), "1A")
    desk.advance(SETTLED_MS)

    play(other := Room(faulty, desk, ends_mts=False), lambda: live(other, LOOK_S))
    not_his = desk.state(mt)
    play(room := Room(faulty, desk), lambda: live(room, LOOK_S))

    assert (not_his, desk.state(mt)) == (MtState.SUBMITTED, MtState.DELIVERED)
