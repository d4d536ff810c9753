"""Steps of a payout that may not be, on both databases. Who may not approve, and what follows what: test_payouts.py."""

import pytest

from core.errors import UserMistake
from core.payouts import PayoutState
from store.database import Database
from tests.store.cashier import Till, a_sent_one, a_till, asked


@pytest.fixture
def till(database: Database) -> Till:
    """acme has earned 120.00 RUB."""
    till = a_till(database)
    till.earn(2)
    return till


@pytest.mark.parametrize("step", ["failed", "returned", "cancel"])
def test_what_is_the_partners_again_has_a_reason(till: Till, step: str) -> None:
    payouts = till.payouts()
    number = asked(payouts).id if step == "cancel" else a_sent_one(till).id
    before, balances = payouts.read(number), till.balances()

    with pytest.raises(UserMistake, match=r"^--reason: it is empty; say why$"):
        getattr(payouts, step)(number, author="olga", reason=" ")

    assert (payouts.read(number), till.balances()) == (before, balances)


def test_what_the_bank_paid_needs_none(till: Till) -> None:
    number = a_sent_one(till).id

    assert till.payouts().paid(number, author="olga").state is PayoutState.PAID


def test_a_long_reason_of_a_bank_is_one(till: Till) -> None:
    number = a_sent_one(till).id

    failed = till.payouts().failed(number, author="bank", reason="AC04 " * 200)

    assert failed.state is PayoutState.FAILED
    assert 0 < len(failed.error) < 1000
