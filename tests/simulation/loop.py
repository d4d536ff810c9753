"""An event loop whose time is virtual, and the processes that run on it: it never waits, it jumps to the next timer.

VirtualLoop    asyncio's own loop with another clock and a selector that does not block
VirtualClock   core.clock.Clock on it; the wall clock may be set, the monotonic one may not
Turn           a callback that a process waits with while it is frozen
Life           all that one process runs on the loop: it can be frozen as SIGSTOP does, and ended as kill -9 does

Rule: no sockets but the loop's own pair, no threads; the order of callbacks is that of the code.
"""

import asyncio
import selectors
from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass
from typing import Any

from core.clock import Instant

_LIFE: ContextVar["Life | None"] = ContextVar("life", default=None)


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

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        life = (copy_context() if context is None else context).get(_LIFE)
        if life is None:
            return super().call_soon(callback, *args, context=context)
        turn = Turn(callback, args)
        turn.handle = super().call_soon(life.let, turn, context=context)
        return turn.handle

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        life = (copy_context() if context is None else context).get(_LIFE)
        if life is None:
            return super().call_at(when, callback, *args, context=context)
        turn = Turn(callback, args)
        turn.handle = handle = super().call_at(when, life.let, turn, context=context)
        return handle


@dataclass(slots=True)
class Turn:
    """A callback with the handle that its owner may cancel, also while it waits for a thaw."""

    callback: Callable[..., Any]
    args: tuple[Any, ...]
    handle: asyncio.Handle | None = None


class Life:
    """One process on the loop: whatever was begun in its context, and what that began."""

    def __init__(self) -> None:
        self.is_frozen = False
        self.is_over = False
        self._held: list[tuple[Context, Turn]] = []
        self._context = Context()
        self._context.run(_LIFE.set, self)

    def context(self) -> Context:
        """To run something as this process."""
        return self._context.copy()

    def let(self, turn: Turn) -> None:
        """Its turn: nothing runs while it is frozen, or ever again."""
        if self.is_frozen or self.is_over:
            self._held.append((copy_context(), turn))
        elif turn.handle is None or not turn.handle.cancelled():
            turn.callback(*turn.args)

    def freeze(self) -> None:
        """SIGSTOP: time goes on, and what arrives waits."""
        self.is_frozen = True

    def thaw(self) -> None:
        """SIGCONT."""
        self.is_frozen = False
        if not self.is_over:
            self._go_on(asyncio.get_running_loop())

    def end(self) -> None:
        """kill -9: not one line runs any more."""
        self.is_over = True

    def clear_away(self, loop: asyncio.AbstractEventLoop) -> None:
        """After the world's end: tasks that wait for a turn can be cancelled only when they get it."""
        self.is_frozen = self.is_over = False
        self._go_on(loop)

    def _go_on(self, loop: asyncio.AbstractEventLoop) -> None:
        held, self._held = self._held, []
        for context, turn in held:
            # Past our own call_soon: its handle stays the one that its owner holds.
            asyncio.SelectorEventLoop.call_soon(loop, self.let, turn, context=context)  # type: ignore[arg-type]


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
