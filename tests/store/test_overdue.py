"""MT whose time is over get an end; a receipt that comes all the same is taken."""

import pytest

from core.clock import DAY_MS, HOUR_MS, MINUTE_MS
from core.message import MtState, ReceiptState, TrafficClass
from store.database import Database
from store.journal import MtFact, OverdueFact
from store.journal.overdue import NO_ANSWER, NO_RECEIPT, UNACCEPTED, UNSENT
from store.messages import read_partner_message
from tests.makers import of_every_class
from tests.store.mt_desk import MtDesk


@pytest.fixture
def desk(database: Database) -> MtDesk:
    return MtDesk(database)


def test_a_message_that_was_not_sent_is_expired_when_its_validity_is_over(desk: MtDesk) -> None:
    mt = desk.queued(valid_ms=HOUR_MS)

    desk.advance(HOUR_MS - 1)
    early = desk.sweep()
    desk.advance(1)
    done = desk.sweep()

    assert (early.expired, done.expired, done.unknown) == (0, 1, 0)
    row = desk.row(mt)
    assert (row.state, row.error, row.final_at, row.due_at) == (MtState.EXPIRED, UNSENT, desk.clock.now(), None)
    assert desk.history(mt) == [(MtState.QUEUED, MtState.EXPIRED, UNSENT)]


def test_a_message_without_a_receipt_is_unknown_a_day_after_its_validity(desk: MtDesk) -> None:
    mt = desk.submitted("1A", valid_ms=HOUR_MS)

    desk.advance(HOUR_MS + DAY_MS - 1)
    early = desk.sweep()
    desk.advance(1)
    done = desk.sweep()

    assert (early.unknown, done.unknown, done.expired) == (0, 1, 0)
    row = desk.row(mt)
    assert (row.state, row.error, row.final_at, row.due_at) == (MtState.UNKNOWN, NO_RECEIPT, desk.clock.now(), None)
    assert desk.history(mt) == [(MtState.SUBMITTED, MtState.UNKNOWN, NO_RECEIPT)]


def test_a_message_whose_submission_was_never_answered_is_unknown_and_not_sent_again(desk: MtDesk) -> None:
    mt = desk.submitting(valid_ms=HOUR_MS)

    desk.advance(HOUR_MS)
    early = desk.sweep()
    desk.advance(DAY_MS)
    done = desk.sweep()
    desk.advance(DAY_MS)

    assert (early.unknown, early.expired, done.unknown) == (0, 0, 1)
    assert desk.history(mt) == [(MtState.SUBMITTING, MtState.UNKNOWN, NO_ANSWER)]
    assert desk.outbox.mts(10, of_every_class(1)) == []


@pytest.mark.parametrize("traffic", TrafficClass)
def test_a_message_of_any_class_ends(desk: MtDesk, traffic: TrafficClass) -> None:
    mt = desk.queued(valid_ms=HOUR_MS, traffic=traffic)

    desk.advance(HOUR_MS)

    assert desk.sweep().expired == 1
    assert desk.row(mt).state == MtState.EXPIRED


def test_of_each_class_those_are_taken_that_are_wanted(desk: MtDesk) -> None:
    replies = [desk.queued() for _ in range(3)]
    messages = [desk.queued(traffic=TrafficClass.MESSAGE) for _ in range(3)]
    bulk = [desk.queued(traffic=TrafficClass.BULK) for _ in range(3)]
    taken = desk.outbox.mts(2, {TrafficClass.REPLY: [1], TrafficClass.MESSAGE: [2], TrafficClass.BULK: [2, 1]})

    assert {mt.id for mt in taken} == {mt.id for mt in (*replies[:2], *bulk[:2])}
    assert {mt.traffic for mt in taken} == {TrafficClass.REPLY, TrafficClass.BULK}
    rest = desk.outbox.mts(10, of_every_class(1))
    assert {mt.id for mt in rest} == {mt.id for mt in (replies[2], *messages, bulk[2])}


