"""A process that stands still (SIGSTOP) beside another one, is taken for dead, and goes on (SIGCONT).

Frozen        what a run saw
freeze_often  two processes over one MariaDB, under load; one of them is frozen, so many times

The frozen one holds whatever it holds: connections to operators, calls to partners, a transaction with its locks.

Rule: who was buried ends by itself and is started again, as a supervisor would; in the end everything is there once.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from sim.quirks import Quirks
from store.pulse import SILENT_MS
from tests.fire.process import ServiceProcess
from tests.fire.stage import Ask, Stage
from tests.fire.truth import end_faults, kept_faults, raise_for

RATE = 100.0
DEAD_WITHIN_S = SILENT_MS / 1000 + 8
ENDS_WITHIN_S = 10.0
TOOK_OVER = "took over the work of dead processes"
BURIED = "another process took us for dead; stopping at once"
ALL = "links,dispatch,api"
TWINS = (ALL, ALL)
"""Both have links of the same operators: that asks for operators who number their messages, and texts in one part."""
APART = ("links", "dispatch,api")


@dataclass(slots=True)
class Frozen:
    """The figures of a run."""

    freezes: int = 0
    written: int = 0
    stored: int = 0
    repeats: int = 0
    unanswered: int = 0
    replies_twice: int = 0
    buried_after_s_max: float = 0.0
    """From SIGSTOP to the burial."""
    ended_after_s_max: float = 0.0
    """From SIGCONT to the end of the process."""
    seconds: float = 0.0


async def freeze_often(
    roles: Sequence[str], count: int, *, seed: int = 0, tell: Callable[[int], None] = lambda done: None
) -> Frozen:
    """The campaign; raises AssertionError with what does not hold."""
    frozen, begun = Frozen(), time.monotonic()
    numbered = roles == TWINS
    ask = Ask(
        database="mariadb",
        seed=seed,
        quirks=Quirks(retry_s=0.3, window=50, enquire_s=2.0, id_tlv=0x1400 if numbered else 0),
        link='id_tlv = "1400"' if numbered else "",
    )
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(Stage(ask))
        second = ServiceProcess(stage._config())
        stack.push_async_callback(asyncio.to_thread, second.remove)
        pair = (stage.service, second)
        for service, its in zip(pair, roles):
            service.roles = its
            await service.up()
        await stage.until(lambda: len(stage.centre.esmes) == sum("links" in its for its in roles), "every link bound")
        stage.load(RATE)
        for number in range(1, count + 1):
            await stage.until_acknowledged(50)
            await _freeze(stage, pair[number % 2], pair[1 - number % 2], frozen)
            raise_for(await asyncio.to_thread(kept_faults, stage), f"after freeze {number}")
            tell(number)
        await stage.until_acknowledged(50)
        stage.calm()
        await stage.until_settled()
        raise_for(await asyncio.to_thread(end_faults, stage), f"at the end, {count} freezes, seed {seed}")
        frozen.written = stage.written
        frozen.unanswered = stage.centre.counted.unanswered
        frozen.stored, frozen.repeats = stage.row("SELECT (SELECT COUNT(*) FROM mo), (SELECT COUNT(*) FROM mo_repeat)")
        (frozen.replies_twice,) = stage.row("SELECT COUNT(*) FROM mt WHERE maybe_twice")
    frozen.seconds = time.monotonic() - begun
    return frozen


async def _freeze(stage: Stage, still: ServiceProcess, other: ServiceProcess, frozen: Frozen) -> None:
    """In the middle of whatever it does, until the other has its work; then it goes on, and has to notice."""
    buried = len(other.said(TOOK_OVER))
    await asyncio.sleep(stage.random.random() * 0.05)
    process = still.process
    assert process is not None
    still.freeze()
    begun = time.monotonic()
    while len(await asyncio.to_thread(other.said, TOOK_OVER)) == buried:
        if time.monotonic() - begun > DEAD_WITHIN_S:
            raise AssertionError(f"not buried within {DEAD_WITHIN_S:g} s; {stage.tell()}")
        await asyncio.sleep(0.1)
    frozen.buried_after_s_max = max(frozen.buried_after_s_max, time.monotonic() - begun)
    still.thaw()
    begun = time.monotonic()
    code = await asyncio.to_thread(process.wait, ENDS_WITHIN_S)
    frozen.ended_after_s_max = max(frozen.ended_after_s_max, time.monotonic() - begun)
    assert code == 1, f"it ended with {code}"
    assert still.said(BURIED), "it did not say why"
    frozen.freezes += 1
    await still.down()
    await still.up()
