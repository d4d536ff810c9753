"""Taking MT back: a person's word on its way to the process that has the message, or the link that it went by.

give             write it down, for MT that have no end yet; what is said of each
read_given       what came of it
read_of          what was ordered of one MT, for its life
Cancellations    of one process, blocking
  due            what this process can do something about: a look
  take           of these, those that no other process has taken: what to ask its centre for, each part by its own id

A queued MT is held back by the word itself: from then on it is due to nobody, also while no process runs. What else
comes of it is written by a process that keeps links (traffic/cancelling.py), in the transaction that ends the MT.

Rule: a word that was accepted stays due until it has its outcome. What a process took with it when it died is taken
again by the next one; to ask a centre twice does no harm.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import DAY_MS, MINUTE_MS, Clock, Instant, iso_of
from core.errors import UserMistake
from core.message import MtState
from core.question import Withdrawal
from core.second_person import checked_name, checked_reason
from store.database import Database
from store.journal.cancelled import DONE
from store.pulse import ALIVE, hold_life
from store.repeating import repeated
from store.schema import Cancellation, Link, Mo, Mt
from store.standing import read_links
from store.text import places, read_text

LEASE_MS = MINUTE_MS
"""How long what was taken is another process's."""
LINK_WAIT_MS = DAY_MS
"""How long a message waits for its link, to be asked for."""
DUE_MAX = 100

_OPEN = (MtState.SUBMITTED, MtState.UNKNOWN)
_FREE = (
    "c.due_at >= 0 AND (c.due_at <= ? OR NOT EXISTS (SELECT 1 FROM process WHERE process.id = c.process_id "
    "AND process.state = ?))"
)
_DUE = (
    "SELECT c.id, c.mt_id, c.asked, c.at, mt.state, mt.operator_id, mt.link_id FROM cancellation c "
    f"JOIN mt ON mt.id = c.mt_id WHERE {_FREE} AND (mt.state NOT IN (?, ?, ?) OR (mt.state = ? AND mt.process_id = ?) "
    "OR (mt.state <> ? AND (c.at <= ? OR mt.link_id IN ({})))) ORDER BY c.id LIMIT ?"
)
_OURS = f"SELECT c.id, c.mt_id FROM cancellation c WHERE c.id IN ({{}}) AND {_FREE}"
_MT = (
    "SELECT id, link_id, operator_id, source, destination, `key`, asked_id, submitted_at FROM mt WHERE id IN ({}) "
    "AND state IN (?, ?)"
)
_PARTS = "SELECT mt_id, sequence, `key`, asked_id, state FROM mt_part WHERE mt_id IN ({}) ORDER BY mt_id, sequence"
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
    """One that something can be done about. `asked`: how often its centre was."""

    order_id: int
    mt_id: int
    asked: int
    at: Instant
    state: MtState
    operator_id: int
    link_id: int


class Cancellations:
    """Of one process. `take` is for the writer's thread; both raise StoreAway, `take` Buried too."""

    def __init__(self, database: Database, clock: Clock, *, process_id: int) -> None:
        self._database = database
        self._clock = clock
        self._process_id = process_id

    def due(self, link_ids: Collection[int]) -> list[Due]:
        """Those of MT that wait in the database or in this process, that have their end, or that went by these links;
        and those that waited too long for another.
        """
        now = self._clock.now()
        links = tuple(link_ids) or (0,)
        submitting, submitted, unknown = map(int, (MtState.SUBMITTING, *_OPEN))
        values = (
            now, ALIVE, submitting, submitted, unknown, submitting, self._process_id, submitting, now - LINK_WAIT_MS,
            *links, DUE_MAX,
        )  # fmt: skip
        with self._database.read() as connection:
            rows = read_text(connection, _DUE.format(places(links)), values)
        return [Due(id_, mt, asked, at, MtState(state), *rest) for id_, mt, asked, at, state, *rest in rows]

    def take(self, order_ids: Sequence[int]) -> dict[int, list[Withdrawal]]:
        """By order, what its centre is to be asked for: nothing where it gave no id, or the MT has moved meanwhile."""
        now = self._clock.now()
        with self._database.write() as connection:
            hold_life(connection, self._process_id)
            values = (*order_ids, now, ALIVE)
            ours = dict(read_text(connection, _OURS.format(places(order_ids)), values, lock=_SKIP_LOCKED))
            if not ours:
                return {}
            taken = {"process_id": self._process_id, "due_at": now + LEASE_MS, "asked": Cancellation.asked + 1}
            connection.execute(sa.update(Cancellation).where(Cancellation.id.in_(list(ours))).values(**taken))
            found = _withdrawals(connection, sorted(set(ours.values())))
        return {order_id: found.get(mt_id, []) for order_id, mt_id in ours.items()}


def _withdrawals(connection: Connection, mt_ids: Sequence[int]) -> dict[int, list[Withdrawal]]:
    parts: dict[int, list[tuple[int, str, str | None, MtState]]] = {}
    for mt_id, sequence, key, asked_id, state in read_text(connection, _PARTS.format(places(mt_ids)), tuple(mt_ids)):
        parts.setdefault(mt_id, []).append((sequence, key, asked_id, MtState(state)))
    found: dict[int, list[Withdrawal]] = {}
    for row in read_text(connection, _MT.format(places(mt_ids)), (*mt_ids, *map(int, _OPEN))):
        mt_id, link_id, operator_id, source, destination, key, asked_id, at = row
        pieces = parts.get(mt_id) or [(0, key, asked_id, MtState.SUBMITTED)]
        found[mt_id] = [
            Withdrawal(mt_id, place, operator_id, link_id, its, source, destination, at, its_asked or "")
            for place, its, its_asked, state in pieces
            if its and state in _OPEN
        ]
    return found
