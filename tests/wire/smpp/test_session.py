"""A session: binding, answering, windows, refusals, and both ways of unbinding."""

import pytest

from tests.wire.smpp.makers import BINDS, Pair, an_mo, an_mt, bound
from wire.errors import LocalError
from wire.session import Answered, Bound, Closed, Unanswered
from wire.smpp import (
    AlertNotification,
    BindTransceiver,
    BindTransceiverResp,
    DataSm,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    Outbind,
    Settings,
    SmppSession,
    State,
    SubmitSmResp,
    Unbind,
    UnbindResp,
    decode,
    encode,
    response_to,
)

_UNKNOWN = bytes.fromhex("0000001000000077000000000000002a")


# --- binding --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", BINDS)
def test_a_bind_binds_both_sides(way: str) -> None:
    pair = Pair()
    bind = BINDS[way](system_id="us", password="secret")

    pair.esme.send(bind, 0)
    (request,) = pair.to_smsc()
    assert request == bind
    assert pair.smsc.state is State.BINDING
    answer = response_to(request, system_id="them")
    pair.smsc.answer(request, answer)

    assert pair.smsc.deadline_ms() == 0  # an event is due
    assert pair.smsc.tick(0) == [Bound(request)]
    assert pair.to_esme() == [Bound(answer)]
    assert pair.esme.state is pair.smsc.state is State(f"bound_{way}")


def test_a_refused_bind_closes_both_sides() -> None:
    pair = Pair()
    bind = BindTransceiver(system_id="us", password="wrong")

    pair.esme.send(bind, 0)
    (request,) = pair.to_smsc()
    pair.smsc.answer(request, BindTransceiverResp(status=0x0E))  # type: ignore[arg-type]

    assert pair.to_esme() == [
        Answered(bind, BindTransceiverResp(1, 0x0E)),
        Closed("bind refused: 0x0E ESME_RINVPASWD: password wrong", clean=True),
    ]
    assert [type(event) for event in pair.smsc.tick(0)] == [Closed]
    assert pair.smsc.tick(0) == []
    assert pair.smsc.deadline_ms() is None


def test_a_generic_nack_refuses_a_bind_too() -> None:
    pair = Pair()
    bind = BindTransceiver(system_id="us")
    sequence = pair.esme.send(bind, 0)

    events = pair.esme.receive(encode(GenericNack(sequence, 0x03)), 0)

    assert events[0] == Answered(bind, GenericNack(1, 0x03))
    assert isinstance(events[1], Closed)


def test_an_outbind_asks_for_a_bind() -> None:
    pair = Pair()

    pair.smsc.send(Outbind(system_id="them"), 0)

    assert pair.to_esme() == [Outbind(1, system_id="them")]
    assert {pair.esme.state, pair.smsc.state} == {State.OUTBOUND}
    pair.bind()
    assert {pair.esme.state, pair.smsc.state} == {State.BOUND_TRX}


# --- messages -------------------------------------------------------------------------------------------


def test_an_mo_is_handed_out_and_answered() -> None:
    pair = bound()
    mo = an_mo()

    pair.smsc.send(mo, 0)
    (request,) = pair.to_esme()
    assert request == mo
    assert isinstance(request, DeliverSm)
    assert pair.esme.owes(request)
    pair.esme.answer(request, DeliverSmResp(status=0x64))

    assert not pair.esme.owes(request)
    assert pair.to_smsc() == [Answered(mo, DeliverSmResp(mo.sequence, 0x64))]


def test_answers_may_come_in_any_order() -> None:
    pair = bound()
    messages = [an_mt(text=b"%d" % number) for number in range(5)]
    for message in messages:
        pair.esme.send(message, 0)

    requests = pair.to_smsc()
    for request in reversed(requests):
        pair.smsc.answer(request, SubmitSmResp(message_id="7"))  # type: ignore[arg-type]

    answered = [event.request for event in pair.to_esme() if isinstance(event, Answered)]
    assert answered == messages[::-1]


def test_an_answer_is_given_once_and_by_its_own_response() -> None:
    pair = bound()
    pair.smsc.send(an_mo(), 0)
    (request,) = pair.to_esme()
    assert isinstance(request, DeliverSm)

    with pytest.raises(LocalError):
        pair.esme.answer(request, SubmitSmResp())
    pair.esme.answer(request, DeliverSmResp())

    for again in (request, an_mo()):
        with pytest.raises(LocalError) as error:
            pair.esme.answer(again, DeliverSmResp())
        assert (error.value.role, error.value.operation) == ("esme", "deliver_sm_resp")


def test_a_generic_nack_may_answer_and_counts_as_an_answer() -> None:
    pair = bound()
    message = an_mt()
    pair.esme.send(message, 0)
    (request,) = pair.to_smsc()

    pair.smsc.answer(request, GenericNack(status=0x58))  # type: ignore[arg-type]

    assert pair.to_esme() == [Answered(message, GenericNack(message.sequence, 0x58))]


