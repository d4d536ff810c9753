"""Counting in this process: exact, in order, bounded."""

import random
from bisect import bisect_right

import pytest
from hypothesis import given

from core.message import Action
from fraud.counters import REMEMBERED, Asked, Check, MemoryCounts
from fraud.window import EXACT, span_of
from tests.fraud.model import START, History, NaiveCounts, a_bound, an_asked, histories


def admitted(counts: MemoryCounts, *asked: Asked) -> list[bool]:
    return [not decision for decision in counts.decide(asked)]


@given(history=histories())
def test_memory_decides_as_a_list_of_all_events_would(history: History) -> None:
    assert history.happens_to(MemoryCounts()) == history.happens_to(NaiveCounts())


@given(history=histories(clocks=True))
def test_a_clock_that_is_set_back_makes_a_window_neither_forget_nor_last(history: History) -> None:
    assert history.happens_to(MemoryCounts()) == history.happens_to(NaiveCounts())


@pytest.mark.parametrize("back_ms", [61_000, 3_600_000, 86_400_000])
def test_after_the_clock_was_set_back_a_subscriber_waits_for_one_window_and_no_longer(back_ms: int) -> None:
    counts, check = MemoryCounts(), Check(a_bound(window_ms=60_000, threshold=1), "w", 1)
    now = START - back_ms
    counts.decide([an_asked(1, START, check)])

    assert admitted(counts, an_asked(2, now, check)) == [False]
    assert admitted(counts, an_asked(3, now + 59_999, check), an_asked(4, now + 60_000, check)) == [False, True]


def test_a_busy_window_stays_small_after_the_clock_was_set_back_a_day() -> None:
    counts, check = MemoryCounts(), Check(a_bound(window_ms=10_000, threshold=10**9), "w", 1)
    counts.decide([an_asked(number, START + number, check) for number in range(5_000)])
    yesterday = START - 86_400_000

    counts.decide([an_asked(10_000 + number, yesterday + number * 10, check) for number in range(20_000)])

    assert len(counts._windows["w"].entries) <= 3 * span_of(10_000).full
    strict = Check(a_bound(window_ms=10_000, threshold=1_000), "w", 1)
    assert admitted(counts, an_asked(99_999, yesterday + 200_000, strict)) == [True]


@pytest.mark.parametrize(("after_ms", "passes"), [(59_999, False), (60_000, True)])
def test_a_message_leaves_its_window_after_exactly_its_length(after_ms: int, passes: bool) -> None:
    counts, check = MemoryCounts(), Check(a_bound(window_ms=60_000, threshold=1), "w", 1)
    counts.decide([an_asked(1, START, check)])

    assert admitted(counts, an_asked(2, START + after_ms, check)) == [passes]


def test_a_message_that_one_limit_refuses_is_counted_by_none() -> None:
    counts = MemoryCounts()
    tight, wide = Check(a_bound(id=1, threshold=1), "tight", 1), Check(a_bound(id=2, threshold=2), "wide", 1)
    counts.decide([an_asked(1, START, wide, tight), an_asked(2, START, wide, tight)])

    assert admitted(counts, an_asked(3, START, wide), an_asked(4, START, wide)) == [True, False]


def test_an_alert_counts_all_that_passes_and_speaks_for_each_beyond() -> None:
    counts, check = MemoryCounts(), Check(a_bound(threshold=1, action=Action.ALERT), "w", 1)

    decisions = counts.decide([an_asked(number, START, check) for number in range(1, 4)])

    assert decisions == [(), (check,), (check,)]


def test_a_batch_that_is_sent_again_is_decided_the_same_and_counted_once() -> None:
    counts, check = MemoryCounts(), Check(a_bound(threshold=2), "w", 1)
    batch = [an_asked(number, START, check) for number in range(1, 4)]

    first, second = counts.decide(batch), counts.decide(batch)

    assert first == second == [(), (), (check,)]
    counts.take_back([1])
    assert admitted(counts, an_asked(4, START, check), an_asked(5, START, check)) == [True, False]


