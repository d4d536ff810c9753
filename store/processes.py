"""Processes: who is alive, who died, and what becomes of a dead one's work (reliability.md, sections 4 and 7).

register     a row for this process; its id is its slot in message ids
beat         the heartbeat, every 2 s
may_write    whether the database would take it
Neighbours   the other processes as this one sees them: `look` every 2 s, and bury who is dead
retire       a clean stop
end_waits    the clock was set back: what would wait longer by the jump
LinkNow      what a link does now, for `tollbridge status`; write_link_states

Who is gone from our own machine is dead at once. Of others, only the heartbeat is known: it must stand still while we
look again and again, for SILENT_MS of our own monotonic clock. Clocks are not compared; and after an outage of the
database, when everybody was silent, the looking begins anew.

Rule: a process is buried once, in one transaction, before its links are opened by another. It may be alive after all:
store/pulse.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import DAY_MS, MINUTE_MS, SECOND_MS, Instant
from core.ids import SLOTS, first_id_at
from core.message import MtKind, MtState
from store.bulk import bulk_insert, bulk_upsert
from store.database import Database, is_conflict
from store.home import Home, here
from store.journal.repeats import doubt_range
from store.journal.rows import AT_ONCE, MOVE_COLUMNS
from store.outbox import LONGEST_MS
from store.pulse import ALIVE, BEAT_MS, DEAD, SILENT_MS, STOPPED, hold_life, show_life
from store.schema import Callback, LinkState, Mt, MtMove, Process
from store.text import read_text, write_text

STEP_MAX_MS = BEAT_MS * 3 // 2
"""So much of a silence counts for one look: what lies between two looks that are far apart, nobody saw."""
DOUBT_MS = MINUTE_MS + 10 * SECOND_MS
YEAR_MS = 366 * DAY_MS
PAUSE_MAX_MS = 30 * MINUTE_MS
"""Longer than a pause between two attempts (reliability.md, section 4), unless a partner has asked for more."""


@dataclass(frozen=True, slots=True)
class Registered:
    """This process: its id, the slot of its message ids, the largest id that slot may have made before."""

    id: int
    slot: int
    after: int
    home: Home


def register(database: Database, *, roles: str, now: Instant, home: Home | None = None) -> Registered:
    """Enter this process. Its ids rise above those of all before it, whatever the clock did. Raises StoreAway."""
    home = home or here()
    with database.write() as connection:
        latest = _latest_heartbeat(connection, now)
        begun_at = max(now, latest + 1)
        values = {
            "host": home.host, "space": home.space, "pid": home.pid, "pid_started": home.started, "roles": roles[:80],
            "state": ALIVE, "started_at": now, "heartbeat_at": begun_at, "last_batch": 0,
            "doubt_from": first_id_at(begun_at),
        }  # fmt: skip
        while True:
            key = connection.execute(sa.insert(Process).values(**values)).inserted_primary_key
            assert key is not None
            process_id: int = key[0]
            slot = process_id % SLOTS
            before = connection.execute(
                sa.select(Process.id, Process.state, Process.heartbeat_at).where(
                    Process.id % SLOTS == slot, Process.id != process_id
                )
            ).all()
            if not any(row.state == ALIVE for row in before):
                # What was written has no id ahead of its process's heartbeat; our slot may have made a few more.
                of_slot = max((row.heartbeat_at + SILENT_MS for row in before), default=0)
                return Registered(process_id, slot, first_id_at(max(latest, of_slot)), home)
            connection.execute(sa.update(Process).where(Process.id == process_id).values(state=STOPPED))


def _latest_heartbeat(connection: Connection, now: Instant) -> Instant:
    """Of all processes; but for a clock that was years ahead once, or nobody could make ids any more."""
    query = sa.select(sa.func.max(Process.heartbeat_at)).where(Process.heartbeat_at < now + YEAR_MS)
    latest: Instant | None = connection.execute(query).scalar()
    return latest or 0


def beat(database: Database, process_id: int, now: Instant, doubt_from: int) -> None:
    """The heartbeat; `doubt_from`: the first id whose message may be in doubt if we die now.

    Raises StoreAway; Buried when another process took us for dead: then this one must stop at once.
    """
    with database.write() as connection:
        show_life(connection, process_id, now, doubt_from=doubt_from)


def may_write(database: Database, process_id: int) -> None:
    """Take the locks of a beat, and write nothing: it costs no sync. Raises StoreAway; Buried as `beat`."""
    with database.write() as connection:
        hold_life(connection, process_id)


def retire(database: Database, process_id: int, now: Instant) -> None:
    """A clean stop: what it still holds is due at once. One that was buried has nothing to give."""
    with database.write() as connection:
        ended = connection.execute(
            sa.update(Process).where(Process.id == process_id, Process.state == ALIVE).values(state=STOPPED)
        )
        if ended.rowcount:
            _release(connection, process_id, now)


class _Other(NamedTuple):
    """Another process, as its row says."""

    id: int
    space: str
    pid: int
    pid_started: int
    heartbeat_at: Instant


@dataclass(slots=True)
class _Seen:
    """Another process: its heartbeat, and how long we have seen it stand still."""

    heartbeat_at: Instant
    silent_ms: int = 0
    spoke: bool = False


class Neighbours:
    """The other processes that live, or say so. Blocking, for the writer's thread; all raise StoreAway."""

    def __init__(self, database: Database, me: Registered) -> None:
        self._database = database
        self._me = me
        self._seen: dict[int, _Seen] = {}
        self._looked_ms = 0

    @property
    def strangers(self) -> int:
        """How many may be alive or dead, for all that we know: neither on our machine nor heard of since we look."""
        return sum(not one.spoke for one in self._seen.values())

    def look(self, now: Instant, ms: int) -> list[int]:
        """Bury who is dead; their ids. `ms` is our monotonic clock's. When this raises, `forget`."""
        others = self._read()
        step_ms = min(ms - self._looked_ms, STEP_MAX_MS)
        self._looked_ms = ms
        self._seen = {other.id: self._look_at(other, step_ms) for other in others}
        return [other.id for other in others if self._judge(other, now)]

    def forget(self) -> None:
        """The database could not be asked: nobody could say that he lives, so the looking begins anew."""
        self._seen = {}

    def _read(self) -> list[_Other]:
        others = f"SELECT {', '.join(_Other._fields)} FROM process WHERE state = ? AND id <> ? ORDER BY id"
        with self._database.read() as connection:
            return [_Other(*row) for row in read_text(connection, others, (ALIVE, self._me.id))]

    def _look_at(self, other: _Other, step_ms: int) -> _Seen:
        seen = self._seen.get(other.id)
        if seen is None:
            return _Seen(other.heartbeat_at, spoke=self._me.home.sees(other.space))
        if seen.heartbeat_at != other.heartbeat_at:
            return _Seen(other.heartbeat_at, spoke=True)
        seen.silent_ms += step_ms
        return seen

    def _judge(self, other: _Other, now: Instant) -> bool:
        """Bury it when it is dead; whether that was done."""
        home, seen = self._me.home, self._seen[other.id]
        is_gone = home.sees(other.space) and home.is_gone(other.pid, other.pid_started)
        try:
            if is_gone or seen.silent_ms >= SILENT_MS:
                was_buried = self._bury(other.id, seen, now)
                del self._seen[other.id]
                return was_buried
        except sa.exc.DBAPIError as error:
            if not is_conflict(error):
                raise
            # It is in the middle of something, or another buries it: the next look will tell.
            seen.spoke = False
        return False

    def _bury(self, process_id: int, seen: _Seen, now: Instant) -> bool:
        """False when it spoke meanwhile, or another buried it."""
        with self._database.write() as connection:
            doubt_from = _hold_still(connection, process_id, seen)
            if doubt_from is None:
                return False
            doubt_range(connection, first=doubt_from, at=now, reason="crash", process_id=process_id)
            _release(connection, process_id, now)
            connection.execute(sa.update(Process).where(Process.id == process_id).values(state=DEAD))
        return True


