"""Statements as text, straight to the driver: the hot path of the journal.

read_text    rows, as the driver gives them
write_text   how many rows a statement found
send_text    one statement, or one for each of many rows, whose outcome nobody asks for
flush_text   what waits to be sent is sent
places       of parameters in a list

They run in the transaction of the connection they are given, beside SQLAlchemy's own statements. What they save:
SQLAlchemy's `exec_driver_sql` costs 7 to 14 µs a statement around the driver's 1, and a commit has a dozen.

Rule: errors look as if SQLAlchemy had run the statement, and what it would do about a lost connection is done.
"""

import functools
from collections.abc import Sequence, Sized
from typing import Any, TypeAlias

import sqlalchemy as sa

from store import packets
from store.faults import is_lost

Parameters: TypeAlias = tuple[Any, ...]


def read_text(
    connection: sa.Connection, sql: str, parameters: Parameters = (), *, lock: str = ""
) -> Sequence[tuple[Any, ...]]:
    """All rows of a statement with `?` in the places of its parameters. `lock` stands behind it on MariaDB alone:
    SQLite's single writer needs none. Raises sqlalchemy.exc.DBAPIError.
    """
    try:
        driver = _driver(connection)
        if connection.dialect.name != "sqlite":
            return packets.ask(driver, _for_mariadb(sql, lock), parameters)[0]
        cursor = driver.execute(sql, parameters)
        rows: Sequence[tuple[Any, ...]] = cursor.fetchall()
        cursor.close()
    except connection.dialect.loaded_dbapi.Error as error:
        raise _named(connection, sql, error) from error
    return rows


def write_text(connection: sa.Connection, sql: str, parameters: Parameters = ()) -> int:
    """How many rows a statement with `?` found. Raises sqlalchemy.exc.DBAPIError."""
    try:
        driver = _driver(connection)
        if connection.dialect.name != "sqlite":
            return packets.ask(driver, _for_mariadb(sql, ""), parameters)[1]
        cursor = driver.execute(sql, parameters)
        # SQLAlchemy connects to MariaDB with FOUND_ROWS: rows that were found, changed or not.
        found: int = cursor.rowcount
        cursor.close()
    except connection.dialect.loaded_dbapi.Error as error:
        raise _named(connection, sql, error) from error
    return found


def places(values: Sized) -> str:
    """`?, ?, ?` for so many."""
    return ", ".join("?" * len(values))


@functools.lru_cache(maxsize=1024)
def _for_mariadb(sql: str, lock: str) -> str:
    return f"{sql.replace('?', '%s')} {lock}"


def send_text(connection: sa.Connection, sql: str, parameters: Parameters | list[Parameters]) -> None:
    """A statement whose outcome nobody asks for; with a list, for each of its rows.

    `sql` is written for its database. On MariaDB it goes with the next statement that somebody waits for, and fails
    with that; there, a list of rows needs a statement of the form INSERT … VALUES (…) …. Raises
    sqlalchemy.exc.DBAPIError.
    """
    try:
        driver = _driver(connection)
        if connection.dialect.name != "sqlite":
            packets.send(driver, sql, parameters)
        elif isinstance(parameters, list):
            driver.executemany(sql, parameters).close()
        else:
            driver.execute(sql, parameters).close()
    except connection.dialect.loaded_dbapi.Error as error:
        raise _named(connection, sql, error) from error


def flush_text(connection: sa.Connection) -> None:
    """What waits is sent. Raises sqlalchemy.exc.DBAPIError."""
    if connection.dialect.name == "sqlite":
        return
    try:
        packets.flush(_driver(connection))
    except connection.dialect.loaded_dbapi.Error as error:
        raise _named(connection, "several statements", error) from error


def _driver(connection: sa.Connection) -> Any:
    return connection.connection.driver_connection


def _named(connection: sa.Connection, sql: str, error: Exception) -> BaseException:
    """SQLAlchemy's error for a driver's; no parameters in it: they hold texts and numbers of subscribers."""
    lost = is_lost(error)
    if lost:
        connection.invalidate(error)
        connection.engine.dispose()  # those that lie in the pool are as old
    dialect = connection.dialect
    base: Any = dialect.loaded_dbapi.Error
    return sa.exc.DBAPIError.instance(
        sql, None, error, base, hide_parameters=True, connection_invalidated=lost, dialect=dialect
    )
