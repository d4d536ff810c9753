"""What becomes of an MT that a person takes back, and of its money, whichever comes first: an answer or a receipt."""

from collections.abc import Sequence

import pytest
import sqlalchemy as sa

from core.message import Mt, MtKind, MtState, ReceiptState
from store import schema
from store.cancellations import give
from store.database import Database
from store.journal import Fact, MtFact, OrderFact, OrderHow
from store.journal.cancelled import MAY_ARRIVE, UNACCEPTED, UNSENT
from tests.store.journal.paid import PRICE, RUB, Office, the_catalogue

ALL = [(0, True)]


@pytest.fixture
def office(database: Database) -> Office:
    office = Office(database, the_catalogue(on="submitted"))
    office.pay_in(10 * RUB)
    return office


def ordered(office: Office, mt: Mt) -> int:
    (given,) = give(office.database, [mt.id], author="olga", note="wrong text", now=office.clock.now())
    return given.order_id


def asked(
    office: Office, mt: Mt, parts: Sequence[tuple[int, bool]] = ALL, *, order: int = 0, again_at: int | None = None
) -> OrderFact:
    """What a centre said."""
    sentence = "" if all(taken for _, taken in parts) else "the operator keeps it: no"
    return OrderFact(order or ordered(office, mt), mt.id, office.clock.now(), OrderHow.ASKED, parts, sentence, again_at)


def told(office: Office, answer: OrderFact, receipt: Fact, first: str) -> None:
    """What the centre says, in that order."""
    if first == "both at once":
        office.write(receipt, answer)
        return
    facts = [receipt, answer] if first == "the receipt" else [answer, receipt]
    for fact in facts:
        office.write(fact)


def rows(office: Office, table: type[schema.Base]) -> list[sa.Row[tuple[object, ...]]]:
    with office.database.read() as connection:
        return list(connection.execute(sa.select(table.__table__).order_by(*table.__table__.primary_key)))


def history(office: Office, mt: Mt) -> list[tuple[int, int, str]]:
    return [(row.old, row.new, row.reason) for row in rows(office, schema.MtMove) if row.mt_id == mt.id]


@pytest.mark.parametrize("who", ["a try without an answer", "a process that died with it"])
def test_a_no_behind_what_may_have_been_done_proves_nothing(office: Office, who: str) -> None:
    """What its centre took back is refused the second time, too."""
    mt = office.sent()
    order = ordered(office, mt)
    if who == "a try without an answer":
        lost = asked(office, mt, [(0, False)], order=order, again_at=office.clock.now() + 5000)
        lost.in_doubt = True
        office.write(lost)
    else:
        with office.database.write() as connection:
            connection.execute(sa.update(schema.MtOrder).values(process_id=4711))

    fact = asked(office, mt, [(0, False)], order=order)
    office.write(fact)

    said = "unknown whether taken back: the operator keeps it: no"
    assert (fact.outcome, fact.result, office.state(mt)) == ("unknown", said, MtState.SUBMITTED)
    assert history(office, mt)[-1][2] == f"cancel: {said}"
    assert office.findings() == []


def test_a_yes_is_believed_also_where_another_process_heard_a_no_of_what_was_done(office: Office) -> None:
    mt = office.sent()
    order = ordered(office, mt)
    yes = asked(office, mt, order=order)

    office.write(asked(office, mt, [(0, False)], order=order))
    office.write(yes)

    assert (yes.outcome, office.state(mt)) == ("done", MtState.CANCELLED)
    (row,) = rows(office, schema.MtOrder)
    assert row.outcome == "done"
    assert office.findings() == []


