"""What is due to partners: call, read the answer, retry (reliability.md, section 4).

offer     a job straight from its commit, leased by this process
poll      due jobs of the database: retries, those of dead processes, those that found no room in memory

A partner has a queue of its own and at most `concurrency` calls at once, so one that hangs delays only itself. After
20 messages in a row have failed at an end point it is probed every 30 s; its other jobs stay in the database and are
not even read. A process without the role rests: its jobs are due in the database, for one that has it.

Rule: a job is called only while its lease outlasts the call; what waited for longer is let go, and is due when its
lease ends. We hold a job once, until its result is written.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

from structlog import get_logger

from core.clock import SECOND_MS, Clock, Instant
from core.errors import StoreError
from core.message import Answer, Callback, Mt, Outcome
from store.journal import CallbackFact, CallbackState, Fact, MoFact
from traffic.commit import Batcher
from traffic.fuses import Fuses
from traffic.ports import Deliver
from traffic.queues import Queue
from traffic.retry import FAILURES_MAX, PROBE_MS, TRY_FOR_MS, Breaker, next_attempt
from traffic.submit import PARTS_MAX

log = get_logger()

FETCH_MAX = 200
POLL_S, POLL_MAX_S = 0.5, 5.0
POLL_SHARE = 0.1
"""So much of the writer's time looking may take: what waits behind a dead end point is passed over each time."""
LEASE_MARGIN_S = 20
LEASE_MARGIN_MS = LEASE_MARGIN_S * SECOND_MS
"""So much longer than a call a lease lasts: in this time the call has to begin."""

_DONE = {
    Outcome.ANSWERED: CallbackState.ANSWERED,
    Outcome.LATER: CallbackState.LATER,
    Outcome.REFUSED: CallbackState.REFUSED,
}


