"""Premium MT, through the journal on both databases: pending, posted by a receipt, voided; once."""

from dataclasses import replace

import pytest

from core.clock import DAY_MS, MINUTE_MS
from core.message import Mt, MtKind, ReceiptState
from store.acts import Act, ActRefused, Acts, Draft
from store.database import Database
from store.journal import NewMtFact
from tests.makers import a_plan
from tests.store.clerk import a_clerk
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


def take_back(office: Office, *mts: Mt) -> Act:
    """What the operator takes back of them, asked for and booked."""
    acts = Acts(a_clerk(office.database, office.catalogue, office.clock), limit=1000 * RUB)
    return acts.ask(Draft("charge_back", "ada", "the operator's letter", tuple(mt.id for mt in mts)))


def test_a_posted_one_is_charged_back_whole_and_once(office: Office) -> None:
    mt = office.sent(MtKind.PREMIUM)
    office.ends(mt)
    assert office.balances()["operator:alpha:receivable"] == 5_000_000

    act = take_back(office, mt)

    assert act.amount == 5_000_000
    left = office.balances()
    assert "operator:alpha:receivable" not in left
    assert "partner:acme:earnings" not in left
    assert office.findings() == []
    with pytest.raises(ActRefused, match="given back"):
        Acts(a_clerk(office.database, office.catalogue, office.clock), limit=1000 * RUB).ask(
            Draft("charge_back", "ada", "another letter", (mt.id,))
        )


def test_one_that_waits_and_one_that_was_voided_have_nothing_to_take_back(office: Office) -> None:
    waiting, failed = office.sent(MtKind.PREMIUM), office.sent(MtKind.PREMIUM)
    office.ends(failed, ReceiptState.FAILED)

    for mt in (waiting, failed):
        with pytest.raises(ActRefused, match="nothing was posted for it yet"):
            take_back(office, mt)


def test_what_was_charged_late_is_what_is_charged_back(office: Office) -> None:
    mt = office.sent(MtKind.PREMIUM)
    office.unknown(mt)
    office.advance(8 * DAY_MS)
    office.write(office.look())
    office.ends(mt)
    assert office.balances()["partner:acme:earnings"] == 3_000_000

    take_back(office, mt)

    assert "partner:acme:earnings" not in office.balances()
    assert office.findings() == []


def test_an_outgoing_sms_that_its_partner_paid_is_none_of_an_operators_to_take_back(office: Office) -> None:
    mt = office.sent(MtKind.STANDARD)
    office.ends(mt)

    with pytest.raises(ActRefused, match="no such MO or premium MT"):
        take_back(office, mt)