def test_a_message_behind_newer_ones_sees_them_too() -> None:
    """They were admitted without it, perhaps by another process: no window that holds both may hold too many."""
    counts, check = MemoryCounts(), Check(a_bound(threshold=1), "w", 1)

    assert admitted(counts, an_asked(1, START, check), an_asked(2, START - 1, check)) == [True, False]


def test_restored_windows_hold_what_the_journal_says_and_nothing_else() -> None:
    counts, check = MemoryCounts(), Check(a_bound(threshold=2), "w", 1)
    counts.decide([an_asked(number, START, check) for number in (1, 2)])

    counts.restore([an_asked(1, START, check)])

    assert admitted(counts, an_asked(3, START, check), an_asked(4, START, check)) == [True, False]


def test_windows_in_which_nothing_happens_any_more_are_dropped() -> None:
    counts, bound = MemoryCounts(), a_bound(window_ms=1_000)
    counts.decide([an_asked(number, START, Check(bound, f"w{number}", 1)) for number in range(1, 500)])

    counts.decide([an_asked(1_000, START + 180_000, Check(bound, "other", 1))])

    assert len(counts) == 1


def test_a_window_in_use_is_kept_while_it_slides() -> None:
    counts, check = MemoryCounts(), Check(a_bound(window_ms=86_400_000, threshold=30), "w", 1)

    said = admitted(counts, *[an_asked(number, START + number * 3_600_000, check) for number in range(1, 500)])

    assert all(said)
    assert len(counts) == 1


def test_messages_of_long_ago_are_forgotten_but_not_those_of_late() -> None:
    counts, check = MemoryCounts(), Check(a_bound(threshold=10**9), "w", 1)
    last = 3 * REMEMBERED
    counts.decide([an_asked(number, START, check) for number in range(1, last + 1)])

    counts.take_back(range(last - REMEMBERED + 1, last + 1))

    assert counts.decide([an_asked(0, START, Check(a_bound(threshold=2 * REMEMBERED), "w", 1))]) != [()]
    assert counts.decide([an_asked(-1, START, Check(a_bound(threshold=2 * REMEMBERED + 1), "w", 1))]) == [()]


@pytest.mark.parametrize("window_ms", [1_000, 1_999, 50_000])
def test_a_full_window_never_admits_too_much_and_errs_by_a_bucket_at_most(window_ms: int) -> None:
    counts, chance = MemoryCounts(), random.Random(4)
    check = Check(a_bound(window_ms=window_ms, threshold=EXACT * 5), "w", 1)
    bucket = span_of(window_ms).bucket_ms
    at, times = START, list[int]()
    for number in range(1, 25_000):
        at += chance.randrange(window_ms // 2_000 + 1) if number % 5 == 0 else 0
        [decision] = counts.decide([an_asked(number, at, check)])
        inside = len(times) - bisect_right(times, at - window_ms)
        nearly = len(times) - bisect_right(times, at - window_ms - bucket)
        if decision:
            assert nearly + 1 > check.bound.threshold
        else:
            assert inside + 1 <= check.bound.threshold
            times.append(at)
    assert len(counts._windows["w"].entries) <= 3 * span_of(window_ms).full


def test_a_window_with_a_thousand_events_is_exact_after_a_flood() -> None:
    counts, naive, chance = MemoryCounts(), NaiveCounts(), random.Random(7)
    flood = Check(a_bound(id=1, window_ms=100_000, threshold=10**9), "w", 1)
    strict = Check(a_bound(id=2, window_ms=100_000, threshold=EXACT), "w", 1)
    batch = [an_asked(number, START + number * 10, flood) for number in range(1, 9_000)]
    counts.decide(batch)
    naive.restore(batch[-2_000:])

    at = batch[-1].at + 90_000
    for number in range(10_000, 13_000):
        at += chance.randrange(3)
        asked = an_asked(number, at, strict)
        assert counts.decide([asked]) == naive.decide([asked])
