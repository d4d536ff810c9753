"""An event loop whose time is virtual: it never waits, it jumps to the next timer.

VirtualLoop    asyncio's own loop with another clock and a selector that does not block
VirtualClock   core.clock.Clock on it; the wall clock may be set, the monotonic one may not

Rule: no sockets but the loop's own pair, no threads; the order of callbacks is that of the code.
"""

import asyncio
import selectors
from typing import Any

from core.clock import Instant


class _Selector(selectors.DefaultSelector):
    """Moves the loop's time on instead of waiting."""

    loop: "VirtualLoop"

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "nothing will ever happen: every task waits for another"
            self.loop.jump(timeout)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """Starts at 0 s."""

    def __init__(self) -> None:
        selector = _Selector()
        selector.loop = self
        self._virtual_s = 0.0
        super().__init__(selector)

    def time(self) -> float:
        return self._virtual_s

    def jump(self, seconds: float) -> None:
        """Time passes."""
        # A timer is due when its time is reached; floats need a nudge to reach it.
        self._virtual_s += max(seconds, 0) + 1e-9


class VirtualClock:
    """The time of a loop, from a wall clock's moment on."""

    def __init__(self, loop: VirtualLoop, start: Instant) -> None:
        self._loop = loop
        self._start = start
        self._shift_ms = 0

    def now(self) -> Instant:
        return self._start + self._shift_ms + self.monotonic_ms()

    def monotonic_ms(self) -> int:
        return int(self._loop.time() * 1000)

    def set_back(self, ms: int) -> None:
        """Somebody sets the wall clock back (or, below zero, forward)."""
        self._shift_ms -= ms
