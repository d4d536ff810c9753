"""Where limits count: in this process, or in Redis, which several processes share.

choose_counts   redis.url → the counts, and what raises while they are away
"""

from collections.abc import Callable

from fraud.counters import Counts, MemoryCounts
from store.counters import RedisCounts


def choose_counts(redis_url: str) -> tuple[Counts, Callable[[], None]]:
    """Counts, and a question that raises StoreAway while Redis is away."""
    if not redis_url:
        return MemoryCounts(), _always_there
    # `on_outage` is not served yet: its loss is an outage like the database's.
    redis = RedisCounts(redis_url)
    return redis, redis.ping


def _always_there() -> None:
    """Counts in this process are."""
