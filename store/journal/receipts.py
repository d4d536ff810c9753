"""Receipts find their MT (reliability.md, section 5; smpp.md, section 8).

write_receipts   move what they speak of; keep those that speak of nothing we know (store/journal/waiting.py)
is_same_number   whether a receipt's sender is the subscriber of an MT

A receipt is matched by operator, by the message's id in all its spellings, and by the subscriber: two centres of one
operator number alike, and a centre uses its ids again after days or a restart. One that names no subscriber is for what
went over its own link alone.

A receipt is heard within the same millisecond as the answer to the submission, or before it: nothing ends before it
was submitted, so the later one of both times is when it ended.

Rule: a move that the table has not is written down as seen, never made. Of what has one id only the newest are looked
at, for a centre may answer the same to all: it must not hold up the others.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import SECOND_MS, Instant
from core.message import MtKind, MtState, ReceiptState, may_move
from core.message import Receipt as ReceiptValue
from store import schema
from store.bulk import bulk_insert, bulk_update
from store.journal.facts import Moved, ReceiptFact
from store.journal.rows import MOVE_COLUMNS, RECEIPT_COLUMNS, error_of, move_row, receipt_row, short_key
from store.text import places, read_text

RECEIPT_BECOMES = {
    ReceiptState.DELIVERED: MtState.DELIVERED,
    ReceiptState.FAILED: MtState.FAILED,
    ReceiptState.EXPIRED: MtState.EXPIRED,
    ReceiptState.UNKNOWN: MtState.UNKNOWN,
}
"""Final receipts; ON_ITS_WAY moves nothing (smpp.md, section 8)."""

# From best to worst: the state of a long message is its worst part's.
_WORSE = (MtState.DELIVERED, MtState.SUBMITTED, MtState.UNKNOWN, MtState.EXPIRED, MtState.FAILED)

_MAY_ARRIVE = (MtState.UNKNOWN, MtState.CANCELLED)
"""Ends after which the centre may still say that the subscriber has it."""

# Numbers come with and without the country's code; national ones have six digits at least.
DIGITS_MIN = 6
# Of these many last digits no other subscriber has the same: what stands before them may be a trunk prefix.
DIGITS_ENOUGH = 9

# UCP names a message by its recipient and the second, so two to one handset within one have the same id, and their
# receipts come in their order. What our clock says of the two may be further apart than what the centre's does.
_TWINS_MS = 5 * SECOND_MS

LATE = "a late receipt"
"""Why a message moves out of UNKNOWN or CANCELLED, in its history; other moves by a receipt have no line there."""
ASKED = "asked the centre"
"""That it did not come by itself; before what was said."""

LOCK = "FOR UPDATE"
NEWEST = 20
"""So many messages for each id that is looked for; and NEWEST_MIN at least."""
NEWEST_MIN = 200
_WHOLE = "SELECT `key`, id, destination, link_id, kind, submitted_at, state FROM mt WHERE "
_PARTS = (
    "SELECT mt_part.`key`, mt.id, mt.destination, mt.link_id, mt.kind, mt.submitted_at, mt.state, mt_part.id, "
    "mt_part.state FROM mt_part JOIN mt ON mt.id = mt_part.mt_id WHERE "
)
_KEYED = "{table}.operator_id = ? AND {table}.`key` IN ({keys}) LIMIT {most}"
# In the order of the index, read backwards: the limit ends the reading, not only the answer. SQLite's indexes end with
# the row's own number, MariaDB's with the primary key. Nothing is locked: a scan backwards locks what stands beside.
_NEWEST = (
    "SELECT id FROM {table} WHERE operator_id = ? AND `key` IN ({keys}) ORDER BY `key` DESC, {last} DESC LIMIT {most}"
)
_THESE = "{table}.id IN ({keys})"
# What a receipt changes in the row of a message that ended.
_END_COLUMNS = ("id", "state", "error", "final_at", "due_at")

_ID, _PART_ID = itemgetter(1), itemgetter(7)

Key: TypeAlias = tuple[int, str]
"""(operator id, message id as it is matched)."""


@dataclass(slots=True)
class _Spoken:
    """An MT, or a part of one, that a receipt may speak of."""

    mt_id: int
    destination: str
    link_id: int
    kind: int
    submitted_at: Instant
    state: MtState
    part_id: int = 0
    part_state: MtState = MtState.SUBMITTED

    @property
    def is_done(self) -> bool:
        """A receipt that says how it ended has come already."""
        state = self.part_state if self.part_id else self.state
        return state.is_final and state not in _MAY_ARRIVE

    @property
    def is_given_up(self) -> bool:
        """Nobody expects a receipt for it any more, but one may come."""
        return self.state in _MAY_ARRIVE

    @property
    def is_open(self) -> bool:
        """Its receipt is expected."""
        return not (self.is_done or self.is_given_up)


def write_receipts(connection: Connection, facts: Sequence[ReceiptFact], *, keeps: bool = True) -> list[Moved]:
    """Move what the receipts speak of; keep those that speak of nothing we know, unless they are kept already
    (`keeps`). Returns the moves, in order.
    """
    known = _known(connection, facts)
    rivals = _rivals(connection, facts, known)
    moved: dict[int, MtState] = {}
    told: list[Moved] = []
    moves: list[tuple[object, ...]] = []
    kept: list[tuple[object, ...]] = []
    ends: dict[int, tuple[object, ...]] = {}
    for fact in facts:
        receipt = fact.receipt
        one = _choose(receipt, known, rivals) if not fact.asked else _asked_for(fact, known)
        if one is None:
            if keeps and not fact.asked:
                kept.append(receipt_row(receipt))
            continue
        fact.mt_id = one.mt_id
        at = max(receipt.arrived_at, one.submitted_at)
        new, error = RECEIPT_BECOMES.get(receipt.state), error_of(receipt)
        if one.part_id and new is not None:
            new, error = _part_done(connection, one, new, receipt, at)
        old = moved.get(one.mt_id, one.state)
        if new is None or new is old or not may_move(old, new):
            moves.append(move_row(one.mt_id, at, old, old, _why(fact, f"receipt {receipt.word}")))
            continue
        if old in _MAY_ARRIVE or fact.asked:
            moves.append(move_row(one.mt_id, at, old, new, _why(fact, LATE)))
        moved[one.mt_id] = one.state = new
        told.append(Moved(one.mt_id, old, new, at, MtKind(one.kind), receipt.operator_id))
        # Of several in one batch the last holds.
        ends[one.mt_id] = (one.mt_id, int(new), "" if new is MtState.DELIVERED else error, at, None)
    bulk_update(connection, schema.Mt, _END_COLUMNS, list(ends.values()))
    if moves:
        bulk_insert(connection, schema.MtMove, MOVE_COLUMNS, moves)
    if kept:
        bulk_insert(connection, schema.Receipt, RECEIPT_COLUMNS, kept)
    return told


def is_same_number(destination: str, source: str) -> bool:
    """Whether a receipt's sender is the subscriber of an MT; one without a sender may be anybody's of its link.

    National numbers have six to twelve digits, so one number must end with the other; or both in the same nine digits.
    """
    if not source or destination == source:
        return True
    if min(len(source), len(destination)) < DIGITS_MIN:
        return False
    alike = destination.endswith(source) or source.endswith(destination)
    return alike or (len(source) > DIGITS_ENOUGH and destination[-DIGITS_ENOUGH:] == source[-DIGITS_ENOUGH:])


def _known(connection: Connection, facts: Sequence[ReceiptFact]) -> dict[Key, list[_Spoken]]:
    by_operator: dict[int, dict[str, None]] = {}
    for fact in facts:
        by_operator.setdefault(fact.receipt.operator_id, {}).update(dict.fromkeys(_keys_of(fact.receipt)))
    known: dict[Key, list[_Spoken]] = {}
    # In one order, as what another process locks.
    for operator_id, keys in sorted(by_operator.items()):
        if not keys:
            continue
        wholes = _of_keys(connection, _WHOLE, "mt", operator_id, list(keys))
        for key, mt_id, number, link_id, kind, at, state in sorted(wholes, key=_ID, reverse=True):
            one = _Spoken(mt_id, number, link_id, kind, at, MtState(state))
            known.setdefault((operator_id, key), []).append(one)
        parts = _of_keys(connection, _PARTS, "mt_part", operator_id, list(keys))
        for key, mt_id, number, link_id, kind, at, state, part_id, part_state in sorted(
            parts, key=_PART_ID, reverse=True
        ):
            one = _Spoken(mt_id, number, link_id, kind, at, MtState(state), part_id, MtState(part_state))
            known.setdefault((operator_id, key), []).append(one)
    return known


def _of_keys(
    connection: Connection, select: str, table: str, operator_id: int, keys: Sequence[str]
) -> Sequence[tuple[Any, ...]]:
    """All of an operator's with these ids, locked; where they are too many, the newest."""
    most, asked = max(NEWEST * len(keys), NEWEST_MIN), places(keys)
    query = select + _KEYED.format(table=table, keys=asked, most=most)
    rows = read_text(connection, query, (operator_id, *keys), lock=LOCK)
    if len(rows) < most:
        return rows
    last = "rowid" if connection.dialect.name == "sqlite" else "id"
    newest = _NEWEST.format(table=table, keys=asked, last=last, most=most)
    ids = tuple(row[0] for row in read_text(connection, newest, (operator_id, *keys)))
    return read_text(connection, select + _THESE.format(table=table, keys=places(ids)), ids, lock=LOCK)


