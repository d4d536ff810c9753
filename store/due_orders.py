"""What a process does about a person's word on an MT (store/mt_orders.py), whatever its kind.

DueOrders   of one process, blocking
  due       what this process can do something about: a look
  take      one of these, if no other process has taken it: what to ask its centre for, each part by its own id
QUESTIONS   what a centre is asked for, by the kind of the order

A queued MT is held back by the word itself, also while no process runs. What else comes of it is written by a process
that keeps links (traffic/orders.py), in the transaction that ends or changes the MT.

Rule: what cannot be done now keeps nothing else waiting. What a process took with it when it died is taken again by the
next one, which cannot know whether its centre was asked: to ask twice does no harm.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import DAY_MS, MINUTE_MS, Clock, Instant
from core.message import WITH_CENTRE, MtKind, MtState
from core.question import CANCEL, REPLACE, Ordered, Question, Replacement, Withdrawal
from store.database import Database
from store.mt_orders import text_sent
from store.pulse import ALIVE, hold_life
from store.schema import MtOrder
from store.text import places, read_text

LEASE_MS = 5 * MINUTE_MS
"""How long what was taken is no other process's, as long as that one lives."""
LONGEST_MS = 2 * LEASE_MS
"""No order waits longer: what is due behind that was set by a clock that was ahead, and has been set back since."""
LINK_WAIT_MS = DAY_MS
"""How long a message waits for its link, to be asked for."""
DUE_MAX = 100
LINK_MAX = 10
"""Of one link at once."""
_FIRST = (-1, 0)

_WITH_CENTRE = tuple(map(int, WITH_CENTRE))
_COLUMNS_DUE = "c.id, c.kind, c.mt_id, c.asked, c.at, mt.state, mt.operator_id, mt.link_id"
_FREE = (
    "c.due_at >= 0 AND (c.due_at <= ? OR c.due_at > ? OR c.process_id = ? OR (c.process_id <> 0 AND NOT EXISTS "
    "(SELECT 1 FROM process WHERE process.id = c.process_id AND process.state = ?)))"
)
# Not as EXISTS, which MariaDB may answer by a table of all parts.
_HAS_ID = (
    "(mt.`key` <> '' OR (SELECT COUNT(*) FROM mt_part WHERE mt_part.mt_id = mt.id AND LENGTH(mt_part.`key`) > 0 "
    "AND mt_part.state IN (?, ?)) > 0)"
)
# The few that are due first, by their index, then the MT of each: SQLite keeps the order of a CROSS JOIN.
_FROM = f"FROM mt_order c CROSS JOIN mt ON mt.id = c.mt_id WHERE {_FREE} AND c.id NOT IN ({{}})"
_ANY = "SELECT 1 FROM mt_order WHERE due_at >= 0 LIMIT 1"
_AT_ONCE = (
    f"SELECT {_COLUMNS_DUE}, {_HAS_ID} {_FROM} AND (mt.state NOT IN (?, ?, ?) OR (mt.state <> ? AND "
    f"((c.at <= ? AND mt.link_id NOT IN ({{}})) OR NOT {_HAS_ID}))) ORDER BY c.due_at, c.id LIMIT ?"
)
_HELD = (
    f"SELECT {_COLUMNS_DUE}, c.due_at {_FROM} AND mt.state = ? AND mt.process_id = ? "
    "AND (c.due_at > ? OR (c.due_at = ? AND c.id > ?)) ORDER BY c.due_at, c.id LIMIT ?"
)
# Of each link those that wait longest, so that none waits for another link's.
_BY_LINK = (
    f"SELECT * FROM (SELECT {_COLUMNS_DUE}, ROW_NUMBER() OVER (PARTITION BY mt.link_id ORDER BY c.due_at, c.id) "
    f"AS turn {_FROM} AND mt.state IN (?, ?) AND mt.link_id IN ({{}}) AND {_HAS_ID}) AS those WHERE turn <= ?"
)
_OURS = f"SELECT c.mt_id, c.kind, c.text, c.old_text, c.process_id FROM mt_order c WHERE c.id = ? AND {_FREE}"
_MT = (
    "SELECT link_id, operator_id, source, destination, `key`, asked_id, submitted_at, kind FROM mt "
    "WHERE id = ? AND state IN (?, ?)"
)
_PARTS = "SELECT sequence, `key`, asked_id, state FROM mt_part WHERE mt_id = ? ORDER BY sequence"
_SAME_KEY = (
    "SELECT id, operator_id, destination FROM mt WHERE `key` IN ({}) AND state IN (?, ?)",
    "SELECT mt.id, mt.operator_id, mt.destination FROM mt_part JOIN mt ON mt.id = mt_part.mt_id "
    "WHERE mt_part.`key` IN ({}) AND mt_part.state IN (?, ?)",
)
_SKIP_LOCKED = "FOR UPDATE SKIP LOCKED"


