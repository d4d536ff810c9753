"""Money that moves by a person's word alone: above the limit another person has to agree, on both databases."""

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from core.errors import StoreConflict, UserMistake
from core.payouts import PayoutState
from core.second_person import Limits
from core.top_ups import PaymentState, Told
from store.acts import Act, ActRefused, Acts, ActState, Draft, sentence_of
from store.conversions import Asked, convert
from store.database import Database
from store.payments import Payments
from store.rates import load_rates, read_rates
from store.schema import Act as ActRow
from store.schema import Detail
from tests.store.cashier import RUB, Till, a_sent_one, a_till, together

RATES = "source,target,valid_from,rate,origin\nRUB,EUR,2026-11-01,0.01,ECB\n"
EARNED, PREPAID, PAYABLE = "partner:acme:earnings", "partner:acme:prepaid", "operator:alpha:payable"
LOW = Limits(40 * RUB)
PAY: dict[str, Any] = {"operator": "alpha", "amount": 30 * RUB, "bank": "main", "reference": "PO 17"}


@pytest.fixture
def till(database: Database) -> Till:
    """acme has earned 120.00 RUB; 50.00 are in a file for the bank; a payment of 98.00 is parked."""
    till = a_till(database)
    till.earn(2)
    a_sent_one(till)
    Payments(till.clerk()).take(Told("yoomoney", "op-1", "77", 100 * RUB, 98 * RUB, "RUB"))
    with database.write() as connection:
        load_rates(connection, read_rates(RATES, "rates.csv"))
    return till


def acts(till: Till, limits: Limits = LOW) -> Acts:
    return Acts(till.clerk(), limits)


def draft(kind: str, reason: str = "they told me so", key: str = "", **values: Any) -> Draft:
    return Draft(kind, "olga", reason, (), values, key)


def conversion(kind: str = "convert", into: str = "EUR", amount: int = 50 * RUB, key: str = "c1") -> Draft:
    values: dict[str, Any] = {
        "partner": "acme",
        "amount": amount,
        "currency": "RUB",
        "account": "earnings",
        "into": into,
        "key": key,
    }
    return Draft(kind, "olga", "they told me so", (), values, key)


def state_of(till: Till, number: int = 1) -> PayoutState:
    return till.payouts().read(number).state


def count(till: Till) -> int:
    with till.database.read() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(ActRow)).scalar_one()


PARKED = draft("assign_payment", payment=1, partner="acme")
FAILED = draft("payout_failed", payout=1)
RETURNED = draft("payout_returned", payout=1)


