"""Payouts of several people at once, on both databases: the same money is never paid twice, nor asked for twice."""

import pytest

from store.database import Database
from store.payouts import PayoutRow
from tests.store.cashier import RUB, Till, a_sent_one, a_till, asked, copy_of, refused, together

EARNED = "partner:acme:earnings"
ON_ITS_WAY = "partner:acme:payout"


@pytest.fixture
def till(database: Database) -> Till:
    """acme has earned 120.00 RUB."""
    till = a_till(database)
    till.earn(2)
    return till


def test_eight_who_approve_at_once_never_pay_the_same_money(till: Till) -> None:
    """120.00 is there, and eight payouts of 30.00 were asked for: four of them more than there is money for."""
    first = asked(till.payouts(), 30 * RUB)
    numbers = [first.id, *(copy_of(till, first, f"copy {number}") for number in range(7))]
    desks = [till.payouts() for _ in numbers]

    done = together(8, lambda place: desks[place].approve(numbers[place], approver="ada"))

    approved = [row for row in done if isinstance(row, PayoutRow)]
    assert len(approved) == 4
    assert all("only 0.00 are due now" in refused(one) for one in done if not isinstance(one, PayoutRow))
    assert EARNED not in till.balances()
    assert till.balances()[ON_ITS_WAY] == 120 * RUB
    assert till.findings() == []


def test_eight_who_ask_at_once_never_ask_for_the_same_money(till: Till) -> None:
    desks = [till.payouts() for _ in range(8)]

    done = together(8, lambda place: asked(desks[place], 50 * RUB, key=f"k{place}"))

    assert sum(isinstance(one, PayoutRow) for one in done) == 2
    assert all("may be paid" in refused(one) for one in done if not isinstance(one, PayoutRow))


def test_eight_who_ask_at_once_with_one_key_get_one_payout(till: Till) -> None:
    desks = [till.payouts() for _ in range(8)]

    done = together(8, lambda place: asked(desks[place], 50 * RUB))

    assert len({row.id for row in done if isinstance(row, PayoutRow)}) == 1
    assert [one for one in done if isinstance(one, Exception)] == []


def test_eight_who_approve_the_same_payout_at_once_book_it_once(till: Till) -> None:
    row = asked(till.payouts())
    desks = [till.payouts() for _ in range(8)]

    done = together(8, lambda place: desks[place].approve(row.id, approver=f"person {place % 2}"))

    assert any(isinstance(one, PayoutRow) for one in done)
    assert till.balances()[ON_ITS_WAY] == 50 * RUB
    assert till.findings() == []


def test_eight_who_return_the_same_payout_at_once_book_it_once(till: Till) -> None:
    till.payouts().paid(a_sent_one(till).id, author="olga")
    desks = [till.payouts() for _ in range(8)]

    done = together(8, lambda place: desks[place].returned(1, author="olga", reason="no such account"))

    assert all(isinstance(one, PayoutRow) for one in done), done
    assert till.balances()[EARNED] == 120 * RUB
    assert till.findings() == []
