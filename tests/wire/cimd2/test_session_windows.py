"""A session's windows and numbers, and what a peer should not say in it."""

from typing import Any

import pytest

from tests.wire.cimd2.makers import Pair, accepted, an_mo, an_mt, bound
from wire.cimd2 import (
    Alive,
    AliveResp,
    Cimd2Session,
    Deliver,
    DeliverResp,
    GeneralError,
    Login,
    Logout,
    LogoutResp,
    Nack,
    Set,
    Settings,
    SubmitResp,
    codes,
    decode,
    encode,
)
from wire.cimd2.frames import FrameReader
from wire.errors import LocalError
from wire.session import Answered, Closed, Unanswered


def _spoken(session: Cimd2Session) -> list[Any]:
    """What it has to say, decoded."""
    return [decode(packet) for packet in FrameReader().read(session.output())]


# --- numbers and windows --------------------------------------------------------------------------------


def test_both_sides_numbers_go_round() -> None:
    pair = bound()
    ours, theirs = [], []
    for _ in range(300):
        ours.append(pair.esme.send(an_mt(), 0))
        (request,) = pair.to_smsc()
        pair.smsc.answer(request, accepted(request))  # type: ignore[arg-type]
        assert [type(event) for event in pair.to_esme()] == [Answered]
        theirs.append(pair.smsc.send(an_mo(), 0))
        (request,) = pair.to_esme()
        pair.esme.answer(request, DeliverResp())  # type: ignore[arg-type]
        assert [type(event) for event in pair.to_smsc()] == [Answered]

    assert ours == [(3 + 2 * turn) & 0xFF for turn in range(300)]
    assert theirs == [(2 * turn) & 0xFF for turn in range(300)]
    assert (pair.esme.refused, pair.smsc.refused, pair.esme.repeated, pair.smsc.repeated) == (0, 0, 0, 0)


def test_a_full_window_has_no_room_and_an_answer_makes_some() -> None:
    pair = bound(Settings(window=2))

    assert pair.esme.room == 2
    first = pair.esme.send(an_mt(), 0)
    pair.esme.send(an_mt(), 0)

    assert (pair.esme.room, pair.esme.in_flight) == (0, 2)
    with pytest.raises(LocalError, match="window of 2"):
        pair.esme.send(an_mt(), 0)
    pair.esme.receive(encode(SubmitResp(first, error=10)), 0)
    assert pair.esme.room == 1


def test_with_the_widest_window_a_number_comes_again_only_when_it_was_answered() -> None:
    pair = bound(Settings(window=128))
    for _ in range(128):
        pair.esme.send(an_mt(), 0)

    assert (pair.esme.room, pair.esme.in_flight) == (0, 128)
    for number in range(5, 256, 2):
        pair.esme.receive(encode(SubmitResp(number, error=10)), 0)
    assert (pair.esme.in_flight, pair.esme.room) == (2, 0)  # 001, the last of the round, and 003
    with pytest.raises(LocalError, match="every packet number"):
        pair.esme.send(an_mt(), 0)
    with pytest.raises(LocalError, match="every packet number"):
        pair.esme.send(Alive(), 0)
    pair.esme.receive(encode(SubmitResp(3, error=10)), 0)
    assert pair.esme.room == 127


def test_one_at_a_time_means_one_at_a_time_for_alive_and_logout_too() -> None:
    pair = bound()
    message, alive, logout = an_mt(), Alive(), Logout()
    pair.esme.send(message, 0)
    pair.esme.send(alive, 0)
    pair.esme.send(logout, 0)

    said = _spoken(pair.esme)
    assert said == [message]
    pair.esme.receive(encode(SubmitResp(3, error=10)), 0)
    assert _spoken(pair.esme) == [alive]
    assert pair.esme.receive(encode(AliveResp(5)), 0) == [Answered(alive, AliveResp(5))]
    assert _spoken(pair.esme) == [logout]
    assert pair.esme.receive(encode(LogoutResp(7)), 0) == [
        Answered(logout, LogoutResp(7)),
        Closed("logged out", clean=True),
    ]


def test_a_centre_with_more_than_it_can_take_says_so_at_once() -> None:
    pair = bound(Settings(window=5), Settings(window_in=2))
    for _ in range(4):
        pair.esme.send(an_mt(), 0)

    requests = pair.to_smsc()
    answers = pair.to_esme()

    assert len(requests) == 2
    assert [answer.response.error for answer in answers if isinstance(answer, Answered)] == [10, 10]
    assert pair.smsc.refused == 2
    pair.smsc.answer(requests[0], accepted(requests[0]))  # type: ignore[arg-type]
    pair.esme.send(an_mt(), 0)
    assert len(pair.to_smsc()) == 1


def test_an_application_with_more_than_it_can_take_is_given_it_again() -> None:
    pair = bound(Settings(window_in=1, window=3), Settings(window=3))
    for number in range(3):
        pair.smsc.send(an_mo(b"%d" % number), 0)

    (first,) = pair.to_esme()
    assert pair.esme.ignored == 1
    assert _spoken(pair.esme) == [Nack(2)]  # the third came where the second is next
    pair.esme.answer(first, DeliverResp())  # type: ignore[arg-type]
    pair.to_smsc()
    pair.smsc.receive(encode(Nack(2)), 0)

    (second,) = pair.to_esme()
    assert isinstance(second, Deliver)
    assert second.user_data == b"1"


