"""The pocket aggregator: calls a link with MO, takes its submissions, sends their receipts, by a mapping.

PocketAggregator   the counterpart of one link over HTTP; sim/centre.py is its sibling for protocols with sessions

An MO that is put off, or hears no answer, is called again: so do aggregators. What it saw is in `counted`, and, if it
is to keep all, in `mos` and `mts`; until() waits for something to be seen.

Rule: all that is random comes from the random handed in.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from core.clock import Clock
from core.message import Heard
from plumbing.loop import spawn
from sim.aggregator.answers import Answering, Hearing, Understood
from sim.aggregator.calls import CallWriter, Draft
from sim.aggregator.exchange import Asked, Told
from sim.aggregator.mapping import Mapping
from sim.aggregator.network import Caller, Unheard, Unsent
from sim.aggregator.submissions import Submission, SubmissionReader, Wrong
from sim.quirks import ID_FORMS, Quirks
from sim.records import Counted, SeenMt, SentMo
from sim.subscribers import Subscribers, Written

STEP_S = 0.005
"""How often MO are written at a rate."""
_SERIES = 1 << 20
"""So many ids has a series: runs with other seeds give other ids, since a link knows an MT by them."""


@dataclass(slots=True, eq=False)
class Job:
    """One call on its way. `mo` of an MO, `mt` of a receipt."""

    draft: Draft
    mo: SentMo | None = None
    mt: SeenMt | None = None


class PocketAggregator:
    """An aggregator. `tell` hears what a person should know at once, each sentence once."""

    def __init__(
        self,
        mapping: Mapping,
        path: str,
        caller: Caller,
        clock: Clock,
        random: Random,
        *,
        quirks: Quirks | None = None,
        subscribers: Subscribers | None = None,
        keep: bool = True,
        tell: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.mapping = mapping
        self.quirks = quirks or Quirks()
        self.counted = Counted()
        self.refusals: Counter[int] = Counter()
        self.complaints: Counter[str] = Counter()
        """What was wrong with requests of the link."""
        self.said: dict[int, str] = {}
        """What the link said with a refusal, the first time, by status."""
        self.mos: list[SentMo] = []
        self.mts: list[SeenMt] = []
        self.flying = 0
        """Calls under way."""
        self._writer = CallWriter(mapping, path)
        self._hearing = Hearing(mapping)
        self._answering = Answering(mapping.submit.answer)
        self._reader = SubmissionReader(mapping)
        self._caller = caller
        self._clock = clock
        self._random = random
        self._name = f"{random.randrange(1 << 32):x}"
        self._message_ids = random.randrange(1 << 20) * _SERIES
        self._subscribers = subscribers or Subscribers(
            random.randrange(1 << 30), delivered=self.quirks.delivered, expired=self.quirks.expired
        )
        self._keep = keep
        self._tell = tell
        self._told: set[str] = set()
        self._queue: deque[Job] = deque()
        self._receipts: deque[Job] = deque()
        self._to_flood = 0
        self._pauses = 0
        self._is_ending = False
        self._latest: dict[str, SentMo] = {}
        self._second = 0
        self._in_second = 0
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    # --- MO -------------------------------------------------------------------------------------------

    def write(self, source: str, destination: str, text: str) -> SentMo:
        """A subscriber writes; it is called as soon as the window has room."""
        mo = self._write(Written(source, destination, text))
        self._stirred()
        return mo

    def flood(self, count: int) -> None:
        """So many MO more, as fast as the window allows."""
        self._to_flood += count
        self._stirred()

    async def trickle(self, per_second: float, count: int = 0) -> None:
        """MO at a rate; 0: until cancelled."""
        began_ms, written = self._clock.monotonic_ms(), 0
        while not count or written < count:
            due = int(per_second * (self._clock.monotonic_ms() - began_ms) / 1000)
            due = min(due, count) if count else due
            for _ in range(due - written):
                self._write(self._subscribers.next())
            written = max(written, due)
            self._stirred()
            await asyncio.sleep(max(STEP_S, min(1.0, 1 / per_second) / 4))

    @property
    def waiting(self) -> int:
        """MO, parts and receipts that wait for room, or to be called again."""
        return len(self._queue) + len(self._receipts) + self._to_flood + self._pauses

    def end(self) -> None:
        """Nothing new is called any more."""
        self._is_ending = True
        self._stirred()

    async def until(self, predicate: Callable[[], bool]) -> None:
        """Wait until it holds; it is asked whenever something happened."""
        if not predicate():
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append((predicate, future))
            await future

    def _write(self, written: Written) -> SentMo:
        counted = self.counted
        counted.written += 1
        number = counted.written
        bits = 16 if self.quirks.long_messages == "udh16" else 8
        drafts = self._writer.mo(written, identity=f"{self._name}-{number}", reference=number, bits=bits)
        mo = SentMo(number, written.source, written.destination, written.text, len(drafts))
        self._queue.extend([Job(draft, mo) for draft in drafts])
        if self._keep:
            self.mos.append(mo)
        self._latest[self.mapping.number_of(written.source)] = mo
        return mo

    # --- calls ----------------------------------------------------------------------------------------

    def _stirred(self) -> None:
        """Call what may be called now, receipts first; tell who waits."""
        while not self._is_ending and self.flying < self.quirks.window:
            job = self._next_job()
            if job is None:
                break
            self.flying += 1
            spawn(self._fly(job), name="call of the pocket aggregator")
        for waiting in list(self._waiting):
            predicate, future = waiting
            if future.done() or predicate():
                self._waiting.remove(waiting)
                if not future.done():
                    future.set_result(None)

    def _next_job(self) -> Job | None:
        if self._receipts:
            return self._receipts.popleft()
        if not self._queue and self._to_flood:
            self._to_flood -= 1
            self._write(self._subscribers.next())
        return self._queue.popleft() if self._queue else None

    async def _fly(self, job: Job) -> None:
        try:
            await self._call(job)
        finally:
            self.flying -= 1
            self._stirred()

    async def _call(self, job: Job) -> None:
        began_ms = self._clock.monotonic_ms()
        mo = job.mo
        if mo is not None and mo.first_sent_ms < 0:
            mo.first_sent_ms = began_ms
        try:
            status, body = await self._caller.call(self._writer.call(job.draft, self._clock.now()))
        except Unsent as reason:
            self._say(f"no connection to the link: {reason}; it is tried again every {self.quirks.retry_s:g} s")
            self._again(job)
            return
        except Unheard as reason:
            self._say(f"no answer of the link: {reason}")
            if mo is not None:
                self._sent(mo)
                self.counted.unanswered += 1
            if self.quirks.redelivers:
                self._again(job)
            return
        if mo is not None:
            self._sent(mo)
            self._heard_mo(job, mo, status, self._hearing.of_mo(status, body))
        else:
            self._heard_receipt(job, status, self._hearing.of_receipt(status, body))

    def _sent(self, mo: SentMo) -> None:
        self.counted.sent += 1
        mo.deliveries += 1

    def _heard_mo(self, job: Job, mo: SentMo, status: int, understood: Understood) -> None:
        counted, now_ms = self.counted, self._clock.monotonic_ms()
        if understood.heard is not Heard.TAKEN:
            self.refusals[status] += 1
            self.said.setdefault(status, understood.sentence)
        if understood.heard is Heard.LATER:
            counted.put_off += 1
            self._say(f"an MO is put off: HTTP {status}{_quoted(understood.sentence)}")
            if self.quirks.redelivers:
                self._again(job)
        elif understood.heard is Heard.NEVER:
            counted.refused += 1
            mo.refused = status
            self._say(f"an MO is refused: HTTP {status}{_quoted(understood.sentence)}")
        else:
            mo.acknowledged += 1
            if mo.acknowledged == mo.parts:
                counted.acknowledged += 1
                counted.answer_ms.add(now_ms - mo.first_sent_ms)
            if understood.reply is not None:
                self._reply(mo, understood.reply, now_ms)

    def _reply(self, mo: SentMo, text: str, now_ms: int) -> None:
        """One that stood in the answer."""
        self.counted.submitted += 1
        self.counted.accepted += 1
        mt = SeenMt(self.mapping.link, "", mo.destination, mo.source, text, None, now_ms)
        if self._keep:
            self.mts.append(mt)
        self._count_reply(mo, now_ms)

    def _heard_receipt(self, job: Job, status: int, understood: Understood) -> None:
        assert job.mt is not None
        if understood.heard is Heard.TAKEN:
            job.mt.receipts += 1
            self.counted.receipts += 1
            return
        self._say(f"a receipt is not taken: HTTP {status}{_quoted(understood.sentence)}")
        if understood.heard is Heard.LATER and self.quirks.redelivers:
            self._again(job)

    def _again(self, job: Job) -> None:
        """A while later."""
        self._pauses += 1
        asyncio.get_running_loop().call_later(self.quirks.retry_s, self._queue_again, job)

    def _queue_again(self, job: Job) -> None:
        self._pauses -= 1
        (self._queue if job.mt is None else self._receipts).append(job)
        self._stirred()

    # --- MT -------------------------------------------------------------------------------------------

    async def asked(self, asked: Asked) -> Told | None:
        """A request of the link; None: it hears nothing."""
        now_ms = self._clock.monotonic_ms()
        self.counted.submitted += 1
        read = self._reader.read(asked)
        if isinstance(read, Wrong):
            self.complaints[read.sentence] += 1
            self._say(f"a request of the link is refused: {read.sentence}")
            self._stirred()
            return Told(read.status, read.sentence)
        told = self._judge(now_ms)
        self._message_ids += 1
        in_answer, in_receipt = (spell(self._message_ids) for spell in ID_FORMS[self.quirks.message_ids])
        mt = SeenMt(self.mapping.link, in_answer, read.source, read.destination, read.text, read.piece, now_ms,
                    told.status if told is not None else 0)  # fmt: skip
        if self._keep:
            self.mts.append(mt)
        if told is None:
            self.counted.accepted += 1
            mo = self._latest.get(read.destination)
            if mo is not None and mo.first_sent_ms >= 0:
                self._count_reply(mo, now_ms)
            await self._send_receipt(read, mt, read.own_id if self.mapping.submit.answer.own_id else in_receipt)
        self._stirred()
        if self.quirks.lose_answers and self._random.random() < self.quirks.lose_answers:
            mt.status = None
            return None
        return told or self._answering.accepted(in_answer)

    def _judge(self, now_ms: int) -> Told | None:
        """A refusal, or None."""
        quirks = self.quirks
        if quirks.throttle_above:
            second = now_ms // 1000
            self._in_second = self._in_second + 1 if second == self._second else 1
            self._second = second
            if self._in_second > quirks.throttle_above:
                return self._answering.throttled()
        if quirks.throttle and self._random.random() < quirks.throttle:
            return self._answering.throttled()
        if quirks.refuse and self._random.random() < quirks.refuse:
            return self._answering.refused(quirks.refuse_status)
        return None

    def _count_reply(self, mo: SentMo, now_ms: int) -> None:
        mo.replies += 1
        if mo.replies == 1:
            self.counted.replied += 1
            self.counted.reply_ms.add(now_ms - mo.first_sent_ms)

    async def _send_receipt(self, submission: Submission, mt: SeenMt, identity: str) -> None:
        """After the answer, or where the quirk says so before it."""
        quirks = self.quirks
        if not self.mapping.has_receipts or (quirks.lose_receipts and self._random.random() < quirks.lose_receipts):
            return
        fate = self._subscribers.fate()
        draft = self._writer.receipt(
            fate, identity=identity, number=submission.destination, url_query=submission.receipt_query
        )
        if draft is None:
            self._say(f"receipt.states has no word for {fate.word}; such a receipt is not sent")
            return
        job = Job(draft, mt=mt)
        if quirks.receipt_first:
            await self._call(job)
            return
        self._pauses += 1
        # Behind the answer, which is written when this returns.
        asyncio.get_running_loop().call_later(quirks.receipt_delay_s, self._queue_again, job)

    def _say(self, sentence: str) -> None:
        if sentence not in self._told and len(self._told) < 100:
            self._told.add(sentence)
            self._tell(sentence)


def _quoted(sentence: str) -> str:
    return f" ({sentence})" if sentence else ""
