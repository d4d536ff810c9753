"""What of a partner's earnings is too young to be paid: the same by payouts, row by row, and by statements, by sums."""

from dataclasses import replace

import pytest

from core.catalogue import ReferralTerms
from core.clock import DAY_MS
from core.statement import young_of
from store.acts import Acts, Draft
from store.database import Database
from store.folding import fold_some
from store.funds import Purse, Youth, read_funds, read_youth
from store.month_sums import MonthSums, read_month
from tests.store.cashier import RUB, Till, a_till, asked, hold_one, take_earnings
from tests.store.test_corrections import act


@pytest.fixture
def till(database: Database) -> Till:
    """acme, with a hold-back of two days, brought bolt. All of it is in November."""
    till = a_till(database, hold_days=2)
    bolt = replace(till.catalogue.partners["bolt"], referral=(ReferralTerms(7, "acme", 100_000, 0, 0, None),))
    services = {**till.catalogue.services}
    till.use(replace(till.catalogue, partners={**till.catalogue.partners, "bolt": bolt}, services=services))
    return till


def young_by_statements(till: Till, purse: Purse) -> int:
    """As core.statement and store.month_sums have it."""
    sums = MonthSums(202611, (purse.young_from,))
    with till.database.read() as connection:
        read_month(connection, sums, till.catalogue, since=0, until=2**63 - 1)
    owner = (purse.login, "RUB")
    return young_of(sums.charges, sums.details, {owner: 1}).get(owner, 0)


def young_by_payouts(till: Till, purse: Purse, youth: Youth | None = None) -> int:
    youth = read_youth(till.database, purse, till.clock.now()) if youth is None else youth
    with till.database.read() as connection:
        return read_funds(connection, purse, youth).young


def test_both_ways_say_the_same_after_everything_that_moves_earnings(till: Till) -> None:
    old = till.earn(2)
    till.clock.advance(DAY_MS)
    seen = set()
    young = till.earn(3)

    def look() -> None:
        purse = Purse.of(till.catalogue, "acme", "RUB", till.clock.now())
        amount = young_by_payouts(till, purse)
        assert amount == young_by_statements(till, purse)
        seen.add(amount)

    look()
    act(till.clerk(), "charge_back", [young[0]])
    look()
    act(till.clerk(), "charge_back", [old[0]])
    look()
    take_earnings(till.clerk(), 7 * RUB)
    look()
    payouts = till.payouts()
    till.clock.advance(3 * DAY_MS // 2)
    payouts.approve(asked(payouts, 10 * RUB).id, approver="ada")
    payouts.cancel(1, author="ada", reason="x")
    look()
    held = hold_one(till)
    look()
    act(till.clerk(), "release", held)
    look()
    till.clock.advance(DAY_MS)
    while fold_some(till.database, till.clock.now()):
        pass
    look()
    till.clock.advance(3 * DAY_MS // 2)
    look()
    assert len(seen) >= 5, seen
    assert till.findings() == []


def test_what_came_between_the_first_look_and_the_lock_is_in_it(till: Till) -> None:
    till.earn(1)
    till.clock.advance(DAY_MS)
    purse = Purse.of(till.catalogue, "acme", "RUB", till.clock.now())
    before = read_youth(till.database, purse, till.clock.now())
    young = till.earn(2)
    act(till.clerk(), "charge_back", young[:1])

    assert before.amount == 60 * RUB
    assert young_by_payouts(till, purse, before) == 120 * RUB == young_by_statements(till, purse)


def test_what_a_partner_earns_by_another_is_young_too(till: Till) -> None:
    till.use(
        replace(
            till.catalogue,
            prefixes={number: replace(one, service=2) for number, one in till.catalogue.prefixes.items()},
        )
    )
    till.earn(1)
    purse = Purse.of(till.catalogue, "acme", "RUB", till.clock.now())

    # bolt earns 60.00 of 100.00, and acme a tenth of our 40.00.
    assert young_by_payouts(till, purse) == 4 * RUB == young_by_statements(till, purse)


def test_what_a_person_moves_from_another_partner_is_young_too(till: Till) -> None:
    till.earn(1)
    amounts: dict[str, str | int] = {"amount": 7 * RUB, "currency": "RUB"}
    for debit, credit in (("bolt", "acme"), ("acme", "bolt")):
        places = {"debit": f"partner:{debit}:earnings", "credit": f"partner:{credit}:earnings"}
        Acts(till.clerk(), 100 * RUB).ask(Draft("adjust", "olga", "theirs", (), {**places, **amounts}))

    purses = [Purse.of(till.catalogue, login, "RUB", till.clock.now()) for login in ("acme", "bolt")]

    # Only what came is young: what went may have been older.
    assert [young_by_payouts(till, purse) for purse in purses] == [young_by_statements(till, purse) for purse in purses]
    assert young_by_payouts(till, purses[0]) >= 7 * RUB
    assert till.findings() == []


def test_without_a_hold_back_nothing_is_young_and_nothing_is_read(database: Database) -> None:
    till = a_till(database)
    till.earn(1)
    purse = Purse.of(till.catalogue, "acme", "RUB", till.clock.now())

    assert read_youth(database, purse, till.clock.now()) == Youth()
    assert young_by_payouts(till, purse) == 0
