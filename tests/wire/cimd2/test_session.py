"""A session: logging in, answering, and both ways of ending."""

from typing import Any

import pytest

from tests.wire.cimd2.makers import STAMP, WIDE, Pair, a_receipt, accepted, an_mo, an_mt, bound
from tests.wire.cimd2.vectors import PACKETS
from wire.cimd2 import (
    Alive,
    AliveResp,
    Cimd2Session,
    Deliver,
    DeliverResp,
    Enquire,
    EnquireResp,
    GeneralError,
    Login,
    LoginResp,
    Logout,
    LogoutResp,
    Nack,
    Settings,
    State,
    StatusReport,
    StatusReportResp,
    SubmitResp,
    Submitted,
    codes,
    decode,
    encode,
    response_to,
)
from wire.cimd2.frames import FrameReader
from wire.errors import LocalError
from wire.session import Answered, Bound, Closed, Unanswered

_BANNER = "CIMD2-A ConnectionInfo: SessionId = 17 PortId = 3 Time = 261124081000 AccessType = TCPIP PIN = 9"


def _spoken(session: Cimd2Session) -> list[Any]:
    """What it has to say, decoded."""
    return [decode(packet) for packet in FrameReader().read(session.output())]


# --- logging in -----------------------------------------------------------------------------------------


def test_a_login_binds_both_sides() -> None:
    pair = Pair()
    login = Login(user_identity="us", password="secret")

    assert pair.esme.send(login, 0) == 1
    assert pair.to_smsc() == [login]
    assert {pair.esme.state, pair.smsc.state} == {State.BINDING}
    (request,) = pair.smsc._duties._owed.values()
    pair.smsc.answer(request, LoginResp())

    assert pair.smsc.deadline_ms() == 0  # an event is due
    assert pair.smsc.tick(0) == [Bound(request)]
    assert pair.to_esme() == [Bound(LoginResp(1))]
    assert {pair.esme.state, pair.smsc.state} == {State.BOUND}


def test_the_first_packet_is_the_recorded_one() -> None:
    session = Cimd2Session("esme", now_ms=0)

    session.send(Login(user_identity="user", password="pass"), 0)

    assert session.output() == PACKETS["login"]


def test_the_banner_of_the_centre_is_passed_over() -> None:
    pair = Pair(None, Settings(banner=_BANNER + "\2"))

    assert pair.to_esme() == []
    assert pair.bind().esme.state is State.BOUND
    assert pair.esme.ignored == 0
    assert Cimd2Session("esme", Settings(banner=_BANNER), now_ms=0).output() == b""


@pytest.mark.parametrize("error", [codes.INVALID_WINDOW, codes.WINDOWING_DISABLED, codes.INVALID_LOGIN])
def test_a_refused_login_closes_both_sides(error: int) -> None:
    pair = Pair()
    login = Login(user_identity="us", password="wrong", window_size=50)
    pair.esme.send(login, 0)
    (request,) = pair.to_smsc()

    pair.smsc.answer(request, LoginResp(error=error))  # type: ignore[arg-type]

    told = codes.sentence(error)
    assert pair.to_esme() == [
        Answered(login, LoginResp(1, error=error)),
        Closed(f"login refused: {told}", clean=True),
    ]
    assert pair.smsc.tick(0) == [Closed(f"login refused by us: {told}", clean=True)]
    assert pair.smsc.deadline_ms() is None


@pytest.mark.parametrize(
    ("ours", "asked", "theirs", "window"), [(10, 10, 20, 10), (10, 5, 20, 5), (10, None, 20, 1), (1, 10, 5, 1)]
)
def test_the_window_is_what_the_login_asked_for_and_each_side_is_set_to(
    ours: int, asked: int | None, theirs: int, window: int
) -> None:
    pair = Pair(Settings(window=ours), Settings(window=theirs)).bind(Login(user_identity="us", window_size=asked))

    assert pair.esme.room == window
    assert pair.smsc.room == min(asked or 1, theirs)


# --- messages -------------------------------------------------------------------------------------------


def test_an_mo_and_a_receipt_are_handed_out_and_answered() -> None:
    pair = bound(WIDE, WIDE)
    mo, receipt = an_mo(), a_receipt()

    assert (pair.smsc.send(mo, 0), pair.smsc.send(receipt, 0)) == (0, 2)
    requests = pair.to_esme()
    assert requests == [mo, receipt]
    for request in requests:
        assert isinstance(request, Deliver | StatusReport)
        assert pair.esme.owes(request)
        pair.esme.answer(request, response_to(request))
        assert not pair.esme.owes(request)

    assert pair.to_smsc() == [Answered(mo, DeliverResp(0)), Answered(receipt, StatusReportResp(2))]


