"""A redelivery is told from a new message by the rows alone, for every reason that there is."""

import pytest
import sqlalchemy as sa

from core.clock import HOUR_MS, SECOND_MS
from core.ids import first_id_at
from store.database import Database
from store.journal import DoubtFact, MoFact, PartFact, RepeatFact, SessionFact
from store.journal.repeats import doubt_range
from store.schema import Identity, InDoubt, Mo, MoPart, MoRepeat
from tests.makers import NOON, a_link
from tests.store.journal.desk import MoDesk

REASONS = ["session", "late", "crash", "commit"]


def doubt(desk: MoDesk, *facts: MoFact | PartFact, reason: str = "late") -> None:
    """Their answers may not have arrived."""
    messages = [(fact.operator_id, fact.fingerprint, fact.id) for fact in facts]
    desk.write(DoubtFact(messages, reason, desk.clock.now()))


# --- by the operator's own identity ----------------------------------------------------------------------


def test_the_operators_id_tells_a_repeat_whatever_else_it_says(database: Database) -> None:
    desk = MoDesk(database)
    first, again = desk.mo(key="42"), desk.mo("GAME other", key="42")
    desk.take(first)

    desk.write(again)

    assert (again.repeat_of, again.why) == (first.id, "the operator gave it the same id as the first")
    assert [row.id for row in desk.rows(Mo)] == [first.id]
    assert [(row.mo_id, row.reason) for row in desk.rows(MoRepeat)] == [(first.id, again.why)]


def test_of_two_with_one_id_in_one_batch_the_first_is_the_message(database: Database) -> None:
    desk = MoDesk(database)
    first, again = desk.mo(key="42"), desk.mo(key="42")

    desk.write(first, again)

    assert (first.repeat_of, again.repeat_of) == (0, first.id)
    assert [(row.key, row.mo_id) for row in desk.rows(Identity)] == [("1/42", first.id)]


def test_one_with_an_id_of_its_own_is_new_though_its_text_is_in_doubt(database: Database) -> None:
    desk = MoDesk(database)
    first = desk.mo()
    desk.take(first)
    doubt(desk, first)

    desk.take(desk.mo(key="42"))

    assert len(desk.rows(Mo)) == 2


def test_the_ids_of_parts_are_told_apart_like_any(database: Database) -> None:
    desk = MoDesk(database)
    first, again = desk.part(1, key="42#1"), desk.part(1, key="42#1")
    desk.take(first)

    desk.write(again)

    assert (again.repeat_of, again.original_waits) == (first.id, True)
    assert [row.id for row in desk.rows(MoPart)] == [first.id]


# --- by doubt ----------------------------------------------------------------------------------------------


def test_the_same_text_twice_is_two_messages_where_nothing_is_in_doubt(database: Database) -> None:
    desk = MoDesk(database)

    desk.take(desk.mo(), desk.mo())
    desk.take(desk.mo())

    assert len(desk.rows(Mo)) == 3
    assert desk.rows(InDoubt) == []


@pytest.mark.parametrize("reason", REASONS)
def test_a_doubt_explains_one_redelivery_and_no_second(database: Database, reason: str) -> None:
    desk = MoDesk(database)
    first, again, third = desk.mo(), desk.mo(), desk.mo()
    desk.take(first)
    doubt(desk, first, reason=reason)

    desk.write(again)
    desk.take(third)

    assert again.repeat_of == first.id
    assert again.why
    assert desk.rows(InDoubt) == []
    assert [row.id for row in desk.rows(Mo)] == [first.id, third.id]


def test_a_doubt_explains_one_redelivery_within_one_batch_too(database: Database) -> None:
    desk = MoDesk(database)
    first, again, third = desk.mo(), desk.mo(), desk.mo()
    desk.take(first)
    doubt(desk, first)

    desk.write(again, third)

    assert (again.repeat_of, third.repeat_of) == (first.id, 0)


def test_two_doubts_of_one_text_explain_two_redeliveries_each_its_own(database: Database) -> None:
    desk = MoDesk(database)
    first, second, again, once_more = desk.mo(), desk.mo(), desk.mo(), desk.mo()
    desk.take(first, second)
    doubt(desk, first, second)

    desk.write(again, once_more)

    assert [again.repeat_of, once_more.repeat_of] == [first.id, second.id]


