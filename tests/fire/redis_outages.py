"""Redis stopped, restarted, frozen, while the limits count in it: an outage like the database's.

redis_away        for some seconds, in one of these ways, under load
redis_away_idle   until /health says so, while nobody writes
"""

import asyncio
from collections.abc import Callable

from tests import services
from tests.fire.outages import QUIRKS, Idle, Outage, away, idle
from tests.fire.stage import Ask, Stage

LIMIT = """
[[limit]]
scope = "subscriber"
key = "*"
metric = "count"
window = "1d"
threshold = "1000000"
action = "reject"
"""
HOWS = ("stopped", "frozen")


async def redis_away(how: str, seconds: float, tell: Callable[[int], None] = lambda done: None) -> Outage:
    """Under load; raises AssertionError with what does not hold."""
    server = await asyncio.to_thread(services.redis)
    take, give_back = (server.stop, server.start) if how == "stopped" else (server.freeze, server.thaw)
    async with Stage(Ask(quirks=QUIRKS, redis=server.url, limits=LIMIT)) as stage:
        return await away(
            stage,
            f"Redis {how} {seconds:g} s",
            seconds,
            lambda: asyncio.to_thread(take),
            lambda: asyncio.to_thread(give_back),
            tell,
        )


async def redis_away_idle(how: str) -> Idle:
    """Nobody writes."""
    server = await asyncio.to_thread(services.redis)
    take, give_back = (server.stop, server.start) if how == "stopped" else (server.freeze, server.thaw)
    return await idle(take, give_back, Ask(quirks=QUIRKS, redis=server.url, limits=LIMIT), line="Redis is back")