def test_what_a_sender_took_from_the_database_ends_like_what_it_was_handed(desk: MtDesk) -> None:
    handed, fetched = desk.submitting(valid_ms=HOUR_MS), desk.queued(valid_ms=HOUR_MS)
    taken = desk.outbox.mts(10, of_every_class(1))

    assert [mt.id for mt in taken] == [fetched.id]
    assert desk.row(handed).due_at == desk.row(fetched).due_at == desk.clock.now() + HOUR_MS + DAY_MS


def test_a_message_that_was_tried_and_put_back_is_expired_with_that_reason(desk: MtDesk) -> None:
    mt = desk.submitting(valid_ms=HOUR_MS)
    mt.maybe_twice = True
    desk.write(MtFact(mt, MtState.QUEUED, desk.clock.now(), desk.clock.now() + MINUTE_MS, "no answer"))

    desk.advance(HOUR_MS)
    desk.sweep()

    assert desk.history(mt)[-1] == (MtState.QUEUED, MtState.EXPIRED, UNACCEPTED)


def test_a_message_whose_validity_has_no_end_is_never_ended(desk: MtDesk) -> None:
    mts = [desk.queued(valid_ms=0), desk.submitting(valid_ms=0), desk.submitted("1A", valid_ms=0)]

    desk.advance(1000 * DAY_MS)
    swept = desk.sweep()

    assert (swept.expired, swept.unknown) == (0, 0)
    assert [desk.state(mt) for mt in mts] == [MtState.QUEUED, MtState.SUBMITTING, MtState.SUBMITTED]


@pytest.mark.parametrize("link_id", [1, 2])
def test_a_receipt_after_unknown_is_taken_whichever_link_it_comes_by(desk: MtDesk, link_id: int) -> None:
    mt = desk.submitted("1A", valid_ms=HOUR_MS)
    desk.advance(HOUR_MS + DAY_MS)
    desk.sweep()

    desk.advance(HOUR_MS)
    desk.receipt("1A", link_id=link_id)

    row = desk.row(mt)
    assert (row.state, row.error, row.final_at) == (MtState.DELIVERED, "", desk.clock.now())
    assert desk.history(mt)[-1] == (MtState.UNKNOWN, MtState.DELIVERED, "a late receipt")


@pytest.mark.parametrize("receipt_first", [True, False])
def test_a_receipt_in_the_same_batch_is_in_time(desk: MtDesk, receipt_first: bool) -> None:
    mt = desk.submitted("1A", valid_ms=HOUR_MS)
    desk.advance(HOUR_MS + DAY_MS)
    over, receipt = desk.look(), desk.a_receipt("1A")

    desk.write(*((receipt, over) if receipt_first else (over, receipt)))

    assert over.mt_ids == [mt.id]
    assert desk.state(mt) is MtState.DELIVERED
    assert desk.history(mt) == []


def test_a_receipt_between_the_look_and_the_end_is_in_time(desk: MtDesk) -> None:
    mt = desk.submitted("1A", valid_ms=HOUR_MS)
    desk.advance(HOUR_MS + DAY_MS)
    over = desk.look()

    desk.receipt("1A", ReceiptState.FAILED)
    desk.write(over)

    assert (over.unknown, desk.state(mt)) == (0, MtState.FAILED)
    assert desk.history(mt) == []


def test_a_message_that_is_taken_to_be_sent_between_the_look_and_the_end_goes_its_way(desk: MtDesk) -> None:
    mt = desk.queued(valid_ms=HOUR_MS)
    desk.advance(HOUR_MS)
    over = desk.look()

    desk.outbox.mts(10, of_every_class(1))
    desk.write(over)

    assert (over.expired, desk.state(mt)) == (0, MtState.SUBMITTING)


