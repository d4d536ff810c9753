"""L7: a charge that is not what its versions make it is found, whatever of it was changed."""

from dataclasses import replace
from typing import Any

import pytest

from core.catalogue import Tier
from core.ledger.audit import ChargeRow, Finding, Versions, check_versions
from core.ledger.entry import ChargeKind, ChargeState
from core.ledger.recompute import AMOUNTS
from tests.core.ledger.books import the_catalogue, the_ledger
from tests.core.ledger.memory import versions_of
from tests.core.ledger.test_vectors import CASES, Run
from tests.makers_money import OCTOBER

VERSIONS = versions_of(the_catalogue())
ROWS = [row.row for row in the_ledger().charges]


def row_of(name: str, **changes: Any) -> ChargeRow:
    """A row of the ledger with its charge changed."""
    row = next(row for row in the_ledger().charges if row.row == name)
    return replace(row, charge=replace(row.charge, **changes))


def found(row: ChargeRow, versions: Versions = VERSIONS) -> list[str]:
    """What L7 says."""
    findings = list(check_versions([row], versions))
    assert all((finding.check, finding.row) == ("L7", row.row) for finding in findings)
    return [finding.sentence for finding in findings]


def missing(_: int) -> None:
    """A look-up that finds nothing."""


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("amount", AMOUNTS)
def test_an_amount_that_was_changed_is_found_in_every_kind_of_charge(name: str, amount: str) -> None:
    before = getattr(row_of(name).charge, amount)

    (sentence,) = found(row_of(name, **{amount: before + 1}))

    assert sentence.startswith(f"{amount} is ")


def test_a_charge_as_it_was_made_has_no_findings() -> None:
    assert [found(row_of(name)) for name in ROWS] == [[]] * len(ROWS)


def test_a_volume_that_was_changed_is_found_by_what_it_would_have_earned() -> None:
    assert found(row_of("6/MO", volume_before=0))[0] == "partner_part is 7.00 RUB, but its versions make it 6.00 RUB"
    assert found(row_of("6/TIER_CORRECTION", volume_before=0)) == [
        "partner_part is 0.50 RUB, but its versions make it 0.00 RUB",
        "ours is -0.50 RUB, but its versions make it 0.00 RUB",
    ]


def test_a_referral_above_its_cap_is_found() -> None:
    (referral, ours) = found(row_of("6/MO", referral_before=250_000))

    assert referral == "referral_part is 0.10 RUB, but its versions make it 0.05 RUB"
    assert ours.startswith("ours is ")


def test_other_parts_than_were_charged_are_found() -> None:
    assert found(replace(row_of("6/MO"), parts=3))[0] == "price is 24.00 RUB, but its versions make it 36.00 RUB"


def test_a_charge_in_another_currency_than_its_tariff_is_found() -> None:
    assert found(row_of("3/MO", currency="JPY")) == ["it is in JPY, but its tariff is in RUB"]


@pytest.mark.parametrize(
    ("lookup", "sentence"),
    [
        ("tariff", "it names the tariff 1, which is not there"),
        ("vat", "it names the VAT rate 1, which is not there"),
        ("plan", "it names the plan version 1, which is not there"),
        ("referral", "it names the referral terms 1, which are not there"),
    ],
)
def test_a_version_that_is_gone_is_found(lookup: str, sentence: str) -> None:
    versions = replace(VERSIONS, **{lookup: missing})

    assert found(row_of("1/MO"), versions) == [sentence]


def test_a_version_that_was_changed_is_found() -> None:
    plan = VERSIONS.plan(1)
    assert plan is not None
    cheaper = replace(plan, tiers=(Tier(0, 500_000), *plan.tiers[1:]))
    versions = replace(VERSIONS, plan=lambda _: cheaper)

    assert found(row_of("1/MO"), versions)[0] == "partner_part is 3.00 RUB, but its versions make it 2.50 RUB"


