"""Steps of a payout that may not be, on both databases. Who may not approve, and what follows what: test_payouts.py."""

import pytest

from core.errors import UserMistake
from core.payouts import PayoutState
from core.second_person import Limits
from store.acts import Acts, Draft
from store.database import Database
from store.payout_rules import PROVIDER_SPEAKS_MS
from store.payouts import Payouts
from tests.store.cashier import RUB, Till, a_sent_one, a_till, asked


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


# --- while a provider is asked --------------------------------------------------------------------------------------


def a_sending_one(till: Till) -> Payouts:
    """Payout 1; the clock is where sending began."""
    payouts = till.payouts()
    payouts.approve(asked(payouts).id, approver="olga")
    payouts.begin_sending(1, author="payout send")
    return payouts


@pytest.mark.parametrize("step", ["failed", "returned"])
def test_as_long_as_its_provider_is_asked_it_is_the_partners_again_by_the_providers_word_alone(
    till: Till, step: str
) -> None:
    payouts = a_sending_one(till)
    before, balances = payouts.read(1), till.balances()
    till.clock.advance(PROVIDER_SPEAKS_MS - 1)

    with pytest.raises(UserMistake) as refused:
        getattr(payouts, step)(1, author="ada", reason="it is not there")

    assert str(refused.value) == (
        "payout 1 of 50.00 RUB is being sent, and bank may get it at any moment: payout send asks it again under the "
        "same key and books what it says; when you are asked to look there (an alert), or from 2026-11-25 12:00:00 UTC "
        f"on, look there, then say {step}"
    )
    assert (payouts.read(1), till.balances()) == (before, balances)
    ended = getattr(payouts, step)(1, author="payout send", reason="no such wallet", by_provider=True)
    assert ended.state is PayoutState[step.upper()]
    assert till.findings() == []


def test_after_a_day_a_person_may_say_so_even_if_nobody_was_asked(till: Till) -> None:
    payouts = a_sending_one(till)
    till.clock.advance(PROVIDER_SPEAKS_MS)

    assert payouts.failed(1, author="ada", reason="it is not there").state is PayoutState.FAILED


def test_who_was_asked_to_look_there_says_so_at_once(till: Till) -> None:
    payouts = a_sending_one(till)
    payouts.note(1, "look there", asks_a_person=True)

    assert payouts.failed(1, author="ada", reason="it is not there").state is PayoutState.FAILED
    assert till.findings() == []


def test_what_is_only_unclear_asks_nobody_and_stays_the_providers(till: Till) -> None:
    payouts = a_sending_one(till)
    payouts.note(1, "nothing came in time")

    with pytest.raises(UserMistake, match="is being sent"):
        payouts.failed(1, author="ada", reason="it is not there")


def test_two_persons_may_not_say_so_either(till: Till) -> None:
    a_sending_one(till)
    draft = Draft("payout_failed", "ada", "it is not there", values={"payout": 1})

    with pytest.raises(UserMistake, match="is being sent"):
        Acts(till.clerk(), Limits(RUB)).propose(draft)


def test_that_it_was_paid_a_person_may_say_at_any_time(till: Till) -> None:
    assert a_sending_one(till).paid(1, author="ada").state is PayoutState.PAID
