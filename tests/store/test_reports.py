"""What reports read: grouped as asked, by names, and as much for many messages as for few."""

import itertools
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import DAY_MS
from core.errors import UserMistake
from core.ledger.accounts import bank, receivable
from core.ledger.details import DetailKind, moved
from core.report import AMOUNTS, Debt, Owed, PlainKey, Sums
from store import schema
from store.acts import Acts, Draft
from store.books import Act
from store.bulk import bulk_insert
from store.daily import write_sums
from store.database import Database, connect
from store.folding import SETTLED_MS, fold_some
from store.reports import (
    GROUPS,
    Period,
    Wanted,
    find_operator,
    find_partner,
    find_service,
    read_lines,
    read_progress,
)
from store.reports_owed import read_debts, read_payables, read_receivables
from tests.makers import NOON, a_catalogue, a_partner, a_plan, a_service
from tests.partner_api.rows import add
from tests.services import fresh_mariadb, fresh_sqlite, mariadb
from tests.store.clerk import clerk_of
from tests.store.journal.desk import MoDesk
from tests.store.test_corrections import act

YEAR = Period(20260101, 20261231)
RUB = 1_000_000
EACH = (1, 2, 12 * RUB, 2 * RUB, 5 * RUB, 3 * RUB, 0, 2 * RUB, 0, 5 * RUB)
"""What one message of two parts adds."""


def name_all(connection: Connection) -> None:
    """The names of those that catalogues of tests have."""
    for id_, code, currency in ((1, "alpha", "RUB"), (2, "beta", "KZT")):
        add(connection, schema.Operator, id=id_, code=code, currency=currency)
    for id_, login in ((1, "acme"), (2, "bolt")):
        add(connection, schema.Partner, id=id_, login=login)
        add(connection, schema.Service, id=id_, partner_id=id_, name="game")
    add(connection, schema.TariffPlan, id=1, name="standard", currency="RUB")
    tiers = [[0, 600_000], [12 * RUB, 700_000]]
    add(connection, schema.PlanVersion, id=1, plan_id=1, tiers_mode="graduated", tiers=tiers)


def put(database: Database, *rows: tuple[PlainKey, int], slot: int = 1) -> None:
    """Sums by key: so many messages of 12.00 each."""
    sums: Sums = {key: [times * one for one in EACH] for key, times in rows}
    with database.write() as connection:
        write_sums(connection, sums, slot)


def a_key(
    day: int = 20261124, currency: str = "RUB", operator: int = 1, service: int = 1, partner: int = 1, kind: int = 1,
    month: int = 202611,
) -> PlainKey:  # fmt: skip
    return (day, currency, operator, "4446", service, partner, kind, month, 0, 0)


@pytest.fixture
def named(database: Database) -> Database:
    with database.write() as connection:
        name_all(connection)
    return database


def lines(database: Database, wanted: Wanted) -> list[tuple[Any, ...]]:
    """(key, currency, messages, price) of each."""
    with database.read() as connection:
        return [
            (*line.key, line.currency, line.messages, line.total("price")) for line in read_lines(connection, wanted)
        ]


# --- grouping ----------------------------------------------------------------------------------------------


def test_lines_are_by_name_and_slots_are_added_up(named: Database) -> None:
    put(named, (a_key(), 2), (a_key(operator=2, currency="KZT", partner=2, service=2), 1))
    put(named, (a_key(), 3), slot=2)

    for by, first, second in (
        ("operator", "beta", "alpha"), ("partner", "bolt", "acme"), ("service", "bolt/game", "acme/game")
    ):  # fmt: skip
        assert lines(named, Wanted(YEAR, (by,))) == [
            (first, "KZT", 1, 12 * RUB), (second, "RUB", 5, 60 * RUB)
        ]  # fmt: skip


def test_lines_by_several_are_sorted_by_them(named: Database) -> None:
    put(named, (a_key(20261125), 1), (a_key(20261124, operator=2), 1), (a_key(20261124), 1))

    found = lines(named, Wanted(YEAR, ("day", "operator")))

    assert [row[:2] for row in found] == [(20261124, "alpha"), (20261124, "beta"), (20261125, "alpha")]


