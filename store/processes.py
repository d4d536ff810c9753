"""Processes: who is alive, who died, and what becomes of a dead one's work (reliability.md, sections 4 and 7).

register     a row for this process; its id is its slot in message ids
beat         the heartbeat, every 2 s
bury_dead    processes silent for 10 s, or gone from this host: their leases, their `submitting`, their answers in doubt
retire       a clean stop
LinkStates   what links do now, for `tollbridge status`

Rule: a process is buried once, in one transaction, before its links are opened by another.
"""

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import MINUTE_MS, SECOND_MS, Instant
from core.ids import SLOTS, first_id_at
from core.message import MtState
from store.bulk import bulk_insert, bulk_upsert
from store.database import Database
from store.journal.repeats import doubt_range
from store.schema import Callback, Identity, InDoubt, LinkState, Mt, MtMove, Process, Receipt

BEAT_MS = 2 * SECOND_MS
SILENT_MS = 10 * SECOND_MS
DOUBT_MS = MINUTE_MS + 10 * SECOND_MS
DAY_MS = 24 * 60 * MINUTE_MS

ALIVE, STOPPED, DEAD = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Registered:
    """This process: its id, the slot of its message ids, the largest id that slot may have made before."""

    id: int
    slot: int
    after: int


def register(database: Database, *, roles: str, now: Instant) -> Registered:
    """Enter this process. Raises StoreAway."""
    with database.write() as connection:
        while True:
            values = {
                "host": socket.gethostname()[:80], "pid": os.getpid(), "roles": roles[:80], "state": ALIVE,
                "started_at": now, "heartbeat_at": now, "last_batch": 0,
            }  # fmt: skip
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
                last = max((row.heartbeat_at for row in before), default=0)
                # An id is never more than a heartbeat and a little ahead of what its process last wrote.
                return Registered(process_id, slot, first_id_at(last + SILENT_MS) if last else 0)
            connection.execute(sa.update(Process).where(Process.id == process_id).values(state=STOPPED))


def beat(database: Database, process_id: int, now: Instant) -> bool:
    """The heartbeat; False when somebody took us for dead: then this process must stop at once."""
    with database.write() as connection:
        result = connection.execute(
            sa.update(Process).where(Process.id == process_id, Process.state == ALIVE).values(heartbeat_at=now)
        )
        return result.rowcount == 1


def retire(database: Database, process_id: int, now: Instant) -> None:
    """A clean stop: what it still holds is due at once."""
    with database.write() as connection:
        _release(connection, process_id, now)
        connection.execute(sa.update(Process).where(Process.id == process_id).values(state=STOPPED, heartbeat_at=now))


def bury_dead(database: Database, *, self_id: int, now: Instant, here: str | None = None) -> list[int]:
    """Take over what dead processes held; their ids. One that is gone from this host need not be waited for."""
    here = here or socket.gethostname()[:80]
    buried = []
    with database.write() as connection:
        others = connection.execute(
            sa.select(Process.id, Process.host, Process.pid, Process.heartbeat_at)
            .where(Process.state == ALIVE, Process.id != self_id)
            .with_for_update()
        ).all()
        for row in others:
            silent = now - row.heartbeat_at > SILENT_MS
            gone = row.host == here and not _runs(row.pid)
            if silent or gone:
                doubt_range(connection, since=row.heartbeat_at - DOUBT_MS, at=now, reason="crash", process_id=row.id)
                _release(connection, row.id, now)
                connection.execute(sa.update(Process).where(Process.id == row.id).values(state=DEAD))
                buried.append(row.id)
    return buried


def _runs(pid: int) -> bool:
    if pid == os.getpid():
        return False  # The number of a dead one was given to us.
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _release(connection: Connection, process_id: int, now: Instant) -> None:
    """Its leased jobs are due; its `submitting` MT were perhaps sent: free ones are sent again, marked so."""
    connection.execute(
        sa.update(Callback).where(Callback.leased_by == process_id, Callback.due_at > now).values(due_at=now)
    )
    held = connection.execute(
        sa.select(Mt.id).where(Mt.process_id == process_id, Mt.state == int(MtState.SUBMITTING))
    ).scalars()
    ids = list(held)
    if ids:
        connection.execute(
            sa.update(Mt).where(Mt.id.in_(ids)).values(state=int(MtState.QUEUED), due_at=now, maybe_twice=True)
        )
        rows = [
            (i, now, int(MtState.SUBMITTING), int(MtState.QUEUED), "its process ended before the answer") for i in ids
        ]
        bulk_insert(connection, MtMove, ("mt_id", "at", "old", "new", "reason"), rows)


def prune(database: Database, now: Instant) -> None:
    """Remove what has an age limit: identities and doubts after 24 h, receipts of nobody after 7 days."""
    with database.write() as connection:
        connection.execute(sa.delete(Identity).where(Identity.at < now - DAY_MS))
        connection.execute(sa.delete(InDoubt).where(InDoubt.at < now - DAY_MS))
        connection.execute(sa.delete(Receipt).where(Receipt.arrived_at < now - 7 * DAY_MS))


def write_link_states(database: Database, process_id: int, states: Sequence[tuple[int, str, Instant, str]]) -> None:
    """(link id, state, since, error) of the links of this process."""
    columns = ("link_id", "process_id", "state", "since", "error")
    rows = [(link_id, process_id, state, since, error[:200]) for link_id, state, since, error in states]
    with database.write() as connection:
        bulk_upsert(connection, LinkState, columns, rows, update=columns[1:])
