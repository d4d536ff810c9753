"""What a session does as time passes; the clock is a number."""

from tests.wire.smpp.makers import Pair, an_mo, an_mt, bound
from wire.session import Answered, Bound, Closed, Unanswered
from wire.smpp import (
    BindTransceiver,
    BindTransceiverResp,
    EnquireLink,
    EnquireLinkResp,
    Settings,
    SmppSession,
    State,
    SubmitSmResp,
    Unbind,
    UnbindResp,
    decode,
    encode,
)

_NEVER_IDLE = Settings(enquire_ms=0, inactivity_ms=0)


def test_a_connection_that_does_not_bind_in_time_is_closed() -> None:
    for session, missing in ((SmppSession("smsc", now_ms=100), "bind"), (SmppSession("esme", now_ms=100), "outbind")):
        assert session.deadline_ms() == 10_100
        assert session.tick(10_099) == []
        assert session.tick(10_100) == [Closed(f"no {missing} in time", clean=True)]
        assert session.tick(20_000) == []


def test_noise_does_not_put_off_the_bind() -> None:
    session = SmppSession("smsc", now_ms=0)

    for now_ms in range(0, 10_000, 1000):
        session.receive(encode(EnquireLink(1)), now_ms)

    assert session.tick(10_000) == [Closed("no bind in time", clean=True)]


def test_a_bind_without_an_answer_is_given_up() -> None:
    session = SmppSession("esme", Settings(bind_timeout_ms=5_000), now_ms=0)
    bind = BindTransceiver(system_id="us")
    session.send(bind, 1_000)

    assert session.deadline_ms() == 6_000
    assert session.tick(6_000) == [Unanswered(bind, "timeout"), Closed("no answer to bind_transceiver", clean=True)]


def test_an_owner_that_cannot_judge_a_bind_in_time_loses_the_peer() -> None:
    session = SmppSession("smsc", now_ms=0)
    session.receive(encode(BindTransceiver(1, system_id="us")), 9_000)

    assert session.tick(18_999) == []
    assert session.tick(19_000) == [Closed("no bind in time", clean=True)]


def test_a_request_without_an_answer_times_out_and_the_session_lives() -> None:
    pair = bound(_NEVER_IDLE)
    early, late = an_mt(b"early"), an_mt(b"late")
    pair.esme.send(early, 0)
    pair.esme.send(late, 500)

    assert pair.esme.deadline_ms() == 10_000
    assert pair.esme.tick(10_000) == [Unanswered(early, "timeout")]
    assert pair.esme.deadline_ms() == 10_500
    assert pair.esme.room == 9

    assert pair.esme.receive(encode(SubmitSmResp(early.sequence, message_id="7")), 10_001) == []
    assert pair.esme.ignored == 1
    assert pair.esme.state is State.BOUND_TRX


def test_an_idle_link_is_asked_and_lives_on_its_answer() -> None:
    pair = bound()

    assert pair.esme.deadline_ms() == 30_000
    assert pair.esme.tick(29_999) == []
    assert pair.esme.tick(30_000) == []
    enquiry = decode(pair.esme.output())
    assert isinstance(enquiry, EnquireLink)
    assert pair.esme.deadline_ms() == 40_000
    assert pair.esme.receive(encode(EnquireLinkResp(enquiry.sequence)), 30_200) == []
    assert pair.esme.deadline_ms() == 60_200


def test_a_link_that_hears_something_is_not_asked() -> None:
    pair = bound()

    pair.esme.receive(encode(an_mo(sequence=1)), 29_000)

    assert pair.esme.tick(58_999) == []
    assert pair.esme.output() == b""
    pair.esme.tick(59_000)
    assert len(pair.esme.output()) == 16


def test_a_dead_link_is_closed_and_what_flew_is_lost() -> None:
    pair = bound(Settings(response_timeout_ms=20_000))
    message = an_mt()
    pair.esme.tick(30_000)
    pair.esme.send(message, 45_000)

    assert pair.esme.tick(49_999) == []
    assert pair.esme.tick(50_000) == [
        Unanswered(message, "lost"),
        Closed("no answer to enquire_link", clean=False),
    ]