def _keys_of(receipt: ReceiptValue) -> list[str]:
    return [short_key(key) for key in receipt.keys if key]


def _rivals(
    connection: Connection, facts: Sequence[ReceiptFact], known: dict[Key, list[_Spoken]]
) -> set[tuple[int, str]]:
    """(operator, subscriber) where another MT is just being submitted: a receipt may be for that one, whose id we do
    not know yet. Two centres of an operator number alike, so this happens whenever both begin anew; and by UCP two
    messages of one second have the same id.
    """
    times = Counter(key for fact in facts for key in _keys_of(fact.receipt))
    numbers = {
        one.destination
        for fact in facts
        for key in _keys_of(fact.receipt)
        for one in known.get((fact.receipt.operator_id, key), ())
        if one.is_done or one.link_id != fact.receipt.link_id or times[key] > 1
    }
    if not numbers:
        return set()
    mt = schema.Mt
    rows = connection.execute(
        sa.select(mt.operator_id, mt.destination).where(
            mt.state == int(MtState.SUBMITTING), mt.destination.in_(numbers)
        )
    )
    return {(operator_id, destination) for operator_id, destination in rows}


def _choose(receipt: ReceiptValue, known: dict[Key, list[_Spoken]], rivals: set[tuple[int, str]]) -> _Spoken | None:
    """Of the messages of that id and subscriber: rather one without an end, rather one for which a receipt is expected,
    rather of this link, rather the youngest; of twins the oldest.

    One that went over another link is none when it has its end already, or when another message to that subscriber is
    just being submitted: the receipt may be early for that one. So it may where the one of its own link has its end.
    """
    may_be = [
        one
        for key in _keys_of(receipt)
        for one in known.get((receipt.operator_id, key), ())
        if is_same_number(one.destination, receipt.source)
        and _may_be(one, receipt, is_rivalled=(receipt.operator_id, one.destination) in rivals)
    ]
    best = min(may_be, key=lambda one: (one.is_done, one.is_given_up, one.link_id != receipt.link_id), default=None)
    if best is None or len(may_be) == 1 or not best.is_open:
        return best
    twins = (
        one
        for one in may_be
        if one.is_open and one.link_id == best.link_id and best.submitted_at - one.submitted_at <= _TWINS_MS
    )
    return min(twins, key=lambda one: (one.submitted_at, one.mt_id, one.part_id))


