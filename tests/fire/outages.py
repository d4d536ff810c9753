"""The database stopped, frozen, cut off in a COMMIT, under load.

Outage            what a run saw
stopped, frozen   MariaDB is away for some seconds and comes back
cut_in_commit     the connection is cut as the COMMIT goes by, before or after the server got it

Rule: intake must resume by itself, and in the end nothing is lost and nothing is charged twice.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

from sim.quirks import Quirks
from tests import services
from tests.fire.proxy import Proxy, cut_at, open_gate
from tests.fire.stage import Ask, Stage
from tests.fire.truth import end_faults, kept_faults, raise_for

RATE = 150.0
HEALTH_WITHIN_S = 3.0
_ALERTS = "SELECT subject, sentence FROM alert WHERE kind = 'outage'"
AWAY = "the database is away; new messages get the temporary error"
REDIS_AWAY = "Redis is away; new messages get the temporary error"
# The centre asks after half a second of silence, so a link that is not answered falls within the outage.
QUIRKS = Quirks(retry_s=0.3, window=40, enquire_s=0.5, response_timeout_s=10.0)


@dataclass(slots=True)
class Outage:
    """The figures of a run."""

    what: str
    seconds: float
    unavailable_after_s: float = 0.0
    """/health says 503."""
    health_latency_s: float = 0.0
    """The longest that an answer of /health took meanwhile."""
    back_after_s: float = 0.0
    """From the return to /health 200."""
    acknowledged_after_s: float = 0.0
    """From the return to the next acknowledgement."""
    put_off: int = 0
    """Temporary errors."""
    binds: int = 0
    """More than one: a link was lost."""
    cuts: int = 0
    noticed: int = 0
    """How often the service said that the database, or Redis, is away."""
    stored: int = 0
    repeats: int = 0
    notes: list[str] = field(default_factory=list)


async def stopped(seconds: float, tell: Callable[[int], None] = lambda done: None) -> Outage:
    """MariaDB is stopped, and started again."""
    server = await asyncio.to_thread(services.mariadb)
    async with Stage(Ask(database="mariadb", quirks=QUIRKS)) as stage:
        return await away(
            stage,
            f"MariaDB stopped {seconds:g} s",
            seconds,
            lambda: asyncio.to_thread(server.stop),
            lambda: asyncio.to_thread(server.start),
            tell,
        )


async def frozen(seconds: float, tell: Callable[[int], None] = lambda done: None) -> Outage:
    """MariaDB is frozen, and goes on."""
    server = await asyncio.to_thread(services.mariadb)
    async with Stage(Ask(database="mariadb", quirks=QUIRKS)) as stage:
        return await away(
            stage,
            f"MariaDB frozen {seconds:g} s",
            seconds,
            lambda: asyncio.to_thread(server.freeze),
            lambda: asyncio.to_thread(server.thaw),
            tell,
        )


async def away(
    stage: Stage,
    what: str,
    seconds: float,
    take: Callable[[], Awaitable[None]],
    give_back: Callable[[], Awaitable[None]],
    tell: Callable[[int], None] = lambda done: None,
) -> Outage:
    """Something that the service needs is away for so long, under load."""
    outage = Outage(what, seconds)
    await stage.service.up()
    await stage.until_bound()
    binds = sum(centre.counted.binds for centre in stage.centres)
    async with stage.under_load(RATE):
        await stage.until_acknowledged(100)
        await take()
        try:
            await _watch(stage, outage, seconds, tell)
        finally:
            await give_back()
        returned = time.monotonic()
        await stage.until_acknowledged(1)
        outage.acknowledged_after_s = time.monotonic() - returned
        await stage.service.until_health(lambda said: said.status == 200)
        outage.back_after_s = time.monotonic() - returned
        await stage.until_acknowledged(100)
    await stage.until_settled()
    raise_for(await asyncio.to_thread(end_faults, stage), what)
    outage.binds = sum(centre.counted.binds for centre in stage.centres) - binds + 1
    outage.put_off = sum(centre.counted.put_off for centre in stage.centres)
    outage.noticed = len(stage.service.said(AWAY)) + len(stage.service.said(REDIS_AWAY))
    outage.stored, outage.repeats = stage.row("SELECT (SELECT COUNT(*) FROM mo), (SELECT COUNT(*) FROM mo_repeat)")
    return outage


async def _watch(stage: Stage, outage: Outage, seconds: float, tell: Callable[[int], None]) -> None:
    """What /health says while it lasts."""
    begun = time.monotonic()
    while (passed := time.monotonic() - begun) < seconds:
        said = await asyncio.to_thread(stage.service.health, 5.0)
        outage.health_latency_s = max(outage.health_latency_s, said.latency_s)
        if said.status == 503 and not outage.unavailable_after_s:
            outage.unavailable_after_s = time.monotonic() - begun
        if said.status not in (200, 503):
            outage.notes.append(f"/health: {said.status} after {passed:.1f} s")
        tell(int(passed))
        await asyncio.sleep(0.05)


@dataclass(frozen=True, slots=True)
class Idle:
    """What was seen of an outage while nobody wrote."""

    unavailable_after_s: float
    """/health says 503."""
    reason: str
    back_after_s: float
    """/health says 200 again."""
    logged: list[str]
    """Events of the log that name what is away, or back."""
    alerts: list[tuple[str, str]]
    """(subject, sentence), read while it lasted where there are any."""


async def idle(take: Callable[[], None], give_back: Callable[[], None], ask: Ask, *, line: str = "") -> Idle:
    """Nobody writes while it goes away and comes back. `line`: the log's line then, where there are alerts, too."""
    async with Stage(ask) as stage:
        await stage.service.up()
        await stage.until_bound()
        await asyncio.to_thread(take)
        try:
            unavailable, said = await stage.service.until_health(lambda said: said.status == 503, 10)
            if line:
                await stage.until_rows(_ALERTS, lambda row: row is not None, "an alert while it lasts", 10)
        finally:
            await asyncio.to_thread(give_back)
        back, _ = await stage.service.until_health(lambda said: said.status == 200)
        if line:
            await stage.service.until_said(line)  # A thread writes it, a little after health says so.
        alerts = await asyncio.to_thread(stage.rows, _ALERTS)
        events = [str(one["event"]) for one in stage.service.log()]
        logged = [event for event in events if " is away" in event or " is back" in event]
        return Idle(unavailable, str(said.body.get("reason", "")), back, logged, alerts)


