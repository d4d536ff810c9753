"""Who is dead is told without comparing clocks, and who was taken for dead writes no more."""

from collections.abc import Sequence
from typing import NamedTuple

import pytest
import sqlalchemy as sa

from core.catalogue import Catalogue
from core.clock import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from core.errors import Buried, StoreAway
from core.ids import first_id_at
from core.message import MtState
from store import recovery, schema
from store.database import Database
from store.home import Home
from store.outbox import Outbox
from store.processes import (
    Neighbours,
    Registered,
    beat,
    register,
    retire,
)
from store.pulse import ALIVE, BEAT_MS, DEAD, SILENT_MS, STOPPED
from tests.makers import NOON, of_every_class
from tests.partner_api.rows import add
from tests.simulation.faults import FaultyDatabase
from tests.store.mt_desk import HandClock, MtDesk

LOOKS = SILENT_MS // BEAT_MS + 1
ONE_ID = first_id_at(NOON)


class Machine:
    """A machine and who runs on it; its wall clock may be anything."""

    def __init__(self, name: str = "one", now: int = NOON) -> None:
        self.name = name
        self.now = now
        self.running: dict[int, int] = {}
        self._pids = 100

    def begins(self, database: Database, *, pid: int = 0) -> Registered:
        self._pids += 1
        pid = pid or self._pids
        self.running[pid] = self._pids
        home = Home(self.name, f"boot of {self.name}", pid, self._pids, is_gone=self._is_gone)
        return register(database, roles="links", now=self.now, home=home)

    def kills(self, one: Registered) -> None:
        del self.running[one.home.pid]

    def _is_gone(self, pid: int, started: int) -> bool:
        return self.running.get(pid) != started


class Watcher:
    """One process that looks at the others every 2 s."""

    def __init__(self, database: Database, machine: Machine) -> None:
        self.database = database
        self.machine = machine
        self.me = machine.begins(database)
        self.neighbours = Neighbours(database, self.me)
        self._ms = 5_000_000

    def looks(self, times: int = 1, *, beats: Sequence[Registered] = (), every_ms: int = BEAT_MS) -> list[int]:
        """All that are buried in so many looks; the others beat before each."""
        buried: list[int] = []
        for _ in range(times):
            self._ms += every_ms
            self.machine.now += every_ms
            for one in beats:
                beat(self.database, one.id, self.machine.now, doubt_from=1)
            buried += self.neighbours.look(self.machine.now, self._ms)
        return buried


class Row(NamedTuple):
    """What is written down of a process."""

    state: int
    heartbeat_at: int
    last_batch: int


def row_of(database: Database, process_id: int) -> Row:
    columns = [getattr(schema.Process, name) for name in Row._fields]
    with database.read() as connection:
        return Row(*connection.execute(sa.select(*columns).where(schema.Process.id == process_id)).one())


def state_of(database: Database, one: Registered) -> int:
    return row_of(database, one.id).state


# --- who is dead -----------------------------------------------------------------------------------------


def test_who_is_gone_from_our_machine_is_buried_at_the_first_look(database: Database) -> None:
    machine = Machine()
    dead, alive = machine.begins(database), machine.begins(database)
    machine.kills(dead)

    buried = Watcher(database, machine).looks()

    assert buried == [dead.id]
    assert (state_of(database, dead), state_of(database, alive)) == (DEAD, ALIVE)


def test_a_pid_that_was_given_to_another_does_not_deceive(database: Database) -> None:
    machine = Machine()
    dead = machine.begins(database, pid=7)
    machine.kills(dead)
    another = machine.begins(database, pid=7)

    assert Watcher(database, machine).looks() == [dead.id]
    assert state_of(database, another) == ALIVE


def test_a_pid_of_another_machine_means_nothing_to_us(database: Database) -> None:
    there = Machine("two").begins(database, pid=7)
    watcher = Watcher(database, Machine("one"))

    assert watcher.looks() == []
    assert state_of(database, there) == ALIVE


def test_a_process_elsewhere_is_dead_when_its_heartbeat_stood_still_for_ten_seconds_of_ours(database: Database) -> None:
    there = Machine("two").begins(database)
    watcher = Watcher(database, Machine("one"))

    assert watcher.looks(LOOKS - 1) == []
    assert watcher.looks() == [there.id]


