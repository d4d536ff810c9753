"""Two links of one operator, one of which goes: how long replies stand still.

Failover      what was measured
fail_over     MO come by a link of their own; all replies go by the first of two others, until that one goes

killed        its connection is reset, and nobody listens there any more
frozen        its connection is up, and nothing goes through it

Rule: a reply's time is taken where subscribers are: from its MO's first deliver_sm to its first submission that a
centre saw.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from plumbing.loop import spawn
from sim.quirks import Quirks
from tests.fire.proxy import Proxy, swallow
from tests.fire.stage import Ask, Stage
from tests.fire.truth import end_faults, raise_for

RATE = 100.0
BEFORE, AFTER = 100, 200
"""So many MO are acknowledged before the one goes, and after."""
ANSWER_WITHIN_S = 2
"""The links' response_timeout_s: what was submitted over a frozen one, and not answered, is sent again then."""
MO, FIRST, SECOND = range(3)


@dataclass(frozen=True, slots=True)
class Failover:
    """What was measured. `gap`: between two submissions, whichever centre saw them, from the moment that one went."""

    what: str
    gap_before_ms: int
    gap_ms: int
    replies: int
    late: int
    """Replies that took more than a second."""
    reply_ms_max: int
    twice: int
    stuck_for_ms: int
    """How long after that moment the last MO came whose reply took more than a second; -1: there was none."""


def killed(proxy: Proxy) -> None:
    """Gone, as a machine whose power is cut off."""
    proxy.refuses = True
    proxy.reset()


def frozen(proxy: Proxy) -> None:
    """There, and silent."""
    proxy.up = proxy.down = swallow


async def fail_over(goes: Callable[[Proxy], None], *, second: str = "smpp", database: str = "sqlite") -> Failover:
    """One run; raises AssertionError with what does not hold at its end."""
    terms = "response_timeout_s = {}\noptions = {{ priority = {} }}"
    ask = Ask(
        database=database,
        proxied=True,
        link='bind = "receiver"',
        spares=(("smpp", terms.format(ANSWER_WITHIN_S, 1)), (second, terms.format(ANSWER_WITHIN_S, 2))),
        quirks=Quirks(retry_s=0.2, window=50),
    )
    async with Stage(ask) as stage:
        await stage.service.up()
        await stage.until_bound()
        load = spawn(stage.centre.trickle(RATE), name="load")
        try:
            await stage.until_acknowledged(BEFORE)
            first = stage.centres[FIRST].counted
            await stage.until(lambda: first.submitted >= BEFORE, "replies over the first link")
            went_ms = stage.clock.monotonic_ms()
            goes(stage.proxies[FIRST])
            await stage.until_acknowledged(AFTER)
        finally:
            load.cancel()
        await stage.until_settled()
        raise_for(await asyncio.to_thread(end_faults, stage), f"after a link was {goes.__name__}")
        return _measured(stage, f"{goes.__name__}, {second} goes on", went_ms)


def _measured(stage: Stage, what: str, went_ms: int) -> Failover:
    mts = sorted((mt.at_ms, mt.text) for place in (FIRST, SECOND) for mt in stage.centres[place].mts)
    seen_ms: dict[str, int] = {}
    for at_ms, text in mts:
        seen_ms.setdefault(text, at_ms)
    written_ms = {mo.text: mo.first_sent_ms for mo in stage.centre.mos}
    took = {
        written_ms[text]: seen_ms[f"re {id_}"] - written_ms[text] for text, ids in stage.book.ids.items() for id_ in ids
    }
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
        stuck_for_ms=max((at_ms - went_ms for at_ms in late), default=-1),
    )


def _gap(moments_ms: list[int]) -> int:
    return max((after - before for before, after in pairwise(moments_ms)), default=0)
