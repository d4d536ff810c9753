"""What waited for a tariff or a plan, on both databases: rated later it is what it would have been at once."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.catalogue import Catalogue, ReferralTerms
from core.clock import DAY_MS
from core.ledger.corrections import Corrected
from core.message import Action, Alert, MtKind, Verdict
from core.tariff.charge import ChargeKind, ChargeState
from store.backlog import Rated, Stragglers, find_stragglers, rate_backlog, rate_stragglers
from store.balances import read_balances
from store.closing import close
from store.database import Database, connect
from store.journal import MoFact
from store.schema import Charge, DailySum, Mo, Volume
from tests import services
from tests.makers import a_catalogue, a_partner, a_plan, a_service, a_tariff
from tests.store.clerk import clerk_of
from tests.store.journal.desk import MoDesk
from tests.store.journal.paid import Office, the_catalogue
from tests.store.test_corrections import act

RUB = 1_000_000
HOLD = Verdict(Action.HOLD, (Alert("limit", Action.HOLD, "too many"),))
REJECT = Verdict(Action.REJECT, (Alert("limit", Action.REJECT, "far too many"),))


def whole() -> Catalogue:
    """acme on a volume plan with a tier at 12, brought by bolt for a fifth of our part, up to 3.00."""
    terms = (ReferralTerms(1, "bolt", 200_000, 0, 0, 3 * RUB),)
    return a_catalogue(
        plans=(a_plan("retro", mode="volume", tiers=(("0", "0.60"), ("12", "0.70"))), a_plan("standard", id=2)),
        partners=(a_partner(plan="retro", referral=terms), a_partner("bolt", id=2)),
        services=(a_service(), a_service("quiz", id=2, partner="bolt")),
    )


def without_tariff() -> Catalogue:
    return replace(whole(), tariffs={})


def without_plan() -> Catalogue:
    catalogue = whole()
    acme = replace(catalogue.partners["acme"], plans=())
    return replace(catalogue, partners={**catalogue.partners, "acme": acme})


def take_all(office: MoDesk) -> list[int]:
    """Some of every kind: in two batches, of one and of two parts, held, refused, unrouted, from nobody, a test."""
    facts = [office.mo(f"GAME {n}", parts=1 + n % 2) for n in range(5)]
    facts += [office.mo("NOTHING 1"), office.mo("GAME 9", source="BANK")]
    test = office.mo("GAME 10")
    test.mo.test = True
    office.take(*facts, test)
    decide = office.decider.decide

    def strict(given: list[MoFact]) -> Catalogue:
        catalogue = decide(given)
        for fact, verdict in zip(given, (HOLD, REJECT), strict=True):
            assert fact.settlement is not None
            reason = "refused" if verdict is REJECT else ""
            fact.settlement = replace(fact.settlement, verdict=verdict, reason=reason)
        return catalogue

    office.decider.decide = strict  # type: ignore[method-assign, assignment]
    more = [office.mo("GAME 11"), office.mo("GAME 12")]
    office.take(*more)
    office.decider.decide = decide  # type: ignore[method-assign]
    return [fact.id for fact in (*facts, *more)]


def rated(office: MoDesk) -> Rated:
    return rate_backlog(clerk_of(office))


def balances(database: Database) -> dict[str, int]:
    with database.read() as connection:
        return {line.address: line.amount for line in read_balances(connection) if line.amount}


_SEEN = (
    "charge_state", "reason", "partner_id", "currency", "price", "vat", "operator_part", "partner_part",
    "referral_part", "ours", "suspense", "base", "volume_before", "tariff_id", "vat_id", "plan_version_id",
    "referral_id", "referral_before", "month", "held",
)  # fmt: skip


def what_is_there(office: MoDesk) -> dict[str, object]:
    """The money of everything in the order in which it came, but for ids: rows of corrections take some."""
    day = (DailySum.kind, DailySum.partner_id, DailySum.service_id, DailySum.month)
    amounts = (DailySum.count, DailySum.parts, DailySum.price, DailySum.partner_part, DailySum.suspense)
    query = sa.select(*day, *(sa.func.sum(one) for one in amounts)).group_by(*day).order_by(*day)
    with office.database.read() as connection:
        days = [tuple(map(int, row)) for row in connection.execute(query) if any(row[4:])]
    return {
        "balances": balances(office.database),
        "mo": [row[1:] for row in office.values(Mo.id, *(getattr(Mo, name) for name in _SEEN))],
        "corrections": sorted(row[1:] for row in office.values(Charge.id, *(getattr(Charge, name) for name in _SEEN))),
        "volumes": office.values(Volume.partner_id, Volume.plan_version_id, Volume.month, Volume.volume),
        "days": days,
    }


@pytest.fixture
def beside(database: Database, tmp_path: Path) -> Callable[[], MoDesk]:
    """An office of another database that has everything from the start."""
    folder = tmp_path / "beside"
    folder.mkdir()
    return lambda: MoDesk(connect(services.fresh_sqlite(folder)), whole())


def test_what_waited_for_a_tariff_becomes_what_it_would_have_been(
    database: Database, beside: Callable[[], MoDesk]
) -> None:
    office, other = MoDesk(database, without_tariff()), beside()
    take_all(office)
    take_all(other)
    assert balances(database) == {}
    office.use(whole())

    done = rated(office)

    assert what_is_there(office) == what_is_there(other)
    assert (done.messages, done.revenue["RUB"]) == (9, sum(balances(database)[name] for name in RECEIVED))
    assert office.audit() == []
    assert rated(office).messages == 0
    other.database.close()


RECEIVED = ("operator:alpha:receivable",)


def test_what_waited_for_a_plan_earns_what_it_would_have_earned(
    database: Database, beside: Callable[[], MoDesk]
) -> None:
    office, other = MoDesk(database, without_plan()), beside()
    take_all(office)
    take_all(other)
    waited = [row for row in office.rows(Mo) if row.reason == "no_plan"]
    assert len(waited) == 6
    office.use(whole())

    done = rated(office)

    assert done.messages == 6
    assert balances(database) == balances(other.database)
    assert office.audit() == []
    volumes = (Volume.partner_id, Volume.plan_version_id, Volume.month, Volume.volume)
    assert office.values(*volumes) == other.values(*volumes)
    assert rated(office).messages == 0
    other.database.close()


def test_what_was_withheld_stays_so_until_a_person_lets_it_go(database: Database) -> None:
    office = MoDesk(database, without_plan())
    *_, held, _ = take_all(office)
    office.use(whole())
    rated(office)
    assert balances(database)["partner:acme:held"] > 0

    (done,) = act(clerk_of(office), "release", [held])

    assert isinstance(done, Corrected)
    assert "partner:acme:held" not in balances(database)
    assert office.audit() == []


def test_what_still_has_no_tariff_or_plan_goes_on_waiting(database: Database) -> None:
    office = MoDesk(database, without_tariff())
    take_all(office)
    before = what_is_there(office)

    assert rated(office).messages == 0
    office.use(replace(without_plan(), tariffs={}))
    assert rated(office).messages == 0

    assert what_is_there(office) == before


def test_first_the_tariff_then_the_plan(database: Database, beside: Callable[[], MoDesk]) -> None:
    office, other = MoDesk(database, replace(without_plan(), tariffs={})), beside()
    take_all(office)
    take_all(other)

    office.use(without_plan())
    assert rated(office).messages == 9
    assert balances(database)["suspense:alpha"] > 0
    assert office.audit() == []
    office.use(whole())
    assert rated(office).messages == 6

    assert balances(database) == balances(other.database)
    assert office.audit() == []
    other.database.close()


def test_a_short_code_that_charges_what_it_sends_leaves_what_came_free(database: Database) -> None:
    office = MoDesk(database, without_tariff())
    take_all(office)
    sends = replace(a_tariff(), charges="mt")
    office.use(replace(whole(), tariffs={("4446", "alpha"): (sends,)}))

    assert rated(office).messages == 0

    assert {(row.charge_state, row.reason) for row in office.rows(Mo)} == {(0, "free"), (0, "test")}
    assert balances(database) == {}
    assert office.audit() == []


def test_what_a_person_gave_away_or_back_is_not_rated_again(database: Database) -> None:
    office = MoDesk(database, without_plan())
    first, second, *_ = take_all(office)
    desk = clerk_of(office)
    act(desk, "assign", [first], "bolt")
    act(desk, "charge_back", [second])
    office.use(whole())

    assert rated(office).messages == 4

    assert office.audit() == []
    of_first = [row.partner_id for row in office.rows(Charge, Charge.message_id == first)]
    assert of_first == [2]


def test_a_closed_month_stays_and_what_came_in_it_is_booked_into_the_first_open_one(database: Database) -> None:
    office = MoDesk(database, without_tariff())
    office.take(office.mo("GAME 1"))
    office.clock.advance(DAY_MS * 8)
    close(clerk_of(office), 202611, "ada")
    office.use(whole())

    assert rated(office).messages == 1

    (row,) = office.rows(Mo)
    assert (row.month, row.charge_state) == (202612, int(ChargeState.POSTED))


def test_more_than_one_transaction_holds(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.backlog._AT_ONCE", 3)
    monkeypatch.setattr("store.backlog._KEPT", 2)
    office = MoDesk(database, replace(without_plan(), tariffs={}))
    take_all(office)
    said: list[int] = []
    office.use(without_plan())
    rate_backlog(clerk_of(office), progress=said.append)
    office.use(whole())
    rate_backlog(clerk_of(office), progress=said.append)

    assert said == [3, 6, 9, 2, 4, 6]
    assert office.audit() == []


def test_a_premium_mt_that_was_posted_without_a_plan_is_rated_too(database: Database) -> None:
    catalogue = the_catalogue()
    acme = replace(catalogue.partners["acme"], plans=())
    office = Office(database, replace(catalogue, partners={"acme": acme}))
    mt = office.sent(MtKind.PREMIUM)
    office.ends(mt)
    assert office.balances()["suspense:alpha"] == 5 * RUB
    office.decider.present = office.catalogue = catalogue

    done = rate_backlog(clerk_of(office))  # type: ignore[arg-type]

    assert (done.messages, done.revenue["RUB"]) == (1, 5 * RUB)
    assert office.balances()["partner:acme:earnings"] == 3 * RUB
    assert office.findings() == []
    assert [charge[0] for charge in office.charges() if charge[0] == ChargeKind.ASSIGNED] == [ChargeKind.ASSIGNED]


def stragglers(office: MoDesk | Office, since: int = 0) -> Stragglers:
    with office.database.read() as connection:
        return find_stragglers(connection, office.catalogue, since)


@pytest.mark.parametrize("lacking", [without_tariff, without_plan])
def test_stragglers_become_what_they_would_have_been(
    database: Database, beside: Callable[[], MoDesk], lacking: Callable[[], Catalogue], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.backlog._IN_PASSING", 4)
    office, other = MoDesk(database, lacking()), beside()
    take_all(office)
    take_all(other)
    assert stragglers(office) == Stragglers([], [])
    office.use(whole())

    desk, found = clerk_of(office), stragglers(office)
    done = [rate_stragglers(desk, some).messages for some in found.pieces()]

    assert done == ([4, 4, 1] if lacking is without_tariff else [4, 2])
    assert balances(database) == balances(other.database)
    assert office.audit() == []
    assert [rate_stragglers(desk, some).messages for some in found.pieces()] == [0] * len(done)
    assert stragglers(office) == Stragglers([], [])
    other.database.close()


def test_only_stragglers_from_an_id_on_are_looked_at(database: Database) -> None:
    office = MoDesk(database, without_tariff())
    ids = take_all(office)
    office.use(whole())

    assert list(stragglers(office, ids[3]).pending) == [id_ for id_ in stragglers(office).pending if id_ >= ids[3]]
    assert stragglers(office, ids[-1] + 1) == Stragglers([], [])


def test_a_premium_mt_is_a_straggler_once_there_is_a_plan(database: Database) -> None:
    catalogue = the_catalogue()
    acme = replace(catalogue.partners["acme"], plans=())
    office = Office(database, replace(catalogue, partners={"acme": acme}))
    mt = office.sent(MtKind.PREMIUM)
    office.ends(mt)
    assert stragglers(office) == Stragglers([], [])
    office.decider.present = office.catalogue = catalogue

    (some,) = stragglers(office).pieces()

    assert some == Stragglers(suspended=[(mt.id, "acme")])
    assert rate_stragglers(clerk_of(office), some).messages == 1  # type: ignore[arg-type]
    assert office.balances()["partner:acme:earnings"] == 3 * RUB
    assert office.findings() == []
