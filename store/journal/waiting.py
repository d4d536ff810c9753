"""Receipts that wait for their MT: those that came before the answer to its submission, or that may be for another one.

apply_early      what was submitted just now may have a receipt that waits
find_stranded    those that wait beside a message of theirs, by a look
write_stranded   these find it

Two processes may have links of one operator. Then one of them keeps a receipt in the very moment in which the other
one writes the answer to the submission, and neither sees what the other has not committed yet. So what was kept is
looked at once more, when both have long ended (traffic/janitor.py).

Rule: a receipt that waits and finds nothing stays as it came. Whatever waits by the million, a batch looks at few.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import Instant
from core.message import MtState, ReceiptState
from core.message import Receipt as ReceiptValue
from store import schema
from store.journal.facts import Moved, MtFact, ReceiptFact
from store.journal.receipts import (
    DIGITS_ENOUGH,
    DIGITS_MIN,
    LOCK,
    NEWEST,
    NEWEST_MIN,
    Key,
    is_same_number,
    write_receipts,
)
from store.journal.rows import short_key
from store.pages import in_pieces
from store.text import places, read_text

_TRUNK_PREFIXES = ("0", "8")
_EXIT_PREFIXES = ("00", "810", "011")
_IN_LIST = 500
PAGE = 500
"""Receipts that are looked at in one step of a look."""

_COLUMNS = (
    "id, operator_id, link_id, `key`, other_key, state, word, error, source, destination, arrived_at FROM receipt"
)
_BY_KEY = f"SELECT {_COLUMNS} WHERE operator_id = ? AND `key` IN ({{0}}) LIMIT {{1}}"
_BY_OTHER = f"SELECT {_COLUMNS} WHERE operator_id = ? AND other_key IN ({{0}}) LIMIT {{1}}"
# Backwards, so without a lock: it would hold what stands beside.
_OF_SOURCE = "SELECT id FROM receipt WHERE operator_id = ? AND source IN ({0}) ORDER BY source DESC, id DESC LIMIT {1}"
_BY_ID = f"SELECT {_COLUMNS} WHERE id IN ({{0}}) ORDER BY id"
_BEHIND = (
    f"SELECT {_COLUMNS} WHERE arrived_at <= ? AND (arrived_at > ? OR arrived_at = ? AND id > ?) "
    f"ORDER BY arrived_at, id LIMIT {PAGE}"
)
_SUBMITTED = int(MtState.SUBMITTED)
_OPEN = (
    "SELECT `key`, destination, link_id FROM mt "
    f"WHERE operator_id = ? AND `key` IN ({{0}}) AND state = {_SUBMITTED} LIMIT {{1}}"
)
_OPEN_PARTS = (
    "SELECT mt_part.`key`, mt.destination, mt.link_id FROM mt_part JOIN mt ON mt.id = mt_part.mt_id "
    f"WHERE mt_part.operator_id = ? AND mt_part.`key` IN ({{0}}) AND mt_part.state = {_SUBMITTED} LIMIT {{1}}"
)

Place: TypeAlias = tuple[Instant, int]
"""Where a look has come to: (when it arrived, its row's id)."""


@dataclass(slots=True)
class _Waiting:
    """A row of `receipt`."""

    id: int
    operator_id: int
    link_id: int
    key: str
    other_key: str
    state: str
    word: str
    error: str
    source: str
    destination: str
    arrived_at: Instant

    @property
    def keys(self) -> tuple[str, ...]:
        """Its ids, as they are matched."""
        return tuple(key for key in (self.key, self.other_key) if key)

    def as_fact(self, keys: tuple[str, ...]) -> ReceiptFact:
        """It comes once more, by these of its ids."""
        receipt = ReceiptValue(
            "", self.link_id, self.operator_id, keys, ReceiptState(self.state), self.word, self.error, self.source,
            self.destination, self.arrived_at,
        )  # fmt: skip
        return ReceiptFact(receipt)


def apply_early(connection: Connection, facts: Sequence[MtFact]) -> list[Moved]:
    """A receipt may come before the submit answer: it was kept; now it finds its message. The moves, in order.

    So may one find its message now that had to wait because it could have been for what was submitted just now.
    """
    if not read_text(connection, "SELECT 1 FROM receipt LIMIT 1"):
        return []
    sent: dict[Key, list[str]] = {}
    numbers: dict[int, set[tuple[int, str]]] = {}
    for fact in facts:
        if fact.new is MtState.SUBMITTED:
            mt = fact.mt
            spelled = {(mt.link_id, number) for number in _spellings(mt.destination)}
            numbers.setdefault(mt.operator_id, set()).update(spelled)
            for key in [key for _, key, _ in fact.parts] or mt.keys[:1]:
                if key:
                    sent.setdefault((mt.operator_id, short_key(key)), []).append(mt.destination)
    late: dict[int, ReceiptFact] = {}
    for operator_id, theirs in sorted(numbers.items()):
        keys = [key for of, key in sent if of == operator_id]
        for row in _waiting(connection, operator_id, keys, sorted({number for _, number in theirs}), len(facts)):
            spelled_keys = tuple(
                key
                for key in row.keys
                if any(is_same_number(number, row.source) for number in sent.get((operator_id, key), ()))
            )
            if not spelled_keys and (row.link_id, row.source) in theirs:
                spelled_keys = row.keys
            if spelled_keys:
                late[row.id] = row.as_fact(spelled_keys)
    told = _join(connection, late)
    became = {move.mt_id: move.new for move in told}
    for fact in facts:
        fact.became = became.get(fact.mt.id, fact.became)
    return told


def find_stranded(connection: Connection, behind: Place, until: Instant) -> tuple[list[int], Place, bool]:
    """Of the receipts that arrived behind that place, and not later than `until`: those that wait although a message of
    that id waits for its receipt; how far this look came; whether it came to the end.
    """
    at, id_ = behind
    rows = [_Waiting(*row) for row in read_text(connection, _BEHIND, (until, at, at, id_))]
    if not rows:
        return [], behind, True
    wanted: dict[int, set[str]] = {}
    for row in rows:
        wanted.setdefault(row.operator_id, set()).update(row.keys)
    open_: dict[Key, list[tuple[str, int]]] = {}
    for operator_id, keys in wanted.items():
        for query in (_OPEN, _OPEN_PARTS):
            asked = query.format(places(keys), max(NEWEST * len(keys), NEWEST_MIN))
            for key, number, link_id in read_text(connection, asked, (operator_id, *sorted(keys))) if keys else ():
                open_.setdefault((operator_id, key), []).append((number, link_id))
    found = [row.id for row in rows if any(_is_for(row, open_.get((row.operator_id, key), ())) for key in row.keys)]
    return found, (rows[-1].arrived_at, rows[-1].id), len(rows) < PAGE


def _is_for(row: _Waiting, messages: Sequence[tuple[str, int]]) -> bool:
    return any(
        is_same_number(number, row.source) and (row.source or link_id == row.link_id) for number, link_id in messages
    )


def write_stranded(connection: Connection, ids: Sequence[int]) -> list[Moved]:
    """Receipts that wait, once more; one that another process has taken meanwhile is passed over. The moves."""
    rows = [_Waiting(*row) for row in read_text(connection, _BY_ID.format(places(ids)), tuple(ids), lock=LOCK)]
    return _join(connection, {row.id: row.as_fact(row.keys) for row in rows})


def _join(connection: Connection, late: dict[int, ReceiptFact]) -> list[Moved]:
    """Those that find their message wait no more."""
    if not late:
        return []
    told = write_receipts(connection, list(late.values()), keeps=False)
    used = [id_ for id_, fact in late.items() if fact.mt_id]
    for some in in_pieces(used, _IN_LIST):
        connection.execute(sa.delete(schema.Receipt).where(schema.Receipt.id.in_(some)))
    return told


def _waiting(
    connection: Connection, operator_id: int, keys: Sequence[str], numbers: Sequence[str], messages: int
) -> list[_Waiting]:
    """Of an operator: those with one of the ids, and the newest of the subscribers; locked, the oldest first."""
    found: dict[int, tuple[Any, ...]] = {}
    for query in (_BY_KEY, _BY_OTHER) if keys else ():
        asked = query.format(places(keys), max(NEWEST * len(keys), NEWEST_MIN))
        found.update({row[0]: row for row in read_text(connection, asked, (operator_id, *keys), lock=LOCK)})
    asked = _OF_SOURCE.format(places(numbers), max(NEWEST * messages, NEWEST_MIN))
    ids = tuple(row[0] for row in read_text(connection, asked, (operator_id, *numbers)) if row[0] not in found)
    if ids:
        rows = read_text(connection, _BY_ID.format(places(ids)), ids, lock=LOCK)
        found.update({row[0]: row for row in rows})
    return [_Waiting(*found[id_]) for id_ in sorted(found)]


def _spellings(number: str) -> set[str]:
    """How a receipt may write the subscriber: with the country's code or without, behind a trunk or an exit prefix."""
    national = {number[-digits:] for digits in range(DIGITS_MIN, len(number))}
    trunk = {f"{prefix}{rest}" for prefix in _TRUNK_PREFIXES for rest in national if len(rest) >= DIGITS_ENOUGH}
    return {number, *national, *trunk, *(f"{prefix}{number}" for prefix in _EXIT_PREFIXES)}
