"""What is due to partners: call, read the answer, retry (reliability.md, section 4).

offer     a job straight from its commit, leased by this process
poll      due jobs of the database: retries, those of dead processes, those that found no room in memory

A partner has a queue of its own and at most `concurrency` calls at once, so one that hangs delays only itself. After
20 failures in a row an end point is probed every 30 s; its jobs wait and their attempts are not counted.

Rule: a job in memory is leased by us until its time-out; a job that is not in memory is due in the database.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from structlog import get_logger

from core.clock import SECOND_MS, Clock, Instant
from core.errors import StoreError
from core.message import Answer, Callback, Mt, Outcome
from store.journal import AlertFact, CallbackFact, CallbackState, Fact, MoFact
from traffic.commit import Batcher
from traffic.ports import Deliver
from traffic.retry import TRY_FOR_MS, Breaker, next_attempt

log = get_logger()

QUEUE_MAX = 1000
"""Jobs of one partner in memory; the rest stay in the database."""
POLL_S = 0.5
LEASE_MARGIN_S = 20

_DONE = {
    Outcome.ANSWERED: CallbackState.ANSWERED,
    Outcome.LATER: CallbackState.LATER,
    Outcome.REFUSED: CallbackState.REFUSED,
}


class Due(Protocol):
    """store.outbox, as we use it: leases due jobs; runs off the loop."""

    def __call__(self, limit: int, crowded: Sequence[int]) -> Awaitable[list[Callback]]: ...


@dataclass(slots=True)
class _Queue:
    """One partner's jobs in memory."""

    concurrency: int
    waiting: deque[Callback] = field(default_factory=deque)
    running: int = 0


@dataclass(slots=True)
class Counted:
    """What was called, for /metrics and status."""

    calls: int = 0
    answered: int = 0
    refused: int = 0
    failed: int = 0
    dead: int = 0