def test_an_allowance_bounds_the_room_and_grows_with_time() -> None:
    pair = bound(Settings(max_tps=10, window=10))

    assert pair.esme.room == 1
    pair.esme.send(an_mt(), 0)
    with pytest.raises(LocalError, match="per second"):
        pair.esme.send(an_mt(), 99)
    assert (pair.esme.room_at(99), pair.esme.room_at_ms(99)) == (0, 100)
    pair.esme.send(an_mt(), 100)
    pair.esme.throttled(200)
    assert pair.esme.room_at_ms(200) == 400


def test_alive_is_answered_even_when_both_windows_are_full() -> None:
    pair = bound(Settings(window_in=1))
    pair.smsc.send(an_mo(), 0)
    pair.to_esme()
    pair.esme.send(an_mt(), 0)
    pair.esme.output()

    assert pair.esme.receive(encode(Alive(2)), 0) == []

    assert _spoken(pair.esme) == [AliveResp(2)]


# --- what a peer should not do --------------------------------------------------------------------------


def test_an_unknown_request_gets_a_general_error_and_spends_its_number() -> None:
    pair = bound()
    mt = an_mt()
    mt.sequence = 5

    assert pair.smsc.receive(b"\x0230:003\t\3" + encode(mt), 0) == [mt]
    assert _spoken(pair.smsc) == [GeneralError(3, error=codes.UNEXPECTED)]


def test_an_application_passes_over_what_it_does_not_know_and_hears_the_next() -> None:
    pair = bound()
    mo = an_mo(sequence=2)

    assert pair.esme.receive(b"\x0230:000\t\3" + encode(mo), 0) == [mo]
    assert pair.esme.output() == b""
    assert pair.esme.ignored == 1


def test_responses_to_nothing_are_ignored_and_counted() -> None:
    pair = bound()
    number = pair.esme.send(an_mt(), 0)

    stray = [SubmitResp(99, error=1), DeliverResp(number), AliveResp(number), Nack(4)]
    events = pair.esme.receive(b"".join(map(encode, stray)) + b"\x0291:003\t\3\x0253:003\tFF\3", 0)

    assert events == []
    assert pair.esme.ignored == 6
    assert pair.esme.receive(encode(SubmitResp(number, error=1)), 0) != []


def test_a_general_error_answers_what_it_names_and_ends_the_session() -> None:
    pair = bound(Settings(window=2))
    known, unknown = an_mt(), Set(password="new")
    pair.esme.send(known, 0)
    pair.esme.send(unknown, 0)

    events = pair.esme.receive(encode(GeneralError(unknown.sequence, error=1)), 0)

    assert events == [
        Answered(unknown, GeneralError(5, error=1)),
        Unanswered(known, "lost"),
        Closed("general error: 1: unexpected operation", clean=False),
    ]


def test_a_general_error_that_names_nothing_leaves_all_unanswered() -> None:
    pair = bound()
    message = an_mt()
    pair.esme.send(message, 0)

    assert pair.esme.receive(encode(GeneralError(0, error=6)), 0) == [
        Unanswered(message, "lost"),
        Closed("general error: 6: general system error", clean=False),
    ]


def test_a_general_error_to_a_login_refuses_it_and_one_to_a_centre_is_nothing() -> None:
    session = Cimd2Session("esme", now_ms=0)
    login = Login(user_identity="us")
    session.send(login, 0)
    centre = bound().smsc

    assert session.receive(encode(GeneralError(1, error=1)), 0) == [
        Answered(login, GeneralError(1, error=1)),
        Closed("general error: 1: unexpected operation", clean=True),
    ]
    assert centre.receive(encode(GeneralError(0, error=1)), 0) == []
    assert centre.ignored == 1


def test_a_peer_that_hangs_up_leaves_requests_unanswered() -> None:
    pair = bound()
    message = an_mt()
    pair.esme.send(message, 0)
    (mo,) = pair.esme.receive(encode(an_mo()), 0)

    events = pair.esme.receive(b"", 0)

    assert events == [Unanswered(message, "lost"), Closed("the peer closed the connection", clean=False)]
    assert pair.esme.receive(encode(an_mo(sequence=2)), 1) == []
    assert pair.esme.tick(99_999) == []
    assert pair.esme.deadline_ms() is None
    for say in (lambda: pair.esme.send(an_mt(), 1), lambda: pair.esme.answer(mo, DeliverResp())):  # type: ignore[arg-type]
        with pytest.raises(LocalError) as error:
            say()
        assert error.value.state == "closed"


def test_a_peer_that_never_logged_in_leaves_cleanly() -> None:
    assert Cimd2Session("smsc", now_ms=0).receive(b"", 1) == [Closed("the peer closed the connection", clean=True)]


def test_a_side_that_may_not_talk_has_no_room() -> None:
    pair = Pair()

    assert (pair.esme.room, pair.smsc.room) == (0, 0)
    pair.bind()
    pair.esme.send(Logout(), 0)
    assert (pair.esme.room, pair.smsc.room) == (0, 1)
