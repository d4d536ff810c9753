"""One partner's jobs in memory: no more of them than it can be called with before their leases end. No I/O.

Queue         waiting jobs, calls on their way, how long a call takes of late
  most        so many may wait here; the rest stays in the database
  enough      with so many it needs none from the database
most_of_one   what one partner may have of all calls at once

A partner that was not called yet is taken for a quick one: what turns out to be too much is let go, not called late.

Rule: what waits here is leased by this process, and is called while the lease outlasts a call's time-out, or never.
"""

from collections import deque
from dataclasses import dataclass, field

from core.message import Callback

QUEUE_MAX = 1000
"""Jobs of one partner in memory, however quick it is."""


def most_of_one(total: int) -> int:
    """So many of all calls at once may be one partner's, whatever its `concurrency`: one that hangs leaves the rest."""
    return max(1, total // 2)


@dataclass(slots=True)
class Queue:
    """One partner's jobs."""

    concurrency: int = 1
    waiting: deque[Callback] = field(default_factory=deque)
    running: int = 0
    call_ms: int = 0
    """How long a call takes: at once as long as the last one, less only slowly."""

    def took(self, ms: int) -> None:
        """A call is over."""
        self.call_ms = max(ms, (7 * self.call_ms + ms) // 8)

    def most(self, begin_within_ms: int) -> int:
        """How many calls can begin in that time."""
        if not self.call_ms:
            return QUEUE_MAX
        return min(QUEUE_MAX, max(self.concurrency, self.concurrency * begin_within_ms // self.call_ms))

    def enough(self, begin_within_ms: int) -> int:
        """Half of them."""
        return max(1, self.most(begin_within_ms) // 2)