def test_a_process_on_our_machine_that_stands_still_is_dead_as_late_as_any(database: Database) -> None:
    machine = Machine()
    frozen = machine.begins(database)
    watcher = Watcher(database, machine)

    assert watcher.looks(LOOKS - 1) == []
    assert watcher.looks() == [frozen.id]


@pytest.mark.parametrize("off_ms", [-365 * DAY_MS, -HOUR_MS, -11 * SECOND_MS, HOUR_MS, 365 * DAY_MS])
def test_the_clocks_of_machines_are_not_compared(database: Database, off_ms: int) -> None:
    elsewhere = Machine("two", NOON + off_ms)
    alive, dead = elsewhere.begins(database), elsewhere.begins(database)
    watcher = Watcher(database, Machine("one"))

    buried = watcher.looks(3 * LOOKS, beats=[alive])

    assert buried == [dead.id]
    assert state_of(database, alive) == ALIVE


def test_what_lies_between_looks_that_are_far_apart_nobody_saw(database: Database) -> None:
    """We stood still ourselves, or the database answered none of us."""
    Machine("two").begins(database)
    watcher = Watcher(database, Machine("one"))

    assert watcher.looks(3, every_ms=10 * MINUTE_MS) == []


def test_after_an_outage_of_the_database_the_looking_begins_anew(database: Database) -> None:
    there = Machine("two").begins(database)
    faulty = FaultyDatabase(database.engine)
    watcher = Watcher(faulty, Machine("one"))
    watcher.looks(LOOKS - 1)

    faulty.is_away = True
    with pytest.raises(StoreAway):
        watcher.looks()
    watcher.neighbours.forget()
    faulty.is_away = False

    assert watcher.looks(LOOKS - 1, beats=[]) == []
    assert watcher.looks() == [there.id]


def test_who_was_not_heard_of_yet_is_a_stranger_unless_we_see_it_run(database: Database) -> None:
    machine, elsewhere = Machine("one"), Machine("two")
    machine.begins(database)
    alive, dead = elsewhere.begins(database), elsewhere.begins(database)
    watcher = Watcher(database, machine)

    strangers = []
    for _ in range(LOOKS + 1):
        watcher.looks(beats=[alive])
        strangers.append(watcher.neighbours.strangers)

    assert strangers == [2, *[1] * (LOOKS - 2), 0, 0]
    assert state_of(database, dead) == DEAD


def test_a_dead_process_is_buried_once_by_whoever_sees_it_first(database: Database) -> None:
    there = Machine("two").begins(database)
    machine = Machine("one")
    first, second = Watcher(database, machine), Watcher(database, machine)
    for _ in range(LOOKS - 1):
        assert first.looks(beats=[second.me]) == second.looks(beats=[first.me]) == []

    assert first.looks(beats=[second.me]) == [there.id]
    assert second.looks(beats=[first.me]) == []


