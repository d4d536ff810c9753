"""What is booked stays, whoever writes."""

import contextlib
import re
import sqlite3
from typing import Any

import pytest
import sqlalchemy as sa

from store.bulk import bulk_insert
from store.database import Database, connect, is_away
from store.schema import Base, Charge, ClosedMonth, Detail, Entry, FrozenTotal, Mo, Posting, Statement, StatementLine
from store.triggers import CHARGE_COLUMNS, create_triggers, missing_triggers

POSTED, PENDING = 2, 1
BOOKED = (Entry, Posting, Detail)
FROZEN = (ClosedMonth, FrozenTotal, Statement, StatementLine)


def insert(database: Database, table: type[Base], **values: Any) -> None:
    """A row with 0 or "" in what is not told."""
    columns = table.__table__.columns
    row = {
        c.name: values.get(c.name, None if c.nullable else "" if isinstance(c.type, sa.String) else 0) for c in columns
    }
    with database.write() as connection:
        bulk_insert(connection, table, tuple(row), [tuple(row.values())])


@pytest.mark.parametrize("table", [*BOOKED, *FROZEN])
def test_what_is_booked_or_frozen_is_never_changed_and_never_deleted(database: Database, table: type[Base]) -> None:
    insert(database, table)
    before = _rows(database, table)

    for column in table.__table__.columns:
        value = "X" if isinstance(column.type, sa.String) else 2
        assert _refused(database, sa.update(table).values({column.name: value})), column.name
    assert _refused(database, sa.delete(table))
    assert _rows(database, table) == before


def test_a_posted_charge_is_never_changed_and_never_deleted(database: Database) -> None:
    insert(database, Charge, id=1, charge_state=POSTED)

    assert _refused(database, sa.update(Charge).values(price=5))
    assert _refused(database, sa.update(Charge).values(charge_state=3))
    assert _refused(database, sa.delete(Charge))


def test_a_pending_charge_may_be_posted_or_deleted(database: Database) -> None:
    insert(database, Charge, id=1, charge_state=PENDING)
    insert(database, Charge, id=2, charge_state=PENDING)

    assert not _error_of(database, sa.update(Charge).where(Charge.id == 1).values(charge_state=POSTED, price=5))
    assert not _error_of(database, sa.delete(Charge).where(Charge.id == 2))


@pytest.mark.parametrize("table", [Entry, Posting, Charge])
def test_what_is_booked_is_not_replaced_by_a_new_row_either(database: Database, table: type[Base]) -> None:
    """REPLACE deletes the old row; SQLite asks no trigger about that unless it is told to."""
    state = {"charge_state": POSTED} if table is Charge else {}
    insert(database, table, id=1, **state)
    columns = [column.name for column in table.__table__.columns]
    quoted = ", ".join(_quoted(database, name) for name in columns)
    same = f"REPLACE INTO {table.__tablename__} ({quoted}) SELECT {quoted} FROM {table.__tablename__}"

    assert _refused(database, sa.text(same))


@pytest.mark.parametrize("table", [Entry, Posting, ClosedMonth, FrozenTotal, Statement, StatementLine])
def test_nor_by_a_client_that_does_not_ask_for_the_triggers_of_what_replace_deletes(
    database_url: str, database: Database, table: type[Base]
) -> None:
    """As everything but our own connections is on SQLite: its shell, Django, a script."""
    insert(database, table)
    columns = ", ".join(_quoted(database, column.name) for column in table.__table__.columns)
    before = _rows(database, table)

    said = _by_another_client(
        database_url, f"REPLACE INTO {table.__tablename__} ({columns}) SELECT {columns} FROM {table.__tablename__}"
    )

    assert re.search("is never changed; (book a new entry|what comes late)", said)
    assert _rows(database, table) == before


@pytest.mark.parametrize(
    ("table", "same"),
    [(Entry, {"key": "batch:1"}), (Statement, {"number": 7}), (Statement, {"partner_id": 3, "month": 202501})],
)
def test_nor_does_it_replace_by_whatever_else_is_unique(
    database_url: str, database: Database, table: type[Base], same: dict[str, Any]
) -> None:
    old = {"number": 6, "partner_id": 2} if table is Statement else {}
    insert(database, table, id=1, **old | same)
    columns = [column.name for column in table.__table__.columns]
    new = {name: value for name, value in {"id": "2", "number": "8", "partner_id": "4"}.items() if name not in same}
    values = [new.get(name, _quoted(database, name)) for name in columns]
    names = ", ".join(_quoted(database, name) for name in columns)
    name = table.__tablename__

    said = _by_another_client(database_url, f"REPLACE INTO {name} ({names}) SELECT {', '.join(values)} FROM {name}")

    assert "is never changed" in said
    assert [row.id for row in _rows(database, table)] == [1]