def _asked_for(fact: ReceiptFact, known: dict[Key, list[_Spoken]]) -> _Spoken | None:
    """The MT that was asked for, or the part of it; of parts of one id rather one without an end."""
    its = [
        one
        for key in _keys_of(fact.receipt)
        for one in known.get((fact.receipt.operator_id, key), ())
        if one.mt_id == fact.asked
    ]
    return min(its, key=lambda one: (one.is_done, one.part_id), default=None)


def _why(fact: ReceiptFact, otherwise: str) -> str:
    return f"{ASKED}: {fact.receipt.word}" if fact.asked else otherwise


def _may_be(one: _Spoken, receipt: ReceiptValue, *, is_rivalled: bool) -> bool:
    if one.link_id == receipt.link_id:
        return not (one.is_done and is_rivalled)
    return bool(receipt.source) and not (one.is_done or is_rivalled)


def _part_done(
    connection: Connection, one: _Spoken, new: MtState, receipt: ReceiptValue, at: Instant
) -> tuple[MtState | None, str]:
    """Write the part's end; the message's state and error once all parts have one, its worst part's; else None."""
    one.part_state = new
    part = schema.MtPart
    values = {"state": int(new), "error": error_of(receipt), "final_at": at}
    connection.execute(sa.update(part).where(part.id == one.part_id).values(**values))
    all_parts = sa.select(part.state, part.error).where(part.mt_id == one.mt_id).order_by(part.sequence)
    ends = [(MtState(state), said) for state, said in connection.execute(all_parts)]
    if any(not state.is_final for state, _ in ends):
        return None, ""
    return max(ends, key=lambda end: _WORSE.index(end[0]))
