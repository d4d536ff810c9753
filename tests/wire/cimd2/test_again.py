"""What is said a second time: by a peer that lost our answer, and by us after a NACK."""

from typing import Any

from tests.wire.cimd2.makers import WIDE, accepted, an_mo, an_mt, bound
from wire.cimd2 import (
    Alive,
    AliveResp,
    Cimd2Session,
    DeliverResp,
    Login,
    LoginResp,
    Logout,
    Nack,
    Settings,
    State,
    SubmitResp,
    decode,
    encode,
    response_to,
)
from wire.cimd2.frames import FrameReader
from wire.session import Answered, Bound, Closed, Unanswered


def _spoken(session: Cimd2Session) -> list[Any]:
    return [decode(packet) for packet in FrameReader().read(session.output())]


# --- the peer ---------------------------------------------------------------------------------------------


def test_a_request_said_again_gets_its_answer_again_and_is_no_second_event() -> None:
    pair = bound()
    pair.esme.send(an_mt(), 0)
    said = pair.esme.output()
    (request,) = pair.smsc.receive(said, 0)
    pair.smsc.answer(request, accepted(request))  # type: ignore[arg-type]
    answer = pair.smsc.output()

    assert pair.smsc.receive(said, 1) == []

    assert pair.smsc.output() == answer
    assert pair.smsc.repeated == 1


def test_a_request_said_again_before_its_answer_is_answered_once() -> None:
    pair = bound()
    mo = encode(an_mo())
    (request,) = pair.esme.receive(mo, 0)

    assert pair.esme.receive(mo, 1) == []
    assert pair.esme.output() == b""
    pair.esme.answer(request, DeliverResp())  # type: ignore[arg-type]

    assert _spoken(pair.esme) == [DeliverResp(0)]


def test_what_was_refused_is_refused_again() -> None:
    pair = bound()
    broken = b"\x0203:003\t021:237670000001\t\3"

    pair.smsc.receive(broken, 0)
    refusal = pair.smsc.output()
    pair.smsc.receive(broken, 1)

    assert pair.smsc.output() == refusal
    assert (pair.smsc.refused, pair.smsc.repeated) == (1, 1)


def test_all_of_a_window_is_kept_and_an_older_one_is_a_wrong_number() -> None:
    pair = bound(None, Settings(window_in=4))
    packets = [encode(an_mt(b"%d" % number, sequence=number)) for number in range(3, 17, 2)]
    for packet in packets:
        (request,) = pair.smsc.receive(packet, 0)
        pair.smsc.answer(request, accepted(request))  # type: ignore[arg-type]
    pair.smsc.output()

    for packet in packets:
        assert pair.smsc.receive(packet, 0) == []

    assert [type(one) for one in _spoken(pair.smsc)] == [Nack] * 3 + [SubmitResp] * 4
    assert pair.smsc.repeated == 4


def test_another_message_under_a_number_that_was_used_is_no_repetition() -> None:
    pair = bound()
    for message in (an_mt(b"one", sequence=3), an_mt(b"two", sequence=3)):
        for request in pair.smsc.receive(encode(message), 0):
            pair.smsc.answer(request, accepted(request))  # type: ignore[arg-type]

    assert [type(one) for one in _spoken(pair.smsc)] == [SubmitResp, Nack]
    assert pair.smsc.repeated == 0


def test_an_alive_said_again_is_answered_again() -> None:
    pair = bound()

    pair.esme.receive(encode(Alive(0)) * 3, 0)

    assert _spoken(pair.esme) == [AliveResp(0)] * 3


def test_a_damaged_packet_and_all_behind_it_come_again_in_order_and_once() -> None:
    pair = bound(WIDE, WIDE)
    messages = [an_mt(b"%d" % number) for number in range(3)]
    for message in messages:
        pair.esme.send(message, 0)
    said = bytearray(pair.esme.output())
    said[20] ^= 1

    assert pair.smsc.receive(bytes(said), 0) == []
    assert pair.to_esme() == []
    events = pair.to_smsc()

    assert events == messages
    assert pair.esme.ignored == 2  # the echoes of the NACK
    assert pair.smsc.refused == 3
    for request in events:
        pair.smsc.answer(request, accepted(request))  # type: ignore[arg-type]
    assert [event.request for event in pair.to_esme() if isinstance(event, Answered)] == messages


