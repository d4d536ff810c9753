"""From the outbox over a link with room to «submitted» (reliability.md, section 5).

offer           an MT that is written down as `submitting` and held by this process
line_opened     a link is bound: what waits for its operator may go
line_has_room   room appeared in a window that was full
poll            queued MT of the database: retries, replies of other processes, those of dead ones

A long message keeps its parts together: one link, in order, one reference. Throttled parts go back to the front.
A free reply whose submission got no answer is sent again, marked `maybe_twice`.

Rule: what is sent was committed as `submitting` before; what a message centre said is committed before it is forgotten.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Protocol

from structlog import get_logger

from core.clock import SECOND_MS, Clock, Instant
from core.errors import StoreError
from core.message import Mt, MtState, SubmitAnswer, SubmitOutcome
from store.journal import Fact, MtFact
from traffic.commit import Batcher
from traffic.ports import Line
from traffic.retry import pause_ms

log = get_logger()

HELD_MAX = 10_000
"""MT of one operator in memory; the rest are queued in the database."""
POLL_S = 0.5
PUT_BACK_MS = 5 * SECOND_MS

_BACK_TO_FRONT = (SubmitOutcome.THROTTLED, SubmitOutcome.UNSENT)


class DueMts(Protocol):
    """store.outbox, as we use it: takes queued MT of these operators; runs off the loop."""

    def __call__(self, limit: int, operator_ids: Sequence[int]) -> Awaitable[list[Mt]]: ...


@dataclass(slots=True)
class _Sending:
    """One MT on its way: its operations, how many left, what was said to each."""

    mt: Mt
    operations: Sequence[object] = ()
    line: Line | None = None
    todo: deque[int] = field(default_factory=deque)
    answers: dict[int, SubmitAnswer] = field(default_factory=dict)
    open: int = 0


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
        self._lines: dict[int, dict[int, Line]] = {}
        """By operator, then link: lines that were opened."""
        self._served: set[int] = set()
        self._queues: dict[int, deque[_Sending]] = {}
        self._bell = asyncio.Event()
        self._stopping = False
        self._open = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self.counted = Counted()

    # --- in ------------------------------------------------------------------------------------------

    def serves(self, operator_ids: Sequence[int]) -> None:
        """The operators whose links this process has, bound or not."""
        self._served = set(operator_ids)

    def holds(self, operator_id: int) -> bool:
        """Whether an MT of this operator may be held here. Called from the writer's thread too."""
        queue = self._queues.get(operator_id)
        return operator_id in self._served and (queue is None or len(queue) < HELD_MAX)

    def offer(self, mt: Mt) -> None:
        """An MT that is durable; one that is not `submitting` is another process's."""
        if mt.state is MtState.SUBMITTING:
            self._queue(mt.operator_id).append(_Sending(mt))
            self._pump(mt.operator_id)

    def line_opened(self, line: Line) -> None:
        """A link is bound for sending."""
        operator_id = self._operator_of(line)
        self._lines.setdefault(operator_id, {})[line.link.id] = line
        self._pump(operator_id)
        self._bell.set()

    def line_has_room(self, line: Line) -> None:
        """Room appeared in a window that was full, or a pause is over."""
        self._pump(self._operator_of(line))

    def know(self, operator_ids: dict[str, int]) -> None:
        """Operators' ids by code, from the catalogue."""
        self._operator_ids = operator_ids

    _operator_ids: dict[str, int] = {}

    def _operator_of(self, line: Line) -> int:
        return self._operator_ids[line.link.operator]

    def _queue(self, operator_id: int) -> deque[_Sending]:
        queue = self._queues.get(operator_id)
        if queue is None:
            queue = self._queues[operator_id] = deque()
        return queue

    # --- out -----------------------------------------------------------------------------------------

    def _pump(self, operator_id: int) -> None:
        queue = self._queues.get(operator_id)
        while queue and not self._stopping:
            sending = queue[0]
            line = self._line_for(sending, operator_id)
            if line is None:
                return
            now = self._clock.now()
            if sending.mt.valid_until <= now and not sending.open and not sending.answers:
                queue.popleft()
                self._move(sending.mt, MtState.EXPIRED, error="its validity was over before it could be sent")
                continue
            if not sending.operations:
                self._begin(sending, line)
            if self._submit_next(sending, line):
                queue.popleft()

    def _line_for(self, sending: _Sending, operator_id: int) -> Line | None:
        """The line that began the message; else its own link's; else another of the operator. With room, or None."""
        lines = self._lines.get(operator_id)
        if not lines:
            return None
        begun = sending.line
        if begun is not None and begun.is_open:
            return begun if begun.room() > 0 else None
        own = lines.get(sending.mt.link_id)
        if own is not None and own.is_open:
            return own if own.room() > 0 else None
        for line in lines.values():
            if line.is_open and line.room() > 0:
                return line
        return None

    def _begin(self, sending: _Sending, line: Line) -> None:
        mt = sending.mt
        sending.operations = line.write(mt, reference=reference_of(mt))
        sending.todo = deque(range(len(sending.operations)))

    def _submit_next(self, sending: _Sending, line: Line) -> bool:
        """Submit the next part; True when no part is left to submit."""
        sending.line = line
        sending.mt.link_id = line.link.id
        index = sending.todo.popleft()
        sending.open += 1
        self._open += 1
        answer = asyncio.ensure_future(line.submit(sending.operations[index]))
        answer.add_done_callback(partial(self._answered, sending, index))
        return not sending.todo

    def _answered(self, sending: _Sending, index: int, answer: asyncio.Future[SubmitAnswer]) -> None:
        sending.open -= 1
        self._open -= 1
        if answer.cancelled():
            return
        sending.answers[index] = answer.result()
        if not sending.open and not sending.todo:
            self._judge(sending)
        if not self._open:
            self._idle.set()

    def _judge(self, sending: _Sending) -> None:
        """Every part that was sent has its answer: what does that make of the message?"""
        mt = sending.mt
        answers = sending.answers
        if len(answers) == 1 and answers.get(0) and answers[0].outcome is SubmitOutcome.ACCEPTED:
            mt.keys = [answers[0].key]
            self._submitted(MtFact(mt, MtState.SUBMITTED, self._clock.now()))
            return
        outcomes = {answer.outcome for answer in answers.values()}
        if outcomes == {SubmitOutcome.ACCEPTED}:
            mt.keys = [answers[index].key for index in sorted(answers)]
            parts = [(index + 1, answers[index].key, MtState.SUBMITTED) for index in sorted(answers)]
            self._submitted(MtFact(mt, MtState.SUBMITTED, self._clock.now(), parts=parts))
            return
        worst = next(answer for answer in answers.values() if answer.outcome is not SubmitOutcome.ACCEPTED)
        if SubmitOutcome.PERMANENT in outcomes:
            refused = next(answer for answer in answers.values() if answer.outcome is SubmitOutcome.PERMANENT)
            self.counted.failed += 1
            self._move(mt, MtState.FAILED, error=f"0x{refused.code:02X} {refused.sentence}")
        elif SubmitOutcome.UNANSWERED in outcomes or SubmitOutcome.TEMPORARY in outcomes:
            self._later(mt, worst, twice=bool({SubmitOutcome.UNANSWERED, SubmitOutcome.ACCEPTED} & outcomes))
        else:
            again = [index for index in sorted(answers) if answers[index].outcome in _BACK_TO_FRONT]
            for index in again:
                del answers[index]
            sending.todo = deque(again)
            self._queue(mt.operator_id).appendleft(sending)
            self.counted.put_back += 1
            self._pump(mt.operator_id)

    def _later(self, mt: Mt, answer: SubmitAnswer, *, twice: bool) -> None:
        """Back into the database with a pause: a temporary error, or no answer at all."""
        self.counted.put_back += 1
        now = self._clock.now()
        mt.maybe_twice = mt.maybe_twice or twice
        due = now + pause_ms(mt.attempt, self._random)
        mt.attempt += 1
        if due >= mt.valid_until:
            self._move(mt, MtState.EXPIRED, error=f"not accepted while it was valid: {answer.sentence}")
            return
        self._move(mt, MtState.QUEUED, due_at=due, error=answer.sentence or answer.outcome.value)

    def _submitted(self, fact: MtFact) -> None:
        self.counted.submitted += 1
        self._batcher.put(fact, _written)

    def _move(self, mt: Mt, new: MtState, *, due_at: Instant | None = None, error: str = "") -> None:
        self._batcher.put(MtFact(mt, new, self._clock.now(), due_at, error), _written)

    # --- from the database ---------------------------------------------------------------------------

    async def poll(self) -> None:
        """Fetch queued MT for ever; cancel to end."""
        while not self._stopping:
            ready = [
                operator_id
                for operator_id, lines in self._lines.items()
                if self.holds(operator_id) and any(line.is_open for line in lines.values())
            ]
            taken: list[Mt] = []
            if ready and not self._batcher.away:
                try:
                    taken = await self._due(200, ready)
                except StoreError as error:
                    log.warning("queued messages cannot be read", error=str(error))
            for mt in taken:
                self.offer(mt)
            if len(taken) < 200:
                self._bell.clear()
                try:
                    await asyncio.wait_for(self._bell.wait(), POLL_S)
                except TimeoutError:
                    pass

    @property
    def waiting(self) -> int:
        """MT in memory that wait for a link or for room."""
        return sum(len(queue) for queue in self._queues.values())

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
        now = self._clock.now()
        for queue in self._queues.values():
            for sending in queue:
                if not sending.answers and not sending.open:
                    self._move(sending.mt, MtState.QUEUED, due_at=now, error="given back at the stop")
            queue.clear()


def reference_of(mt: Mt) -> int:
    """What ties the parts of a message together: 16 bits that change with every message, the lower 8 too.

    The lowest bits of an id hardly change; those above them are milliseconds.
    """
    return (mt.id >> 22 ^ mt.id) & 0xFFFF


def _written(fact: Fact, error: StoreError | None) -> None:
    if error is not None:
        assert isinstance(fact, MtFact), fact
        log.error("a move could not be written", message=fact.mt.id, new=fact.new.name, error=str(error))


__all__ = ["Callable", "Counted", "DueMts", "Sender"]
