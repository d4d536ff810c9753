"""TCP cut in the middle of our answers, again and again.

Cuts          what a run saw
cut_often     a proxy per link cuts after a random number of octets, until there were enough cuts

The links belong to different operators: a doubt is one operator's, so each is a run of its own.

Rule: the same campaign with `repeat = "never"` must show doubles, or it proves nothing.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from sim.quirks import Quirks
from tests.fire.proxy import cut_after, open_gate
from tests.fire.stage import Ask, Stage
from tests.fire.truth import end_faults, raise_for

RATE = 400.0
OCTETS_MAX = 4000
SETTLED_WITHIN_S = 240.0
"""A reply whose submission was cut off again and again waits longer each time (reliability.md, section 4)."""


@dataclass(slots=True)
class Cuts:
    """The figures of a run."""

    cuts: int = 0
    written: int = 0
    stored: int = 0
    doubles: int = 0
    repeats: int = 0
    attempts_max: int = 0
    """Of one reply to be submitted."""
    settled_after_s: float = 0.0
    seconds: float = 0.0


async def cut_often(
    count: int,
    *,
    seed: int = 0,
    operators: int = 5,
    repeat: str = "doubt",
    database: str = "sqlite",
    tell: Callable[[int], None] = lambda done: None,
) -> Cuts:
    """The campaign; raises AssertionError with what does not hold. With `repeat = "never"` it only counts."""
    begun = time.monotonic()
    ask = Ask(
        database=database,
        seed=seed,
        operators=operators,
        proxied=True,
        link=f'repeat = "{repeat}"',
        quirks=Quirks(retry_s=0.2, window=50),
    )
    async with Stage(ask) as stage:
        await stage.service.up()
        for proxy in stage.proxies:
            proxy.up = cut_after(stage.random, OCTETS_MAX)
        async with stage.under_load(RATE):
            while (cuts := sum(proxy.cuts for proxy in stage.proxies)) < count:
                tell(cuts)
                await stage.until(partial(_has_cut_since, stage, cuts), "another cut")
        for proxy in stage.proxies:
            proxy.up = open_gate
        calm = time.monotonic()
        if repeat == "never":
            await stage.until(lambda: stage.acknowledged >= stage.written, "everything acknowledged")
        else:
            await stage.until_settled(SETTLED_WITHIN_S)
            raise_for(await asyncio.to_thread(end_faults, stage), f"after {_cuts(stage)} cuts, seed {seed}")
        settled_after_s = time.monotonic() - calm
        texts = Counter(text for (text,) in stage.rows("SELECT text FROM mo"))
        repeats, attempts = stage.row("SELECT (SELECT COUNT(*) FROM mo_repeat), (SELECT MAX(attempt) FROM mt)")
        doubles = sum(times - 1 for times in texts.values())
        return Cuts(
            cuts=_cuts(stage),
            written=stage.written,
            stored=texts.total(),
            doubles=doubles,
            repeats=repeats,
            attempts_max=attempts + 1,
            settled_after_s=settled_after_s,
            seconds=time.monotonic() - begun,
        )


def _has_cut_since(stage: Stage, cuts: int) -> bool:
    return _cuts(stage) > cuts


def _cuts(stage: Stage) -> int:
    return sum(proxy.cuts for proxy in stage.proxies)
