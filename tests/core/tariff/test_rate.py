"""Rating: the vectors of billing_split.json, and what becomes of every kind of settlement."""

from dataclasses import replace
from typing import Any

import pytest

from core.catalogue import PartnerPlan, Plan, ReferralTerms, VatRate
from core.clock import DAY_MS
from core.money import BadAmount
from core.tariff.charge import Charge, ChargeKind, ChargeState
from core.tariff.rate import (
    Unrated,
    Volumes,
    makes_loss,
    payout_fault,
    rate,
    referral_key,
    split_price,
    unrated,
    volume_key,
)
from tests.makers_money import (
    HELD,
    OCTOBER,
    REFUSED,
    a_catalogue,
    a_partner,
    a_scale,
    a_settlement,
    a_tariff,
    a_version,
    an_operator,
    micros,
    moment,
    vectors,
)

CASES = vectors("billing_split.json")["cases"]


def name_of(case: dict[str, Any]) -> str:
    return str(case["name"])


def rated(one: Unrated, *, volume: int = 0, referred: int = 0) -> list[Charge]:
    """The charges at a volume and a referral that were before."""
    volumes = Volumes()
    if (key := volume_key(one)) is not None:
        volumes.volume[key] = volume
    if (cap := referral_key(one)) is not None:
        volumes.referred[cap] = referred
    return rate(one, volumes)


def refusal_of(case: dict[str, Any]) -> str:
    """Why provisioning refuses the case, "" when it does not."""
    try:
        price, vat = micros(case["price"]), micros(case["vat"])
        payout = micros(case["payout"]) if "payout" in case else None
        fixed = micros(case["payout_fixed"]) if "payout_fixed" in case else None
    except BadAmount as mistake:
        return mistake.code
    if fault := payout_fault(price, vat, payout, fixed):
        return fault
    tiers = a_scale(("0", case["share"]))
    if makes_loss(price, vat, payout, fixed, case["share_of"], tiers) and not case.get("allow_loss"):
        return "ours_below_zero"
    return ""


def charge_of(case: dict[str, Any]) -> Charge:
    """The case as one message of one partner."""
    currency = case.get("currency", "RUB")
    cap = micros(case["referral_cap_left"]) if "referral_cap_left" in case else None
    terms = (ReferralTerms(1, "friend", micros(case["referral"]), 0, 0, cap),) if "referral" in case else ()
    operator = an_operator(vat=case["vat"], currency=currency)
    catalogue = a_catalogue(
        operator=operator,
        tariff=a_tariff(
            case["price"], payout=case.get("payout"), payout_fixed=case.get("payout_fixed"), currency=currency
        ),
        version=a_version(tiers=a_scale(("0", case["share"])), share_of=case["share_of"], currency=currency),
        partners=(a_partner(currency=currency, referral=terms),),
    )
    one = unrated(a_settlement(operator=operator), catalogue)
    (charge,) = rated(one, volume=micros(case.get("volume_before", "0")))
    return charge


@pytest.mark.parametrize("case", [case for case in CASES if "expect" in case], ids=name_of)
def test_a_price_is_split_as_the_vectors_say(case: dict[str, Any]) -> None:
    charge = charge_of(case)

    assert refusal_of(case) == ""
    assert {
        "net": charge.price - charge.vat,
        "vat": charge.vat,
        "revenue": charge.revenue,
        "operator": charge.operator_part,
        "base": charge.base,
        "partner": charge.partner_part,
        "referral": charge.referral_part,
        "ours": charge.ours,
    } == case["expect"]


@pytest.mark.parametrize("case", [case for case in CASES if "refused" in case], ids=name_of)
def test_what_cannot_be_is_refused_when_it_is_loaded(case: dict[str, Any]) -> None:
    assert refusal_of(case) == case["refused"]


def test_every_case_of_the_vectors_is_run() -> None:
    assert all(("expect" in case) != ("refused" in case) for case in CASES)


def test_a_payout_below_nothing_is_refused() -> None:
    assert payout_fault(micros("12"), micros("0.20"), -1, None) == "below_zero"
    assert payout_fault(micros("12"), micros("0.20"), None, -1) == "below_zero"


def test_the_loss_rule_looks_at_the_highest_share_wherever_it_stands() -> None:
    tiers = a_scale(("0", "0.40"), ("10", "0.51"), ("20", "0.45"))

    assert makes_loss(micros("12"), micros("0.20"), micros("0.50"), None, "net", tiers)
    assert not makes_loss(micros("12"), micros("0.20"), micros("0.50"), None, "revenue", tiers)


def test_a_long_message_is_charged_once_for_all_its_parts() -> None:
    catalogue = a_catalogue(tariff=a_tariff(payout_fixed="4.10"))

    (charge,) = rated(unrated(a_settlement(parts=3), catalogue))

    assert charge.price == micros("36.00")
    assert charge.revenue == micros("12.30")


