"""Writing what goes out: calls to partners, MT and their moves, receipts (reliability.md, sections 4 and 5).

write_callbacks   a call's result with its reply: the job's row holds the last attempt
write_new_mts     replies through the API
write_moves       submitted, put back, failed: the MT's whole row again
write_receipts    a receipt finds its MT, or waits for it

Rule: one MO has at most one reply: `mt.reply_to` is unique, and we look before we insert.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import Instant
from core.message import Mt, MtState, ReceiptState, may_move
from core.message import Receipt as ReceiptValue
from store import schema
from store.bulk import bulk_insert, bulk_update, insert_ignore
from store.journal.facts import CallbackFact, CallbackState, MtFact, NewMtFact, ReceiptFact
from store.journal.rows import (
    ATTEMPT_COLUMNS,
    ERROR_MAX,
    MOVED_COLUMNS,
    MT_COLUMNS,
    TRIED_COLUMNS,
    attempt_row,
    moved_row,
    mt_row,
    tried_row,
)

_PART = ("mt_id", "operator_id", "sequence", "key", "state", "error", "final_at")
_IDEMPOTENCY = ("partner_id", "key", "digest", "status", "body", "at")
_MOVE = ("mt_id", "at", "old", "new", "reason")
_RECEIPT = (
    "operator_id", "key", "other_key", "state", "word", "error", "source", "destination", "arrived_at"
)  # fmt: skip
_MOVED = (
    "link_id",
    "state",
    "key",
    "process_id",
    "attempt",
    "maybe_twice",
    "due_at",
    "submitted_at",
    "final_at",
    "error",
)

RECEIPT_BECOMES = {
    ReceiptState.DELIVERED: MtState.DELIVERED,
    ReceiptState.FAILED: MtState.FAILED,
    ReceiptState.EXPIRED: MtState.EXPIRED,
    ReceiptState.UNKNOWN: MtState.UNKNOWN,
}
"""Final receipts; ON_ITS_WAY moves nothing (smpp.md, section 8)."""

# From best to worst: the state of a long message is its worst part's.
_WORSE = (MtState.DELIVERED, MtState.SUBMITTED, MtState.UNKNOWN, MtState.EXPIRED, MtState.FAILED)


def write_callbacks(connection: Connection, facts: Sequence[CallbackFact], process_id: int) -> None:
    """The jobs after their attempts, and the replies; `stored` is set where the reply is new."""
    replies = [fact for fact in facts if fact.reply is not None]
    taken = replies_of(connection, [fact.callback.mo_id for fact in replies])
    for fact in replies:
        # A second answer to the same MO never sends a second reply (R4).
        fact.stored = fact.callback.mo_id not in taken
        taken.setdefault(fact.callback.mo_id, 0)
    insert_mts(connection, [fact.reply for fact in replies if fact.stored and fact.reply is not None], process_id)
    # By id, so that the last of two results of one job stands: a statement may name a row only once.
    rows = {fact.callback.mo_id: tried_row(fact, process_id) for fact in facts}
    bulk_update(connection, schema.Callback, TRIED_COLUMNS, list(rows.values()))
    again = [attempt_row(fact) for fact in facts if fact.counts and fact.state is CallbackState.WAITING]
    if again:
        bulk_insert(connection, schema.CallbackAttempt, ATTEMPT_COLUMNS, again)


def replies_of(connection: Connection, mo_ids: Sequence[int]) -> dict[int, int]:
    """MO's id → id of the reply that it has already."""
    if not mo_ids:
        return {}
    rows = connection.execute(sa.select(schema.Mt.reply_to, schema.Mt.id).where(schema.Mt.reply_to.in_(mo_ids)))
    return {reply_to: id_ for reply_to, id_ in rows if reply_to is not None}


def insert_mts(connection: Connection, mts: Sequence[Mt], process_id: int) -> None:
    """New messages. One that is `submitting` is held by this process; a queued one is due at once."""
    if mts:
        rows = [mt_row(mt, process_id, mt.created_at if mt.state is MtState.QUEUED else None) for mt in mts]
        bulk_insert(connection, schema.Mt, MT_COLUMNS, rows)


def write_new_mts(connection: Connection, facts: Sequence[NewMtFact], process_id: int) -> None:
    """Replies through the API; the first one stays."""
    taken = replies_of(connection, [fact.mt.reply_to for fact in facts if fact.mt.reply_to])
    new: list[Mt] = []
    for fact in facts:
        fact.existing = taken.get(fact.mt.reply_to, 0) if fact.mt.reply_to else 0
        if not fact.existing:
            new.append(fact.mt)
            if fact.mt.reply_to:
                taken[fact.mt.reply_to] = fact.mt.id
    insert_mts(connection, new, process_id)
    remembered = []
    for fact in facts:
        if fact.idempotency is not None and not fact.existing:
            answer = fact.idempotency.answer(fact.mt.id, fact.mt.parts)
            place = (fact.mt.partner_id, fact.idempotency.key)
            remembered.append((*place, answer.digest, answer.status, answer.body, fact.mt.created_at))
    insert_ignore(connection, schema.Idempotency, _IDEMPOTENCY, remembered)


