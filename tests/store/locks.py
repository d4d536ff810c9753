"""Whether a transaction waits for a lock of another, on a MariaDB of the tests' own.

until_somebody_waits   returns as soon as one does
"""

import time

from store.database import Database

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
