"""Statements as text, beside SQLAlchemy's own, in one transaction; and what goes wrong with them."""

import pytest
import sqlalchemy as sa

from core.errors import StoreAway
from store.database import Database, connect, is_away, is_conflict
from store.schema import ClosedMonth
from store.text import read_text, write_text
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
        write_text(connection, INSERT[database.dialect], [(1, 0), (2, 0)])
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
        write_text(connection, INSERT[database.dialect], [(1, 0), (1, 0)])

    with database.write() as connection:
        write_text(connection, INSERT[database.dialect], (2, 0))
    assert months(database) == [2]


@pytest.mark.parametrize("many", [True, False])
def test_an_error_does_not_tell_the_values(database: Database, many: bool) -> None:
    table = "mo_part (id, source)"
    places = "(?, ?)" if database.dialect == "sqlite" else "(%s, %s)"
    values = (1, NUMBER)

    with pytest.raises(sa.exc.DBAPIError) as caught, database.write() as connection:
        write_text(connection, f"INSERT INTO {table} VALUES {places}", [values] if many else values)

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
