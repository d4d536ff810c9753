"""A person's word on an MT: what came of it, written down (store/mt_orders.py, traffic/orders.py).

write_ordered   judges each fact by its kind, and writes the order, the MT, its history
JUDGES          by the kind of the order

Who wanted it, and why, stands in `mt_order` alone: partners read the history and the error of their messages.

Rule: the word of a person is ended in the transaction that ends or changes the MT, under the lock of its row.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.message import MtKind, MtState, may_move
from core.question import CANCEL, REPLACE
from store.bulk import bulk_insert
from store.journal import cancelled, replaced
from store.journal.became import DONE, Became, Case
from store.journal.facts import Moved, OrderFact, OrderHow
from store.journal.rows import ERROR_MAX, MOVE_COLUMNS, move_row
from store.schema import Mt, MtMove, MtOrder

RESULT_MAX = 300
JUDGES: dict[str, Callable[[Case], Became]] = {CANCEL: cancelled.judge, REPLACE: replaced.judge}


@dataclass(slots=True)
class _Written:
    """What a batch of facts writes."""

    states: dict[int, MtState]
    told: list[Moved] = field(default_factory=list)
    moves: list[tuple[object, ...]] = field(default_factory=list)


def write_ordered(connection: Connection, facts: Sequence[OrderFact], process_id: int) -> list[Moved]:
    """Returns the moves that money may ask for, in order."""
    # Who writes an order has its MT locked: what is read behind the lock is the last word.
    mts = _locked(connection, [fact.mt_id for fact in facts])
    orders = _orders(connection, [fact.order_id for fact in facts])
    written = _Written({mt_id: MtState(row.state) for mt_id, row in mts.items()})
    for fact in facts:
        order, mt = orders.get(fact.order_id), mts.get(fact.mt_id)
        if order is None or mt is None or _is_old_news(order, fact):
            continue
        old = written.states[mt.id]
        is_ours = old is not MtState.SUBMITTING or mt.process_id == process_id
        # Who had it before may have asked, and died with the answer.
        in_doubt = bool(order.in_doubt) or order.process_id not in (0, process_id)
        became = JUDGES[order.kind](Case(connection, fact, order.text, in_doubt, mt, old, is_ours))
        if became.text is not None:
            connection.execute(sa.update(Mt).where(Mt.id == mt.id).values(text=became.text))
        if became.new is not None:
            _end(connection, fact, mt, became, written)
        elif became.line:
            written.moves.append(move_row(mt.id, fact.at, old, old, became.line))
        _write_order(connection, fact, became)
    if written.moves:
        bulk_insert(connection, MtMove, MOVE_COLUMNS, written.moves)
    return written.told


def _is_old_news(order: Any, fact: OrderFact) -> bool:
    """It is over. A yes is believed all the same, where another process heard a no of what was done already."""
    return bool(order.outcome) and (order.outcome == DONE or not any(is_done for _, is_done in fact.parts))


def _orders(connection: Connection, ids: Sequence[int]) -> Mapping[int, Any]:
    columns = (MtOrder.id, MtOrder.kind, MtOrder.text, MtOrder.in_doubt, MtOrder.process_id, MtOrder.outcome)
    rows = connection.execute(sa.select(*columns).where(MtOrder.id.in_(ids)))
    return {row.id: row for row in rows}


def _locked(connection: Connection, ids: Sequence[int]) -> Mapping[int, Any]:
    columns = (
        *(Mt.id, Mt.state, Mt.kind, Mt.operator_id, Mt.process_id, Mt.error, Mt.attempt, Mt.maybe_twice, Mt.final_at),
    )
    query = sa.select(*columns).where(Mt.id.in_(ids)).order_by(Mt.id).with_for_update()
    return {row.id: row for row in connection.execute(query)}


def _end(connection: Connection, fact: OrderFact, mt: Any, became: Became, written: _Written) -> None:
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


def _write_order(connection: Connection, fact: OrderFact, became: Became) -> None:
    fact.outcome, fact.result = became.outcome, became.result[:RESULT_MAX]
    values: dict[str, Any] = {"outcome": fact.outcome, "result": fact.result, "due_at": fact.again_at or fact.at}
    values["process_id"] = 0
    if fact.how is OrderHow.ASKED:
        values["asked"] = MtOrder.asked + 1
    if fact.in_doubt:
        values["in_doubt"] = True
    if fact.outcome:
        values |= {"due_at": None, "done_at": fact.at}
    connection.execute(sa.update(MtOrder).where(MtOrder.id == fact.order_id).values(**values))
