"""Every state x command x direction of the table, as the document has it and as a session acts."""

import itertools

import pytest

from tests.wire.smpp.makers import BINDS, Pair, an_mo, an_mt
from wire.errors import LocalError
from wire.session import Session
from wire.smpp import (
    COMMANDS,
    AlertNotification,
    Bind,
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    CancelSm,
    DataSm,
    DeliverSm,
    Destination,
    EnquireLink,
    Outbind,
    QuerySm,
    ReplaceSm,
    Request,
    Response,
    Role,
    Settings,
    SmppSession,
    State,
    SubmitMulti,
    SubmitSm,
    Unbind,
    decode,
    encode,
)
from wire.smpp.states import RULES, judge

_REQUESTS: dict[type[Request], Request] = {
    **{bind: bind(system_id="us") for bind in (BindReceiver, BindTransmitter, BindTransceiver)},
    SubmitSm: an_mt(),
    DeliverSm: an_mo(),
    SubmitMulti: SubmitMulti(dest_address=(Destination(1, 1, "237670000001"),)),
    **{kind: kind() for kind in (Outbind, DataSm, QuerySm, CancelSm, ReplaceSm, AlertNotification)},
    **{kind: kind() for kind in (Unbind, EnquireLink)},
}
_ROLES: tuple[Role, ...] = ("esme", "smsc")
_OPTIONAL: frozenset[type[Request]] = frozenset({DataSm, SubmitMulti, QuerySm, CancelSm, ReplaceSm})

_BINDS: set[type[Request]] = {BindReceiver, BindTransmitter, BindTransceiver}
_FROM_ESME: set[type[Request]] = {SubmitSm, SubmitMulti, QuerySm, CancelSm, ReplaceSm, DataSm}
_FROM_SMSC: set[type[Request]] = {DeliverSm, DataSm, AlertNotification}
_EITHER: set[type[Request]] = {Unbind, EnquireLink}
# Sheet section 2: what each side may say in each state.
_SAYABLE: dict[tuple[Role, State], set[type[Request]]] = {
    ("esme", State.OPEN): _BINDS,
    ("esme", State.OUTBOUND): _BINDS,
    ("esme", State.BOUND_TX): _FROM_ESME | _EITHER,
    ("esme", State.BOUND_RX): _EITHER,
    ("esme", State.BOUND_TRX): _FROM_ESME | _EITHER,
    ("smsc", State.OPEN): {Outbind},
    ("smsc", State.BOUND_TX): _EITHER,
    ("smsc", State.BOUND_RX): _FROM_SMSC | _EITHER,
    ("smsc", State.BOUND_TRX): _FROM_SMSC | _EITHER,
}
_REFUSED = {CancelSm: 0x11, ReplaceSm: 0x13, QuerySm: 0x67}

_CELLS = list(itertools.product(_ROLES, State, _REQUESTS))


def _in_state(role: Role, state: State, settings: Settings | None = None) -> SmppSession:
    """A session that came to a state by its own moves."""
    pair = Pair(settings if role == "esme" else None, settings if role == "smsc" else None)
    session, peer = (pair.esme, pair.smsc) if role == "esme" else (pair.smsc, pair.esme)
    if state in (State.BOUND_TX, State.BOUND_RX, State.BOUND_TRX, State.UNBINDING, State.CLOSED):
        pair.bind(BINDS.get(state.value.removeprefix("bound_"), BindTransceiver)(system_id="us"))
    if state is State.OUTBOUND:
        pair.smsc.send(Outbind(), 0)
        pair.to_esme()
    elif state is State.BINDING:
        pair.esme.send(BindTransceiver(system_id="us"), 0)
        pair.to_smsc()
    elif state is State.UNBINDING:
        session.send(Unbind(), 0)
    elif state is State.CLOSED:
        session.receive(b"", 0)
    session.output()
    peer.output()
    assert session.state is state
    return session


