"""Fraud: the rules and the windows of one message, in batches, counted in this process and in Redis.

bench_counts   µs of a message by the number of windows that it is asked in → Section

Every subscriber is another; so each message begins a window, the dearest case, and adds to the shared ones.
"""

import time
from collections.abc import Sequence

from bench.table import Section
from core.catalogue import Catalogue, Limit, Operator, Prefix, Service
from core.message import PASSED, Mo, Route
from fraud.counters import Counts, MemoryCounts
from fraud.judge import Case, Rules, compile_rules, judge_all
from store.counters import RedisCounts
from tests import services

BATCH = 50
_DAY_MS = 86_400_000
_OPERATOR = Operator(1, "alpha", "Alpha", "RU", "RUB", ())
_SCOPES = ("subscriber", "service", "partner", "short_code")


def bench_counts(*, quick: bool) -> Section:
    """Microseconds per message."""
    number = 5_000 if quick else 30_000
    rows: list[tuple[str, ...]] = []
    redis = services.redis()
    for scopes in (0, 1, 4):
        rules = compile_rules(_catalogue(scopes))
        memory = _microseconds(rules, MemoryCounts(), number)
        redis.flush()
        remote_counts = RedisCounts(redis.url)
        remote = _microseconds(rules, remote_counts, number // 5) if scopes else memory
        rows.append((f"{scopes}", f"{memory:.1f}", f"{remote:.1f}", f"{remote / memory:.1f}"))
    redis.flush()
    return Section(
        "fraud",
        f"Fraud: one message, judged in batches of {BATCH}",
        ("limits that it meets", "in memory µs", "in Redis µs (wall)", "× of memory"),
        tuple(rows),
        ("Redis is one round trip a batch; its time is mostly the server's.",),
    )


def _catalogue(scopes: int) -> Catalogue:
    limits = [
        Limit(place, scope, "*", "count", _DAY_MS, 10_000_000, "reject") for place, scope in enumerate(_SCOPES[:scopes])
    ]
    return Catalogue(limits=tuple(limits))


def _microseconds(rules: Rules, counts: Counts, number: int) -> float:
    service = Service(1, "acme", "game", "http_get")
    route = Route(service, Prefix(1, "4446", "GAME", 1), "7")
    at = 1_795_500_000_000
    batches: list[Sequence[Case]] = []
    for start in range(0, number, BATCH):
        mos = [
            Mo(one, "alpha-1", 1, _OPERATOR, f"7900{one:07d}", "4446", "GAME 7", 1, at + one, 0)
            for one in range(start + 1, start + 1 + BATCH)
        ]
        batches.append([Case(mo, route, 12_000_000, "RUB") for mo in mos])
    begun = time.perf_counter()
    for batch in batches:
        assert judge_all(rules, batch, counts)[0] is PASSED
    return (time.perf_counter() - begun) / number * 1e6
