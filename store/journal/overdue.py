"""The end of an MT by time alone (reliability.md, section 5).

find_overdue   ids of MT whose time is over: a look without locks, on any connection
end_overdue    of these, those that are still so: queued → expired; submitting or submitted → unknown; a premium one
               that is unknown for too long is given up

A queued MT is over with its validity: it was never sent, or was put back. What is on its way is over a day later; it is
never sent again, and a receipt may still move it.

Rule: nothing is ended by the look; the write asks again, under the lock of the row. A row that another transaction
holds is moving: it is left for the next look.
"""

from collections.abc import Sequence
from itertools import product

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import Instant
from core.message import MtKind, MtState, TrafficClass, may_move
from store.bulk import bulk_insert
from store.journal.facts import Moved, OverdueFact
from store.journal.rows import MOVE_COLUMNS
from store.schema import Mt, MtMove

UNSENT = "its validity was over before it could be sent"
UNACCEPTED = "its validity was over before an operator accepted it"
NO_ANSWER = "no answer to its submission, and no receipt within 24 h after its validity"
NO_RECEIPT = "no receipt within 24 h after its validity"
GIVEN_UP = "nothing was heard of it in time: nobody pays for it"


_MAY_BE_OVERDUE = (MtState.SUBMITTED, MtState.SUBMITTING, MtState.QUEUED, MtState.UNKNOWN)


def find_overdue(connection: Connection, now: Instant, limit: int) -> list[int]:
    """Up to `limit` ids of MT that should have an end by now, those that are due longest first."""
    found: list[int] = []
    for state, traffic in product(_MAY_BE_OVERDUE, TrafficClass):
        query = sa.select(Mt.id).where(Mt.state == int(state), Mt.traffic == int(traffic), Mt.due_at <= now)
        if state is MtState.QUEUED:
            query = query.where(Mt.valid_until.between(1, now))
        found += connection.execute(query.order_by(Mt.due_at).limit(limit - len(found))).scalars()
        if len(found) == limit:
            break
    return found


def end_overdue(connection: Connection, facts: Sequence[OverdueFact]) -> list[Moved]:
    """Give those that are still overdue their end, with a line in their history; count them in the facts.

    Returns what money may ask for.
    """
    told: list[Moved] = []
    for fact in facts:
        fact.expired = fact.unknown = 0
        ends: dict[tuple[MtState, str], list[int]] = {}
        moves = []
        for mt_id, state, attempt, maybe_twice, kind, operator_id in _held(connection, fact):
            old = MtState(state)
            new, why = _end(old, was_tried=bool(attempt or maybe_twice))
            gave_up = new is old
            told.append(Moved(mt_id, old, new, fact.at, MtKind(kind), operator_id, gave_up))
            if gave_up:
                moves.append((mt_id, fact.at, int(old), int(new), why))
                connection.execute(sa.update(Mt).where(Mt.id == mt_id).values(due_at=None))
                continue
            assert may_move(old, new), (old, new)
            ends.setdefault((new, why), []).append(mt_id)
            moves.append((mt_id, fact.at, int(old), int(new), why))
        for (new, why), ids in ends.items():
            values = {"state": int(new), "error": why, "final_at": fact.at, "due_at": None}
            connection.execute(sa.update(Mt).where(Mt.id.in_(ids)).values(**values))
            if new is MtState.EXPIRED:
                fact.expired += len(ids)
            else:
                fact.unknown += len(ids)
        bulk_insert(connection, MtMove, MOVE_COLUMNS, moves)
    return told


def _held(connection: Connection, fact: OverdueFact) -> Sequence[sa.Row[int, int, int, bool, int, int]]:
    """Those that are overdue indeed, locked."""
    # With an end it is never due; on its way it is due a day after its validity.
    return connection.execute(
        sa.select(Mt.id, Mt.state, Mt.attempt, Mt.maybe_twice, Mt.kind, Mt.operator_id)
        .where(Mt.id.in_(fact.mt_ids), Mt.due_at <= fact.at, Mt.valid_until.between(1, fact.at))
        .order_by(Mt.id)
        .with_for_update(skip_locked=True)
    ).all()


def _end(old: MtState, *, was_tried: bool) -> tuple[MtState, str]:
    """What becomes of it, and why."""
    if old is MtState.UNKNOWN:
        return MtState.UNKNOWN, GIVEN_UP
    if old is MtState.QUEUED:
        return MtState.EXPIRED, UNACCEPTED if was_tried else UNSENT
    return MtState.UNKNOWN, NO_RECEIPT if old is MtState.SUBMITTED else NO_ANSWER
