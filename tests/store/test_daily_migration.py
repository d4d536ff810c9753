"""Migration 0009: what was booked before there were daily sums is in them, on both databases."""

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

BEFORE = "0007_links_that_flap"
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


def put(connection: sa.Connection, name: str, **given: Any) -> None:
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