@pytest.mark.parametrize("sequence", [0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_the_peer_s_odd_numbers_are_echoed(sequence: int) -> None:
    pair = bound()

    (request,) = pair.esme.receive(encode(an_mo(sequence=sequence)), 0)
    pair.esme.answer(request, DeliverSmResp())  # type: ignore[arg-type]

    assert decode(pair.esme.output()) == DeliverSmResp(sequence)


def test_two_requests_of_one_number_get_two_answers() -> None:
    pair = bound()
    one, two = pair.esme.receive(encode(an_mo(b"one", sequence=5)) + encode(an_mo(b"two", sequence=5)), 0)

    pair.esme.answer(two, DeliverSmResp(status=0x64))  # type: ignore[arg-type]
    pair.esme.answer(one, DeliverSmResp())  # type: ignore[arg-type]

    assert pair.esme.output() == encode(DeliverSmResp(5, 0x64)) + encode(DeliverSmResp(5))


def test_data_sm_goes_both_ways_between_owners_that_serve_it() -> None:
    serving = Settings(serves=frozenset({DataSm}))
    pair = bound(serving, serving)

    pair.esme.send(DataSm(destination_addr="1"), 0)
    pair.smsc.send(DataSm(destination_addr="2"), 0)

    assert pair.to_smsc() == [DataSm(2, destination_addr="1")]
    assert pair.to_esme() == [DataSm(1, destination_addr="2")]


def test_an_alert_is_handed_out_and_gets_no_answer() -> None:
    pair = bound()

    pair.smsc.send(AlertNotification(source_addr="237670000001"), 0)

    assert pair.to_esme() == [AlertNotification(1, source_addr="237670000001")]
    assert pair.esme.output() == b""


# --- numbers and windows --------------------------------------------------------------------------------


def test_numbers_wrap_and_skip_those_in_flight() -> None:
    session = SmppSession("smsc", Settings(window=3), now_ms=0, first_sequence=0x7FFFFFFE)
    session.receive(encode(BindTransceiver(1, system_id="us")), 0)
    (bind,) = session._owed.values()
    session.answer(bind, BindTransceiverResp())

    assert [session.send(an_mo(), 0) for _ in range(3)] == [0x7FFFFFFE, 0x7FFFFFFF, 1]
    session.receive(encode(DeliverSmResp(0x7FFFFFFF)), 0)
    session._last_sequence = 0x7FFFFFFD
    assert session.send(an_mo(), 0) == 0x7FFFFFFF


def test_a_full_window_has_no_room_and_an_answer_makes_some() -> None:
    pair = bound(Settings(window=2))

    assert pair.esme.room == 2
    first = pair.esme.send(an_mt(), 0)
    pair.esme.send(an_mt(), 0)

    assert (pair.esme.room, pair.esme.in_flight) == (0, 2)
    with pytest.raises(LocalError, match="window of 2"):
        pair.esme.send(an_mt(), 0)
    pair.esme.receive(encode(SubmitSmResp(first, message_id="7")), 0)
    assert pair.esme.room == 1


def test_a_side_that_may_not_talk_has_no_room() -> None:
    receiver = Pair().bind(BINDS["rx"](system_id="us"))

    assert Pair().esme.room == 0
    assert (receiver.esme.room, receiver.smsc.room) == (0, 10)


def test_more_than_the_peer_s_window_gets_the_busy_status_at_once() -> None:
    pair = bound(Settings(window_in=2, busy_status=0x14), Settings(window=5))
    for _ in range(4):
        pair.smsc.send(an_mo(), 0)

    requests = pair.to_esme()
    answers = pair.to_smsc()

    assert len(requests) == 2
    assert [answer.response.status for answer in answers if isinstance(answer, Answered)] == [0x14, 0x14]
    assert pair.esme.refused == 2
    pair.esme.answer(requests[0], DeliverSmResp())  # type: ignore[arg-type]
    pair.smsc.send(an_mo(), 0)
    assert len(pair.to_esme()) == 1


def test_enquire_link_is_answered_even_when_both_windows_are_full() -> None:
    pair = bound(Settings(window_in=1), Settings(window=1))
    pair.smsc.send(an_mo(), 0)
    pair.to_esme()

    enquiry = EnquireLink()
    pair.smsc.send(enquiry, 0)

    assert pair.to_esme() == []
    assert pair.to_smsc() == [Answered(enquiry, EnquireLinkResp(enquiry.sequence))]


def test_an_allowance_bounds_the_room_and_grows_with_time() -> None:
    pair = bound(Settings(max_tps=10))

    assert pair.esme.room == 1
    pair.esme.send(an_mt(), 0)
    with pytest.raises(LocalError, match="per second"):
        pair.esme.send(an_mt(), 99)
    assert (pair.esme.room_at(99), pair.esme.room_at_ms(99)) == (0, 100)
    pair.esme.send(an_mt(), 100)


def test_throttling_halves_the_allowance() -> None:
    pair = bound(Settings(max_tps=10))

    pair.esme.throttled(0)

    assert pair.esme.room_at_ms(0) == 200
    assert pair.esme.room_at(199) == 0
    assert pair.esme.room_at(200) == 1


# --- what a peer should not do --------------------------------------------------------------------------


def test_an_unknown_request_gets_a_generic_nack_and_the_link_lives() -> None:
    pair = bound()

    assert pair.esme.receive(_UNKNOWN + encode(an_mo(sequence=9)), 0) == [an_mo(sequence=9)]
    assert decode(pair.esme.output()) == GenericNack(42, 0x03)


def test_responses_to_nothing_are_ignored_and_counted() -> None:
    pair = bound()
    sequence = pair.esme.send(an_mt(), 0)

    stray = [SubmitSmResp(999), DeliverSmResp(sequence), GenericNack(0, 0x02), EnquireLinkResp(sequence)]
    events = pair.esme.receive(b"".join(map(encode, stray)), 0)

    assert events == []
    assert pair.esme.ignored == 4
    assert pair.esme.receive(encode(SubmitSmResp(sequence)), 0) != []


def test_a_lost_stream_gets_a_nack_with_number_0_and_everything_in_flight_is_lost() -> None:
    pair = bound()
    message = an_mt()
    pair.esme.send(message, 0)
    pair.esme.output()

    events = pair.esme.receive(encode(an_mo(sequence=5)) + bytes(4) + encode(an_mo()), 0)

    assert events == [an_mo(sequence=5), Unanswered(message, "lost"), Closed("command_length 0x00000000", clean=False)]
    assert decode(pair.esme.output()) == GenericNack(0, 0x02)


def test_a_peer_that_hangs_up_leaves_requests_unanswered() -> None:
    pair = bound()
    message = an_mt()
    pair.esme.send(message, 0)
    (mo,) = pair.esme.receive(encode(an_mo(sequence=5)), 0)

    events = pair.esme.receive(b"", 0)

    assert events == [Unanswered(message, "lost"), Closed("the peer closed the connection", clean=False)]
    assert pair.esme.receive(encode(an_mo()), 1) == []
    assert pair.esme.tick(99_999) == []
    assert pair.esme.deadline_ms() is None
    for say in (lambda: pair.esme.send(an_mt(), 1), lambda: pair.esme.answer(mo, DeliverSmResp())):  # type: ignore[arg-type]
        with pytest.raises(LocalError) as error:
            say()
        assert error.value.state == "closed"


def test_a_peer_that_never_bound_leaves_cleanly() -> None:
    assert SmppSession("smsc", now_ms=0).receive(b"", 1) == [Closed("the peer closed the connection", clean=True)]


# --- unbinding ------------------------------------------------------------------------------------------


def test_our_unbind_waits_for_what_is_in_flight() -> None:
    pair = bound()
    message, unbind = an_mt(), Unbind()
    pair.esme.send(message, 0)
    pair.esme.send(unbind, 0)

    with pytest.raises(LocalError):
        pair.esme.send(an_mt(), 0)
    assert pair.esme.receive(encode(UnbindResp(unbind.sequence)), 1) == [Answered(unbind, UnbindResp(unbind.sequence))]
    events = pair.esme.receive(encode(SubmitSmResp(message.sequence, message_id="7")), 2)

    assert events == [Answered(message, SubmitSmResp(message.sequence, message_id="7")), Closed("unbound", clean=True)]


def test_the_peer_s_unbind_is_answered_and_ends_the_session() -> None:
    pair = bound()
    message, unbind = an_mt(), Unbind()
    pair.esme.send(message, 0)
    pair.smsc.send(unbind, 0)

    assert pair.to_esme() == [Unanswered(message, "lost"), Closed("the peer unbound", clean=True)]
    said = pair.esme.output()
    assert said.endswith(encode(UnbindResp(unbind.sequence)))
    assert pair.smsc.receive(said, 0)[-1] == Closed("unbound", clean=True)


def test_requests_that_arrive_while_we_unbind_are_put_off() -> None:
    pair = bound()
    pair.smsc.send(an_mo(), 0)
    pair.esme.send(Unbind(), 0)

    assert pair.to_esme() == []
    frames = pair.esme.output()
    assert decode(frames[16:]) == DeliverSmResp(1, 0x58)


def test_a_peer_that_hangs_up_on_our_unbind_is_clean() -> None:
    pair = bound()
    unbind = Unbind()
    pair.esme.send(unbind, 0)

    assert pair.esme.receive(b"", 1) == [
        Unanswered(unbind, "lost"),
        Closed("the peer closed the connection", clean=True),
    ]


def test_two_unbinds_that_cross_end_both_sides() -> None:
    pair = bound()
    pair.esme.send(Unbind(), 0)
    pair.smsc.send(Unbind(), 0)
    said = pair.esme.output()

    assert isinstance(pair.to_esme()[-1], Closed)
    assert pair.smsc.receive(said, 0)[-1] == Closed("the peer unbound", clean=True)