@pytest.mark.parametrize("by", [(), *((name,) for name in GROUPS), ("month", "operator", "kind")])
def test_every_grouping_has_the_same_total(named: Database, by: tuple[str, ...]) -> None:
    days, operators, kinds = (20261123, 20261124), (1, 2, 7), (0, 1, 2, 6)
    keys = [a_key(*place) for place in itertools.product(days, ["RUB", "KZT"], operators, [1, 2], [0, 1], kinds)]
    put(named, *((key, number) for number, key in enumerate(keys, 1)))

    with named.read() as connection:
        found = read_lines(connection, Wanted(YEAR, by))

    times = sum(range(1, len(keys) + 1))
    assert {name: sum(line.total(name) for line in found) for name in AMOUNTS} == {
        name: times * one for name, one in zip(AMOUNTS, EACH, strict=True)
    }


def test_days_and_months_are_both_included_and_told_apart(named: Database) -> None:
    """A message of October that was booked in November; and one of the far east, booked on the last of October."""
    late, early = a_key(20261101, month=202610), a_key(20261031, month=202611)
    put(named, (late, 1), (early, 2), (a_key(20261201, month=202612), 4))

    def messages(period: Period) -> int:
        return sum(row[-2] for row in lines(named, Wanted(period)))

    assert messages(Period(20261101, 20261101)) == 1
    assert messages(Period(20261031, 20261101)) == 3
    assert messages(Period(month=202610)) == 1
    assert messages(Period(month=202611)) == 2
    assert messages(Period(month=202609)) == 0


def test_a_month_has_all_that_was_booked_into_it_however_far_ahead_a_clock_was(named: Database) -> None:
    put(named, (a_key(20261031), 1), (a_key(20261205), 2), (a_key(20290101), 4), (a_key(20290101, month=202901), 8))

    assert lines(named, Wanted(Period(month=202611))) == [("RUB", 7, 84 * RUB)]


def test_a_partner_and_an_operator_may_be_asked_for_alone(named: Database) -> None:
    put(named, (a_key(), 1), (a_key(partner=2), 2), (a_key(operator=2, partner=2), 4))

    assert lines(named, Wanted(YEAR, partner_id=2)) == [("RUB", 6, 72 * RUB)]
    assert lines(named, Wanted(YEAR, partner_id=2, operator_id=1)) == [("RUB", 2, 24 * RUB)]
    assert lines(named, Wanted(YEAR, kinds=(6,))) == []


def test_what_costs_nothing_stands_with_the_currency_of_its_operator(named: Database) -> None:
    put(named, (a_key(), 1), (a_key(currency="", kind=0, partner=0), 1), (a_key(currency="", kind=0, operator=2), 1))

    with named.read() as connection:
        found = read_lines(connection, Wanted(YEAR, ("operator",)))

    assert [(line.key, line.currency, line.messages, line.free) for line in found] == [
        (("beta",), "KZT", 0, 1), (("alpha",), "RUB", 1, 1)
    ]  # fmt: skip


def test_an_id_of_nobody_is_shown_as_it_is(named: Database) -> None:
    put(named, (a_key(operator=9, partner=0, service=0), 1))

    assert lines(named, Wanted(YEAR, ("operator", "partner", "service"))) == [("#9", "", "", "RUB", 1, 12 * RUB)]


def test_names_that_are_not_there_are_told(named: Database) -> None:
    with named.read() as connection:
        assert (find_partner(connection, "bolt"), find_operator(connection, "beta")) == (2, 2)
        with pytest.raises(UserMistake, match=r"there is no partner 'blot'; did you mean bolt\?"):
            find_partner(connection, "blot")
        with pytest.raises(UserMistake, match=r"there is no operator 'beat'; did you mean beta\?"):
            find_operator(connection, "beat")
        assert [find_service(connection, login, "game") for login in ("acme", "bolt")] == [1, 2]
        with pytest.raises(UserMistake, match=r"there is no service of bolt 'gaem'; did you mean game\?"):
            find_service(connection, "bolt", "gaem")
        with pytest.raises(UserMistake, match=r"there is no partner 'blot'; did you mean bolt\?"):
            find_service(connection, "blot", "game")


