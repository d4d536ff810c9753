"""One step of a USSD session on its rows: what is read, what core.ussd decides, what is written. No I/O of its own.

turned    a turn of a gateway
came      the outcome of a call
Rows      what it needs of store.ussd_sessions
Stepped   the effects, and the session after it

It runs on the writer's thread, inside the transaction that writes what it leaves, and may be made twice.
"""

from dataclasses import dataclass, replace
from typing import Protocol

from core.clock import Instant
from core.ussd.actions import Call, Outcome
from core.ussd.repeats import goes_on
from core.ussd.session import Close, Effects, Session, Show, Ways
from core.ussd.steps import meant, outcome, step, stray
from core.ussd.turn import Turn, TurnKind
from core.ussd.words import say_now
from traffic.ussd_menus import Menus, Served

MSISDN_MAX = 20
"""What a row holds; more digits are no subscriber's."""


class Rows(Protocol):
    """store.ussd_sessions.Rows, as we use it."""

    def of(self, key: str) -> Session | None: ...

    def latest(self, msisdn: str, code: str) -> Session | None: ...

    def put(self, session: Session) -> None: ...


@dataclass(frozen=True, slots=True)
class Stepped:
    """What is to be done now that it is stored. `served`: whose menu it was."""

    effects: Effects
    session: Session | None = None
    served: Served | None = None


def turned(rows: Rows, turn: Turn, menus: Menus, *, ways: Ways, now: Instant) -> Stepped:
    """One turn."""
    if len(turn.msisdn) > MSISDN_MAX:
        turn = replace(turn, msisdn="")
    session = rows.of(turn.key)
    if session is not None and not session.is_of(turn):
        session = None  # Its gateway has given the id again.
    turn = meant(turn, menus.codes, is_known=session is not None and goes_on(session, turn, ways.times))
    begins = turn.kind is TurnKind.BEGIN
    served = menus.by_code.get(turn.code) if begins else menus.by_name.get(session.menu) if session else None
    if served is None:
        # Nobody's code, a session that we do not know, or whose menu is gone.
        if session is not None and turn.kind in {TurnKind.ABORT, TurnKind.REFUSED}:
            session = _left(rows, session, session.broken())
        return Stepped(stray(turn, ways), session)
    before = rows.latest(turn.msisdn, turn.code) if begins else None
    after, effects = step(session, served.menu, turn, now, ways=ways, before=before)
    if after is not None:
        _left(rows, session, after)
    for effect in effects:
        older = rows.of(effect.key) if isinstance(effect, Close) else None
        if older is not None:
            rows.put(older.broken())
    return Stepped(effects, after, served)


def came(rows: Rows, call: Call, result: Outcome, menus: Menus, *, ways: Ways, now: Instant) -> Stepped:
    """What came of a call. A session that has gone on, or under whose key another one stands, is left as it is."""
    session = rows.of(call.session)
    if session is None or call.id != f"{session.id}-{session.visit}":
        return Stepped((), session)
    served = menus.by_name.get(session.menu)
    if served is None:
        after = _left(rows, session, session.broken())
        return Stepped((Show(say_now("later", ways.room, session.language)),), after)
    after, effects = outcome(session, served.menu, result, now, visit=call.visit, ways=ways)
    return Stepped(effects, _left(rows, session, after), served)


def _left(rows: Rows, before: Session | None, after: Session) -> Session:
    if after is not before:
        rows.put(after)
    return after
