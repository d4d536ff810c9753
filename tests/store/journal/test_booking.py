"""What a batch books: tiers and caps within it and over two, months, currencies, suspense, the entry and its digest."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import sqlalchemy as sa

from core.catalogue import Catalogue, ReferralTerms
from core.clock import DAY_MS
from core.errors import StoreAway
from core.ledger.entry import ChargeKind, ChargeState, Entry, Posting
from core.money import parse_micros as micros
from store import schema
from store.database import Database
from store.journal.booking import first_open_month
from store.schema import Account, Charge, ClosedMonth, Mo, ReferralGiven, Volume
from tests.makers import NOON, a_catalogue, a_link, a_partner, a_plan, a_service, a_tariff, an_operator
from tests.simulation.faults import Fault
from tests.store.journal.desk import MoDesk
from tests.store.journal.posted import entries, postings

NOVEMBER = 202611
TIER = (("0", "0.60"), ("12", "0.70"))
"""Reached by the third message of 5.00."""


def a_tiered(mode: str) -> Catalogue:
    return a_catalogue(plans=[a_plan(mode=mode, tiers=TIER)])


def parts_of(desk: MoDesk) -> list[tuple[int, int]]:
    """(volume before, the partner's part) of each message."""
    return [(row.volume_before, row.partner_part) for row in desk.rows(Mo)]


def close(desk: MoDesk, month: int) -> None:
    with desk.database.write() as connection:
        connection.execute(sa.insert(ClosedMonth).values(month=month, closed_at=0))


# --- tiers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [(4,), (2, 2), (1, 1, 1, 1), (3, 1)])
def test_a_graduated_tier_is_crossed_in_the_middle_of_a_batch_or_between_two(
    database: Database, sizes: Sequence[int]
) -> None:
    desk = MoDesk(database, a_tiered("graduated"))

    for size in sizes:
        desk.take(*(desk.mo() for _ in range(size)))

    assert parts_of(desk) == [
        (0, micros("3")), (micros("5"), micros("3")), (micros("10"), micros("3.30")), (micros("15"), micros("3.50"))
    ]  # fmt: skip
    assert desk.rows(Charge) == []
    assert desk.values(Volume.month, Volume.volume) == [(NOVEMBER, micros("20"))]
    assert desk.audit() == []


@pytest.mark.parametrize("sizes", [(4,), (2, 2), (1, 1, 1, 1), (3, 1)])
def test_a_volume_tier_is_crossed_with_one_correction_that_names_its_message(
    database: Database, sizes: Sequence[int]
) -> None:
    desk = MoDesk(database, a_tiered("volume"))

    for size in sizes:
        desk.take(*(desk.mo() for _ in range(size)))

    assert [part for _, part in parts_of(desk)] == [micros("3.00")] * 2 + [micros("3.50")] * 2
    (correction,) = desk.rows(Charge)
    third = desk.rows(Mo)[2]
    assert (correction.kind, correction.message_id) == (int(ChargeKind.TIER_CORRECTION), third.id)
    assert (correction.partner_part, correction.ours, correction.base) == (micros("1.00"), -micros("1.00"), 0)
    assert correction.entry_id == third.entry_id
    assert desk.audit() == []


def test_two_processes_see_each_others_volume(database: Database) -> None:
    one, other = MoDesk(database, a_tiered("graduated")), MoDesk(database, a_tiered("graduated"))

    for desk in (one, other, one, other):
        desk.take(desk.mo())

    assert sorted(parts_of(one)) == [
        (0, micros("3")), (micros("5"), micros("3")), (micros("10"), micros("3.30")), (micros("15"), micros("3.50"))
    ]  # fmt: skip
    assert one.audit() == []


# --- referral ------------------------------------------------------------------------------------------------


def a_referred(cap: str | None) -> Catalogue:
    """Acme was referred by friend for a tenth of our 2.00 a message."""
    terms = ReferralTerms(5, "friend", 100_000, 0, 0, None if cap is None else micros(cap))
    return a_catalogue(partners=[a_partner(referral=(terms,)), a_partner("friend", id=2)])


@pytest.mark.parametrize("sizes", [(4,), (2, 2), (1, 3), (1, 1, 1, 1)])
def test_a_cap_holds_within_a_batch_and_over_several(database: Database, sizes: Sequence[int]) -> None:
    desk = MoDesk(database, a_referred("0.50"))

    for size in sizes:
        desk.take(*(desk.mo() for _ in range(size)))

    referred = [(row.referral_before, row.referral_part) for row in desk.rows(Mo)]
    assert referred == [(0, 200_000), (200_000, 200_000), (400_000, 100_000), (500_000, 0)]
    assert desk.values(ReferralGiven.terms_id, ReferralGiven.currency, ReferralGiven.given) == [(5, "RUB", 500_000)]
    assert desk.audit() == []


def test_without_a_cap_no_counter_is_kept(database: Database) -> None:
    desk = MoDesk(database, a_referred(None))

    desk.take(desk.mo(), desk.mo())

    assert [(row.referral_before, row.referral_part) for row in desk.rows(Mo)] == [(None, 200_000)] * 2
    assert desk.rows(ReferralGiven) == []
    assert ("partner:friend:earnings", 400_000) in [(p.credit, p.amount) for p in postings(database)]


# --- what cannot be rated ------------------------------------------------------------------------------------


def test_without_a_tariff_the_charge_waits_and_nothing_is_posted(database: Database) -> None:
    desk = MoDesk(database, a_catalogue(tariffs=[a_tariff(operator="beta")], operators=[an_operator()]))

    desk.take(desk.mo())

    (row,) = desk.rows(Mo)
    assert (row.charge_state, row.reason, row.entry_id) == (int(ChargeState.PENDING), "no_tariff", None)
    assert desk.rows(schema.Entry) == []
    assert desk.audit() == []


def test_without_a_plan_the_revenue_lies_in_suspense(database: Database) -> None:
    partner = replace(a_partner(), plans=())
    desk = MoDesk(database, a_catalogue(partners=[partner]))

    desk.take(desk.mo())

    (row,) = desk.rows(Mo)
    assert (row.charge_state, row.reason, row.suspense, row.partner_part) == (2, "no_plan", micros("5"), 0)
    assert [(p.credit, p.amount) for p in postings(database)] == [("suspense:alpha", micros("5"))]
    assert desk.rows(Volume) == []
    assert desk.audit() == []


def test_one_that_cannot_be_rated_does_not_stop_the_others(database: Database) -> None:
    desk = MoDesk(database)

    desk.take(desk.mo(), desk.mo("nonsense"), desk.mo(), desk.mo(short_code="1"))

    assert [row.reason for row in desk.rows(Mo)] == ["", "no_prefix", "", "no_tariff"]
    (entry,) = desk.rows(schema.Entry)
    assert {row.entry_id for row in desk.rows(Mo)} == {entry.id, None}
    assert desk.audit() == []


# --- months --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("closed", "month"), [((), 202611), ((202610,), 202611), ((202611,), 202612), ((202611, 202612), 202701)]
)
def test_what_comes_late_is_booked_into_the_first_open_month(
    database: Database, closed: Sequence[int], month: int
) -> None:
    desk = MoDesk(database)
    for one in closed:
        close(desk, one)

    desk.take(desk.mo())

    assert [row.month for row in desk.rows(Mo)] == [month]
    assert desk.values(Volume.month, Volume.volume) == [(month, micros("5"))]
    assert {p.month for p in postings(database)} == {month}
    assert desk.audit() == []


