"""Room in the window of one session: how much there is, and when there is some again.

Room   look() says how much; who looked in vain is told once, when some has appeared

A full window opens with an answer, so a session calls appeared() when it has heard something; a spent rate opens with
time, by a timer of this module.

Rule: nobody is told who did not look in vain.
"""

import asyncio
from collections.abc import Callable

from core.clock import Clock
from smsc_link.adapter import Session


class Room:
    """Of one session. `tell` is called when there may be room again."""

    def __init__(self, wire: Session, clock: Clock, tell: Callable[[], None]) -> None:
        self._wire = wire
        self._clock = clock
        self._tell = tell
        self._timer: asyncio.TimerHandle | None = None
        self.is_awaited = False
        """Somebody looked in vain."""

    def now(self) -> int:
        """How many may be submitted; nobody is told later."""
        return self._wire.room_at(self._clock.monotonic_ms())

    def look(self) -> int:
        """How many may be submitted; where that is none, `tell` says when it is some."""
        room = self.now()
        if not room:
            self.is_awaited = True
            self._wait_for_rate()
        return room

    def appeared(self) -> None:
        """Something was heard, or time has passed."""
        if self.is_awaited:
            self.is_awaited = False
            self._tell()

    def closed(self) -> None:
        """The session is over."""
        if self._timer is not None:
            self._timer.cancel()

    def _wait_for_rate(self) -> None:
        """A full window opens with an answer; a spent rate only with time."""
        now_ms = self._clock.monotonic_ms()
        delay_ms = self._wire.room_at_ms(now_ms) - now_ms
        if delay_ms > 0 and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(delay_ms / 1000, self._rate_allows)

    def _rate_allows(self) -> None:
        self._timer = None
        self.appeared()