def test_a_long_message_of_which_one_receipt_is_missing_ends_and_is_still_completed_late(desk: MtDesk) -> None:
    mt = desk.submitted("1A", "1B", valid_ms=HOUR_MS)
    desk.receipt("1A")
    desk.advance(HOUR_MS + DAY_MS)

    desk.sweep()
    ended = desk.state(mt)
    desk.receipt("1B", link_id=2)

    assert ended is MtState.UNKNOWN
    assert desk.state(mt) is MtState.DELIVERED


def test_a_receipt_is_rather_for_the_message_that_waits_for_one_than_for_one_given_up(desk: MtDesk) -> None:
    old = desk.submitted("1A", valid_ms=HOUR_MS)
    desk.advance(HOUR_MS + DAY_MS)
    desk.sweep()
    young = desk.submitted("1A", link_id=2)

    desk.receipt("1A", link_id=1)

    assert [desk.state(mt) for mt in (old, young)] == [MtState.UNKNOWN, MtState.DELIVERED]


def test_who_names_messages_that_are_in_time_ends_none(desk: MtDesk) -> None:
    mts = [desk.queued(), desk.queued(valid_ms=0), desk.submitting(), desk.submitted("1A")]
    desk.advance(HOUR_MS)
    over = OverdueFact([mt.id for mt in mts], desk.clock.now())

    desk.write(over)

    assert (over.expired, over.unknown) == (0, 0)
    assert [desk.state(mt) for mt in mts] == [
        MtState.QUEUED, MtState.QUEUED, MtState.SUBMITTING, MtState.SUBMITTED
    ]  # fmt: skip


def test_ending_a_second_time_changes_nothing(desk: MtDesk) -> None:
    mt = desk.submitted("1A", valid_ms=HOUR_MS)
    desk.advance(HOUR_MS + DAY_MS)
    over = desk.look()
    again = OverdueFact(over.mt_ids, over.at)

    desk.write(over)
    desk.advance(MINUTE_MS)
    desk.write(again)

    assert (over.unknown, again.unknown, desk.row(mt).final_at) == (1, 0, over.at)
    assert len(desk.history(mt)) == 1


def test_an_end_is_found_once_by_a_limited_look_after_the_other(desk: MtDesk) -> None:
    mts = [desk.submitted(f"1A{n}", valid_ms=HOUR_MS) for n in range(3)] + [desk.queued(valid_ms=HOUR_MS)]
    desk.advance(HOUR_MS + DAY_MS)

    looks = [desk.sweep(limit=3), desk.sweep(limit=3), desk.sweep(limit=3)]

    assert [(look.unknown, look.expired) for look in looks] == [(3, 0), (0, 1), (0, 0)]
    assert {desk.state(mt) for mt in mts} == {MtState.UNKNOWN, MtState.EXPIRED}


def test_a_partner_reads_the_end_of_its_message(desk: MtDesk) -> None:
    mt = desk.queued(valid_ms=HOUR_MS)
    desk.advance(HOUR_MS)
    desk.sweep()

    with desk.database.read() as connection:
        found = read_partner_message(connection, 1, mt.id)

    assert found is not None
    assert (found.state, found.error) == ("expired", UNSENT)  # type: ignore[union-attr]


def test_the_look_reads_what_is_overdue_and_nothing_else(desk: MtDesk) -> None:
    """By the index, from the state to the moment: thousands that have an end, or are in time, are not read."""
    for _ in range(40):
        desk.submitted("1A")
    tail = "FROM mt WHERE state = 2 AND traffic = 0 AND due_at <= 1 ORDER BY due_at LIMIT 100"

    with desk.database.read() as connection:
        if desk.database.dialect == "sqlite":
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN SELECT id {tail}").all()
            assert [row[-1] for row in plan] == ["SEARCH mt USING INDEX mt_due (state=? AND traffic=? AND due_at<?)"]
        else:
            (plan,) = connection.exec_driver_sql(f"EXPLAIN SELECT id {tail}").all()
            assert (plan.type, plan.key, int(plan.rows)) == ("range", "mt_due", 1)