def test_a_peer_that_drips_octets_is_not_heard() -> None:
    pair = bound()
    for now_ms in range(0, 40_000, 1_000):
        pair.esme.receive(b"\0", now_ms) if now_ms < 2_000 else pair.esme.tick(now_ms)

    assert pair.esme.tick(40_000)[-1] == Closed("no answer to enquire_link", clean=False)


def test_a_silent_peer_is_unbound_then_closed() -> None:
    pair = bound(None, Settings(enquire_ms=0))

    assert pair.smsc.deadline_ms() == 120_000
    assert pair.smsc.tick(120_000) == []
    unbind = decode(pair.smsc.output())
    assert isinstance(unbind, Unbind)
    assert pair.smsc.state is State.UNBINDING
    assert pair.smsc.receive(encode(UnbindResp(unbind.sequence)), 120_100) == [
        Closed("nothing received for 120000 ms", clean=True)
    ]


def test_a_peer_that_is_gone_does_not_answer_the_unbind_either() -> None:
    pair = bound(None, Settings(enquire_ms=0))
    pair.smsc.tick(120_000)

    assert pair.smsc.deadline_ms() == 130_000
    assert pair.smsc.tick(130_000) == [Closed("no answer to unbind", clean=False)]


def test_an_unbind_ends_when_the_last_request_has_timed_out() -> None:
    pair = bound()
    message, unbind = an_mt(), Unbind()
    pair.esme.send(message, 0)
    pair.esme.send(unbind, 5_000)
    pair.esme.receive(encode(UnbindResp(unbind.sequence)), 5_100)

    assert pair.esme.state is State.UNBINDING
    assert pair.esme.tick(10_000) == [Unanswered(message, "timeout"), Closed("unbound", clean=True)]


def test_the_owner_s_enquiry_is_answered_to_the_owner() -> None:
    pair = bound()
    enquiries = [EnquireLink(), EnquireLink()]
    for enquiry in enquiries:
        pair.esme.send(enquiry, 0)

    answer = EnquireLinkResp(enquiries[0].sequence)
    assert pair.esme.receive(encode(answer), 1) == [Answered(enquiries[0], answer)]
    pair.esme.send(enquiries[0], 2)

    assert pair.esme.tick(10_002) == [
        Unanswered(enquiries[1], "timeout"),
        Unanswered(enquiries[0], "timeout"),
        Closed("no answer to enquire_link", clean=False),
    ]


def test_a_silent_peer_with_an_enquiry_in_flight_ends_without_events_of_ours() -> None:
    pair = bound(Settings(enquire_ms=30_000, inactivity_ms=35_000))
    pair.esme.tick(30_000)
    pair.esme.tick(35_000)

    assert pair.esme.state is State.UNBINDING
    assert pair.esme.tick(45_000) == [Closed("no answer to enquire_link", clean=False)]


def test_the_timers_of_a_bound_side_begin_with_the_bind() -> None:
    pair = Pair()
    pair.esme.send(BindTransceiver(system_id="us"), 0)
    pair.now_ms = 8_000
    (request,) = pair.to_smsc()
    pair.smsc.tick(9_000)

    pair.smsc.answer(request, BindTransceiverResp())  # type: ignore[arg-type]

    assert pair.smsc.tick(9_000) == [Bound(request)]
    assert pair.smsc.deadline_ms() == 39_000


def test_a_tick_too_early_or_too_often_does_nothing() -> None:
    pair = bound()
    pair.esme.send(an_mt(), 0)
    pair.esme.output()

    assert [event for now_ms in range(9_999) for event in pair.esme.tick(now_ms)] == []
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

    assert now_ms == 40_000
    assert [type(event) for event in events] == [Unanswered] * 5 + [Closed]
