"""The peer's requests by number: next, said again, wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wire.cimd2.numbers import COUNT, FIRST, KEPT_MAX, Heard, after


@pytest.mark.parametrize("role", ["esme", "smsc"])
def test_each_side_s_numbers_go_round(role: str) -> None:
    first = FIRST[role]
    number, seen = first, []
    for _ in range(COUNT):
        seen.append(number)
        number = after(number)

    assert number == first
    assert seen == list(range(first, 256, 2))


def test_a_repetition_is_known_until_it_is_forgotten() -> None:
    heard = Heard(1, kept_max=3)
    for number in (1, 3, 5, 7):
        assert heard.judge(number, b"%d" % number) == "next"
        heard.take(number, b"%d" % number)
        heard.answered(number, b"answer %d" % number)

    assert [heard.judge(number, b"%d" % number) for number in (1, 3, 5, 7, 9, 11)] == [
        *("wrong", "again", "again", "again", "next", "wrong")
    ]
    assert heard.answer_of(5) == b"answer 5"
    assert heard.judge(5, b"another") == "wrong"
    assert len(heard) == 3


def test_a_request_that_waits_is_not_forgotten_nor_taken_twice() -> None:
    heard = Heard(0, kept_max=1)
    heard.take(0, b"waits")
    for number in range(2, 256, 2):
        heard.take(number, b"%d" % number)
        heard.answered(number, b"ok")

    assert heard.expected == 0
    assert heard.judge(0, b"waits") == "again"
    assert heard.judge(0, b"new") == "wrong"
    assert heard.answer_of(0) is None
    heard.answered(0, b"ok")
    assert heard.judge(0, b"new") == "next"
    heard.take(0, b"new")
    assert heard.answer_of(0) is None


@given(some.lists(some.booleans(), max_size=400), some.integers(1, 128))
def test_what_is_kept_stays_within_half_of_all_numbers(answers: list[bool], kept_max: int) -> None:
    heard = Heard(1, kept_max)
    waiting: list[int] = []
    for is_answered in answers:
        if heard.expected in waiting:
            heard.answered(waiting.pop(0), b"ok")
        number = heard.expected
        heard.take(number, b"%d" % number)
        waiting.append(number)
        while is_answered and waiting:
            heard.answered(waiting.pop(0), b"ok")

    assert len(heard) <= max(KEPT_MAX, COUNT if waiting else 0)
    assert all(heard.judge(number, b"%d" % number) == "again" for number in waiting)
