"""What is true of every charge, however it came about."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core.catalogue import Catalogue, ReferralTerms, Tariff
from core.money import MILLION
from core.tariff.charge import Charge
from core.tariff.rate import Volumes, rate, referral_key, unrated, volume_key
from core.tariff.tiers import earned
from tests.core.tariff.test_tiers import plans
from tests.makers_money import HELD, REFUSED, a_catalogue, a_partner, a_settlement, a_tariff, a_version, an_operator

CAP = 1_500_000

fractions = st.integers(0, MILLION)
messages = st.lists(st.tuples(st.integers(1, 4), st.sampled_from([None, HELD, REFUSED])), max_size=12)


@st.composite
def catalogues(draw: st.DrawFn) -> Catalogue:
    """One partner on any plan, with a referrer up to a cap or without one, at any price, VAT and payout."""
    mode, tiers = draw(plans())
    vat = draw(fractions)
    price = draw(st.integers(0, 5_000_000))
    fixed = draw(st.none() | st.integers(0, price * MILLION // (MILLION + vat)))
    payout = None if fixed is not None else draw(fractions)
    rates = draw(st.none() | st.tuples(fractions, st.sampled_from([None, CAP])))
    terms = () if rates is None else (ReferralTerms(1, "friend", rates[0], 0, 0, rates[1]),)
    return a_catalogue(
        operator=an_operator(vat=f"0.{vat:06d}" if vat < MILLION else "1"),
        tariff=Tariff(1, "4446", "alpha", 0, price, payout, fixed, draw(st.booleans()), "RUB"),
        version=a_version(tiers=tiers, mode=mode, share_of=draw(st.sampled_from(["revenue", "net"]))),
        partners=(a_partner(referral=terms),),
    )


def rate_all(catalogue: Catalogue, sequence: Any, volume: int = 0) -> tuple[list[Charge], Volumes]:
    """Rate messages of (parts, verdict) one after the other."""
    volumes = Volumes()
    charges: list[Charge] = []
    for number, (parts, verdict) in enumerate(sequence, start=1):
        one = unrated(a_settlement(number, parts=parts, verdict=verdict), catalogue)
        if (key := volume_key(one)) is not None:
            volumes.volume.setdefault(key, volume)
        if (cap := referral_key(one)) is not None:
            volumes.referred.setdefault(cap, 0)
        charges += rate(one, volumes)
    return charges, volumes


@given(catalogue=catalogues(), sequence=messages, volume=st.integers(-6_000_000, 6_000_000))
def test_the_parts_of_a_charge_sum_to_its_price(catalogue: Catalogue, sequence: Any, volume: int) -> None:
    charges, _ = rate_all(catalogue, sequence, volume)

    for charge in charges:
        earned_parts = charge.partner_part + charge.referral_part + charge.ours + charge.suspense
        assert charge.vat + charge.operator_part + earned_parts == charge.price


@given(catalogue=catalogues(), sequence=messages, volume=st.integers(-6_000_000, 6_000_000))
def test_a_partner_earns_f_of_its_volume_whatever_was_held_or_refused(
    catalogue: Catalogue, sequence: Any, volume: int
) -> None:
    version = catalogue.plans["standard"].versions[0]

    charges, volumes = rate_all(catalogue, sequence, volume)

    after = volumes.volume.get((1, 1, 202610), volume)
    rise = earned(version.tiers_mode, version.tiers, after) - earned(version.tiers_mode, version.tiers, volume)
    assert sum(charge.partner_part for charge in charges) == rise
    assert sum(charge.base for charge in charges) == after - volume


@given(catalogue=catalogues(), sequence=messages)
def test_a_referrer_never_gets_more_than_its_cap_nor_any_of_the_partners_part(
    catalogue: Catalogue, sequence: Any
) -> None:
    charges, _ = rate_all(catalogue, sequence)

    capped = [charge.referral_part for charge in charges if charge.referral_before is not None]
    assert sum(capped) <= CAP
    for charge in charges:
        assert 0 <= charge.referral_part <= max(0, charge.revenue - charge.partner_part)


@given(catalogue=catalogues(), sequence=messages)
def test_without_a_referrer_the_partner_earns_the_same(catalogue: Catalogue, sequence: Any) -> None:
    alone = a_catalogue(
        operator=catalogue.operators["alpha"],
        tariff=catalogue.tariffs["4446", "alpha"][0],
        version=catalogue.plans["standard"].versions[0],
    )

    with_referrer, _ = rate_all(catalogue, sequence)
    without, _ = rate_all(alone, sequence)

    assert [charge.partner_part for charge in with_referrer] == [charge.partner_part for charge in without]


def test_a_charge_says_what_the_operator_pays_for_it() -> None:
    charges, _ = rate_all(a_catalogue(tariff=a_tariff()), [(1, None)])

    assert [charge.revenue for charge in charges] == [5_000_000]
