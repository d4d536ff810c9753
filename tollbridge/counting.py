"""Where limits count: in this process, or in Redis, which several processes share.

choose_counts   redis.url → the counts, and what raises while they are away
watch_counts    whether they are there, asked when nobody writes, too

Rule: Redis's client is imported only where a `redis.url` is set: it costs each start a tenth of a second.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from core.errors import StoreAway
from fraud.counters import Counts, MemoryCounts
from plumbing.threads import Runs

if TYPE_CHECKING:
    from store.counters import RedisCounts

WATCH_S = 0.25
"""What hangs is told after two time-outs of a second and this: /health must say so within 3 s."""


def choose_counts(redis_url: str) -> tuple[Counts, Callable[[], None]]:
    """Counts, and a question that raises StoreAway while Redis is away."""
    if not redis_url:
        return MemoryCounts(), _always_there
    # `on_outage` is not served yet: its loss is an outage like the database's.
    redis = _counts_in_redis(redis_url)
    return redis, redis.ping


async def watch_counts(redis_url: str, readers: Runs, report: Callable[[StoreAway], None]) -> None:
    """Report whenever Redis does not answer, for ever. On a connection of its own: the other is the writer's."""
    if not redis_url:
        return
    redis = _counts_in_redis(redis_url)
    while True:
        try:
            await readers.run(redis.ping)
        except StoreAway as error:
            report(error)
        await asyncio.sleep(WATCH_S)


def _counts_in_redis(url: str) -> "RedisCounts":
    from store.counters import RedisCounts

    return RedisCounts(url)


def _always_there() -> None:
    """Counts in this process are."""
