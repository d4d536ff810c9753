"""A commit whose outcome nobody heard: it is looked up, and what it did is neither lost nor done twice."""

from typing import Any

import pytest
import sqlalchemy as sa

from core.errors import StoreAway
from core.message import MtState
from store.database import Database
from store.journal import CallbackState, NewMtFact
from store.journal.rows import AT_ONCE
from store.schema import Callback, InDoubt, Mo, MoPart, Mt
from tests.makers import NOON, a_catalogue, of_every_class
from tests.simulation.faults import Fault
from tests.store.journal.desk import MoDesk

LOST, WRITTEN = Fault.DOUBT_LOST, Fault.DOUBT_WRITTEN


def in_doubt(desk: MoDesk, fault: Fault, *facts: Any) -> None:
    """Written, or not."""
    desk.fails = [fault]
    with pytest.raises(StoreAway) as caught:
        desk.write(*facts)
    assert caught.value.in_doubt


def test_a_message_whose_commit_was_lost_is_new_when_it_comes_again(database: Database) -> None:
    desk = MoDesk(database)
    first, again = desk.mo(), desk.mo()
    in_doubt(desk, LOST, first)

    written = desk.journal.resolve([first], [first])
    desk.take(again)

    assert not written
    assert [row.id for row in desk.rows(Mo)] == [again.id]


def test_a_message_whose_commit_was_there_is_a_repeat_when_it_comes_again(database: Database) -> None:
    desk = MoDesk(database)
    first, again = desk.mo(), desk.mo()
    in_doubt(desk, WRITTEN, first)

    written = desk.journal.resolve([first], [first])
    desk.write(again)

    assert written
    assert again.repeat_of == first.id
    assert "the commit of the first ended in doubt" in again.why
    assert [row.id for row in desk.rows(Mo)] == [first.id]


def test_a_repeat_in_a_commit_in_doubt_leaves_its_first_in_doubt(database: Database) -> None:
    desk = MoDesk(database)
    first, again, third = desk.mo(lost=True), desk.mo(), desk.mo()
    desk.take(first)
    in_doubt(desk, WRITTEN, again)

    desk.journal.resolve([again], [again])
    desk.write(third)

    assert third.repeat_of == first.id


def test_what_was_acknowledged_or_has_an_id_is_not_in_doubt(database: Database) -> None:
    desk = MoDesk(database)
    plain, keyed = desk.mo(), desk.mo("GAME 8", key="8")
    in_doubt(desk, WRITTEN, plain, keyed)

    desk.journal.resolve([plain, keyed], [keyed])

    assert desk.rows(InDoubt) == []


def test_a_part_whose_commit_was_there_is_in_doubt_too(database: Database) -> None:
    desk = MoDesk(database)
    part, again = desk.part(), desk.part()
    in_doubt(desk, WRITTEN, part)

    desk.journal.resolve([part], [part])
    desk.write(again)

    assert (again.repeat_of, again.original_waits) == (part.id, True)
    assert [row.id for row in desk.rows(MoPart)] == [part.id]


def test_the_work_of_refused_messages_is_due_at_once(database: Database) -> None:
    """It is in nobody's memory: the call, and a reply that is written as under way."""
    desk = MoDesk(database)
    refused, kept, other = desk.mo("GAME 1"), desk.mo("GAME 2"), desk.mo("GAME 3")
    reply = desk.reply_to(kept.id)
    desk.take(other)
    asked = NewMtFact(desk.reply_to(other.id))
    in_doubt(desk, WRITTEN, refused, kept, NewMtFact(reply), asked)

    desk.journal.resolve([refused, kept, asked], [refused, asked])

    due = {row.mo_id: row.due_at for row in desk.rows(Callback)}
    leased = NOON + 30_000
    assert due == {refused.id: AT_ONCE, kept.id: leased, other.id: leased}
    states = {row.id: (row.state, row.due_at == AT_ONCE) for row in desk.rows(Mt)}
    assert states == {
        reply.id: (int(MtState.SUBMITTING), False), asked.mt.id: (int(MtState.QUEUED), True)
    }  # fmt: skip


def test_the_reply_of_a_refused_message_is_let_go_with_it(database: Database) -> None:
    desk = MoDesk(database, a_catalogue(default_reply="unknown word"))
    refused = desk.mo("nonsense")
    in_doubt(desk, WRITTEN, refused)

    desk.journal.resolve([refused], [refused])

    assert [row.state for row in desk.rows(Mt)] == [int(MtState.QUEUED)]


def test_what_another_process_took_meanwhile_is_left_alone(database: Database) -> None:
    desk, other = MoDesk(database), MoDesk(database)
    refused = desk.mo()
    reply = desk.reply_to(refused.id)
    in_doubt(desk, WRITTEN, refused, NewMtFact(reply))
    with database.write() as connection:
        connection.execute(sa.update(Callback).values(leased_by=other.me.id))
        connection.execute(sa.update(Mt).values(process_id=other.me.id))

    desk.journal.resolve([refused], [refused])

    assert [row.due_at for row in desk.rows(Callback)] == [NOON + 30_000]
    assert [row.state for row in desk.rows(Mt)] == [int(MtState.SUBMITTING)]


def test_a_job_that_is_done_stays_done(database: Database) -> None:
    desk = MoDesk(database)
    fact = desk.mo()
    in_doubt(desk, WRITTEN, fact)
    with database.write() as connection:
        connection.execute(sa.update(Callback).values(due_at=None, state=int(CallbackState.ANSWERED)))

    desk.journal.resolve([fact], [fact])

    assert [row.due_at for row in desk.rows(Callback)] == [None]


def test_a_commit_in_doubt_is_told_from_the_ones_before(database: Database) -> None:
    desk = MoDesk(database)
    before, after = desk.mo("GAME 1"), desk.mo("GAME 2")
    desk.take(before)
    in_doubt(desk, LOST, after)

    assert not desk.journal.resolve([after], [after])
    assert desk.rows(InDoubt) == []


def test_to_ask_for_nothing_is_to_ask_whether_the_database_is_there(database: Database) -> None:
    desk = MoDesk(database)
    desk.take(desk.mo())

    assert not desk.journal.resolve([], [])

    desk.decider.outage = StoreAway("the counts are away")
    with pytest.raises(StoreAway, match="the counts are away"):
        desk.journal.resolve([], [])
    desk.decider.outage = None
    desk.fails = [Fault.AWAY]
    with pytest.raises(StoreAway, match="the database is away"):
        desk.journal.resolve([], [])


def test_a_commit_in_doubt_that_took_mts_to_send_finds_them_again(database: Database) -> None:
    desk = MoDesk(database)
    mt = desk.reply_to(0, state=MtState.QUEUED)
    desk.write(NewMtFact(mt))
    desk.fails = [WRITTEN]
    with pytest.raises(StoreAway):
        desk.outbox.mts(10, of_every_class(1))

    taken = desk.outbox.mts(10, of_every_class(1))

    assert [one.id for one in taken] == [mt.id]
    assert desk.outbox.mts(10, of_every_class(1)) == []


def test_a_commit_in_doubt_that_took_nothing_after_all_takes_them_once(database: Database) -> None:
    desk = MoDesk(database)
    mt = desk.reply_to(0, state=MtState.QUEUED)
    desk.write(NewMtFact(mt))
    desk.fails = [LOST]
    with pytest.raises(StoreAway):
        desk.outbox.mts(10, of_every_class(1))

    assert [one.id for one in desk.outbox.mts(10, of_every_class(1))] == [mt.id]
