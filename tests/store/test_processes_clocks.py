"""Processes whose clocks jump: heartbeats, ids and what waits."""

import pytest
import sqlalchemy as sa

from core.clock import DAY_MS, HOUR_MS, MINUTE_MS
from core.ids import EPOCH_MS, SLOTS, Ids, first_id_at, instant_of_id
from store import schema
from store.database import Database
from store.journal import Journal
from store.processes import DOUBT_MS, beat, end_waits, retire
from store.pulse import STOPPED
from tests.makers import NOON, of_every_class
from tests.partner_api.rows import add
from tests.store.mt_desk import HandClock, MtDesk, Nobody
from tests.store.test_processes import Machine, row_of


def test_a_heartbeat_never_goes_back_and_every_batch_is_one(database: Database) -> None:
    me = Machine().begins(database)
    clock = HandClock(NOON)
    journal = Journal(database, Nobody(), process_id=me.id, ids=Ids(me.slot), clock=clock, lease_ms=1)

    seen = [row_of(database, me.id)]
    for step_ms in (2_000, -HOUR_MS, 2_000, HOUR_MS):
        clock.advance(step_ms)
        beat(database, me.id, clock.now(), doubt_from=1)
        seen.append(row_of(database, me.id))
        journal.write([])
        seen.append(row_of(database, me.id))

    beats = [row.heartbeat_at for row in seen]
    assert beats == sorted(set(beats))
    assert seen[-1].last_batch == 4


def test_a_slot_that_is_used_again_makes_no_id_that_it_made_before_its_clock_was_set_back(database: Database) -> None:
    machine = Machine()
    first = machine.begins(database)
    ids = Ids(first.slot)
    made = ids.next(machine.now)
    beat(database, first.id, machine.now, doubt_from=1)
    machine.now -= DAY_MS
    beat(database, first.id, machine.now, doubt_from=1)
    retire(database, first.id, machine.now)
    with database.write() as connection:
        connection.execute(sa.update(schema.Process).values(id=schema.Process.id + SLOTS))
        add(connection, schema.Process, id=first.id + 2 * SLOTS - 1, state=STOPPED)

    again = machine.begins(database)

    assert again.slot == first.slot
    assert Ids(again.slot, after=again.after).next(machine.now) > made


@pytest.mark.parametrize("back_ms", [0, 1, HOUR_MS, 30 * DAY_MS])
def test_a_process_that_begins_after_the_clock_was_set_back_makes_larger_ids_than_any_before(
    database: Database, back_ms: int
) -> None:
    """So the order of ids is the order in which messages came, over restarts as well."""
    machine = Machine()
    made: list[int] = []
    for _ in range(3):
        one = machine.begins(database)
        ids = Ids(one.slot, after=one.after)
        clock = HandClock(machine.now)
        journal = Journal(database, Nobody(), process_id=one.id, ids=ids, clock=clock, lease_ms=1)
        made += [ids.next(clock.now()) for _ in range(10_000)]
        clock.advance(-back_ms)
        journal.write([])
        machine.now -= back_ms

    assert made == sorted(set(made))
    assert all(row_of(database, process_id).heartbeat_at >= NOON for process_id in (1, 2, 3))


def test_a_clock_that_was_years_ahead_once_does_not_keep_us_from_making_ids(database: Database) -> None:
    mad = Machine("mad", NOON + 40 * 366 * DAY_MS)
    mad.begins(database)

    one = Machine().begins(database)

    assert NOON <= instant_of_id(Ids(one.slot, after=one.after).next(NOON)) < NOON + DAY_MS


def test_a_clock_of_1970_is_one_too(database: Database) -> None:
    me = Machine(now=0).begins(database)

    assert Ids(me.slot, after=me.after).next(0) >= 0
    assert first_id_at(EPOCH_MS - DOUBT_MS) == 0


@pytest.mark.parametrize(("was_seen", "due"), [(True, [1, 2, 3, 5, 7]), (False, [1, 2, 7])])
def test_what_was_to_wait_by_a_clock_that_was_ahead_is_due_when_it_is_set_back(
    database: Database, *, was_seen: bool, due: list[int]
) -> None:
    """Who did not see it being set leaves the partner its hour of Retry-After."""
    ahead = NOON + HOUR_MS
    with database.write() as connection:
        for id_, values in {
            1: {"tried_at": ahead, "due_at": ahead + 4_000},  # a retry
            2: {"due_at": ahead},  # left for another process
            3: {"due_at": ahead + 30_000},  # leased
            4: {"tried_at": NOON - 1_000, "due_at": NOON + 900_000},  # a retry of before
            5: {"tried_at": NOON - 1_000, "due_at": ahead + 4_000},  # one whose call began before
            6: {"due_at": NOON + 30_000},  # leased, by the right time
            7: {"tried_at": NOON - 1_000, "due_at": NOON + DAY_MS},  # longer than anything may wait
        }.items():
            add(connection, schema.Callback, mo_id=id_, **values)
            add(connection, schema.Mo, id=id_, accepted_at=ahead)
        add(connection, schema.Mt, id=5, reply_to=1, created_at=ahead, due_at=ahead)
        add(connection, schema.Mt, id=6, reply_to=2, created_at=NOON - 1_000, due_at=NOON + 900_000)

    end_waits(database, NOON, was_seen=was_seen)

    with database.read() as connection:
        jobs = connection.execute(sa.select(schema.Callback.mo_id).where(schema.Callback.due_at <= NOON)).scalars()
        mts = connection.execute(sa.select(schema.Mt.id).where(schema.Mt.due_at <= NOON)).scalars()
        assert (sorted(jobs), list(mts)) == (due, [5])


def test_nothing_waits_for_a_day_because_a_clock_was_a_day_ahead(database: Database) -> None:
    """Also when nobody saw it being set: every process was down."""
    desk = MtDesk(database)
    with database.write() as connection:
        add(connection, schema.Mt, id=5, reply_to=1, operator_id=1, due_at=NOON + DAY_MS)
        add(connection, schema.Mt, id=6, reply_to=2, operator_id=1, due_at=NOON + MINUTE_MS)

    assert [mt.id for mt in desk.outbox.mts(10, of_every_class(1))] == [5]
