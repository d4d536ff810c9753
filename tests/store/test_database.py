"""Transactions on both databases, and how errors are told apart."""

import os
import sqlite3
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.errors import ConfigError, StoreAway
from store.database import Database, connect, is_away, is_conflict
from store.migrate import migrate
from store.schema import ClosedMonth, Series
from tests import services


def count(connection: sa.Connection, number: int) -> None:
    """A row that may change; those of closed months may not."""
    connection.execute(sa.insert(Series).values(name=str(number), last=0))


def book(connection: sa.Connection, month: int) -> None:
    connection.execute(sa.insert(ClosedMonth).values(month=month, closed_at=0))


def months(database: Database) -> list[int]:
    with database.read() as connection:
        return list(connection.execute(sa.select(ClosedMonth.month).order_by(ClosedMonth.month)).scalars())


def code_of(sqlite_code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("?")
    error.sqlite_errorcode = sqlite_code
    return error


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize("by_migrate", [True, False])
def test_a_sqlite_file_that_we_make_is_nothing_for_everybody(tmp_path: Path, by_migrate: bool) -> None:
    path = tmp_path / "var" / "tollbridge.db"
    before = os.umask(0o022)
    try:
        if by_migrate:
            migrate(f"sqlite:///{path}")
        database = connect(f"sqlite:///{path}")
        with database.write() as connection:
            connection.exec_driver_sql("CREATE TABLE one (n INTEGER)")
        beside = sorted(path.parent.iterdir())
        modes = [mode_of(one) for one in beside]
        database.close()
    finally:
        os.umask(before)

    assert mode_of(path.parent) == 0o750
    assert [one.name for one in beside] == ["tollbridge.db", "tollbridge.db-shm", "tollbridge.db-wal"]
    assert modes == [0o640] * 3


def test_a_sqlite_file_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "tollbridge.db"
    path.touch(mode=0o600)
    database = connect(f"sqlite:///{path}")

    database.ping()
    database.close()

    assert mode_of(path) == 0o600


# --- URLs ---


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("nonsense", "not a URL"),
        ("postgresql://x/y", "postgresql:// is not known; write sqlite:///PATH or mysql://"),
        ("sqlite://var/x.db", "sqlite:// has no host; write sqlite:///PATH"),
        ("mysql://root@localhost", "the name of the database is missing"),
        ("mysql://root@localhost/x?charset=latin1", "no parameter charset"),
    ],
)
def test_a_url_that_is_none_of_ours_is_refused_with_what_to_write(url: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        connect(url)


def test_a_relative_path_lies_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    database = connect("sqlite:///var/deep/tollbridge.db")
    database.ping()

    assert (tmp_path / "var/deep/tollbridge.db").exists()
    database.close()


def test_the_name_of_a_database_tells_no_password() -> None:
    assert connect("mysql://ada:secret@db:3306/toll").name == "mysql://ada:***@db:3306/toll"


def test_a_socket_may_be_named_in_the_url() -> None:
    database = connect(services.mariadb().url("information_schema", by_socket=True))

    database.ping()
    database.close()


# --- Transactions ---


def test_a_block_that_ends_is_kept_and_one_that_raises_leaves_nothing(database: Database) -> None:
    with database.write() as connection:
        book(connection, 1)

    def fail() -> None:
        with database.write() as connection:
            book(connection, 2)
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    assert months(database) == [1]


def test_a_reader_sees_one_moment_whatever_is_written_meanwhile(database: Database) -> None:
    with database.read() as connection:
        with database.write() as writer:
            book(writer, 1)
        seen = connection.execute(sa.select(sa.func.count()).select_from(ClosedMonth)).scalar_one()

    assert seen == 0
    assert months(database) == [1]


def test_a_reader_cannot_write_and_its_connection_can_afterwards(database: Database) -> None:
    with pytest.raises(sa.exc.DBAPIError, match=r"(?i)read.?only"), database.read() as connection:
        book(connection, 1)

    with database.write() as connection:
        book(connection, 2)
    assert months(database) == [2]


def test_a_writer_on_mariadb_sees_what_others_committed_also_after_reading(mariadb_url: str) -> None:
    """READ COMMITTED: the snapshot of a reader does not stay with its connection."""
    database, other = connect(mariadb_url, connections=1), connect(mariadb_url)
    assert months(database) == []
    query = sa.select(ClosedMonth.month).order_by(ClosedMonth.month)

    with database.write() as connection:
        before = list(connection.execute(query).scalars())
        with other.write() as writer:
            book(writer, 1)
        after = list(connection.execute(query).scalars())

    assert (before, after) == ([], [1])
    database.close()
    other.close()


def test_a_transaction_that_reads_first_and_writes_later_waits_for_the_other_one(sqlite_url: str) -> None:
    """With a plain BEGIN the second fails at once: «database is locked»."""
    database, inside, first_may_end = connect(sqlite_url), threading.Event(), threading.Event()

    def first() -> None:
        with database.write() as connection:
            inside.set()
            book(connection, 1)
            assert first_may_end.wait(10)

    thread = threading.Thread(target=first)
    thread.start()
    assert inside.wait(10)
    threading.Timer(0.05, first_may_end.set).start()
    with database.write() as connection:
        seen = list(connection.execute(sa.select(ClosedMonth.month)).scalars())
        book(connection, 2)
    thread.join(10)

    assert seen == [1]
    assert months(database) == [1, 2]


def test_a_database_in_memory_is_one_for_all_threads() -> None:
    database = connect("sqlite://")
    with database.write() as connection:
        connection.exec_driver_sql("CREATE TABLE t (n INTEGER)")

    def add() -> None:
        for n in range(20):
            with database.write() as connection:
                connection.exec_driver_sql("INSERT INTO t VALUES (?)", (n,))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM t").scalar_one() == 80


def test_a_commit_is_durable_on_both(database: Database) -> None:
    assert database.durability_warning() is None
    if database.dialect == "sqlite":
        with database.read() as connection:
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1


def test_a_server_that_does_not_flush_earns_a_warning(mariadb_url: str) -> None:
    database = connect(mariadb_url)
    services.mariadb().run("SET GLOBAL innodb_flush_log_at_trx_commit=2")
    try:
        warning = database.durability_warning()
    finally:
        services.mariadb().run("SET GLOBAL innodb_flush_log_at_trx_commit=1")

    assert warning is not None
    assert "set it to 1" in warning
    database.close()


def test_a_text_that_is_too_long_is_refused_and_not_cut(mariadb_url: str) -> None:
    services.mariadb().run("SET GLOBAL sql_mode=''")
    database = connect(mariadb_url)
    try:
        with pytest.raises(sa.exc.DataError), database.write() as connection:
            connection.exec_driver_sql("INSERT INTO short_code (number, default_reply) VALUES (REPEAT('9', 21), '')")
    finally:
        services.mariadb().run("SET GLOBAL sql_mode=DEFAULT")
        database.close()


# --- Conflicts ---


def test_a_deadlock_is_a_conflict_and_not_an_absence(mariadb_url: str) -> None:
    database, errors = connect(mariadb_url), []
    both_hold_one = threading.Barrier(2, timeout=10)
    with database.write() as connection:
        count(connection, 1)
        count(connection, 2)

    def lock(first: int, second: int) -> None:
        try:
            with database.write() as connection:
                for number in (first, second):
                    change = sa.update(Series).where(Series.name == str(number))
                    connection.execute(change.values(last=first))
                    if number == first:
                        both_hold_one.wait()
        except sa.exc.DBAPIError as error:
            errors.append(error)

    threads = [threading.Thread(target=lock, args=args) for args in ((1, 2), (2, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert [(is_conflict(error), is_away(error)) for error in errors] == [(True, False)]
    database.close()


def test_a_lock_that_another_holds_too_long_is_a_conflict(mariadb_url: str) -> None:
    database = connect(mariadb_url, lock_wait_s=1)
    with database.write() as connection:
        book(connection, 1)
        with pytest.raises(sa.exc.OperationalError) as caught, database.write() as other:
            book(other, 1)

    assert is_conflict(caught.value)
    assert not is_away(caught.value)
    database.close()


def test_who_falls_silent_within_a_transaction_loses_its_locks(mariadb_url: str) -> None:
    """Its host may be dead: without a limit the server keeps the locks for eight hours."""
    silent, other = connect(mariadb_url, idle_s=1), connect(mariadb_url, lock_wait_s=5)
    with silent.write() as connection:
        count(connection, 1)

    def be_silent() -> None:
        with silent.write() as connection:
            connection.execute(sa.update(Series).values(last=1))
            with other.write() as another:  # It waits for the lock, less long than `lock_wait_s`.
                another.execute(sa.update(Series).values(last=2))
            connection.execute(sa.update(Series).values(last=3))

    with pytest.raises(StoreAway):
        be_silent()

    with other.read() as connection:
        assert connection.execute(sa.select(Series.last)).scalar_one() == 2
    silent.close()
    other.close()


def test_a_transaction_may_be_silent_for_half_a_minute(mariadb_url: str) -> None:
    database = connect(mariadb_url)

    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT @@idle_transaction_timeout").scalar_one() == 30
    database.close()


def test_a_file_that_another_process_keeps_locked_is_away_and_may_be_tried_again(sqlite_url: str) -> None:
    database = connect(sqlite_url, lock_wait_s=0)
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreAway, match="database is locked") as caught, database.write():
        pass

    assert is_conflict(caught.value)
    assert not caught.value.in_doubt
    other.execute("ROLLBACK")
    with database.write() as connection:
        book(connection, 1)
    database.close()
    other.close()


@pytest.mark.parametrize(
    ("code", "away", "conflict"),
    [
        (sqlite3.SQLITE_FULL, True, False),
        (sqlite3.SQLITE_IOERR, True, False),
        (sqlite3.SQLITE_IOERR | 4 << 8, True, False),
        (sqlite3.SQLITE_CANTOPEN, True, False),
        (sqlite3.SQLITE_BUSY, True, True),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, False, True),
        (sqlite3.SQLITE_CONSTRAINT, False, False),
        (sqlite3.SQLITE_ERROR, False, False),
    ],
)
def test_what_sqlite_says_is_told_apart(code: int, away: bool, conflict: bool) -> None:
    error = sa.exc.OperationalError("", None, code_of(code))

    assert (is_away(error), is_conflict(error)) == (away, conflict)


def test_a_mistake_in_a_statement_is_neither(database: Database) -> None:
    with pytest.raises(sa.exc.DBAPIError) as caught, database.write() as connection:
        connection.exec_driver_sql("SELEKT 1")

    assert not is_away(caught.value)
    assert not is_conflict(caught.value)


def test_a_full_disk_is_away_and_goes_on_when_there_is_room_again(sqlite_url: str) -> None:
    database = connect(sqlite_url)
    with database.write() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    with pytest.raises(StoreAway, match="full"), database.write() as connection:
        connection.exec_driver_sql("INSERT INTO short_code (number, default_reply) VALUES ('1', ?)", ("x" * 1_000_000,))

    with database.write() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=1000000")
        book(connection, 1)
    assert months(database) == [1]
    database.close()
