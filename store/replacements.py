"""Another text for an MT that an operator has and has not delivered: for which it may be ordered (store/mt_orders.py).

give   write it down, for an MT of one SMS with its operator; what is said of it

The new text is one SMS in the alphabet that the message was submitted in (core/replacement.py), so nothing of its price
changes.

Rule: one at a time for each message: of two under way nobody could say which text the operator heard last.
"""

from functools import partial
from typing import Any

from sqlalchemy import Connection

from core.clock import Instant
from core.errors import UserMistake
from core.message import MtState
from core.question import CANCEL, REPLACE
from core.replacement import INSTEAD, text_fault, why_not
from store.database import Database
from store.mt_orders import Given, a_word, give_word, read_under_way, text_sent


def give(database: Database, mt_id: int, text: str, *, author: str, note: str, now: Instant) -> Given:
    """Raises UserMistake for a name, a reason or a text that is none, and for an id that is none."""
    word = a_word(REPLACE, author=author, note=note, now=now, text=text)
    if fault := text_fault(text):
        raise UserMistake(f"--text: {fault}")
    (given,) = give_word(database, [mt_id], word, partial(_begin, text))
    return given


def _begin(text: str, connection: Connection, mt: Any) -> str:
    state = MtState(mt.state)
    if state.is_final:
        return f"it has its end: {state.public}; nothing was done"
    if state is not MtState.SUBMITTED:
        return f"it waits to be sent: {INSTEAD}"
    if mt.parts > 1:
        return f"it has {mt.parts} parts, and an operator changes single SMS: {INSTEAD}"
    if not mt.key:
        return "the operator gave it no id, so it cannot be asked to change it; nothing was done"
    sent = text_sent(connection, mt.id)
    return why_not(mt.text if sent is None else sent, text) or _under_way(connection, mt.id)


def _under_way(connection: Connection, mt_id: int) -> str:
    for order in read_under_way(connection, mt_id):
        if order.kind == CANCEL:
            return f"it is being taken back, by {order.author}; nothing was done"
        if order.kind == REPLACE:
            return (
                f"it is being changed already, by {order.author}; order it again when that is over: "
                f"tollbridge message {mt_id}"
            )
    return ""
