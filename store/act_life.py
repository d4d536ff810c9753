"""What people did about a message, for its life: acts, and approved settlements, with their names and words.

read_acts         those that booked some entries, and those about some messages that wait for a second person
read_acts_about   those that name a payment or a payout: done, refused, or waiting

An act that booked something names its entry, so whoever shows an entry finds who asked for it and who agreed.

Rule: reads only.
"""

from collections.abc import Collection, Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import Instant
from store.life import ActLife
from store.schema import Act, Entry, SettlementRun

_STATES = ("waits for a second person", "done", "refused")


def read_acts(connection: Connection, entry_ids: Collection[int], message_ids: Collection[int]) -> tuple[ActLife, ...]:
    """In the order in which they were asked for."""
    about = sa.or_(Act.entry_id.in_(sorted(entry_ids)), Act.message_id.in_(sorted(message_ids)))
    rows = connection.execute(sa.select(Act.__table__).where(about).order_by(Act.id)).all()
    return tuple(sorted((*map(_act, rows), *_settlements(connection, entry_ids)), key=lambda one: one.at))


def read_acts_about(
    connection: Connection, kinds: Collection[str], name: str, number: int, since: Instant
) -> tuple[ActLife, ...]:
    """Of these kinds, asked for since then, whose value `name` is the number: of `payment` 4 those that assign it."""
    wanted = sa.select(Act.__table__).where(Act.kind.in_(sorted(kinds)), Act.at >= since).order_by(Act.id)
    rows = connection.execute(wanted).all()
    return tuple(_act(row) for row in rows if row.body["values"].get(name) == number)


def _act(row: Any) -> ActLife:
    return ActLife(
        row.id, row.kind, _STATES[row.state], row.entry_id, row.at, row.author, row.reason, row.approver,
        row.decided_at,
    )  # fmt: skip


def _settlements(connection: Connection, entry_ids: Collection[int]) -> Iterator[ActLife]:
    """Runs whose approval booked some of the entries: `settlement:RUN:CHUNK` is the entry's key."""
    query = sa.select(Entry.id, Entry.key, Entry.at).where(
        Entry.id.in_(sorted(entry_ids)), Entry.key.like("settlement:%")
    )
    for entry_id, key, at in connection.execute(query).all():
        wanted = SettlementRun.id == int(key.split(":")[1])
        run = connection.execute(sa.select(SettlementRun.__table__).where(wanted)).first()
        if run is not None:
            note = _approval_at(run, at)
            yield ActLife(
                run.id, "settlement", "done", entry_id, run.at, run.author, note.get("reason", ""),
                note.get("by", run.approver), note.get("at", run.decided_at),
            )  # fmt: skip


def _approval_at(run: Any, at: Instant) -> dict[str, Any]:
    """The approval under which an entry was booked: the last one that had begun by then."""
    approvals = run.summary.get("approvals", [])
    return next((one for one in reversed(approvals) if one["at"] <= at), {})
