"""The same turn again, and what is new in one that holds all inputs (ussd.md, section 7).

is_repeat     the gateway asks again: the same reply, no step
fresh_input   what the user typed now

A gateway that counts its turns, or sends all inputs so far, can be told from a user who types the same twice. One that
does neither cannot: there the same input is a repeat while its answer is not there yet, within a second of it, and for
half a minute after the last screen. A screen that pays is protected by its purchase, not by this.

Rule: an input is never split at its stars: a user may type one (pitfall 2).
"""

from core.ussd.session import Session, State, Times
from core.ussd.turn import Turn, TurnKind


def is_repeat(session: Session, turn: Turn, times: Times) -> bool:
    """The turn was here before. Judged by when it came, not by when there is time for it."""
    if turn.kind is TurnKind.REPEAT:
        return True
    if turn.grows:
        # A late one of an earlier turn is a repeat too: what it says is the beginning of what is known.
        return session.raw is not None and _begins_with(session.raw, turn.input)
    if session.state is State.BROKEN:
        return False
    age = turn.at - max(session.touched_at, session.shown_at)
    if turn.kind is TurnKind.BEGIN:
        return session.turns == 0 and session.dialled == turn.dialled and age <= times.repeat_ms
    if session.raw is None or turn.input != session.raw:
        return False
    if turn.sequence or session.sequence:
        return turn.sequence == session.sequence and age <= times.repeat_ms
    if session.state is State.ASKING:
        return age <= times.blind_repeat_ms
    return age <= times.repeat_ms


def fresh_input(session: Session, turn: Turn) -> str:
    """The new input alone."""
    if not turn.grows or not session.raw:
        return turn.input
    return turn.input[len(session.raw) + 1 :] if _begins_with(turn.input, session.raw) else turn.input


def _begins_with(whole: str, beginning: str) -> bool:
    return whole == beginning or not beginning or whole.startswith(f"{beginning}*")
