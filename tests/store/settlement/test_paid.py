"""An operator pays: once for each reference."""

from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import StoreConflict, UserMistake
from store.acts import ActRefused, Acts, ActState, Draft, sentence_of
from store.database import Database
from store.settlement.paid import book_payment
from tests.store.settlement.office import RUB, Office


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Office:
    return Office(database, tmp_path)


def test_a_payment_lowers_what_the_operator_owes_once(office: Office) -> None:
    office.mo()
    office.mo(after=1000)

    first = book_payment(office.clerk, "alpha", 7 * RUB, bank="main", reference="PO 17/10", by="olga")
    again = book_payment(office.clerk, "alpha", 7 * RUB, bank="main", reference="PO 17/10 ", by="ben")

    assert (first.is_new, first.is_new_bank, first.owed, first.currency) == (True, True, 3 * RUB, "RUB")
    assert (again.is_new, again.entry, again.owed) == (False, first.entry, 3 * RUB)
    assert office.balances()["bank:main"] == 7 * RUB
    assert office.journal.audit() == []


def test_the_same_reference_with_another_amount_is_refused(office: Office) -> None:
    book_payment(office.clerk, "alpha", 7 * RUB, bank="main", reference="PO 17", by="olga")

    with pytest.raises(UserMistake, match=r"payment PO 17 of alpha was booked before, with another amount or bank"):
        book_payment(office.clerk, "alpha", 8 * RUB, bank="main", reference="PO 17", by="olga")

    other = book_payment(office.clerk, "beta", 8 * RUB, bank="main", reference="PO 17", by="olga")
    assert (other.is_new, other.is_new_bank) == (True, False)


def test_a_long_reference_is_a_reference_too(office: Office) -> None:
    one, two = ("X" * 100 + end for end in "ab")

    assert book_payment(office.clerk, "alpha", RUB, bank="main", reference=one, by="olga").is_new
    assert book_payment(office.clerk, "alpha", RUB, bank="main", reference=two, by="olga").is_new
    assert not book_payment(office.clerk, "alpha", RUB, bank="main", reference=one, by="olga").is_new


def test_above_the_limit_a_second_person_agrees_and_the_reference_is_one_payment_still(office: Office) -> None:
    acts = Acts(office.clerk, 6 * RUB)
    values: dict[str, str | int] = {"operator": "alpha", "amount": 7 * RUB, "bank": "main", "reference": "PO 17"}
    draft = Draft("operator_paid", "olga", "October", values=values)
    assert acts.propose(replace(draft, values={**values, "amount": 6 * RUB})) is None
    with pytest.raises(UserMistake, match=r"^--reason: it is empty; say why$"):
        acts.propose(replace(draft, reason=" "))

    waits = acts.propose(draft)

    assert waits is not None
    assert (waits.amount, waits.currency, waits.state) == (7 * RUB, "RUB", ActState.PROPOSED)
    assert sentence_of(waits) == "operator paid: 7.00 RUB from alpha to bank:main, PO 17"
    assert office.balances() == {}
    with pytest.raises(ActRefused, match="another person has to agree"):
        acts.approve(waits.id, "OLGA")
    assert [p.credit for p in acts.show(waits.id).postings] == ["operator:alpha:receivable"]

    once_more = acts.propose(replace(draft, author="ben", reason="as the bank says"))
    assert once_more is not None
    assert (once_more.id, once_more.was_before) == (waits.id, True)
    with pytest.raises(StoreConflict, match=r"payment PO 17 of alpha was asked for before, with another amount"):
        acts.propose(replace(draft, values={**values, "amount": 8 * RUB}))

    done = acts.approve(waits.id, "ada")
    again = book_payment(office.clerk, "alpha", 7 * RUB, bank="main", reference="PO 17", by="olga")

    assert (again.is_new, again.entry, again.owed) == (False, done.entry_id, -7 * RUB)
    assert acts.propose(draft) is None
    assert office.journal.audit() == []


def test_what_is_no_payment_says_why(office: Office) -> None:
    for operator, amount, bank, reference, why in (
        ("gamma", RUB, "main", "1", "there is no operator 'gamma'; "),
        ("alfa", RUB, "main", "1", "there is no operator 'alfa'; did you mean alpha"),
        ("xxxx", RUB, "main", "1", "there is no operator 'xxxx'; tollbridge dump shows them"),
        ("alpha", 0, "main", "1", "AMOUNT: 0.00 is not above zero and at most 1000000000.00"),
        ("alpha", 10**15 + 1, "main", "1", "AMOUNT: 1000000000.000001 is not above zero and at most 1000000000.00"),
        ("alpha", RUB, "a:b", "1", "--bank: name an account"),
        ("alpha", RUB, "main", " ", "--reference: give the bank's reference"),
        ("alpha", RUB, "main", "1" * 141, "--reference: give the bank's reference of the payment, 1 to 140 characters"),
    ):
        values: dict[str, str | int] = {"operator": operator, "amount": amount, "bank": bank, "reference": reference}
        with pytest.raises(UserMistake, match=why):
            book_payment(office.clerk, operator, amount, bank=bank, reference=reference, by="olga")
        with pytest.raises(UserMistake, match=why):
            Acts(office.clerk, 0).propose(Draft("operator_paid", "olga", "October", values=values))
    assert Acts(office.clerk, 0).list(None) == []
    assert office.balances() == {}
