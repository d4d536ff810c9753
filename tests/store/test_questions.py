"""Which MT are asked for, when, by whom; and what is written of the answers."""

from itertools import chain, pairwise
from typing import Any

import pytest
import sqlalchemy as sa

from core.clock import DAY_MS, HOUR_MS, MINUTE_MS
from core.message import Mt, MtState, ReceiptState
from core.question import ASKED_MAX, GRACE_MS, PAUSES_MS, AskedKey, Question
from store import schema
from store.database import Database
from store.journal import AskedFact, MtFact, ReceiptFact
from store.journal.receipts import LATE
from store.pruning import prune_some
from store.questions import _NEW, WHOLE_MS, Questions
from store.text import read_text
from tests.store.mt_desk import SUBSCRIBER, MtDesk

OPERATOR = 1
SOON = HOUR_MS + GRACE_MS


class Desk(MtDesk):
    """MT of an hour, and who asks for them."""

    def __init__(self, database: Database, clock: object = None) -> None:
        super().__init__(database, clock)  # type: ignore[arg-type]
        self.questions = Questions(database, self.clock, process_id=self.journal._process_id)

    def sent(self, *keys: str) -> Mt:
        return self.submitted(*keys, valid_ms=HOUR_MS)

    def asks(self, limit: int = 10, operator_id: int = OPERATOR) -> list[Question]:
        found = self.questions.find(operator_id, limit)
        return self.questions.take(operator_id, found) if found else []

    def rows_of(self, table: type[schema.Base]) -> list[Any]:
        with self.database.read() as connection:
            return list(connection.execute(sa.select(table.__table__)).all())

    def answered(self, mt: Mt, key: str, state: ReceiptState = ReceiptState.DELIVERED) -> None:
        fact = self.a_receipt(key, state)
        self.write(ReceiptFact(fact.receipt, asked=mt.id))


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def test_a_message_is_asked_for_when_its_validity_is_over_for_a_while(desk: Desk) -> None:
    mt = desk.sent("1A")

    desk.advance(SOON - 1)
    early = desk.asks()
    desk.advance(1)
    asked = desk.asks()

    assert early == []
    submitted_at = desk.row(mt).submitted_at
    assert asked == [Question(mt.id, 0, OPERATOR, 1, "1A", "4446", SUBSCRIBER, submitted_at)]
    assert desk.asks() == [], "nobody asks twice at once"


def test_a_message_of_several_parts_is_asked_for_by_the_id_of_each_that_has_no_end(desk: Desk) -> None:
    mt = desk.sent("1A", "1B", "1C")
    desk.receipt("1B")
    desk.advance(SOON)

    asked = desk.asks()

    assert [(one.mt_id, one.part, one.key) for one in asked] == [(mt.id, 1, "1A"), (mt.id, 3, "1C")]


def test_an_id_whose_letters_matter_is_asked_for_as_the_operator_wrote_it(desk: Desk) -> None:
    whole = desk.sent(AskedKey("AB3F09", "aB3f09"))
    long = desk.sent("1A", AskedKey("1B", "1b"))
    usual = desk.sent("1C")
    desk.advance(SOON)

    asked = desk.asks()

    assert [(one.mt_id, one.part, one.key, one.asked_id) for one in asked] == [
        (whole.id, 0, "AB3F09", "aB3f09"),
        (long.id, 1, "1A", ""),
        (long.id, 2, "1B", "1b"),
        (usual.id, 0, "1C", ""),
    ]
    assert [row.asked_id for row in desk.rows_of(schema.Mt)] == ["aB3f09", None, None]


def test_its_receipt_finds_it_by_the_id_as_it_is_matched_early_or_late(desk: Desk) -> None:
    late = desk.sent(AskedKey("AB3F09", "aB3f09"))
    desk.receipt("AB3F09")
    desk.receipt("AB3F10")
    early = desk.sent(AskedKey("AB3F10", "aB3f10"))

    assert [desk.row(mt).state for mt in (late, early)] == [MtState.DELIVERED] * 2


def test_parts_that_were_submitted_again_are_asked_for_by_their_new_ids(desk: Desk) -> None:
    mt = desk.submitting(valid_ms=HOUR_MS, parts=2)
    half = [(1, AskedKey("1A", "1a"), MtState.SUBMITTED), (2, "", MtState.UNKNOWN)]
    desk.write(MtFact(mt, MtState.QUEUED, desk.clock.now(), desk.clock.now(), parts=half))
    desk.write(MtFact(mt, MtState.SUBMITTING, desk.clock.now()))
    desk.accepted(mt, "2A", AskedKey("2B", "2b"))
    desk.advance(SOON)

    assert [(one.key, one.asked_id) for one in desk.asks()] == [("2A", ""), ("2B", "2b")]