@dataclass(frozen=True, slots=True)
class Due:
    """One that something can be done about. `asked`: how often its centre was; without an id it cannot be."""

    order_id: int
    kind: str
    mt_id: int
    asked: int
    at: Instant
    state: MtState
    operator_id: int
    link_id: int
    has_id: bool = True


@dataclass(frozen=True, slots=True)
class Taken:
    """What a centre is to be asked for; where that is nothing, `sentence` says why, if that is known."""

    parts: Sequence[Ordered] = ()
    sentence: str = ""


class DueOrders:
    """Of one process. `take` is for the writer's thread; both raise StoreAway, `take` Buried too."""

    def __init__(self, database: Database, clock: Clock, *, process_id: int) -> None:
        self._database = database
        self._clock = clock
        self._process_id = process_id
        self._after: tuple[Instant, int] = _FIRST
        """Those of MT that wait in this process, or fly, were looked at up to here; the next look goes on."""

    def due(self, up: Collection[int], ready: Collection[int], under_way: Collection[int]) -> list[Due]:
        """Those of MT that wait in the database, that have their end, or of which the operator gave no id; those that
        waited too long for links other than those that are `up`; those of this process; of each link that is `ready` a
        few. None that is `under_way` here.
        """
        now = self._clock.now()
        free = (*self._free(now), *(under_way or (0,)))
        with self._database.read() as connection:
            if not read_text(connection, _ANY):
                return []
            found = self._at_once(connection, now, free, up) + self._held(connection, free)
            return found + (self._by_link(connection, free, ready) if ready else [])

    def _at_once(self, connection: Connection, now: Instant, free: tuple[int, ...], up: Collection[int]) -> list[Due]:
        submitting, links = int(MtState.SUBMITTING), tuple(up) or (0,)
        values = (
            *_WITH_CENTRE, *free, submitting, *_WITH_CENTRE, submitting, now - LINK_WAIT_MS, *links, *_WITH_CENTRE,
            DUE_MAX,
        )  # fmt: skip
        query = _AT_ONCE.format(places(free[4:]), places(links))
        return [_due_of(row[:8], has_id=bool(row[8])) for row in read_text(connection, query, values)]

    def _held(self, connection: Connection, free: tuple[int, ...]) -> list[Due]:
        due_at, order_id = self._after
        values = (*free, int(MtState.SUBMITTING), self._process_id, due_at, due_at, order_id, DUE_MAX)
        rows = read_text(connection, _HELD.format(places(free[4:])), values)
        self._after = (rows[-1][8], rows[-1][0]) if len(rows) == DUE_MAX else _FIRST
        return [_due_of(row[:8]) for row in rows]

    def _by_link(self, connection: Connection, free: tuple[int, ...], ready: Collection[int]) -> list[Due]:
        values = (*free, *_WITH_CENTRE, *ready, *_WITH_CENTRE, LINK_MAX)
        rows = read_text(connection, _BY_LINK.format(places(free[4:]), places(ready)), values)
        return [_due_of(row[:8]) for row in sorted(rows, key=lambda row: (row[7], row[8]))]

    def take(self, order_id: int) -> Taken | None:
        """What its centre is to be asked for: nothing where it gave no id, or the MT moved. None: another has it."""
        now = self._clock.now()
        with self._database.write() as connection:
            hold_life(connection, self._process_id)
            rows = read_text(connection, _OURS, (order_id, *self._free(now)), lock=_SKIP_LOCKED)
            if not rows:
                return None
            ours = _Ours(*rows[0])
            values = {"process_id": self._process_id, "due_at": now + LEASE_MS}
            if ours.process_id not in (0, self._process_id):
                values["in_doubt"] = True  # Who had it before may have asked, and died with the answer.
            connection.execute(sa.update(MtOrder).where(MtOrder.id == order_id).values(**values))
            return _taken(connection, ours)

    def _free(self, now: Instant) -> tuple[int, int, int, int]:
        return now, now + LONGEST_MS, self._process_id, ALIVE


