"""The clock of the machine that we run on.

SystemClock   core.clock.Clock by the operating system: UTC for what is written down, monotonic for durations

Rule: made once, on the roof, and handed down; nothing below asks the machine for the time by itself.
"""

from time import monotonic_ns, time_ns


class SystemClock:
    """The machine's own time, in whole milliseconds."""

    def now(self) -> int:
        """The wall clock (UTC). May jump."""
        return time_ns() // 1_000_000

    def monotonic_ms(self) -> int:
        """Milliseconds since any fixed moment. Never jumps."""
        return monotonic_ns() // 1_000_000