@pytest.mark.parametrize("kind", [MtKind.STANDARD, MtKind.PREMIUM])
def test_what_was_never_sent_costs_nobody_anything(office: Office, kind: MtKind) -> None:
    mt = office.ask(kind).mt
    fact = OrderFact(ordered(office, mt), mt.id, office.clock.now(), OrderHow.HELD)

    office.write(fact)

    assert (fact.outcome, office.state(mt)) == ("done", MtState.CANCELLED)
    balances = office.balances()
    assert balances["partner:acme:prepaid"] == 10 * RUB
    assert "partner:acme:reserved" not in balances
    assert [state for _, state, _, _ in office.charges()] == ([3] if kind is MtKind.PREMIUM else [])
    assert office.findings() == []


def test_what_the_operator_took_back_costs_what_any_message_costs_that_was_not_delivered(office: Office) -> None:
    cancelled, failed = office.sent(), office.sent()

    office.write(asked(office, cancelled))
    office.ends(failed, ReceiptState.FAILED)

    assert office.state(cancelled) is MtState.CANCELLED
    # Both the partner's and the operator's price are due on submission.
    prices = {kind: [p for k, _, _, p in office.charges() if k == kind] for kind in (4, 5)}
    assert prices[4] == [PRICE, PRICE]
    assert len(prices[5]) == 2
    assert office.findings() == []


def test_a_partner_that_pays_for_what_is_delivered_gets_back_what_was_reserved(database: Database) -> None:
    office = Office(database, the_catalogue(on="delivered", cost_on="delivered"))
    office.pay_in(10 * RUB)

    office.write(asked(office, office.sent()))

    assert office.balances()["partner:acme:prepaid"] == 10 * RUB
    assert office.charges() == []
    assert office.findings() == []


def test_a_premium_one_that_the_operator_took_back_is_voided(office: Office) -> None:
    office.write(asked(office, office.sent(MtKind.PREMIUM)))

    assert [one for one in office.charges() if one[0] == 3] == [(3, 3, "", 12_000_000)]
    assert "operator:alpha:receivable" not in office.balances()
    assert office.findings() == []


@pytest.mark.parametrize("first", ["the receipt", "the answer", "both at once"])
def test_whichever_comes_first_a_deleted_message_is_cancelled_and_costs_the_same(office: Office, first: str) -> None:
    mt = office.sent()
    answer = asked(office, mt)

    told(office, answer, office.a_receipt(f"k{mt.id}", ReceiptState.FAILED), first)

    assert office.state(mt) is MtState.CANCELLED
    assert answer.outcome == "done"
    assert sorted(kind for kind, *_ in office.charges()) == [4, 5]
    assert office.findings() == []
    steps = [(old, new) for old, new, _ in history(office, mt) if old != new]
    submitted, failed, cancelled = map(int, (MtState.SUBMITTED, MtState.FAILED, MtState.CANCELLED))
    quicker = [(submitted, failed), (failed, cancelled)]
    assert steps == ([(submitted, cancelled)] if first == "the answer" else quicker), "the receipt is not lost"


@pytest.mark.parametrize("kind", [MtKind.STANDARD, MtKind.PREMIUM])
@pytest.mark.parametrize("first", ["the receipt", "the answer", "both at once"])
def test_what_was_delivered_all_the_same_is_delivered(office: Office, kind: MtKind, first: str) -> None:
    mt = office.sent(kind)
    answer = asked(office, mt)

    told(office, answer, office.a_receipt(f"k{mt.id}"), first)

    assert office.state(mt) is MtState.DELIVERED
    paid = [(state, reason) for of, state, reason, _ in office.charges() if of in (3, 4)]
    late = [(3, ""), (2, "late")]
    assert paid == (late if kind is MtKind.PREMIUM and first == "the answer" else [(2, "")])
    assert len([of for of, *_ in office.charges() if of == 5]) == 1, "the operator takes it once"
    assert office.findings() == []


def test_a_partner_that_got_its_money_back_keeps_it_when_the_message_arrives_after_all(database: Database) -> None:
    office = Office(database, the_catalogue(on="delivered", cost_on="delivered"))
    office.pay_in(10 * RUB)
    mt = office.sent()
    office.write(asked(office, mt))

    office.ends(mt)

    assert office.state(mt) is MtState.DELIVERED
    assert office.balances()["partner:acme:prepaid"] == 10 * RUB
    assert [kind for kind, *_ in office.charges()] == [5], "what the operator takes is ours to bear"
    assert office.findings() == []


