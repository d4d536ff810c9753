"""Our requests under way: numbers, the window, what is held, and what a NACK means."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.wire.cimd2.makers import an_mt
from wire.cimd2 import Alive, AliveResp, Enquire, EnquireResp, GeneralError, Logout, LogoutResp, Request, SubmitResp
from wire.cimd2.flights import Flights, Nacked


def _add(flights: Flights, request: Request, deadline_ms: int = 100) -> bool:
    request.sequence = flights.next_number
    return flights.add(request, deadline_ms)


def _sent(flights: Flights, count: int) -> list[Request]:
    requests: list[Request] = [an_mt() for _ in range(count)]
    assert all(_add(flights, request) for request in requests)
    return requests


def test_answers_in_any_order_free_their_numbers() -> None:
    flights = Flights(1, 3)
    one, three, five = _sent(flights, 3)

    assert (flights.room, flights.counted, flights.next_number) == (0, 3, 7)
    assert flights.answered(SubmitResp(5)) is five
    assert flights.answered(SubmitResp(5)) is None
    assert (flights.room, flights.numbers_left) == (1, 125)
    assert flights.answered(SubmitResp(1)) is one
    assert flights.numbers_left == 126
    assert flights.answered(SubmitResp(3)) is three
    assert (flights.room, flights.numbers_left, len(flights)) == (3, 128, 0)


def test_an_answer_of_another_operation_answers_nothing() -> None:
    flights = Flights(1, 3)
    (one,) = _sent(flights, 1)

    assert flights.answered(EnquireResp(1)) is None
    assert flights.answered(SubmitResp(3)) is None
    assert flights.answered(GeneralError(1, error=1)) is one


def test_a_number_is_used_again_only_when_its_answer_came() -> None:
    flights = Flights(255, 128)
    _sent(flights, 1)
    for _ in range(127):
        (request,) = _sent(flights, 1)
        flights.answered(SubmitResp(request.sequence))

    assert flights.next_number == 255
    assert (flights.room, flights.numbers_left) == (0, 0)
    assert not flights.is_stuck
    flights.answered(SubmitResp(255))
    assert flights.room == 128


def test_the_number_of_a_request_that_timed_out_is_taken_until_its_answer_comes_late() -> None:
    flights = Flights(1, 128)
    (late,) = _sent(flights, 1)
    assert flights.overdue(100) == [late]
    for _ in range(127):
        (request,) = _sent(flights, 1)
        flights.answered(SubmitResp(request.sequence))

    assert flights.is_stuck
    assert flights.answered(EnquireResp(1)) is None
    assert flights.is_stuck
    assert flights.answered(SubmitResp(1)) is None
    assert flights.numbers_left == 128


def test_what_goes_beyond_the_window_is_held_in_order() -> None:
    flights = Flights(1, 1)
    (one,) = _sent(flights, 1)
    alive, logout = Alive(), Logout()

    assert not _add(flights, alive)
    assert not _add(flights, logout)
    assert (flights.counted, len(flights), flights.release()) == (1, 3, [])
    assert flights.answered(AliveResp(3)) is None  # nobody has asked yet
    assert flights.answered(SubmitResp(1)) is one
    assert flights.release() == [alive]
    assert flights.release() == []
    assert flights.answered(AliveResp(3)) is alive
    assert flights.release() == [logout]
    assert flights.answered(LogoutResp(5)) is logout


def test_what_times_out_while_it_is_held_is_never_said() -> None:
    flights = Flights(1, 1)
    (one,) = _sent(flights, 1)
    alive = Alive()
    _add(flights, alive)

    assert flights.overdue(100) == [one, alive]
    assert (flights.release(), flights.counted, len(flights)) == ([], 0, 0)


def test_all_end_when_the_session_does() -> None:
    flights = Flights(1, 1)
    (one,) = _sent(flights, 1)
    alive = Alive()
    _add(flights, alive)

    assert flights.all() == [one, alive]
    assert (len(flights), flights.counted, flights.release(), flights.deadline_ms()) == (0, 0, [], None)


# --- NACKs ----------------------------------------------------------------------------------------------


def test_a_nack_of_a_number_in_flight_says_it_and_all_behind_it_again() -> None:
    flights = Flights(1, 10)
    one, three, five = _sent(flights, 3)

    assert flights.nacked(3, 500) == Nacked("again", (three, five))
    assert [request.sequence for request in (one, three, five)] == [1, 3, 5]
    assert flights.next_number == 7
    assert flights.overdue(100) == [one]
    assert flights.overdue(500) == [three, five]


def test_the_nacks_that_what_stood_behind_it_draws_are_echoes() -> None:
    flights = Flights(1, 10)
    one, three, five = _sent(flights, 3)

    assert flights.nacked(1, 500).requests == (one, three, five)
    assert [flights.nacked(1, 500).what for _ in range(2)] == ["passed over", "passed over"]
    assert flights.nacked(1, 500).what == "again"
    flights.answered(SubmitResp(1))
    assert flights.nacked(3, 500) == Nacked("again", (three, five))


def test_a_single_request_under_a_wrong_number_gets_the_right_one() -> None:
    flights = Flights(1, 1)
    (one,) = _sent(flights, 1)

    assert flights.nacked(49, 500) == Nacked("again", (one,))
    assert (one.sequence, flights.next_number, flights.numbers_left) == (49, 51, 127)
    assert flights.answered(SubmitResp(1)) is None
    assert flights.answered(SubmitResp(49)) is one


def test_a_peer_that_expects_what_we_have_not_said_yet_has_taken_all() -> None:
    flights = Flights(1, 1)
    (one,) = _sent(flights, 1)
    _add(flights, Logout())

    assert flights.nacked(3, 500) == Nacked("passed over")  # the logout is held
    assert flights.nacked(5, 500) == Nacked("passed over")
    assert flights.answered(SubmitResp(1)) is one


def test_a_foreign_number_with_several_on_the_wire_is_unclear() -> None:
    flights = Flights(1, 10)
    _sent(flights, 2)

    assert flights.nacked(49, 500) == Nacked("unclear")
    assert flights.nacked(48, 500) == Nacked("passed over")  # not even ours to use


def test_a_peer_that_waits_for_what_timed_out_is_unclear_once_something_is_on_the_wire() -> None:
    flights = Flights(1, 10)
    _sent(flights, 1)
    flights.overdue(100)

    assert flights.nacked(1, 500) == Nacked("passed over")
    _sent(flights, 1)
    assert flights.nacked(1, 500) == Nacked("unclear")


def test_what_is_held_gets_new_numbers_and_stays_held() -> None:
    flights = Flights(1, 1)
    (one,) = _sent(flights, 1)
    logout = Logout()
    _add(flights, logout)

    assert flights.nacked(9, 500) == Nacked("again", (one,))
    assert (one.sequence, logout.sequence) == (9, 11)
    assert flights.release() == []
    assert flights.answered(SubmitResp(9)) is one
    assert flights.release() == [logout]


def test_after_three_tries_a_request_is_given_up() -> None:
    flights = Flights(1, 1, tries=3)
    (one,) = _sent(flights, 1)

    assert [flights.nacked(number, 500).what for number in (1, 1)] == ["again", "again"]
    assert flights.nacked(1, 500) == Nacked("given up", (one,))
    assert (len(flights), flights.counted) == (0, 0)


def test_an_answer_in_between_begins_the_count_anew() -> None:
    flights = Flights(1, 1)
    _sent(flights, 1)
    for _ in range(5):
        number = (flights.next_number - 2) & 0xFF
        assert [flights.nacked(number, 500).what for _ in range(2)] == ["again", "again"]
        assert flights.answered(SubmitResp(number)) is not None
        _sent(flights, 1)


def test_a_nack_when_nothing_is_under_way_is_passed_over() -> None:
    assert Flights(1, 1).nacked(1, 500) == Nacked("passed over")
    assert Flights(0, 1).nacked(2, 500) == Nacked("passed over")


@given(
    some.lists(some.tuples(some.sampled_from(["add", "link", "answer", "nack", "late"]), some.integers(0, 255))),
    some.integers(1, 5),
)
def test_no_request_is_lost_or_ends_twice_and_no_two_have_one_number(steps: list[tuple[str, int]], size: int) -> None:
    flights = Flights(1, size)
    sent: list[Request] = []
    ended: list[Request] = []
    for now_ms, (step, number) in enumerate(steps):
        if step == "add" and flights.room:
            sent.append(Enquire("1"))  # type: ignore[arg-type]
            _add(flights, sent[-1], now_ms + 50)
        elif step == "link" and flights.numbers_left:
            sent.append(Alive())
            _add(flights, sent[-1], now_ms + 50)
        elif step == "answer" and sent:
            request = sent[number % len(sent)]
            taken = flights.answered(request.response_type(request.sequence))
            ended += [] if taken is None else [taken]
        elif step == "nack":
            nacked = flights.nacked(number, now_ms + 50)
            ended += nacked.requests if nacked.what == "given up" else ()
        elif step == "late":
            ended += flights.overdue(now_ms - number % 3)
        flights.release()
        flying = [request.sequence for request in sent if not any(request is one for one in ended)]
        assert len(flying) == len(flights) == len(set(flying))
        assert 0 <= flights.room <= size
    ended += flights.all()

    assert sorted(map(id, ended)) == sorted(map(id, sent))


@pytest.mark.parametrize("size", [1, 5, 128])
def test_the_room_is_the_window(size: int) -> None:
    flights = Flights(0, size)

    assert flights.room == size
    _sent(flights, size)
    assert flights.room == 0
