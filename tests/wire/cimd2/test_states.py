"""Every state x operation x direction of the table, as the sheet has it and as a session acts."""

import itertools

import pytest

from tests.wire.cimd2.makers import STAMP, Pair, a_receipt, an_mo, an_mt
from wire.cimd2 import (
    OPERATIONS,
    Alive,
    Cancel,
    Cimd2Session,
    Deliver,
    DeliveryRequest,
    Enquire,
    GeneralError,
    Get,
    Goodbye,
    Login,
    Logout,
    Request,
    Response,
    Role,
    Set,
    Settings,
    State,
    StatusReport,
    Submit,
    codes,
    decode,
    encode,
)
from wire.cimd2.states import PASS, RULES, judge
from wire.errors import LocalError
from wire.session import Closed, Session

_REQUESTS: dict[type[Request], Request] = {
    Login: Login(user_identity="us", password="secret"),
    Submit: an_mt(),
    Deliver: an_mo(),
    StatusReport: a_receipt(),
    Enquire: Enquire(destination="237670000001", time_stamp=STAMP),
    Get: Get(get_parameter=501),
    **{kind: kind() for kind in (Logout, Alive, DeliveryRequest, Cancel, Set)},
}
_ROLES: tuple[Role, ...] = ("esme", "smsc")
_OPTIONAL: frozenset[type[Request]] = frozenset({Enquire, DeliveryRequest, Cancel, Set, Get})
_FROM_ESME: set[type[Request]] = {Submit, *_OPTIONAL, Logout, Alive}
_FROM_SMSC: set[type[Request]] = {Deliver, StatusReport, Alive}
# Sheet section 3: what each side may say in each state.
_SAYABLE: dict[tuple[Role, State], set[type[Request]]] = {
    ("esme", State.OPEN): {Login},
    ("esme", State.BOUND): _FROM_ESME,
    ("smsc", State.BOUND): _FROM_SMSC,
}
_CELLS = [
    (role, state, kind)
    for role, state, kind in itertools.product(_ROLES, State, _REQUESTS)
    if (role, state) != ("smsc", State.UNBINDING)  # a centre cannot log out
]


def _in_state(role: Role, state: State, settings: Settings | None = None) -> Cimd2Session:
    """A session that came to a state by its own moves."""
    pair = Pair(settings if role == "esme" else None, settings if role == "smsc" else None)
    session = pair.esme if role == "esme" else pair.smsc
    if state in (State.BOUND, State.UNBINDING, State.CLOSED):
        pair.bind()
    if state is State.BINDING:
        pair.esme.send(Login(user_identity="us"), 0)
        pair.to_smsc()
    elif state is State.UNBINDING:
        session.send(Logout(), 0)
    elif state is State.CLOSED:
        session.receive(b"", 0)
    session.output()
    assert session.state is state
    return session


def _next_number(role: Role, state: State) -> int:
    """The number that the peer's next request has: only a centre has heard one already, the login."""
    if role == "esme":
        return 0
    return 1 if state is State.OPEN else 3


@pytest.mark.parametrize(("role", "state", "kind"), _CELLS, ids=lambda cell: getattr(cell, "__name__", str(cell)))
def test_a_request_that_arrives_is_taken_refused_or_passed_over_by_the_table(
    role: Role, state: State, kind: type[Request]
) -> None:
    session = _in_state(role, state, Settings(serves=_OPTIONAL))
    request = _REQUESTS[kind]
    request.sequence = _next_number(role, state)

    events = session.receive(encode(request), 1)

    said = session.output()
    answer = decode(said) if said else None
    taken = kind in _SAYABLE.get(("smsc" if role == "esme" else "esme", state), set())
    if state is State.CLOSED:
        assert (events, answer) == ([], None)
    elif kind is Alive or (kind is Logout and taken):
        assert isinstance(answer, Response)
        assert (type(answer), answer.error, answer.sequence) == (request.response_type, 0, request.sequence)
        assert [type(event) for event in events] == ([Closed] if kind is Logout else [])
    elif taken:
        assert (events, answer) == ([request], None)
    elif role == "esme":
        assert (events, answer) == ([], None)  # it has no words for a refusal
    else:
        refusal = GeneralError if kind in _FROM_SMSC else request.response_type
        assert isinstance(answer, Response)
        assert (type(answer), answer.error, answer.sequence) == (refusal, codes.UNEXPECTED, request.sequence)
        assert events == []


@pytest.mark.parametrize(("role", "state", "kind"), _CELLS, ids=lambda cell: getattr(cell, "__name__", str(cell)))
def test_a_request_is_sent_only_where_the_table_lets_it(role: Role, state: State, kind: type[Request]) -> None:
    session = _in_state(role, state)
    allowed = kind in _SAYABLE.get((role, state), set())

    if allowed:
        sequence = session.send(_REQUESTS[kind], 1)
        assert decode(session.output()).sequence == sequence
        assert sequence % 2 == (role == "esme")
    else:
        with pytest.raises(LocalError) as error:
            session.send(_REQUESTS[kind], 1)
        assert (error.value.role, error.value.operation, error.value.state) == (role, kind.name, state.value)
        assert session.output() == b""
    assert RULES.may_say(role, state, kind) == allowed


@pytest.mark.parametrize("kind", [Enquire, DeliveryRequest, Cancel, Set, Get])
def test_what_the_owner_does_not_serve_is_refused_without_reaching_it(kind: type[Request]) -> None:
    session = _in_state("smsc", State.BOUND)
    request = _REQUESTS[kind]
    request.sequence = 3

    events = session.receive(encode(request), 1)

    answer = decode(session.output())
    assert isinstance(answer, Response)
    assert (events, type(answer)) == ([], kind.response_type)
    assert answer.error == (codes.UNSUPPORTED_ITEM if kind is Get else codes.UNEXPECTED)
    assert session.refused == 1


def test_the_table_has_every_request() -> None:
    requests = {command for command in OPERATIONS.values() if issubclass(command, Request)}

    assert set(RULES) - {Goodbye} == requests == set(_REQUESTS), "a goodbye is said to a session, never to its peer"
    for role, state, kind in _CELLS:
        assert judge(role, state, kind, ()) in (0, PASS, codes.UNEXPECTED, codes.UNSUPPORTED_ITEM)


def test_a_session_keeps_the_contract_of_all_sessions() -> None:
    session: Session = Cimd2Session("esme")

    assert session.deadline_ms() == 0  # tick at once: the timers begin with the first time they are told
    assert session.tick(5_000) == []
    assert session.deadline_ms() == 15_000
