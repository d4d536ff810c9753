"""What has an age limit goes when it is past it, a few rows at a time; everything else stays."""

import threading
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.clock import DAY_MS, Instant
from core.ids import first_id_at
from store.bulk import bulk_insert
from store.database import Database, connect
from store.pruning import AGES, prune_some
from store.schema import Identity, LinkOrder
from tests.makers import NOON
from tests.partner_api.rows import add
from tests.store.locks import until_somebody_waits

TABLES = pytest.mark.parametrize("table", AGES)
KEPT = {
    "identity": DAY_MS,
    "in_doubt": DAY_MS,
    "in_window": 0,
    "idempotency": DAY_MS,
    "ussd_session": DAY_MS,
    "link_order": 90 * DAY_MS,
    "question": 90 * DAY_MS,
    "receipt": 7 * DAY_MS,
    "callback_attempt": 30 * DAY_MS,
    "mo_part": 30 * DAY_MS,
}
"""As docs/operators.md says."""


def a_row(connection: sa.Connection, table: str, number: int, at: Instant) -> None:
    """A row of a table, of that moment; `number` tells it from others."""
    age = AGES[table]
    own: dict[str, dict[str, Any]] = {
        "identity": {"key": f"1/{number}"},
        "in_doubt": {"mo_id": number},
        "in_window": {"mo_id": number},
        "idempotency": {"partner_id": number % 3, "key": f"vote-{number}"},
        "mo_part": {"mo_id": 7, "payload": b"x"},
        "question": {"mt_id": number},
        "ussd_session": {"key": f"alpha/237670000001/{number}"},
    }
    when = {age.column.key: first_id_at(at) + number if age.is_id else at}
    add(connection, age.table, **own.get(table, {}), **when)


def moments(database: Database, table: str) -> list[int]:
    """Of the rows that are there, what tells their age."""
    column = AGES[table].column
    with database.read() as connection:
        return sorted(connection.execute(sa.select(column)).scalars())


def test_ages_are_those_that_are_told_to_operators() -> None:
    assert {table: age.kept_ms for table, age in AGES.items()} == KEPT


@TABLES
def test_a_row_goes_when_it_is_past_its_age_and_not_before(database: Database, table: str) -> None:
    with database.write() as connection:
        a_row(connection, table, 1, NOON)

    prune_some(database, table, NOON + KEPT[table])
    kept = len(moments(database, table))
    prune_some(database, table, NOON + KEPT[table] + 1)

    assert (kept, len(moments(database, table))) == (1, 0)


@TABLES
def test_rows_go_oldest_first_and_a_few_in_a_transaction(database: Database, table: str) -> None:
    with database.write() as connection:
        for number in range(10):
            a_row(connection, table, number, NOON + number * 1000)
    every = moments(database, table)
    now = NOON + KEPT[table] + 6_001

    left, more = [], True
    while more:
        more = prune_some(database, table, now, most=3)
        left.append(len(moments(database, table)))

    assert left == [7, 4, 3]
    assert moments(database, table) == every[7:]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ages=st.lists(st.integers(0, 40 * DAY_MS), max_size=20), most=st.integers(1, 9), table=st.sampled_from([*AGES]))
def test_what_is_left_is_what_is_not_past_its_age(sqlite_url: str, ages: list[int], most: int, table: str) -> None:
    database = connect(sqlite_url)
    now = NOON + 100 * DAY_MS
    with database.write() as connection:
        connection.execute(sa.delete(AGES[table].table))
        for number, age in enumerate(ages):
            a_row(connection, table, number, now - age)

    while prune_some(database, table, now, most):
        pass

    assert len(moments(database, table)) == sum(1 for age in ages if age <= KEPT[table])
    database.close()


def test_a_part_that_still_waits_for_the_others_is_never_removed(database: Database) -> None:
    with database.write() as connection:
        add(connection, AGES["mo_part"].table, id=first_id_at(NOON), mo_id=0, payload=b"x")

    assert prune_some(database, "mo_part", NOON + 1000 * DAY_MS) is False
    assert len(moments(database, "mo_part")) == 1


@TABLES
def test_the_oldest_rows_are_found_without_reading_the_others(database: Database, table: str) -> None:
    with database.write() as connection:
        for number in range(60):
            a_row(connection, table, number, NOON + number)
    age = AGES[table]
    query = age.query(NOON + KEPT[table] - 1, 500)

    with database.read() as connection:
        sql = str(query.compile(connection, compile_kwargs={"literal_binds": True}))
        if database.dialect == "sqlite":
            (plan,) = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}").all()
            assert plan[-1].startswith(f"SEARCH {table} USING")
            assert f"({age.column.key}<?)" in plan[-1]
        else:
            (plan,) = connection.exec_driver_sql(f"EXPLAIN {sql}").all()
            assert (plan.type, int(plan.rows)) == ("range", 1)


def test_two_processes_that_prune_at_once_do_no_harm(mariadb_url: str) -> None:
    """The second finds the rows that the first is removing, waits, and removes nothing."""
    ours, theirs = connect(mariadb_url), connect(mariadb_url)
    rows = [(f"1/{number}", number, NOON) for number in range(30)]
    with ours.write() as connection:
        bulk_insert(connection, Identity, ("key", "mo_id", "at"), rows)
    answers: list[bool] = []
    second = threading.Thread(target=lambda: answers.append(prune_some(theirs, "identity", NOON + 2 * DAY_MS)))

    with ours.write() as connection:
        connection.execute(sa.delete(Identity))
        second.start()
        until_somebody_waits(ours)
    second.join(10)

    assert answers == [False]
    assert moments(ours, "identity") == []
    ours.close()
    theirs.close()


def test_who_disabled_a_link_stays_however_long_ago_it_was(database: Database) -> None:
    with database.write() as connection:
        for number, kind in enumerate(("disable", "reconnect", "enable", "trace", "drain"), 1):
            add(connection, LinkOrder, link_id=number, kind=kind, at=NOON - 400 * DAY_MS)

    assert not prune_some(database, "link_order", NOON)

    with database.read() as connection:
        assert set(connection.execute(sa.select(LinkOrder.kind)).scalars()) == {"disable", "enable"}
