"""TRNs, windows and the allowance: how much may be under way, and which number is free."""

import pytest

from tests.wire.ucp.makers import Pair, an_mo, an_mt, bound
from wire.errors import LocalError
from wire.session import Answered
from wire.ucp import (
    Alert,
    Request,
    Result,
    Settings,
    UcpSession,
    encode,
    result_to,
)


def test_numbers_wrap_and_skip_those_in_flight() -> None:
    session = UcpSession("esme", Settings(login=False, window=100), now_ms=0, first_sequence=98)

    assert [session.send(an_mt(), 0) for _ in range(3)] == [98, 99, 0]
    session.receive(encode(Result(99, "51")), 0)
    assert [session.send(an_mt(), 0) for _ in range(98)] == [*range(1, 98), 99]
    assert session.room == 0


def test_a_number_is_free_again_only_when_its_result_has_come() -> None:
    pair = bound(Settings(window=100, response_timeout_ms=1_000, parked_ms=60_000, keepalive_ms=0, inactivity_ms=0))
    for _ in range(100):
        pair.esme.send(an_mt(), 0)
    assert len(pair.esme.tick(1_000)) == 100
    assert (pair.esme.in_flight, pair.esme.room_at(1_000), pair.esme.room_at_ms(1_000)) == (0, 0, 61_000)
    with pytest.raises(LocalError, match="TRN"):
        pair.esme.send(an_mt(), 1_000)

    pair.esme.receive(encode(Result(42, "52")), 2_000)
    assert pair.esme.room == 0, "a result of another type frees nothing"
    assert pair.esme.receive(encode(Result(42, "51", sm="late")), 2_000) == []
    assert (pair.esme.room, pair.esme.ignored) == (1, 2)
    assert pair.esme.send(an_mt(), 2_000) == 42
    assert pair.esme.room_at(60_999) == 0
    assert pair.esme.deadline_ms() == 3_000
    assert pair.esme.room_at(61_000) == 99


def test_a_window_of_one_stops_and_waits() -> None:
    pair = bound(Settings(window=1))

    assert pair.esme.room == 1
    first = pair.esme.send(an_mt(), 0)

    assert (pair.esme.room, pair.esme.in_flight) == (0, 1)
    with pytest.raises(LocalError, match="window of 1"):
        pair.esme.send(an_mt(), 0)
    pair.esme.receive(encode(Result(first, "51")), 0)
    assert pair.esme.room == 1


def test_a_side_that_may_not_talk_has_no_room() -> None:
    assert Pair().esme.room == 0
    assert (bound().esme.room, bound().smsc.room) == (100, 100)


def test_more_than_the_peer_s_window_is_refused_at_once() -> None:
    pair = bound(Settings(window_in=2, busy_ec=55))
    for _ in range(4):
        pair.smsc.send(an_mo(), 0)

    requests = pair.to_esme()
    answers = pair.to_smsc()

    assert len(requests) == 2
    assert [answer.response.ec for answer in answers if isinstance(answer, Answered)] == [55, 55]
    assert pair.esme.refused == 2
    assert isinstance(requests[0], Request)
    pair.esme.answer(requests[0], result_to(requests[0]))
    pair.smsc.send(an_mo(), 0)
    assert len(pair.to_esme()) == 1


def test_an_alert_is_answered_even_when_both_windows_are_full() -> None:
    pair = bound(Settings(window_in=1), Settings(window=1))
    pair.smsc.send(an_mo(), 0)
    pair.to_esme()

    alert = Alert(adc="9")
    pair.smsc.send(alert, 0)

    assert pair.to_esme() == []
    assert pair.to_smsc() == [Answered(alert, Result(alert.sequence, "31", sm="0000"))]


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


def test_what_cannot_be_written_takes_no_number_and_no_room() -> None:
    pair = bound()

    with pytest.raises(LocalError):
        pair.esme.send(an_mt(oadc="a/b"), 0)

    assert pair.esme.room == 100
    assert pair.esme.output() == b""
    assert pair.esme.send(an_mt(), 0) == 1