def _hold_still(connection: Connection, process_id: int, seen: _Seen) -> int | None:
    """The first id of it that may be in doubt, when it is as we saw it, and stays so until we are done; or None."""
    as_seen = (Process.id == process_id, Process.state == ALIVE, Process.heartbeat_at == seen.heartbeat_at)
    found: int | None = connection.execute(sa.select(Process.doubt_from).where(*as_seen).with_for_update()).scalar()
    return found


_CALLBACKS_AHEAD = (
    "UPDATE callback SET due_at = ? WHERE due_at > ? AND (tried_at > ? OR due_at > ? OR EXISTS (SELECT 1 FROM mo "
    "WHERE mo.id = callback.mo_id AND mo.accepted_at = callback.due_at AND mo.accepted_at > ?))"
)
_MTS_AHEAD = "UPDATE mt SET due_at = ? WHERE state = ? AND due_at > ? AND (created_at > ? OR due_at > ?)"


def end_waits(database: Database, now: Instant, *, was_seen: bool) -> None:
    """The clock was set back: what was tried, or left for others, in what is the future now is due. Raises StoreAway.

    `was_seen`: somebody saw it being set. Then what would wait longer than a pause of ours lasts is due, too: its
    pause, or its lease, began while the clock was ahead. Else a partner may have asked for that.
    """
    ahead = now + SILENT_MS  # Clocks of several hosts agree within seconds.
    too_long = now + (PAUSE_MAX_MS if was_seen else LONGEST_MS)
    with database.write() as connection:
        write_text(connection, _CALLBACKS_AHEAD, (now, now, ahead, too_long, ahead))
        write_text(connection, _MTS_AHEAD, (now, int(MtState.QUEUED), now, ahead, too_long))


