"""What a session does as time passes; the clock is a number."""

from typing import Any

from tests.wire.cimd2.makers import WIDE, Pair, an_mo, an_mt, bound
from wire.cimd2 import (
    Alive,
    AliveResp,
    Cimd2Session,
    Login,
    LoginResp,
    Logout,
    LogoutResp,
    Settings,
    State,
    SubmitResp,
    decode,
    encode,
)
from wire.session import Answered, Bound, Closed, Unanswered

_NEVER_IDLE: dict[str, Any] = {"enquire_ms": 0, "inactivity_ms": 0}
_SHORT: dict[str, Any] = {"response_timeout_ms": 10_000}


def test_a_connection_without_a_login_is_closed() -> None:
    for session in (Cimd2Session("smsc", now_ms=100), Cimd2Session("esme", now_ms=100)):
        assert session.deadline_ms() == 10_100
        assert session.tick(10_099) == []
        assert session.tick(10_100) == [Closed("no login in time", clean=True)]
        assert session.tick(20_000) == []


def test_noise_does_not_put_off_the_login() -> None:
    session = Cimd2Session("smsc", now_ms=0)

    for now_ms in range(0, 10_000, 1000):
        session.receive(encode(Alive(1)) + b"GET / HTTP/1.1\r\n", now_ms)

    assert session.tick(10_000) == [Closed("no login in time", clean=True)]


def test_a_login_without_an_answer_is_given_up() -> None:
    session = Cimd2Session("esme", Settings(bind_timeout_ms=5_000), now_ms=0)
    login = Login(user_identity="us")
    session.send(login, 1_000)

    assert session.deadline_ms() == 6_000
    assert session.tick(6_000) == [Unanswered(login, "timeout"), Closed("no answer to login", clean=True)]


def test_an_owner_that_cannot_judge_a_login_in_time_loses_the_peer() -> None:
    session = Cimd2Session("smsc", now_ms=0)
    session.receive(encode(Login(1, user_identity="us")), 9_000)

    assert session.tick(18_999) == []
    assert session.tick(19_000) == [Closed("no login in time", clean=True)]


def test_a_request_without_an_answer_times_out_and_the_session_lives() -> None:
    pair = bound(Settings(window=10, response_timeout_ms=10_000, **_NEVER_IDLE))
    early, late = an_mt(b"early"), an_mt(b"late")
    pair.esme.send(early, 0)
    pair.esme.send(late, 500)

    assert pair.esme.deadline_ms() == 10_000
    assert pair.esme.tick(10_000) == [Unanswered(early, "timeout")]
    assert pair.esme.deadline_ms() == 10_500
    assert pair.esme.room == 9

    assert pair.esme.receive(encode(SubmitResp(early.sequence, error=1)), 10_001) == []
    assert pair.esme.ignored == 1
    assert pair.esme.state is State.BOUND


def test_a_session_whose_next_number_was_never_answered_ends_when_nothing_else_is_under_way() -> None:
    pair = bound(Settings(window=10, response_timeout_ms=10_000, **_NEVER_IDLE))
    lost = an_mt()
    pair.esme.send(lost, 0)
    assert pair.esme.tick(10_000) == [Unanswered(lost, "timeout")]
    for number in range(127):
        last = an_mt(b"%d" % number)
        pair.esme.send(last, 20_000)
        if number < 126:
            pair.esme.receive(encode(SubmitResp(last.sequence, error=1)), 20_000)

    assert pair.esme.room == 0
    assert pair.esme.tick(20_000) == []  # the last may still be answered
    answered = SubmitResp(last.sequence, error=1)
    assert pair.esme.receive(encode(answered), 20_001) == [Answered(last, answered)]
    assert pair.esme.deadline_ms() == 20_001
    reason = "packet 003 was never answered, and its number would be the next"
    assert pair.esme.tick(20_001) == [Closed(reason, clean=False)]


