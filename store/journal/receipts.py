"""Receipts find their MT (reliability.md, section 5; smpp.md, section 8).

write_receipts   move what they speak of; keep those that speak of nothing we know
apply_early      what was submitted just now may have a receipt that waits

A receipt is matched by operator, by the message's id in all its spellings, and by the subscriber: two centres of one
operator number alike, and a centre uses its ids again after days or a restart.

Rule: a move that the table has not is written down as seen, never made.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import Instant
from core.message import MtState, ReceiptState, may_move
from core.message import Receipt as ReceiptValue
from store import schema
from store.bulk import bulk_insert
from store.journal.facts import MtFact, ReceiptFact
from store.journal.rows import ERROR_MAX, MOVE_COLUMNS
from store.text import read_text

_KEPT = (
    "operator_id", "link_id", "key", "other_key", "state", "word", "error", "source", "destination", "arrived_at"
)  # fmt: skip

RECEIPT_BECOMES = {
    ReceiptState.DELIVERED: MtState.DELIVERED,
    ReceiptState.FAILED: MtState.FAILED,
    ReceiptState.EXPIRED: MtState.EXPIRED,
    ReceiptState.UNKNOWN: MtState.UNKNOWN,
}
"""Final receipts; ON_ITS_WAY moves nothing (smpp.md, section 8)."""

# From best to worst: the state of a long message is its worst part's.
_WORSE = (MtState.DELIVERED, MtState.SUBMITTED, MtState.UNKNOWN, MtState.EXPIRED, MtState.FAILED)

# Numbers come with and without the country's code: so many last digits must agree.
_DIGITS = 9

Key: TypeAlias = tuple[int, str]
"""(operator id, message id as it is matched)."""


@dataclass(slots=True)
class _Spoken:
    """An MT, or a part of one, that a receipt may speak of."""

    mt_id: int
    state: MtState
    destination: str
    link_id: int
    part_id: int = 0
    part_state: MtState = MtState.SUBMITTED

    @property
    def is_done(self) -> bool:
        """A receipt for it has come already."""
        return self.part_state.is_final if self.part_id else self.state.is_final


def write_receipts(connection: Connection, facts: Sequence[ReceiptFact]) -> dict[int, MtState]:
    """Move what the receipts speak of; keep those that speak of nothing we know. Returns the new state by MT."""
    known = _known(connection, facts)
    moved: dict[int, MtState] = {}
    moves: list[tuple[object, ...]] = []
    kept: list[tuple[object, ...]] = []
    changes: dict[tuple[MtState, str, Instant], list[int]] = {}
    for fact in facts:
        receipt = fact.receipt
        one = _choose(receipt, known)
        if one is None:
            kept.append(_kept_row(receipt))
            continue
        fact.mt_id = one.mt_id
        new = RECEIPT_BECOMES.get(receipt.state)
        if one.part_id and new is not None:
            new = _part_done(connection, one, new, receipt)
        old = moved.get(one.mt_id, one.state)
        if new is None or new is old or not may_move(old, new):
            moves.append((one.mt_id, receipt.arrived_at, int(old), int(old), f"receipt {receipt.word}"[:ERROR_MAX]))
            continue
        if old is MtState.UNKNOWN:
            moves.append((one.mt_id, receipt.arrived_at, int(old), int(new), "a late receipt"))
        moved[one.mt_id] = one.state = new
        error = "" if new is MtState.DELIVERED else f"{receipt.word} {receipt.error}".strip()
        changes.setdefault((new, error[:ERROR_MAX], receipt.arrived_at), []).append(one.mt_id)
    for (state, error, at), ids in changes.items():
        values = {"state": int(state), "error": error, "final_at": at, "due_at": None}
        connection.execute(sa.update(schema.Mt).where(schema.Mt.id.in_(ids)).values(**values))
    if moves:
        bulk_insert(connection, schema.MtMove, MOVE_COLUMNS, moves)
    if kept:
        bulk_insert(connection, schema.Receipt, _KEPT, kept)
    return moved


def apply_early(connection: Connection, facts: Sequence[MtFact]) -> None:
    """A receipt may come before the submit answer: it was kept; now it finds its message."""
    if not read_text(connection, "SELECT 1 FROM receipt LIMIT 1"):
        return
    sent: dict[Key, list[str]] = {}
    for fact in facts:
        if fact.new is MtState.SUBMITTED:
            for key in [key for _, key, _ in fact.parts] or fact.mt.keys[:1]:
                sent.setdefault((fact.mt.operator_id, key), []).append(fact.mt.destination)
    if not sent:
        return
    wanted = [key for _, key in sent]
    kept = schema.Receipt.__table__
    rows = connection.execute(
        sa.select(kept).where(sa.or_(kept.c.key.in_(wanted), kept.c.other_key.in_(wanted))).with_for_update()
    ).all()
    late: list[ReceiptFact] = []
    used: list[int] = []
    for row in rows:
        spelled = tuple(
            key
            for key in (row.key, row.other_key)
            if any(is_same_number(number, row.source) for number in sent.get((row.operator_id, key), ()))
        )
        if spelled:
            used.append(row.id)
            late.append(ReceiptFact(_receipt_of(row, spelled)))
    if used:
        connection.execute(sa.delete(schema.Receipt).where(schema.Receipt.id.in_(used)))
        moved = write_receipts(connection, late)
        for fact in facts:
            fact.became = moved.get(fact.mt.id, fact.became)


def is_same_number(destination: str, source: str) -> bool:
    """Whether a receipt's sender is the subscriber of an MT; one without a sender may be anybody's."""
    return not source or destination[-_DIGITS:] == source[-_DIGITS:]


def _known(connection: Connection, facts: Sequence[ReceiptFact]) -> dict[Key, list[_Spoken]]:
    keys = list({key for fact in facts for key in fact.receipt.keys if key})
    known: dict[Key, list[_Spoken]] = {}
    if not keys:
        return known
    mt, part = schema.Mt, schema.MtPart
    whole = connection.execute(
        sa.select(mt.operator_id, mt.key, mt.id, mt.state, mt.destination, mt.link_id)
        .where(mt.key.in_(keys))
        .order_by(mt.id.desc())
        .with_for_update()
    )
    for operator_id, key, mt_id, state, destination, link_id in whole:
        known.setdefault((operator_id, key), []).append(_Spoken(mt_id, MtState(state), destination, link_id))
    parts = connection.execute(
        sa.select(part.operator_id, part.key, part.mt_id, mt.state, mt.destination, mt.link_id, part.id, part.state)
        .join(mt, mt.id == part.mt_id)
        .where(part.key.in_(keys))
        .order_by(part.id.desc())
    )
    for operator_id, key, mt_id, state, destination, link_id, part_id, part_state in parts:
        one = _Spoken(mt_id, MtState(state), destination, link_id, part_id, MtState(part_state))
        known.setdefault((operator_id, key), []).append(one)
    return known


def _choose(receipt: ReceiptValue, known: dict[Key, list[_Spoken]]) -> _Spoken | None:
    """Of the messages of that id and subscriber: rather one without an end, rather of this link, rather the youngest.

    One that has its end already, and went over another link, is none: the receipt may be early for another message.
    """
    may_be = [
        one
        for key in receipt.keys
        for one in known.get((receipt.operator_id, key), ())
        if is_same_number(one.destination, receipt.source) and not (one.is_done and one.link_id != receipt.link_id)
    ]
    return min(may_be, key=lambda one: (one.is_done, one.link_id != receipt.link_id), default=None)


def _part_done(connection: Connection, one: _Spoken, new: MtState, receipt: ReceiptValue) -> MtState | None:
    """Write the part's end; the message's state once all parts have one, else None."""
    one.part_state = new
    connection.execute(
        sa.update(schema.MtPart)
        .where(schema.MtPart.id == one.part_id)
        .values(state=int(new), error=f"{receipt.word} {receipt.error}".strip(), final_at=receipt.arrived_at)
    )
    all_parts = sa.select(schema.MtPart.state).where(schema.MtPart.mt_id == one.mt_id)
    states = [MtState(state) for state in connection.execute(all_parts).scalars()]
    if any(not state.is_final for state in states):
        return None
    return max(states, key=_WORSE.index)


def _kept_row(receipt: ReceiptValue) -> tuple[object, ...]:
    first, other = (*receipt.keys, "", "")[:2]
    return (
        receipt.operator_id, receipt.link_id, first, other, receipt.state.value, receipt.word[:20], receipt.error[:20],
        receipt.source[:20], receipt.destination[:20], receipt.arrived_at,
    )  # fmt: skip


def _receipt_of(row: sa.Row[Any], keys: tuple[str, ...]) -> ReceiptValue:
    return ReceiptValue(
        "", row.link_id, row.operator_id, keys, ReceiptState(row.state), row.word, row.error, row.source,
        row.destination, row.arrived_at,
    )  # fmt: skip
