"""What a message centre said when it was asked for an MT, and what is no end: a line in the MT's history.

write_asked   on its way, not known, no answer; the last of them ends the asking

What is an end is a receipt (receipts.py).

Rule: nothing here moves an MT. What a centre does not know any more may have arrived, and its receipt may still come.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import Connection

from core.message import MtState
from store.bulk import bulk_insert
from store.journal.facts import AskedFact
from store.journal.receipts import ASKED
from store.journal.rows import MOVE_COLUMNS, move_row
from store.schema import Mt, MtMove, Question


def write_asked(connection: Connection, facts: Sequence[AskedFact]) -> None:
    """One line for each; no more questions where it was the last."""
    ids = [fact.mt_id for fact in facts]
    states = {
        id_: MtState(state) for id_, state in connection.execute(sa.select(Mt.id, Mt.state).where(Mt.id.in_(ids)))
    }
    moves = [
        move_row(fact.mt_id, fact.at, state, state, f"{ASKED}: {fact.sentence}")
        for fact in facts
        if (state := states.get(fact.mt_id)) is not None
    ]
    if moves:
        bulk_insert(connection, MtMove, MOVE_COLUMNS, moves)
    last = [fact.mt_id for fact in facts if fact.is_last]
    if last:
        connection.execute(sa.update(Question).where(Question.mt_id.in_(last)).values(due_at=None))
