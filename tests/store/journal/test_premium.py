"""Premium MT, through the journal on both databases: pending, posted by a receipt, voided; once."""

from dataclasses import replace

import pytest

from core.clock import DAY_MS, MINUTE_MS
from core.message import MtKind, ReceiptState
from store.database import Database
from store.journal import NewMtFact
from tests.makers import a_plan
from tests.store.journal.paid import RUB, Office, the_catalogue


@pytest.fixture
def office(database: Database) -> Office:
    office = Office(database, the_catalogue())
    office.pay_in(10 * RUB)
    return office


def test_a_premium_mt_waits_for_its_receipt(office: Office) -> None:
    mt = office.sent(MtKind.PREMIUM)
    assert office.charges() == [(3, 1, "", 12_000_000)]
    assert office.findings() == []

    office.ends(mt)

    balances = office.balances()
    assert (balances["operator:alpha:receivable"], balances["partner:acme:earnings"]) == (5_000_000, 3_000_000)
    assert office.charges()[0] == (3, 2, "", 12_000_000)
    assert office.findings() == []


@pytest.mark.parametrize("state", [ReceiptState.FAILED, ReceiptState.EXPIRED])
def test_one_that_did_not_arrive_is_voided(office: Office, state: ReceiptState) -> None:
    office.ends(office.sent(MtKind.PREMIUM), state)

    assert office.charges()[0] == (3, 3, "", 12_000_000)
    assert "operator:alpha:receivable" not in office.balances()
    assert office.findings() == []


def test_one_that_is_paid_on_submission_is_posted_with_it_and_stays_so(database: Database) -> None:
    office = Office(database, the_catalogue(premium_on="submitted"))
    mt = office.sent(MtKind.PREMIUM)
    assert office.balances()["partner:acme:earnings"] == 3_000_000

    office.ends(mt, ReceiptState.FAILED)

    assert office.balances()["partner:acme:earnings"] == 3_000_000
    assert office.findings() == []


def test_an_unknown_one_waits_a_week_is_voided_and_a_receipt_after_that_is_a_new_charge(office: Office) -> None:
    mt = office.sent(MtKind.PREMIUM)
    office.unknown(mt)
    assert office.charges()[0] == (3, 1, "", 12_000_000)
    office.advance(6 * DAY_MS)
    office.write(office.look())
    assert office.charges()[0][1] == 1

    office.advance(DAY_MS + MINUTE_MS)
    office.write(office.look())
    assert office.charges()[0] == (3, 3, "", 12_000_000)
    assert office.findings() == []
    assert office.look().mt_ids == []

    office.ends(mt)

    posted = [charge for charge in office.charges() if charge[0] == 3]
    assert posted == [(3, 3, "", 12_000_000), (3, 2, "late", 12_000_000)]
    assert office.balances()["partner:acme:earnings"] == 3_000_000
    assert office.findings() == []


def test_a_receipt_within_the_week_posts_the_charge_that_waits(office: Office) -> None:
    mt = office.sent(MtKind.PREMIUM)
    office.unknown(mt)

    office.ends(mt)

    assert [charge for charge in office.charges() if charge[0] == 3] == [(3, 2, "", 12_000_000)]
    assert office.findings() == []


def test_a_sender_that_is_no_paid_short_code_is_refused(office: Office) -> None:
    mt = replace(office.an_mt(MtKind.PREMIUM), source="4446")
    fact = NewMtFact(mt)
    office.write(fact)

    assert fact.refused == "no_tariff"
    assert office.charges() == []


def test_the_message_that_crosses_a_tier_brings_its_correction(database: Database) -> None:
    catalogue = the_catalogue(cost=0)
    retro = a_plan(mode="volume", tiers=(("0", "0.60"), ("12", "0.70")))
    office = Office(database, replace(catalogue, plans={"standard": retro}))
    sent = [office.sent(MtKind.PREMIUM) for _ in range(3)]

    for mt in sent:
        office.ends(mt)

    assert office.balances()["partner:acme:earnings"] == 10_500_000
    assert [charge[0] for charge in office.charges()] == [3, 3, 3, 2]
    assert office.findings() == []
