"""A MariaDB server that stops, freezes or is killed: noticed, named, and forgotten when it is back."""

import signal
import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from core.errors import StoreAway
from store.database import Database, connect, is_away, is_conflict
from store.schema import ClosedMonth
from tests import services

SILENCE_S = 1


@pytest.fixture
def database(mariadb_url: str) -> Iterator[Database]:
    """On a server that the test may hurt; it is mended afterwards."""
    database = connect(mariadb_url, connect_timeout_s=SILENCE_S, io_timeout_s=SILENCE_S)
    yield database
    database.close()
    server = services.mariadb()
    if server.process is None:
        server.start()
    server.thaw()


def book(connection: sa.Connection, month: int) -> None:
    connection.execute(sa.insert(ClosedMonth).values(month=month, closed_at=0))


def months(database: Database) -> list[int]:
    with database.read() as connection:
        return list(connection.execute(sa.select(ClosedMonth.month).order_by(ClosedMonth.month)).scalars())


def test_a_server_that_is_down_is_away(database: Database) -> None:
    services.mariadb().stop()

    with pytest.raises(StoreAway) as caught, database.write():
        pass

    assert not caught.value.in_doubt
    with pytest.raises(StoreAway):
        database.ping()


def test_a_frozen_server_is_noticed_within_a_silence(database: Database) -> None:
    database.ping()
    services.mariadb().freeze()
    before = time.monotonic()

    with pytest.raises(StoreAway) as caught, database.write() as connection:
        book(connection, 1)

    assert time.monotonic() - before < 2 * SILENCE_S + 1
    assert not caught.value.in_doubt


def test_a_frozen_server_is_noticed_by_a_new_connection_too(database: Database) -> None:
    services.mariadb().freeze()
    before = time.monotonic()

    with pytest.raises(StoreAway):
        database.ping()

    assert time.monotonic() - before < 2 * SILENCE_S + 1


def test_a_server_killed_within_a_transaction_kept_nothing_of_it(database: Database) -> None:
    def book_two() -> None:
        with database.write() as connection:
            book(connection, 1)
            services.mariadb().stop(signal.SIGKILL)
            book(connection, 2)

    with pytest.raises(StoreAway) as caught:
        book_two()

    assert not caught.value.in_doubt
    services.mariadb().start()
    assert months(database) == []


def test_a_server_that_freezes_in_commit_leaves_a_doubt(database: Database) -> None:
    def book_one() -> None:
        with database.write() as connection:
            book(connection, 1)
            services.mariadb().freeze()

    with pytest.raises(StoreAway) as caught:
        book_one()

    assert caught.value.in_doubt
    assert is_away(caught.value)
    assert not is_conflict(caught.value)


def test_what_was_committed_survives_a_kill(database: Database) -> None:
    with database.write() as connection:
        book(connection, 1)

    services.mariadb().stop(signal.SIGKILL)
    services.mariadb().start()

    assert months(database) == [1]


def test_a_reader_does_not_notice_that_the_server_restarted(database: Database) -> None:
    database.ping()

    services.mariadb().stop()
    services.mariadb().start()

    assert months(database) == []


def test_a_writer_loses_one_transaction_to_a_restart_and_no_more(database: Database) -> None:
    with database.write() as one, database.write() as other:
        book(one, 1)
        book(other, 2)
    services.mariadb().stop()
    services.mariadb().start()

    with pytest.raises(StoreAway), database.write() as connection:
        book(connection, 3)
    for month in (4, 5):
        with database.write() as one, database.write() as other:
            book(one, month)
            book(other, month + 10)

    assert months(database) == [1, 2, 4, 5, 14, 15]


def test_a_connection_that_an_administrator_kills_is_away(database: Database) -> None:
    def book_one() -> None:
        with database.write() as connection:
            number = connection.exec_driver_sql("SELECT CONNECTION_ID()").scalar_one()
            services.mariadb().run(f"KILL {number}")
            book(connection, 1)

    with pytest.raises(StoreAway):
        book_one()

    with database.write() as connection:
        book(connection, 2)
    assert months(database) == [2]
