"""Transactions that stand in each other's way.

until_somebody_waits   on a MariaDB of the tests' own: returns as soon as one waits for a lock of another
Failing                a database whose writes fail at first as a test says
conflict               what the driver says where another transaction stood in the way
"""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import MySQLdb
import sqlalchemy as sa

from store.database import Database, Dialect

PATIENCE_S = 10


def until_somebody_waits(database: Database) -> None:
    """Until a transaction waits for the lock of a row; the server says so."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        with database.read() as connection:
            # information_schema.innodb_trx would be as it was, for as long as it is asked again and again.
            _, waiting = connection.exec_driver_sql("SHOW STATUS LIKE 'Innodb_row_lock_current_waits'").one()
        if int(waiting):
            return
    raise AssertionError("nobody waits for a lock")


class Failing(Database):
    """Each write takes the next of `errors`: it is raised in place of the COMMIT; None, and none left: all is well."""

    def __init__(self, database: Database, errors: Sequence[Exception | None]) -> None:
        super().__init__(database.engine)
        self.errors = list(errors)

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        error = self.errors.pop(0) if self.errors else None
        with super().write() as connection:
            yield connection
            if error is not None:
                raise error


def conflict(dialect: Dialect) -> sa.exc.DBAPIError:
    """As the driver tells it."""
    if dialect == "sqlite":
        locked = sqlite3.OperationalError("database is locked")
        locked.sqlite_errorcode = sqlite3.SQLITE_BUSY_SNAPSHOT
        return sa.exc.OperationalError("COMMIT", None, locked)
    deadlock = MySQLdb.OperationalError(1213, "Deadlock found when trying to get lock")
    return sa.exc.OperationalError("COMMIT", None, deadlock)
