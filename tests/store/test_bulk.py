"""Many rows at once: what is read is exactly what was written, on both databases."""

from typing import Any

import pytest
import sqlalchemy as sa

from store.bulk import bulk_add, bulk_insert, bulk_update, bulk_upsert, insert_ignore
from store.database import Database, connect
from store.schema import Base, Callback, ClosedMonth, Identity, Json, Mo, MoPart, PlanVersion, TariffPlan, Volume

TEXTS = ("", " ends with a space ", 'it\'s "quoted" \\ %s %d ? :x', "привет Ω 😀 \x01\t\r\n", "ß" * 40)
INTEGERS = (0, 1, -1, 2**31 - 1, -(2**31))
LARGE = (0, 1, -1, 2**63 - 1, -(2**63))
SMALL = (0, 1, -1, 2**15 - 1, -(2**15))
BYTES = (b"", b"\x00\xff\xfe'\"\\%s", bytes(range(256)))
JSON: tuple[Any, ...] = ({}, [], {"b": [1, None, True], "a": "Ω'\\%s"}, "text", [[0, 300_000], [10**12, 350_000]])

IDENTITY = ("key", "mo_id", "at")
VOLUME = ("partner_id", "plan_version_id", "month", "volume", "parts")


def values_of(column: sa.ColumnElement[Any]) -> tuple[Any, ...]:
    """What a column may hold at its worst."""
    kinds: dict[Any, tuple[Any, ...]] = {
        Json: JSON,
        sa.BigInteger: LARGE,
        sa.Boolean: (False, True),
        sa.Integer: INTEGERS,
        sa.LargeBinary: BYTES,
        sa.SmallInteger: SMALL,
        sa.Text: TEXTS,
        sa.String: tuple(text[: column.type.length] for text in TEXTS) if isinstance(column.type, sa.String) else (),
    }
    return (*kinds[type(column.type)], *((None,) if column.nullable else ()))


def a_row(table: type[Base], number: int) -> tuple[Any, ...]:
    """Row `number`: another of its values in every column, and its number as the key."""
    columns = table.__table__.columns
    return tuple(
        number if column.primary_key else worst[(number + place) % len(worst)]
        for place, column in enumerate(columns)
        for worst in [values_of(column)]
    )


def names(table: type[Base]) -> tuple[str, ...]:
    return tuple(column.name for column in table.__table__.columns)


def rows_of(database: Database, table: type[Base]) -> list[tuple[Any, ...]]:
    with database.read() as connection:
        query = sa.select(table.__table__).order_by(*sa.inspect(table).primary_key)
        return [tuple(row) for row in connection.execute(query)]


@pytest.fixture
def plan(database: Database) -> None:
    """What plan versions refer to: any of the numbers that `a_row` makes up."""
    with database.write() as connection:
        rows = [(number, f"p{number}", "RSD") for number in (1, 2, 3)]
        bulk_insert(connection, TariffPlan, ("id", "name", "currency"), rows)


@pytest.mark.parametrize("table", [Mo, MoPart])
def test_every_value_of_every_column_comes_back(database: Database, table: type[Base]) -> None:
    rows = [a_row(table, number) for number in range(1, 31)]

    with database.write() as connection:
        bulk_insert(connection, table, names(table), rows)

    assert rows_of(database, table) == rows


@pytest.mark.usefixtures("plan")
def test_json_comes_back(database: Database) -> None:
    rows = []
    for number in range(1, 6):
        row = dict(zip(names(PlanVersion), a_row(PlanVersion, number), strict=True))
        rows.append(tuple((row | {"plan_id": number % 3 + 1, "valid_from": number}).values()))

    with database.write() as connection:
        bulk_insert(connection, PlanVersion, names(PlanVersion), rows)

    assert rows_of(database, PlanVersion) == rows


@pytest.mark.parametrize("table", [MoPart, Callback])
def test_every_column_can_be_overwritten_by_its_key(database: Database, table: type[Base]) -> None:
    old = [a_row(table, number) for number in range(1, 41)]
    new = [(number, *a_row(table, number + 1)[1:]) for number in range(1, 31)]
    of_none = (99, *new[0][1:])
    with database.write() as connection:
        bulk_insert(connection, table, names(table), old)

    with database.write() as connection:
        bulk_update(connection, table, names(table), [*new, of_none])

    assert rows_of(database, table) == new + old[30:]


