"""Requests in flight, and the allowance per second."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wire.window import Allowance, Window


def test_a_window_has_room_until_it_is_full() -> None:
    window = Window(2)

    window.add(1, "one", 100)
    window.add(2, "two", 110)

    assert window.room == 0
    assert window.take(1) == "one"
    assert window.take(1) is None
    assert (window.room, len(window), 2 in window, window.look(2)) == (1, 1, True, "two")


def test_requests_are_overdue_in_the_order_in_which_they_left() -> None:
    window = Window(10)
    for number in range(5):
        window.add(number, f"request {number}", 100 + number)

    assert window.take_overdue(99) == []
    assert window.take_overdue(102) == ["request 0", "request 1", "request 2"]
    assert window.deadline_ms() == 103
    assert window.take_all() == ["request 3", "request 4"]
    assert window.deadline_ms() is None


def test_a_deadline_may_be_told_too_early_but_never_too_late() -> None:
    window = Window(10)
    window.add(1, "one", 100)
    window.add(2, "two", 200)
    window.take(1)

    assert window.deadline_ms() == 100
    assert window.take_overdue(100) == []
    assert window.deadline_ms() == 200


@given(some.lists(some.tuples(some.sampled_from(["add", "take", "tick"]), some.integers(0, 30)), max_size=60))
def test_no_request_is_lost_or_told_twice(steps: list[tuple[str, int]]) -> None:
    window = Window(1000)
    now_ms, sent = 0, 0
    ended: list[int] = []

    for step, number in steps:
        now_ms += number
        if step == "add":
            sent += 1
            window.add(sent, sent, now_ms + 50)
        elif step == "take":
            taken = window.take(number)
            ended += [] if taken is None else [taken]
        else:
            ended += window.take_overdue(now_ms)
            deadline_ms = window.deadline_ms()
            assert deadline_ms is None or deadline_ms > now_ms
    ended += window.take_all()

    assert sorted(ended) == list(range(1, sent + 1))


# --- allowance ------------------------------------------------------------------------------------------


def _spend(allowance: Allowance, from_ms: int, until_ms: int) -> int:
    return sum(allowance.take(now_ms) for now_ms in range(from_ms, until_ms) for _ in range(50))


@pytest.mark.parametrize("per_second", [1, 3, 10, 100, 999])
def test_an_allowance_passes_its_number_per_second(per_second: int) -> None:
    allowance = Allowance(per_second)

    passed = _spend(allowance, 0, 10_000)

    burst = max(1, per_second // 10)
    assert 10 * per_second - 1 <= passed <= 10 * per_second + burst


def test_an_idle_link_does_not_burst() -> None:
    allowance = Allowance(10)
    allowance.take(0)

    assert allowance.room(3_600_000) == 1
    assert _spend(allowance, 3_600_000, 3_601_000) <= 11


def test_no_limit_is_no_limit() -> None:
    allowance = Allowance(0)

    assert allowance.room(0) is None
    assert _spend(allowance, 0, 100) == 5000
    assert allowance.room_at_ms(100) == 100


def test_the_time_of_the_next_message_is_known() -> None:
    allowance = Allowance(4)
    allowance.take(1000)

    assert allowance.room(1000) == 0
    assert allowance.room_at_ms(1000) == 1250
    assert not allowance.take(1249)
    assert allowance.take(1250)


def test_throttling_halves_the_rate_which_grows_back_by_5_percent_of_the_maximum_per_second() -> None:
    allowance = Allowance(100)

    allowance.throttled(0)

    assert (allowance.rate, allowance.room(0)) == (50, 0)
    rates = []
    for second in range(1, 12):
        allowance.room(second * 1000)
        rates.append(allowance.rate)
    assert rates == [55, 60, 65, 70, 75, 80, 85, 90, 95, 100, 100]


def test_what_was_in_flight_comes_back_throttled_together_and_halves_once() -> None:
    allowance = Allowance(100)

    for now_ms in range(10):
        allowance.throttled(now_ms)
    assert allowance.rate == 50

    allowance.throttled(1000)
    assert allowance.rate == 27


def test_throttling_never_stops_a_link_for_good() -> None:
    allowance = Allowance(1)

    for second in range(100):
        allowance.throttled(second * 1000)

    assert allowance.room_at_ms(100_000) <= 100_000 + 20_000


def test_a_link_without_a_limit_gets_one_until_it_has_recovered() -> None:
    allowance = Allowance(0)
    for now_ms in range(0, 1000, 10):
        allowance.take(now_ms)

    allowance.throttled(1000)

    assert (allowance.rate, allowance.room(1000)) == (50, 0)
    assert allowance.room(6_000) is not None
    allowance.room(12_000)
    assert allowance.room(12_001) is None


@given(some.integers(1, 200), some.integers(1000, 20_000))
def test_the_last_second_is_the_maximum_of_a_link_without_a_limit_wherever_a_second_begins(
    per_second: int, throttled_ms: int
) -> None:
    allowance = Allowance(0)
    for number in range(throttled_ms * per_second // 1000):
        allowance.take(number * 1000 // per_second)

    before = allowance.is_slowed
    allowance.throttled(throttled_ms)

    assert (before, allowance.is_slowed) == (False, True)
    assert abs(allowance.rate - max(per_second, 2) // 2) <= 1


@given(some.integers(20, 200), some.lists(some.integers(500, 15_000), min_size=2, max_size=5))
def test_so_it_is_however_often_and_soon_it_was_throttled_before(per_second: int, pauses_ms: list[int]) -> None:
    """While the rate was halved, and when it had just grown back, as much was sent as went."""
    allowance, end_ms = Allowance(0), 0
    for pause_ms in pauses_ms:
        moments = range(end_ms + 1, end_ms + pause_ms)
        sent = [ms for ms in moments if ms * per_second % 1000 < per_second and allowance.take(ms)]
        end_ms += pause_ms - 1
        was_slowed, lately = allowance.is_slowed, sum(ms > end_ms - 1000 for ms in sent)

        allowance.throttled(end_ms)

        if not was_slowed and pause_ms > 1000:
            assert allowance.rate >= lately // 2 - lately // 10 - 1, (lately, allowance.rate)


def test_what_was_sent_long_ago_is_no_maximum() -> None:
    allowance = Allowance(0)
    for now_ms in range(0, 1000, 10):
        allowance.take(now_ms)

    allowance.throttled(3_000)

    assert allowance.rate == 1


def test_a_link_is_slowed_until_its_rate_has_grown_back() -> None:
    allowance = Allowance(100)
    allowance.throttled(0)

    slowed = [(allowance.room(ms), allowance.is_slowed)[1] for ms in (9_000, 10_000)]

    assert slowed == [True, False]


@given(some.integers(0, 5000), some.lists(some.tuples(some.booleans(), some.integers(0, 5000)), max_size=30))
def test_an_allowance_never_exceeds_its_burst(per_second: int, steps: list[tuple[bool, int]]) -> None:
    allowance = Allowance(per_second)
    now_ms = 0

    for throttle, passed in steps:
        now_ms += passed
        if throttle:
            allowance.throttled(now_ms)
        room = allowance.room(now_ms)
        assert room is None or 0 <= room <= max(1, per_second // 10)
        assert allowance.room_at_ms(now_ms) >= now_ms
        assert allowance.take(now_ms) == (room is None or room > 0)
