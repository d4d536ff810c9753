"""Statements as text, straight to the driver: the hot path of the journal.

read_text    rows, as the driver gives them
ask          the same of a statement that is written alike for both databases
write_text   one statement, or one for each of many rows; how many rows it found

They run in the transaction of the connection they are given, beside SQLAlchemy's own statements. What they save:
SQLAlchemy's `exec_driver_sql` costs 7 to 14 µs a statement around the driver's 1, and a commit has a dozen.

Rule: errors look as if SQLAlchemy had run the statement, and what it would do about a lost connection is done.
"""

import functools
from collections.abc import Sequence
from typing import Any, TypeAlias

import sqlalchemy as sa

from store.faults import is_lost

Parameters: TypeAlias = tuple[Any, ...]


def read_text(connection: sa.Connection, sql: str, parameters: Parameters = ()) -> Sequence[tuple[Any, ...]]:
    """All rows. Raises sqlalchemy.exc.DBAPIError."""
    try:
        cursor = _cursor(connection)
        cursor.execute(sql, parameters)
        rows: Sequence[tuple[Any, ...]] = cursor.fetchall()
        cursor.close()
    except connection.dialect.loaded_dbapi.Error as error:
        raise _named(connection, sql, error) from error
    return rows


def ask(
    connection: sa.Connection, sql: str, parameters: Parameters = (), *, lock: str = ""
) -> Sequence[tuple[Any, ...]]:
    """All rows of a statement with `?` in the places of its parameters. `lock` stands behind it on MariaDB alone:
    SQLite's single writer needs none. Raises sqlalchemy.exc.DBAPIError.
    """
    if connection.dialect.name != "sqlite":
        sql = _for_mariadb(sql, lock)
    return read_text(connection, sql, parameters)


@functools.cache
def _for_mariadb(sql: str, lock: str) -> str:
    return f"{sql.replace('?', '%s')} {lock}"


def write_text(connection: sa.Connection, sql: str, parameters: Parameters | list[Parameters] = ()) -> int:
    """One statement; with a list, once for each of its rows. Returns how many rows it found.

    Raises sqlalchemy.exc.DBAPIError.
    """
    try:
        cursor = _cursor(connection)
        if isinstance(parameters, list):
            cursor.executemany(sql, parameters)
        else:
            cursor.execute(sql, parameters)
        # SQLAlchemy connects to MariaDB with FOUND_ROWS: rows that were found, changed or not.
        found: int = cursor.rowcount
        cursor.close()
    except connection.dialect.loaded_dbapi.Error as error:
        raise _named(connection, sql, error) from error
    return found


def _cursor(connection: sa.Connection) -> Any:
    driver: Any = connection.connection.driver_connection
    return driver.cursor()


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