def test_an_id_that_is_longer_than_any_is_asked_for_as_it_is_stored(desk: Desk) -> None:
    desk.sent(AskedKey("A" * 70, "a" * 70))
    desk.advance(SOON)

    (asked,) = desk.asks()

    assert (len(asked.key), asked.asked_id) == (64, "")


def test_what_has_its_receipt_is_not_asked_for(desk: Desk) -> None:
    desk.sent("1A")
    desk.receipt("1A")
    desk.queued(valid_ms=HOUR_MS)
    desk.submitting(valid_ms=HOUR_MS)
    desk.advance(SOON)

    assert desk.asks() == []


def test_a_message_without_an_id_cannot_be_asked_for_and_is_not_found_again(desk: Desk) -> None:
    desk.sent("")
    desk.advance(SOON)

    assert desk.asks() == []
    assert desk.questions.find(OPERATOR, 10) == []


def test_other_operators_are_asked_for_their_own(desk: Desk) -> None:
    desk.sent("1A")
    desk.advance(SOON)

    assert desk.asks(operator_id=2) == []
    assert len(desk.asks()) == 1


def test_it_is_asked_for_again_after_growing_pauses_until_nobody_waits_for_it(desk: Desk) -> None:
    mt = desk.sent("1A")
    desk.advance(SOON)
    times = []

    for _ in range(2 * 24 * 12):
        if desk.asks():
            times.append(desk.clock.now())
        desk.sweep()
        desk.advance(5 * MINUTE_MS)

    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert pauses == list(PAUSES_MS)
    assert desk.row(mt).state == MtState.UNKNOWN
    assert desk.rows_of(schema.Question) == [], "it is not asked for any more"


def test_it_is_asked_so_often_at_most(desk: Desk) -> None:
    mt = desk.sent("1A")
    desk.advance(SOON)
    desk.asks()
    with desk.database.write() as connection:
        connection.execute(sa.update(schema.Question).values(asked=ASKED_MAX - 1))
        connection.execute(sa.update(schema.Mt).values(due_at=desk.clock.now() + 9 * DAY_MS))
    desk.advance(PAUSES_MS[0])

    last = desk.asks()
    desk.advance(5 * DAY_MS)

    assert [one.mt_id for one in last] == [mt.id]
    assert desk.asks() == []


def test_two_processes_never_ask_for_the_same_at_once(desk: Desk) -> None:
    other = Desk(desk.database, desk.clock)
    for number in range(6):
        desk.sent(f"1{number}")
    desk.advance(SOON)
    found = desk.questions.find(OPERATOR, 4)
    other_found = other.questions.find(OPERATOR, 6)

    first = desk.questions.take(OPERATOR, found)
    second = other.questions.take(OPERATOR, other_found)

    assert len(first) == 4
    assert len(second) == 2
    assert not {one.mt_id for one in first} & {one.mt_id for one in second}


def test_after_a_restart_nothing_is_asked_before_its_next_time(desk: Desk) -> None:
    mt = desk.sent("1A")
    desk.advance(SOON)
    desk.asks()

    restarted = Desk(desk.database, desk.clock)
    at_once = restarted.asks()
    desk.advance(PAUSES_MS[0])
    later = restarted.asks()

    assert at_once == []
    assert [one.mt_id for one in later] == [mt.id]


def test_a_backlog_is_taken_in_steps(desk: Desk) -> None:
    ids = [desk.sent(f"{number}").id for number in range(1, 8)]
    desk.advance(SOON)

    steps = [[one.mt_id for one in desk.asks(3)] for _ in range(4)]

    assert [len(step) for step in steps] == [3, 3, 1, 0]
    assert sorted(chain.from_iterable(steps)) == ids


def test_what_is_submitted_when_its_validity_is_over_is_found_within_an_hour(desk: Desk) -> None:
    mt = desk.submitting(valid_ms=HOUR_MS)
    desk.advance(SOON + 10 * MINUTE_MS)
    desk.asks()
    desk.advance(10 * MINUTE_MS)
    desk.accepted(mt, "1A")
    at_once = desk.asks()

    desk.advance(WHOLE_MS)

    assert at_once == []
    assert [one.mt_id for one in desk.asks()] == [mt.id]


