"""From the outbox over a link with room to «submitted» (reliability.md, section 5).

offer           an MT that is written down as `submitting` and held by this process
line_opened     a link is bound: what waits for its operator may go
line_has_room   room appeared in a window that was full
sweep           what is over before it could be sent; what waits in vain for a link that is gone
poll            queued MT of the database: retries, replies of other processes, those of dead ones

A long message keeps its parts together: one link, in order, one reference. What was throttled, or never left, goes
back to the front. A free reply whose submission got no answer is sent again, marked `maybe_twice`; a charged MT never.

Rule: what is sent was committed as `submitting` before; what a message centre said is committed before it is forgotten.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Protocol

from structlog import get_logger

from core.clock import SECOND_MS, Clock, Instant
from core.errors import StoreError
from core.message import Mt, MtState, SubmitAnswer, SubmitOutcome
from store.journal import Fact, MtFact
from traffic.commit import Batcher
from traffic.lanes import Lane, Lanes, Sending, reference_of
from traffic.ports import Line
from traffic.retry import pause_ms

log = get_logger()

HELD_MAX = 10_000
"""MT of one operator in memory; the rest are queued in the database."""
FETCH_MAX = 200
POLL_S = 0.5
TAKE_OVER_MS = 30 * SECOND_MS
"""A message of which parts were accepted waits so long for its link, before another link sends the whole of it."""

_ACCEPTED, _UNANSWERED = SubmitOutcome.ACCEPTED, SubmitOutcome.UNANSWERED
_BACK_TO_FRONT = (SubmitOutcome.THROTTLED, SubmitOutcome.UNSENT)


class DueMts(Protocol):
    """store.outbox, as we use it: takes queued MT of these operators; runs off the loop."""

    def __call__(self, limit: int, operator_ids: Sequence[int]) -> Awaitable[list[Mt]]: ...


@dataclass(slots=True)
class Counted:
    """What went out, for /metrics and status."""

    submitted: int = 0
    failed: int = 0
    put_back: int = 0


class Sender:
    """Sends MT over lines; everything here runs on the event loop."""

    def __init__(self, batcher: Batcher, clock: Clock, random: Random, *, due: DueMts) -> None:
        self._batcher = batcher
        self._clock = clock
        self._random = random
        self._due = due
        self._operator_ids: Mapping[str, int] = {}
        self._served: frozenset[int] = frozenset()
        self._lanes = Lanes()
        self._queues: dict[int, deque[Sending]] = {}
        """By operator: what has not begun."""
        self._bell = asyncio.Event()
        self._stopping = False
        self._open = 0
        self._idle = asyncio.Event()
        self.counted = Counted()

    # --- in ------------------------------------------------------------------------------------------

    def know(self, operator_ids: Mapping[str, int]) -> None:
        """Operators' ids by code, from the catalogue."""
        self._operator_ids = operator_ids

    def serves(self, operator_ids: Sequence[int]) -> None:
        """The operators whose links this process has, bound or not."""
        self._served = frozenset(operator_ids)

    def holds(self, operator_id: int) -> bool:
        """Whether an MT of this operator may be held here. Called from the writer's thread too."""
        queue = self._queues.get(operator_id)
        return operator_id in self._served and not self._stopping and (queue is None or len(queue) < HELD_MAX)

    def offer(self, mt: Mt) -> None:
        """An MT that is durable; one that is not `submitting` is another process's."""
        if mt.state is MtState.SUBMITTING:
            self._queue(mt.operator_id).append(Sending(mt))
            self._pump(mt.operator_id)

    def line_opened(self, line: Line) -> None:
        """A link is bound for sending."""
        operator_id = self._operator_ids[line.link.operator]
        before = self._lanes.opened(operator_id, line)
        if before is not None:
            self._take_from(before)
        self._pump(operator_id)
        self._bell.set()

    def line_has_room(self, line: Line) -> None:
        """Room appeared in a window that was full, or a pause is over."""
        self._pump(self._operator_ids[line.link.operator])

    def _queue(self, operator_id: int) -> deque[Sending]:
        queue = self._queues.get(operator_id)
        if queue is None:
            queue = self._queues[operator_id] = deque()
        return queue

    # --- out -----------------------------------------------------------------------------------------

    def _pump(self, operator_id: int) -> None:
        """Send what may go: first what has begun, then what waits, each over its own link if that has room."""
        if self._stopping:
            return
        for lane in self._lanes.of(operator_id):
            if lane.begun and lane.line.is_open:
                self._go_on(lane)
        queue = self._queue(operator_id)
        now = self._clock.now()
        while queue:
            if _is_over(queue[0].mt, now):
                self._expire(queue.popleft())
                continue
            chosen = self._lanes.choose(operator_id, queue[0].mt.link_id)
            if chosen is None:
                return
            self._begin(queue.popleft(), chosen)

    def _go_on(self, lane: Lane) -> None:
        """The parts that are left of what has begun here."""
        while lane.begun:
            sending = lane.begun[0]
            if sending.todo:
                lane.room = lane.line.room()
                if lane.room <= 0:
                    return
                self._submit(sending, lane)
                if sending.todo:
                    return
            lane.begun.popleft()

    def _begin(self, sending: Sending, lane: Lane) -> None:
        """Write it for this line, and submit as many parts as there is room for."""
        mt, line = sending.mt, lane.line
        try:
            sending.operations = line.write(mt, reference=reference_of(mt, line.link.id))
        except ValueError as error:
            self.counted.failed += 1
            self._move(mt, MtState.FAILED, error=f"it cannot be written for {line.link.name}: {error}")
            return
        sending.lane = lane
        sending.todo = list(range(len(sending.operations)))
        mt.link_id = line.link.id
        self._submit(sending, lane)
        if sending.todo:
            lane.begun.append(sending)

    def _submit(self, sending: Sending, lane: Lane) -> None:
        """Submit the next parts, as far as the lane's room goes."""
        ready, sending.todo = sending.todo, []
        if len(ready) > lane.room:
            ready, sending.todo = ready[: lane.room], ready[lane.room :]
        for index in ready:
            sending.open += 1
            self._open += 1
            answer = asyncio.ensure_future(lane.line.submit(sending.operations[index]))
            answer.add_done_callback(partial(self._answered, sending, index))

    def _answered(self, sending: Sending, index: int, answer: asyncio.Future[SubmitAnswer]) -> None:
        sending.open -= 1
        self._open -= 1
        if not self._open:
            self._idle.set()
        if answer.cancelled():
            return
        said = answer.result()
        if said.outcome not in _BACK_TO_FRONT:
            sending.answers[index] = said
            if said.outcome is not _ACCEPTED:
                # The whole has failed, or goes again: no more of it.
                sending.todo = []
        elif not sending.is_refused:
            sending.todo = sorted([index, *sending.todo])
        if sending.open:
            return
        if sending.todo:
            self._wait_for_room(sending)
        elif sending.answers:
            self._judge(sending)

    # --- what was said -------------------------------------------------------------------------------

    def _judge(self, sending: Sending) -> None:
        """Every part has its answer, or no more is sent: what does that make of the message?"""
        mt = sending.mt
        outcomes = {answer.outcome for answer in sending.answers.values()}
        if outcomes == {_ACCEPTED}:
            self._submitted(sending)
        elif SubmitOutcome.PERMANENT in outcomes:
            self.counted.failed += 1
            self._move(mt, MtState.FAILED, error=sending.why(SubmitOutcome.PERMANENT), parts=sending.parts())
        elif not mt.reply_to and outcomes & {_UNANSWERED, _ACCEPTED}:
            # R5: somebody pays for it, and perhaps the subscriber has it.
            self._move(mt, MtState.UNKNOWN, error=sending.why(), parts=sending.parts())
        else:
            self._later(mt, sending.why(), outcomes)

    def _submitted(self, sending: Sending) -> None:
        self.counted.submitted += 1
        mt = sending.mt
        parts: Sequence[tuple[int, str, MtState]] = ()
        if mt.parts == 1 == len(sending.operations):
            mt.keys = [sending.answers[0].key]
        else:
            # The operator's id stands in the message's own row where there is one part, else with the parts.
            mt.keys = []
            parts = [(i + 1, answer.key, MtState.SUBMITTED) for i, answer in sorted(sending.answers.items())]
        self._move(mt, MtState.SUBMITTED, parts=parts)

    def _later(self, mt: Mt, why: str, outcomes: set[SubmitOutcome]) -> None:
        """Back into the database with a pause: a temporary error, or no answer at all."""
        self.counted.put_back += 1
        mt.maybe_twice = mt.maybe_twice or bool({_UNANSWERED, _ACCEPTED} & outcomes)
        due = self._clock.now() + pause_ms(mt.attempt, self._random)
        mt.attempt += 1
        if not _is_over(mt, due):
            self._move(mt, MtState.QUEUED, due_at=due, error=why)
        elif _UNANSWERED in outcomes:
            self._move(mt, MtState.UNKNOWN, error=f"its validity is over: {why}")
        else:
            self._move(mt, MtState.EXPIRED, error=f"not accepted while it was valid: {why}")

    def _wait_for_room(self, sending: Sending) -> None:
        """Parts are left: on its own lane if some were accepted, else wherever there is room first."""
        lane, operator_id = sending.lane, sending.mt.operator_id
        assert lane is not None
        is_waiting = sending in lane.begun
        if not sending.answers or not self._lanes.is_current(lane, operator_id):
            if is_waiting:
                lane.begun.remove(sending)
            self._begin_anew(sending)
        elif not is_waiting:
            self.counted.put_back += 1
            lane.begun.appendleft(sending)
        self._pump(operator_id)

    def _begin_anew(self, sending: Sending) -> None:
        """To the front of what has not begun: whichever line sends it writes it for itself."""
        mt = sending.mt
        if sending.answers and not mt.reply_to:
            why = "its link was lost when some of its parts were accepted"
            self._move(mt, MtState.UNKNOWN, error=why, parts=sending.parts())
            return
        self.counted.put_back += 1
        mt.maybe_twice = mt.maybe_twice or bool(sending.answers)
        self._queue(mt.operator_id).appendleft(Sending(mt))

    def _move(
        self,
        mt: Mt,
        new: MtState,
        *,
        due_at: Instant | None = None,
        error: str = "",
        parts: Sequence[tuple[int, str, MtState]] = (),
    ) -> None:
        self._batcher.put(MtFact(mt, new, self._clock.now(), due_at, error, parts), _written)

    # --- what waits too long -------------------------------------------------------------------------

    def sweep(self) -> None:
        """End what is over; take from lines that are gone what another may send. Call every second."""
        now = self._clock.now()
        for queue in self._queues.values():
            self._expire_all(queue, now)
        for operator_id, lane in self._lanes:
            if not lane.waits_in_vain:
                lane.closed_ms = 0
            elif self._has_waited(lane) and self._lanes.is_open(operator_id):
                self._take_from(lane)
                self._pump(operator_id)
            else:
                self._expire_all(lane.begun, now)

    def _expire_all(self, queue: deque[Sending], now: Instant) -> None:
        if not any(_is_over(sending.mt, now) for sending in queue):
            return
        waiting = list(queue)
        queue.clear()
        for sending in waiting:
            if _is_over(sending.mt, now) and not sending.open:
                self._expire(sending)
            else:
                queue.append(sending)

    def _has_waited(self, lane: Lane) -> bool:
        now_ms = self._clock.monotonic_ms()
        lane.closed_ms = lane.closed_ms or now_ms
        return now_ms - lane.closed_ms >= TAKE_OVER_MS

    def _take_from(self, lane: Lane) -> None:
        """Its line will not end what had begun on it."""
        for sending in reversed(lane.leave()):
            self._begin_anew(sending)

    def _expire(self, sending: Sending) -> None:
        all_or_some = "all of it" if sending.answers else "it"
        error = f"its validity was over before {all_or_some} could be sent"
        self._move(sending.mt, MtState.EXPIRED, error=error, parts=sending.parts() if sending.answers else ())

    # --- from the database ---------------------------------------------------------------------------

    async def poll(self) -> None:
        """Fetch queued MT for ever; cancel to end."""
        while not self._stopping:
            # Cleared before the database is asked: a link that is bound meanwhile rings for another look.
            self._bell.clear()
            taken = await self._fetch()
            for mt in taken:
                self.offer(mt)
            if len(taken) < FETCH_MAX:
                try:
                    await asyncio.wait_for(self._bell.wait(), POLL_S)
                except TimeoutError:
                    pass

    async def _fetch(self) -> list[Mt]:
        ready = [id_ for id_ in self._lanes.operators() if self.holds(id_) and self._lanes.is_open(id_)]
        if not ready or self._batcher.away:
            return []
        try:
            return await self._due(FETCH_MAX, ready)
        except StoreError as error:
            log.warning("queued messages cannot be read", error=str(error))
        except Exception:
            # A deadlock, say. This must not end the poll: nobody else looks.
            log.exception("queued messages cannot be read")
        return []

    @property
    def waiting(self) -> int:
        """MT in memory that wait for a link or for room."""
        return sum(len(lane.begun) for _, lane in self._lanes) + sum(len(queue) for queue in self._queues.values())

    def halt(self) -> None:
        """Begin nothing more."""
        self._stopping = True

    async def stop(self, timeout_s: float) -> None:
        """Send no more; wait for the answers that are due; give what waits back to the database."""
        self._stopping = True
        self._bell.set()
        if self._open:
            self._idle.clear()
            try:
                await asyncio.wait_for(self._idle.wait(), timeout_s)
            except TimeoutError:
                log.warning("submissions were cut off by the stop", submissions=self._open)
        for sending in self._take_all():
            mt = sending.mt
            mt.maybe_twice = mt.maybe_twice or bool(sending.answers)
            self._move(mt, MtState.QUEUED, due_at=self._clock.now(), error="given back at the stop")

    def _take_all(self) -> Iterator[Sending]:
        """What waits. What has parts under way is left to who takes over this process's work."""
        for queue in self._queues.values():
            yield from queue
            queue.clear()
        for _, lane in self._lanes:
            yield from lane.leave()


def _is_over(mt: Mt, now: Instant) -> bool:
    """Its validity has ended; 0: it has no end."""
    return 0 < mt.valid_until <= now


def _written(fact: Fact, error: StoreError | None) -> None:
    if error is not None:
        assert isinstance(fact, MtFact), fact
        log.error("a move could not be written", message=fact.mt.id, new=fact.new.name, error=str(error))