def test_a_doubt_is_of_one_operator(database: Database) -> None:
    desk = MoDesk(database)
    first = desk.mo()
    desk.take(first)
    desk.write(DoubtFact([(2, first.fingerprint, first.id)], "late", NOON))

    desk.take(desk.mo())

    assert len(desk.rows(Mo)) == 2


def test_a_batch_that_fails_uses_no_doubt_up(database: Database) -> None:
    desk = MoDesk(database)
    first, again = desk.mo(), desk.mo()
    desk.take(first)
    doubt(desk, first)
    same_id = RepeatFact(first.id, desk.link, 1, first.id, 1, NOON, "written twice")

    with pytest.raises(sa.exc.IntegrityError):
        desk.write(again, same_id, same_id)
    desk.write(again)

    assert again.repeat_of == first.id


def test_what_arrives_when_its_session_is_over_is_in_doubt_with_its_own_commit(database: Database) -> None:
    desk = MoDesk(database)
    first, again = desk.mo(lost=True), desk.mo()

    desk.take(first)
    desk.write(again)

    assert first.doubted
    assert again.repeat_of == first.id
    assert "the session broke" in again.why


def test_a_repeat_whose_session_is_over_puts_the_first_in_doubt_again(database: Database) -> None:
    desk = MoDesk(database)
    first, again, third = desk.mo(lost=True), desk.mo(lost=True), desk.mo()
    desk.take(first)

    desk.write(again)
    desk.write(third)

    assert [again.repeat_of, third.repeat_of] == [first.id, first.id]


@pytest.mark.parametrize(("after_ms", "is_late"), [(10_000, False), (10_001, True)])
def test_what_waited_longer_than_its_operator_does_is_in_doubt_with_its_own_commit(
    database: Database, after_ms: int, *, is_late: bool
) -> None:
    desk = MoDesk(database)
    first = desk.mo()
    desk.clock.advance(after_ms)
    again = desk.mo()

    desk.write(first)
    desk.write(again)

    assert first.doubted is is_late
    assert again.repeat_of == (first.id if is_late else 0)


def test_within_one_batch_the_first_of_a_lost_session_explains_the_second(database: Database) -> None:
    desk = MoDesk(database)
    first, again = desk.mo(lost=True), desk.mo()

    desk.write(first, again)

    assert again.repeat_of == first.id
    assert desk.rows(InDoubt) == []


def test_a_link_that_never_repeats_is_not_asked(database: Database) -> None:
    desk = MoDesk(database, link=a_link(repeat="never"))
    first = desk.mo()
    desk.take(first)
    doubt(desk, first)

    desk.take(desk.mo())

    assert len(desk.rows(Mo)) == 2


@pytest.mark.parametrize(("after_ms", "is_repeat"), [(0, True), (29_999, True), (30_000, False), (-29_999, True)])
def test_a_window_takes_every_message_within_it_for_a_repeat(
    database: Database, after_ms: int, *, is_repeat: bool
) -> None:
    desk = MoDesk(database, link=a_link(repeat="window:30"))
    first, again = desk.mo(), desk.mo(at=NOON + after_ms)
    desk.take(first)

    desk.write(again)

    assert bool(again.repeat_of) is is_repeat


def test_a_window_is_not_used_up(database: Database) -> None:
    desk = MoDesk(database, link=a_link(repeat="window:30"))
    first, again, third = desk.mo(), desk.mo(), desk.mo()

    desk.write(first, again)
    desk.write(third)

    assert [again.repeat_of, third.repeat_of] == [first.id, first.id]


def test_a_session_that_breaks_puts_what_its_link_took_from_then_on_in_doubt(database: Database) -> None:
    desk = MoDesk(database)
    early, late, keyed = desk.mo("GAME 1"), desk.mo("GAME 2"), desk.mo("GAME 3", key="9")
    part, joined = desk.part(1), desk.part(2)
    desk.take(early, late, keyed, part, joined)
    again = RepeatFact(desk.ids.next(NOON), desk.link, 1, early.id, 77, NOON, "it is here already")
    desk.write(again)

    desk.write(SessionFact(1, late.id, NOON))

    named = {(row.fingerprint, row.mo_id, row.reason) for row in desk.rows(InDoubt)}
    expected = {(fact.fingerprint, fact.id, "session") for fact in (late, part, joined)}
    assert named == expected | {(77, early.id, "session")}