def write_moves(connection: Connection, facts: Sequence[MtFact], process_id: int) -> None:
    """Moves of MT that this process holds. What was submitted may already have a receipt that waits for it."""
    rows = {}
    parts = []
    moves = []
    for fact in facts:
        mt, new = fact.mt, fact.new
        old = fact.old = mt.state if fact.old is None else fact.old
        assert new is old or may_move(old, new), (old, new)
        if new is not MtState.SUBMITTED:
            moves.append((mt.id, fact.at, int(old), int(new), fact.error[:ERROR_MAX]))
        mt.state = fact.became = new
        rows[mt.id] = moved_row(fact, process_id)
        parts += [(mt.id, mt.operator_id, seq, key, int(state), "", 0) for seq, key, state in fact.parts]
    bulk_update(connection, schema.Mt, MOVED_COLUMNS, list(rows.values()))
    if parts:
        bulk_insert(connection, schema.MtPart, _PART, parts)
    if moves:
        bulk_insert(connection, schema.MtMove, _MOVE, moves)
    _apply_early_receipts(connection, facts)


def _apply_early_receipts(connection: Connection, facts: Sequence[MtFact]) -> None:
    """A receipt may come before the submit answer (smpp.md, section 8): it was kept; now it finds its message."""
    if connection.exec_driver_sql("SELECT 1 FROM receipt LIMIT 1").first() is None:
        return
    keys: dict[tuple[int, str], MtFact] = {}
    for fact in facts:
        if fact.new is MtState.SUBMITTED:
            names = [key for _, key, _ in fact.parts] or fact.mt.keys[:1]
            keys.update({(fact.mt.operator_id, key): fact for key in names if key})
    if not keys:
        return
    wanted = [key for _, key in keys]
    kept = schema.Receipt.__table__
    rows = connection.execute(
        sa.select(kept).where(sa.or_(kept.c.key.in_(wanted), kept.c.other_key.in_(wanted))).with_for_update()
    ).all()
    late: list[ReceiptFact] = []
    used: list[int] = []
    for row in rows:
        spelled = tuple(key for key in (row.key, row.other_key) if (row.operator_id, key) in keys)
        if spelled:
            used.append(row.id)
            late.append(ReceiptFact(_receipt_of(row, spelled)))
    if used:
        connection.execute(sa.delete(schema.Receipt).where(schema.Receipt.id.in_(used)))
        moved = write_receipts(connection, late)
        for fact in facts:
            fact.became = moved.get(fact.mt.id, fact.became)


def _receipt_of(row: sa.Row[Any], names: tuple[str, ...]) -> ReceiptValue:
    return ReceiptValue(
        "", row.operator_id, names, ReceiptState(row.state), row.word, row.error, row.source, row.destination,
        row.arrived_at,
    )  # fmt: skip


@dataclass(slots=True)
class _Found:
    """An MT, or a part of one, that a receipt speaks of."""

    mt_id: int
    state: MtState
    part_id: int = 0


def write_receipts(connection: Connection, facts: Sequence[ReceiptFact]) -> dict[int, MtState]:
    """Move what the receipts speak of; keep those that speak of nothing we know. Returns the new state by MT."""
    found = _find(connection, facts)
    moved: dict[int, MtState] = {}
    moves: list[tuple[object, ...]] = []
    kept: list[tuple[object, ...]] = []
    changes: dict[tuple[MtState, str, Instant], list[int]] = {}
    for fact in facts:
        receipt = fact.receipt
        one = next((found[place] for key in receipt.keys if (place := (receipt.operator_id, key)) in found), None)
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
        moved[one.mt_id] = new
        error = "" if new is MtState.DELIVERED else f"{receipt.word} {receipt.error}".strip()
        changes.setdefault((new, error[:ERROR_MAX], receipt.arrived_at), []).append(one.mt_id)
    for (state, error, at), ids in changes.items():
        values = {"state": int(state), "error": error, "final_at": at, "due_at": None}
        connection.execute(sa.update(schema.Mt).where(schema.Mt.id.in_(ids)).values(**values))
    if moves:
        bulk_insert(connection, schema.MtMove, _MOVE, moves)
    if kept:
        bulk_insert(connection, schema.Receipt, _RECEIPT, kept)
    return moved


def _find(connection: Connection, facts: Sequence[ReceiptFact]) -> dict[tuple[int, str], _Found]:
    keys = list({key for fact in facts for key in fact.receipt.keys if key})
    found: dict[tuple[int, str], _Found] = {}
    if not keys:
        return found
    parts = connection.execute(
        sa.select(schema.MtPart.operator_id, schema.MtPart.key, schema.MtPart.mt_id, schema.MtPart.id, schema.Mt.state)
        .join(schema.Mt, schema.Mt.id == schema.MtPart.mt_id)
        .where(schema.MtPart.key.in_(keys))
        .order_by(schema.MtPart.id)
    )
    for operator_id, key, mt_id, part_id, state in parts:
        found[operator_id, key] = _Found(mt_id, MtState(state), part_id)
    whole = connection.execute(
        sa.select(schema.Mt.operator_id, schema.Mt.key, schema.Mt.id, schema.Mt.state)
        .where(schema.Mt.key.in_(keys))
        .order_by(schema.Mt.id)
        .with_for_update()
    )
    # A centre may use an id again after days: the youngest message has it.
    for operator_id, key, mt_id, state in whole:
        found[operator_id, key] = _Found(mt_id, MtState(state))
    return found


def _part_done(connection: Connection, one: _Found, new: MtState, receipt: ReceiptValue) -> MtState | None:
    """Write the part's end; the message's state once all parts have one, else None."""
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
    other = receipt.keys[1] if len(receipt.keys) > 1 else ""
    first = receipt.keys[0] if receipt.keys else ""
    return (
        receipt.operator_id, first, other, receipt.state.value, receipt.word[:20], receipt.error[:20],
        receipt.source[:20], receipt.destination[:20], receipt.arrived_at,
    )  # fmt: skip