@pytest.mark.parametrize(
    ("lookup", "word"),
    [("tariff", "tariff"), ("vat", "VAT rate"), ("plan", "plan version"), ("referral", "referral terms")],
)
def test_a_version_that_did_not_hold_yet_is_found(lookup: str, word: str) -> None:
    later = replace(getattr(VERSIONS, lookup)(1), valid_from=OCTOBER + 1)
    versions = replace(VERSIONS, **{lookup: lambda _: later})

    assert found(row_of("1/MO"), versions) == [f"its {word} 1 did not hold yet when the message was accepted"]


def test_a_referral_after_its_term_is_found() -> None:
    terms = VERSIONS.referral(1)
    assert terms is not None
    ended = replace(terms, until=OCTOBER)
    versions = replace(VERSIONS, referral=lambda _: ended)

    assert found(row_of("1/MO"), versions) == ["its referral terms 1 had ended when the message was accepted"]


def test_a_month_before_the_acceptance_is_found_and_a_later_one_is_not() -> None:
    assert found(row_of("1/MO", month=202609)) == ["it is booked in 2026-09, but the message was accepted in 2026-10"]
    assert found(row_of("1/MO", month=202612)) == []


def test_a_voided_charge_is_passed_over() -> None:
    assert found(row_of("1/MO", state=ChargeState.VOIDED, price=1)) == []


def test_a_kind_that_does_not_follow_from_versions_is_passed_over() -> None:
    assert found(row_of("1/MO", kind=99, price=1)) == []


def test_a_finding_names_its_table() -> None:
    findings = list(check_versions([row_of("3/MO", suspense=0)], VERSIONS))

    assert findings == [Finding("L7", "charge", "3/MO", "suspense is 0.00 RUB, but its versions make it 5.00 RUB")]


def kinds_of_the_vectors() -> dict[str, tuple[ChargeRow, Versions]]:
    """One charge of each kind and sort, out of the cases of the vectors, with the versions of its world."""
    found: dict[str, tuple[ChargeRow, Versions]] = {}
    for case in CASES:
        run = Run(case)
        for batch in case["batches"]:
            if "refused" not in batch:
                run.book(batch)
        versions = versions_of(run.world.catalogue)
        for row in run.ledger.charges:
            charge = row.charge
            sort = f"{charge.kind.name} {charge.state.name} {charge.reason} {bool(charge.plan_version_id)}"
            if charge.state != ChargeState.VOIDED:
                found.setdefault(sort, (row, versions))
    return found


SORTS = kinds_of_the_vectors()


def test_the_vectors_have_every_kind_of_charge() -> None:
    assert {row.charge.kind for row, _ in SORTS.values()} == set(ChargeKind)


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("amount", AMOUNTS)
def test_an_amount_that_was_changed_is_found_in_every_sort_of_charge(sort: str, amount: str) -> None:
    row, versions = SORTS[sort]
    changed = replace(row, charge=replace(row.charge, **{amount: getattr(row.charge, amount) + 1}))

    (sentence,) = found(changed, versions)

    assert sentence.startswith(f"{amount} is ")
    assert found(row, versions) == []


def test_what_takes_back_nothing_that_is_there_is_found() -> None:
    row, versions = SORTS["CHARGE_BACK POSTED charged_back True"]

    assert found(replace(row, referral_given=None), versions) == ["what it takes back is not there"]


def test_a_cost_of_outgoing_sms_that_is_gone_is_found() -> None:
    row, versions = SORTS["MT_COST POSTED  False"]

    assert found(row, replace(versions, cost=missing)) == ["it names the cost 1 of outgoing SMS, which is not there"]


def test_a_plan_without_a_price_for_outgoing_sms_is_found() -> None:
    row, versions = SORTS["MT POSTED  True"]

    assert found(row, replace(versions, plan=missing)) == [
        f"it names the plan version {row.charge.plan_version_id}, which has no price for outgoing SMS"
    ]