def test_a_message_that_arrives_after_all_has_a_line_for_it(office: Office) -> None:
    mt = office.sent()
    office.write(asked(office, mt))

    office.ends(mt)

    lines = [(MtState(old), MtState(new), why) for old, new, why in history(office, mt)]
    assert lines[-1] == (MtState.CANCELLED, MtState.DELIVERED, "a late receipt")


def test_what_is_unknown_may_be_taken_back_too_and_its_cost_is_booked_once(office: Office) -> None:
    mt = office.sent(MtKind.PREMIUM)
    office.unknown(mt)

    office.write(asked(office, mt))
    office.ends(mt)

    assert office.state(mt) is MtState.DELIVERED
    assert [kind for kind, *_ in office.charges()] == [3, 5, 3]
    assert office.findings() == []


def test_what_the_operator_keeps_stays_as_it_is_with_a_line(office: Office) -> None:
    mt = office.sent()
    fact = asked(office, mt, [(0, False)])

    office.write(fact)

    assert (fact.outcome, fact.result, office.state(mt)) == ("failed", "the operator keeps it: no", MtState.SUBMITTED)
    assert history(office, mt) == [(2, 2, "cancel: the operator keeps it: no")]
    office.ends(mt)
    assert office.state(mt) is MtState.DELIVERED
    assert office.findings() == []


@pytest.mark.parametrize(("how", "counted"), [(OrderHow.ASKED, 1), (OrderHow.UNASKED, 0)])
def test_an_order_without_an_answer_stays_due_and_counts_where_a_question_went_out(
    office: Office, how: OrderHow, counted: int
) -> None:
    mt = office.sent()
    later = office.clock.now() + 5000
    fact = asked(office, mt, [(0, False)], again_at=later)
    fact.how = how

    office.write(fact)

    (order,) = rows(office, schema.MtOrder)
    assert (order.outcome, order.due_at, order.result) == ("", later, "the operator keeps it: no")
    assert (order.asked, order.process_id) == (counted, 0)
    assert history(office, mt) == []


@pytest.mark.parametrize(
    ("row", "by_process", "sentence"),
    [
        ((0, False), False, UNSENT),
        ((1, False), False, UNACCEPTED),
        ((1, True), False, MAY_ARRIVE),
        ((0, False), True, MAY_ARRIVE),
    ],
)
def test_of_what_may_have_been_sent_nobody_says_that_it_was_not(
    office: Office, row: tuple[int, bool], by_process: bool, sentence: str
) -> None:
    mt = office.submitting()
    mt.attempt, mt.maybe_twice = row
    office.write(MtFact(mt, MtState.QUEUED, office.clock.now(), office.clock.now() + 1000, "no answer (timeout)"))
    fact = OrderFact(ordered(office, mt), mt.id, office.clock.now(), OrderHow.QUEUED, maybe_twice=by_process)

    office.write(fact)

    assert (fact.outcome, fact.result, office.state(mt)) == ("done", sentence, MtState.CANCELLED)


def test_a_part_without_an_id_that_is_left_over_is_told_of(office: Office) -> None:
    mt = office.submitting(parts=2)
    parts = [(1, "1A", MtState.SUBMITTED), (2, "", MtState.UNKNOWN)]
    office.write(MtFact(mt, MtState.UNKNOWN, office.clock.now(), None, "no answer (timeout)", parts))

    fact = asked(office, mt, [(1, True)])
    office.write(fact)

    assert fact.result == "1 of 2 parts have their end; the rest has no id at the operator"
    assert (fact.outcome, office.state(mt)) == ("failed", MtState.UNKNOWN)


