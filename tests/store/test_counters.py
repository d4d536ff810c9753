"""Counts in Redis: the same decisions as in memory, one round trip, and what happens when Redis goes."""

import random
import socket
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from core.clock import DAY_MS
from core.errors import StoreAway
from core.message import Action
from fraud.counters import Asked, Check, MemoryCounts
from fraud.window import EXACT, span_of
from store.counters import KNOWN_MS, REMEMBER_MS, CountsWithSpare, RedisCounts, counts_of
from tests import services
from tests.fraud.model import START, History, NaiveCounts, a_bound, an_asked, histories


@pytest.fixture
def counts(redis_url: str) -> Iterator[RedisCounts]:
    counts = RedisCounts(redis_url)
    yield counts
    counts.close()


@pytest.fixture
def own_server() -> Iterator[services.Redis]:
    """A Redis that the test may stop."""
    server = services.Redis()
    yield server
    server.stop()


def calls(command: str) -> int:
    """How often Redis was sent a command or called it from a script."""
    server = services.redis()
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(b"INFO commandstats\r\n")
        lines = connection.recv(65_536).decode().splitlines()
    return sum(int(line.split("calls=")[1].split(",")[0]) for line in lines if line.startswith(f"cmdstat_{command}:"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(history=histories())
def test_redis_decides_as_memory_does_and_as_a_list_of_all_events_would(counts: RedisCounts, history: History) -> None:
    services.redis().flush()

    said = history.happens_to(counts)

    assert said == history.happens_to(MemoryCounts())
    assert said == history.happens_to(NaiveCounts())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(history=histories(clocks=True))
def test_redis_and_memory_agree_when_a_clock_is_set_back(counts: RedisCounts, history: History) -> None:
    services.redis().flush()

    assert history.happens_to(counts) == history.happens_to(MemoryCounts())


@pytest.mark.parametrize("window_ms", [1_000, 1_999, 50_000])
def test_redis_and_memory_agree_on_a_flood_to_the_last_bucket(counts: RedisCounts, window_ms: int) -> None:
    chance, memory = random.Random(window_ms), MemoryCounts()
    strict = Check(a_bound(id=1, window_ms=window_ms, threshold=EXACT * 5), "strict", 1)
    loud = Check(a_bound(id=2, window_ms=window_ms, threshold=EXACT, action=Action.ALERT), "loud", 3)
    at, number, past = START, 0, list[int]()
    for _ in range(60):
        batch = []
        for _ in range(300):
            number += 1
            at += chance.randrange(window_ms // 1_000 + 1) if number % 5 == 0 else 0
            late = chance.randrange(window_ms // 4) if number % 50 == 0 else 0
            batch.append(an_asked(number, at - late, strict, loud))
        assert counts.decide(batch) == memory.decide(batch)
        past = [asked.message_id for asked in batch if chance.random() < 0.1]
        counts.take_back(past)
        memory.take_back(past)
    assert len(memory._windows["loud"].entries) > 3 * EXACT
    assert len(memory._windows["loud"].entries) <= 3 * span_of(window_ms).full


def test_a_batch_is_one_round_trip(counts: RedisCounts) -> None:
    check = Check(a_bound(threshold=10**6), "w", 1)
    counts.decide([an_asked(0, START, check)])
    before = calls("evalsha")

    counts.decide([an_asked(number, START, check) for number in range(1, 500)])
    counts.take_back(range(1, 500))

    assert calls("evalsha") - before == 2


def test_a_redis_that_lost_its_script_gets_it_again(counts: RedisCounts) -> None:
    check = Check(a_bound(threshold=1), "w", 1)
    counts.decide([an_asked(1, START, check)])
    assert services.redis().ask("SCRIPT FLUSH") == b"+OK"

    assert counts.decide([an_asked(2, START, check)]) == [(check,)]


def left_ms(key: str, server: services.Redis | None = None) -> int:
    """How long Redis keeps it."""
    return int((server or services.redis()).ask(f"PTTL tollbridge:{key}")[1:])


def test_every_key_expires_by_itself(counts: RedisCounts) -> None:
    counts.decide([an_asked(1, START, Check(a_bound(window_ms=DAY_MS), "w", 1))])

    assert DAY_MS < left_ms("w:w") <= DAY_MS + 120_000
    assert DAY_MS < left_ms("m:1") <= DAY_MS + 120_000


def test_a_message_can_be_taken_back_as_long_as_it_counts_anywhere(counts: RedisCounts) -> None:
    """Its COMMIT may be in doubt as long as the database is away."""
    day, month = a_bound(id=1, window_ms=DAY_MS, threshold=1), a_bound(id=2, window_ms=30 * DAY_MS)
    counts.decide([an_asked(1, START, Check(day, "day", 1), Check(month, "month", 1))])
    counts.decide([an_asked(2, START, Check(day, "day", 1))])

    assert left_ms("m:1") > 30 * DAY_MS
    assert 0 < left_ms("m:2") <= REMEMBER_MS, "it was refused, and counts nowhere"


def test_what_is_known_to_be_durable_is_remembered_for_a_moment_more(counts: RedisCounts) -> None:
    check = Check(a_bound(window_ms=DAY_MS, threshold=9), "w", 1)
    counts.decide([an_asked(1, START, check), an_asked(2, START, check)])

    counts.keep([1])
    counts.decide([an_asked(3, START, check)])

    assert 0 < left_ms("m:1") <= KNOWN_MS
    assert min(left_ms("m:2"), left_ms("m:3")) > DAY_MS


def test_a_redis_that_did_not_answer_is_told_again_what_is_durable(own_server: services.Redis) -> None:
    counts, check = RedisCounts(own_server.url), Check(a_bound(window_ms=DAY_MS, threshold=9), "w", 1)
    counts.decide([an_asked(1, START, check)])
    counts.keep([1])
    own_server.freeze()
    with pytest.raises(StoreAway):
        counts.decide([an_asked(2, START, check)])
    own_server.thaw()

    counts.decide([an_asked(3, START, check)])

    assert 0 < left_ms("m:1", own_server) <= KNOWN_MS


def test_a_window_that_was_taken_back_leaves_nothing(counts: RedisCounts) -> None:
    counts.decide([an_asked(1, START, Check(a_bound(), "w", 1))])

    counts.take_back([1])

    assert services.redis().ask("DBSIZE") == b":0"


def test_sums_are_exact_far_beyond_what_a_double_counts(counts: RedisCounts) -> None:
    """150 billion roubles in kopecks; the last kopeck does not fit."""
    threshold, kopeck = 144_000_000_000 * 10**6, 10_000
    check = Check(a_bound(threshold=threshold), "w:RUB", threshold - 3 * kopeck)
    small = Check(check.bound, "w:RUB", kopeck)
    counts.decide([an_asked(1, START, check)])

    decisions = counts.decide([an_asked(number, START, small) for number in range(2, 6)])

    assert decisions == [(), (), (), (small,)]


def test_restored_windows_hold_what_the_journal_says_and_nothing_else(counts: RedisCounts) -> None:
    check, other = Check(a_bound(threshold=2_500), "w", 1), Check(a_bound(threshold=1), "other", 1)
    counts.decide([an_asked(number, START, check) for number in range(1, 2_000)])
    counts.decide([an_asked(9_999, START, other)])

    counts.restore(an_asked(number, START, check) for number in range(10_000, 12_499))

    assert counts.decide([an_asked(1 + 10**6, START, check), an_asked(2 + 10**6, START, check)]) == [(), (check,)]
    assert counts.decide([an_asked(3 + 10**6, START, other)]) == [(other,)]


def test_a_redis_that_is_away_is_said_so(own_server: services.Redis) -> None:
    counts = RedisCounts(own_server.url)
    own_server.stop()

    with pytest.raises(StoreAway, match="redis"):
        counts.decide([an_asked(1, START, Check(a_bound(), "w", 1))])
    with pytest.raises(StoreAway, match="redis"):
        counts.ping()


def test_a_redis_that_was_restarted_is_used_again_at_once(own_server: services.Redis) -> None:
    counts, check = RedisCounts(own_server.url), Check(a_bound(threshold=1), "w", 1)
    counts.decide([an_asked(1, START, check)])

    own_server.stop()
    own_server.start()

    assert counts.decide([an_asked(2, START, check)]) == [()]


def test_while_redis_is_away_this_process_counts_alone_from_what_it_knew(own_server: services.Redis) -> None:
    counts = CountsWithSpare(RedisCounts(own_server.url), MemoryCounts())
    check = Check(a_bound(threshold=2), "w", 1)
    counts.decide([an_asked(1, START, check)])
    own_server.stop()

    decisions = counts.decide([an_asked(2, START, check), an_asked(3, START, check)])

    assert decisions == [(), (check,)]
    assert counts.away


def test_a_limit_that_refuses_on_outage_refuses_while_redis_is_away(own_server: services.Redis) -> None:
    counts = CountsWithSpare(RedisCounts(own_server.url), MemoryCounts())
    own_server.stop()

    [decision] = counts.decide([an_asked(1, START, Check(a_bound(on_outage="refuse", action=Action.ALERT), "w", 1))])

    assert [(check.bound.action, check.bound.limit_id) for check in decision] == [(Action.REJECT, 1)]


def test_redis_that_comes_back_is_filled_from_the_journal_before_it_is_asked(own_server: services.Redis) -> None:
    counts, check = CountsWithSpare(RedisCounts(own_server.url), MemoryCounts()), Check(a_bound(threshold=2), "w", 1)
    own_server.stop()
    journal: list[Asked] = [an_asked(1, START, check), an_asked(2, START, check)]
    counts.decide(journal)
    with pytest.raises(StoreAway):
        counts.restore(journal)
    own_server.start()

    counts.restore(journal)

    assert counts.decide([an_asked(3, START, check)]) == [(check,)]
    assert not counts.away


def test_without_a_url_counts_are_kept_in_this_process() -> None:
    assert isinstance(counts_of(""), MemoryCounts)
