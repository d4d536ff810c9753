"""Who may say what, and when: the states of a session as data.

State        OPEN, OUTBOUND, BINDING, BOUND_TX, BOUND_RX, BOUND_TRX, UNBINDING, CLOSED
RULES        request -> who says it, in which states (wire/rules.py)
judge()      what to do with a request of the peer: 0, hand it on; else the status to refuse it with

The moves, which session.py makes:

    OPEN      --outbind-->          OUTBOUND
    OPEN, OUTBOUND --bind-->        BINDING
    BINDING   --response, ok-->     BOUND_TX, BOUND_RX, BOUND_TRX
    BINDING   --response, else-->   CLOSED
    BOUND_*   --unbind sent-->      UNBINDING
    UNBINDING --unbind_resp, window empty--> CLOSED
    any       --unbind received, connection lost, stream lost, time-out--> CLOSED

Rule: while we unbind, requests of the peer get the busy status: it will ask again on its next session, and
an answer given now might never arrive.

Source: SMPP 3.4, 2.2 and table 2-1; sheet sections 2 and 10.
"""

from collections.abc import Iterable
from enum import Enum

from wire.rules import Rule, Rules
from wire.session import Role
from wire.smpp import status as st
from wire.smpp.operations import (
    AlertNotification,
    Bind,
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    CancelSm,
    DataSm,
    DeliverSm,
    EnquireLink,
    Outbind,
    QuerySm,
    ReplaceSm,
    Request,
    SubmitMulti,
    SubmitSm,
    Unbind,
)


class State(Enum):
    """Where a session stands."""

    OPEN = "open"
    OUTBOUND = "outbound"
    BINDING = "binding"
    BOUND_TX = "bound_tx"
    BOUND_RX = "bound_rx"
    BOUND_TRX = "bound_trx"
    UNBINDING = "unbinding"
    CLOSED = "closed"


UNBOUND = frozenset({State.OPEN, State.OUTBOUND, State.BINDING})
BOUND = frozenset({State.BOUND_TX, State.BOUND_RX, State.BOUND_TRX})
ALIVE = frozenset(State) - {State.CLOSED}

_BEFORE = frozenset({State.OPEN, State.OUTBOUND})
_SENDING = frozenset({State.BOUND_TX, State.BOUND_TRX})  # the ESME's messages
_RECEIVING = frozenset({State.BOUND_RX, State.BOUND_TRX})  # the SMSC's messages


RULES: Rules[State] = Rules(
    {
        BindReceiver: Rule(esme=_BEFORE),
        BindTransmitter: Rule(esme=_BEFORE),
        BindTransceiver: Rule(esme=_BEFORE),
        Outbind: Rule(smsc=frozenset({State.OPEN})),
        SubmitSm: Rule(esme=_SENDING),
        SubmitMulti: Rule(esme=_SENDING),
        QuerySm: Rule(esme=_SENDING),
        CancelSm: Rule(esme=_SENDING),
        ReplaceSm: Rule(esme=_SENDING),
        DeliverSm: Rule(smsc=_RECEIVING),
        DataSm: Rule(esme=_SENDING, smsc=_RECEIVING),
        AlertNotification: Rule(smsc=_RECEIVING),
        Unbind: Rule(esme=BOUND, smsc=BOUND),
        EnquireLink: Rule(esme=BOUND, smsc=BOUND),
    }
)

# What an owner serves without saying so; the rest only when it is listed in Settings.serves.
ALWAYS_SERVED: frozenset[type[Request]] = frozenset(
    {BindReceiver, BindTransmitter, BindTransceiver, Outbind, SubmitSm, DeliverSm, AlertNotification}
)

BOUND_BY: dict[type[Request], State] = {
    BindReceiver: State.BOUND_RX,
    BindTransmitter: State.BOUND_TX,
    BindTransceiver: State.BOUND_TRX,
}

# SMPP 3.4, 5.1.3: three operations have a failure of their own; the others get "unknown command".
_REFUSALS: dict[type[Request], int] = {
    CancelSm: st.RCANCELFAIL,
    ReplaceSm: st.RREPLACEFAIL,
    QuerySm: st.RQUERYFAIL,
}


def judge(
    listener: Role, state: State, request: type[Request], serves: Iterable[type[Request]], busy_status: int
) -> int:
    """What the listener does with a request of the peer: 0, take it; else the status to refuse it with."""
    if request is EnquireLink:
        return st.ROK  # tolerated before the bind, answered in every state
    states = RULES.heard_in(listener, request)
    if not states:
        return _REFUSALS.get(request, st.RINVCMDID) if state not in UNBOUND else _unbound(request)
    if issubclass(request, Bind):
        return st.ROK if state in states else st.RALYBND
    if request is Unbind:
        return st.ROK if state not in UNBOUND else st.RINVBNDSTS
    if state is State.UNBINDING:
        return busy_status
    if state not in states:
        return st.RINVBNDSTS
    if request not in ALWAYS_SERVED and request not in serves:
        return _REFUSALS.get(request, st.RINVCMDID)
    return st.ROK


def _unbound(request: type[Request]) -> int:
    # Before the bind the wrong state is the first thing to say; only a bind to an ESME is wrong in any state.
    return st.RINVCMDID if issubclass(request, Bind) else st.RINVBNDSTS
