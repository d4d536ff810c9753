"""What menus ask of others: carried out beside the sessions, with patience and within limits.

Calls        begin() carries out one call and tells its outcome, once
AskPartner   a partner's end point: partner_api.ussd has it
Action       an action of the product's own

Who does not answer in time is told as pending; the call itself goes on, for its partner may be doing what it asks.
A partner has at most `concurrency` calls at once, and the others wait for theirs: one that hangs keeps nobody else's
users waiting. A call whose user had to be told before it began is never made.

Rule: nothing here changes a session; what comes too late is told nobody.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from structlog import get_logger

from core.catalogue import Catalogue, Service
from core.clock import Clock
from core.ussd.actions import BUSY, CALL, PENDING, Call, Outcome
from core.ussd.asking import question
from core.ussd.session import Session
from plumbing.loop import spawn
from traffic.queues import most_of_one

log = get_logger()

AskPartner: TypeAlias = Callable[[Service, str, bytes], Awaitable[Outcome]]
"""(whose secret signs, the URL, the question) → what the partner says; keeps a time limit and never raises."""
Action: TypeAlias = Callable[[Call, Session], Awaitable[Outcome]]
Told: TypeAlias = Callable[[Outcome], None]

WAITING_MAX = 2_000
"""Calls of all partners that may wait for their turn: each leaves within its patience, 5 s at most."""


class Calls:
    """Those of one process; everything here runs on the event loop."""

    def __init__(
        self,
        ask: AskPartner,
        actions: Mapping[str, Action],
        catalogue: Callable[[], Catalogue],
        clock: Clock,
        *,
        total_max: int = 500,
    ) -> None:
        self._ask = ask
        self._actions = actions
        self._catalogue = catalogue
        self._clock = clock
        self._total_max = total_max
        self._tasks: dict[asyncio.Task[Outcome], str] = {}
        """With whose it is."""
        self._running: Counter[str] = Counter()
        self._waiting: dict[str, deque[_Asked]] = {}
        """Of partners that have as many calls as they may, in the order of coming."""
        self._waiting_count = 0
        self.begun = self.busy = self.pending = 0

    @property
    def running(self) -> int:
        """Those on their way, also where nobody waits for them any more."""
        return len(self._tasks)

    @property
    def waiting(self) -> int:
        """Those that have not begun."""
        return self._waiting_count

    def begin(self, call: Call, session: Session, service: Service, told: Told) -> None:
        """Carry it out; `told` is called once, on the loop, at `call.until` at the latest."""
        loop = asyncio.get_running_loop()
        asked = _Asked(call, session, service, told)
        if self._waiting_count >= WAITING_MAX:
            loop.call_soon(self._tell, asked, Outcome(BUSY, why="too many calls wait"))
            return
        asked.timer = loop.call_later(max(0, call.until - self._clock.now()) / 1000, self._over, asked)
        self._waiting.setdefault(service.partner, deque()).append(asked)
        self._waiting_count += 1
        self._pump(service.partner)

    def _pump(self, partner: str) -> None:
        """Begin those of a partner that may."""
        queue = self._waiting.get(partner)
        if queue is None:
            return
        known = self._catalogue().partners.get(partner)
        most = min(known.concurrency, most_of_one(self._total_max)) if known is not None else 1
        while queue and self._running[partner] < most and len(self._tasks) < self._total_max:
            asked = queue.popleft()
            self._waiting_count -= 1
            if asked.told is not None:
                self._start(asked)
        if not queue:
            del self._waiting[partner]

    def _start(self, asked: "_Asked") -> None:
        partner = asked.service.partner
        self.begun += 1
        asked.has_begun = True
        self._running[partner] += 1
        task = spawn(self._made(asked), name="ussd call")
        self._tasks[task] = partner
        task.add_done_callback(partial(self._ended, asked))

    def _ended(self, asked: "_Asked", task: asyncio.Task[Outcome]) -> None:
        partner = self._tasks.pop(task)
        self._running[partner] -= 1
        if not self._running[partner]:
            del self._running[partner]
        failed = task.cancelled() or task.exception() is not None
        self._tell(asked, Outcome(BUSY, why="the call was not made") if failed else task.result())
        # There is room for one: this partner's, and where all had too many, another's.
        for name in (partner, *list(self._waiting)):
            self._pump(name)

    async def _made(self, asked: "_Asked") -> Outcome:
        call, session, service = asked.call, asked.session, asked.service
        if call.action == CALL:
            came = await self._ask(service, call.url, question(call, session))
        else:
            came = await self._actions[call.action](call, session)
        if came.why:
            log.info("ussd call", menu=session.menu, screen=call.screen, partner=service.partner, reason=came.why)
        return came

    def _over(self, asked: "_Asked") -> None:
        """The user has waited for long enough. What has not begun never will."""
        if asked.has_begun:
            self.pending += 1
            self._tell(asked, Outcome(PENDING))
        else:
            self._tell(asked, Outcome(BUSY, why="the partner has too many calls under way"))

    def _tell(self, asked: "_Asked", outcome: Outcome) -> None:
        told, asked.told = asked.told, None
        if told is None:
            return
        if asked.timer is not None:
            asked.timer.cancel()
        self.busy += outcome.name == BUSY
        told(outcome)

    def stop(self) -> None:
        """End what is still under way, and what waits."""
        for queue in self._waiting.values():
            for asked in queue:
                asked.told = None
        for task in list(self._tasks):
            task.cancel()


@dataclass(slots=True, eq=False)
class _Asked:
    """One call. `told` is None when its outcome was told."""

    call: Call
    session: Session
    service: Service
    told: Told | None
    has_begun: bool = False
    timer: asyncio.TimerHandle | None = None
