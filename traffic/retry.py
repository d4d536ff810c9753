"""When to try again, and when to stop (reliability.md, section 4). Pure.

pause_ms      min(900, 2ⁿ) s × 0.5…1.5
next_attempt  the moment of the next attempt, or None: dead
Breaker       after 20 messages in a row have failed, one probe every 30 s

Rule: a message's own limit in time, never the number of attempts, ends the trying.
"""

from dataclasses import dataclass, field
from random import Random

from core.clock import DAY_MS, SECOND_MS, Instant

TRY_FOR_MS = DAY_MS
PAUSE_MAX_S = 900
RETRY_AFTER_MAX_S = 3600
FAILURES_MAX = 20
PROBE_MS = 30 * SECOND_MS


def pause_ms(n: int, random: Random) -> int:
    """The pause after the failure number `n` (0, 1, …), in milliseconds, jittered by half."""
    base_s = min(PAUSE_MAX_S, 1 << min(n, 20))
    return base_s * random.randrange(500, 1501)


def next_attempt(n: int, now: Instant, *, until: Instant, random: Random, retry_after_s: int = 0) -> Instant | None:
    """When to try again after the failure number `n`; None when that lies beyond `until`."""
    pause = pause_ms(n, random)
    if retry_after_s > 0:
        pause = max(pause, min(retry_after_s, RETRY_AFTER_MAX_S) * SECOND_MS)
    due = now + pause
    return due if due <= until else None


@dataclass(slots=True)
class Breaker:
    """One end point's fuse. Closed while it answers; open after FAILURES_MAX messages in a row have failed.

    A message that fails again counts once: some that can never be answered well must not shut out the others.
    """

    probe_at_ms: int = 0
    _failed: set[int] = field(default_factory=set)

    @property
    def failures(self) -> int:
        """How many messages have failed since the last good answer; counted up to FAILURES_MAX."""
        return len(self._failed)

    @property
    def is_shut(self) -> bool:
        """It failed so often that it is only probed."""
        return self.failures >= FAILURES_MAX

    def is_probe_due(self, now_ms: int) -> bool:
        """One caller may try again."""
        return now_ms >= self.probe_at_ms

    def is_open(self, now_ms: int) -> bool:
        """Nothing may go there now. When the time of a probe has come, one caller is let through."""
        if not self.is_shut:
            return False
        if self.is_probe_due(now_ms):
            self.probe_at_ms = now_ms + PROBE_MS
            return False
        return True

    def answered(self) -> bool:
        """The end point works; True when it was shut before."""
        was_shut = self.is_shut
        self._failed.clear()
        return was_shut

    def failed(self, now_ms: int, message_id: int) -> bool:
        """One more failure; True when that one opened it."""
        was_shut = self.is_shut
        if not was_shut:
            self._failed.add(message_id)
        if self.is_shut:
            self.probe_at_ms = now_ms + PROBE_MS
        return self.is_shut and not was_shut
