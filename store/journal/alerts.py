"""Alerts of limits: one for a window of a limit, however many messages go beyond it.

LimitAlerts   what a batch has to add; which were added lately
alert_id      limit, what it watches, which of its windows → the id of the row

The id says what the alert is about, so it is the database that keeps a second one out: of the same batch, of another
process, after a restart. Windows are counted from 1970, as long as the limit's own; a limit that is passed all the time
asks once in each. What is known to be there costs no statement, and a batch that no limit speaks of none either.

Rule: a refusal is no alert. It asks nobody to look: the message has it, and the counts.
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection

from core.clock import DAY_MS, Instant
from core.message import Action, Alert, Mo
from store import schema
from store.bulk import insert_ignore
from store.journal.facts import AlertFact
from store.journal.rows import ALERT_COLUMNS, alert_row

REMEMBERED = 10_000
_COLUMNS = ("id", *ALERT_COLUMNS)
_FIRST = 1 << 61
"""Ids of limits' alerts are from here to twice as much. Both databases number other alerts on from the largest that is
there, so these too have room for ever."""


def alert_id(alert: Alert, mo: Mo) -> int:
    """The id of the alert about a window: its name has the limit and what it watches.

    A rule that counts nothing asks once a day for each subscriber.
    """
    window, window_ms = (alert.window, alert.window_ms) if alert.window else (mo.source, DAY_MS)
    name = f"{alert.rule} {window} {mo.accepted_at // window_ms}"
    return _FIRST | int.from_bytes(blake2b(name.encode(errors="replace"), digest_size=8).digest()) >> 3


class LimitAlerts:
    """Those of one process. `keep` or `forget` after each batch."""

    def __init__(self) -> None:
        self._fresh: set[int] = set()
        # Two generations: when the young one is full it becomes the old one, and the old one is forgotten.
        self._young: set[int] = set()
        self._old: set[int] = set()

    def write(self, connection: Connection, spoken: Iterable[tuple[Alert, Mo]], now: Instant) -> None:
        """Add what is not there yet."""
        rows: dict[int, tuple[Any, ...]] = {}
        for alert, mo in spoken:
            if alert.asks_a_person:
                id_ = alert_id(alert, mo)
                if not (id_ in rows or id_ in self._young or id_ in self._old):
                    rows[id_] = (id_, *alert_row(AlertFact("fraud", alert.subject, _sentence(alert), now, mo.id)))
        if rows:
            # In one order, so that two processes wait for each other and do not stand in each other's way.
            insert_ignore(connection, schema.Alert, _COLUMNS, [rows[id_] for id_ in sorted(rows)])
            self._fresh |= rows.keys()

    def keep(self) -> None:
        """The batch was committed."""
        if self._fresh:
            if len(self._young) >= REMEMBERED:
                self._old, self._young = self._young, set()
            self._young |= self._fresh
            self._fresh = set()

    def forget(self) -> None:
        """The batch was rolled back, or perhaps: the next message asks the database again."""
        self._fresh = set()


def _sentence(alert: Alert) -> str:
    return f"{alert.reason}; the partner's part is withheld" if alert.action is Action.HOLD else alert.reason