def _release(connection: Connection, process_id: int, now: Instant) -> None:
    """Its leased jobs are due; its `submitting` MT were perhaps sent: free ones are sent again, marked so."""
    connection.execute(
        sa.update(Callback).where(Callback.leased_by == process_id, Callback.due_at.is_not(None)).values(due_at=AT_ONCE)
    )
    held = connection.execute(
        sa.select(Mt.id, Mt.kind).where(Mt.process_id == process_id, Mt.state == int(MtState.SUBMITTING))
    ).all()
    paid = [row.id for row in held if row.kind != MtKind.FREE]
    if paid:
        # R5: somebody pays for it, and perhaps the subscriber has it. The next sweep ends it as unknown.
        connection.execute(sa.update(Mt).where(Mt.id.in_(paid)).values(due_at=now, valid_until=now))
        why = "its process ended before the answer: it is not sent again"
        state = int(MtState.SUBMITTING)
        bulk_insert(connection, MtMove, MOVE_COLUMNS, [(id_, now, state, state, why) for id_ in paid])
    ids = [row.id for row in held if row.kind == MtKind.FREE]
    if ids:
        connection.execute(
            sa.update(Mt).where(Mt.id.in_(ids)).values(state=int(MtState.QUEUED), due_at=AT_ONCE, maybe_twice=True)
        )
        rows = [
            (i, now, int(MtState.SUBMITTING), int(MtState.QUEUED), "its process ended before the answer") for i in ids
        ]
        bulk_insert(connection, MtMove, MOVE_COLUMNS, rows)


class LinkNow(NamedTuple):
    """What a link does now. `error` is its last one; `reconnects`: binds after the first, within an hour."""

    link_id: int
    state: str
    since: Instant
    error: str
    error_at: Instant
    reconnects: int


def write_link_states(database: Database, process_id: int, links: Sequence[LinkNow]) -> None:
    """Of this process."""
    columns = ("link_id", "process_id", "state", "since", "error", "error_at", "reconnects")
    rows = [
        (link.link_id, process_id, link.state, link.since, link.error[:200], link.error_at, link.reconnects)
        for link in links
    ]
    with database.write() as connection:
        bulk_upsert(connection, LinkState, columns, rows, update=columns[1:])