def test_a_long_message_costs_one_price_where_the_tariff_says_so() -> None:
    catalogue = a_catalogue(tariff=a_tariff(payout_fixed="4.10", per_part=False))

    (charge,) = rated(unrated(a_settlement(parts=3), catalogue))

    assert charge.price == micros("12.00")
    assert charge.revenue == micros("4.10")


def test_a_charge_names_the_versions_that_made_it() -> None:
    terms = ReferralTerms(9, "friend", micros("0.10"), 0, 0, micros("100"))
    catalogue = a_catalogue(
        tariff=a_tariff(number=5), version=a_version(number=7), partners=(a_partner(number=3, referral=(terms,)),)
    )

    (charge,) = rated(unrated(a_settlement(), catalogue), volume=micros("2"), referred=micros("1"))

    named = (charge.tariff_id, charge.vat_id, charge.plan_version_id, charge.referral_id, charge.partner_id)
    assert named == (5, 1, 7, 9, 3)
    assert (charge.volume_before, charge.referral_before) == (micros("2"), micros("1"))
    assert (charge.partner, charge.referrer, charge.operator) == ("acme", "friend", "alpha")


def test_versions_are_those_of_the_moment_of_acceptance() -> None:
    catalogue = a_catalogue(operator=replace(an_operator(), vat=(VatRate(1, 0, 200_000), VatRate(2, OCTOBER, 180_000))))
    later = a_tariff("15.00", number=2, valid_from=OCTOBER)
    catalogue = replace(catalogue, tariffs={("4446", "alpha"): (a_tariff(), later)})

    before, after = (unrated(a_settlement(at=OCTOBER + ms), catalogue) for ms in (-1, 0))

    assert (before.price, before.tariff_id, before.vat_id) == (micros("12"), 1, 1)
    assert (after.price, after.tariff_id, after.vat_id) == (micros("15"), 2, 2)


def test_rating_moves_the_volume_and_the_referral_on() -> None:
    terms = ReferralTerms(9, "friend", micros("0.10"), 0, 0, micros("0.30"))
    one = unrated(a_settlement(), a_catalogue(partners=(a_partner(referral=(terms,)),)))
    volumes = Volumes({(1, 1, 202610): 0}, {(9, "RUB"): 0})

    referrals = [rate(one, volumes)[0].referral_part for _ in range(3)]

    assert referrals == [200_000, 100_000, 0]
    assert volumes == Volumes({(1, 1, 202610): micros("15")}, {(9, "RUB"): micros("0.30")})


def test_a_cap_that_was_lowered_below_what_was_given_gives_nothing_more() -> None:
    terms = ReferralTerms(9, "friend", micros("0.10"), 0, 0, micros("0.30"))
    one = unrated(a_settlement(), a_catalogue(partners=(a_partner(referral=(terms,)),)))

    (charge,) = rated(one, referred=micros("0.50"))

    assert charge.referral_part == 0
    assert charge.ours == micros("2")


def test_a_volume_that_was_not_loaded_stops_rating() -> None:
    one = unrated(a_settlement(), a_catalogue())

    with pytest.raises(KeyError):
        rate(one, Volumes())


def test_reaching_a_tier_makes_a_second_row_without_price_base_or_referral() -> None:
    terms = ReferralTerms(9, "friend", micros("0.10"), 0, 0, None)
    version = a_version(tiers=a_scale(("0", "0.60"), ("12", "0.70")), mode="volume")
    one = unrated(a_settlement(42), a_catalogue(version=version, partners=(a_partner(referral=(terms,)),)))

    own, correction = rated(one, volume=micros("10"))

    assert (own.partner_part, own.referral_part, own.ours) == (micros("3.5"), micros("0.15"), micros("1.35"))
    assert (correction.kind, correction.message_id) == (ChargeKind.TIER_CORRECTION, 42)
    assert (correction.price, correction.base, correction.referral_part) == (0, 0, 0)
    assert (correction.partner_part, correction.ours) == (micros("1"), -micros("1"))
    assert (correction.volume_before, correction.month) == (own.volume_before, own.month)


def test_the_correction_of_a_held_message_is_held_too() -> None:
    version = a_version(tiers=a_scale(("0", "0.60"), ("12", "0.70")), mode="volume")
    one = unrated(a_settlement(verdict=HELD), a_catalogue(version=version))

    assert [charge.held for charge in rated(one, volume=micros("10"))] == [True, True]


def test_a_refused_message_lies_in_suspense_with_its_reason() -> None:
    one = unrated(a_settlement(verdict=REFUSED), a_catalogue())

    (charge,) = rated(one)

    assert (charge.state, charge.reason, charge.partner_id) == (ChargeState.POSTED, "refused", 0)
    assert (charge.suspense, charge.partner_part, charge.ours) == (micros("5"), 0, 0)
    assert volume_key(one) is None


@pytest.mark.parametrize("reason", ["no_short_code", "no_prefix"])
def test_a_message_that_leads_nowhere_lies_in_suspense(reason: str) -> None:
    (charge,) = rated(unrated(a_settlement(partner="", reason=reason), a_catalogue()))

    assert (charge.reason, charge.partner, charge.suspense) == (reason, "", micros("5"))


