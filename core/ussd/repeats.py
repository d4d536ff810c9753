"""The same turn again, and what is new in one that holds all inputs (ussd.md, section 7).

goes_on       an input is one of the session under its key, and dials nothing
is_repeat     the gateway asks again: the same reply, no step
fresh_input   what the user typed now

A gateway that counts its turns, or sends all inputs so far, can be told from a user who types the same twice. One that
does neither cannot: there the same input is a repeat while its answer is not there yet, within a second of it, and for
half a minute after the last screen. A screen that pays is protected by its purchase, not by this.

Gateways give their ids again, to another phone or to the same one (pitfall 3), and a row lives for a day: so who is
asked about a session asks first whose it is, and how old. An honest repeat comes soon.

Rule: an input is never split at its stars: a user may type one (pitfall 2).
"""

from core.ussd.session import Session, State, Times
from core.ussd.turn import Turn, TurnKind


def goes_on(session: Session, turn: Turn, times: Times) -> bool:
    """It answers this session, where its gateway does not say what begins one; if not, it may dial a code."""
    if not session.is_of(turn):
        return False
    if turn.grows and session.raw and turn.input.startswith(f"{session.raw}*"):
        # However late: what was typed before stands in front, and nobody has dialled that.
        return True
    if not turn.grows and _dials_again(session, turn, times):
        return False
    return session.state.is_live and turn.at - session.touched_at <= times.session_ms


def is_repeat(session: Session, turn: Turn, times: Times) -> bool:
    """The turn was here before. Judged by when it came, not by when there is time for it."""
    if turn.kind is TurnKind.REPEAT:
        return True
    if turn.grows and turn.input:
        # A late one of an earlier turn is a repeat too: what it says is the beginning of what is known.
        is_known = session.raw is not None and _begins_with(session.raw, turn.input)
        return is_known and _age_ms(session, turn) <= times.session_ms
    if session.state is State.BROKEN:
        return False
    if turn.kind is TurnKind.BEGIN or turn.grows:
        return _is_begun_by(session, turn, times)
    if session.raw is None or turn.input != session.raw:
        return False
    age = _age_ms(session, turn)
    if turn.sequence or session.sequence:
        return turn.sequence == session.sequence and age <= times.repeat_ms
    if session.state is State.ASKING:
        return age <= times.blind_repeat_ms
    return age <= times.repeat_ms


def _is_begun_by(session: Session, turn: Turn, times: Times) -> bool:
    """The same was dialled a moment ago, and nothing was answered since."""
    return (
        session.turns == 0
        and session.dialled == turn.dialled
        and not session.raw
        and _age_ms(session, turn) <= times.repeat_ms
    )


def _dials_again(session: Session, turn: Turn, times: Times) -> bool:
    """The very string that began it. With a star in it nobody answers so; without one, an amount may look like a code:
    then it is one at once only, or before there was anything to answer.
    """
    if turn.dialled != session.dialled:
        return False
    if "*" in turn.dialled.strip("*#"):
        return True
    is_early = session.state is State.WORKING or _age_ms(session, turn) <= times.blind_repeat_ms
    return is_early and _is_begun_by(session, turn, times)


def _age_ms(session: Session, turn: Turn) -> int:
    return turn.at - max(session.touched_at, session.shown_at)


def fresh_input(session: Session, turn: Turn) -> str:
    """The new input alone."""
    if not turn.grows or not session.raw:
        return turn.input
    return turn.input[len(session.raw) + 1 :] if _begins_with(turn.input, session.raw) else turn.input


def _begins_with(whole: str, beginning: str) -> bool:
    return whole == beginning or whole.startswith(f"{beginning}*")
