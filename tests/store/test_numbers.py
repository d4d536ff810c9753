"""What the portability table says of a batch of numbers."""

import sqlalchemy as sa

from store.bulk import bulk_insert
from store.database import Database
from store.numbers import count_ported, operators_of, since_of
from store.ported import COLUMNS
from store.schema import PortedNumber

FIRST = 79_001_000_000


def fill(database: Database, count: int) -> None:
    with database.write() as connection:
        bulk_insert(connection, PortedNumber, COLUMNS, [(FIRST + n, 1 + n % 2, 1000 + n) for n in range(count)])


def test_a_batch_is_asked_in_one_statement_and_only_ported_numbers_are_in_the_answer(database: Database) -> None:
    fill(database, 50)
    asked = [str(FIRST + n) for n in range(0, 100, 7)]

    with database.read() as connection:
        found = operators_of(connection, asked)

    assert found == {str(FIRST + n): 1 + n % 2 for n in range(0, 50, 7)}


def test_more_than_a_batch_is_asked_in_pieces(database: Database) -> None:
    fill(database, 2500)

    with database.read() as connection:
        found = operators_of(connection, (str(FIRST + n) for n in range(5000)))

    assert len(found) == 2500


def test_what_is_no_number_is_asked_in_vain(database: Database) -> None:
    fill(database, 1)

    with database.read() as connection:
        assert operators_of(connection, []) == {}
        assert operators_of(connection, ["", "Tele2", f"0{FIRST}", f"+{FIRST}", "9" * 20, "٧٩"]) == {}
        assert operators_of(connection, [str(FIRST)] * 3) == {str(FIRST): 1}


def test_how_many_each_operator_has_won_and_since_when(database: Database) -> None:
    with database.read() as connection:
        assert count_ported(connection) == {}
    fill(database, 7)

    with database.read() as connection:
        assert count_ported(connection) == {1: 4, 2: 3}
        assert since_of(connection, str(FIRST + 3)) == 1003
        assert since_of(connection, "79009999999") == 0


def test_numbers_are_counted_in_pieces(database: Database) -> None:
    with database.write() as connection:
        bulk_insert(connection, PortedNumber, COLUMNS, [(FIRST + n, 1, 0) for n in range(200_003)])

    with database.read() as connection:
        assert count_ported(connection) == {1: 200_003}
        assert connection.execute(sa.select(sa.func.count()).select_from(PortedNumber)).scalar() == 200_003
