"""Statements as text, beside SQLAlchemy's own, in one transaction; and what goes wrong with them."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from core.errors import StoreAway
from core.message import MtState
from store import packets
from store.database import Database, connect, is_away, is_conflict
from store.schema import ClosedMonth
from store.text import flush_text, read_text, send_text, write_text
from tests import services

INSERT = {
    "sqlite": "INSERT INTO closed_month (month, closed_at) VALUES (?, ?)",
    "mysql": "INSERT INTO closed_month (month, closed_at) VALUES (%s, %s)",
}
MONTHS = "SELECT month FROM closed_month ORDER BY month"
NUMBER = "79000000001"


def months(database: Database) -> list[int]:
    with database.read() as connection:
        return [month for (month,) in read_text(connection, MONTHS)]


def test_text_and_expressions_are_one_transaction(database: Database) -> None:
    with database.write() as connection:
        send_text(connection, INSERT[database.dialect], [(1, 0), (2, 0)])
        connection.execute(sa.insert(ClosedMonth).values(month=3, closed_at=0))
        write_text(connection, INSERT[database.dialect], (4, 0))
        seen = read_text(connection, MONTHS)

    assert [month for (month,) in seen] == [1, 2, 3, 4]
    assert months(database) == [1, 2, 3, 4]


def test_text_of_a_block_that_raises_leaves_nothing(database: Database) -> None:
    def fail() -> None:
        with database.write() as connection:
            write_text(connection, INSERT[database.dialect], (1, 0))
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    assert months(database) == []


def test_a_connection_that_goes_back_after_a_failure_is_in_no_transaction(database: Database) -> None:
    """The pool does not roll back: the block has to."""
    with pytest.raises(sa.exc.IntegrityError), database.write() as connection:
        send_text(connection, INSERT[database.dialect], [(1, 0), (1, 0)])

    with database.write() as connection:
        write_text(connection, INSERT[database.dialect], (2, 0))
    assert months(database) == [2]


@pytest.mark.parametrize("many", [True, False])
def test_an_error_does_not_tell_the_values(database: Database, many: bool) -> None:
    table = "mo_part (id, source)"
    places = "(?, ?)" if database.dialect == "sqlite" else "(%s, %s)"
    values = (1, NUMBER)

    with pytest.raises(sa.exc.DBAPIError) as caught, database.write() as connection:
        send_text(connection, f"INSERT INTO {table} VALUES {places}", [values] if many else values)

    assert NUMBER not in str(caught.value)
    assert not is_away(caught.value)
    assert not is_conflict(caught.value)


def test_an_expression_of_sqlalchemys_does_not_tell_the_values_either(database: Database) -> None:
    twice = sa.text("INSERT INTO closed_month (month, closed_at) SELECT :m, 0 UNION ALL SELECT :m, 0")

    with pytest.raises(sa.exc.DBAPIError) as caught, database.write() as connection:
        connection.execute(twice, {"m": 202611})

    assert "202611" not in str(caught.value).replace(str(caught.value.orig), "")


@pytest.mark.parametrize("how", ["read", "write"])
def test_a_connection_that_is_killed_is_away_and_the_next_is_whole(mariadb_url: str, how: str) -> None:
    database = connect(mariadb_url, connections=1)

    def killed() -> None:
        with database.write() as connection:
            ((number,),) = read_text(connection, "SELECT CONNECTION_ID()")
            services.mariadb().run(f"KILL {number}")
            if how == "read":
                read_text(connection, MONTHS)
            else:
                write_text(connection, INSERT["mysql"], (1, 0))

    with pytest.raises(StoreAway) as caught:
        killed()

    assert not caught.value.in_doubt
    with database.write() as connection:
        write_text(connection, INSERT["mysql"], (2, 0))
    assert months(database) == [2]
    database.close()


def test_a_text_of_another_sort_keeps_its_octets(database: Database) -> None:
    text = "Ωμέγα \U0001f600 'quoted' %s ? \\"
    place = "?" if database.dialect == "sqlite" else "%s"

    with database.read() as connection:
        rows = read_text(connection, f"SELECT {place}", (text,))

    assert rows[0][0] == text


# --- what is sent later --------------------------------------------------------------------------------------


def test_what_nobody_waits_for_is_there_for_who_asks_next(database: Database) -> None:
    with database.write() as connection:
        send_text(connection, INSERT[database.dialect], (1, 0))
        assert [month for (month,) in read_text(connection, MONTHS)] == [1]
        send_text(connection, INSERT[database.dialect], [(2, 0), (3, 0)])
        assert connection.execute(sa.select(sa.func.count()).select_from(ClosedMonth)).scalar_one() == 3
        send_text(connection, INSERT[database.dialect], (4, 0))
        assert write_text(connection, "UPDATE folding SET posting_id = 7 WHERE id = 1") == 1
        send_text(connection, INSERT[database.dialect], (5, 0))

    assert months(database) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("waits", [True, False])
def test_what_fails_later_fails_before_the_commit_and_leaves_nothing(database: Database, waits: bool) -> None:
    def fail() -> None:
        with database.write() as connection:
            send_text(connection, INSERT[database.dialect], [(1, 0), (2, 0)])
            send_text(connection, INSERT[database.dialect], (1, int(NUMBER)))
            send_text(connection, INSERT[database.dialect], (3, 0))
            if waits:
                flush_text(connection)

    with pytest.raises(sa.exc.IntegrityError) as caught:
        fail()

    assert NUMBER not in str(caught.value).replace(str(caught.value.orig), "")
    assert months(database) == []


def test_of_a_block_that_raises_nothing_is_sent_with_the_next(database: Database) -> None:
    def fail() -> None:
        with database.write() as connection:
            send_text(connection, INSERT[database.dialect], (1, 0))
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    for _ in range(6):  # whichever connection of the pool it is
        with database.write() as connection:
            read_text(connection, MONTHS)
    assert months(database) == []


def test_many_rows_are_several_packets(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packets, "_MOST", 200)

    with database.write() as connection:
        for start in range(1, 100, 20):
            send_text(connection, INSERT[database.dialect], [(month, 0) for month in range(start, start + 20)])

    assert months(database) == list(range(1, 101))


def test_a_connection_that_is_killed_before_the_commit_is_away_and_not_in_doubt(mariadb_url: str) -> None:
    database = connect(mariadb_url, connections=1)

    def killed() -> None:
        with database.write() as connection:
            ((number,),) = read_text(connection, "SELECT CONNECTION_ID()")
            services.mariadb().run(f"KILL {number}")
            send_text(connection, INSERT["mysql"], (1, 0))

    with pytest.raises(StoreAway) as caught:
        killed()

    assert not caught.value.in_doubt
    assert months(database) == []
    database.close()


VALUES = st.one_of(
    st.integers(-(2**63), 2**63 - 1), st.none(), st.booleans(), st.sampled_from(MtState), st.binary(max_size=20),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20), st.text("ab'\"\\%;\0\n\x1a_?", max_size=8),
)  # fmt: skip


@pytest.fixture(scope="module")
def shared() -> Iterator[Database]:
    """One database for many examples, which leave nothing in it."""
    url = services.fresh_mariadb()
    database = connect(url)
    yield database
    database.close()
    services.mariadb().drop(url)


@given(values=st.lists(VALUES, min_size=1, max_size=5))
def test_every_value_comes_back_as_it_was(shared: Database, values: list[object]) -> None:
    with shared.read() as connection:
        (row,) = read_text(connection, f"SELECT {', '.join(['%s'] * len(values))}", tuple(values))

    assert [int(value) if isinstance(value, int) else value for value in values] == list(row)
