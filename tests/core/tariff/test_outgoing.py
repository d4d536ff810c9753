"""What outgoing SMS cost their partner, the subscriber and us."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalogue import MtTier, OutgoingCost, VatRate
from core.ledger.facts import sum_postings
from core.message import MtState
from core.tariff.charge import Charge, ChargeKind, ChargeState
from core.tariff.outgoing import (
    charge_cost,
    charge_standard,
    is_chargeable,
    parts_sent,
    post_premium,
    premium_pending,
    price_standard,
    unrated_premium,
    void,
)
from core.tariff.rate import Volumes, volume_key
from tests.makers_money import a_tariff, a_version, micros

MONTH = 202610
SCALE = (MtTier(0, 1_200_000), MtTier(10, 900_000))
FINAL = [state for state in MtState if state.is_final]


def a_charge(price: int, *, vat: int = 0) -> Charge:
    """Of a standard MT."""
    version = a_version(mt_price=SCALE)
    plan = type(version)(**{name: getattr(version, name) for name in version.__slots__} | {"mt_vat": vat})
    return charge_standard(
        message_id=1,
        partner_id=1,
        partner="acme",
        operator="alpha",
        plan=plan,
        price=price,
        parts_before=0,
        month=MONTH,
    )


@pytest.mark.parametrize(
    ("on", "charged"),
    [
        ("submitted", {MtState.DELIVERED, MtState.FAILED, MtState.EXPIRED, MtState.UNKNOWN, MtState.CANCELLED}),
        ("delivered", {MtState.DELIVERED}),
    ],
)
def test_which_ends_are_charged(on: str, charged: set[MtState]) -> None:
    assert {state for state in FINAL if is_chargeable(on, state, was_submitted=True)} == charged


@pytest.mark.parametrize("on", ["submitted", "delivered"])
def test_what_was_refused_or_never_left_is_never_charged(on: str) -> None:
    assert not is_chargeable(on, MtState.REJECTED, was_submitted=True)
    not_sent = (MtState.FAILED, MtState.EXPIRED, MtState.REJECTED, MtState.CANCELLED)
    assert not any(is_chargeable(on, state, was_submitted=False) for state in not_sent)


def test_a_state_that_is_not_final_is_asked_by_mistake_only() -> None:
    with pytest.raises(AssertionError):
        is_chargeable("submitted", MtState.SUBMITTED, was_submitted=True)


def test_a_plan_without_a_scale_has_no_price() -> None:
    assert price_standard((), 0, 1) is None
    assert price_standard(SCALE, 9, 3) == 3_600_000
    assert price_standard(SCALE, 10, 1) == 900_000


@given(st.integers(0, 10**12), st.integers(0, 1_000_000))
def test_a_standard_mt_is_paid_out_of_what_was_reserved_to_the_last_millionth(price: int, vat: int) -> None:
    charge = a_charge(price, vat=vat)

    assert charge.price == charge.vat + charge.ours
    assert sum(p.amount for p in sum_postings([charge])) == price
    assert {p.debit for p in sum_postings([charge])} <= {"partner:acme:reserved"}


def test_vat_is_posted_apart() -> None:
    postings = {p.credit: p.amount for p in sum_postings([a_charge(1_200_000, vat=200_000)])}

    assert postings == {"income:outgoing": 1_000_000, "tax:vat": 200_000}


def test_what_costs_nothing_is_no_charge() -> None:
    free = OutgoingCost(1, 0, 0, "submitted")

    assert charge_cost(free, message_id=1, operator="alpha", currency="RUB", parts=3, month=MONTH) is None


def test_the_operator_takes_the_pieces_of_a_long_text_and_of_a_whole_one_what_its_centre_makes_of_it() -> None:
    assert [parts_sent(pieces, 2) for pieces in (None, 0, 1, 2, 3)] == [2, 0, 1, 2, 3]


def test_a_premium_mt_is_rated_when_it_is_posted() -> None:
    pending = premium_pending(1, 1, "acme", "alpha", a_tariff("12.00"), VatRate(1, 0, micros("0.20")), 2, MONTH)
    assert sum_postings([pending]) == []
    assert (pending.state, pending.price, pending.revenue) == (ChargeState.PENDING, 24_000_000, 10_000_000)

    one = unrated_premium(pending, a_version(), None, month=MONTH)
    key = volume_key(one)
    assert key is not None
    volumes = Volumes({key: 0})
    (posted,) = post_premium(one, volumes)

    assert (posted.kind, posted.state, posted.partner_part) == (ChargeKind.PREMIUM_MT, ChargeState.POSTED, 6_000_000)
    assert volumes.volume == {key: 10_000_000}
    assert posted.price == posted.vat + posted.operator_part + posted.partner_part + posted.ours


def test_a_premium_mt_without_a_plan_lies_in_suspense() -> None:
    pending = premium_pending(1, 1, "acme", "alpha", a_tariff("12.00"), VatRate(1, 0, micros("0.20")), 1, MONTH)

    (posted,) = post_premium(unrated_premium(pending, None, None, month=MONTH, reason="no_plan"), Volumes())

    assert (posted.suspense, posted.reason) == (5_000_000, "no_plan")
    assert [(p.debit, p.credit) for p in sum_postings([posted])] == [("operator:alpha:receivable", "suspense:alpha")]


def test_a_premium_mt_that_failed_moves_nothing_and_is_voided_once() -> None:
    pending = premium_pending(1, 1, "acme", "alpha", a_tariff("12.00"), VatRate(1, 0, micros("0.20")), 1, MONTH)
    voided = void(pending)

    assert sum_postings([voided]) == []
    with pytest.raises(AssertionError):
        void(voided)
