"""Who may say what, and when: the states of a session as data.

State        OPEN, LOGGING_IN, BOUND, CLOSING, CLOSED
RULES        request -> who says it, in which states (wire/rules.py)
judge()      what to do with a request of the peer: 0, hand it on; else the EC to refuse it with

The moves, which session.py makes:

    (begin)     --the centre asks for no login-->   BOUND
    OPEN        --60-->                    LOGGING_IN
    LOGGING_IN  --result A-->              BOUND
    LOGGING_IN  --result N-->              CLOSED
    BOUND       --goodbye-->               CLOSING
    CLOSING     --nothing in flight-->     CLOSED
    any         --connection lost, time-out-->      CLOSED

Rule: while we close, requests of the peer get busy_ec: a result given now might never arrive.

Source: sheet sections 2 and 3. There is no logout: each side ends by closing the connection.
"""

from collections.abc import Iterable
from enum import Enum

from wire.rules import Rule, Rules
from wire.session import Role
from wire.ucp import codes
from wire.ucp.operations import (
    Alert,
    CallInput,
    ChangePassword,
    DeleteMessage,
    DeleteResponse,
    DeliverMessage,
    DeliverNotification,
    Goodbye,
    InquireMessage,
    InquiryResponse,
    ListManagement,
    MessageTransfer,
    ModifyMessage,
    MultipleCallInput,
    OpenSession,
    Request,
    SubmitMessage,
    SupplementaryCallInput,
)


class State(Enum):
    """Where a session stands."""

    OPEN = "open"
    LOGGING_IN = "logging_in"
    BOUND = "bound"
    CLOSING = "closing"
    CLOSED = "closed"


UNBOUND = frozenset({State.OPEN, State.LOGGING_IN})

_BOUND = frozenset({State.BOUND})


RULES: Rules[State] = Rules(
    {
        OpenSession: Rule(esme=frozenset({State.OPEN})),
        ChangePassword: Rule(esme=_BOUND),
        ListManagement: Rule(esme=_BOUND),
        CallInput: Rule(esme=_BOUND, smsc=_BOUND),  # some centres send it instead of 52 (sheet, pitfall 12)
        MultipleCallInput: Rule(esme=_BOUND),
        SupplementaryCallInput: Rule(esme=_BOUND),
        MessageTransfer: Rule(esme=_BOUND),
        SubmitMessage: Rule(esme=_BOUND),
        DeliverMessage: Rule(smsc=_BOUND),
        DeliverNotification: Rule(smsc=_BOUND),
        ModifyMessage: Rule(esme=_BOUND),
        InquireMessage: Rule(esme=_BOUND),
        DeleteMessage: Rule(esme=_BOUND),
        InquiryResponse: Rule(smsc=_BOUND),
        DeleteResponse: Rule(smsc=_BOUND),
        Alert: Rule(esme=_BOUND, smsc=_BOUND),
        Goodbye: Rule(esme=_BOUND, smsc=_BOUND),
    }
)

CALLED: Rules[State] = Rules({**RULES, OpenSession: Rule(smsc=frozenset({State.OPEN}))})
"""Of a connection that the centre made: the login is the centre's to say."""
CALLED_KNOWN: Rules[State] = Rules({**RULES, OpenSession: Rule(smsc=_BOUND)})
"""Of one that needs no login, since we know the centre by its address: it may say one all the same."""

# What an owner serves without saying so; the rest only when it is listed in Settings.serves.
ALWAYS_SERVED: frozenset[type[Request]] = frozenset({OpenSession, SubmitMessage, DeliverMessage, DeliverNotification})


def judge(
    listener: Role,
    state: State,
    request: type[Request],
    serves: Iterable[type[Request]],
    busy_ec: int,
    *,
    rules: Rules[State] = RULES,
) -> int:
    """What the listener does with a request of the peer: 0, take it; else the EC to refuse it with."""
    if request is Alert:
        return codes.EC_OK  # tolerated before the login, answered in every state
    states = rules.heard_in(listener, request)
    if not states:
        return codes.EC_NOT_SUPPORTED  # nothing for this side of a link to say
    if state is State.CLOSING and request is not OpenSession:
        return busy_ec
    if state not in states:
        return codes.EC_NOT_ALLOWED
    if request not in ALWAYS_SERVED and request not in serves:
        return codes.EC_NOT_SUPPORTED
    return codes.EC_OK
