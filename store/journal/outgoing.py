"""Writing what goes out: calls to partners, MT and their moves, receipts (reliability.md, sections 4 and 5).

write_callbacks   a call's result with its reply: the job's row holds the last attempt
write_new_mts     replies through the API
write_moves       submitted, put back, failed: the MT's whole row again

Rule: one MO has at most one reply: `mt.reply_to` is unique, and we look before we insert.
"""

from collections.abc import Callable, Collection, Sequence

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import Instant
from core.message import Mt, MtKind, MtState, TrafficClass, may_move
from store import schema
from store.bulk import bulk_insert, bulk_update, insert_ignore
from store.journal.facts import CallbackFact, CallbackState, Moved, MtFact, NewMtFact
from store.journal.rows import (
    ASKED_ID_COLUMNS,
    AT_ONCE,
    ATTEMPT_COLUMNS,
    MOVE_COLUMNS,
    MOVED_COLUMNS,
    MT_COLUMNS,
    MT_PART_COLUMNS,
    PAID_COLUMNS,
    TRIED_COLUMNS,
    asked_id_of,
    attempt_row,
    move_row,
    moved_row,
    mt_part_rows,
    mt_row,
    paid_row,
    tried_row,
)
from store.journal.waiting import apply_early
from store.text import places, read_text

_IN_LIST = 500
"""Rows asked for in one statement."""
_NO_ANSWER = (CallbackState.WAITING, CallbackState.DEAD)
_IDEMPOTENCY = ("partner_id", "key", "digest", "status", "body", "at")


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
    ended = _ended(connection, facts)
    rows = {
        fact.callback.mo_id: tried_row(fact, process_id)
        for fact in facts
        if not (fact.state in _NO_ANSWER and fact.callback.mo_id in ended)
    }
    bulk_update(connection, schema.Callback, TRIED_COLUMNS, list(rows.values()))
    again = [attempt_row(fact) for fact in facts if fact.state is CallbackState.WAITING]
    if again:
        bulk_insert(connection, schema.CallbackAttempt, ATTEMPT_COLUMNS, again)


def _ended(connection: Connection, facts: Sequence[CallbackFact]) -> set[int]:
    """Jobs that have their answer already, by another call of the same: one that failed must not open them again."""
    failed = [fact.callback.mo_id for fact in facts if fact.state in _NO_ANSWER]
    if not failed:
        return set()
    job = schema.Callback
    answered = job.state.not_in([int(state) for state in _NO_ANSWER])
    found = connection.execute(sa.select(job.mo_id).where(job.mo_id.in_(failed), answered).with_for_update())
    return set(found.scalars()) | {fact.callback.mo_id for fact in facts if fact.state not in _NO_ANSWER}


def replies_of(connection: Connection, mo_ids: Sequence[int]) -> dict[int, int]:
    """MO's id → id of the reply that it has already. Hot: an expression of SQLAlchemy's costs five times as much."""
    found: dict[int, int] = {}
    for start in range(0, len(mo_ids), _IN_LIST):
        some = tuple(mo_ids[start : start + _IN_LIST])
        rows = read_text(connection, f"SELECT reply_to, id FROM mt WHERE reply_to IN ({places(some)})", some)
        found.update({reply_to: id_ for reply_to, id_ in rows})
    return found


def _is_plain(mt: Mt) -> bool:
    """Its row needs no more than MT_COLUMNS."""
    return mt.kind is MtKind.FREE and mt.traffic is TrafficClass.REPLY


def insert_mts(connection: Connection, mts: Sequence[Mt], process_id: int) -> None:
    """New messages."""
    if mts:
        bulk_insert(connection, schema.Mt, MT_COLUMNS, [mt_row(mt, process_id) for mt in mts])


