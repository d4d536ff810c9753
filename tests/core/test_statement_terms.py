"""Whose terms hold for a statement: those with which the month ended in the plan's own zone, wherever that is."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalogue import Catalogue, PartnerPlan, Plan, PlanVersion
from core.clock import Instant, month_end, next_month
from core.statement_terms import payout_terms
from tests.makers_money import a_catalogue, a_version, micros, moment

MONTH = 202610
ZONES = ("UTC", "Europe/Moscow", "America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago")
BEFORE, AFTER = 14, 25
"""Days of hold-back, by which the terms are told apart."""


def a_hold(days: int, *, zone: str = "UTC") -> Catalogue:
    version = replace(a_version(time_zone=zone), hold_days=days, minimum_payout=micros("500"))
    return a_catalogue(version=version)


def test_terms_are_those_of_the_plan_at_the_months_end_in_its_own_zone() -> None:
    terms = payout_terms(a_hold(14, zone="Europe/Moscow"), "acme", "RUB", MONTH)

    assert (terms.hold_days, terms.minimum_payout) == (14, micros("500"))
    assert terms.old_until == moment("2026-10-17T21:00:00Z")
    assert payout_terms(a_hold(14), "acme", "EUR", MONTH).hold_days == 0


def test_a_plan_of_the_next_month_says_nothing_of_this_one() -> None:
    catalogue = a_hold(14)
    later = Plan(2, "later", "RUB", (a_version("later", number=2),))
    acme = catalogue.partners["acme"]
    changed = replace(acme, plans=(*acme.plans, PartnerPlan(9, "later", "RUB", month_end(MONTH))))
    catalogue = replace(catalogue, plans={**catalogue.plans, "later": later}, partners={"acme": changed})

    assert payout_terms(catalogue, "acme", "RUB", MONTH).hold_days == 14
    assert payout_terms(catalogue, "acme", "RUB", next_month(MONTH)).hold_days == 0


def terms_of(days: int, zone: str, valid_from: Instant = 0, *, number: int = 1, plan: str = "standard") -> PlanVersion:
    return replace(a_version(plan, number=number, time_zone=zone, valid_from=valid_from), hold_days=days)


def held_days(catalogue: Catalogue, month: int = MONTH) -> int:
    return payout_terms(catalogue, "acme", "RUB", month).hold_days


def with_versions(*versions: PlanVersion) -> Catalogue:
    catalogue = a_catalogue(version=versions[0])
    plan = catalogue.plans[versions[0].plan]
    return replace(catalogue, plans={plan.name: replace(plan, versions=versions)})


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("was", ZONES)
@pytest.mark.parametrize("in_zone_of", ["before", "after"])
def test_a_version_that_begins_with_the_next_month_says_nothing_of_this_one(
    was: str, zone: str, in_zone_of: str
) -> None:
    """A load without a date begins it in the zone of the version before, one with a date in its own."""
    begins = month_end(MONTH, was if in_zone_of == "before" else zone)
    catalogue = with_versions(terms_of(BEFORE, was), terms_of(AFTER, zone, begins, number=2))

    assert (held_days(catalogue), held_days(catalogue, next_month(MONTH))) == (BEFORE, AFTER)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("was", ZONES)
def test_a_partner_that_goes_to_another_plan_with_the_next_month_has_its_old_terms_in_this_one(
    was: str, zone: str
) -> None:
    catalogue = with_versions(terms_of(BEFORE, was))
    later = Plan(2, "later", "RUB", (terms_of(AFTER, zone, number=2, plan="later"),))
    acme = catalogue.partners["acme"]
    changed = replace(acme, plans=(*acme.plans, PartnerPlan(9, "later", "RUB", month_end(MONTH, zone))))
    catalogue = replace(catalogue, plans={**catalogue.plans, "later": later}, partners={"acme": changed})

    assert (held_days(catalogue), held_days(catalogue, next_month(MONTH))) == (BEFORE, AFTER)


@given(st.sampled_from(ZONES), st.integers(1, 40 * 86_400_000))
def test_what_has_begun_before_the_month_ended_in_its_zone_holds_for_it(zone: str, early: int) -> None:
    begins = month_end(MONTH, zone) - early

    assert held_days(with_versions(terms_of(BEFORE, zone), terms_of(AFTER, zone, begins, number=2))) == AFTER


def test_a_plan_that_begins_later_has_no_terms_yet_and_whoever_was_on_none_before_has_none() -> None:
    begins = month_end(MONTH, "Europe/Moscow")
    catalogue = with_versions(terms_of(AFTER, "Europe/Moscow", begins))

    assert (held_days(catalogue), held_days(catalogue, next_month(MONTH))) == (0, AFTER)
    acme = catalogue.partners["acme"]
    joins = replace(acme, plans=(PartnerPlan(9, "standard", "RUB", begins),))
    catalogue = replace(catalogue, partners={"acme": joins})
    assert (held_days(catalogue), held_days(catalogue, next_month(MONTH))) == (0, AFTER)
