"""A batch is written whole or not at all: conflicts, counts, processes that were taken for dead."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from core.catalogue import Limit
from core.errors import Buried, StoreAway
from core.message import Answer, MtState, Outcome
from store import schema
from store.database import Database, connect
from store.journal import CONFLICTS_MAX, CONFLICTS_MS, CallbackFact, CallbackState, MtFact, NewMtFact
from store.processes import Neighbours
from store.pulse import ALIVE, DEAD
from store.schema import Mo, Mt, Process
from tests.makers import NOON, a_catalogue, of_every_class
from tests.simulation.faults import Fault
from tests.store.journal.desk import MoDesk

LOST, WRITTEN = Fault.DOUBT_LOST, Fault.DOUBT_WRITTEN


class Conflicted(Database):
    """Others stand in the way so many times."""

    times = 0
    begun = 0
    before: Callable[[], None] = staticmethod(lambda: None)

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        self.begun += 1
        self.before()
        with super().write() as connection:
            yield connection
            if self.begun <= self.times:
                raise _deadlock(self.dialect)


def _deadlock(dialect: str) -> sa.exc.DBAPIError:
    """As the driver tells it."""
    original: Any
    if dialect == "sqlite":
        import sqlite3

        original = sqlite3.OperationalError("database is locked")
        original.sqlite_errorcode = sqlite3.SQLITE_BUSY
    else:
        import MySQLdb

        original = MySQLdb.OperationalError(1213, "Deadlock found when trying to get lock")
    return sa.exc.OperationalError("COMMIT", None, original)


def in_conflict(desk: MoDesk, times: int) -> Conflicted:
    database = Conflicted(desk.database.engine)
    database.times = times
    desk.journal._database = database
    return database


# --- conflicts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("times", [1, CONFLICTS_MAX - 1])
def test_a_batch_in_others_way_is_repeated_whole(database: Database, times: int) -> None:
    desk = MoDesk(database)
    conflicted = in_conflict(desk, times)
    fact = desk.mo()

    desk.write(fact)

    assert conflicted.begun == times + 1
    assert [row.id for row in desk.rows(Mo)] == [fact.id]
    assert desk.decider.taken_back == [[fact.id]] * times
    assert desk.audit() == []


def test_a_batch_that_others_never_let_through_counts_as_an_outage(database: Database) -> None:
    desk = MoDesk(database)
    conflicted = in_conflict(desk, 99)

    with pytest.raises(StoreAway, match="others hold locks") as caught:
        desk.write(desk.mo())

    assert not caught.value.in_doubt
    assert conflicted.begun == CONFLICTS_MAX
    assert desk.rows(Mo) == []


def test_it_is_given_up_when_the_operators_would_not_wait_any_longer(database: Database) -> None:
    desk = MoDesk(database)
    conflicted = in_conflict(desk, 99)
    conflicted.before = lambda: desk.clock.advance(CONFLICTS_MS // 2)

    with pytest.raises(StoreAway, match="others hold locks"):
        desk.write(desk.mo())

    assert conflicted.begun == 2


def test_a_counter_that_another_holds_for_long_is_an_outage_that_ends_with_it(mariadb_url: str) -> None:
    database, other = connect(mariadb_url, lock_wait_s=1), connect(mariadb_url)
    desk = MoDesk(database)
    desk.take(desk.mo())

    with other.write() as connection:
        connection.execute(sa.update(schema.Volume).values(parts=1))
        with pytest.raises(StoreAway, match="others hold locks"):
            desk.write(desk.mo())
    desk.take(desk.mo())

    assert len(desk.rows(Mo)) == 2
    database.close()
    other.close()


# --- what was counted ----------------------------------------------------------------------------------------


def test_what_a_batch_that_failed_had_counted_is_free_again(database: Database) -> None:
    one_an_hour = Limit(1, "subscriber", "*", "count", 3_600_000, 1, "reject")
    desk = MoDesk(database, a_catalogue(limits=[one_an_hour]))
    fact = desk.mo()
    in_conflict(desk, 2)

    desk.write(fact)

    assert [row.reason for row in desk.rows(Mo)] == [""]


def test_what_a_commit_in_doubt_counted_is_taken_back_when_it_was_not_written(database: Database) -> None:
    desk = MoDesk(database)
    fact = desk.mo()
    desk.fails = [LOST]
    with pytest.raises(StoreAway):
        desk.write(fact)
    assert desk.decider.taken_back == []

    assert not desk.journal.resolve([fact], [fact])

    assert desk.decider.taken_back == [[fact.id]]


def test_what_a_commit_in_doubt_counted_stays_when_it_was_written(database: Database) -> None:
    desk = MoDesk(database)
    fact = desk.mo()
    desk.fails = [WRITTEN]
    with pytest.raises(StoreAway):
        desk.write(fact)

    assert desk.journal.resolve([fact], [])

    assert desk.decider.taken_back == []


def test_repeats_are_not_counted_and_not_taken_back(database: Database) -> None:
    desk = MoDesk(database)
    desk.take(desk.mo(key="1"))
    again, new = desk.mo(key="1"), desk.mo(key="2")
    in_conflict(desk, 1)

    desk.write(again, new)

    assert desk.decider.taken_back == [[new.id]]


# --- taken for dead ------------------------------------------------------------------------------------------


def bury(desk: MoDesk, state: int = DEAD) -> None:
    with desk.database.write() as connection:
        connection.execute(sa.update(Process).where(Process.id == desk.me.id).values(state=state))


def test_who_was_buried_writes_nothing_and_counts_nothing(database: Database) -> None:
    desk = MoDesk(database)
    fact = desk.mo()
    bury(desk)

    with pytest.raises(Buried):
        desk.write(fact)
    with pytest.raises(Buried):
        desk.journal.resolve([], [])

    assert desk.rows(Mo) == []
    assert desk.decider.taken_back == [[fact.id]]
    bury(desk, ALIVE)
    desk.take(desk.mo())


def test_the_work_of_one_that_died_is_due_and_marked_as_perhaps_sent(database: Database) -> None:
    """Its leases end with it, and are not waited for."""
    desk, other = MoDesk(database), MoDesk(database)
    fact = desk.mo()
    reply = desk.reply_to(fact.id)
    desk.take(fact)
    desk.write(NewMtFact(reply))
    watch = Neighbours(database, other.me)
    for second in range(0, 30, 2):
        watch.look(NOON, second * 1000)

    assert [job.mo_id for job in other.outbox.callbacks(10, [])] == [fact.id]
    (again,) = other.outbox.mts(10, of_every_class(1))
    assert (again.id, again.maybe_twice) == (reply.id, True)


# --- what a rolled back batch had filled in ------------------------------------------------------------------


def test_facts_of_a_batch_that_failed_are_as_before(database: Database) -> None:
    desk = MoDesk(database)
    mo, job = desk.mo(), desk.mo("GAME 8")
    desk.take(job)
    call = desk.job_of(job)
    reply = desk.reply_to(job.id)
    answered = CallbackFact(call, Answer(Outcome.ANSWERED), CallbackState.ANSWERED, NOON, None, reply)
    in_conflict(desk, 1)

    desk.write(mo, answered)

    assert answered.stored
    assert [row.id for row in desk.rows(Mt)] == [reply.id]
    assert len(desk.rows(Mo)) == 2
    moved = MtFact(reply, MtState.SUBMITTED, NOON)
    in_conflict(desk, 1)
    desk.write(moved)
    assert moved.old is MtState.SUBMITTING
    assert [row.state for row in desk.rows(Mt)] == [int(MtState.SUBMITTED)]


def test_a_doubt_is_used_up_by_the_attempt_that_was_written(database: Database) -> None:
    desk = MoDesk(database)
    first, again, third = desk.mo(lost=True), desk.mo(), desk.mo()
    desk.take(first)
    in_conflict(desk, 1)

    desk.write(again)
    desk.take(third)

    assert again.repeat_of == first.id
    assert [row.id for row in desk.rows(Mo)] == [first.id, third.id]
