"""The sessions of USSD as rows: what any process that has the link goes on with.

UssdSessions   of one database; change() makes several steps in one transaction, on the writer's thread
Rows           what a step sees: the session under a key, the latest of a number and code; and what it leaves

A row that was read is locked until the end of the transaction, so two processes never step one session at once. What a
step leaves is seen by the next one of the same transaction.

Rule: a screen is shown only when the session that it stands in is here.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias, TypeVar

import sqlalchemy as sa

from core.ussd.record import read_session, write_session
from core.ussd.session import Session
from store.database import Database, bulk_upsert
from store.repeating import repeated
from store.schema import UssdSession
from store.text import places, read_text

T = TypeVar("T")
Change: TypeAlias = Callable[["Rows"], T]

_LATEST = "SELECT s.key FROM ussd_session s WHERE msisdn = ? AND code = ? ORDER BY touched_at DESC LIMIT 1"
_COLUMNS = ("key", "msisdn", "code", "state", "touched_at", "body")


class Rows:
    """The sessions that one transaction has to do with."""

    def __init__(self, connection: sa.Connection, keys: Iterable[str]) -> None:
        self._connection = connection
        self._known: dict[str, Session | None] = {}
        self._changed: dict[str, Session] = {}
        # In one order for all: two processes that need each other's rows would wait in a ring.
        self._read(sorted(set(keys)))

    def of(self, key: str) -> Session | None:
        """The session under this key, as it is now."""
        if key not in self._known:
            self._read([key])
        return self._known[key]

    def latest(self, msisdn: str, code: str) -> Session | None:
        """The one of this number and code with the last turn."""
        found = read_text(self._connection, _LATEST, (msisdn, code))
        among = [one for one in self._changed.values() if (one.msisdn, one.code) == (msisdn, code)]
        stored = self.of(found[0][0]) if found else None
        among += [stored] if stored is not None else []
        return max(among, key=lambda one: one.touched_at, default=None)

    def put(self, session: Session) -> None:
        """What is to be stored."""
        self._known[session.key] = self._changed[session.key] = session

    def write(self) -> None:
        """All that was put."""
        rows = [
            (one.key, one.msisdn, one.code, one.state.value, one.touched_at, write_session(one))
            for _, one in sorted(self._changed.items())
        ]
        bulk_upsert(self._connection, UssdSession, _COLUMNS, rows, update=_COLUMNS[1:])

    def _read(self, keys: Sequence[str]) -> None:
        if not keys:
            return
        self._known.update(dict.fromkeys(keys))
        # Of few lengths, so that its text is known already; a key may stand in it twice.
        filled = (*keys, *[keys[-1]] * ((1 << (len(keys) - 1).bit_length()) - len(keys)))
        sql = f"SELECT s.key, s.body FROM ussd_session s WHERE s.key IN ({places(filled)}) ORDER BY s.key"
        for key, body in read_text(self._connection, sql, filled, lock="FOR UPDATE"):
            self._known[key] = read_session(body)


class UssdSessions:
    """The sessions of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def change(self, keys: Sequence[str], changes: Sequence[Change[T]]) -> list[T]:
        """Make the changes in order, all or none; `keys` are those that they begin with. Raises StoreAway.

        Two processes may still stand in each other's way: then all of it is made again, so a change only computes.
        """
        return repeated(self._database, lambda connection: _made(connection, keys, changes))


def _made(connection: sa.Connection, keys: Sequence[str], changes: Sequence[Change[T]]) -> list[T]:
    rows = Rows(connection, keys)
    made = [change(rows) for change in changes]
    rows.write()
    return made
