"""Who may say what, and when: the states of a session as data.

State        OPEN, BINDING, BOUND, UNBINDING, CLOSED: SMPP's words; the sheet's are login and logout
Role         "esme" is the sheet's application, "smsc" its centre
RULES        request -> who says it, in which states (wire/rules.py)
LINK         requests that make, keep or end the session: their owner counts none of them
judge()      what to do with a request of the peer: 0, hand it on; PASS, say nothing; else the error to refuse it with

The moves, which session.py makes:

    OPEN      --login-->            BINDING
    BINDING   --response, ok-->     BOUND
    BINDING   --response, else-->   CLOSED
    BOUND     --logout sent-->      UNBINDING        (the application only)
    BOUND     --goodbye-->          UNBINDING        (the centre only)
    UNBINDING --response, nothing under way--> CLOSED
    any       --logout received, general error, NACKs without end, connection lost, time-out--> CLOSED

Rule: an application has no way to refuse, so what it cannot take it does not answer: the centre keeps it for the next
session. A centre cannot log out; it closes, and puts off what it is asked meanwhile.

Source: sheet sections 2, 3 and 7.
"""

from collections.abc import Iterable
from enum import Enum

from wire.cimd2 import codes
from wire.cimd2.operations import (
    Alive,
    Cancel,
    Deliver,
    DeliveryRequest,
    Enquire,
    Get,
    Goodbye,
    Login,
    Logout,
    Set,
    StatusReport,
    Submit,
)
from wire.cimd2.packet import Request
from wire.rules import Rule, Rules
from wire.session import Role

PASS = -1
"""The verdict on what can be neither taken nor refused."""


class State(Enum):
    """Where a session stands."""

    OPEN = "open"
    BINDING = "binding"
    BOUND = "bound"
    UNBINDING = "unbinding"
    CLOSED = "closed"


UNBOUND = frozenset({State.OPEN, State.BINDING})

_BOUND = frozenset({State.BOUND})


RULES: Rules[State] = Rules(
    {
        Login: Rule(esme=frozenset({State.OPEN})),
        Logout: Rule(esme=_BOUND),
        Submit: Rule(esme=_BOUND),
        Enquire: Rule(esme=_BOUND),
        DeliveryRequest: Rule(esme=_BOUND),
        Cancel: Rule(esme=_BOUND),
        Set: Rule(esme=_BOUND),
        Get: Rule(esme=_BOUND),
        Deliver: Rule(smsc=_BOUND),
        StatusReport: Rule(smsc=_BOUND),
        Alive: Rule(esme=_BOUND, smsc=_BOUND),
        Goodbye: Rule(smsc=_BOUND),
    }
)

LINK: frozenset[type[Request]] = frozenset({Login, Logout, Alive, Goodbye})

# What an owner serves without saying so; the rest only when it is listed in Settings.serves.
ALWAYS_SERVED: frozenset[type[Request]] = frozenset({*LINK, Submit, Deliver, StatusReport})


def judge(listener: Role, state: State, request: type[Request], serves: Iterable[type[Request]]) -> int:
    """What the listener does with a request of the peer: 0, take it; PASS; else the error to refuse it with."""
    if request is Alive:
        return codes.OK  # tolerated before the login, answered in every state
    states = RULES.heard_in(listener, request)
    if listener == "esme":
        return codes.OK if state in states else PASS
    if state not in states:
        return codes.CONGESTION if state is State.UNBINDING else codes.UNEXPECTED
    if request not in ALWAYS_SERVED and request not in serves:
        return codes.UNSUPPORTED_ITEM if request is Get else codes.UNEXPECTED
    return codes.OK
