"""Taking MT back: for which it may be ordered, and what holds from the order on (store/mt_orders.py).

give   write it down, for MT that have no end yet; what is said of each

A queued MT is held back by the word itself: from then on it is due to nobody, also while no process runs.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import Instant
from core.message import MtState
from core.question import CANCEL
from store.database import Database
from store.mt_orders import Given, a_word, give_word
from store.schema import Mt


def give(database: Database, mt_ids: Sequence[int], *, author: str, note: str, now: Instant) -> list[Given]:
    """In the order of the ids. Raises UserMistake for a name or a reason that is none, and for an id that is none."""
    return give_word(database, mt_ids, a_word(CANCEL, author=author, note=note, now=now), _begin)


def _begin(connection: Connection, mt: Any) -> str:
    state = MtState(mt.state)
    if state.is_final and state is not MtState.UNKNOWN:
        return f"it has its end: {state.public}; nothing was done"
    if state is MtState.QUEUED:
        connection.execute(sa.update(Mt).where(Mt.id == mt.id).values(due_at=None))
    return ""
