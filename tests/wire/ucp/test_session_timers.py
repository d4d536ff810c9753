"""What a session does as time passes; the clock is a number."""

from tests.wire.ucp.makers import Pair, a_login, an_mo, an_mt, bound, read
from wire.session import Answered, Bound, Closed, Unanswered
from wire.ucp import Alert, OpenSession, Result, Settings, State, UcpSession, encode, result_to

_NEVER_IDLE = Settings(keepalive_ms=0, inactivity_ms=0)


def test_a_connection_that_does_not_log_in_in_time_is_closed() -> None:
    for session in (UcpSession("smsc", now_ms=100), UcpSession("esme", now_ms=100)):
        assert session.deadline_ms() == 10_100
        assert session.tick(10_099) == []
        assert session.tick(10_100) == [Closed("no login in time", clean=True)]
        assert session.tick(20_000) == []


def test_noise_does_not_put_off_the_login() -> None:
    session = UcpSession("smsc", now_ms=0)

    for now_ms in range(0, 10_000, 1000):
        session.receive(b"noise" + encode(Alert(adc="1")), now_ms)

    assert session.tick(10_000) == [Closed("no login in time", clean=True)]


def test_a_login_without_a_result_is_given_up() -> None:
    session = UcpSession("esme", Settings(login_timeout_ms=5_000), now_ms=0)
    login = a_login()
    session.send(login, 1_000)

    assert session.deadline_ms() == 6_000
    assert session.tick(6_000) == [Unanswered(login, "timeout"), Closed("no answer to open_session", clean=True)]


def test_an_owner_that_cannot_judge_a_login_in_time_loses_the_peer() -> None:
    session = UcpSession("smsc", now_ms=0)
    session.receive(encode(a_login()), 9_000)

    assert session.tick(18_999) == []
    assert session.tick(19_000) == [Closed("no login in time", clean=True)]


def test_a_request_without_a_result_times_out_and_the_session_lives() -> None:
    pair = bound(_NEVER_IDLE)
    early, late = an_mt(b"early"), an_mt(b"late")
    pair.esme.send(early, 0)
    pair.esme.send(late, 500)

    assert pair.esme.deadline_ms() == 60_000
    assert pair.esme.tick(60_000) == [Unanswered(early, "timeout")]
    assert pair.esme.deadline_ms() == 60_500
    assert pair.esme.room == 98, "one is in flight, one number is parked"

    assert pair.esme.receive(encode(Result(early.sequence, "51", sm="late")), 60_001) == []
    assert (pair.esme.ignored, pair.esme.room) == (1, 99)
    assert pair.esme.state is State.BOUND


def test_an_idle_link_is_asked_and_lives_on_any_result() -> None:
    for ec in (0, 6):
        pair = bound()

        assert pair.esme.deadline_ms() == 30_000
        assert pair.esme.tick(29_999) == []
        assert pair.esme.tick(30_000) == []
        alert = read(pair.esme.output())
        assert alert == Alert(alert.sequence, "8511", "0539")
        assert pair.esme.deadline_ms() == 40_000
        assert pair.esme.receive(encode(Result(alert.sequence, "31", ec)), 30_200) == []
        assert pair.esme.deadline_ms() == 60_200


def test_a_link_that_hears_something_is_not_asked() -> None:
    pair = bound()

    pair.esme.receive(encode(an_mo(sequence=1)), 29_000)

    assert pair.esme.tick(58_999) == []
    assert pair.esme.output() == b""
    pair.esme.tick(59_000)
    assert isinstance(read(pair.esme.output()), Alert)


def test_a_centre_says_no_31_of_its_own() -> None:
    pair = bound()

    pair.smsc.tick(119_999)

    assert pair.smsc.output() == b""
    assert pair.smsc.deadline_ms() == 120_000


def test_a_dead_link_is_closed_and_what_flew_is_lost() -> None:
    pair = bound()
    message = an_mt()
    pair.esme.tick(30_000)
    pair.esme.send(message, 35_000)

    assert pair.esme.tick(39_999) == []
    assert pair.esme.tick(40_000) == [Unanswered(message, "lost"), Closed("no answer to alert", clean=False)]


def test_a_peer_that_drips_octets_is_not_heard() -> None:
    pair = bound()
    for now_ms in range(0, 40_000, 1_000):
        pair.esme.receive(b"\2", now_ms) if now_ms < 2_000 else pair.esme.tick(now_ms)

    assert pair.esme.tick(40_000)[-1] == Closed("no answer to alert", clean=False)


def test_a_silent_client_is_closed() -> None:
    idle, owing = bound(), bound()
    owing.smsc.receive(encode(an_mt()), 0)

    assert idle.smsc.deadline_ms() == 120_000
    assert idle.smsc.tick(120_000) == [Closed("nothing received for 120000 ms", clean=True)]
    assert owing.smsc.tick(120_000) == [Closed("nothing received for 120000 ms", clean=False)]


def test_a_silent_centre_is_left_when_there_is_no_number_for_a_31() -> None:
    pair = bound(Settings(window=100, keepalive_ms=5_000, response_timeout_ms=200_000))
    for _ in range(100):
        pair.esme.send(an_mt(), 0)
    pair.esme.output()

    assert pair.esme.deadline_ms() == 120_000
    assert pair.esme.tick(119_999) == []
    events = pair.esme.tick(120_000)

    assert [type(event) for event in events] == [Unanswered] * 100 + [Closed]
    assert events[-1] == Closed("nothing received for 120000 ms", clean=False)
    assert pair.esme.output() == b""


def test_the_owner_s_alert_is_answered_to_the_owner() -> None:
    pair = bound()
    alerts = [Alert(adc="1"), Alert(adc="2")]
    for alert in alerts:
        pair.esme.send(alert, 0)

    result = Result(alerts[0].sequence, "31", sm="0003")
    assert pair.esme.receive(encode(result), 1) == [Answered(alerts[0], result)]

    assert pair.esme.tick(10_000) == [
        Unanswered(alerts[1], "timeout"),
        Closed("no answer to alert", clean=False),
    ]


def test_the_timers_of_a_bound_side_begin_with_the_login() -> None:
    pair = Pair()
    pair.esme.send(a_login(), 0)
    pair.now_ms = 8_000
    (request,) = pair.to_smsc()
    assert isinstance(request, OpenSession)
    pair.smsc.tick(9_000)

    pair.smsc.answer(request, result_to(request))

    assert pair.smsc.tick(9_000) == [Bound(request)]
    assert pair.smsc.deadline_ms() == 129_000


def test_a_tick_too_early_or_too_often_does_nothing() -> None:
    pair = bound(_NEVER_IDLE)
    pair.esme.send(an_mt(), 0)
    pair.esme.output()

    assert [event for now_ms in range(0, 60_000, 7) for event in pair.esme.tick(now_ms)] == []
    assert pair.esme.output() == b""


def test_the_session_always_says_when_it_wants_to_be_woken() -> None:
    pair = bound(Settings(window=5, response_timeout_ms=20_000))
    for _ in range(5):
        pair.esme.send(an_mt(), 0)
    pair.esme.output()
    now_ms, events = 0, []

    while (deadline_ms := pair.esme.deadline_ms()) is not None:
        assert deadline_ms > now_ms
        now_ms = deadline_ms
        events += pair.esme.tick(now_ms)

    assert now_ms == 40_000
    assert [type(event) for event in events] == [Unanswered] * 5 + [Closed]