def test_no_month_is_closed_at_first(database: Database) -> None:
    with database.write() as connection:
        assert first_open_month(connection) == 0


# --- currencies and entries ----------------------------------------------------------------------------------


def a_two_currency_world() -> Catalogue:
    """Alpha pays in RUB, beta in EUR, for which acme has no plan."""
    return a_catalogue(
        operators=[an_operator(), an_operator("beta", id=2, currency="EUR")],
        links=[a_link(), a_link("beta-1", id=2, operator="beta")],
        tariffs=[a_tariff(), a_tariff(id=2, operator="beta", price="1.20", currency="EUR")],
        services=[a_service()],
    )


def test_currencies_of_one_batch_never_mix(database: Database) -> None:
    catalogue = a_two_currency_world()
    desk = MoDesk(database, catalogue)

    desk.take(desk.mo(), desk.mo(operator=catalogue.operators["beta"]), desk.mo())

    assert [(row.currency, row.reason) for row in desk.rows(Mo)] == [("RUB", ""), ("EUR", "no_plan"), ("RUB", "")]
    assert [(p.debit, p.credit, p.currency, p.amount) for p in postings(database)] == [
        ("operator:alpha:receivable", "income:margin", "RUB", micros("4")),
        ("operator:alpha:receivable", "partner:acme:earnings", "RUB", micros("6")),
        ("operator:beta:receivable", "suspense:beta", "EUR", micros("0.50")),
    ]
    assert desk.audit() == []


def test_a_batch_is_one_entry_whose_key_and_digest_are_its_own(database: Database) -> None:
    desk = MoDesk(database)

    desk.take(desk.mo(), desk.mo())
    desk.take(desk.mo())

    first, second = entries(database)
    assert [row.key for row in (first, second)] == [f"batch:{first.id}", f"batch:{second.id}"]
    own = [p for p in postings(database) if p.entry_id == first.id]
    assert (
        first.digest
        == Entry("", tuple(Posting(p.debit, p.credit, p.currency, p.amount, p.month) for p in own)).digest()
    )
    assert first.digest != second.digest
    assert (first.kind, first.at) == ("batch", desk.clock.now())
    assert [row.entry_id for row in desk.rows(Mo)] == [first.id, first.id, second.id]


def test_a_batch_of_tests_makes_no_entry(database: Database) -> None:
    desk = MoDesk(database)
    fact = desk.mo()
    fact.mo.test = True

    desk.take(fact)

    (row,) = desk.rows(Mo)
    assert (row.charge_state, row.reason) == (0, "test")
    assert desk.rows(schema.Entry) == []
    assert desk.audit() == []


DECEMBER = NOON + 10 * DAY_MS


def test_what_a_batch_that_was_rolled_back_had_made_is_made_again(database: Database) -> None:
    """Its account and its counter are not there, whatever was kept since."""
    desk = MoDesk(database)
    desk.take(desk.mo())
    unheard = [desk.mo("nonsense"), desk.mo(at=DECEMBER)]
    desk.fails = [Fault.DOUBT_LOST]
    with pytest.raises(StoreAway):
        desk.write(*unheard)

    desk.take(desk.mo())
    desk.take(*unheard)

    assert sorted(desk.values(Account.address)) == [
        ("income:margin",), ("operator:alpha:receivable",), ("partner:acme:earnings",), ("suspense:alpha",)
    ]  # fmt: skip
    assert desk.values(Volume.month, Volume.volume) == [(NOVEMBER, micros("10")), (202612, micros("5"))]
    assert desk.audit() == []


def test_accounts_that_are_known_are_not_asked_for_again(database: Database) -> None:
    desk = MoDesk(database)
    desk.take(desk.mo())
    asked: list[str] = []

    @sa.event.listens_for(database.engine, "before_cursor_execute")
    def keep(*told: object) -> None:
        asked.append(str(told[2]))

    desk.take(desk.mo())

    assert [sql for sql in asked if "account" in sql] == []
