"""Writing what goes out: calls to partners, MT and their moves, receipts (reliability.md, sections 4 and 5).

write_callbacks   a call's result with its reply: the job's row holds the last attempt
write_new_mts     replies through the API
write_moves       submitted, put back, failed: the MT's whole row again
write_receipts    a receipt finds its MT, or waits for it

Rule: one MO has at most one reply: `mt.reply_to` is unique, and we look before we insert.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import Instant
from core.message import Mt, MtState, Receipt as ReceiptValue, ReceiptState, may_move  # noqa: I001
from store.database import bulk_insert, bulk_upsert
from store.journal.facts import CallbackFact, CallbackState, MtFact, NewMtFact, ReceiptFact
from store.journal.rows import (
    ATTEMPT_COLUMNS,
    CALLBACK_COLUMNS,
    ERROR_MAX,
    MT_COLUMNS,
    attempt_row,
    callback_row,
    mt_row,
)
from store.schema import Callback, CallbackAttempt, Mt as MtRow, MtMove, MtPart, Receipt  # noqa: I001

_PART = ("mt_id", "operator_id", "sequence", "key", "state", "error", "final_at")
_MOVE = ("mt_id", "at", "old", "new", "reason")
_RECEIPT = (
    "operator_id", "link_id", "key", "other_key", "state", "word", "error", "source", "destination", "arrived_at"
)  # fmt: skip
_MOVED = ("link_id", "state", "key", "process_id", "attempt", "maybe_twice", "due_at", "submitted_at", "final_at", "error")

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
    bulk_upsert(
        connection,
        Callback,
        CALLBACK_COLUMNS,
        [callback_row(fact, process_id) for fact in facts],
        update=CALLBACK_COLUMNS[3:],
    )
    again = [attempt_row(fact) for fact in facts if fact.counts and fact.state is CallbackState.WAITING]
    if again:
        bulk_insert(connection, CallbackAttempt, ATTEMPT_COLUMNS, again)


def replies_of(connection: Connection, mo_ids: Sequence[int]) -> dict[int, int]:
    """MO's id → id of the reply that it has already."""
    if not mo_ids:
        return {}
    rows = connection.execute(sa.select(MtRow.reply_to, MtRow.id).where(MtRow.reply_to.in_(mo_ids)))
    return {reply_to: id_ for reply_to, id_ in rows}


def insert_mts(connection: Connection, mts: Sequence[Mt], process_id: int) -> None:
    """New messages. One that is `submitting` is held by this process; a queued one is due at once."""
    if mts:
        rows = [
            mt_row(mt, process_id, due_at=mt.created_at if mt.state is MtState.QUEUED else None) for mt in mts
        ]  # fmt: skip
        bulk_insert(connection, MtRow, MT_COLUMNS, rows)


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


def write_moves(connection: Connection, facts: Sequence[MtFact], process_id: int) -> None:
    """Moves of MT that this process holds. What was submitted may already have a receipt that waits for it."""
    rows = []
    parts = []
    moves = []
    for fact in facts:
        mt, new = fact.mt, fact.new
        old = fact.old = mt.state if fact.old is None else fact.old
        assert new is old or may_move(old, new), (old, new)
        if new is not MtState.SUBMITTED:
            moves.append((mt.id, fact.at, int(old), int(new), fact.error[:ERROR_MAX]))
        mt.state = fact.became = new
        rows.append(
            mt_row(
                mt,
                process_id,
                due_at=fact.due_at,
                submitted_at=fact.at if new is MtState.SUBMITTED else 0,
                final_at=fact.at if new.is_final else 0,
                error=fact.error,
            )
        )
        parts += [(mt.id, mt.operator_id, seq, key, int(state), "", 0) for seq, key, state in fact.parts]
    bulk_upsert(connection, MtRow, MT_COLUMNS, rows, update=_MOVED)
    if parts:
        bulk_insert(connection, MtPart, _PART, parts)
    if moves:
        bulk_insert(connection, MtMove, _MOVE, moves)
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
    rows = connection.execute(
        sa.select(Receipt).where(sa.or_(Receipt.key.in_(wanted), Receipt.other_key.in_(wanted))).with_for_update()
    ).all()
    late: list[ReceiptFact] = []
    used: list[int] = []
    for row in rows:
        names = tuple(key for key in (row.key, row.other_key) if (row.operator_id, key) in keys)
        if names:
            used.append(row.id)
            late.append(ReceiptFact(_receipt_of(row, names)))
    if used:
        connection.execute(sa.delete(Receipt).where(Receipt.id.in_(used)))
        moved = write_receipts(connection, late)
        for fact in facts:
            fact.became = moved.get(fact.mt.id, fact.became)


def _receipt_of(row: sa.Row[tuple[object, ...]], names: tuple[str, ...]) -> ReceiptValue:
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


def write_receipts(connection: Connection, facts: Sequence[ReceiptFact], link_ids: dict[str, int] | None = None) -> dict[int, MtState]:
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
            kept.append(_kept_row(receipt, (link_ids or {}).get(receipt.link, 0)))
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
        connection.execute(sa.update(MtRow).where(MtRow.id.in_(ids)).values(**values))
    if moves:
        bulk_insert(connection, MtMove, _MOVE, moves)
    if kept:
        bulk_insert(connection, Receipt, _RECEIPT, kept)
    return moved


def _find(connection: Connection, facts: Sequence[ReceiptFact]) -> dict[tuple[int, str], _Found]:
    keys = list({key for fact in facts for key in fact.receipt.keys if key})
    found: dict[tuple[int, str], _Found] = {}
    if not keys:
        return found
    parts = connection.execute(
        sa.select(MtPart.operator_id, MtPart.key, MtPart.mt_id, MtPart.id, MtRow.state)
        .join(MtRow, MtRow.id == MtPart.mt_id)
        .where(MtPart.key.in_(keys))
        .order_by(MtPart.id)
    )
    for operator_id, key, mt_id, part_id, state in parts:
        found[operator_id, key] = _Found(mt_id, MtState(state), part_id)
    whole = connection.execute(
        sa.select(MtRow.operator_id, MtRow.key, MtRow.id, MtRow.state)
        .where(MtRow.key.in_(keys))
        .order_by(MtRow.id)
        .with_for_update()
    )
    # A centre may use an id again after days: the youngest message has it.
    for operator_id, key, mt_id, state in whole:
        found[operator_id, key] = _Found(mt_id, MtState(state))
    return found


def _part_done(connection: Connection, one: _Found, new: MtState, receipt: ReceiptValue) -> MtState | None:
    """Write the part's end; the message's state once all parts have one, else None."""
    connection.execute(
        sa.update(MtPart)
        .where(MtPart.id == one.part_id)
        .values(state=int(new), error=f"{receipt.word} {receipt.error}".strip(), final_at=receipt.arrived_at)
    )
    states = [
        MtState(state) for (state,) in connection.execute(sa.select(MtPart.state).where(MtPart.mt_id == one.mt_id))
    ]
    if any(not state.is_final for state in states):
        return None
    return max(states, key=_WORSE.index)


def _kept_row(receipt: ReceiptValue, link_id: int) -> tuple[object, ...]:
    other = receipt.keys[1] if len(receipt.keys) > 1 else ""
    first = receipt.keys[0] if receipt.keys else ""
    return (
        receipt.operator_id, link_id, first, other, receipt.state.value, receipt.word[:20], receipt.error[:20],
        receipt.source[:20], receipt.destination[:20], receipt.arrived_at,
    )  # fmt: skip