def test_a_look_goes_by_the_index_of_what_is_due(desk: Desk) -> None:
    desk.sent("1A")
    desk.advance(SOON)
    values = (int(MtState.SUBMITTED), 0, 5, 9, OPERATOR, 9, 5)

    with desk.database.read() as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        plan = read_text(connection, f"{'EXPLAIN QUERY PLAN' if is_sqlite else 'EXPLAIN'} {_NEW}", values)

    # Of MariaDB's rows the sixth column is the index that it takes; the first row is the table of the messages.
    used = plan[0][3] if is_sqlite else plan[0][5]
    assert "mt_due" in used, plan


# --- what is written of answers ------------------------------------------------------------------------------


def test_an_answer_is_a_receipt_of_the_message_that_was_asked_for(desk: Desk) -> None:
    older, younger = desk.sent("1A"), desk.sent("1A")
    desk.advance(SOON)

    desk.answered(older, "1A", ReceiptState.FAILED)

    assert desk.row(older).state == MtState.FAILED
    assert desk.row(older).error == "UNDELIV 000"
    assert desk.row(younger).state == MtState.SUBMITTED
    assert desk.history(older) == [(MtState.SUBMITTED, MtState.FAILED, "asked the centre: UNDELIV")]


def test_parts_of_one_id_get_their_answers_one_by_one(desk: Desk) -> None:
    mt = desk.sent("1A", "1A")

    desk.answered(mt, "1A")
    half = desk.row(mt).state
    desk.answered(mt, "1A")

    assert half == MtState.SUBMITTED
    assert desk.row(mt).state == MtState.DELIVERED


def test_an_answer_moves_what_was_given_up(desk: Desk) -> None:
    mt = desk.sent("1A")
    desk.advance(HOUR_MS + DAY_MS)
    desk.sweep()

    desk.answered(mt, "1A")

    assert desk.row(mt).state == MtState.DELIVERED
    assert desk.history(mt)[-1] == (MtState.UNKNOWN, MtState.DELIVERED, "asked the centre: DELIVRD")


@pytest.mark.parametrize("late", [ReceiptState.DELIVERED, ReceiptState.FAILED])
def test_a_receipt_after_the_answer_is_harmless(desk: Desk, late: ReceiptState) -> None:
    mt = desk.sent("1A")
    desk.answered(mt, "1A")
    before = desk.row(mt)

    desk.receipt("1A", late)

    assert desk.row(mt) == before
    assert LATE not in [reason for _, _, reason in desk.history(mt)]


def test_an_answer_after_the_receipt_is_harmless_and_kept_for_nobody(desk: Desk) -> None:
    mt = desk.sent("1A")
    desk.receipt("1A", ReceiptState.FAILED)

    desk.answered(mt, "1A")
    desk.answered(mt, "another")

    assert desk.row(mt).state == MtState.FAILED
    assert desk.rows_of(schema.Receipt) == []


def test_what_is_no_end_is_a_line_in_the_history(desk: Desk) -> None:
    mt = desk.sent("1A")
    desk.advance(SOON)
    desk.asks()

    desk.write(AskedFact(mt.id, "ENROUTE", desk.clock.now()), AskedFact(1, "nobody's", desk.clock.now()))
    desk.advance(PAUSES_MS[0])

    assert desk.row(mt).state == MtState.SUBMITTED
    assert desk.history(mt) == [(MtState.SUBMITTED, MtState.SUBMITTED, "asked the centre: ENROUTE")]
    assert len(desk.asks()) == 1


def test_the_last_question_is_the_last(desk: Desk) -> None:
    mt = desk.sent("1A")
    desk.advance(SOON)
    desk.asks()

    desk.write(AskedFact(mt.id, "query failed", desk.clock.now(), is_last=True))
    desk.advance(WHOLE_MS + PAUSES_MS[0])

    assert desk.asks() == []
    assert desk.row(mt).state == MtState.SUBMITTED


def test_old_questions_are_pruned(desk: Desk) -> None:
    desk.sent("1A")
    desk.advance(SOON)
    desk.asks()

    prune_some(desk.database, "question", desk.clock.now() + 90 * DAY_MS)
    kept = len(desk.rows_of(schema.Question))
    prune_some(desk.database, "question", desk.clock.now() + 90 * DAY_MS + 1)

    assert (kept, desk.rows_of(schema.Question)) == (1, [])