async def cut_in_commit(times: int, *, passes: bool, tell: Callable[[int], None] = lambda done: None) -> Outage:
    """The connection is cut at a COMMIT, so many times; `passes`: the server gets it, and only the answer is lost."""
    server = await asyncio.to_thread(services.mariadb)
    what = f"cut in COMMIT × {times}, {'its answer lost' if passes else 'never arrived'}"
    outage = Outage(what, 0.0)
    async with _proxy_to(server.port) as proxy:
        through = Ask(
            database="mariadb",
            quirks=QUIRKS,
            database_url=lambda url: url.replace(f":{server.port}/", f":{proxy.port}/"),
        )
        async with Stage(through) as stage:
            await stage.service.up()
            await stage.until_bound()
            async with stage.under_load(RATE):
                await stage.until_acknowledged(50)
                for number in range(times):
                    tell(number)
                    cuts = proxy.cuts
                    proxy.up = cut_at(b"\x03COMMIT", behind=b"INSERT INTO `mo` ", passes=passes)
                    await stage.until(partial(_has_cut_since, proxy, cuts), "a COMMIT")
                    await stage.until_acknowledged(20)
                proxy.up = open_gate
                raise_for(await asyncio.to_thread(kept_faults, stage), what)
            await stage.until_settled()
            raise_for(await asyncio.to_thread(end_faults, stage), what)
            outage.cuts = proxy.cuts
            outage.noticed = len(stage.service.said(AWAY))
            outage.binds = stage.centre.counted.binds
            outage.put_off = stage.centre.counted.put_off
            outage.stored, outage.repeats = stage.row(
                "SELECT (SELECT COUNT(*) FROM mo), (SELECT COUNT(*) FROM mo_repeat)"
            )
    return outage


def _has_cut_since(proxy: Proxy, cuts: int) -> bool:
    return proxy.cuts > cuts


@asynccontextmanager
async def _proxy_to(port: int) -> AsyncIterator[Proxy]:
    proxy = Proxy(port)
    await proxy.open()
    try:
        yield proxy
    finally:
        await proxy.close()