class Due(Protocol):
    """store.outbox, as we use it: leases due jobs; runs off the loop."""

    def __call__(
        self, limit: int, crowded: Sequence[int], rationed: Mapping[int, int]
    ) -> Awaitable[list[Callback]]: ...


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
        timeout_s: float = 10,
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
        self._timeout_ms = int(timeout_s * SECOND_MS)
        self._queues: dict[int, Queue] = {}
        self._held: dict[int, int] = {}
        """Messages that we call, or are to call, with the end of the lease by the monotonic clock."""
        self.fuses = Fuses()
        self._running = 0
        self._hungry: dict[int, None] = {}
        """Partners with room of their own that wait for the total cap, the first come first."""
        self._crowded: frozenset[int] = frozenset()
        self._left_out: set[int] = set()
        """Partners that had enough when the database was last asked."""
        self._rests = False
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
        if not self.is_crowded(job.partner_id):
            job.attempt = 1
            # Leased in its commit, which began after it was accepted.
            since_ms = max(0, self._clock.now() - job.accepted_at)
            self._enqueue(job, self._lease_from(self._clock.monotonic_ms() - since_ms))

    def is_crowded(self, partner_id: int) -> bool:
        """The partner's jobs stay in the database: its queue is full, or nobody is called here.

        Called from the writer's thread too.
        """
        return self._rests or self._stopping or partner_id in self._crowded

    def _lease_from(self, monotonic_ms: int) -> int:
        return monotonic_ms + self._timeout_ms + LEASE_MARGIN_MS

    def _enqueue(self, job: Callback, until_ms: int) -> None:
        if job.mo_id in self._held:
            self._held[job.mo_id] = until_ms
            return
        queue = self._queues.get(job.partner_id)
        if queue is None:
            queue = self._queues[job.partner_id] = Queue()
        queue.concurrency = self._concurrency_of(job.partner)
        if len(queue.waiting) >= queue.most(LEASE_MARGIN_MS):
            return
        self._held[job.mo_id] = until_ms
        queue.waiting.append(job)
        self._idle.clear()
        self._see_crowd(job.partner_id, queue)
        self._pump(job.partner_id, queue)

    def _see_crowd(self, partner_id: int, queue: Queue) -> None:
        if len(queue.waiting) >= queue.most(LEASE_MARGIN_MS):
            self._crowded |= {partner_id}

    def _pump(self, partner_id: int, queue: Queue) -> None:
        while queue.waiting and queue.running < queue.concurrency and not self._stopping:
            if self._running >= self._total_max:
                self._hungry[partner_id] = None
                return
            queue.running += 1
            self._running += 1
            self._spawn(self._work(partner_id, queue))

    async def _work(self, partner_id: int, queue: Queue) -> None:
        """One of a partner's callers: takes jobs until there are none."""
        try:
            while queue.waiting and not self._stopping:
                job = queue.waiting.popleft()
                if (self._crowded or self._left_out) and len(queue.waiting) < queue.enough(LEASE_MARGIN_MS):
                    self._is_hungry_again(partner_id)
                await self._call(job, queue)
                self._see_crowd(partner_id, queue)
                if self._hungry and partner_id not in self._hungry:
                    return
        finally:
            queue.running -= 1
            self._running -= 1
            self._feed_the_hungry()
            self._pump(partner_id, queue)
            if not self._running and not any(other.waiting for other in self._queues.values()):
                self._idle.set()

    def _is_hungry_again(self, partner_id: int) -> None:
        """What waits for it in the database may come."""
        if partner_id in self._crowded or partner_id in self._left_out:
            self._crowded -= {partner_id}
            self._left_out.discard(partner_id)
            self._bell.set()

    def _feed_the_hungry(self) -> None:
        while self._hungry and self._running < self._total_max:
            partner_id = next(iter(self._hungry))
            del self._hungry[partner_id]
            self._pump(partner_id, self._queues[partner_id])

    # --- one call ------------------------------------------------------------------------------------

    async def _call(self, job: Callback, queue: Queue) -> None:
        breaker = self.fuses.of(job.service)
        begun_ms = self._clock.monotonic_ms()
        if begun_ms + self._timeout_ms > self._held[job.mo_id]:
            # It waited for too long: others may call it before this call would end.
            self._let_go(job)
            return
        if breaker.failures and breaker.is_open(begun_ms):
            self._spare(job)
            return
        deliver = self._methods.get(job.service.method)
        self.counted.calls += 1
        tried_at = self._clock.now()
        if deliver is None:
            sentence = f"the method {job.service.method} is not served yet"
            answer = Answer(Outcome.AGAIN, error=sentence)
        else:
            answer = await self._deliver(deliver, job)
            queue.took(self._clock.monotonic_ms() - begun_ms)
        if answer.outcome is Outcome.AGAIN:
            self._failed(job, answer, tried_at, breaker, self._clock.monotonic_ms() - begun_ms)
            return
        if breaker.answered():
            self._bell.set()
        self._done(job, answer, tried_at)

    async def _deliver(self, deliver: Deliver, job: Callback) -> Answer:
        try:
            return await deliver(job)
        except Exception as error:
            # The edge of a door: a bug of ours is a failure of this call, told like any other.
            log.exception("a dispatch method failed", message=job.mo_id, method=job.service.method)
            return Answer(Outcome.AGAIN, error=f"{type(error).__name__} in our own method; see the log")

    def _done(self, job: Callback, answer: Answer, tried_at: Instant) -> None:
        text = answer.reply
        if answer.outcome is Outcome.REFUSED:
            self.counted.refused += 1
            text = text or job.service.default_reply
        else:
            self.counted.answered += 1
        mt = self._reply(job, text, answer.sender) if text else None
        if mt is not None and len(mt.text) < len(text):
            answer.error = "; ".join(filter(None, (answer.error, f"the reply was cut after {PARTS_MAX} parts")))
        fact = CallbackFact(job, answer, _DONE[answer.outcome], tried_at, None, mt)
        self._batcher.put(fact, self._settled)

    def _failed(self, job: Callback, answer: Answer, tried_at: Instant, breaker: Breaker, took_ms: int) -> None:
        self.counted.failed += 1
        # A wall clock that was set forward meanwhile, and is set back again, must not make the next attempt late.
        now = min(self._clock.now(), tried_at + took_ms)
        if breaker.failed(self._clock.monotonic_ms(), job.mo_id):
            last = answer.error or answer.status
            sentence = f"{FAILURES_MAX} messages in a row failed, the last with: {last}"
            probed = f"probed every {PROBE_MS // SECOND_MS} s"
            self._batcher.alert("breaker", f"{job.partner}/{job.service.name}", f"{sentence}; {probed}")
        due = next_attempt(
            job.attempt - 1 - job.attempts_before,
            now,
            until=job.tried_since + TRY_FOR_MS,
            random=self._random,
            retry_after_s=answer.retry_after_s,
        )
        if due is None:
            self._give_up(job, answer, tried_at)
        else:
            self._batcher.put(CallbackFact(job, answer, CallbackState.WAITING, tried_at, due), self._settled)

    def _give_up(self, job: Callback, answer: Answer, tried_at: Instant) -> None:
        """A dead letter: its time is over."""
        self.counted.dead += 1
        span = "24 h after it was called again" if job.again_at else "24 h"
        sentence = f"not delivered to {job.partner}/{job.service.name} within {span}: {answer.error or answer.status}"
        log.error("dead letter", message=job.mo_id, partner=job.partner, service=job.service.name)
        self._batcher.put(CallbackFact(job, answer, CallbackState.DEAD, tried_at), self._settled)
        self._batcher.alert("dead_letter", job.partner, sentence, job.mo_id)

    def _spare(self, job: Callback) -> None:
        """The end point is shut: the job waits in the database, and its attempt does not count."""
        now = self._clock.now()
        if now >= job.tried_since + TRY_FOR_MS:
            # No failure of the breaker's: nobody was called, and the next probe must not move away.
            job.attempt -= 1
            self._give_up(job, Answer(Outcome.AGAIN, error="the end point did not answer for 24 hours"), now)
        else:
            self._let_go(job)

    def _let_go(self, job: Callback) -> None:
        """Nothing is written: it is due when its lease ends."""
        del self._held[job.mo_id]

    def _settled(self, fact: Fact, error: StoreError | None) -> None:
        assert isinstance(fact, CallbackFact), fact
        self._held.pop(fact.callback.mo_id, None)
        if error is not None:
            # The lease runs out, and the partner is called again with the same id.
            log.error("a call's result could not be written", message=fact.callback.mo_id, error=str(error))
        elif fact.stored and fact.reply is not None:
            self._on_reply(fact.reply)

    # --- jobs from the database ----------------------------------------------------------------------

    def rest(self) -> None:
        """This process calls nobody: jobs wait in the database for one that does."""
        self._rests = True

    def ring(self) -> None:
        """Something became due in the database: look now."""
        self._bell.set()

    async def poll(self) -> None:
        """Fetch due jobs for ever; cancel to end."""
        while not self._stopping:
            # Cleared before the database is asked: what becomes due meanwhile rings for another look.
            self._bell.clear()
            asked_ms = self._clock.monotonic_ms()
            until_ms = self._lease_from(asked_ms)
            taken = await self._fetch()
            took_ms = self._clock.monotonic_ms() - asked_ms
            for job in taken:
                job.attempt += 1
                self._enqueue(job, until_ms)
            if len(taken) < FETCH_MAX:
                try:
                    await asyncio.wait_for(self._bell.wait(), look_again_s(took_ms))
                except TimeoutError:
                    pass

    async def _fetch(self) -> list[Callback]:
        """Jobs of those who have not enough to do in memory: others must not wait behind theirs.

        Of an end point that is shut none come, but one when it is to be probed.
        """
        if self._batcher.away:
            return []
        self._left_out = {
            partner_id
            for partner_id, queue in self._queues.items()
            if len(queue.waiting) >= queue.enough(LEASE_MARGIN_MS)
        }
        rationed = self.fuses.rationed(self._clock.monotonic_ms())
        try:
            return await self._due(FETCH_MAX, sorted(self._left_out), rationed)
        except StoreError as error:
            log.warning("due jobs cannot be read", error=str(error))
        except Exception:
            # A deadlock, say. This must not end the poll: nobody else looks.
            log.exception("due jobs cannot be read")
        return []

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


def look_again_s(took_ms: int) -> float:
    """When to look into the database again, after a look that took so long."""
    return max(POLL_S, min(POLL_MAX_S, took_ms / 1000 / POLL_SHARE))