def test_a_message_in_a_currency_without_a_plan_waits_in_suspense_for_its_partner() -> None:
    catalogue = a_catalogue(tariff=a_tariff(currency="JPY"))

    (charge,) = rated(unrated(a_settlement(), catalogue))

    assert (charge.reason, charge.partner_id, charge.partner) == ("no_plan", 1, "acme")
    assert (charge.suspense, charge.partner_part, charge.plan_version_id) == (micros("5"), 0, 0)
    assert charge.currency == "JPY"


def test_a_plan_that_does_not_cover_the_short_code_is_no_plan() -> None:
    catalogue = a_catalogue(version=a_version(short_codes=("7000",)))

    (charge,) = rated(unrated(a_settlement(), catalogue))

    assert (charge.reason, charge.suspense) == ("no_plan", micros("5"))


def test_a_partner_that_the_catalogue_does_not_know_stops_nobody() -> None:
    (charge,) = rated(unrated(a_settlement(partner="stranger"), a_catalogue()))

    assert (charge.reason, charge.partner, charge.partner_id) == ("no_plan", "stranger", 0)
    assert charge.suspense == micros("5")


def test_without_a_tariff_the_charge_is_pending_and_has_no_amounts() -> None:
    catalogue = replace(a_catalogue(), tariffs={})

    (charge,) = rated(unrated(a_settlement(), catalogue))

    assert (charge.state, charge.reason) == (ChargeState.PENDING, "no_tariff")
    assert (charge.price, charge.vat, charge.base, charge.suspense) == (0, 0, 0, 0)
    assert (charge.partner, charge.currency) == ("acme", "RUB")


def test_before_the_first_vat_rate_there_is_no_amount_either() -> None:
    catalogue = a_catalogue(operator=replace(an_operator(), vat=()))

    assert unrated(a_settlement(), catalogue).reason == "no_tariff"


def test_a_message_over_an_operator_that_the_catalogue_does_not_know_waits() -> None:
    one = unrated(a_settlement(operator=an_operator("gamma", number=2)), a_catalogue())

    assert one.reason == "no_tariff"


def test_a_test_message_is_not_charged() -> None:
    one = unrated(a_settlement(test=True), a_catalogue())

    assert rated(one) == []
    assert one.reason == "test"


def test_writing_to_a_short_code_whose_tariff_charges_what_comes_from_it_is_free() -> None:
    one = unrated(a_settlement(), a_catalogue(tariff=replace(a_tariff(), charges="mt")))

    assert rated(one) == []
    assert one.reason == "free"


def test_the_month_is_that_of_the_plans_zone() -> None:
    at = moment("2026-10-31T21:00:00Z")
    moscow = a_catalogue(version=a_version(time_zone="Europe/Moscow"))

    assert unrated(a_settlement(at=at), moscow).month == 202611
    assert unrated(a_settlement(at=at, partner="", reason="no_prefix"), moscow).month == 202610


def test_a_closed_month_is_left_for_the_first_open_one() -> None:
    assert unrated(a_settlement(), a_catalogue(), 202612).month == 202612
    assert unrated(a_settlement(), a_catalogue(), 202609).month == 202610
    assert unrated(a_settlement(partner="", reason="no_prefix"), a_catalogue(), 202612).month == 202612


def test_a_referral_ends_with_its_term() -> None:
    terms = ReferralTerms(9, "friend", micros("0.10"), 0, OCTOBER, None)
    catalogue = a_catalogue(partners=(a_partner(referral=(terms,)),))

    (during,) = rated(unrated(a_settlement(at=OCTOBER - 1), catalogue))
    (after,) = rated(unrated(a_settlement(at=OCTOBER), catalogue))

    assert (during.referral_part, during.referrer) == (200_000, "friend")
    assert (after.referral_part, after.referrer, after.referral_id) == (0, "", 0)


def test_two_plans_in_one_month_have_a_volume_each() -> None:
    changed = a_version("retro", number=2)
    partner = a_partner()
    partner = replace(partner, plans=(*partner.plans, PartnerPlan(2, "retro", "RUB", OCTOBER)))
    catalogue = a_catalogue(partners=(partner,))
    catalogue = replace(catalogue, plans={**catalogue.plans, "retro": Plan(2, "retro", "RUB", (changed,))})

    keys = [volume_key(unrated(a_settlement(at=at), catalogue)) for at in (OCTOBER - DAY_MS, OCTOBER)]

    assert keys == [(1, 1, 202610), (1, 2, 202610)]


def test_a_fixed_payout_of_many_parts_may_pass_the_net_by_rounding_and_still_sums() -> None:
    split = split_price(micros("100"), micros("0.20"), None, 2 * micros("41.666667"))

    assert (split.net, split.operator) == (micros("83.333333"), -1)
    assert split.vat + split.revenue + split.operator == micros("100")
