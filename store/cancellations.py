"""Taking MT back: a person's word on its way to the process that has the message, or the link that it went by.

give             write it down, for MT that have no end yet; what is said of each
read_given       what came of it
read_of          what was ordered of one MT, for its life
Cancellations    of one process, blocking
  due            what this process can do something about: a look
  take           of these, those that no other process has taken: what to ask its centre for, each part by its own id

A queued MT is held back by the word itself: from then on it is due to nobody, also while no process runs. What else
comes of it is written by a process that keeps links (traffic/cancelling.py), in the transaction that ends the MT.

Rule: a word that was accepted stays due until it has its outcome, and what cannot be done now keeps nothing else
waiting. What a process took with it when it died is taken again by the next one; to ask a centre twice does no harm.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import DAY_MS, MINUTE_MS, Clock, Instant, iso_of
from core.errors import UserMistake
from core.message import WITH_CENTRE, MtState
from core.question import Withdrawal
from core.second_person import checked_name, checked_reason
from store.database import Database
from store.journal.cancelled import DONE
from store.pulse import ALIVE, hold_life
from store.repeating import repeated
from store.schema import Cancellation, Link, Mo, Mt
from store.standing import read_links
from store.text import places, read_text

LEASE_MS = 5 * MINUTE_MS
"""How long what was taken is no other process's, as long as that one lives."""
LINK_WAIT_MS = DAY_MS
"""How long a message waits for its link, to be asked for."""
DUE_MAX = 100
LINK_MAX = 10
"""Of one link at once."""
_FIRST = (-1, 0)

_WITH_CENTRE = tuple(map(int, WITH_CENTRE))
_COLUMNS_DUE = "c.id, c.mt_id, c.asked, c.at, mt.state, mt.operator_id, mt.link_id"
_FREE = (
    "c.due_at >= 0 AND (c.due_at <= ? OR c.process_id = ? OR (c.process_id <> 0 AND NOT EXISTS "
    "(SELECT 1 FROM process WHERE process.id = c.process_id AND process.state = ?)))"
)
# Not as EXISTS, which MariaDB may answer by a table of all parts.
_HAS_ID = (
    "(mt.`key` <> '' OR (SELECT COUNT(*) FROM mt_part WHERE mt_part.mt_id = mt.id AND LENGTH(mt_part.`key`) > 0 "
    "AND mt_part.state IN (?, ?)) > 0)"
)
# The few that are due first, by their index, then the MT of each: SQLite keeps the order of a CROSS JOIN.
_FROM = f"FROM cancellation c CROSS JOIN mt ON mt.id = c.mt_id WHERE {_FREE} AND c.id NOT IN ({{}})"
_ANY = "SELECT 1 FROM cancellation WHERE due_at >= 0 LIMIT 1"
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
_OURS = f"SELECT c.id, c.mt_id FROM cancellation c WHERE c.id IN ({{}}) AND {_FREE}"
_MT = (
    "SELECT id, link_id, operator_id, source, destination, `key`, asked_id, submitted_at FROM mt WHERE id IN ({}) "
    "AND state IN (?, ?)"
)
_PARTS = "SELECT mt_id, sequence, `key`, asked_id, state FROM mt_part WHERE mt_id IN ({}) ORDER BY mt_id, sequence"
_SAME_KEY = (
    "SELECT id, operator_id, `key`, destination FROM mt WHERE `key` IN ({}) AND state IN (?, ?)",
    "SELECT mt.id, mt.operator_id, mt_part.`key`, mt.destination FROM mt_part JOIN mt ON mt.id = mt_part.mt_id "
    "WHERE mt_part.`key` IN ({}) AND mt_part.state IN (?, ?)",
)
_SKIP_LOCKED = "FOR UPDATE SKIP LOCKED"


class UnknownMessage(UserMistake):
    """There is no MT of this id."""