class Dispatcher:
    """Calls partners; everything here runs on the event loop."""

    def __init__(
        self,
        methods: Mapping[str, Deliver],
        batcher: Batcher,
        clock: Clock,
        random: Random,
        *,
        due: Due,
        reply: Callable[[Callback, str, str], Mt | None],
        on_reply: Callable[[Mt], None],
        concurrency_of: Callable[[str], int],
        spawn: Callable[[Awaitable[None]], None],
        total_max: int = 500,
    ) -> None:
        self._methods = methods
        self._batcher = batcher
        self._clock = clock
        self._random = random
        self._due = due
        self._reply = reply
        self._on_reply = on_reply
        self._concurrency_of = concurrency_of
        self._spawn = spawn
        self._total_max = total_max
        self._queues: dict[int, _Queue] = {}
        self._breakers: dict[str, Breaker] = {}
        self._running = 0
        self._hungry: dict[int, None] = {}
        """Partners with room of their own that wait for the total cap, the first come first."""
        self._crowded: frozenset[int] = frozenset()
        self._stopping = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._bell = asyncio.Event()
        self.counted = Counted()

    # --- jobs in -------------------------------------------------------------------------------------

    def offer(self, fact: MoFact) -> None:
        """A job straight from its commit."""
        job = fact.job
        assert job is not None, fact
        if job.partner_id not in self._crowded:
            job.attempt = 1
            self._enqueue(job)

    def is_crowded(self, partner_id: int) -> bool:
        """The partner's queue is full: its jobs stay in the database. Called from the writer's thread."""
        return partner_id in self._crowded

    def _enqueue(self, job: Callback) -> None:
        queue = self._queues.get(job.partner_id)
        if queue is None:
            queue = self._queues[job.partner_id] = _Queue(self._concurrency_of(job.partner))
        queue.waiting.append(job)
        self._idle.clear()
        if len(queue.waiting) >= QUEUE_MAX:
            self._crowded |= {job.partner_id}
        self._pump(job.partner_id, queue)

    def _pump(self, partner_id: int, queue: _Queue) -> None:
        while queue.waiting and queue.running < queue.concurrency and not self._stopping:
            if self._running >= self._total_max:
                self._hungry[partner_id] = None
                return
            queue.running += 1
            self._running += 1
            self._spawn(self._work(partner_id, queue))

    async def _work(self, partner_id: int, queue: _Queue) -> None:
        """One of a partner's callers: takes jobs until there are none."""
        try:
            while queue.waiting and not self._stopping:
                job = queue.waiting.popleft()
                if partner_id in self._crowded and len(queue.waiting) < QUEUE_MAX // 2:
                    self._crowded -= {partner_id}
                    self._bell.set()
                await self._call(job)
                if self._hungry and partner_id not in self._hungry:
                    return
        finally:
            queue.running -= 1
            self._running -= 1
            self._feed_the_hungry()
            self._pump(partner_id, queue)
            if not self._running and not any(other.waiting for other in self._queues.values()):
                self._idle.set()

    def _feed_the_hungry(self) -> None:
        while self._hungry and self._running < self._total_max:
            partner_id = next(iter(self._hungry))
            del self._hungry[partner_id]
            self._pump(partner_id, self._queues[partner_id])

    # --- one call ------------------------------------------------------------------------------------

    async def _call(self, job: Callback) -> None:
        place = f"{job.service.id}"
        breaker = self._breakers.get(place)
        if breaker is None:
            breaker = self._breakers[place] = Breaker()
        if breaker.failures and breaker.is_open(self._clock.monotonic_ms()):
            self._put_back(job, breaker)
            return
        deliver = self._methods.get(job.service.method)
        self.counted.calls += 1
        tried_at = self._clock.now()
        if deliver is None:
            sentence = f"the method {job.service.method} is not served yet"
            answer = Answer(Outcome.AGAIN, error=sentence)
        else:
            answer = await deliver(job)
        if answer.outcome is Outcome.AGAIN:
            self._failed(job, answer, tried_at, breaker)
            return
        breaker.answered()
        self._done(job, answer, tried_at)

    def _done(self, job: Callback, answer: Answer, tried_at: Instant) -> None:
        text = answer.reply
        if answer.outcome is Outcome.REFUSED:
            self.counted.refused += 1
            text = text or job.service.default_reply
        else:
            self.counted.answered += 1
        mt = self._reply(job, text, answer.sender) if text else None
        fact = CallbackFact(job, answer, _DONE[answer.outcome], tried_at, None, mt)
        self._batcher.put(fact, self._settled)

    def _failed(self, job: Callback, answer: Answer, tried_at: Instant, breaker: Breaker) -> None:
        self.counted.failed += 1
        now = self._clock.now()
        if breaker.failed(self._clock.monotonic_ms()):
            sentence = (
                f"{job.service.name}: {answer.error or answer.status} and 19 failures before it; probed every 30 s"
            )
            self._batcher.put(AlertFact("breaker", f"{job.partner}/{job.service.name}", sentence, now), _log_loss)
        due = next_attempt(
            job.attempt - 1,
            now,
            until=job.accepted_at + TRY_FOR_MS,
            random=self._random,
            retry_after_s=answer.retry_after_s,
        )
        state = CallbackState.WAITING if due is not None else CallbackState.DEAD
        self._batcher.put(CallbackFact(job, answer, state, tried_at, due), self._settled)
        if due is None:
            self.counted.dead += 1
            sentence = f"not delivered to {job.partner}/{job.service.name} within 24 h: {answer.error or answer.status}"
            log.error("dead letter", message=job.mo_id, partner=job.partner, service=job.service.name)
            self._batcher.put(AlertFact("dead_letter", job.partner, sentence, now, job.mo_id), _log_loss)

    def _put_back(self, job: Callback, breaker: Breaker) -> None:
        """The end point is open: the job waits for the next probe, and its attempt does not count."""
        now = self._clock.now()
        if now >= job.accepted_at + TRY_FOR_MS:
            answer = Answer(Outcome.AGAIN, error="the end point did not answer for 24 hours")
            self._failed(job, answer, now, breaker)
            return
        wait_ms = max(SECOND_MS, breaker.probe_at_ms - self._clock.monotonic_ms())
        job.attempt -= 1
        answer = Answer(Outcome.AGAIN, error="not called: the end point failed 20 times in a row")
        fact = CallbackFact(job, answer, CallbackState.WAITING, now, now + wait_ms)
        fact.counts = False
        self._batcher.put(fact, self._settled)

    def _settled(self, fact: Fact, error: StoreError | None) -> None:
        assert isinstance(fact, CallbackFact), fact
        if error is not None:
            # The lease runs out, and the partner is called again with the same id.
            log.error("a call's result could not be written", message=fact.callback.mo_id, error=str(error))
        elif fact.stored and fact.reply is not None:
            self._on_reply(fact.reply)

    # --- jobs from the database ----------------------------------------------------------------------

    def ring(self) -> None:
        """Something became due in the database: look now."""
        self._bell.set()

    async def poll(self) -> None:
        """Fetch due jobs for ever; cancel to end."""
        while not self._stopping:
            room = self._total_max * 2 - sum(len(queue.waiting) for queue in self._queues.values())
            taken: list[Callback] = []
            if room > 0 and not self._batcher.away:
                try:
                    taken = await self._due(min(room, 200), sorted(self._crowded))
                except StoreError as error:
                    log.warning("due jobs cannot be read", error=str(error))
            for job in taken:
                job.attempt += 1
                self._enqueue(job)
            if len(taken) < 200:
                self._bell.clear()
                try:
                    await asyncio.wait_for(self._bell.wait(), POLL_S)
                except TimeoutError:
                    pass

    @property
    def waiting(self) -> int:
        """Jobs in memory that nobody calls yet."""
        return sum(len(queue.waiting) for queue in self._queues.values())

    @property
    def running(self) -> int:
        """Calls on their way."""
        return self._running

    def halt(self) -> None:
        """Begin nothing more."""
        self._stopping = True

    async def stop(self, timeout_s: float) -> None:
        """Begin no more calls; wait for those on their way. What is left is due when its lease ends."""
        self._stopping = True
        self._bell.set()
        if self._running:
            try:
                await asyncio.wait_for(self._quiet(), timeout_s)
            except TimeoutError:
                log.warning("calls to partners were cut off by the stop", calls=self._running)

    async def _quiet(self) -> None:
        while self._running:
            self._idle.clear()
            await self._idle.wait()


def _log_loss(fact: Fact, error: StoreError | None) -> None:
    if error is not None:
        log.error("an alert could not be written", error=str(error))