def test_where_there_is_nobody_nobody_is_meant(database: Database) -> None:
    with (
        database.read() as connection,
        pytest.raises(UserMistake, match="no partner 'acme'; tollbridge dump shows them"),
    ):
        find_partner(connection, "acme")


# --- from messages -----------------------------------------------------------------------------------------


@pytest.fixture
def office(named: Database) -> MoDesk:
    """acme on a plan with a tier at 12, bolt too."""
    return MoDesk(
        named,
        a_catalogue(
            plans=(a_plan(tiers=(("0", "0.60"), ("12", "0.70"))),),
            partners=(a_partner(), a_partner("bolt", id=2)),
            services=(a_service(), a_service("quiz", id=2, partner="bolt")),
        ),
    )


def test_partners_stand_on_their_scales(office: MoDesk) -> None:
    office.take(office.mo(), office.mo("NOTHING 1"))

    with office.database.read() as connection:
        (acme,) = read_progress(connection, 202611)
        assert read_progress(connection, 202611, partner_id=2) == []
        assert read_progress(connection, 202610) == []

    progress = acme.progress
    assert (acme.partner, acme.plan, acme.currency, acme.mode) == ("acme", "standard", "RUB", "graduated")
    assert (progress.volume, progress.earned, progress.tier, progress.left) == (5 * RUB, 3 * RUB, 1, 7 * RUB)


def paid(office: MoDesk, amount: int, month: int = 202611) -> None:
    """The operator pays."""
    clerk = clerk_of(office)
    details = moved(DetailKind.OPERATOR_PAID, bank("main"), receivable("alpha"), amount, currency="RUB", month=month)
    paid = Act(f"paid:{month}", "payment", f"{amount}", clerk.now())
    clerk.run(lambda connection: clerk.books.book(connection, paid, details=details))


@pytest.mark.parametrize("folds", [True, False])
def test_what_an_operator_owes_month_by_month(office: MoDesk, folds: bool) -> None:
    fact = office.mo()
    office.take(fact, office.mo())
    office.clock.advance(20 * DAY_MS)
    act(clerk_of(office), "charge_back", [fact.id])
    paid(office, 2 * RUB, 202612)
    office.take(office.mo())
    while folds and fold_some(office.database, office.clock.now() + 2 * SETTLED_MS):
        pass

    with office.database.read() as connection:
        (found,) = read_receivables(connection, 202601, 202612)
        (december,) = read_receivables(connection, 202612, 202612, "alpha")
        nobody = read_receivables(connection, 202601, 202612, "beta")
        (debts,) = read_debts(connection, 202701)

    assert (found.operator, found.currency) == ("alpha", "RUB")
    assert found.months == [
        Owed(202611, 0, 10 * RUB), Owed(202612, 10 * RUB, 5 * RUB, 5 * RUB, 0, 2 * RUB)
    ]  # fmt: skip
    assert december.months == found.months[1:]
    assert nobody == []
    assert debts.debts == [Debt(202611, 10 * RUB, 3 * RUB, 2), Debt(202612, 5 * RUB, 5 * RUB, 1)]


# --- what it costs -----------------------------------------------------------------------------------------

READS: list[Callable[[Connection], object]] = [
    *(lambda connection, by=by: read_lines(connection, Wanted(YEAR, (by,))) for by in GROUPS),
    lambda connection: read_lines(connection, Wanted(Period(month=202611), ("service",), partner_id=1)),
    lambda connection: read_progress(connection, 202611),
    lambda connection: read_receivables(connection, 202601, 202612),
    lambda connection: read_debts(connection, 202612),
    lambda connection: read_payables(connection, 202601, 202612),
]


