"""URL → a Database: the manners of SQLite and MariaDB, and transactions.

connect(url)       a Database; connects when first asked for something
Database.write()   one transaction; BEGIN IMMEDIATE on SQLite, READ COMMITTED on MariaDB
Database.read()    one unchanging picture of everything, for reading only
is_away, is_conflict    what a driver's error means: store/faults.py
bulk_insert …           many rows at once: store/bulk.py

Rule: nobody else opens a transaction. A transaction of SQLite that reads first and writes later fails at once with
«database is locked» when another process wrote in between, whatever the time-out; one that begins IMMEDIATE does not.
"""

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa

from core.errors import ConfigError, StoreAway
from store import packets
from store.bulk import bulk_insert, bulk_update, bulk_upsert, insert_ignore
from store.faults import is_away, is_conflict, is_lost
from store.text import flush_text, write_text

__all__ = [
    "Database",
    "Dialect",
    "bulk_insert",
    "bulk_update",
    "bulk_upsert",
    "connect",
    "insert_ignore",
    "is_away",
    "is_conflict",
    "read_url",
]

Dialect = Literal["sqlite", "mysql"]

# Which BEGIN a transaction wants; an option of SQLAlchemy's connection, read by the `begin` events below.
_READ_ONLY = "tollbridge_read_only"

_MANNERS: dict[str, Any] = {
    # An error of the driver's is logged: it must not tell texts and numbers of subscribers.
    "hide_parameters": True,
    # Every block ends its transaction itself, so that the pool's ROLLBACK would only be one round trip more.
    "pool_reset_on_return": None,
}


def connect(
    url: str,
    *,
    connect_timeout_s: int = 3,
    io_timeout_s: int = 10,
    lock_wait_s: int = 5,
    idle_s: int = 30,
    connections: int = 5,
) -> "Database":
    """A database by its URL (interfaces.md, section 2). Nothing is opened yet.

    `io_timeout_s` is the longest silence of a MariaDB server within a statement. `lock_wait_s` is how long a statement
    waits for another's lock; keep it shorter, or such a lock looks like a dead server. `idle_s` is how long a MariaDB
    server keeps a transaction, with its locks, of which it hears nothing: its host may be dead. Raises ConfigError for
    a URL that is none of ours.
    """
    address = read_url(url)
    if address.get_backend_name() == "sqlite":
        engine = _sqlite(address, lock_wait_s, connections)
    else:
        waits_s = {"connect_timeout": connect_timeout_s, "read_timeout": io_timeout_s, "write_timeout": io_timeout_s}
        engine = _mariadb(address, waits_s, lock_wait_s, idle_s, connections)
    return Database(engine)


def read_url(url: str) -> sa.URL:
    """`sqlite:///PATH` or `mysql://USER:PASSWORD@HOST:PORT/NAME` as SQLAlchemy's; raises ConfigError."""
    forms = "write sqlite:///PATH or mysql://USER:PASSWORD@HOST:3306/NAME"
    try:
        address = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise ConfigError(f"database.url: this is not a URL; {forms}") from error
    if address.drivername == "sqlite":
        if address.host or address.username or address.port:
            # Of sqlite://var/x.db the driver would drop `var` without a word.
            raise ConfigError("database.url: sqlite:// has no host; write sqlite:///PATH, with three slashes")
        return address
    if address.drivername != "mysql":
        raise ConfigError(f"database.url: {address.drivername}:// is not known; {forms}")
    if not address.database:
        raise ConfigError(f"database.url: the name of the database is missing; {forms}")
    unknown = set(address.query) - {"unix_socket"}
    if unknown:
        raise ConfigError(f"database.url: no parameter {min(unknown)}; only unix_socket is known")
    return address.set(drivername="mysql+mysqldb")