def _verdict(role: Role, state: State, kind: type[Request]) -> int | None:
    """What the sheet says of a request that arrives: a status, 0 for taken, None for nothing at all."""
    said_by_peer = _SAYABLE.get(("smsc" if role == "esme" else "esme", state), set())
    ever_said = (
        {Outbind, DeliverSm, DataSm, AlertNotification, *_EITHER} if role == "esme" else _FROM_ESME | _BINDS | _EITHER
    )
    if state is State.CLOSED or (kind is Outbind and kind not in said_by_peer):
        return None
    if kind is EnquireLink or kind in said_by_peer or (kind is Unbind and state is State.UNBINDING):
        return 0
    if kind in _BINDS:
        return 0x03 if role == "esme" else 0x05
    if state in (State.OPEN, State.OUTBOUND, State.BINDING):
        return None if kind is AlertNotification else 0x04
    if kind is AlertNotification:
        return None
    if kind not in ever_said:
        return _REFUSED.get(kind, 0x03)
    return 0x58 if state is State.UNBINDING else 0x04


@pytest.mark.parametrize(("role", "state", "kind"), _CELLS, ids=lambda cell: getattr(cell, "__name__", str(cell)))
def test_a_request_that_arrives_is_taken_or_refused_by_the_table(role: Role, state: State, kind: type[Request]) -> None:
    session = _in_state(role, state, Settings(serves=_OPTIONAL))
    request = _REQUESTS[kind]
    request.sequence = 77

    events = session.receive(encode(request), 1)

    said = session.output()
    answer = decode(said) if said else None
    verdict = _verdict(role, state, kind)
    if verdict is None:
        assert (events, answer) == ([], None)
    elif verdict:
        assert events == []
        assert isinstance(answer, Response)
        assert (type(answer), answer.status, answer.sequence) == (request.response_type, verdict, 77)
    elif kind in _EITHER:
        assert isinstance(answer, Response)
        assert (type(answer), answer.status, answer.sequence) == (request.response_type, 0, 77)
    else:
        assert (events, answer) == ([request], None)


@pytest.mark.parametrize(("role", "state", "kind"), _CELLS, ids=lambda cell: getattr(cell, "__name__", str(cell)))
def test_a_request_is_sent_only_where_the_table_lets_it(role: Role, state: State, kind: type[Request]) -> None:
    session = _in_state(role, state)
    allowed = kind in _SAYABLE.get((role, state), set())

    if allowed:
        sequence = session.send(_REQUESTS[kind], 1)
        assert decode(session.output()).sequence == sequence
    else:
        with pytest.raises(LocalError) as error:
            session.send(_REQUESTS[kind], 1)
        assert (error.value.role, error.value.operation, error.value.state) == (role, kind.name, state.value)
        assert session.output() == b""
    assert RULES.may_say(role, state, kind) == allowed


@pytest.mark.parametrize("kind", [DataSm, SubmitMulti, QuerySm, CancelSm, ReplaceSm])
def test_what_the_owner_does_not_serve_is_refused_without_reaching_it(kind: type[Request]) -> None:
    session = _in_state("smsc", State.BOUND_TRX)

    events = session.receive(encode(_REQUESTS[kind]), 1)

    answer = decode(session.output())
    assert events == []
    assert (type(answer), answer.status) == (kind.response_type, _REFUSED.get(kind, 0x03))
    assert session.refused == 1


def test_the_table_has_every_request_and_only_states_that_are() -> None:
    requests = {command for command in COMMANDS.values() if issubclass(command, Request)}

    assert set(RULES) == requests == set(_REQUESTS)
    for role, state, kind in _CELLS:
        assert 0 <= judge(role, state, kind, (), 0x58) <= 0x67


def test_a_session_keeps_the_contract_of_all_sessions() -> None:
    session: Session = SmppSession("esme")

    assert session.deadline_ms() == 0  # tick at once: the timers begin with the first time they are told
    assert session.tick(5_000) == []
    assert session.deadline_ms() == 15_000
    assert issubclass(BindReceiver, Bind)
