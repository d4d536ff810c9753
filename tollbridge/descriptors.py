"""File descriptors of this process: a person is told when few are left, before and while calls and binds fail.

watch_descriptors   every second, for ever
Watched             when to speak: once, and again only after there was room in between (pure)

Each connection is one: of links, partners, callers of the API. The system counts them in /proc; where it has none,
nobody watches.

Rule: this needs a descriptor itself. That there is none to look with is the answer.
"""

import asyncio
import errno
import os
import resource
from dataclasses import dataclass

from structlog import get_logger

from core.clock import MINUTE_MS, Clock
from traffic.commit import Batcher

log = get_logger()

LOOK_S = 1.0
FEW = 0.1
"""So small a share is few: enough to bind links again, and to call."""
AGAIN_MS = 10 * MINUTE_MS
_PLACE = "/proc/self/fd"


@dataclass(slots=True)
class Watched:
    """What was seen so far."""

    are_few: bool = False
    told_ms: int | None = None

    def see(self, used: int, limit: int, now_ms: int) -> bool:
        """Whether to tell a person now."""
        if limit - used > 2 * FEW * limit:
            self.are_few = False
        if self.are_few or limit - used > FEW * limit:
            return False
        self.are_few = True
        if self.told_ms is not None and now_ms - self.told_ms < AGAIN_MS:
            return False
        self.told_ms = now_ms
        return True


async def watch_descriptors(batcher: Batcher, clock: Clock) -> None:
    """Log and write an alert when few are left; what cannot be written now is written when it can."""
    watched = Watched()
    while os.path.isdir(_PLACE):
        used, limit = count()
        if watched.see(used, limit, clock.monotonic_ms()):
            log.error("few file descriptors are left", used=used, limit=limit, remedy="raise LimitNOFILE")
            sentence = f"{used} of {limit} file descriptors were in use: raise LimitNOFILE, and see who connects"
            batcher.alert("host", "file descriptors", sentence)
        await asyncio.sleep(LOOK_S)


def count() -> tuple[int, int]:
    """How many are in use, and may be."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        return len(os.listdir(_PLACE)), limit
    except OSError as error:
        if error.errno not in (errno.EMFILE, errno.ENFILE):
            raise
        return limit, limit
