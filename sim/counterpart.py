"""The operator's side of a link without a protocol: who writes, what waits, what was said; the base of both pockets.

Counterpart   of sim/centre.py, which has sessions, and of sim/aggregator/aggregator.py, which calls and is called
Due           one thing that is to be sent: a part of an MO, or a receipt

MO are written at a rate or as a flood, and are sent again when they are put off: so do operators. What was seen is in
`counted`, and, if all is to be kept, in `mos` and `mts`; until() waits for something to be seen.

Rule: all that is random comes from the random handed in, in an order that stays: a seed is the same run for ever.
"""

import asyncio
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable
from random import Random
from typing import Generic, Protocol, TypeVar

from core.clock import Clock
from core.message import Heard, SubmitOutcome
from sim.quirks import Quirks
from sim.records import Counted, SeenMt, SentMo
from sim.subscribers import Subscribers, Written

STEP_S = 0.005
"""How often MO are written at a rate."""


class Due(Protocol):
    """`mo` of an MO, `mt` of a receipt."""

    mo: SentMo | None
    mt: SeenMt | None


D = TypeVar("D", bound=Due)


class Counterpart(ABC, Generic[D]):
    """What a message centre and an aggregator have in common."""

    def __init__(
        self, clock: Clock, random: Random, *, quirks: Quirks | None, subscribers: Subscribers | None, keep: bool
    ) -> None:
        self.quirks = quirks = quirks or Quirks()
        self.counted = Counted()
        self.refusals: Counter[int] = Counter()
        """How often which status was said to an MO that was not taken."""
        self.mos: list[SentMo] = []
        self.mts: list[SeenMt] = []
        self.on_acknowledged: Callable[[SentMo], None] = lambda mo: None
        self._clock = clock
        self._random = random
        self._subscribers = subscribers or Subscribers(
            random.randrange(1 << 30), delivered=quirks.delivered, expired=quirks.expired
        )
        self._keep = keep
        self._queue: deque[D] = deque()
        self._receipts: dict[str, deque[D]] = {}
        self._to_flood = 0
        self._pauses = 0
        self._latest: dict[str, SentMo] = {}
        self._message_ids = 0
        self._second = 0
        self._in_second = 0
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    # --- What a protocol adds -------------------------------------------------------------------------

    @property
    @abstractmethod
    def under_way(self) -> str:
        """What stands first in a line for a person, such as how many clients are bound."""

    @abstractmethod
    def sentence_of(self, status: int) -> str:
        """A status of the link's, for people."""

    @abstractmethod
    def _due_of(self, written: Written, number: int) -> list[D]:
        """An MO, its `number` in the order of writing, as what is sent: several when it is long."""

    @abstractmethod
    def _send_due(self) -> None:
        """Send what may go now, by _next_job()."""

    def _number_of(self, source: str) -> str:
        """A subscriber's number as the link writes it in an MT."""
        return source

    # --- MO -------------------------------------------------------------------------------------------

    def write(self, source: str, destination: str, text: str) -> SentMo:
        """A subscriber writes; it is sent as soon as there is room."""
        mo = self._write(Written(source, destination, text))
        self.stirred()
        return mo

    def flood(self, count: int) -> None:
        """So many MO more, as fast as the windows allow."""
        self._to_flood += count
        self.stirred()

    async def trickle(self, per_second: float, count: int = 0) -> None:
        """MO at a rate; 0: until cancelled."""
        began_ms = self._clock.monotonic_ms()
        written = 0
        while not count or written < count:
            due = int(per_second * (self._clock.monotonic_ms() - began_ms) / 1000)
            due = min(due, count) if count else due
            for _ in range(due - written):
                self._write(self._subscribers.next())
            if due > written:
                written = due
                self.stirred()
            await asyncio.sleep(max(STEP_S, min(1.0, 1 / per_second) / 4))

    @property
    def waiting(self) -> int:
        """MO, parts and receipts that wait for room."""
        return len(self._queue) + sum(map(len, self._receipts.values())) + self._to_flood

    def _write(self, written: Written) -> SentMo:
        counted = self.counted
        counted.written += 1
        jobs = self._due_of(written, counted.written)
        mo = SentMo(counted.written, written.source, written.destination, written.text, len(jobs))
        for job in jobs:
            job.mo = mo
        self._queue.extend(jobs)
        if self._keep:
            self.mos.append(mo)
        self._latest[self._number_of(written.source)] = mo
        return mo

    # --- What is due ----------------------------------------------------------------------------------

    def stirred(self) -> None:
        """Something happened: send what may go now; tell who waits."""
        self._send_due()
        for waiting in list(self._waiting):
            predicate, future = waiting
            if future.done() or predicate():
                self._waiting.remove(waiting)
                if not future.done():
                    future.set_result(None)

    async def until(self, predicate: Callable[[], bool]) -> None:
        """Wait until it holds; it is asked whenever something happened."""
        if not predicate():
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append((predicate, future))
            await future

    def _next_job(self, system_id: str) -> D | None:
        """What goes to this client now, receipts first."""
        receipt = self._next_receipt(system_id)
        if receipt is not None:
            return receipt
        if not self._queue and self._to_flood:
            self._to_flood -= 1
            self._write(self._subscribers.next())
        return self._queue.popleft() if self._queue else None

    def _next_receipt(self, system_id: str) -> D | None:
        """What goes to a client that takes no MO."""
        receipts = self._receipts.get(system_id)
        return receipts.popleft() if receipts else None

    def _queue_of(self, job: D) -> deque[D]:
        """Where it waits: MO go to any client, a receipt to him who submitted its MT."""
        return self._queue if job.mt is None else self._queue_of_client(job.mt.system_id)

    def _queue_of_client(self, system_id: str) -> deque[D]:
        return self._receipts.setdefault(system_id, deque())

    def _pause(self, job: D, delay_s: float) -> None:
        """It is due a while later."""
        self._pauses += 1
        asyncio.get_running_loop().call_later(delay_s, self._resume, job)

    def _resume(self, job: D) -> None:
        self._pauses -= 1
        self._again(job)

    def _again(self, job: D) -> None:
        self._queue_of(job).append(job)
        self.stirred()

    # --- What was said --------------------------------------------------------------------------------

    def _count_sent(self, mo: SentMo) -> None:
        self.counted.sent += 1
        mo.deliveries += 1

    def _heard(self, job: D, heard: Heard, status: int) -> None:
        """The link answered an MO, a part of one, or a receipt."""
        if heard is Heard.LATER and self.quirks.redelivers:
            self._pause(job, self.quirks.retry_s)
        if job.mo is not None:
            self._heard_mo(job.mo, heard, status)
        elif heard is Heard.TAKEN:
            assert job.mt is not None
            job.mt.receipts += 1
            self.counted.receipts += 1

    def _heard_mo(self, mo: SentMo, heard: Heard, status: int) -> None:
        counted = self.counted
        if heard is Heard.TAKEN:
            mo.acknowledged += 1
            if mo.acknowledged == mo.parts:
                counted.acknowledged += 1
                counted.answer_ms.add(self._clock.monotonic_ms() - mo.first_sent_ms)
                self.on_acknowledged(mo)
            return
        self.refusals[status] += 1
        if heard is Heard.LATER:
            counted.put_off += 1
        else:
            counted.refused += 1
            mo.refused = status

    # --- MT -------------------------------------------------------------------------------------------

    def _judge(self, now_ms: int) -> SubmitOutcome:
        """Whether a submission is taken, too fast, or refused for good."""
        quirks = self.quirks
        if quirks.throttle_above:
            second = now_ms // 1000
            self._in_second = self._in_second + 1 if second == self._second else 1
            self._second = second
            if self._in_second > quirks.throttle_above:
                return SubmitOutcome.THROTTLED
        if quirks.throttle and self._random.random() < quirks.throttle:
            return SubmitOutcome.THROTTLED
        if quirks.refuse and self._random.random() < quirks.refuse:
            return SubmitOutcome.PERMANENT
        return SubmitOutcome.ACCEPTED

    def _saw(self, mt: SeenMt, mo: SentMo | None) -> None:
        """An MT that was judged; `mo`, the latest of its subscriber."""
        counted = self.counted
        if self._keep:
            self.mts.append(mt)
        if mt.status:
            return
        counted.accepted += 1
        if mo is None or mo.first_sent_ms < 0:
            return
        mo.replies += 1
        if mo.replies == 1:
            counted.replied += 1
            counted.reply_ms.add(mt.at_ms - mo.first_sent_ms)