def test_a_long_message_is_cancelled_when_all_of_its_parts_are(office: Office) -> None:
    mt = office.submitted("1A", "1B", "1C")
    order = ordered(office, mt)

    office.write(asked(office, mt, [(1, True), (2, True), (3, False)], order=order, again_at=office.clock.now()))
    half = office.state(mt)
    office.write(asked(office, mt, [(3, True)], order=order))

    assert half is MtState.SUBMITTED
    assert office.state(mt) is MtState.CANCELLED
    assert {part.error for part in rows(office, schema.MtPart)} == {"cancelled"}


def test_a_long_message_of_which_a_part_was_delivered_has_failed(office: Office) -> None:
    mt = office.submitted("1A", "1B")
    office.receipt("1A")

    fact = asked(office, mt, [(2, True)])
    office.write(fact)

    assert office.state(mt) is MtState.FAILED
    assert (fact.outcome, fact.result) == ("failed", "a part of it was delivered, the operator took the rest back")


def test_a_long_message_of_which_a_part_was_undeliverable_is_cancelled_with_the_rest(office: Office) -> None:
    """Nothing of it arrives any more, and that is what the person wanted."""
    mt = office.submitted("1A", "1B")
    office.receipt("1A", ReceiptState.FAILED)

    fact = asked(office, mt, [(2, True)])
    office.write(fact)

    assert office.state(mt) is MtState.CANCELLED
    assert (fact.outcome, fact.result) == ("done", "the operator took it back")


def test_parts_that_the_operator_keeps_decide_about_the_message(office: Office) -> None:
    mt = office.submitted("1A", "1B")

    fact = asked(office, mt, [(1, True), (2, False)])
    office.write(fact)
    kept = office.state(mt)
    office.receipt("1B")

    assert fact.result == "1 of 2 parts have their end; the operator keeps it: no"
    assert kept is MtState.SUBMITTED
    assert office.state(mt) is MtState.FAILED, "one of its parts never arrives"


def test_a_long_message_that_arrives_after_all_is_delivered(office: Office) -> None:
    mt = office.submitted("1A", "1B")
    office.write(asked(office, mt, [(1, True), (2, True)]))

    office.receipt("1A")
    office.receipt("1B")

    assert office.state(mt) is MtState.DELIVERED


def test_a_long_message_of_which_a_part_arrives_after_all_stays_cancelled_with_a_line(office: Office) -> None:
    mt = office.submitted("1A", "1B")
    office.write(asked(office, mt, [(1, True), (2, True)]))

    office.receipt("1A")

    assert office.state(mt) is MtState.CANCELLED
    assert history(office, mt)[-1] == (8, 8, "receipt DELIVRD")
    assert [part.state for part in rows(office, schema.MtPart)] == [MtState.DELIVERED, MtState.FAILED]
    assert office.findings() == []


def test_what_another_process_holds_is_left_to_it(office: Office, database: Database) -> None:
    mt = office.submitting()
    other = Office(database, office.catalogue, office.clock)
    fact = OrderFact(ordered(office, mt), mt.id, office.clock.now(), OrderHow.HELD)

    other.write(fact)

    assert (fact.outcome, office.state(mt)) == ("", MtState.SUBMITTING)
    (order,) = rows(office, schema.MtOrder)
    assert order.due_at is not None


def test_what_somebody_sent_meanwhile_is_looked_at_again(office: Office) -> None:
    mt = office.submitting()
    fact = OrderFact(ordered(office, mt), mt.id, office.clock.now(), OrderHow.QUEUED)
    mt.keys = ["1A"]

    office.write(MtFact(mt, MtState.SUBMITTED, office.clock.now()), fact)

    assert (fact.outcome, office.state(mt)) == ("", MtState.SUBMITTED)


def test_an_order_that_is_written_twice_is_done_once(office: Office) -> None:
    mt = office.sent(MtKind.PREMIUM)
    order = ordered(office, mt)

    office.write(asked(office, mt, order=order))
    office.write(asked(office, mt, order=order))

    assert len(history(office, mt)) == 1
    assert office.findings() == []
