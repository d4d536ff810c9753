"""Alerts as people see them: which are open, one of them whole, and the word of who looked at it.

list_alerts     the newest first, with how many there are in all
read_alert      one of them, or None
resolve_alerts  somebody has looked: who, when, and what came of it stay for good
KINDS           all that there are, as docs/operators.md explains them

Rule: what is resolved stays as it was resolved first. Who raises alerts (store/asking.py, store/journal/) looks only
at open ones, or numbers each anew, so what arises again is an alert of its own that is open.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import Instant
from core.errors import UserMistake
from core.second_person import checked_name
from store.pages import in_pieces
from store.schema import Alert

KINDS = ("dead_letter", "breaker", "fraud", "outage", "payment", "books", "payout", "link", "host", "store")
NOTE_MAX = 300
_AT_ONCE = 500
_COLUMNS = (
    Alert.id, Alert.at, Alert.kind, Alert.subject, Alert.sentence, Alert.message_id, Alert.resolved_at,
    Alert.resolved_by, Alert.note,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One. `message_id` 0: it is about none; `resolved_at` None: it is open. Before there were names, none was kept."""

    id: int
    at: Instant
    kind: str
    subject: str
    sentence: str
    message_id: int
    resolved_at: Instant | None
    resolved_by: str
    note: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """An alert after somebody's word. `was_before`: it had been resolved already, and stays as it was then."""

    row: AlertRow
    was_before: bool


def list_alerts(
    connection: Connection, *, kind: str = "", resolved_too: bool = False, limit: int = 50
) -> tuple[Sequence[AlertRow], int]:
    """The last of them, newest first; how many there are."""
    wanted: list[sa.ColumnElement[bool]] = [Alert.kind == kind] if kind else []
    wanted += [] if resolved_too else [Alert.resolved_at.is_(None)]
    rows = connection.execute(
        sa.select(*_COLUMNS).where(*wanted).order_by(Alert.at.desc(), Alert.id.desc()).limit(limit)
    )
    count = connection.execute(sa.select(sa.func.count()).select_from(Alert).where(*wanted)).scalar_one()
    return [AlertRow(*row) for row in rows], count


def read_alert(connection: Connection, id_: int) -> AlertRow | None:
    """All that is known of it."""
    row: Any = connection.execute(sa.select(*_COLUMNS).where(Alert.id == id_)).first()
    return None if row is None else AlertRow(*row)


def checked(author: str, note: str, *, needs_note: bool = True) -> tuple[str, str]:
    """A name and a note as they are kept. Raises UserMistake."""
    name = checked_name(author, "--by: the name")
    said = " ".join(note.split())
    if len(said) > NOTE_MAX or (needs_note and not said):
        raise UserMistake(f"--note: say what came of it, in 1 to {NOTE_MAX} letters")
    return name, said


def resolve_alerts(
    connection: Connection, ids: Collection[int], *, author: str, note: str, now: Instant
) -> dict[int, Resolved]:
    """In one transaction; an id that is not in the answer is nobody's."""
    found = {row.id: row for row in _locked(connection, sorted(set(ids)))}
    open_ids = [row.id for row in found.values() if row.resolved_at is None]
    for some in in_pieces(open_ids, _AT_ONCE):
        values = {"resolved_at": now, "resolved_by": author, "note": note}
        connection.execute(sa.update(Alert).where(Alert.id.in_(some)).values(**values))
    done = set(open_ids)
    return {
        id_: Resolved(replace(row, resolved_at=now, resolved_by=author, note=note), was_before=False)
        if id_ in done
        else Resolved(row, was_before=True)
        for id_, row in found.items()
    }


def _locked(connection: Connection, ids: Sequence[int]) -> Iterator[AlertRow]:
    """By their ids: two people wait for each other, and do not stand in each other's way."""
    for some in in_pieces(ids, _AT_ONCE):
        query = sa.select(*_COLUMNS).where(Alert.id.in_(some)).order_by(Alert.id).with_for_update()
        yield from (AlertRow(*row) for row in connection.execute(query).all())


def resolve_dead_letters(
    connection: Connection, message_ids: Sequence[int], *, author: str, note: str, now: Instant
) -> None:
    """What asked a person to look at these letters was heard."""
    about = (Alert.message_id.in_(message_ids), Alert.kind == "dead_letter", Alert.resolved_at.is_(None))
    connection.execute(sa.update(Alert).where(*about).values(resolved_at=now, resolved_by=author, note=note))
