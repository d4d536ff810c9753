"""Every state x operation x direction of the table, as the sheet has it and as a session acts."""

import itertools

import pytest

from tests.wire.ucp.makers import Pair, a_change, a_login, an_mo, an_mt, read_all
from wire.errors import LocalError
from wire.session import Session
from wire.ucp import (
    REQUESTS,
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
    Result,
    Role,
    Settings,
    State,
    SubmitMessage,
    SupplementaryCallInput,
    UcpSession,
    encode,
)
from wire.ucp.states import RULES, judge

_REQUESTS: dict[type[Request], Request] = {
    OpenSession: a_login(),
    ChangePassword: a_change(),
    ListManagement: ListManagement(oadc="8511", styp="1"),
    Alert: Alert(adc="8511"),
    CallInput: CallInput(adc="1", mt="3"),
    MultipleCallInput: MultipleCallInput(adc=("1",), mt="3"),
    SupplementaryCallInput: SupplementaryCallInput(adc="1", mt="3"),
    MessageTransfer: MessageTransfer(adc="1"),
    SubmitMessage: an_mt(),
    DeliverMessage: an_mo(),
    **{kind: kind() for kind in (DeliverNotification, ModifyMessage, InquireMessage, DeleteMessage)},
    **{kind: kind() for kind in (InquiryResponse, DeleteResponse)},
}
_ROLES: tuple[Role, ...] = ("esme", "smsc")
# Sheet section 3, column "from".
_FROM_ESME: set[type[Request]] = {
    *(CallInput, MultipleCallInput, SupplementaryCallInput, MessageTransfer, SubmitMessage),
    *(ModifyMessage, InquireMessage, DeleteMessage, ChangePassword, ListManagement),
}
_FROM_SMSC: set[type[Request]] = {CallInput, DeliverMessage, DeliverNotification, InquiryResponse, DeleteResponse}
_SAYABLE: dict[tuple[Role, State], set[type[Request]]] = {
    ("esme", State.OPEN): {OpenSession},
    ("esme", State.BOUND): _FROM_ESME | {Alert},
    ("smsc", State.BOUND): _FROM_SMSC | {Alert},
}
_OPTIONAL = frozenset(_REQUESTS) - {OpenSession, SubmitMessage, DeliverMessage, DeliverNotification, Alert}

_CELLS = list(itertools.product(_ROLES, State, _REQUESTS))


def _in_state(role: Role, state: State, settings: Settings | None = None) -> UcpSession:
    """A session that came to a state by its own moves."""
    pair = Pair(settings if role == "esme" else None, settings if role == "smsc" else None)
    session, peer = (pair.esme, pair.smsc) if role == "esme" else (pair.smsc, pair.esme)
    if state in (State.BOUND, State.CLOSING, State.CLOSED):
        pair.log_in()
    if state is State.LOGGING_IN:
        pair.esme.send(a_login(), 0)
        pair.to_smsc()
    elif state is State.CLOSING:
        session.send(_REQUESTS[SubmitMessage] if role == "esme" else _REQUESTS[DeliverMessage], 0)
        session.send(Goodbye(), 0)
    elif state is State.CLOSED:
        session.receive(b"", 0)
    session.output()
    peer.output()
    assert session.state is state
    return session


def _verdict(role: Role, state: State, kind: type[Request]) -> int:
    """What is to be said of a request that arrives: an EC, 0 for taken."""
    peer: Role = "smsc" if role == "esme" else "esme"
    if kind is Alert or kind in _SAYABLE.get((peer, state), set()):
        return 0
    if kind not in ({OpenSession} | _FROM_ESME if peer == "esme" else _FROM_SMSC):
        return 3
    return 55 if state is State.CLOSING and kind is not OpenSession else 4


@pytest.mark.parametrize(("role", "state", "kind"), _CELLS, ids=lambda cell: getattr(cell, "__name__", str(cell)))
def test_a_request_that_arrives_is_taken_or_refused_by_the_table(role: Role, state: State, kind: type[Request]) -> None:
    session = _in_state(role, state, Settings(serves=_OPTIONAL, busy_ec=55))
    request = _REQUESTS[kind]
    request.sequence = 77

    events = session.receive(encode(request), 1)

    said = read_all(session.output())
    verdict = _verdict(role, state, kind)
    if state is State.CLOSED:
        assert (events, said) == ([], [])
    elif verdict:
        assert (events, said) == ([], [Result(77, kind.ot, verdict)])
    elif kind is Alert:
        assert (events, said) == ([], [Result(77, "31", sm="0000")])
    else:
        assert (events, said) == ([request], [])


@pytest.mark.parametrize(("role", "state", "kind"), _CELLS, ids=lambda cell: getattr(cell, "__name__", str(cell)))
def test_a_request_is_sent_only_where_the_table_lets_it(role: Role, state: State, kind: type[Request]) -> None:
    session = _in_state(role, state)
    allowed = kind in _SAYABLE.get((role, state), set())

    if allowed:
        sequence = session.send(_REQUESTS[kind], 1)
        assert [operation.sequence for operation in read_all(session.output())] == [sequence]
    else:
        with pytest.raises(LocalError) as error:
            session.send(_REQUESTS[kind], 1)
        assert (error.value.role, error.value.operation, error.value.state) == (role, kind.name, state.value)
        assert session.output() == b""
    assert RULES.may_say(role, state, kind) == allowed


@pytest.mark.parametrize("role", _ROLES)
@pytest.mark.parametrize("state", State)
def test_a_goodbye_is_said_by_a_bound_side_only(role: Role, state: State) -> None:
    session = _in_state(role, state)

    if state is State.BOUND:
        session.send(Goodbye(), 1)
        assert session.state in (State.CLOSING, State.CLOSED)
    else:
        with pytest.raises(LocalError):
            session.send(Goodbye(), 1)


@pytest.mark.parametrize("kind", [kind for kind in REQUESTS if kind in _OPTIONAL & _FROM_ESME])
def test_what_the_owner_does_not_serve_is_refused_without_reaching_it(kind: type[Request]) -> None:
    session = _in_state("smsc", State.BOUND)
    request = _REQUESTS[kind]
    request.sequence = 5

    events = session.receive(encode(request), 1)

    assert events == []
    assert read_all(session.output()) == [Result(5, kind.ot, 3)]
    assert session.refused == 1


def test_the_table_has_every_request_and_only_states_that_are() -> None:
    assert {*REQUESTS, Goodbye} == set(RULES)
    assert set(REQUESTS) == set(_REQUESTS)
    for role, state, kind in _CELLS:
        assert judge(role, state, kind, (), 55) in (0, 3, 4, 55)


def test_a_session_keeps_the_contract_of_all_sessions() -> None:
    session: Session = UcpSession("esme")

    assert session.deadline_ms() == 0  # tick at once: the timers begin with the first time they are told
    assert session.tick(5_000) == []
    assert session.deadline_ms() == 15_000
