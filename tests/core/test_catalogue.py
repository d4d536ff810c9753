"""The catalogue finds the version that held at a moment, or none."""

from dataclasses import replace

import pytest

from core.catalogue import Catalogue, PartnerPlan, Plan, ReferralTerms, VatRate, version_at
from core.clock import DAY_MS, Instant
from tests.makers_money import OCTOBER, a_catalogue, a_partner, a_tariff, a_version, an_operator


def on_plans(*plans: PartnerPlan) -> Catalogue:
    """acme on these plans; standard (RUB), retro (RUB, only 7000) and tokyo (JPY) are there."""
    versions = [
        a_version("standard", number=1),
        a_version("retro", number=2, short_codes=("7000",)),
        a_version("tokyo", number=3, currency="JPY"),
    ]
    catalogue = a_catalogue(partners=(replace(a_partner(), plans=plans),))
    return replace(catalogue, plans={v.plan: Plan(v.id, v.plan, v.currency, (v,)) for v in versions})


@pytest.mark.parametrize(
    ("moment", "number"), [(OCTOBER - 1, 1), (OCTOBER, 2), (OCTOBER + DAY_MS - 1, 2), (OCTOBER + DAY_MS, 3)]
)
def test_a_version_holds_from_its_first_moment_until_the_next_one(moment: Instant, number: int) -> None:
    versions = [VatRate(1, 0, 200_000), VatRate(2, OCTOBER, 180_000), VatRate(3, OCTOBER + DAY_MS, 100_000)]

    found = version_at(versions, moment)

    assert found is not None
    assert found.id == number


def test_before_the_first_version_there_is_none() -> None:
    assert version_at([VatRate(1, OCTOBER, 0)], OCTOBER - 1) is None
    assert version_at([], OCTOBER) is None


def test_a_tariff_is_found_by_short_code_and_operator() -> None:
    catalogue = a_catalogue(tariff=a_tariff(valid_from=OCTOBER))

    assert catalogue.tariff_at("4446", "alpha", OCTOBER) == a_tariff(valid_from=OCTOBER)
    assert catalogue.tariff_at("4446", "alpha", OCTOBER - 1) is None
    assert catalogue.tariff_at("4446", "beta", OCTOBER) is None
    assert catalogue.tariff_at("7000", "alpha", OCTOBER) is None


def test_vat_is_that_of_the_operator() -> None:
    assert a_catalogue(operator=an_operator(vat="0.18")).vat_at("alpha", OCTOBER) == VatRate(1, 0, 180_000)


def test_a_plan_is_found_by_the_currency_of_the_charge() -> None:
    catalogue = on_plans(PartnerPlan(1, "standard", "RUB", 0), PartnerPlan(2, "tokyo", "JPY", 0))

    names = {}
    for currency in ("RUB", "JPY", "EUR"):
        version = catalogue.plan_at("acme", currency, "4446", OCTOBER)
        names[currency] = version and version.plan

    assert names == {"RUB": "standard", "JPY": "tokyo", "EUR": None}


def test_a_plan_holds_from_its_date_and_ends_the_one_before() -> None:
    catalogue = on_plans(PartnerPlan(1, "standard", "RUB", 0), PartnerPlan(2, "retro", "RUB", OCTOBER))

    before, after = (catalogue.plan_at("acme", "RUB", "7000", moment) for moment in (OCTOBER - 1, OCTOBER))

    assert before is not None
    assert after is not None
    assert (before.plan, after.plan) == ("standard", "retro")


def test_a_plan_that_does_not_cover_the_short_code_does_not_give_way_to_the_one_before() -> None:
    catalogue = on_plans(PartnerPlan(1, "standard", "RUB", 0), PartnerPlan(2, "retro", "RUB", OCTOBER))

    assert catalogue.plan_at("acme", "RUB", "4446", OCTOBER) is None


def test_before_its_first_plan_a_partner_has_none() -> None:
    assert on_plans(PartnerPlan(1, "standard", "RUB", OCTOBER)).plan_at("acme", "RUB", "4446", OCTOBER - 1) is None
    assert on_plans().plan_at("acme", "RUB", "4446", OCTOBER) is None


@pytest.mark.parametrize(
    ("moment", "runs"), [(OCTOBER - 1, False), (OCTOBER, True), (OCTOBER + 9, True), (OCTOBER + 10, False)]
)
def test_a_referral_runs_from_its_first_moment_until_its_end(moment: Instant, runs: bool) -> None:
    terms = ReferralTerms(1, "friend", 100_000, OCTOBER, OCTOBER + 10, None)
    catalogue = a_catalogue(partners=(a_partner(referral=(terms,)),))

    assert (catalogue.referral_at("acme", moment) is terms) is runs


def test_a_referral_without_an_end_goes_on() -> None:
    terms = ReferralTerms(1, "friend", 100_000, 0, 0, None)
    catalogue = a_catalogue(partners=(a_partner(referral=(terms,)),))

    assert catalogue.referral_at("acme", OCTOBER + 10_000 * DAY_MS) is terms
