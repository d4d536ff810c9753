"""When requests of ours may go: a window, a rate, and nobody hammers an operator that is not there.

Outward   one link's: room, submit; closed after failures, opened again by a probe, with growing pauses
Watcher   who is told of it: the link

A request without a connection closes it at once, so that what was not sent goes over another link; so do several in a
row without any answer. It is tried again by a connection, which costs nobody a message; until an answer has come, one
request at a time goes.

Rule: it is closed before anybody hears that something was not sent: who hears it looks for a way at once.
"""

import asyncio
from random import Random
from typing import Protocol

from structlog import get_logger

from core.clock import Clock
from core.message import SubmitAnswer, SubmitOutcome
from plumbing.loop import spawn
from smsc_link.keeping import Counts
from smsc_link.link import pause_s
from smsc_link.protocols.http.caller import Caller, Unheard, Unsent
from smsc_link.protocols.http.outbound import HttpWriter, Outgoing
from wire.window import Allowance

log = get_logger()

SILENT_MAX = 5
"""So many requests in a row without an answer, and it is closed."""
_NOT_KNOWN = (401, 403)


class Watcher(Protocol):
    """Who is told."""

    def outward_opened(self) -> None:
        """Requests may go again."""
        ...

    def outward_closed(self, reason: str) -> None:
        """None may go."""
        ...

    def outward_refused(self, reason: str) -> None:
        """The operator does not know us."""
        ...

    def outward_has_room(self) -> None:
        """There is room, after there was none."""
        ...


class Outward:
    """Requests of one link."""

    def __init__(
        self, writer: HttpWriter, caller: Caller, watcher: Watcher, *, clock: Clock, random: Random, counts: Counts
    ) -> None:
        self.is_open = True
        self._link = writer.link
        self._writer = writer
        self._caller = caller
        self._watcher = watcher
        self._clock = clock
        self._random = random
        self._counts = counts
        self._allowance = Allowance(writer.link.max_tps)
        self._flying: set[asyncio.Task[None]] = set()
        self._unheard = 0
        """Failures since the last answer."""
        self._is_tentative = False
        self._starved = False
        self._timer: asyncio.TimerHandle | None = None
        self._probing: asyncio.Task[None] | None = None

    @property
    def flying(self) -> int:
        """Requests without an answer yet."""
        return len(self._flying)

    @property
    def is_slowed(self) -> bool:
        """The operator found it too fast, and its rate has not grown back; as of the last room()."""
        return self._allowance.is_slowed

    def room(self) -> int:
        """How many requests may go now. Asked in vain, it tells when there is room again."""
        if not self.is_open:
            return 0
        now_ms = self._clock.monotonic_ms()
        window = 1 if self._is_tentative else self._link.window
        allowed = self._allowance.room(now_ms)
        room = max(0, window - self.flying)
        room = room if allowed is None else min(room, allowed)
        if not room:
            self._starved = True
            delay_ms = self._allowance.room_at_ms(now_ms) - now_ms
            if delay_ms > 0 and self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(delay_ms / 1000, self._rate_allows)
        return room

    def submit(self, request: Outgoing) -> "asyncio.Future[SubmitAnswer]":
        """Send it; never raises."""
        future: asyncio.Future[SubmitAnswer] = asyncio.get_running_loop().create_future()
        if not self.room():
            future.set_result(
                SubmitAnswer(SubmitOutcome.UNSENT, sentence="the link is not open, or its window is full")
            )
            return future
        self._allowance.take(self._clock.monotonic_ms())
        self._counts.submits += 1
        task = spawn(self._send(request, future), name=f"request of {self._link.name}")
        self._flying.add(task)
        task.add_done_callback(lambda task: self._landed(task, future))
        return future

    async def _send(self, request: Outgoing, future: "asyncio.Future[SubmitAnswer]") -> None:
        try:
            status, body = await self._caller.exchange(request)
        except Unsent as reason:
            self._counts.unanswered += 1
            self._close(str(reason))
            future.set_result(SubmitAnswer(SubmitOutcome.UNSENT, sentence=str(reason)))
            return
        except Unheard as reason:
            self._counts.unanswered += 1
            self._unheard += 1
            if self._unheard >= SILENT_MAX:
                self._close(f"{self._unheard} requests in a row without an answer")
            future.set_result(SubmitAnswer(SubmitOutcome.UNANSWERED, sentence=str(reason)))
            return
        self._unheard = 0
        self._is_tentative = False
        if status in _NOT_KNOWN:
            self._watcher.outward_refused(f"the operator answers HTTP {status}; look at the password and submit.auth")
        answer = self._writer.submit_answer(request, status, body)
        if answer.outcome is SubmitOutcome.ACCEPTED:
            self._counts.accepted += 1
        elif answer.outcome is SubmitOutcome.THROTTLED:
            self._counts.throttled += 1
            self._allowance.throttled(self._clock.monotonic_ms())
        future.set_result(answer)

    def _landed(self, task: "asyncio.Task[None]", future: "asyncio.Future[SubmitAnswer]") -> None:
        self._flying.discard(task)
        if not future.done():  # It was cut off by a stop, or a bug of ours is in the log.
            future.set_result(SubmitAnswer(SubmitOutcome.UNANSWERED, sentence="the request was cut off"))
        self._feed()

    def _rate_allows(self) -> None:
        self._timer = None
        self._feed()

    def _feed(self) -> None:
        if self._starved:
            self._starved = False
            if self.room():
                self._watcher.outward_has_room()

    # --- closed and open ----------------------------------------------------------------------------------------------

    def _close(self, reason: str) -> None:
        if not self.is_open:
            return
        self.is_open = False
        self._watcher.outward_closed(reason)
        self._probing = spawn(self._probe(), name=f"probe of {self._link.name}")

    async def _probe(self) -> None:
        tries = max(1, self._unheard - SILENT_MAX + 1)
        while True:
            await asyncio.sleep(pause_s(tries, self._random))
            try:
                await self._caller.probe()
                break
            except Unsent as reason:
                tries += 1
                log.debug("link still down", link=self._link.name, reason=str(reason))
        self.is_open = True
        self._is_tentative = True
        self._watcher.outward_opened()

    async def stop(self, timeout_s: float) -> None:
        """Nothing new goes; what is under way gets so long, and is then cut off."""
        self.is_open = False
        if self._probing is not None:
            self._probing.cancel()
        if self._timer is not None:
            self._timer.cancel()
        if self._flying and timeout_s > 0:
            await asyncio.wait(self._flying, timeout=timeout_s)
        for task in list(self._flying):
            task.cancel()
        if self._flying:
            await asyncio.wait(list(self._flying))
        await self._caller.close()
