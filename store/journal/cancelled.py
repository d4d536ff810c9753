"""MT that a person takes back: what came of it, written down (store/cancellations.py, traffic/cancelling.py).

write_cancelled   those that were never sent, or that their centre took back, are cancelled; the rest keep their state

What a centre took back of a long message counts as a part that failed. The message is cancelled when nothing of it is
left with the centre and nothing of it was delivered; when some of it was, it has failed.

A receipt may come after that. One that says «deleted», or any other failure, changes nothing. One that says «delivered»
is believed, since the centre says what happened: the message is delivered, a premium one is charged as late, and what
the operator takes is booked. What a partner had got back for its own SMS stays with it: it was told that the message is
cancelled, and may have spent the money.

Who wanted it, and why, stands in `cancellation` alone: partners read the history and the error of their messages.

Rule: the word of a person is ended in the transaction that ends the MT, under the lock of its row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.message import WITH_CENTRE, MtKind, MtState, may_move
from store.bulk import bulk_insert
from store.journal.facts import CancelFact, CancelHow, Moved
from store.journal.rows import ERROR_MAX, MOVE_COLUMNS, move_row
from store.schema import Cancellation, Mt, MtMove, MtPart

DONE, FAILED = "done", "failed"
RESULT_MAX = 300
UNSENT = "taken back before it was sent"
UNACCEPTED = "taken back before an operator accepted it"
MAY_ARRIVE = "taken back; an earlier submission got no answer and may have arrived"
AT_CENTRE = "the operator took it back"
SOME = "a part of it was delivered, the operator took the rest back"
NO_ID_OF_REST = "the rest has no id at the operator"
PART = "cancelled"
"""The error of a part that was taken back."""


@dataclass(slots=True)
class _Became:
    """What a fact makes of an MT and of the word of a person. `outcome` "": it stays open."""

    outcome: str = ""
    result: str = ""
    new: MtState | None = None
    """What the MT becomes; None: it stays as it is."""
    line: str = ""
    """In its history then."""


@dataclass(slots=True)
class _Written:
    """What a batch of facts writes."""

    states: dict[int, MtState]
    told: list[Moved] = field(default_factory=list)
    moves: list[tuple[object, ...]] = field(default_factory=list)


def write_cancelled(connection: Connection, facts: Sequence[CancelFact], process_id: int) -> list[Moved]:
    """Returns the moves that money may ask for, in order."""
    orders = _open_orders(connection, [fact.order_id for fact in facts])
    mts = _locked(connection, [fact.mt_id for fact in facts])
    written = _Written({mt_id: MtState(row.state) for mt_id, row in mts.items()})
    for fact in facts:
        mt = mts.get(fact.mt_id)
        if fact.order_id not in orders or mt is None:
            continue  # Written already.
        old = written.states[mt.id]
        is_ours = old is not MtState.SUBMITTING or mt.process_id == process_id
        became = _judge(connection, fact, old, mt, is_ours=is_ours)
        if became.new is not None:
            _end(connection, fact, mt, became, written)
        elif became.line:
            written.moves.append(move_row(mt.id, fact.at, old, old, became.line))
        _write_order(connection, fact, became)
    if written.moves:
        bulk_insert(connection, MtMove, MOVE_COLUMNS, written.moves)
    return written.told


def _open_orders(connection: Connection, ids: Sequence[int]) -> set[int]:
    wanted = sa.select(Cancellation.id).where(Cancellation.id.in_(ids), Cancellation.outcome == "")
    return set(connection.execute(wanted).scalars())


def _locked(connection: Connection, ids: Sequence[int]) -> Mapping[int, Any]:
    columns = (
        *(Mt.id, Mt.state, Mt.kind, Mt.operator_id, Mt.process_id, Mt.error, Mt.attempt, Mt.maybe_twice, Mt.final_at),
    )
    query = sa.select(*columns).where(Mt.id.in_(ids)).order_by(Mt.id).with_for_update()
    return {row.id: row for row in connection.execute(query)}


def _judge(connection: Connection, fact: CancelFact, old: MtState, mt: Any, *, is_ours: bool) -> _Became:
    """What becomes of an MT in this state."""
    if old is MtState.CANCELLED:
        return _Became(DONE, "it is cancelled already")
    if old is MtState.FAILED and fact.parts and all(is_taken for _, is_taken in fact.parts):
        # The receipt that says so was quicker.
        return _judge_asked(connection, fact, old)
    if old.is_final and old is not MtState.UNKNOWN:
        line = _said(f"{fact.sentence or AT_CENTRE}, told after its end") if fact.parts else ""
        return _Became(FAILED, f"it has its end: {old.public}{f' ({mt.error})' if mt.error else ''}", line=line)
    if old in WITH_CENTRE and fact.how is CancelHow.NOT:
        return _Became(FAILED, fact.sentence, line=_said(fact.sentence))
    if old in WITH_CENTRE and fact.how is CancelHow.UNASKED:
        return _Became("", fact.sentence)
    if old in WITH_CENTRE and fact.how is CancelHow.ASKED:
        return _judge_asked(connection, fact, old)
    if old is MtState.QUEUED or (fact.how is CancelHow.HELD and is_ours and old is not MtState.SUBMITTED):
        return _Became(DONE, _unsent(fact, mt), MtState.CANCELLED)
    return _Became()  # Somebody took it meanwhile; it is looked at again.


def _unsent(fact: CancelFact, mt: Any) -> str:
    """Of one that waits, what is known of earlier tries: by its row, or by the process that held it."""
    if mt.maybe_twice or fact.maybe_twice:
        return MAY_ARRIVE
    return UNACCEPTED if mt.attempt else UNSENT


def _judge_asked(connection: Connection, fact: CancelFact, old: MtState) -> _Became:
    """Its centre was asked, part by part."""
    taken = [sequence for sequence, is_taken in fact.parts if is_taken]
    ends = _mark_parts(connection, fact, taken) if any(sequence for sequence, _ in fact.parts) else []
    if ends:
        left = [state for state in ends if state in WITH_CENTRE]
        if not left and MtState.DELIVERED in ends:
            return _Became(FAILED, SOME, None if old is MtState.FAILED else MtState.FAILED)
        is_done = not left
        so_far = f"{len(ends) - len(left)} of {len(ends)} parts have their end; " if len(left) < len(ends) else ""
    else:
        is_done, so_far = bool(taken), ""
    if is_done:
        return _Became(DONE, AT_CENTRE, MtState.CANCELLED)
    sentence = f"{so_far}{fact.sentence or NO_ID_OF_REST}"
    if fact.again_at is not None:
        return _Became("", sentence)
    return _Became(FAILED, sentence, line=_said(sentence))


def _said(sentence: str) -> str:
    return f"cancel: {sentence}"


def _mark_parts(connection: Connection, fact: CancelFact, taken: Sequence[int]) -> list[MtState]:
    """What was taken back has failed; the states of all parts then."""
    if taken:
        these = (MtPart.mt_id == fact.mt_id, MtPart.sequence.in_(taken), MtPart.state.in_(list(map(int, WITH_CENTRE))))
        ended = {"state": int(MtState.FAILED), "error": PART, "final_at": fact.at}
        connection.execute(sa.update(MtPart).where(*these).values(**ended))
    found = connection.execute(sa.select(MtPart.state).where(MtPart.mt_id == fact.mt_id)).scalars()
    return [MtState(state) for state in found]


def _end(connection: Connection, fact: CancelFact, mt: Any, became: _Became, written: _Written) -> None:
    new, old = became.new, written.states[mt.id]
    assert new is not None, fact
    assert may_move(old, new), (old, new)
    values = {"state": int(new), "error": became.result[:ERROR_MAX], "final_at": fact.at, "due_at": None}
    connection.execute(sa.update(Mt).where(Mt.id == mt.id).values(**values))
    written.states[mt.id] = new
    if old is MtState.FAILED:
        _keep_receipt(connection, mt, written)
    written.moves.append(move_row(mt.id, fact.at, old, new, became.result))
    written.told.append(Moved(mt.id, old, new, fact.at, MtKind(mt.kind), mt.operator_id))


def _keep_receipt(connection: Connection, mt: Any, written: _Written) -> None:
    """What ended it before stood in its row alone."""
    known = sa.select(MtMove.id).where(MtMove.mt_id == mt.id, MtMove.new == int(MtState.FAILED))
    if mt.final_at and connection.execute(known.limit(1)).first() is None:
        reason = f"a receipt: {mt.error}"[:ERROR_MAX]
        written.moves.append(move_row(mt.id, mt.final_at, MtState.SUBMITTED, MtState.FAILED, reason))


def _write_order(connection: Connection, fact: CancelFact, became: _Became) -> None:
    fact.outcome, fact.result = became.outcome, became.result[:RESULT_MAX]
    values: dict[str, Any] = {"outcome": fact.outcome, "result": fact.result, "due_at": fact.again_at or fact.at}
    values["process_id"] = 0
    if fact.how is CancelHow.ASKED:
        values["asked"] = Cancellation.asked + 1
    if fact.outcome:
        values |= {"due_at": None, "done_at": fact.at}
    connection.execute(sa.update(Cancellation).where(Cancellation.id == fact.order_id).values(**values))