def test_its_late_answer_saves_the_session() -> None:
    pair = bound(Settings(window=10, response_timeout_ms=10_000, **_NEVER_IDLE))
    pair.esme.send(an_mt(), 0)
    pair.esme.tick(10_000)
    for _ in range(127):
        number = pair.esme.send(an_mt(), 20_000)
        pair.esme.receive(encode(SubmitResp(number, error=1)), 20_000)

    assert pair.esme.receive(encode(SubmitResp(3, error=1)), 20_000) == []

    assert pair.esme.tick(20_000) == []
    assert pair.esme.room == 10


def test_an_idle_link_is_asked_and_lives_on_its_answer() -> None:
    pair = bound()

    assert pair.esme.deadline_ms() == 30_000
    assert pair.esme.tick(29_999) == []
    assert pair.esme.tick(30_000) == []
    alive = decode(pair.esme.output())
    assert isinstance(alive, Alive)
    assert pair.esme.deadline_ms() == 90_000
    assert pair.esme.receive(encode(AliveResp(alive.sequence)), 30_200) == []
    assert pair.esme.deadline_ms() == 60_200


def test_the_centre_asks_too_by_an_even_number_and_is_answered() -> None:
    pair = bound()
    pair.now_ms = 30_000
    pair.smsc.tick(30_000)

    assert pair.to_esme() == []
    assert pair.to_smsc() == []
    assert pair.smsc._flights.next_number == 2
    assert pair.smsc.deadline_ms() == 60_000


def test_a_link_that_hears_something_is_not_asked() -> None:
    pair = bound()

    pair.esme.receive(encode(an_mo()), 29_000)

    assert pair.esme.tick(58_999) == []
    assert pair.esme.output() == b""
    pair.esme.tick(59_000)
    assert isinstance(decode(pair.esme.output()), Alive)


def test_a_link_with_something_under_way_is_not_asked_until_that_has_timed_out() -> None:
    pair = bound()
    message = an_mt()
    pair.esme.send(message, 0)
    pair.esme.output()

    assert pair.esme.tick(30_000) == []
    assert pair.esme.output() == b""
    assert pair.esme.deadline_ms() == 60_000
    assert pair.esme.tick(60_000) == [Unanswered(message, "timeout")]
    assert isinstance(decode(pair.esme.output()), Alive)


def test_what_is_sent_while_an_alive_is_on_its_way_waits_for_it_where_one_at_a_time_goes() -> None:
    pair = bound()
    pair.esme.tick(30_000)
    alive = decode(pair.esme.output())
    message = an_mt()

    assert pair.esme.room == 1
    pair.esme.send(message, 30_001)
    assert pair.esme.output() == b""
    assert pair.esme.receive(encode(AliveResp(alive.sequence)), 30_100) == []

    assert decode(pair.esme.output()) == message


def test_a_dead_link_is_closed_and_what_flew_is_lost() -> None:
    pair = bound(Settings(window=10, **_SHORT))
    pair.esme.tick(30_000)
    message = an_mt()
    pair.esme.send(message, 35_000)

    assert pair.esme.tick(39_999) == []
    assert pair.esme.tick(40_000) == [Unanswered(message, "lost"), Closed("no answer to alive", clean=False)]


def test_a_peer_that_drips_octets_is_not_heard() -> None:
    pair = bound(Settings(**_SHORT))
    for now_ms in range(0, 40_000, 1_000):
        pair.esme.receive(b"\2", now_ms) if now_ms < 2_000 else pair.esme.tick(now_ms)

    assert pair.esme.tick(40_000)[-1] == Closed("no answer to alive", clean=False)


def test_a_silent_centre_is_logged_out_of_then_closed() -> None:
    pair = bound(Settings(enquire_ms=0))

    assert pair.esme.deadline_ms() == 120_000
    assert pair.esme.tick(120_000) == []
    logout = decode(pair.esme.output())
    assert isinstance(logout, Logout)
    assert pair.esme.state is State.UNBINDING
    assert pair.esme.receive(encode(LogoutResp(logout.sequence)), 120_100) == [
        Closed("nothing received for 120000 ms", clean=True)
    ]


