"""What a driver's error means: the database is away, another transaction stood in the way, or a statement is wrong.

is_away       it cannot be reached, does not answer, or cannot write
is_conflict   the same transaction may succeed when it is repeated
is_taken      a unique key is there already: another one was quicker
is_lost       the connection is of no use any more, nor are others of its age

Rule: an error that is neither away nor a conflict is a mistake of ours, and is never repeated.
"""

import sqlalchemy as sa

from core.errors import StoreAway

# https://mariadb.com/kb/en/mariadb-error-codes/ ; from 2000 on they are the client's own.
_MYSQL_AWAY = frozenset(
    (
        0,  # InterfaceError(0, ""): the connection is closed already
        1021, 1114,  # the disk is full
        1030,  # an error from the storage engine, often the disk
        1037, 1038, 1041,  # out of memory
        1040, 1203, 1226,  # too many connections
        1044, 1045, 1142, 1698,  # we may not: rights are being changed, or restored
        1049,  # the database is not there: it is being restored
        1047,  # a Galera node that is not ready
        1053, 1077, 1079,  # shutting down
        1080, 1152, 1158, 1159, 1160, 1161, 1184, 1927,  # the connection was aborted, timed out or killed
        1129,  # this host is blocked after too many broken connections
        1290, 1836,  # read-only: a replica, after a failover
        1969,  # max_statement_time
        2002, 2003, 2005, 2006, 2012, 2013, 2026, 2027, 2055,  # refused, unknown, gone, lost
    )
)  # fmt: skip
_MYSQL_CONFLICT = frozenset(
    (
        1205,  # lock wait timeout
        1213,  # deadlock
        1020,  # changed since last read (innodb_snapshot_isolation)
        1412,  # a table was altered meanwhile
    )
)

# https://www.sqlite.org/rescode.html ; the low byte is the primary code.
_SQLITE_BUSY, _SQLITE_LOCKED, _SQLITE_IOERR, _SQLITE_FULL, _SQLITE_CANTOPEN, _SQLITE_PROTOCOL = 5, 6, 10, 13, 14, 15
_SQLITE_BUSY_SNAPSHOT, _SQLITE_READONLY_DBMOVED = 517, 1032
_SQLITE_AWAY = {_SQLITE_BUSY, _SQLITE_LOCKED, _SQLITE_IOERR, _SQLITE_FULL, _SQLITE_CANTOPEN, _SQLITE_PROTOCOL}


_TAKEN = {1062, 1555, 2067}  # MariaDB: duplicate entry; SQLite: primary key, unique


def is_away(error: BaseException | None) -> bool:
    """The database cannot be reached, does not answer, or cannot write; not a mistake in a statement."""
    if isinstance(error, StoreAway | sa.exc.TimeoutError):
        return True
    code = _code(error)
    if code is None:
        return False
    if _is_sqlite(error):
        return (code & 0xFF in _SQLITE_AWAY and code != _SQLITE_BUSY_SNAPSHOT) or code == _SQLITE_READONLY_DBMOVED
    return code in _MYSQL_AWAY


def is_conflict(error: BaseException | None) -> bool:
    """Another transaction stood in the way: the same one may succeed when it is repeated."""
    if isinstance(error, StoreAway):
        return not error.in_doubt and is_conflict(error.__cause__)
    code = _code(error)
    if code is None:
        return False
    if _is_sqlite(error):
        return code & 0xFF in (_SQLITE_BUSY, _SQLITE_LOCKED)
    return code in _MYSQL_CONFLICT


def is_taken(error: BaseException | None) -> bool:
    """A key that may be there once is there already."""
    return _code(error) in _TAKEN


def is_lost(error: BaseException | None) -> bool:
    """The connection is of no use any more; a full disk and a lock leave it whole."""
    return is_away(error) and not is_conflict(error) and _code(error) != _SQLITE_FULL


def _code(error: BaseException | None) -> int | None:
    """The driver's own number of an error."""
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    number = getattr(cause, "sqlite_errorcode", None)
    if number is None and type(cause).__module__.startswith("MySQLdb") and cause is not None and cause.args:
        number = cause.args[0]
    return number if isinstance(number, int) else None


def _is_sqlite(error: BaseException | None) -> bool:
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    return hasattr(cause, "sqlite_errorcode")