def write_new_mts(
    connection: Connection,
    facts: Sequence[NewMtFact],
    process_id: int,
    begin: Callable[[Sequence[NewMtFact]], None] = lambda facts: None,
) -> None:
    """Replies through the API; the first one stays. `begin` prices those that somebody pays, and may refuse them."""
    taken = replies_of(connection, [fact.mt.reply_to for fact in facts if fact.mt.reply_to])
    fresh: list[NewMtFact] = []
    for fact in facts:
        fact.existing = taken.get(fact.mt.reply_to, 0) if fact.mt.reply_to else 0
        if not fact.existing:
            fresh.append(fact)
            if fact.mt.reply_to:
                taken[fact.mt.reply_to] = fact.mt.id
    begin(fresh)
    sent = [fact.mt for fact in fresh if not fact.refused]
    insert_mts(connection, [mt for mt in sent if _is_plain(mt)], process_id)
    paid = [(*mt_row(mt, process_id), *paid_row(mt)) for mt in sent if not _is_plain(mt)]
    if paid:
        bulk_insert(connection, schema.Mt, (*MT_COLUMNS, *PAID_COLUMNS), paid)
    remembered = []
    for fact in fresh:
        if fact.idempotency is not None and not fact.refused:
            answer = fact.idempotency.answer(fact.mt.id, fact.mt.parts)
            place = (fact.mt.partner_id, fact.idempotency.key)
            remembered.append((*place, answer.digest, answer.status, answer.body, fact.mt.created_at))
    insert_ignore(connection, schema.Idempotency, _IDEMPOTENCY, remembered)


def write_moves(connection: Connection, facts: Sequence[MtFact], process_id: int) -> list[Moved]:
    """Moves of MT that this process holds. What was submitted may already have a receipt that waits for it.

    Given back are the moves that money may ask for, in their order.
    """
    told: list[Moved] = []
    rows = {}
    parts = []
    moves = []
    asked_ids = {}
    over = _over(connection, facts)
    for fact in facts:
        mt, new = fact.mt, fact.new
        old = fact.old = mt.state if fact.old is None else fact.old
        assert new is old or may_move(old, new), (old, new)
        if mt.id in over:
            mt.state = fact.became = over[mt.id]
            moves.append(move_row(mt.id, fact.at, over[mt.id], over[mt.id], f"{new.name.lower()}, told after its end"))
            continue
        if new is not MtState.SUBMITTED:
            moves.append(move_row(mt.id, fact.at, old, new, fact.error))
        mt.state = fact.became = new
        rows[mt.id] = moved_row(fact, process_id)
        if mt.keys and (asked_id := asked_id_of(mt.keys[0])):
            asked_ids[mt.id] = mt.id, asked_id
        # A submission concerns nobody's money but that of a premium MT: spared on the way of every reply.
        if new.is_final or (new is MtState.SUBMITTED and mt.kind is MtKind.PREMIUM):
            told.append(Moved(mt.id, old, new, fact.at, mt.kind, mt.operator_id))
        parts += mt_part_rows(fact)
    bulk_update(connection, schema.Mt, MOVED_COLUMNS, list(rows.values()))
    bulk_update(connection, schema.Mt, ASKED_ID_COLUMNS, list(asked_ids.values()))
    if parts:
        # A second submission has parts of its own.
        long = {mt_id for mt_id, *_ in parts}
        connection.execute(sa.delete(schema.MtPart).where(schema.MtPart.mt_id.in_(long)))
        bulk_insert(connection, schema.MtPart, MT_PART_COLUMNS, parts)
    if moves:
        bulk_insert(connection, schema.MtMove, MOVE_COLUMNS, moves)
    return told + apply_early(connection, facts)


def _over(connection: Connection, facts: Sequence[MtFact]) -> dict[int, MtState]:
    """MT that somebody pays and that have their end already, by their ids; locked. Time may have ended one that its
    process still held: its money was settled then, and nothing that is told later may open it again.
    """
    paid = [fact.mt.id for fact in facts if fact.mt.kind is not MtKind.FREE]
    if not paid:
        return {}
    mt = schema.Mt
    final = [int(state) for state in MtState if state.is_final]
    query = sa.select(mt.id, mt.state).where(mt.id.in_(paid), mt.state.in_(final)).order_by(mt.id).with_for_update()
    return {id_: MtState(state) for id_, state in connection.execute(query)}


def let_go(connection: Connection, ids: Collection[int], now: Instant, process_id: int) -> None:
    """The work of these messages is in nobody's memory: calls, replies and MT of these ids are due now.

    What another process has taken meanwhile is in its memory.
    """
    job, mt = schema.Callback, schema.Mt
    ours = job.leased_by == process_id
    connection.execute(sa.update(job).where(job.mo_id.in_(ids), job.due_at > now, ours).values(due_at=AT_ONCE))
    connection.execute(
        sa.update(mt)
        .where(sa.or_(mt.id.in_(ids), mt.reply_to.in_(ids)), mt.state == int(MtState.SUBMITTING))
        .where(mt.process_id == process_id)
        .values(state=int(MtState.QUEUED), due_at=AT_ONCE)
    )
