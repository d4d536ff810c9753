"""Migrations 0009 and 0010: what was booked before there were daily sums is in them; and before they told what is held,
by whom a partner was referred, and what came off receivables. On both databases."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa

from core.clock import DAY_MS
from core.ids import first_id_at
from store.audit import audit
from store.database import Database, connect
from store.migrate import migrate
from store.schema import DailySum
from tests.makers import NOON, a_catalogue
from tests.services import mariadb

BEFORE, FIRST_SUMS = "0007_links_that_flap", "0009_daily_sums"
FIRST = first_id_at(NOON)
TODAY, TOMORROW = 20261124, 20261125
AMOUNTS = {
    "price": 12_000_000, "vat": 2_000_000, "operator_part": 5_000_000, "partner_part": 3_000_000, "ours": 2_000_000,
    "base": 5_000_000,
}  # fmt: skip


class Old(NamedTuple):
    """A database as the version before left it."""

    url: str
    database: Database


@pytest.fixture(params=["sqlite", "mariadb"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Old]:
    url = f"sqlite:///{tmp_path}/old.db" if request.param == "sqlite" else mariadb().database()
    migrate(url, until=BEFORE)
    database = connect(url)
    yield Old(url, database)
    database.close()
    if request.param == "mariadb":
        mariadb().drop(url)


@pytest.fixture
def older(old: Old) -> Old:
    """The same, when there were sums, with all that they did not tell."""
    migrate(old.url, until=FIRST_SUMS)
    with old.database.write() as connection:
        fill_more(connection)
    return old


def put(connection: sa.Connection, name: str, /, **given: Any) -> None:
    """A row with the columns that its table had then; what is not named is 0 or ""."""
    there = {column["name"]: column for column in sa.inspect(connection).get_columns(name)}
    values = {
        column: "" if isinstance(found["type"], sa.String) else 0
        for column, found in there.items()
        if not found["nullable"]
    } | given
    connection.execute(sa.insert(sa.table(name, *(sa.column(column) for column in values))).values(**values))


def an_mo(connection: sa.Connection, number: int, **given: Any) -> int:
    """One that was posted at noon, unless told otherwise."""
    own = {"id": FIRST + number, "operator_id": 1, "short_code": "4446", "service_id": 1, "parts": 1, "text": "x"}
    charge = {
        "charge_state": 2, "partner_id": 1, "currency": "RUB", "month": 202611, "entry_id": FIRST, "tariff_id": 1,
        "vat_id": 1, "plan_version_id": 1, **AMOUNTS,
    }  # fmt: skip
    put(connection, "mo", **(own | charge | given))
    return FIRST + number


def fill(connection: sa.Connection) -> None:
    """Two of one place, one that was booked a week later, one pending, a test, one voided, a tier correction."""
    nothing = dict.fromkeys(AMOUNTS, 0)
    an_mo(connection, 1)
    second = an_mo(connection, 2, parts=3)
    an_mo(connection, 3, entry_id=first_id_at(NOON + 7 * DAY_MS))
    an_mo(connection, 4, charge_state=1, reason="no_tariff", entry_id=None, currency="KZT", **nothing)
    an_mo(
        connection, 5, charge_state=0, reason="test", entry_id=None, currency="", partner_id=0, month=0, test=True,
        **nothing,
    )  # fmt: skip
    an_mo(connection, 6, charge_state=3, entry_id=None)
    put(
        connection, "charge", id=FIRST + 7, message_id=second, kind=2, charge_state=2, partner_id=1, currency="RUB",
        month=202611, operator_id=1, entry_id=FIRST, partner_part=500_000, ours=-500_000,
    )  # fmt: skip


def fill_more(connection: sa.Connection) -> None:
    """Two held messages, one of them let go; one by referral terms; a receivable that is paid, written off, found."""
    an_mo(connection, 1, held=True)
    second = an_mo(connection, 2, held=True, parts=3)
    an_mo(connection, 3, referral_id=7, referral_part=100_000, ours=1_900_000)
    put(connection, "operator", id=1, code="alpha", currency="RUB", msisdn_prefixes="[]")
    addresses = (
        "partner:acme:held", "partner:acme:earnings", "bank:main", "operator:alpha:receivable", "expense:loss",
        "suspense:alpha",
    )  # fmt: skip
    for id_, address in enumerate(addresses, 1):
        put(connection, "account", id=id_, address=address, currency="RUB")
    details = (
        ("hold_released", 1, 2, 3_000_000, second), ("operator_paid", 3, 4, 9_000_000, 0), ("payment", 3, 2, 1, 0),
        ("written_off", 5, 4, 700_000, 0), ("found", 4, 6, 50_000, 0), ("adjusted", 4, 3, 1_000_000, 0),
    )  # fmt: skip
    for id_, (kind, debit, credit, amount, message_id) in enumerate(details, 1):
        put(
            connection, "detail", id=id_, entry_id=first_id_at(NOON + DAY_MS), kind=kind, debit_id=debit,
            credit_id=credit, currency="RUB", amount=amount, month=202611, message_id=message_id, partner_id=1,
        )  # fmt: skip


def stored(database: Database) -> list[tuple[Any, ...]]:
    """(day, currency, service, partner, kind, month, slot, count, parts, price, the partner's part)."""
    columns = (
        DailySum.day, DailySum.currency, DailySum.service_id, DailySum.partner_id, DailySum.kind, DailySum.month,
        DailySum.slot, DailySum.count, DailySum.parts, DailySum.price, DailySum.partner_part,
    )  # fmt: skip
    with database.read() as connection:
        return [tuple(row) for row in connection.execute(sa.select(*columns).order_by(*columns[:6]))]


def test_what_was_booked_before_is_summed(old: Old) -> None:
    with old.database.write() as connection:
        fill(connection)

    migrate(old.url)

    assert stored(old.database) == [
        (TODAY, "", 1, 0, 0, 202611, 0, 1, 1, 0, 0),
        (TODAY, "KZT", 1, 1, 1, 202611, 0, 1, 1, 0, 0),
        (TODAY, "RUB", 1, 1, 1, 202611, 0, 2, 4, 24_000_000, 6_000_000),
        (TODAY, "RUB", 1, 1, 2, 202611, 0, 1, 3, 0, 500_000),
        (20261201, "RUB", 1, 1, 1, 202611, 0, 1, 1, 12_000_000, 3_000_000),
    ]


def test_the_audit_finds_the_sums_of_the_migration_to_be_those_of_the_charges(old: Old) -> None:
    with old.database.write() as connection:
        fill(connection)

    migrate(old.url)

    with old.database.read() as connection:
        found = {name: findings for name, findings in audit(connection, a_catalogue())}
    assert found["daily"] == []
    assert found["L3"] != []  # that the rows were read at all: nothing is posted here


def test_an_empty_database_has_no_sums(old: Old) -> None:
    migrate(old.url)

    assert stored(old.database) == []


# --- what sums did not tell before ---------------------------------------------------------------------------


def told(database: Database) -> list[tuple[Any, ...]]:
    """(day, short code, partner, kind, referral terms, held, count, parts, price, the partner's part)."""
    columns = (
        DailySum.day, DailySum.short_code, DailySum.partner_id, DailySum.kind, DailySum.referral_id, DailySum.held,
        DailySum.count, DailySum.parts, DailySum.price, DailySum.partner_part,
    )  # fmt: skip
    with database.read() as connection:
        return [tuple(row) for row in connection.execute(sa.select(*columns).order_by(*columns[:6]))]


def test_what_is_held_who_referred_and_what_came_off_receivables_is_told(older: Old) -> None:
    migrate(older.url)

    assert told(older.database) == [
        (TODAY, "4446", 1, 1, 0, 1, 2, 4, 24_000_000, 6_000_000),
        (TODAY, "4446", 1, 1, 7, 0, 1, 1, 12_000_000, 3_000_000),
        (TOMORROW, "", 0, 101, 0, 0, 2, 0, 8_000_000, 0),
        (TOMORROW, "", 0, 102, 0, 0, 2, 0, 650_000, 0),
        (TOMORROW, "4446", 1, 100, 0, 0, 1, 3, 0, 3_000_000),
        (TOMORROW, "4446", 1, 100, 0, 1, 0, 0, 0, -3_000_000),
    ]


def test_the_audit_finds_these_sums_to_be_those_of_charges_and_details(older: Old) -> None:
    migrate(older.url)

    with older.database.read() as connection:
        found = {name: findings for name, findings in audit(connection, a_catalogue())}
    assert found["daily"] == []


def test_it_may_be_run_again_where_it_was_broken_off(older: Old) -> None:
    """MariaDB does not take back what happened to tables."""
    with older.database.write() as connection:
        connection.exec_driver_sql("DROP TABLE daily_sum")

    migrate(older.url)

    assert len(told(older.database)) == 6