def test_a_damaged_answer_is_no_answer_and_gets_no_nack() -> None:
    pair = bound()
    pair.esme.send(an_mt(), 0)

    assert pair.esme.receive(b"\x0253:003\t021:1\t060:261124081000\t00\3", 0) == []
    assert pair.esme.receive(b"\x0299:003\t00\3", 0) == []

    assert [type(one) for one in _spoken(pair.esme)] == [type(an_mt())]
    assert pair.esme.ignored == 2


# --- we ---------------------------------------------------------------------------------------------------


def test_a_nack_with_another_number_has_the_request_said_under_it() -> None:
    pair = bound()
    message = an_mt()
    assert pair.esme.send(message, 0) == 3
    pair.esme.output()

    assert pair.esme.receive(encode(Nack(49)), 1) == []
    assert _spoken(pair.esme) == [an_mt(sequence=49)]
    answer = SubmitResp(49, error=10)
    assert pair.esme.receive(encode(answer), 2) == [Answered(message, answer)]
    assert pair.esme.send(an_mt(), 3) == 51


def test_a_nack_is_no_answer_and_a_request_that_is_always_refused_ends_the_session() -> None:
    pair = bound(WIDE)
    first, second, third = an_mt(b"1"), an_mt(b"2"), an_mt(b"3")
    for message in (first, second, third):
        pair.esme.send(message, 0)
    pair.esme.output()

    for _ in range(2):
        assert pair.esme.receive(encode(Nack(5)), 1) == []
        assert _spoken(pair.esme) == [second, third]
        assert pair.esme.receive(encode(Nack(5)), 1) == []  # for the third message
        assert _spoken(pair.esme) == []

    assert pair.esme.receive(encode(Nack(5)), 1) == [
        Answered(second, Nack(5)),
        Answered(third, Nack(5)),
        Unanswered(first, "lost"),
        Closed("packet 005 was refused again and again", clean=False),
    ]


def test_a_nack_that_fits_nothing_on_the_wire_ends_a_session_that_has_several() -> None:
    pair = bound(WIDE)
    messages = [an_mt(b"1"), an_mt(b"2")]
    for message in messages:
        pair.esme.send(message, 0)

    events = pair.esme.receive(encode(Nack(99)), 1)

    assert events == [
        *(Unanswered(message, "lost") for message in messages),
        Closed("the peer expects packet 099, which is none of ours", clean=False),
    ]


def test_a_login_is_said_again_too_and_given_up_cleanly() -> None:
    session = Cimd2Session("esme", now_ms=0)
    login = Login(user_identity="us")
    session.send(login, 0)
    session.output()

    assert session.receive(encode(Nack(5)), 0) == []
    assert _spoken(session) == [Login(5, user_identity="us")]
    assert session.receive(encode(LoginResp(5)), 0) == [Bound(LoginResp(5))]
    assert session.send(an_mt(), 0) == 7

    other = Cimd2Session("esme", Settings(tries=1), now_ms=0)
    other.send(login, 0)
    assert other.receive(encode(Nack(1)), 0) == [
        Answered(login, Nack(1)),
        Closed("packet 001 was refused again and again", clean=True),
    ]


def test_what_a_nack_refused_has_all_its_time_again() -> None:
    pair = bound()
    message = an_mt()
    pair.esme.send(message, 0)

    pair.esme.receive(encode(Nack(3)), 50_000)

    assert pair.esme.tick(60_000) == []
    assert pair.esme.tick(110_000) == [Unanswered(message, "timeout")]


def test_a_keep_alive_that_is_refused_for_ever_is_told_to_nobody() -> None:
    pair = bound()
    pair.esme.tick(30_000)
    number = pair.esme._flights.next_number - 2

    events = [event for _ in range(3) for event in pair.esme.receive(encode(Nack(number)), 30_001)]

    assert [type(event) for event in events] == [Closed]


def test_a_logout_that_waits_takes_the_number_that_is_right_then() -> None:
    pair = bound()
    message, logout = an_mt(), Logout()
    pair.esme.send(message, 0)
    pair.esme.send(logout, 0)
    pair.esme.output()

    pair.esme.receive(encode(Nack(9)), 1)
    assert _spoken(pair.esme) == [an_mt(sequence=9)]
    pair.esme.receive(encode(SubmitResp(9, error=10)), 2)
    assert _spoken(pair.esme) == [Logout(11)]
    assert pair.esme.receive(encode(response_to(logout)), 3)[-1] == Closed("logged out", clean=True)
    assert pair.esme.state is State.CLOSED