def _due_of(row: Sequence[Any], *, has_id: bool = True) -> Due:
    id_, kind, mt_id, asked, at, state, operator_id, link_id = row
    return Due(id_, kind, mt_id, asked, at, MtState(state), operator_id, link_id, has_id)


@dataclass(frozen=True, slots=True)
class _Ours:
    """An order that was taken, and who had it before."""

    mt_id: int
    kind: str
    text: str = field(repr=False)
    old_text: str = field(repr=False)
    process_id: int


def _withdrawal(question: Question, order: _Ours, kind: MtKind, sent: str) -> Ordered:
    return Withdrawal.of(question)


def _replacement(question: Question, order: _Ours, kind: MtKind, sent: str) -> Ordered:
    return Replacement.of(question, text=order.text, sent=sent, kind=kind)


QUESTIONS: dict[str, Callable[[Question, _Ours, MtKind, str], Ordered]] = {CANCEL: _withdrawal, REPLACE: _replacement}


def _taken(connection: Connection, order: _Ours) -> Taken:
    its, kind = _submission(connection, order.mt_id)
    if twin := _twin(connection, its):
        return Taken((), f"the operator cannot tell it from message {twin}")
    sent = text_sent(connection, order.mt_id)
    sent = order.old_text if sent is None else sent
    return Taken([QUESTIONS[order.kind](question, order, kind, sent) for question in its])


def _submission(connection: Connection, mt_id: int) -> tuple[Sequence[Question], MtKind]:
    """Each part that its centre has, by its own id."""
    rows = read_text(connection, _MT, (mt_id, *_WITH_CENTRE))
    if not rows:
        return (), MtKind.FREE
    link_id, operator_id, source, destination, key, asked_id, at, kind = rows[0]
    pieces = read_text(connection, _PARTS, (mt_id,)) or [(0, key, asked_id, MtState.SUBMITTED)]
    its = [
        Question(mt_id, sequence, operator_id, link_id, its, source, destination, at, its_asked or "")
        for sequence, its, its_asked, state in pieces
        if its and MtState(state) in WITH_CENTRE
    ]
    return its, MtKind(kind)


def _twin(connection: Connection, wanted: Sequence[Question]) -> int:
    """Another MT, to the same subscriber and open, that its operator gave the same id; 0: none. UCP and CIMD2 name a
    message by its recipient and the second: what is asked of one might be done to the other.
    """
    if not wanted:
        return 0
    keys, first = tuple({one.key for one in wanted}), wanted[0]
    same = (first.operator_id, first.destination)
    found = [
        mt_id
        for query in _SAME_KEY
        for mt_id, *whose in read_text(connection, query.format(places(keys)), (*keys, *_WITH_CENTRE))
        if tuple(whose) == same and mt_id != first.mt_id
    ]
    return min(found, default=0)
