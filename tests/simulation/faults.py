"""A database that fails as told: away before the commit, after it, or the process dies there.

FaultyDatabase   store.database.Database whose every commit may be the last
Crash            the process is dead; no code of ours may catch it

Rule: what was committed stays, what was not is gone: SQLite in memory, copied from a migrated template.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from enum import Enum

import sqlalchemy as sa

from core.errors import StoreAway
from store.database import Database, connect


class Crash(BaseException):
    """The process died."""


class Fault(Enum):
    """What happens at a commit."""

    NONE = "none"
    AWAY = "away"
    """Nothing is written and the database says so."""
    DOUBT_WRITTEN = "doubt, written"
    DOUBT_LOST = "doubt, lost"
    CRASH_BEFORE = "crash before the commit"
    CRASH_AFTER = "crash after the commit"


class FaultyDatabase(Database):
    """Asks `next_fault` at each writing transaction."""

    next_fault: Callable[[], Fault] = staticmethod(lambda: Fault.NONE)
    is_away = False

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        if self.is_away:
            raise StoreAway("the database is away (simulated)")
        fault = self.next_fault()
        if fault is Fault.AWAY:
            raise StoreAway("the database is away (simulated)")
        with super().write() as connection:
            yield connection
            if fault is Fault.CRASH_BEFORE:
                raise Crash
            if fault is Fault.DOUBT_LOST:
                raise StoreAway("lost in COMMIT (simulated)", in_doubt=True)
        if fault is Fault.DOUBT_WRITTEN:
            raise StoreAway("lost in COMMIT (simulated)", in_doubt=True)
        if fault is Fault.CRASH_AFTER:
            raise Crash

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        if self.is_away:
            raise StoreAway("the database is away (simulated)")
        with super().read() as connection:
            yield connection


def template_of(path: str) -> bytes:
    """The octets of a migrated SQLite file."""
    with closing(sqlite3.connect(path)) as file:
        octets = bytearray(file.serialize())
    # A database in memory has no WAL: octets 18 and 19 of the header are 2 with it, 1 without (SQLite's file format).
    octets[18:20] = b"\x01\x01"
    return bytes(octets)


def faulty_copy(template: bytes) -> FaultyDatabase:
    """A database in memory that begins as the template."""
    database = FaultyDatabase(connect("sqlite://").engine)
    with database.engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        raw.deserialize(template)
    return database
