"""When to try again and when to stop: in the numbers that are promised (reliability.md, section 4)."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from traffic.retry import TRY_FOR_MS, Breaker, next_attempt, pause_ms


@given(n=st.integers(0, 60), seed=st.integers())
def test_a_pause_doubles_up_to_a_quarter_of_an_hour_and_is_half_more_or_less(n: int, seed: int) -> None:
    grown_ms = 1000 * min(900, 2**n)

    assert grown_ms // 2 <= pause_ms(n, Random(seed)) <= grown_ms * 3 // 2


def test_pauses_lie_everywhere_between_half_and_one_and_a_half() -> None:
    pauses = [pause_ms(3, Random(seed)) for seed in range(200)]

    assert min(pauses) < 4400
    assert max(pauses) > 11_600


def test_what_is_not_delivered_is_tried_for_a_day() -> None:
    assert TRY_FOR_MS == 24 * 60 * 60 * 1000


def test_no_attempt_begins_after_the_end() -> None:
    assert next_attempt(0, 1000, until=1400, random=Random(1)) is None
    assert next_attempt(0, 1000, until=10_000, random=Random(1)) is not None


def test_a_partner_is_given_the_time_that_it_asks_for_up_to_an_hour() -> None:
    asked = next_attempt(0, 0, until=10**9, random=Random(1), retry_after_s=90)
    too_much = next_attempt(0, 0, until=10**9, random=Random(1), retry_after_s=10**6)

    assert (asked, too_much) == (90_000, 3_600_000)


def test_who_asks_for_less_time_than_it_would_be_given_is_given_that() -> None:
    pause = next_attempt(9, 0, until=10**9, random=Random(1), retry_after_s=1)

    assert pause == next_attempt(9, 0, until=10**9, random=Random(1))


def test_a_breaker_opens_at_the_twentieth_failure_in_a_row_and_lets_one_probe_through_every_thirty_seconds() -> None:
    breaker = Breaker()

    opened = [breaker.failed(0, number) for number in range(21)]

    assert opened == [False] * 19 + [True, False]
    assert breaker.is_open(29_999)
    assert not breaker.is_open(30_000)
    assert breaker.is_open(30_000), "one only"
    assert breaker.is_open(59_999)
    assert not breaker.is_open(60_000)


def test_an_answer_closes_a_breaker_and_nineteen_failures_do_not_open_it_again() -> None:
    breaker = Breaker()
    for number in range(20):
        breaker.failed(0, number)

    assert breaker.answered()
    assert not breaker.is_open(0)
    for number in range(19):
        breaker.failed(0, number)
    assert not breaker.is_open(0)
    assert not breaker.answered(), "it was not shut"


def test_a_few_messages_that_can_never_be_answered_well_open_no_breaker() -> None:
    breaker = Breaker()
    assert not any(breaker.failed(0, number % 19) for number in range(1000))
    assert not breaker.is_open(0)
    assert breaker.failed(0, 19), "the twentieth message"


def test_what_fails_while_it_is_open_puts_off_the_next_probe_alone() -> None:
    breaker = Breaker()
    for number in range(20):
        breaker.failed(0, number)
    assert not breaker.failed(30_000, 99)
    assert breaker.is_open(59_999)
    assert breaker.answered()
    assert breaker.failures == 0