def _make_file(path: str) -> None:
    """Make the file, and its folder, where they are missing: texts, numbers and hashes are not for everybody.

    SQLite gives what it puts beside the file, -wal and -shm, the same mode.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    if not os.path.exists(path):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o640))


class Database:
    """One database, for all threads of a process."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.dialect: Dialect = "sqlite" if engine.dialect.name == "sqlite" else "mysql"
        self.name = engine.url.render_as_string(hide_password=True).replace("mysql+mysqldb:", "mysql:")
        # In memory all threads share one connection, so they take turns.
        in_memory = isinstance(engine.pool, sa.pool.StaticPool)
        self._turn: AbstractContextManager[Any] = threading.RLock() if in_memory else nullcontext()

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One transaction: committed when the block ends, rolled back when it raises.

        Raises StoreAway when the database cannot be reached, `in_doubt` if that came out in COMMIT; other errors of
        the driver as they are (ask `is_conflict` whether to repeat).
        """
        committing = False
        try:
            with self._turn, self.engine.connect() as connection:
                connection.begin()
                yield connection
                flush_text(connection)
                committing = True
                connection.commit()
        except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
            raise self._named(error, in_doubt=committing) from error

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One transaction that sees everything as it was when the block began, and may not write.

        Raises StoreAway when the database cannot be reached.
        """
        try:
            with self._turn, self._connect_to_read() as connection:
                try:
                    yield connection
                finally:
                    if self.dialect == "sqlite":
                        _let_write(connection)
        except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
            raise self._named(error, in_doubt=False) from error

    def ping(self) -> None:
        """Ask something small; raises StoreAway."""
        with self.read() as connection:
            connection.exec_driver_sql("SELECT 1")

    def durability_warning(self) -> str | None:
        """A sentence when a commit of this database may be lost with the power; for the log at start."""
        with self.read() as connection:
            if self.dialect == "mysql":
                mode = connection.exec_driver_sql("SELECT @@global.innodb_flush_log_at_trx_commit").scalar_one()
                if mode == 1:
                    return None
                return f"innodb_flush_log_at_trx_commit is {mode}: a commit may be lost with the power; set it to 1"
            mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
            if mode in ("wal", "memory"):
                return None
            return f"{self.name} is in journal mode {mode}, not wal; put it on a local disk"

    def close(self) -> None:
        """Close every connection that is not in use."""
        self.engine.dispose()

    def _connect_to_read(self) -> sa.Connection:
        connection = self.engine.connect().execution_options(**{_READ_ONLY: True})
        try:
            connection.begin()
        except sa.exc.DBAPIError as error:
            connection.close()
            if not error.connection_invalidated or not is_away(error):
                raise
            # It lay in the pool while the server restarted; all of its age are thrown away now, so once is enough.
            connection = self.engine.connect().execution_options(**{_READ_ONLY: True})
            connection.begin()
        return connection

    def _named(self, error: sa.exc.SQLAlchemyError, *, in_doubt: bool) -> Exception:
        """StoreAway where the database is away, else the same error."""
        if not is_away(error):
            return error
        cause = getattr(error, "orig", error)
        return StoreAway(f"{self.name} is away: {cause}; we try again", in_doubt=in_doubt)


def _sqlite(address: sa.URL, lock_wait_s: int, connections: int) -> sa.Engine:
    arguments = {"timeout": lock_wait_s, "check_same_thread": False}
    if not address.database or address.database == ":memory:":
        engine = sa.create_engine(address, poolclass=sa.pool.StaticPool, connect_args=arguments, **_MANNERS)
    else:
        path = address.database
        Path(path).parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        engine = sa.create_engine(
            address,
            poolclass=sa.pool.QueuePool,
            pool_size=connections,
            pool_timeout=5,
            connect_args=arguments,
            **_MANNERS,
        )

        @sa.event.listens_for(engine, "do_connect")
        def make(*_: object) -> None:
            with suppress(OSError):  # SQLite says it in its own way
                _make_file(path)

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, record: object) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        # Or INSERT OR REPLACE deletes the old row without asking the triggers that keep what is booked.
        connection.execute("PRAGMA recursive_triggers=ON")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        if not connection.get_execution_options().get(_READ_ONLY):
            write_text(connection, "BEGIN IMMEDIATE")
            return
        connection.exec_driver_sql("BEGIN")
        # BEGIN alone fixes nothing: the picture is taken by the first read.
        connection.exec_driver_sql("SELECT 1 FROM sqlite_master LIMIT 1")
        connection.exec_driver_sql("PRAGMA query_only=ON")

    _throw_away_lost(engine)
    return engine


def _let_write(connection: sa.Connection) -> None:
    if not connection.invalidated:
        connection.exec_driver_sql("PRAGMA query_only=OFF")


def _mariadb(address: sa.URL, waits_s: Mapping[str, int], lock_wait_s: int, idle_s: int, connections: int) -> sa.Engine:
    """`waits_s`: the driver's time-outs by their names."""
    engine = sa.create_engine(
        address,
        isolation_level="READ COMMITTED",
        pool_size=connections,
        pool_timeout=5,
        **_MANNERS,
        pool_recycle=3600,  # well below the server's wait_timeout of 8 hours
        connect_args={
            "charset": "utf8mb4",
            "binary_prefix": True,  # or bytes that are no UTF-8 earn a warning a row
            **waits_s,
            # Never cut a text that is too long, whatever the server's configuration says.
            "sql_mode": "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION",
            "init_command": (
                f"SET SESSION innodb_lock_wait_timeout={lock_wait_s}, lock_wait_timeout={lock_wait_s}, "
                f"idle_transaction_timeout={idle_s}"
            ),
        },
    )

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # A writing transaction begins with its first statement: autocommit is off. One round trip less.
        if connection.get_execution_options().get(_READ_ONLY):
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")

    @sa.event.listens_for(engine, "before_cursor_execute")
    def flush(connection: sa.Connection, *_: object) -> None:
        # Statements keep their order, whoever makes them.
        flush_text(connection)

    @sa.event.listens_for(engine, "rollback")
    def forget(connection: sa.Connection) -> None:
        if not connection.invalidated:
            packets.forget(connection.connection.driver_connection)

    _throw_away_lost(engine)
    return engine


def _throw_away_lost(engine: sa.Engine) -> None:
    """Tell SQLAlchemy which errors mean that a connection, and those of its age in the pool, are of no use."""

    @sa.event.listens_for(engine, "handle_error")
    def judge(context: sa.engine.ExceptionContext) -> None:
        if is_lost(context.original_exception):
            context.is_disconnect = True