def test_a_submit_gets_its_time_stamp() -> None:
    pair = bound()
    mt = an_mt()

    assert pair.esme.send(mt, 0) == 3
    (request,) = pair.to_smsc()
    pair.smsc.answer(request, SubmitResp(submitted=(Submitted("237670000001", STAMP),)))  # type: ignore[arg-type]

    assert pair.to_esme() == [Answered(mt, SubmitResp(3, submitted=(Submitted("237670000001", STAMP),)))]


def test_answers_may_come_in_any_order() -> None:
    pair = bound(WIDE)
    messages = [an_mt(b"%d" % number) for number in range(5)]
    for message in messages:
        pair.esme.send(message, 0)

    for request in reversed(pair.to_smsc()):
        pair.smsc.answer(request, accepted(request))  # type: ignore[arg-type]

    assert [event.request for event in pair.to_esme() if isinstance(event, Answered)] == messages[::-1]


def test_an_answer_is_given_once_and_by_its_own_response() -> None:
    pair = bound()
    pair.smsc.send(an_mo(), 0)
    (request,) = pair.to_esme()
    assert isinstance(request, Deliver)

    for wrong in (StatusReportResp(), Nack(0), GeneralError()):
        with pytest.raises(LocalError):
            pair.esme.answer(request, wrong)
    pair.esme.answer(request, DeliverResp())

    for again in (request, an_mo()):
        with pytest.raises(LocalError) as error:
            pair.esme.answer(again, DeliverResp())
        assert (error.value.role, error.value.operation) == ("esme", "deliver_resp")


def test_an_answer_that_has_no_form_can_be_given_again() -> None:
    pair = bound()
    pair.esme.send(an_mt(), 0)
    (request,) = pair.to_smsc()

    with pytest.raises(LocalError):
        pair.smsc.answer(request, SubmitResp())  # type: ignore[arg-type]  # no time stamp
    assert pair.smsc.output() == b""
    pair.smsc.answer(request, accepted(request))  # type: ignore[arg-type]

    assert [type(event) for event in pair.to_esme()] == [Answered]


def test_an_enquiry_goes_to_an_owner_who_serves_it() -> None:
    pair = bound(None, Settings(serves=frozenset({Enquire})))
    enquiry = Enquire(destination="237670000001", time_stamp=STAMP)
    pair.esme.send(enquiry, 0)
    (request,) = pair.to_smsc()

    pair.smsc.answer(request, EnquireResp(destination="237670000001", time_stamp=STAMP, status_code=4))  # type: ignore[arg-type]

    (answered,) = pair.to_esme()
    assert isinstance(answered, Answered)
    assert answered.response.status_code == 4


def test_without_checksums_the_sides_understand_each_other() -> None:
    pair = bound(Settings(checksum=False), Settings(checksum=False))
    pair.esme.send(an_mt(), 0)

    said = pair.esme.output()
    assert said.endswith(b"\t\3")
    (request,) = pair.smsc.receive(said, 0)
    pair.smsc.answer(request, accepted(request))  # type: ignore[arg-type]
    assert [type(event) for event in pair.to_esme()] == [Answered]


# --- logging out ----------------------------------------------------------------------------------------


def test_our_logout_waits_for_what_is_in_flight() -> None:
    pair = bound(WIDE)
    message, logout = an_mt(), Logout()
    pair.esme.send(message, 0)
    pair.esme.send(logout, 0)

    with pytest.raises(LocalError):
        pair.esme.send(an_mt(), 0)
    assert pair.esme.receive(encode(LogoutResp(logout.sequence)), 1) == [Answered(logout, LogoutResp(logout.sequence))]
    answer = SubmitResp(message.sequence, error=10)
    assert pair.esme.receive(encode(answer), 2) == [Answered(message, answer), Closed("logged out", clean=True)]


def test_the_peer_s_logout_is_answered_and_ends_the_session() -> None:
    pair = bound()
    mo, logout = an_mo(), Logout()
    pair.smsc.send(mo, 0)
    pair.esme.send(logout, 0)

    assert pair.to_smsc() == [Unanswered(mo, "lost"), Closed("the peer logged out", clean=True)]
    said = pair.smsc.output()
    assert said.endswith(encode(LogoutResp(logout.sequence)))
    assert pair.esme.receive(said, 0)[-1] == Closed("logged out", clean=True)


def test_an_mo_that_arrives_while_we_log_out_is_left_to_the_centre() -> None:
    pair = bound()
    pair.smsc.send(an_mo(), 0)
    pair.esme.send(Logout(), 0)
    pair.esme.output()

    assert pair.to_esme() == []
    assert pair.esme.receive(encode(Alive(2)), 0) == []
    assert _spoken(pair.esme) == [AliveResp(2)]


def test_a_centre_that_hangs_up_on_our_logout_is_clean() -> None:
    pair = bound()
    logout = Logout()
    pair.esme.send(logout, 0)

    assert pair.esme.receive(b"", 1) == [
        Unanswered(logout, "lost"),
        Closed("the peer closed the connection", clean=True),
    ]