def test_an_entry_is_not_replaced_by_another_of_its_key(database: Database) -> None:
    insert(database, Entry, id=1, key="batch:1")
    key = '"key"' if database.dialect == "sqlite" else "`key`"

    assert _refused(
        database, sa.text(f"REPLACE INTO entry (id, {key}, digest, kind, at) VALUES (2, 'batch:1', '', '', 0)")
    )


@pytest.mark.parametrize("column", CHARGE_COLUMNS)
def test_no_column_of_a_posted_charge_of_an_mo_changes(database: Database, column: str) -> None:
    insert(database, Mo, id=1, charge_state=POSTED)
    value = "X" if isinstance(Mo.__table__.c[column].type, sa.String) else 1

    assert _refused(database, sa.update(Mo).values({column: value}))


def test_an_mo_with_a_posted_charge_may_change_otherwise_but_is_never_deleted(database: Database) -> None:
    insert(database, Mo, id=1, charge_state=POSTED)

    assert not _error_of(database, sa.update(Mo).values(verdict_reason="looked at", charge_state=POSTED))
    assert _refused(database, sa.delete(Mo))


def test_an_mo_whose_charge_is_pending_may_be_posted(database: Database) -> None:
    insert(database, Mo, id=1, charge_state=PENDING)

    assert not _error_of(database, sa.update(Mo).values(charge_state=POSTED, entry_id=9))


def test_the_columns_of_a_charge_are_all_its_amounts_and_versions() -> None:
    assert {"charge_state", "currency", "price", "vat", "ours", "month", "entry_id", "referral_before"} <= set(
        CHARGE_COLUMNS
    )
    assert not {"id", "text", "verdict", "service_id"} & set(CHARGE_COLUMNS)


def test_a_trigger_that_is_gone_or_says_something_else_is_missed_and_made_anew(database: Database) -> None:
    with database.write() as connection:
        connection.exec_driver_sql("DROP TRIGGER entry_no_delete")
        connection.exec_driver_sql("DROP TRIGGER mo_no_update")
        act = "BEGIN SELECT 1; END" if database.dialect == "sqlite" else "SET @nothing = 1"
        connection.exec_driver_sql(f"CREATE TRIGGER mo_no_update BEFORE UPDATE ON mo FOR EACH ROW {act}")

    with database.write() as connection:
        missing = missing_triggers(connection)
        create_triggers(connection)

    assert missing == ["entry_no_delete", "mo_no_update"]
    with database.read() as connection:
        assert missing_triggers(connection) == []


def _by_another_client(url: str, statement: str) -> str:
    """What the database says to it; on MariaDB all clients are alike."""
    address = sa.make_url(url)
    if address.drivername != "sqlite":
        with contextlib.closing(connect(url)) as other:
            return str(_error_of(other, sa.text(statement)))
    with contextlib.closing(sqlite3.connect(address.database or "")) as client:
        try:
            client.execute(statement)
            client.commit()
        except sqlite3.Error as error:
            return str(error)
    return ""


def _quoted(database: Database, name: str) -> str:
    return f'"{name}"' if database.dialect == "sqlite" else f"`{name}`"


def _rows(database: Database, table: type[Base]) -> list[Any]:
    with database.read() as connection:
        return list(connection.execute(sa.select(table.__table__)))


def _refused(database: Database, statement: Any) -> bool:
    """Whether a trigger of ours refuses it."""
    error = _error_of(database, statement)
    return (
        error is not None
        and not is_away(error)
        and bool(re.search("; book a |never deleted|is never changed; what comes late", str(error.orig)))
    )


def _error_of(database: Database, statement: Any) -> sa.exc.DBAPIError | None:
    try:
        with database.write() as connection:
            connection.execute(statement)
    except sa.exc.DBAPIError as error:
        return error
    return None