@dataclass(frozen=True, slots=True)
class Given:
    """What was said of one MT. `order_id` 0: nothing happens, `sentence` says why."""

    mt_id: int
    order_id: int = 0
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """A person's word. `outcome` is empty while it is under way; `link_state`: of the link that the MT went by."""

    id: int
    mt_id: int
    author: str
    note: str
    at: Instant
    done_at: Instant
    outcome: str
    result: str
    state: MtState
    link: str
    link_state: str = ""

    @property
    def is_over(self) -> bool:
        """Nothing more will come of it."""
        return bool(self.outcome)

    @property
    def is_done(self) -> bool:
        """The message is taken back."""
        return self.outcome == DONE

    def sentence(self) -> str:
        """What came of it, or what it waits for."""
        if self.outcome:
            return self.result
        if self.state is MtState.QUEUED:
            return "held back: it is not sent; the service writes its end when it runs"
        if self.state is MtState.SUBMITTING:
            return "it is just being sent; its operator is asked when it has answered"
        if self.link_state not in ("", "bound"):
            return f"link {self.link} is not up ({self.link_state}); its operator is asked when it is"
        return self.result or f"link {self.link} was not asked yet"

    def value(self) -> dict[str, Any]:
        """For programs."""
        return {
            "id": str(self.mt_id),
            "by": self.author,
            "because": self.note,
            "at": iso_of(self.at),
            "outcome": self.outcome or "pending",
            "result": self.sentence(),
        }


def give(database: Database, mt_ids: Sequence[int], *, author: str, note: str, now: Instant) -> list[Given]:
    """In the order of the ids. Raises UserMistake for a name or a reason that is none, and for an id that is none."""
    author = checked_name(author, "--by: the name")
    note = checked_reason(note, "--because: the reason")
    word = {"author": author, "note": note, "at": now}
    return repeated(database, lambda connection: _give(connection, sorted(set(mt_ids)), word))


def _give(connection: Connection, mt_ids: Sequence[int], word: Mapping[str, Any]) -> list[Given]:
    query = sa.select(Mt.id, Mt.state).where(Mt.id.in_(mt_ids)).order_by(Mt.id).with_for_update()
    states = {id_: MtState(state) for id_, state in connection.execute(query)}
    for mt_id in mt_ids:
        if mt_id not in states:
            raise UnknownMessage(_unknown(connection, mt_id))
    start = {"process_id": 0, "asked": 0, "due_at": word["at"], "done_at": 0, "outcome": "", "result": ""}
    given = []
    for mt_id in mt_ids:
        state = states[mt_id]
        if state.is_final and state is not MtState.UNKNOWN:
            given.append(Given(mt_id, 0, f"it has its end: {state.public}; nothing was done"))
            continue
        if state is MtState.QUEUED:
            connection.execute(sa.update(Mt).where(Mt.id == mt_id).values(due_at=None))
        key = connection.execute(sa.insert(Cancellation).values(**word, **start, mt_id=mt_id)).inserted_primary_key
        assert key is not None
        given.append(Given(mt_id, key[0]))
    return given


def _unknown(connection: Connection, mt_id: int) -> str:
    if connection.execute(sa.select(Mo.id).where(Mo.id == mt_id)).first() is None:
        return f"no message has the id {mt_id}; look for it with: tollbridge message --msisdn NUMBER"
    reply = connection.execute(sa.select(Mt.id).where(Mt.reply_to == mt_id)).scalar()
    what = f"its reply is {reply}" if reply is not None else "it has no reply that could be cancelled"
    return f"{mt_id} came from a subscriber; {what}"


_COLUMNS = (
    Cancellation.id, Cancellation.mt_id, Cancellation.author, Cancellation.note, Cancellation.at,
    Cancellation.done_at, Cancellation.outcome, Cancellation.result, Mt.state, Link.name,
)  # fmt: skip


def _read(connection: Connection, *where: sa.ColumnElement[bool]) -> list[Order]:
    query = (
        sa.select(*_COLUMNS)
        .join(Mt, Mt.id == Cancellation.mt_id)
        .outerjoin(Link, Link.id == Mt.link_id)
        .where(*where)
        .order_by(Cancellation.id)
    )
    rows = connection.execute(query)
    return [Order(*row[:8], MtState(row.state), row.name or "") for row in rows]


def read_given(connection: Connection, ids: Sequence[int], now: Instant) -> list[Order]:
    """What came of these; of those that wait, also how the link is that they wait for."""
    found = _read(connection, Cancellation.id.in_(ids))
    if all(one.is_over for one in found):
        return found
    states = {link.name: link.state for link in read_links(connection, now)}
    return [replace(one, link_state=states.get(one.link, "")) for one in found]


def read_of(connection: Connection, mt_id: int) -> list[Order]:
    """All that was ordered of an MT."""
    return _read(connection, Cancellation.mt_id == mt_id)


# --- what a process does ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Due:
    """One that something can be done about. `asked`: how often its centre was; without an id it cannot be."""

    order_id: int
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

    parts: Sequence[Withdrawal] = ()
    sentence: str = ""


