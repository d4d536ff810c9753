"""Facts and their postings, as section 6 has them."""

from collections import Counter
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core.catalogue import Catalogue
from core.ledger.entry import Charge, ChargeKind, ChargeState
from core.ledger.facts import postings_of_charge, sum_postings
from tests.core.tariff.test_charge import catalogues, messages, rate_all
from tests.makers_money import HELD, micros

RECEIVABLE = "operator:alpha:receivable"


def a_charge(
    partner_part: str = "3",
    ours: str = "2",
    *,
    referral: str = "0",
    suspense: str = "0",
    kind: ChargeKind = ChargeKind.MO,
    held: bool = False,
    month: int = 202610,
) -> Charge:
    """A posted charge of acme over alpha, with a friend as its referrer; the operator keeps as much as it pays."""
    parts = micros(partner_part), micros(referral), micros(ours), micros(suspense)
    revenue = sum(parts)
    return Charge(
        1, kind, ChargeState.POSTED, "", "RUB", "alpha", 1, "acme", "friend", 2 * revenue, 0, revenue, revenue, 0,
        *parts, 1, 1, 1, 1, None, month, held,
    )  # fmt: skip


def test_an_mo_pays_partner_referrer_and_us_out_of_the_receivable() -> None:
    assert postings_of_charge(a_charge("3", "1.8", referral="0.2")) == [
        (RECEIVABLE, "income:margin", micros("1.8")),
        (RECEIVABLE, "partner:acme:earnings", micros("3")),
        (RECEIVABLE, "partner:friend:earnings", micros("0.2")),
    ]


def test_what_the_operator_does_not_cover_is_our_loss() -> None:
    assert postings_of_charge(a_charge("5.5", "-0.5")) == [
        ("expense:loss", "partner:acme:earnings", micros("0.5")),
        (RECEIVABLE, "partner:acme:earnings", micros("5")),
    ]


def test_a_loss_on_no_revenue_comes_from_us_alone() -> None:
    assert postings_of_charge(a_charge("3", "-3")) == [("expense:loss", "partner:acme:earnings", micros("3"))]


def test_what_is_held_does_not_reach_earnings_but_the_referrer_is_paid() -> None:
    assert postings_of_charge(a_charge("3", "1.8", referral="0.2", held=True)) == [
        (RECEIVABLE, "income:margin", micros("1.8")),
        (RECEIVABLE, "partner:acme:held", micros("3")),
        (RECEIVABLE, "partner:friend:earnings", micros("0.2")),
    ]


def test_a_loss_on_a_held_message_is_held_too() -> None:
    assert ("expense:loss", "partner:acme:held", micros("0.5")) in postings_of_charge(
        a_charge("5.5", "-0.5", held=True)
    )


def test_a_tier_correction_comes_out_of_our_margin() -> None:
    correction = a_charge("1", "-1", kind=ChargeKind.TIER_CORRECTION)

    assert postings_of_charge(correction) == [("income:margin", "partner:acme:earnings", micros("1"))]
    assert postings_of_charge(replace(correction, held=True)) == [("income:margin", "partner:acme:held", micros("1"))]


def test_a_tier_correction_below_zero_goes_back_to_our_margin() -> None:
    correction = a_charge("-1", "1", kind=ChargeKind.TIER_CORRECTION)

    assert postings_of_charge(correction) == [("partner:acme:earnings", "income:margin", micros("1"))]
    assert postings_of_charge(replace(correction, held=True)) == [("partner:acme:held", "income:margin", micros("1"))]


def test_what_belongs_to_nobody_lies_in_suspense() -> None:
    charge = a_charge("0", "0", suspense="5")

    assert postings_of_charge(charge) == [(RECEIVABLE, "suspense:alpha", micros("5"))]


def test_what_is_not_posted_moves_nothing() -> None:
    for state in (ChargeState.PENDING, ChargeState.VOIDED):
        assert postings_of_charge(replace(a_charge(), state=state)) == []


def test_a_batch_of_zeros_has_no_postings() -> None:
    assert sum_postings([a_charge("0", "0"), a_charge("0", "0")]) == []


def test_months_are_not_summed_together() -> None:
    postings = sum_postings([a_charge(month=202610), a_charge(month=202611), a_charge(month=202611)])

    assert [(posting.credit, posting.amount, posting.month) for posting in postings] == [
        ("income:margin", micros("2"), 202610),
        ("income:margin", micros("4"), 202611),
        ("partner:acme:earnings", micros("3"), 202610),
        ("partner:acme:earnings", micros("6"), 202611),
    ]


def test_opposite_postings_are_not_netted() -> None:
    up, down = (a_charge(part, ours, kind=ChargeKind.TIER_CORRECTION) for part, ours in (("1", "-1"), ("-1", "1")))

    assert len(sum_postings([up, down])) == 2


@given(catalogue=catalogues(), sequence=messages, volume=st.integers(-6_000_000, 6_000_000))
def test_an_entry_moves_exactly_the_parts_of_its_charges(catalogue: Catalogue, sequence: Any, volume: int) -> None:
    charges, _ = rate_all(catalogue, sequence, volume)

    moved: Counter[str] = Counter()
    for posting in sum_postings(charges):
        moved[posting.credit] += posting.amount
        moved[posting.debit] -= posting.amount

    assert moved.total() == 0
    assert -moved[RECEIVABLE] == sum(charge.revenue for charge in charges)
    partner = moved["partner:acme:earnings"] + moved["partner:acme:held"]
    assert partner == sum(charge.partner_part for charge in charges)
    assert moved["partner:acme:held"] == sum(charge.partner_part for charge in charges if charge.held)
    assert moved["partner:friend:earnings"] == sum(charge.referral_part for charge in charges)
    assert moved["income:margin"] + moved["expense:loss"] == sum(charge.ours for charge in charges)
    assert moved["suspense:alpha"] == sum(charge.suspense for charge in charges)


@given(catalogue=catalogues(), sequence=messages, cut=st.integers(0, 12))
def test_two_batches_move_what_one_would(catalogue: Catalogue, sequence: Any, cut: int) -> None:
    charges, _ = rate_all(catalogue, sequence)

    def sums(*batches: list[Charge]) -> Counter[tuple[str, str]]:
        found: Counter[tuple[str, str]] = Counter()
        for batch in batches:
            for posting in sum_postings(batch):
                found[posting.debit, posting.credit] += posting.amount
        return found

    assert sums(charges) == sums(charges[:cut], charges[cut:])


def test_a_held_message_and_others_share_an_entry() -> None:
    postings = sum_postings([a_charge(), a_charge(held=HELD.holds)])

    assert [(posting.credit, posting.amount) for posting in postings] == [
        ("income:margin", micros("4")),
        ("partner:acme:earnings", micros("3")),
        ("partner:acme:held", micros("3")),
    ]
