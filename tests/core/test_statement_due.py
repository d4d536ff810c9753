"""What is due: never more than is there and old enough, in whole minor units; how old money is; what VAT is in what was
earned.
"""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import DAY_MS, month_end, month_start, next_month
from core.ledger.accounts import earnings, held, payout, prepaid
from core.ledger.details import DetailKind
from core.ledger.entry import ChargeKind
from core.money import minor_digits
from core.statement import ChargeSum, DetailSum, Line, LineKind, due, earned_in, vat_in, young_of
from tests.makers_money import OCTOBER, moment

MONTH = 202610


@given(closing=st.integers(-(10**13), 10**13), young=st.integers(-(10**12), 10**13), minimum=st.integers(0, 10**10))
def test_never_more_is_due_than_is_there_and_old(closing: int, young: int, minimum: int) -> None:
    payable = due(closing, young, minimum, "RUB")

    assert payable == 0 or (payable >= minimum and 0 < payable <= closing - max(young, 0))
    assert payable % 10_000 == 0


def test_what_was_taken_back_is_not_young_any_more() -> None:
    came = ChargeSum(MONTH, ChargeKind.MO, "acme", "RUB", plan="standard", partner_part=100, age=1)
    charges = [
        came, came._replace(kind=ChargeKind.CHARGE_BACK, partner_part=-30), came._replace(age=0, partner_part=7),
        came._replace(held=True, partner_part=50), came._replace(month=MONTH - 1, partner_part=1),
    ]  # fmt: skip

    assert young_of(charges, [], {("acme", "RUB"): 1}) == {("acme", "RUB"): 71}
    assert young_of(charges, [], {("acme", "RUB"): 2}) == {}
    assert young_of(charges, [], {}) == {}


@pytest.mark.parametrize("step", ["returned", "failed", "cancelled", ""])
def test_a_payout_that_was_not_to_be_is_as_old_as_it_was_and_a_conversion_is_new(step: str) -> None:
    back = DetailSum(MONTH, DetailKind.PAYOUT_RETURNED, payout("acme"), earnings("acme"), "RUB", 100, age=1, step=step)
    new = DetailSum(MONTH, DetailKind.CONVERTED, "conversion:EUR:RUB", earnings("acme"), "RUB", 20, age=1)
    gone = DetailSum(MONTH, DetailKind.EARNINGS_USED, earnings("acme"), prepaid("acme"), "RUB", 5, age=1)
    let_go = DetailSum(MONTH, DetailKind.HOLD_RELEASED, held("acme"), earnings("acme"), "RUB", 3, age=1)

    assert young_of([], [back, new, gone, let_go], {("acme", "RUB"): 1}) == {("acme", "RUB"): 23}


def test_months_begin_and_end_in_their_zone() -> None:
    assert month_end(MONTH) == month_start(202611) == moment("2026-11-01T00:00:00Z")
    assert month_end(202612, "Asia/Tokyo") == moment("2026-12-31T15:00:00Z")
    assert (next_month(202612), next_month(202601)) == (202701, 202602)
    assert month_end(MONTH) - month_start(MONTH) == 31 * DAY_MS
    assert month_start(MONTH) < OCTOBER < month_end(MONTH)


@given(st.integers(-(10**15), 10**15), st.integers(0, 1_000_000), st.sampled_from(["RUB", "JPY", "TND"]))
def test_the_vat_in_an_amount_is_that_of_its_net_in_whole_minor_units(amount: int, rate: int, currency: str) -> None:
    vat = vat_in(amount, rate, currency)

    unit = 10 ** (6 - minor_digits(currency))
    exact = Fraction(amount * rate, 1_000_000 + rate)
    assert vat % unit == 0
    # The net is rounded to the millionth, the VAT down to the unit.
    assert vat - Fraction(1, 2) <= exact < vat + unit + Fraction(1, 2)
    assert vat_in(amount, 0, currency) == 0


def test_what_moves_money_is_not_earned() -> None:
    lines = [
        Line("earnings", LineKind.MO, amount=60), Line("earnings", LineKind.CHARGE_BACK, amount=-10),
        Line("earnings", LineKind.PAYOUT, amount=-50), Line("earnings", LineKind.ADJUSTED, amount=7),
        Line("held", LineKind.MO, amount=5), Line("earnings", LineKind.CLOSING, amount=99),
    ]  # fmt: skip

    assert earned_in(lines) == 50