@pytest.mark.parametrize(
    ("asked", "moved"),
    [
        (PARKED, {PREPAID: 98 * RUB}),
        (FAILED, {EARNED: 120 * RUB}),
        (RETURNED, {EARNED: 120 * RUB}),
        (conversion(), {EARNED: 20 * RUB, f"{EARNED} EUR": RUB // 2}),
        (conversion("use_earnings", ""), {EARNED: 20 * RUB, PREPAID: 50 * RUB}),
    ],
    ids=lambda value: value.kind if isinstance(value, Draft) else "",
)
def test_above_the_limit_nothing_moves_before_another_person_agrees(
    till: Till, asked: Draft, moved: dict[str, int]
) -> None:
    before = till.balances()

    proposed = acts(till).propose(asked)

    assert proposed is not None
    assert (proposed.state, proposed.author, proposed.partners) == (ActState.PROPOSED, "olga", ("acme",))
    assert till.balances() == before
    with pytest.raises(ActRefused, match="olga asked for it; another person has to agree"):
        acts(till).approve(proposed.id, "Olga")
    shown = acts(till).show(proposed.id)
    assert shown.postings
    assert till.balances() == before

    done = acts(till).approve(proposed.id, "ada")

    assert (done.state, done.approver, done.amount) == (ActState.DONE, "ada", proposed.amount)
    assert {place: till.balances()[place] for place in moved} == moved
    with till.database.read() as connection:
        details = connection.execute(sa.select(Detail.author).where(Detail.entry_id == done.entry_id)).scalars()
        assert set(details) == {"olga"}
    assert till.findings() == []


def test_below_it_one_person_does_it_and_nothing_is_proposed(till: Till) -> None:
    high = Limits(98 * RUB)

    for asked in (PARKED, FAILED, RETURNED, conversion(), conversion("use_earnings", "")):
        assert acts(till, high).propose(asked) is None

    assert count(till) == 0
    assert till.balances()[EARNED] == 70 * RUB


def test_a_limit_of_the_currency_that_comes_counts_too(till: Till) -> None:
    assert acts(till, Limits(98 * RUB, {"EUR": RUB // 2})).propose(conversion()) is None
    assert acts(till, Limits(98 * RUB, {"EUR": RUB // 2 - 1})).propose(conversion()) is not None


def test_what_came_back_counts_once_though_it_takes_two_steps(till: Till) -> None:
    till.payouts().paid(1, author="ada")

    assert acts(till, Limits(50 * RUB)).propose(RETURNED) is None
    proposed = acts(till, Limits(50 * RUB - 1)).propose(RETURNED)

    assert proposed is not None
    assert (proposed.amount, sentence_of(proposed)) == (50 * RUB, "payout returned: 50.00 RUB of payout 1")
    acts(till).approve(proposed.id, "ada")
    assert state_of(till) is PayoutState.RETURNED
    assert till.balances()[EARNED] == 120 * RUB
    assert "bank:main" not in till.balances()


def test_the_same_asked_twice_is_one_act_and_after_it_nothing(till: Till) -> None:
    first = acts(till).propose(PARKED)
    again = acts(till).propose(PARKED)
    assert first is not None
    assert again is not None
    assert (again.id, again.was_before) == (first.id, True)

    acts(till).approve(first.id, "ada")

    assert acts(till).propose(PARKED) is None
    assert Payments(till.clerk()).assign(1, "acme", author="olga", reason="again").state is PaymentState.BOOKED
    assert till.balances()[PREPAID] == 98 * RUB


def test_what_happened_meanwhile_counts(till: Till) -> None:
    failed, parked, euros = (acts(till).propose(one) for one in (FAILED, PARKED, conversion()))
    assert failed is not None
    assert parked is not None
    assert euros is not None
    till.payouts().paid(1, author="ada")
    Payments(till.clerk()).assign(1, "acme", author="ben", reason="it is theirs")
    convert(till.clerk(), Asked("acme", 60 * RUB, "RUB", "ada", "", "other"), "EUR", account="earnings")

    with pytest.raises(UserMistake, match=r"payout 1 of 50\.00 RUB is paid; only what is"):
        acts(till).approve(failed.id, "ada")
    with pytest.raises(ActRefused, match="it was done meanwhile; refuse it"):
        acts(till).approve(parked.id, "ada")
    with pytest.raises(UserMistake, match=r"acme: 10\.00 RUB may be taken from the earnings"):
        acts(till).approve(euros.id, "ada")
    assert acts(till).refuse(parked.id, "ada", "done by ben").state is ActState.REFUSED
    assert till.findings() == []


def test_one_without_a_reason_is_not_proposed(till: Till) -> None:
    asked = conversion()
    asked = Draft(asked.kind, asked.author, "", (), asked.values, asked.key)

    with pytest.raises(UserMistake, match=r"^--reason: it is empty; say why$"):
        acts(till).propose(asked)
    assert acts(till, Limits(98 * RUB)).propose(asked) is None


def test_two_who_agree_at_once_move_it_once(till: Till) -> None:
    proposed = acts(till).propose(FAILED)
    assert proposed is not None
    desks = [acts(till) for _ in range(6)]

    done = together(6, lambda place: desks[place].approve(proposed.id, f"ada {place}"))

    assert sum(isinstance(one, Act) for one in done) == 1
    assert {type(one) for one in done if not isinstance(one, Act)} == {ActRefused}
    assert till.balances()[EARNED] == 120 * RUB
    assert till.findings() == []


# --- operators that are paid -------------------------------------------------------------------------------


def test_an_operator_is_paid_out_of_what_is_owed_to_it_once_for_each_reference(till: Till) -> None:
    done = acts(till).ask(draft("pay_operator", key="PO 17", **PAY))
    again = acts(till).ask(draft("pay_operator", key="PO 17", **PAY))

    assert (done.state, again.was_before, again.entry_id) == (ActState.DONE, True, done.entry_id)
    assert sentence_of(done) == "pay operator: 30.00 RUB to alpha from bank:main, PO 17"
    assert (till.balances()[PAYABLE], till.balances()["bank:main"]) == (-30 * RUB, -30 * RUB)
    with till.database.read() as connection:
        detail = connection.execute(sa.select(Detail.kind, Detail.subject, Detail.reason)).all()[-1]
    assert detail == ("cost_paid", "operator:alpha", "PO 17: they told me so")
    assert till.findings() == []


def test_a_payment_of_an_operator_is_the_same_whoever_books_it_and_in_whatever_words(till: Till) -> None:
    done = acts(till).ask(draft("pay_operator", **PAY))

    again = acts(till).ask(replace(draft("pay_operator", "so says the bank", **PAY), author="bob"))

    assert (again.id, again.was_before, again.entry_id) == (done.id, True, done.entry_id)
    for other in ({"amount": 31 * RUB}, {"bank": "second"}):
        with pytest.raises(StoreConflict) as refused:
            acts(till).ask(draft("pay_operator", **{**PAY, **other}))
        assert str(refused.value) == (
            "the payment PO 17 of alpha was booked before, with another amount or bank (act 1, pay operator: 30.00 RUB "
            "to alpha from bank:main, PO 17); nothing was changed"
        )
    assert till.balances()["bank:main"] == -30 * RUB


def test_a_payment_of_an_operator_that_was_refused_is_asked_for_again_by_another_reason(till: Till) -> None:
    large = {**PAY, "amount": 41 * RUB}
    first = acts(till).ask(draft("pay_operator", "one", **large))
    acts(till).refuse(first.id, "ada", "no invoice")
    with pytest.raises(ActRefused, match=r"act 1 was refused before, by ada: no invoice; .*, give another --reason$"):
        acts(till).ask(draft("pay_operator", "one", **large))

    second = acts(till).ask(draft("pay_operator", "two", **large))
    assert acts(till).ask(draft("pay_operator", "one", **large)).id == second.id
    acts(till).refuse(second.id, "ada", "no invoice yet")
    for reason in ("one", "two"):
        with pytest.raises(ActRefused, match="was refused before"):
            acts(till).ask(draft("pay_operator", reason, **large))
    third = acts(till).ask(draft("pay_operator", "three", **large))
    done = acts(till).approve(third.id, "ada")

    assert len({first.id, second.id, third.id}) == 3
    assert (done.state, till.balances()[PAYABLE]) == (ActState.DONE, -41 * RUB)
    again = acts(till).ask(draft("pay_operator", "four", **large))
    assert (again.id, again.was_before) == (third.id, True)
    with pytest.raises(StoreConflict, match="the payment PO 17 of alpha was booked before"):
        acts(till).ask(draft("pay_operator", "one", **PAY))
    assert till.findings() == []


def test_two_who_ask_again_for_what_was_refused_ask_once(till: Till) -> None:
    large = {**PAY, "amount": 41 * RUB}
    acts(till).refuse(acts(till).ask(draft("pay_operator", "one", **large)).id, "ada", "no invoice")
    desks = [acts(till) for _ in range(4)]

    asked = together(4, lambda place: desks[place].ask(draft("pay_operator", f"by {place}", **large)))

    assert {one.id for one in asked if isinstance(one, Act)} == {2}, asked
    assert count(till) == 2


def test_a_large_payment_of_an_operator_waits(till: Till) -> None:
    asked = acts(till).ask(draft("pay_operator", **{**PAY, "amount": 41 * RUB}))
    assert asked.state is ActState.PROPOSED
    assert PAYABLE not in till.balances()

    acts(till).approve(asked.id, "ada")

    assert till.balances()[PAYABLE] == -41 * RUB


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"operator": "alhpa"}, "there is no operator 'alhpa'; did you mean alpha?"),
        ({"amount": 0}, "AMOUNT: 0.00 is not above zero and at most 1000000000.00"),
        ({"amount": 10**15 + 1}, "AMOUNT: 1000000000.000001 is not above zero and at most 1000000000.00"),
        ({"bank": "a bank"}, "--bank: name an account in letters (a–z), digits, dots, dashes, like main"),
        ({"reference": "\x1b[2J"}, "--reference: give the bank's reference of the payment, 1 to 140 characters"),
        ({"reference": " "}, "--reference: give the bank's reference of the payment, 1 to 140 characters"),
    ],
)
def test_what_cannot_be_paid_says_what_to_do(till: Till, values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserMistake) as refused:
        acts(till).ask(draft("pay_operator", **{**PAY, **values}))

    assert str(refused.value) == sentence
