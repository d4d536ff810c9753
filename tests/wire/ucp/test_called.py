"""A session whose centre made the connection: the login is the centre's to say, and everything else is as ever."""

from random import Random

import pytest

from tests.wire.ucp.makers import a_login, an_mo
from tests.wire.ucp.test_garbage import _mutated
from wire.errors import LocalError
from wire.session import Answered, Bound, Closed, Event
from wire.ucp import Alert, OpenSession, Result, Settings, State, UcpSession, decode, encode, result_to
from wire.ucp.frames import Frames


def said(session: UcpSession) -> list[object]:
    """What it says now."""
    return [decode(frame) for frame in Frames().read(session.output())]


def ours(*, login: bool = True) -> UcpSession:
    return UcpSession("esme", Settings(called=True, login=login), now_ms=0)


def test_both_sides_are_bound_by_the_login_of_the_centre() -> None:
    esme, smsc = ours(), UcpSession("smsc", Settings(called=True), now_ms=0)
    login = a_login()
    smsc.send(login, 0)
    (heard,) = esme.receive(smsc.output(), 0)
    assert isinstance(heard, OpenSession)
    assert (esme.state, smsc.state) == (State.LOGGING_IN, State.LOGGING_IN)

    esme.answer(heard, result_to(heard))
    assert esme.tick(0) == [Bound(heard)]
    (bound,) = smsc.receive(esme.output(), 0)

    assert isinstance(bound, Bound)
    assert (esme.state, smsc.state) == (State.BOUND, State.BOUND)
    smsc.send(an_mo(), 0)
    assert [type(event) for event in esme.receive(smsc.output(), 0)] == [type(an_mo())]


def test_a_refused_login_ends_both() -> None:
    esme, smsc = ours(), UcpSession("smsc", Settings(called=True), now_ms=0)
    login = a_login()
    smsc.send(login, 0)
    (heard,) = esme.receive(smsc.output(), 0)
    assert isinstance(heard, OpenSession)
    esme.answer(heard, result_to(heard, 7))

    assert [type(event) for event in esme.tick(0)] == [Closed]
    answered, closed = smsc.receive(esme.output(), 0)
    assert isinstance(answered, Answered)
    assert isinstance(closed, Closed)


def test_what_comes_before_the_login_is_not_allowed_and_31_is_answered() -> None:
    esme = ours()

    assert esme.receive(encode(an_mo()) + encode(Alert(adc="1")), 0) == []
    assert [(result.ot, result.ec) for result in said(esme) if isinstance(result, Result)] == [("52", 4), ("31", 0)]


def test_who_need_not_log_in_may_and_is_told_yes() -> None:
    esme = ours(login=False)
    assert esme.receive(encode(a_login()) + encode(an_mo()), 0) == [Bound(None), an_mo()]

    assert [(result.ot, result.ec) for result in said(esme) if isinstance(result, Result)] == [("60", 0)]
    assert esme.state is State.BOUND


def test_a_second_login_is_refused() -> None:
    esme = ours()
    (login,) = esme.receive(encode(a_login()), 0)
    assert isinstance(login, OpenSession)
    esme.answer(login, result_to(login))
    esme.output()

    assert esme.receive(encode(a_login()), 0) == [Bound(login)]
    (result,) = said(esme)
    assert isinstance(result, Result)
    assert result.ec


def test_neither_side_may_say_the_other_ones_login() -> None:
    with pytest.raises(LocalError, match="may not be said now"):
        ours().send(a_login(), 0)
    with pytest.raises(LocalError, match="may not be said now"):
        UcpSession("smsc", now_ms=0).send(a_login(), 0)
    assert UcpSession("esme", now_ms=0).receive(encode(a_login()), 0) == []


def test_whatever_comes_before_a_login_nothing_is_handed_out_but_logins() -> None:
    random = Random(60)
    for _ in range(300):
        esme = ours()
        events: list[Event] = []
        for _ in range(20):
            events += esme.receive(b"\2" + _mutated(random) + b"\3", 0)
        assert {type(event) for event in events} <= {OpenSession}