@contextmanager
def counted(database: Database) -> Iterator[dict[str, int]]:
    """What the database did in the block: rows that MariaDB's storage read, or steps of SQLite's machine."""
    done: dict[str, int] = {}
    with database.read() as connection:
        done["statements"] = 0

        @sa.event.listens_for(connection, "before_cursor_execute")
        def seen(*_: object) -> None:
            done["statements"] += 1

        driver: Any = connection.connection.driver_connection
        if database.dialect == "sqlite":
            steps = itertools.count()
            driver.set_progress_handler(lambda: next(steps) < 0, 1)
        else:
            connection.exec_driver_sql("FLUSH STATUS")
        for read in READS:
            read(connection)
        if database.dialect == "sqlite":
            driver.set_progress_handler(None, 1)
            done["steps"] = next(steps)
        else:
            for name, value in connection.exec_driver_sql("SHOW SESSION STATUS LIKE 'Handler_read%%'"):
                done[name] = int(value)
        yield done


def cost(url: str, batches: int, size: int) -> dict[str, int]:
    """Of all reports, after so many batches of so many messages, over four days, all of the same places; and as many
    outgoing SMS that acme paid.
    """
    database = connect(url)
    with database.write() as connection:
        name_all(connection)
    office = MoDesk(database)
    for number in range(batches):
        if number and number % (batches // 4) == 0:
            office.clock.advance(DAY_MS)
        facts = [office.mo(text) for text in ("GAME 1", "NOTHING 2") for _ in range(size)]
        office.take(*facts)
    reserve(database, batches * size)
    adjust(office)
    while fold_some(database, office.clock.now() + 2 * SETTLED_MS):
        pass
    with counted(database) as done:
        pass
    database.close()
    return done


def reserve(database: Database, times: int) -> None:
    """What is reserved for outgoing SMS of acme's, one detail each."""
    columns = ("entry_id", "kind", "debit_id", "credit_id", "currency", "amount", "month", "at", "message_id")
    more = ("partner_id", "subject", "author", "reason")
    row = ("reserved", 1, 2, "RUB", 1_200_000, 202611, NOON)
    rows = [(number, *row, number, 1, "", "", "") for number in range(1, times + 1)]
    with database.write() as connection:
        bulk_insert(connection, schema.Detail, (*columns, *more), rows)


def adjust(office: MoDesk) -> None:
    """3.00 that we owe alpha for outgoing SMS become acme's."""
    sides: dict[str, str | int] = {"debit": "operator:alpha:payable", "credit": "partner:acme:earnings"}
    values = {**sides, "amount": 3 * RUB, "currency": "RUB"}
    Acts(clerk_of(office), 100 * RUB).ask(Draft("adjust", "olga", "theirs", (), values))


@pytest.mark.parametrize("kind", ["sqlite", "mariadb"])
def test_reports_cost_the_same_for_few_and_for_many_messages(
    kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    def fresh() -> str:
        return fresh_sqlite(tmp_path_factory.mktemp("cost")) if kind == "sqlite" else fresh_mariadb()

    few_url, many_url = fresh(), fresh()

    few, many = cost(few_url, 4, 1), cost(many_url, 40, 25)

    assert few == many
    assert sum(few.values()) > 50
    for url in (few_url, many_url):
        if kind == "mariadb":
            mariadb().drop(url)


def test_reports_read_sums_and_names_and_never_messages(named: Database) -> None:
    seen: set[str] = set()
    with named.read() as connection:

        @sa.event.listens_for(connection, "before_cursor_execute")
        def look(_: object, __: object, statement: str, *___: object) -> None:
            seen.update(re.findall(r"(?:FROM|JOIN) (\w+)", statement))

        for read in READS:
            read(connection)

    # Of postings, those that are not folded yet; of details, those of persons.
    assert seen <= {
        "daily_sum", "operator", "partner", "service", "volume", "plan_version", "tariff_plan", "account", "folding",
        "folded_sum", "posting", "detail", "act",
    }  # fmt: skip
    assert "daily_sum" in seen
