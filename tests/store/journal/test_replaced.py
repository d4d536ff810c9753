"""What becomes of an MT that a person gives another text, whichever comes first: an answer or a receipt."""

from typing import Any

import pytest
import sqlalchemy as sa

from core.message import Mt, MtKind, MtState, ReceiptState
from store import cancellations, schema
from store.database import Database
from store.journal import OrderFact, OrderHow
from store.replacements import give
from tests.store.journal.paid import RUB, Office, the_catalogue
from tests.store.journal.test_cancelled import history, told

NO = "the operator did not change it: no"


@pytest.fixture
def office(database: Database) -> Office:
    office = Office(database, the_catalogue(on="submitted"))
    office.pay_in(10 * RUB)
    return office


def ordered(office: Office, mt: Mt) -> int:
    return give(office.database, mt.id, "goodbye", author="olga", note="wrong PIN", now=office.clock.now()).order_id


def said(office: Office, mt: Mt, yes: bool, *, order: int = 0, **values: Any) -> OrderFact:
    """What a centre said."""
    sentence = "" if yes else NO
    order = order or ordered(office, mt)
    return OrderFact(order, mt.id, office.clock.now(), OrderHow.ASKED, [(0, yes)], sentence, **values)


def text(office: Office, mt: Mt) -> str:
    with office.database.read() as connection:
        found: str = connection.execute(sa.select(schema.Mt.text).where(schema.Mt.id == mt.id)).scalar_one()
        return found


@pytest.mark.parametrize("kind", [MtKind.FREE, MtKind.STANDARD, MtKind.PREMIUM])
def test_what_the_operator_changed_has_the_new_text_and_costs_the_same(office: Office, kind: MtKind) -> None:
    mt = office.sent(kind)
    before = office.balances(), office.charges()

    fact = said(office, mt, True)
    office.write(fact)

    assert (fact.outcome, fact.result) == ("done", "the operator changed its text")
    assert (text(office, mt), office.state(mt)) == ("goodbye", MtState.SUBMITTED)
    assert (office.balances(), office.charges()) == before
    submitted = int(MtState.SUBMITTED)
    assert history(office, mt)[-1] == (submitted, submitted, "replace: the operator changed its text")
    office.ends(mt)
    assert office.state(mt) is MtState.DELIVERED
    assert office.findings() == []


def test_what_the_operator_did_not_change_is_as_it_was_with_a_line(office: Office) -> None:
    mt = office.sent()
    fact = said(office, mt, False)

    office.write(fact)

    assert (fact.outcome, fact.result, text(office, mt)) == ("failed", NO, "hello")
    assert history(office, mt)[-1][2] == f"replace: {NO}"


@pytest.mark.parametrize("first", ["the receipt", "the answer", "both at once"])
@pytest.mark.parametrize("receipt", [ReceiptState.DELIVERED, ReceiptState.FAILED])
def test_both_a_receipt_and_a_yes_are_believed_whichever_comes_first(
    office: Office, first: str, receipt: ReceiptState
) -> None:
    mt = office.sent()
    answer = said(office, mt, True)

    told(office, answer, office.a_receipt(f"k{mt.id}", receipt), first)

    assert answer.outcome == "done"
    assert answer.result.endswith("told after its end") == (first != "the answer")
    assert text(office, mt) == "goodbye"
    assert office.state(mt) is (MtState.DELIVERED if receipt is ReceiptState.DELIVERED else MtState.FAILED)
    assert office.findings() == []


def test_what_has_its_end_before_it_was_asked_for_is_as_it_was(office: Office) -> None:
    mt = office.sent()
    order = ordered(office, mt)
    office.ends(mt)

    fact = OrderFact(order, mt.id, office.clock.now(), OrderHow.QUEUED)
    office.write(fact)

    assert (fact.outcome, fact.result, text(office, mt)) == ("failed", "it has its end: delivered", "hello")


def test_what_is_cancelled_meanwhile_is_not_changed(office: Office) -> None:
    mt = office.sent()
    order, now = ordered(office, mt), office.clock.now()
    (taken_back,) = cancellations.give(office.database, [mt.id], author="ada", note="stop it", now=now)

    office.write(OrderFact(taken_back.order_id, mt.id, now, OrderHow.ASKED, [(0, True)]))
    fact = OrderFact(order, mt.id, now, OrderHow.QUEUED)
    office.write(fact)

    assert (fact.outcome, text(office, mt), office.state(mt)) == ("failed", "hello", MtState.CANCELLED)
    assert fact.result.startswith("it has its end: cancelled")


@pytest.mark.parametrize("then", ["yes", "no", "its end", "no answer for the last time"])
def test_after_a_try_without_an_answer_only_a_yes_says_what_became_of_it(office: Office, then: str) -> None:
    mt = office.sent()
    order, later = ordered(office, mt), office.clock.now() + 5000

    lost = said(office, mt, False, order=order, in_doubt=True, again_at=later)
    office.write(lost)
    if then == "its end":
        office.ends(mt)
        fact = OrderFact(order, mt.id, later, OrderHow.QUEUED)
    else:
        fact = said(office, mt, then == "yes", order=order, in_doubt=then.startswith("no answer"))
    office.write(fact)

    assert (lost.outcome, lost.result) == ("", f"unknown whether changed: {NO}")
    if then == "yes":
        assert (fact.outcome, text(office, mt)) == ("done", "goodbye")
    else:
        assert (fact.outcome, text(office, mt)) == ("unknown", "hello")
        assert fact.result.startswith("unknown whether changed: ")


def test_whether_a_process_that_died_with_it_had_asked_nobody_knows(office: Office) -> None:
    """Its message has its end: it is not taken again, and so nobody notes the doubt before."""
    mt = office.sent()
    order, now = ordered(office, mt), office.clock.now()
    with office.database.write() as connection:
        connection.execute(sa.update(schema.MtOrder).where(schema.MtOrder.id == order).values(process_id=4711))
    office.ends(mt)

    fact = OrderFact(order, mt.id, now, OrderHow.QUEUED)
    office.write(fact)

    assert (fact.outcome, text(office, mt)) == ("unknown", "hello")
    assert fact.result == "unknown whether changed: it has its end: delivered"


@pytest.mark.parametrize(("how", "counted"), [(OrderHow.ASKED, 1), (OrderHow.UNASKED, 0)])
def test_a_try_that_is_to_be_repeated_leaves_it_open_and_without_a_line(
    office: Office, how: OrderHow, counted: int
) -> None:
    mt = office.sent()
    fact = said(office, mt, False, again_at=office.clock.now() + 5000)
    fact.how = how

    office.write(fact)

    with office.database.read() as connection:
        row = connection.execute(sa.select(schema.MtOrder.__table__)).one()
    assert (row.outcome, row.result, row.asked, row.due_at) == ("", NO, counted, fact.again_at)
    assert [line for line in history(office, mt) if line[2].startswith("replace")] == []


def test_a_fact_that_comes_twice_is_written_once(office: Office) -> None:
    mt = office.sent()
    fact = said(office, mt, True)

    office.write(fact)
    office.write(fact)

    assert len([line for line in history(office, mt) if line[2].startswith("replace")]) == 1


def test_what_may_have_been_sent_before_may_arrive_with_the_old_text_too(office: Office) -> None:
    mt = office.sent()
    with office.database.write() as connection:
        connection.execute(sa.update(schema.Mt).where(schema.Mt.id == mt.id).values(maybe_twice=True))
    fact = said(office, mt, True)

    office.write(fact)

    assert fact.outcome == "done"
    assert fact.result.endswith("; an earlier submission with the old one got no answer and may have arrived")
