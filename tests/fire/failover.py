"""Two links of one operator, one of which goes: how long replies stand still.

Failover      what was measured
fail_over     MO come by a link of their own; all replies go by the first of two others, until that one goes. It comes
              back before it goes in another way

killed        its connection is reset, and nobody listens there any more
frozen        its connection is up, and nothing goes through it
throttled     its centre finds whatever is submitted too fast, and takes none of it
slowed        its centre takes half of what comes in a second, and finds the rest too fast

Rule: a reply's time is taken where subscribers are: from its MO's first deliver_sm to its first submission that a
centre took, or left without an answer.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeAlias

from plumbing.loop import spawn
from sim.quirks import Quirks
from tests.fire.proxy import open_gate, swallow
from tests.fire.stage import Ask, Stage
from tests.fire.truth import end_faults, raise_for
from traffic.routes import SPARED_MS

RATE = 100.0
BEFORE, AFTER = 100, 200
"""So many MO are acknowledged before the one goes, and after."""
ANSWER_WITHIN_S = 2
"""The links' response_timeout_s: what was submitted over a frozen one, and not answered, is sent again then."""
MO, FIRST, SECOND = range(3)
QUIRKS = Quirks(retry_s=0.2, window=50)

Way: TypeAlias = Callable[[Stage], None]


@dataclass(frozen=True, slots=True)
class Failover:
    """What was measured. `gap`: between two submissions, whichever centre took them, from the moment that one went."""

    what: str
    gap_before_ms: int
    gap_ms: int
    replies: int
    late: int
    """Replies that took more than a second."""
    reply_ms_max: int
    twice: int
    thrown_back: int
    """Submissions that a centre refused."""
    stuck_for_ms: int
    """How long after that moment the last MO came whose reply took more than a second; -1: there was none."""


def killed(stage: Stage) -> None:
    """Gone, as a machine whose power is cut off."""
    stage.proxies[FIRST].refuses = True
    stage.proxies[FIRST].reset()


def frozen(stage: Stage) -> None:
    """There, and silent."""
    stage.proxies[FIRST].up = stage.proxies[FIRST].down = swallow


def throttled(stage: Stage) -> None:
    """There, and it has had enough."""
    stage.centres[FIRST].quirks = replace(QUIRKS, throttle=1.0)


def slowed(stage: Stage) -> None:
    """There, for half of them."""
    stage.centres[FIRST].quirks = replace(QUIRKS, throttle_above=int(RATE / 2))


def after(way: Way) -> int:
    """So many MO are waited for when it has gone so: what is throttled is tried again after SPARED_MS."""
    return int(RATE * SPARED_MS / 1000 * 1.5) if way in (throttled, slowed) else AFTER


def _restored(stage: Stage) -> None:
    """As if nothing had been."""
    proxy = stage.proxies[FIRST]
    proxy.refuses, proxy.up, proxy.down = False, open_gate, open_gate
    stage.centres[FIRST].quirks = QUIRKS


async def fail_over(*ways: Way, second: str = "smpp", database: str = "sqlite") -> list[Failover]:
    """One run, in which the first link goes in each of these ways; raises AssertionError with what does not hold."""
    terms = "response_timeout_s = {}\noptions = {{ priority = {} }}"
    ask = Ask(
        database=database,
        proxied=True,
        link='bind = "receiver"',
        spares=(("smpp", terms.format(ANSWER_WITHIN_S, 1)), (second, terms.format(ANSWER_WITHIN_S, 2))),
        quirks=QUIRKS,
    )
    async with Stage(ask) as stage:
        await stage.service.up()
        await stage.until_bound()
        spans = [await _gone(stage, way) for way in ways]
        await stage.until_settled()
        names = [way.__name__ for way in ways]
        raise_for(await asyncio.to_thread(end_faults, stage), f"after a link was {' and '.join(names)}")
        return [_measured(stage, f"{name}, {second} goes on", *span) for name, span in zip(names, spans)]


async def _gone(stage: Stage, way: Way) -> tuple[int, int, int]:
    """Replies go over the first link; then it goes so, and they go on. Watched since when, when it went, until when."""
    _restored(stage)
    first = stage.centres[FIRST].counted
    async with _written(stage, RATE / 5):
        goal = first.accepted + 1
        await stage.until(lambda: first.accepted >= goal, "the first link in favour")
    begun_ms = stage.clock.monotonic_ms()
    async with _written(stage, RATE):
        goal = first.accepted + BEFORE
        await stage.until_acknowledged(BEFORE)
        await stage.until(lambda: first.accepted >= goal, "replies over the first link")
        went_ms = stage.clock.monotonic_ms()
        way(stage)
        await stage.until_acknowledged(after(way))
    return begun_ms, went_ms, stage.clock.monotonic_ms()


@asynccontextmanager
async def _written(stage: Stage, per_second: float) -> AsyncIterator[None]:
    """Subscribers write to the link of MO meanwhile."""
    load = spawn(stage.centre.trickle(per_second), name="load")
    try:
        yield
    finally:
        load.cancel()


def _measured(stage: Stage, what: str, begun_ms: int, went_ms: int, end_ms: int) -> Failover:
    written_ms = {mo.text: mo.first_sent_ms for mo in stage.centre.mos if begun_ms <= mo.first_sent_ms <= end_ms}
    replies = {f"re {id_}": text for text in written_ms for id_ in stage.book.ids[text]}
    came = [mt for place in (FIRST, SECOND) for mt in stage.centres[place].mts if mt.text in replies]
    mts = sorted((mt.at_ms, mt.text) for mt in came if mt.status in (0, None))
    seen_ms: dict[str, int] = {}
    for at_ms, text in mts:
        seen_ms.setdefault(text, at_ms)
    took = {written_ms[text]: seen_ms[reply] - written_ms[text] for reply, text in replies.items()}
    last_ms = max(written_ms.values())
    late = [at_ms for at_ms, ms in took.items() if ms > 1000]
    return Failover(
        what,
        gap_before_ms=_gap([at_ms for at_ms, _ in mts if at_ms <= went_ms]),
        gap_ms=_gap([went_ms, *(at_ms for at_ms, _ in mts if went_ms < at_ms <= last_ms)]),
        replies=len(seen_ms),
        late=len(late),
        reply_ms_max=max(took.values()),
        twice=len(mts) - len(seen_ms),
        thrown_back=len(came) - len(mts),
        stuck_for_ms=max((at_ms - went_ms for at_ms in late), default=-1),
    )


def _gap(moments_ms: list[int]) -> int:
    return max((after - before for before, after in pairwise(moments_ms)), default=0)
