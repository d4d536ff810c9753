"""The way through a menu: a turn, or an action's outcome, and a session → the session after it, and what is to be done.

meant     a turn as it is meant: the beginning of a session, where the gateway leaves that to us
step      one turn
outcome   what came of an action
stray     the screen for what no session and no menu is there for
Stepped   the session as it is to be stored, before any effect is carried out; and the effects

A turn that wants a reply gets one: now (Show), when its action is done (Call), or after the turn before it (Wait).

Rule: nothing here fails, whatever comes: what cannot go on ends with a sentence. The same turn again never steps twice.

Source: the fact sheet's sections 3 and 7 to 10.
"""

from dataclasses import replace
from typing import TypeAlias

from core.clock import Instant
from core.ussd.actions import CALL, Outcome
from core.ussd.dial import Codes
from core.ussd.menu import RESUME, Menu, Target
from core.ussd.repeats import fresh_input, is_repeat
from core.ussd.screens import last_text
from core.ussd.session import USUAL, Close, Effects, Saved, Session, Show, State, Wait, Ways
from core.ussd.turn import Turn, TurnKind
from core.ussd.walk import Walk
from core.ussd.words import say_now

Stepped: TypeAlias = tuple[Session | None, Effects]


def meant(turn: Turn, codes: Codes, *, is_known: bool) -> Turn:
    """The turn with its code and what was dialled behind it. An answer to no session is a beginning where it dials a
    code: some gateways do not say (flares, advanta). A beginning that dials none of ours has no code.
    """
    if turn.kind is TurnKind.BEGIN or (turn.kind is TurnKind.ANSWER and not is_known and turn.dialled):
        dialled = codes.find(turn.dialled)
        if dialled is not None:
            return turn.as_begin(dialled.code, dialled.prefilled)
    return turn


def stray(turn: Turn, ways: Ways, language: str = "en") -> Effects:
    """For a turn without a session and a menu: a code of nobody, an answer after a restart."""
    if not turn.wants_reply:
        return ()
    return (Show(say_now("later" if turn.kind is TurnKind.BEGIN else "expired", ways.room, language)),)


def step(
    session: Session | None,
    menu: Menu,
    turn: Turn,
    now: Instant,
    *,
    ways: Ways = USUAL,
    before: Session | None = None,
    language: str = "",
) -> Stepped:
    """One turn. `session` is the one under the turn's key; `before`, asked for at a beginning only, is the latest of
    the same number and code; `language` is the subscriber's own, if known.
    """
    if session is not None and not session.is_of(turn):
        session = None
    if turn.kind is TurnKind.SHOWN:
        return session, ()
    if turn.kind in {TurnKind.ABORT, TurnKind.REFUSED}:
        return (session.broken() if session else None), ()
    if session is not None and is_repeat(session, turn, ways.times):
        return session, _again(session, menu, now, ways)
    if turn.kind is TurnKind.BEGIN:
        return _begin((session, before), menu, turn, Walk(menu, ways, now), language)
    if session is None:
        return None, (_last(menu, "expired", ways, language),)
    return _answered(session, turn, Walk(menu, ways, now))


def outcome(
    session: Session, menu: Menu, came: Outcome, now: Instant, *, visit: int, ways: Ways = USUAL
) -> tuple[Session, Effects]:
    """What came of the call of this visit. One that comes too late, or to a session that was left, changes nothing."""
    if session.state is not State.WORKING or visit != session.visit:
        return session, ()
    walk = Walk(menu, ways, now)
    if session.version != menu.version:
        return walk.end(session, "later")
    screen = menu.screens[session.screen]
    if screen.items is not None and not session.items:
        return walk.listed(session, screen.items, came)
    do = screen.do
    assert do is not None, session
    if came.text and do.action == CALL:
        return walk.said(session, came)
    return walk.enter(walk.with_values(session, came.values, do.values), do.leads_to(came.name))


def _again(session: Session, menu: Menu, now: Instant, ways: Ways) -> Effects:
    """The reply once more. A call that never came back, after a restart, is not waited for."""
    if session.state is State.WORKING and now < session.until:
        return (Wait(session.until),)
    return (Show(session.reply) if session.reply else _last(menu, "expired", ways, session.language),)


def _last(menu: Menu, name: str, ways: Ways, language: str) -> Show:
    """A last screen of ours, for what has no session."""
    return Show(last_text(menu.texts_of(language)[name][-1], ways.room, name))


# --- a beginning ------------------------------------------------------------------------------------------------------


def _begin(older: tuple[Session | None, ...], menu: Menu, turn: Turn, walk: Walk, language: str) -> Stepped:
    language = language if language in menu.languages else menu.languages[0]
    if not turn.msisdn or not turn.code:
        return None, (_last(menu, "later", walk.ways, language),)
    mine = [one for one in older if one is not None and (one.msisdn, one.code) == (turn.msisdn, turn.code)]
    before = max(mine, key=lambda one: one.touched_at, default=None)
    saved = _left_behind(before, menu, turn, walk.now)
    session = Session(
        turn.key, turn.link, turn.msisdn, turn.code, menu.name, menu.version, menu.start,
        saved.language if saved else language, walk.now, walk.now,
        dialled=turn.dialled, prefilled=turn.prefilled, raw=turn.input if turn.grows else None,
        sequence=turn.sequence, saved=saved,
    )  # fmt: skip
    if saved is not None:
        session, effects = walk.show(replace(session, screen=RESUME))
    else:
        session, effects = walk.enter(session, Target(menu.start))
    # The row of the turn's own key is overwritten; any other of this number and code is over.
    closes = [Close(one.key) for one in mine if one.state.is_live and one.key != turn.key]
    return session, (*closes, *effects)


def _left_behind(before: Session | None, menu: Menu, turn: Turn, now: Instant) -> Saved | None:
    """What there is to go on with: not what ended or had hardly begun, nor what would be done again unasked."""
    if before is None or before.state is State.ENDED or before.version != menu.version or turn.prefilled:
        return None
    saved = before.saved
    if before.screen != RESUME:
        if not menu.screens[before.screen].asks or not (before.answers or before.trail):
            return None
        saved = Saved(before.screen, before.answers, before.trail, before.language, before.touched_at)
    return saved if saved is not None and now - saved.at <= menu.keep_ms else None


# --- an answer --------------------------------------------------------------------------------------------------------


def _answered(session: Session, turn: Turn, walk: Walk) -> Stepped:
    now, menu = walk.now, walk.menu
    if session.state is State.WORKING and now < session.until:
        return session, (Wait(session.until),)
    is_over = session.state is not State.ASKING or now - session.touched_at > walk.ways.times.session_ms
    if is_over or session.version != menu.version:
        return session.broken(), (_last(menu, "expired", walk.ways, session.language),)
    typed = fresh_input(session, turn)
    session = replace(
        session, raw=turn.input, sequence=turn.sequence, touched_at=now, turns=session.turns + 1, reply=None
    )
    if session.turns > menu.turns:
        return walk.end(session, "turns")
    if session.screen == RESUME:
        return walk.resumed(session, typed)
    if session.said:
        return walk.call(session, menu.screens[session.screen].do, typed)
    return walk.typed(session, typed)