def test_a_centre_that_is_gone_does_not_answer_the_logout_either() -> None:
    pair = bound(Settings(enquire_ms=0, **_SHORT))
    pair.esme.tick(120_000)

    assert pair.esme.deadline_ms() == 130_000
    assert pair.esme.tick(130_000) == [Closed("no answer to logout", clean=False)]


def test_a_silent_application_is_closed_at_once_since_a_centre_cannot_log_out() -> None:
    pair = bound(None, Settings(enquire_ms=0))
    mo = an_mo()
    pair.smsc.send(mo, 119_000)

    assert pair.smsc.tick(119_999) == []
    assert pair.smsc.tick(120_000) == [
        Unanswered(mo, "lost"),
        Closed("nothing received for 120000 ms", clean=False),
    ]


def test_a_logout_ends_when_the_last_request_has_timed_out() -> None:
    pair = bound(Settings(window=10, **_SHORT))
    message, logout = an_mt(), Logout()
    pair.esme.send(message, 0)
    pair.esme.send(logout, 5_000)
    pair.esme.receive(encode(LogoutResp(logout.sequence)), 5_100)

    assert pair.esme.state is State.UNBINDING
    assert pair.esme.tick(10_000) == [Unanswered(message, "timeout"), Closed("logged out", clean=True)]


def test_a_logout_that_is_held_goes_out_when_what_it_waited_for_has_timed_out() -> None:
    pair = bound(Settings(**_SHORT))
    message, logout = an_mt(), Logout()
    pair.esme.send(message, 0)
    pair.esme.send(logout, 5_000)
    pair.esme.output()

    assert pair.esme.tick(10_000) == [Unanswered(message, "timeout")]
    assert decode(pair.esme.output()) == logout
    assert pair.esme.tick(15_000) == [Unanswered(logout, "timeout"), Closed("no answer to logout", clean=False)]


def test_the_owner_s_own_question_is_answered_to_the_owner() -> None:
    pair = bound(WIDE)
    questions = [Alive(), Alive()]
    for question in questions:
        pair.esme.send(question, 0)

    answer = AliveResp(questions[0].sequence)
    assert pair.esme.receive(encode(answer), 1) == [Answered(questions[0], answer)]

    assert pair.esme.tick(60_000) == [
        Unanswered(questions[1], "timeout"),
        Closed("no answer to alive", clean=False),
    ]


def test_the_timers_of_a_bound_side_begin_with_the_login() -> None:
    pair = Pair()
    pair.esme.send(Login(user_identity="us"), 0)
    pair.now_ms = 8_000
    (request,) = pair.to_smsc()
    pair.smsc.tick(9_000)

    pair.smsc.answer(request, LoginResp())  # type: ignore[arg-type]

    assert pair.smsc.tick(9_000) == [Bound(request)]
    assert pair.smsc.deadline_ms() == 39_000


def test_a_tick_too_early_or_too_often_does_nothing() -> None:
    pair = bound()
    pair.esme.send(an_mt(), 0)
    pair.esme.output()

    assert [event for now_ms in range(0, 59_999, 7) for event in pair.esme.tick(now_ms)] == []
    assert pair.esme.output() == b""


def test_the_session_always_says_when_it_wants_to_be_woken() -> None:
    pair = bound(Settings(window=5))
    for _ in range(5):
        pair.esme.send(an_mt(), 0)
    pair.esme.output()
    now_ms, events = 0, []

    while (deadline_ms := pair.esme.deadline_ms()) is not None:
        assert deadline_ms > now_ms
        now_ms = deadline_ms
        events += pair.esme.tick(now_ms)

    assert now_ms == 120_000  # 60 s for the answers, then an alive that is not answered either
    assert [type(event) for event in events] == [Unanswered] * 5 + [Closed]
