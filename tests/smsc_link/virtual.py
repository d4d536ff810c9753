"""A loop whose time is virtual: it jumps to the next timer, so an hour of pauses passes at once.

VirtualLoop, virtually()   run a coroutine under it
VirtualClock               the clock of such a loop
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

BEGAN_AT = 1_790_000_000_000


class _Jump(selectors.SelectSelector):
    """Does not wait: moves the loop's time instead."""

    loop: "VirtualLoop"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("nothing will ever happen any more: a coroutine waits for what nobody does")
        if not ready and timeout:
            self.loop.virtual_s += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in its own time."""

    def __init__(self) -> None:
        self.virtual_s = 1000.0
        jump = _Jump()
        jump.loop = self
        super().__init__(jump)

    def time(self) -> float:
        return self.virtual_s


class VirtualClock:
    """The time of the running virtual loop."""

    def now(self) -> int:
        return BEGAN_AT + self.monotonic_ms()

    def monotonic_ms(self) -> int:
        # Floats of a loop fall a little short of the timer that fired.
        return int(asyncio.get_running_loop().time() * 1000 + 0.001)


def virtually(coroutine: Coroutine[Any, Any, T], *, limit_s: float = 100_000.0) -> T:
    """Run it to its end; a TimeoutError after so much virtual time."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(asyncio.wait_for(coroutine, limit_s))
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