class Cancellations:
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
        free = (now, self._process_id, ALIVE, *(under_way or (0,)))
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
        query = _AT_ONCE.format(places(free[3:]), places(links))
        return [_due_of(row[:7], has_id=bool(row[7])) for row in read_text(connection, query, values)]

    def _held(self, connection: Connection, free: tuple[int, ...]) -> list[Due]:
        due_at, order_id = self._after
        values = (*free, int(MtState.SUBMITTING), self._process_id, due_at, due_at, order_id, DUE_MAX)
        rows = read_text(connection, _HELD.format(places(free[3:])), values)
        self._after = (rows[-1][7], rows[-1][0]) if len(rows) == DUE_MAX else _FIRST
        return [_due_of(row[:7]) for row in rows]

    def _by_link(self, connection: Connection, free: tuple[int, ...], ready: Collection[int]) -> list[Due]:
        values = (*free, *_WITH_CENTRE, *ready, *_WITH_CENTRE, LINK_MAX)
        rows = read_text(connection, _BY_LINK.format(places(free[3:]), places(ready)), values)
        return [_due_of(row[:7]) for row in sorted(rows, key=lambda row: (row[6], row[7]))]

    def take(self, order_ids: Sequence[int]) -> dict[int, Taken]:
        """By order, what its centre is to be asked for: nothing where it gave no id, or the MT has moved meanwhile."""
        now = self._clock.now()
        with self._database.write() as connection:
            hold_life(connection, self._process_id)
            values = (*order_ids, now, self._process_id, ALIVE)
            ours = dict(read_text(connection, _OURS.format(places(order_ids)), values, lock=_SKIP_LOCKED))
            if not ours:
                return {}
            taken = {"process_id": self._process_id, "due_at": now + LEASE_MS}
            connection.execute(sa.update(Cancellation).where(Cancellation.id.in_(list(ours))).values(**taken))
            found = _withdrawals(connection, sorted(set(ours.values())))
        return {order_id: found.get(mt_id, Taken()) for order_id, mt_id in ours.items()}


def _due_of(row: Sequence[Any], *, has_id: bool = True) -> Due:
    id_, mt_id, asked, at, state, operator_id, link_id = row
    return Due(id_, mt_id, asked, at, MtState(state), operator_id, link_id, has_id)


def _withdrawals(connection: Connection, mt_ids: Sequence[int]) -> dict[int, Taken]:
    parts: dict[int, list[tuple[int, str, str | None, MtState]]] = {}
    for mt_id, sequence, key, asked_id, state in read_text(connection, _PARTS.format(places(mt_ids)), tuple(mt_ids)):
        parts.setdefault(mt_id, []).append((sequence, key, asked_id, MtState(state)))
    found: dict[int, list[Withdrawal]] = {}
    for row in read_text(connection, _MT.format(places(mt_ids)), (*mt_ids, *_WITH_CENTRE)):
        mt_id, link_id, operator_id, source, destination, key, asked_id, at = row
        pieces = parts.get(mt_id) or [(0, key, asked_id, MtState.SUBMITTED)]
        found[mt_id] = [
            Withdrawal(mt_id, sequence, operator_id, link_id, its, source, destination, at, its_asked or "")
            for sequence, its, its_asked, state in pieces
            if its and state in WITH_CENTRE
        ]
    twins = _twins(connection, [one for its in found.values() for one in its])
    return {
        mt_id: Taken((), f"the operator cannot tell it from message {twins[mt_id]}") if mt_id in twins else Taken(its)
        for mt_id, its in found.items()
    }


def _twins(connection: Connection, wanted: Sequence[Withdrawal]) -> dict[int, int]:
    """Of MT the others, to the same subscriber and open, that their operator gave the same id: UCP and CIMD2 name a
    message by its recipient and the second. To take one back might take back the other.
    """
    keys = tuple({one.key for one in wanted})
    if not keys:
        return {}
    same: dict[tuple[int, str, str], set[int]] = {}
    for query in _SAME_KEY:
        rows = read_text(connection, query.format(places(keys)), (*keys, *_WITH_CENTRE))
        for mt_id, operator_id, key, number in rows:
            same.setdefault((operator_id, key, number), set()).add(mt_id)
    twins = {}
    for one in wanted:
        others = same.get((one.operator_id, one.key, one.destination), set()) - {one.mt_id}
        if others:
            twins[one.mt_id] = min(others)
    return twins