def test_some_columns_are_overwritten_and_the_others_stay(database: Database) -> None:
    with database.write() as connection:
        bulk_insert(connection, Volume, VOLUME, [(1, 1, month, month, month) for month in range(1200)])

    with database.write() as connection:
        rows = [(1, 1, month, -month) for month in range(1100)]
        bulk_update(connection, Volume, ("partner_id", "plan_version_id", "month", "volume"), rows)

    wanted = [(1, 1, month, -month if month < 1100 else month, month) for month in range(1200)]
    assert rows_of(database, Volume) == wanted


def test_texts_are_keys_too(database: Database) -> None:
    with database.write() as connection:
        bulk_insert(connection, Identity, IDENTITY, [("1/Ä", 1, 1), ("1/ä", 2, 2), ("1/a", 3, 3)])

        bulk_update(connection, Identity, ("key", "at"), [("1/ä", 7), ("1/Ä", 8)])

    assert rows_of(database, Identity) == [("1/a", 3, 3), ("1/Ä", 1, 8), ("1/ä", 2, 7)]


def test_rows_that_are_there_are_overwritten_only_where_told(database: Database) -> None:
    with database.write() as connection:
        bulk_insert(connection, Volume, VOLUME, [(1, 1, 202611, 10, 1)])

        bulk_upsert(connection, Volume, VOLUME, [(1, 1, 202611, 20, 2), (1, 1, 202612, 5, 1)], update=("volume",))

    assert rows_of(database, Volume) == [(1, 1, 202611, 20, 1), (1, 1, 202612, 5, 1)]


@pytest.mark.parametrize("together", [True, False])
def test_rows_that_are_there_are_added_to(database: Database, together: bool) -> None:
    """In one statement or in one for each; the same row may come twice."""
    rows = [(1, 1, 1, 5, -1), (1, 1, 2, 7, 1), (1, 1, 1, 10**15, -(10**15))]

    for some in [rows] if together else [[row] for row in rows]:
        with database.write() as connection:
            bulk_add(connection, Volume, VOLUME, some)

    assert rows_of(database, Volume) == [(1, 1, 1, 10**15 + 5, -(10**15) - 1), (1, 1, 2, 7, 1)]


def test_rows_that_are_there_stay_as_they_are_when_told_to_ignore(database: Database) -> None:
    with database.write() as connection:
        bulk_insert(connection, Identity, IDENTITY, [("1/a", 1, 1)])

        insert_ignore(connection, Identity, IDENTITY, [("1/a", 2, 2), ("1/b", 3, 3), ("1/b", 4, 4)])

    assert rows_of(database, Identity) == [("1/a", 1, 1), ("1/b", 3, 3)]


def test_ignoring_what_is_there_does_not_cut_texts(mariadb_url: str) -> None:
    database = connect(mariadb_url)
    with pytest.raises(sa.exc.DataError), database.write() as connection:
        insert_ignore(connection, Identity, IDENTITY, [("x" * 121, 1, 1)])
    database.close()


def test_a_row_that_is_there_is_no_new_one(database: Database) -> None:
    with pytest.raises(sa.exc.IntegrityError), database.write() as connection:
        bulk_insert(connection, ClosedMonth, ("month", "closed_at"), [(1, 1), (1, 1)])


def test_no_rows_are_no_statement(database: Database) -> None:
    with database.write() as connection:
        bulk_insert(connection, Identity, IDENTITY, [])
        insert_ignore(connection, Identity, IDENTITY, [])
        bulk_upsert(connection, Identity, IDENTITY, [], update=("at",))
        bulk_update(connection, Identity, IDENTITY, [])

    assert rows_of(database, Identity) == []


def test_many_rows_are_few_statements_on_mariadb(mariadb_url: str) -> None:
    database = connect(mariadb_url)
    with database.write() as connection:
        bulk_insert(connection, Identity, IDENTITY, [(f"1/{n}", n, n) for n in range(1000)])
        bulk_upsert(connection, Identity, IDENTITY, [(f"1/{n}", n, -n) for n in range(1000)], update=("at",))
        bulk_update(connection, Identity, ("key", "at"), [(f"1/{n}", n) for n in range(1000)])
        counts = connection.exec_driver_sql(
            "SHOW SESSION STATUS WHERE Variable_name IN ('Com_insert', 'Com_update_multi')"
        )
        count = {name: int(value) for name, value in counts}

    assert count["Com_insert"] <= 4
    assert count["Com_update_multi"] == 2
    database.close()
