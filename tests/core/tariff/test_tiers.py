"""Tiers: the vectors of billing_tiers.json, and what is true of every scale."""

from collections import defaultdict
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalogue import MtTier, Tier
from core.clock import month_of, month_text
from core.money import MILLION
from core.tariff.tiers import GRADUATED, VOLUME, earn, earned, mt_price
from tests.makers_money import a_scale, micros, moment, vectors

CASES = vectors("billing_tiers.json")["cases"]
SCALES = [case for case in CASES if "scale" in case]
PRICES = [case for case in CASES if "mt_price" in case]


def name_of(case: dict[str, Any]) -> str:
    return str(case["name"])


@st.composite
def plans(draw: st.DrawFn) -> tuple[str, tuple[Tier, ...]]:
    """A mode and a scale that provisioning lets in: shares do not fall in a volume plan."""
    mode = draw(st.sampled_from([GRADUATED, VOLUME]))
    starts = [0, *sorted(draw(st.sets(st.integers(1, 5_000_000), max_size=4)))]
    shares = draw(st.lists(st.integers(0, MILLION), min_size=len(starts), max_size=len(starts)))
    return mode, tuple(map(Tier, starts, sorted(shares) if mode == VOLUME else shares))


BASES = st.lists(st.integers(-3_000_000, 3_000_000), max_size=12)


def f_by_the_text(mode: str, tiers: tuple[Tier, ...], volume: int) -> int:
    """F as section 3 writes it, in fractions."""
    if volume < 0:
        return int(Fraction(volume * tiers[0].share, MILLION) // 1)
    if mode == VOLUME:
        share = [tier.share for tier in tiers if volume >= tier.start][-1]
        return int(Fraction(volume * share, MILLION) // 1)
    ends = [*[tier.start for tier in tiers[1:]], volume]
    slices = sum(
        Fraction(max(0, min(volume, end) - tier.start) * tier.share, MILLION) for tier, end in zip(tiers, ends)
    )
    return int(slices // 1)


@pytest.mark.parametrize("case", SCALES, ids=name_of)
def test_each_step_of_the_vectors_earns_what_they_say(case: dict[str, Any]) -> None:
    tiers = a_scale(*map(tuple, case["scale"]))
    volumes: dict[str, int] = defaultdict(int)
    earnings: dict[str, int] = defaultdict(int)

    for step in case["steps"]:
        month = month_text(month_of(moment(step["at"]), case["time_zone"]))
        before = volumes[month]
        base = micros(step["base"])
        own, correction = earn(case["mode"], tiers, before, base)
        volumes[month] += base
        earnings[month] += own + correction
        found = (month, before, own, correction, volumes[month])
        assert found == tuple(step[word] for word in ("month", "v_before", "partner", "tier_correction", "v_after"))

    expected = {month: (row["volume"], row["earned"]) for month, row in case["months"].items()}
    assert {month: (volumes[month], earnings[month]) for month in volumes} == expected
    assert all(earned(case["mode"], tiers, volumes[month]) == earnings[month] for month in volumes)


@pytest.mark.parametrize("case", PRICES, ids=name_of)
def test_an_outgoing_message_costs_its_parts_at_the_price_of_the_first(case: dict[str, Any]) -> None:
    scale = [MtTier(start, micros(price)) for start, price in case["mt_price"]]

    prices = [mt_price(scale, step["counted_before"], step["parts"]) for step in case["steps"]]

    assert prices == [step["price"] for step in case["steps"]]


def test_every_case_of_the_vectors_is_run() -> None:
    assert len(SCALES) + len(PRICES) == len(CASES) == 33


def test_a_mode_that_is_none_is_refused() -> None:
    tiers = a_scale(("0", "0.60"), ("100", "0.70"))

    with pytest.raises(AssertionError):
        earned("stepwise", tiers, micros("200"))
    with pytest.raises(AssertionError):
        earn("stepwise", tiers, 0, micros("200"))


@given(plan=plans(), volume=st.integers(-6_000_000, 6_000_000))
def test_f_is_what_the_text_says(plan: tuple[str, tuple[Tier, ...]], volume: int) -> None:
    assert earned(*plan, volume) == f_by_the_text(*plan, volume)


@given(plan=plans(), volume=st.integers(-6_000_000, 6_000_000), more=st.integers(0, 6_000_000))
def test_who_has_more_volume_never_has_earned_less(plan: tuple[str, tuple[Tier, ...]], volume: int, more: int) -> None:
    assert earned(*plan, volume) <= earned(*plan, volume + more)


@given(plan=plans(), bases=BASES, order=st.randoms(use_true_random=False))
def test_the_months_earnings_do_not_depend_on_the_order(
    plan: tuple[str, tuple[Tier, ...]], bases: list[int], order: Any
) -> None:
    def run(sequence: list[int]) -> int:
        volume = total = 0
        for base in sequence:
            own, correction = earn(*plan, volume, base)
            volume += base
            total += own + correction
        return total

    shuffled = list(bases)
    order.shuffle(shuffled)

    assert run(bases) == run(shuffled) == earned(*plan, sum(bases))


@given(plan=plans(), before=st.integers(-6_000_000, 6_000_000), base=st.integers(0, 6_000_000))
def test_a_charge_back_is_the_mirror_of_its_message(plan: tuple[str, tuple[Tier, ...]], before: int, base: int) -> None:
    own, correction = earn(*plan, before, base)

    assert earn(*plan, before + base, -base) == (-own, -correction)


@given(plan=plans(), before=st.integers(-6_000_000, 6_000_000), base=st.integers(0, 6_000_000))
def test_a_messages_own_part_is_never_below_zero(plan: tuple[str, tuple[Tier, ...]], before: int, base: int) -> None:
    own, correction = earn(*plan, before, base)

    assert own >= 0
    assert correction == 0 or plan[0] == VOLUME


@given(plan=plans(), volume=st.integers(-6_000_000, -1))
def test_below_zero_f_goes_on_with_the_first_share(plan: tuple[str, tuple[Tier, ...]], volume: int) -> None:
    assert earned(*plan, volume) == volume * plan[1][0].share // MILLION