def test_a_session_of_another_link_or_process_puts_nothing_in_doubt(database: Database) -> None:
    desk, other = MoDesk(database), MoDesk(database)
    first = desk.mo()
    desk.take(first)

    desk.write(SessionFact(2, first.id, NOON))
    other.write(SessionFact(1, first.id, NOON))

    assert desk.rows(InDoubt) == []


def test_a_crash_puts_all_links_of_a_process_in_doubt(database: Database) -> None:
    desk = MoDesk(database)
    desk.take(desk.mo(), desk.part())

    with database.write() as connection:
        doubt_range(connection, first=first_id_at(NOON - SECOND_MS), at=NOON, reason="crash", process_id=desk.me.id)

    assert [row.reason for row in desk.rows(InDoubt)] == ["crash", "crash"]


def test_a_doubt_is_as_good_after_hours_as_at_once(database: Database) -> None:
    """It is pruned after a day; a clock that jumps must not make a repeat new."""
    desk = MoDesk(database)
    first = desk.mo()
    desk.take(first)
    doubt(desk, first)
    desk.clock.advance(23 * HOUR_MS)

    again = desk.mo()
    desk.write(again)

    assert again.repeat_of == first.id


# --- parts -------------------------------------------------------------------------------------------------


def test_a_part_in_doubt_that_still_waits_is_told_so(database: Database) -> None:
    desk = MoDesk(database)
    first, again = desk.part(2), desk.part(2)
    desk.take(first)
    doubt(desk, first)

    desk.write(again)

    assert (again.repeat_of, again.original_waits) == (first.id, True)
    assert [row.id for row in desk.rows(MoPart)] == [first.id]


def test_a_part_in_doubt_that_was_joined_meanwhile_does_not_wait(database: Database) -> None:
    desk = MoDesk(database)
    one, two = desk.part(1), desk.part(2)
    desk.take(one, two)
    desk.take(desk.mo(joined=(one.id, two.id)))
    doubt(desk, two)

    again = desk.part(2)
    desk.write(again)

    assert (again.repeat_of, again.original_waits) == (two.id, False)


def test_a_message_uses_its_parts_up(database: Database) -> None:
    desk = MoDesk(database)
    parts = [desk.part(1), desk.part(2)]
    desk.take(*parts)

    whole = desk.mo(joined=tuple(part.id for part in parts))
    desk.take(whole)

    assert [row.mo_id for row in desk.rows(MoPart)] == [whole.id, whole.id]
    assert desk.audit() == []


def test_parts_that_were_joined_already_make_no_second_message(database: Database) -> None:
    """The commit that joined them ended in doubt, and they were left in memory."""
    desk = MoDesk(database)
    one, two = desk.part(1), desk.part(2)
    desk.take(one, two)
    first, again = (desk.mo("GAME " + "7" * 400, joined=(one.id, two.id)) for _ in range(2))
    desk.take(first)

    desk.write(again)

    assert again.repeat_of == first.id
    assert "joined by a commit" in again.why
    assert [row.id for row in desk.rows(Mo)] == [first.id]
    assert desk.audit() == []


def test_the_last_part_of_a_message_may_be_a_repeat_of_one_that_waits(database: Database) -> None:
    desk = MoDesk(database)
    one, two, three = (desk.part(sequence) for sequence in (1, 2, 3))
    desk.take(one, two, three)
    whole = desk.mo("GAME " + "7" * 400, joined=(one.id, two.id))
    whole.mo.fingerprint = three.fingerprint
    doubt(desk, three)

    desk.write(whole)

    assert (whole.repeat_of, whole.original_waits) == (three.id, True)
    assert desk.rows(Mo) == []


def test_a_repeat_that_is_one_by_itself_is_kept_with_its_reason(database: Database) -> None:
    desk = MoDesk(database)
    part = desk.part()
    desk.take(part)

    desk.write(RepeatFact(desk.ids.next(NOON), desk.link, 1, part.id, part.fingerprint, NOON, "it is here already"))

    assert [(row.mo_id, row.reason) for row in desk.rows(MoRepeat)] == [(part.id, "it is here already")]
    assert desk.audit() == []
