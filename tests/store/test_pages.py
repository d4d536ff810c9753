"""A table read in pieces is the table, whatever the keys and the size of a piece."""

from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.bulk import bulk_insert
from store.database import Database, connect
from store.pages import pages, sifted
from store.schema import Account, Volume

KEY = (Volume.partner_id, Volume.plan_version_id, Volume.month)
PLACES = st.sets(st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 4)), max_size=30)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(places=PLACES, page=st.integers(1, 8))
def test_every_row_comes_once_and_in_order(database: Database, places: set[tuple[int, int, int]], page: int) -> None:
    with database.write() as connection:
        connection.execute(sa.delete(Volume))
        columns = ("partner_id", "plan_version_id", "month", "volume", "parts")
        bulk_insert(connection, Volume, columns, [(*place, 7, 0) for place in places])

    with database.read() as connection:
        found = [tuple(row) for row in pages(connection, sa.select(*KEY, Volume.volume), KEY, page)]

    assert found == [(*place, 7) for place in sorted(places)]


def test_several_tables_are_read_side_by_side(database: Database) -> None:
    with database.write() as connection:
        rows = [(f"bank:{number}", "RUB") for number in range(10)]
        bulk_insert(connection, Account, ("address", "currency"), rows)

    with database.read() as connection:
        query = sa.select(Account.id, Account.address)
        one, other = (pages(connection, query, (Account.id,), page=3) for _ in range(2))
        pairs = list(zip(one, other, strict=True))

    assert len(pairs) == 10
    assert all(left == right for left, right in pairs)


def test_no_result_of_mariadb_is_larger_than_a_piece(mariadb_url: str) -> None:
    """Its driver holds the whole result of a statement: what is asked for at once is in memory at once."""
    database = connect(mariadb_url)
    with database.write() as connection:
        bulk_insert(connection, Account, ("address", "currency"), [(f"bank:{number}", "RUB") for number in range(50)])
    sizes: list[int] = []

    with database.read() as connection:

        @sa.event.listens_for(connection, "after_cursor_execute")
        def keep(connection: sa.Connection, cursor: Any, *_: object) -> None:
            sizes.append(cursor.rowcount)

        read = list(pages(connection, sa.select(Account.id), (Account.id,), page=7))

    assert len(read) == 50
    assert sizes == [7] * 7 + [1]
    database.close()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ids=st.sets(st.integers(1, 60)), most=st.integers(1, 8))
def test_what_is_sifted_out_of_a_table_is_all_there_is_in_order(database: Database, ids: set[int], most: int) -> None:
    with database.write() as connection:
        connection.execute(sa.delete(Account))
        bulk_insert(connection, Account, ("id", "address", "currency"), [(i, f"bank:{i}", "RUB") for i in ids])

    query = sa.select(Account.id).where(Account.id % 3 == 0)
    with database.read() as connection:
        found = [row.id for row in sifted(connection, query, (Account.id,), most)]

    assert found == sorted(id_ for id_ in ids if id_ % 3 == 0)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ids=st.sets(st.integers(1, 60)), most=st.integers(1, 8), since=st.integers(0, 60), until=st.integers(0, 61))
def test_a_range_is_sifted_from_its_beginning_to_before_its_end(
    database: Database, ids: set[int], most: int, since: int, until: int
) -> None:
    with database.write() as connection:
        connection.execute(sa.delete(Account))
        bulk_insert(connection, Account, ("id", "address", "currency"), [(i, f"bank:{i}", "RUB") for i in ids])

    with database.read() as connection:
        found = sifted(connection, sa.select(Account.id), (Account.id,), most, since=since, until=until)
        assert [row.id for row in found] == sorted(id_ for id_ in ids if since <= id_ < until)
