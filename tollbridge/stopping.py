"""A stop: one deadline for all of it, of which each stage gets what the earlier ones have left (reliability.md, 7).

Deadline   the end of the whole, and of each stage
drain      links unbound, calls to partners ended, everything committed
at_most    a stage that is left behind when its time is over

The stages: windows drained, links unbound, calls ended, commits, the sign-off. What is left undone at the end was
either not acknowledged, or is durable and found by the next start, as after a crash (R1).

Rule: nothing here waits without an end, whatever hangs: a partner, a centre, the database, Redis. Who could not commit
everything does not sign off: nobody would doubt the answers of its sessions, and what comes again would be new.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from enum import Enum

from structlog import get_logger

from core.clock import Clock
from smsc_link.links import Links
from traffic.ussd import Dialogues
from traffic.way import Way

log = get_logger()

STOP_S = 20.0
"""From the signal to the end of the process."""


SCREENS_S = 6.0
"""How long USSD sessions may take for the screens under way."""


class Stage(Enum):
    """What has to be over when so much of the time is."""

    WINDOWS = 0.6
    UNBIND = 0.75
    CALLS = 0.8
    COMMITS = 0.9
    END = 0.95
    """The rest is the interpreter's."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a stop that began at `begun_ms`, by the clock that never jumps, has to be over."""

    clock: Clock
    begun_ms: int
    whole_s: float

    def left_s(self, stage: Stage) -> float:
        """How long until this stage has to be over; 0 when it should be."""
        passed_s = (self.clock.monotonic_ms() - self.begun_ms) / 1000
        return max(0.0, stage.value * self.whole_s - passed_s)


async def drain(way: Way, links: Links | None, deadline: Deadline, dialogues: Dialogues) -> bool:
    """Let what is on its way come to an end: with links and partners at the same time, then with the database.

    Whether all of it is durable.
    """
    if links is not None:
        # Their screens need links: a phone waits for each, but never for longer than a menu does.
        await dialogues.stop(min(SCREENS_S, deadline.left_s(Stage.WINDOWS)))
    unbound, _ = await asyncio.gather(_unbind(links, deadline), way.dispatcher.stop(deadline.left_s(Stage.CALLS)))
    stopped = way.stop(deadline.left_s(Stage.CALLS))
    committed = await at_most(deadline.left_s(Stage.COMMITS), stopped, "stopped with work that is not committed")
    if not committed:
        way.cancel()
    return unbound and committed


async def _unbind(links: Links | None, deadline: Deadline) -> bool:
    if links is None:
        return True
    windows_s = deadline.left_s(Stage.WINDOWS)
    stopped = links.stop(windows_s, deadline.left_s(Stage.UNBIND) - windows_s)
    return await at_most(deadline.left_s(Stage.CALLS), stopped, "links were cut off by the stop")


async def at_most(seconds: float, work: Awaitable[object], otherwise: str) -> bool:
    """Do it within this time, or go on without; whether it was done."""
    try:
        await asyncio.wait_for(work, seconds)
    except TimeoutError:
        log.warning(otherwise)
        return False
    return True