def test_a_process_that_spoke_at_the_last_moment_is_not_buried(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between our look and our burial."""
    there = Machine("two").begins(database)
    watcher = Watcher(database, Machine("one"))
    watcher.looks(LOOKS - 1)
    bury = Neighbours._bury

    def bury_late(self: Neighbours, process_id: int, seen: object, now: int) -> bool:
        beat(database, there.id, NOON, doubt_from=1)
        return bury(self, process_id, seen, now)  # type: ignore[arg-type]

    monkeypatch.setattr(Neighbours, "_bury", bury_late)

    assert watcher.looks() == []
    assert state_of(database, there) == ALIVE


# --- what becomes of its work ----------------------------------------------------------------------------


def test_the_work_of_the_dead_is_due_at_once_whatever_the_clocks_say(database: Database) -> None:
    machine, clock = Machine("two"), HandClock()
    dead = machine.begins(database)
    with database.write() as connection:
        add(connection, schema.Callback, mo_id=1, due_at=NOON + 30_000, leased_by=dead.id)
        add(connection, schema.Callback, mo_id=2, due_at=NOON + 30_000, leased_by=dead.id + 100)
        add(connection, schema.Mt, id=3, state=int(MtState.SUBMITTING), process_id=dead.id, reply_to=1)
        add(connection, schema.Mt, id=4, state=int(MtState.SUBMITTED), process_id=dead.id, reply_to=2)
    # Who buries has a clock that is far ahead; who takes the work has not.
    watcher = Watcher(database, Machine("one", NOON + HOUR_MS))
    assert watcher.looks(LOOKS) == [dead.id]

    outbox = Outbox(database, Catalogue, clock, process_id=watcher.me.id, lease_ms=30_000)

    assert [mt.id for mt in outbox.mts(10, of_every_class(0))] == [3]
    with database.read() as connection:
        jobs = connection.execute(sa.select(schema.Callback.mo_id).where(schema.Callback.due_at <= NOON)).scalars()
        marked = connection.execute(sa.select(schema.Mt.id).where(schema.Mt.maybe_twice)).scalars()
        assert (list(jobs), list(marked)) == ([1], [3])


def test_what_the_dead_accepted_last_is_in_doubt_by_its_own_word(database: Database) -> None:
    """The ids say it, not the moments: its clock had been set."""
    there = Machine("two").begins(database)
    with database.write() as connection:
        for number in range(4):
            mine = there.id if number < 3 else there.id + 100
            add(connection, schema.Mo, id=ONE_ID + number, process_id=mine, fingerprint=70 + number)
    beat(database, there.id, NOON + DAY_MS, doubt_from=ONE_ID + 1)

    Watcher(database, Machine("one")).looks(LOOKS)

    with database.read() as connection:
        doubts = connection.execute(sa.select(schema.InDoubt.fingerprint, schema.InDoubt.reason)).all()
    assert sorted(map(tuple, doubts)) == [(71, "crash"), (72, "crash")]


def test_parts_whose_process_is_gone_wait_with_another_and_are_told_once(database: Database) -> None:
    machine = Machine()
    stopped, dead, alive = (machine.begins(database) for _ in range(3))
    with database.write() as connection:
        for id_, owner in enumerate((stopped, dead, alive), 1):
            add(connection, schema.MoPart, id=id_, process_id=owner.id, payload=b"x")
        add(connection, schema.MoPart, id=4, process_id=dead.id, payload=b"x", mo_id=9)
    retire(database, stopped.id, NOON)
    machine.kills(dead)
    watcher = Watcher(database, machine)
    watcher.looks()

    taken = [part.id for part in recovery.take_parts(database, watcher.me.id)]
    again = recovery.take_parts(database, watcher.me.id)
    known = [part.id for part in recovery.take_parts(database, watcher.me.id, ours_too=True)]

    assert (taken, again, known) == ([1, 2], [], [1, 2])


# --- who was buried --------------------------------------------------------------------------------------


def buried_desk(database: Database) -> MtDesk:
    """A process that stood still for a while, and does not know yet."""
    desk = MtDesk(database)
    with database.write() as connection:
        connection.execute(sa.update(schema.Process).values(state=DEAD))
    return desk


def test_who_was_buried_writes_no_more(database: Database) -> None:
    desk = buried_desk(database)

    with pytest.raises(Buried, match="start it again"):
        desk.queued()

    with database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(schema.Mt)).scalar_one() == 0


def test_who_was_buried_takes_no_work(database: Database) -> None:
    desk = buried_desk(database)
    with database.write() as connection:
        add(connection, schema.Mt, id=3, reply_to=1, operator_id=1)
        add(connection, schema.Callback, mo_id=1, due_at=0)

    with pytest.raises(Buried):
        desk.outbox.mts(10, of_every_class(1))
    with pytest.raises(Buried):
        desk.outbox.callbacks(10, ())

    with database.read() as connection:
        assert connection.execute(sa.select(schema.Mt.state)).scalar_one() == int(MtState.QUEUED)


def test_who_was_buried_learns_it_at_its_next_heartbeat_and_when_it_asks_for_a_commit_in_doubt(
    database: Database,
) -> None:
    desk = buried_desk(database)
    process_id = desk.journal._process_id

    with pytest.raises(Buried):
        beat(database, process_id, NOON, doubt_from=1)
    with pytest.raises(Buried):
        desk.journal.resolve([], [])

    retire(database, process_id, NOON)
    assert row_of(database, process_id).state == DEAD


def test_who_stopped_in_good_order_holds_nothing_any_more(database: Database) -> None:
    desk = MtDesk(database)
    mt = desk.submitting()

    retire(database, desk.journal._process_id, NOON)

    assert row_of(database, desk.journal._process_id).state == STOPPED
    assert desk.state(mt) is MtState.QUEUED
