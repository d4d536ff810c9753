"""Telling a redelivery from a new message, inside the batch's transaction (reliability.md, section 3).

tell    fills in `repeat_of` and `why` of what came again
doubts  writes down what may come again: sessions that broke, answers that were late, commits in doubt

With an identity of the operator's own, the key decides. Otherwise the fingerprint does, and only for a message whose
answer may not have arrived (table `in_doubt`, nearly always empty): one doubt explains one redelivery. For a link with
`repeat = "window:SECONDS"` every message explains all that are the same and come within so long (table `in_window`).

Rule: the healthy path pays for one look at an empty table.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import SECOND_MS, Instant
from store.bulk import insert_ignore
from store.journal.facts import DoubtFact, MoFact, PartFact, SessionFact
from store.schema import Identity, InDoubt, InWindow, Mo, MoPart, MoRepeat
from store.text import read_text

Arrival: TypeAlias = MoFact | PartFact

_IDENTITY = ("key", "mo_id", "at")
_IN_WINDOW = ("mo_id", "operator_id", "fingerprint", "at", "ends_at")
IN_DOUBT_COLUMNS = ("operator_id", "fingerprint", "mo_id", "reason", "at")

_WHY = {
    "session": "the session broke before our answer to the first surely arrived",
    "late": "our answer to the first left after the operator's time-out",
    "crash": "the process that took the first died before its answer surely arrived",
    "commit": "the commit of the first ended in doubt and got the temporary error",
}
_IN_ITS_WINDOW = "the same came within the link's window for repeats"


@dataclass(slots=True)
class _Doubt:
    row_id: int
    mo_id: int
    reason: str


@dataclass(slots=True)
class Doubts:
    """The doubts, and the messages in a window, that concern a batch: those of the batch itself among them."""

    open: dict[tuple[int, int], list[_Doubt]] = field(default_factory=dict)
    used: list[int] = field(default_factory=list)
    new: list[tuple[int, int, int, str, Instant]] = field(default_factory=list)
    within: dict[tuple[int, int], list[tuple[int, Instant]]] = field(default_factory=dict)
    new_within: list[tuple[int, int, int, Instant, Instant]] = field(default_factory=list)


def tell(connection: Connection, arrivals: Sequence[Arrival], now: Instant, now_ms: int) -> None:
    """Mark what is a repeat, in order of arrival; what is new and may come again is written down as in doubt.

    `now_ms` is the clock that never jumps: what waited for longer than its operator does may come again already in this
    batch.
    """
    keyed = [arrival for arrival in arrivals if arrival.key]
    if keyed:
        _tell_by_identity(connection, keyed, now)
    doubts = Doubts()
    others = [arrival for arrival in arrivals if _may_repeat(arrival)]
    if others and read_text(connection, "SELECT 1 FROM in_doubt LIMIT 1"):
        _load(connection, others, doubts)
    if windowed := [arrival for arrival in others if arrival.link.repeat_window_ms]:
        _load_within(connection, windowed, doubts)
    for arrival in arrivals:
        if isinstance(arrival, MoFact) and arrival.joined and not arrival.repeat_of:
            _tell_by_parts(connection, arrival)
        if not arrival.repeat_of:
            _tell_by_fingerprint(arrival, doubts, now_ms)
    if doubts.used:
        connection.execute(sa.delete(InDoubt).where(InDoubt.id.in_(doubts.used)))
    insert_ignore(connection, InDoubt, IN_DOUBT_COLUMNS, doubts.new)
    insert_ignore(connection, InWindow, _IN_WINDOW, doubts.new_within)
    again = [arrival for arrival in arrivals if arrival.repeat_of and (isinstance(arrival, PartFact) or arrival.joined)]
    if again:
        _find_waiting(connection, again)


def _tell_by_parts(connection: Connection, arrival: MoFact) -> None:
    """A commit in doubt may have joined these parts already, and left them in our memory."""
    used = sa.select(MoPart.mo_id).where(MoPart.id.in_(arrival.joined), MoPart.mo_id != 0).limit(1)
    first: int | None = connection.execute(used).scalar()
    if first:
        arrival.repeat_of = first
        arrival.why = "its parts were joined by a commit that ended in doubt"


def _find_waiting(connection: Connection, again: Sequence[Arrival]) -> None:
    """A part whose first commit ended in doubt may be here without anybody knowing: it is not to be forgotten."""
    firsts = [part.repeat_of for part in again]
    waiting = set(connection.execute(sa.select(MoPart.id).where(MoPart.id.in_(firsts), MoPart.mo_id == 0)).scalars())
    for part in again:
        part.original_waits = part.repeat_of in waiting


def _tell_by_identity(connection: Connection, keyed: Sequence[Arrival], now: Instant) -> None:
    names = {f"{arrival.operator_id}/{arrival.key}": arrival for arrival in reversed(keyed)}
    first_come = [(name, arrival.id, now) for name, arrival in reversed(names.items())]
    insert_ignore(connection, Identity, _IDENTITY, first_come)
    rows = connection.execute(sa.select(Identity.key, Identity.mo_id).where(Identity.key.in_(list(names))))
    owner = {key: mo_id for key, mo_id in rows}
    for arrival in keyed:
        first = owner[f"{arrival.operator_id}/{arrival.key}"]
        if first != arrival.id:
            arrival.repeat_of = first
            arrival.why = "the operator gave it the same id as the first"


def _load(connection: Connection, arrivals: Sequence[Arrival], doubts: Doubts) -> None:
    """Doubts of any age: those that are too old are pruned. By the wall clock, all are old after a jump forward."""
    fingerprints = list({arrival.fingerprint for arrival in arrivals})
    rows = connection.execute(
        sa.select(InDoubt.id, InDoubt.operator_id, InDoubt.fingerprint, InDoubt.mo_id, InDoubt.reason)
        .where(InDoubt.fingerprint.in_(fingerprints))
        .order_by(InDoubt.id)
        .with_for_update()
    )
    for row_id, operator_id, fingerprint, mo_id, reason in rows:
        doubts.open.setdefault((operator_id, fingerprint), []).append(_Doubt(row_id, mo_id, reason))


def _load_within(connection: Connection, arrivals: Sequence[Arrival], doubts: Doubts) -> None:
    """Only what may be in the window of one of them: what is past is pruned a little later."""
    fingerprints = list({arrival.fingerprint for arrival in arrivals})
    since = min(arrival.arrived_at - arrival.link.repeat_window_ms for arrival in arrivals)
    until = max(arrival.arrived_at + arrival.link.repeat_window_ms for arrival in arrivals)
    rows = connection.execute(
        sa.select(InWindow.operator_id, InWindow.fingerprint, InWindow.mo_id, InWindow.at)
        .where(InWindow.fingerprint.in_(fingerprints), InWindow.at > since, InWindow.at < until)
        .order_by(InWindow.mo_id)
    )
    for operator_id, fingerprint, mo_id, at in rows:
        doubts.within.setdefault((operator_id, fingerprint), []).append((mo_id, at))


def _tell_by_fingerprint(arrival: Arrival, doubts: Doubts, now_ms: int) -> None:
    place = (arrival.operator_id, arrival.fingerprint)
    if _may_repeat(arrival):
        if doubts.open.get(place):
            doubt = doubts.open[place].pop(0)
            arrival.repeat_of = doubt.mo_id
            arrival.why = _WHY[doubt.reason]
            _use(doubts, doubt)
        elif window_ms := arrival.link.repeat_window_ms:
            _tell_within(arrival, doubts, place, window_ms)
    if arrival.delivery is not None and arrival.delivery.lost:
        # Its session is over: whatever we write now, the operator does not hear it.
        arrival.doubted = True
        _doubt(doubts, place, arrival.repeat_of or arrival.id, "session", arrival.arrived_at)
    elif _is_late(arrival, now_ms):
        arrival.doubted = True
        _doubt(doubts, place, arrival.repeat_of or arrival.id, "late", arrival.arrived_at)


def _tell_within(arrival: Arrival, doubts: Doubts, place: tuple[int, int], window_ms: int) -> None:
    """A repeat of what is in its window, or the first of a window of its own."""
    for mo_id, at in doubts.within.get(place, ()):
        # On both sides: a clock that was set back must not take every message for a repeat until it is there again.
        if abs(arrival.arrived_at - at) < window_ms:
            arrival.repeat_of = mo_id
            arrival.why = _IN_ITS_WINDOW
            return
    at = arrival.arrived_at
    doubts.within.setdefault(place, []).append((arrival.id, at))
    doubts.new_within.append((arrival.id, *place, at, at + window_ms))


def _is_late(arrival: Arrival, now_ms: int) -> bool:
    """Whether the operator has given up our answer before it is written."""
    delivery, link = arrival.delivery, arrival.link
    if delivery is None or arrival.key or link.repeat != "doubt":
        return False
    return now_ms - delivery.arrived_ms > link.response_timeout_s * SECOND_MS


def _may_repeat(arrival: Arrival) -> bool:
    """Whether its fingerprint is asked. One without a fingerprint was joined from parts that were asked themselves."""
    return bool(arrival.fingerprint) and not arrival.key and arrival.link.repeat != "never"


def _use(doubts: Doubts, doubt: _Doubt) -> None:
    if doubt.row_id:
        doubts.used.append(doubt.row_id)
    else:
        doubts.new = [row for row in doubts.new if row[2] != doubt.mo_id]


def _doubt(doubts: Doubts, place: tuple[int, int], mo_id: int, reason: str, at: Instant) -> None:
    doubts.open.setdefault(place, []).append(_Doubt(0, mo_id, reason))
    doubts.new.append((*place, mo_id, reason, at))


def doubt_messages(connection: Connection, fact: DoubtFact) -> None:
    """Messages whose answer may not have arrived, by name."""
    insert_ignore(
        connection, InDoubt, IN_DOUBT_COLUMNS, [(*message, fact.reason, fact.at) for message in fact.messages]
    )  # fmt: skip


def doubt_session(connection: Connection, fact: SessionFact, process_id: int) -> None:
    """All that a link of this process accepted lately, a range of the primary key: its session ended without unbind."""
    doubt_range(connection, first=fact.first, at=fact.at, reason="session", process_id=process_id, link_id=fact.link_id)


def doubt_range(
    connection: Connection,
    *,
    first: int,
    at: Instant,
    reason: str,
    process_id: int,
    link_id: int | None = None,
) -> None:
    """Copy what a process accepted from an id on into `in_doubt`: messages, parts, and repeats of them."""
    repeat = sa.select(MoRepeat.operator_id, MoRepeat.fingerprint, MoRepeat.mo_id)
    message = sa.select(Mo.operator_id, Mo.fingerprint, Mo.id).where(Mo.operator_key == "")
    part = sa.select(MoPart.operator_id, MoPart.fingerprint, MoPart.id)
    for query, table in ((message, Mo), (part, MoPart), (repeat, MoRepeat)):
        query = query.where(table.id >= first, table.fingerprint != 0, table.process_id == process_id)
        if link_id is not None:
            query = query.where(table.link_id == link_id)
        rows = [(operator, print_, mo_id, reason, at) for operator, print_, mo_id in connection.execute(query)]
        insert_ignore(connection, InDoubt, IN_DOUBT_COLUMNS, rows)
