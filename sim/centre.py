"""The pocket SMSC: takes binds, sends MO at a rate or as a flood, answers and receipts MT, in a tongue (sim/tongue.py).

PocketSmsc   the centre; `accept` answers who connects, over a socket or in memory

MO that got a temporary error, or no answer, are sent again: so do message centres. What it saw is in `counted`, and,
if it is to keep all, in `mos` and `mts`; until() waits for something to be seen.

Rule: all that is random comes from the random handed in.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from random import Random

from core.clock import Clock
from plumbing.conversation import Owner
from sim.esme import Esme, Job
from sim.fates import Fates, Remembered
from sim.phones import Phones
from sim.quirks import Quirks
from sim.records import Counted, SeenMt, SentMo
from sim.subscribers import Subscribers, Written
from sim.tongue import AnswersQuestions, Login
from sim.tongues import TONGUES
from wire.session import Operation, Session

STEP_S = 0.005
"""How often MO are written at a rate."""
_YES = 0


class PocketSmsc:
    """A message centre."""

    def __init__(
        self,
        clock: Clock,
        random: Random,
        *,
        quirks: Quirks | None = None,
        subscribers: Subscribers | None = None,
        keep: bool = True,
        protocol: str = "smpp",
    ) -> None:
        self.tongue = TONGUES[protocol]
        self._tells = self.tongue if isinstance(self.tongue, AnswersQuestions) else None
        self.quirks = quirks or Quirks()
        self.counted = Counted()
        self.phones = Phones(self._say, clock.monotonic_ms)
        self.mos: list[SentMo] = []
        self.mts: list[SeenMt] = []
        self.esmes: list[Esme] = []
        self.on_answered: Callable[[Job, int], None] = lambda job, status: None
        self.on_acknowledged: Callable[[SentMo], None] = lambda mo: None
        self.on_submitted: Callable[[SeenMt], None] = lambda mt: None
        self._clock = clock
        self._random = random
        quirks = self.quirks
        self._subscribers = subscribers or Subscribers(
            random.randrange(1 << 30), delivered=quirks.delivered, expired=quirks.expired
        )
        self._keep = keep
        # What a session is told stays, whatever quirks a test exchanges later.
        self._session_quirks = quirks
        self._queue: deque[Job] = deque()
        self._receipts: dict[str, deque[Job]] = {}
        self._fates = Fates()
        self._to_flood = 0
        self._latest: dict[str, SentMo] = {}
        self._references = 0
        self._message_ids = 0
        self._second = 0
        self._in_second = 0
        self._until_cut = quirks.cut_every
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    # --- Who connects ---------------------------------------------------------------------------------

    def accept(self, peer: str) -> tuple[Session, Owner]:
        """For plumbing.pump.listen, or a Network's."""
        wire = self.tongue.session(self._session_quirks, self._clock.monotonic_ms())
        return wire, Esme(self, wire, peer, self.quirks)

    def judge_bind(self, login: Login) -> int:
        """The status to answer."""
        accounts = self.quirks.accounts
        if self.quirks.bind_status:
            status = self.quirks.bind_status
        elif accounts is None:
            status = _YES
        elif login.system_id not in accounts:
            status = self.tongue.unknown_account
        else:
            status = _YES if accounts[login.system_id] in login.passwords else self.tongue.wrong_password
        self.counted.refused_binds += bool(status)
        return status

    def bound(self, esme: Esme) -> None:
        """A client is there."""
        self.counted.binds += 1
        self.esmes.append(esme)

    def closed(self, esme: Esme) -> None:
        """It is there no more."""
        if esme in self.esmes:
            self.esmes.remove(esme)

    # --- MO -------------------------------------------------------------------------------------------

    def write(self, source: str, destination: str, text: str) -> SentMo:
        """A subscriber writes; it is sent as soon as a client has room."""
        mo = self._write(Written(source, destination, text))
        self.stirred()
        return mo

    def flood(self, count: int) -> None:
        """So many MO more, as fast as the clients' windows allow."""
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
        """MO, parts and receipts that wait for a client with room."""
        return len(self._queue) + sum(map(len, self._receipts.values())) + self._to_flood

    @property
    def unwritten(self) -> int:
        """MO of a flood that wait for a client with room."""
        return self._to_flood

    def _write(self, written: Written) -> SentMo:
        counted, quirks = self.counted, self.quirks
        counted.written += 1
        self._references += 1
        parts = self.tongue.parts(
            written, quirks, number=counted.written, reference=self._references, now=self._clock.now()
        )
        mo = SentMo(counted.written, written.source, written.destination, written.text, len(parts))
        self._queue.extend([Job(part, mo) for part in parts])
        if self._keep:
            self.mos.append(mo)
        self._latest[written.source] = mo
        return mo

    def answered(self, job: Job, status: int) -> None:
        """A client answered an MO, a part of one, or a receipt."""
        counted = self.counted
        self.on_answered(job, status)
        if job.dialled or job.told:
            return
        if job.mt is not None:
            job.mt.receipts += not status
            counted.receipts += not status
            if self.tongue.is_temporary(status) and self.quirks.redelivers:
                asyncio.get_running_loop().call_later(self.quirks.retry_s, self._again, job)
            return
        mo = job.mo
        assert mo is not None
        if status == 0:
            mo.acknowledged += 1
            if mo.acknowledged == mo.parts:
                counted.acknowledged += 1
                counted.answer_ms.add(self._clock.monotonic_ms() - mo.first_sent_ms)
                self.on_acknowledged(mo)
        elif self.tongue.is_temporary(status):
            counted.put_off += 1
            if self.quirks.redelivers:
                asyncio.get_running_loop().call_later(self.quirks.retry_s, self._again, job)
        else:
            counted.refused += 1
            mo.refused = status

    def lost(self, jobs: list[Job]) -> None:
        """No answer: again, in the old order."""
        self.counted.unanswered += sum(job.mo is not None for job in jobs)
        if not self.quirks.redelivers:
            return
        for job in reversed(jobs):
            if job.told:
                continue  # Who wants to know asks again.
            queue = self._queue if job.mt is None else self._receipts.setdefault(job.mt.system_id, deque())
            queue.appendleft(job)

    def _say(self, job: Job) -> None:
        """A turn of USSD: before all that waits, for a phone waits for it."""
        behind = next((place for place, other in enumerate(self._queue) if not other.dialled), len(self._queue))
        self._queue.insert(behind, job)
        self.stirred()

    def _again(self, job: Job) -> None:
        queue = self._queue if job.mt is None else self._receipts.setdefault(job.mt.system_id, deque())
        queue.append(job)
        self.stirred()

    # --- MT -------------------------------------------------------------------------------------------

    def submitted(self, esme: Esme, submit: Operation) -> None:
        """A client submits an MT."""
        now_ms = self._clock.monotonic_ms()
        shown = self.phones.heard(submit)
        if shown is not None:
            esme.answer(submit, shown, "U1")
            return
        self.counted.submitted += 1
        status = self._judge_submit(now_ms)
        self._message_ids += 1
        tongue = self.tongue
        said = tongue.read(submit)
        now = self._clock.now()
        answer_id, receipt_id = tongue.ids(submit, self.quirks, number=self._message_ids, now=now)
        mt = SeenMt(
            esme.system_id, answer_id, said.source, said.destination, said.text, said.piece, now_ms, status
        )  # fmt: skip
        if self._keep:
            self.mts.append(mt)
        if status == 0:
            self.counted.accepted += 1
            self._count_reply(mt)
        self.on_submitted(mt)
        receipted = status == 0 and said.wants_receipt
        taken = Remembered(submit, answer_id, now, is_open=receipted)
        if status == 0 and self._tells is not None:
            self._fates.remember(self._tells.filed(submit, answer_id), taken)
        if receipted and self.quirks.receipt_first:
            self._receipt(esme.system_id, taken, receipt_id, mt)
            self.stirred()
        if self.quirks.lose_answers and self._random.random() < self.quirks.lose_answers:
            mt.status = None
        else:
            esme.answer(submit, status, answer_id)
        if receipted and not self.quirks.receipt_first:
            delay_s = self.quirks.receipt_delay_s
            if delay_s:
                loop = asyncio.get_running_loop()
                loop.call_later(delay_s, self._receipt_now, esme.system_id, taken, receipt_id, mt)
            else:
                self._receipt(esme.system_id, taken, receipt_id, mt)

    def _judge_submit(self, now_ms: int) -> int:
        quirks = self.quirks
        if quirks.throttle_above:
            second = now_ms // 1000
            self._in_second = self._in_second + 1 if second == self._second else 1
            self._second = second
            if self._in_second > quirks.throttle_above:
                return self.tongue.throttled
        if quirks.throttle and self._random.random() < quirks.throttle:
            return self.tongue.throttled
        if quirks.refuse and self._random.random() < quirks.refuse:
            return quirks.refuse_status or self.tongue.refused
        return _YES

    def _count_reply(self, mt: SeenMt) -> None:
        mo = self._latest.get(mt.destination)
        if mo is None or mo.first_sent_ms < 0:
            return
        mo.replies += 1
        if mo.replies == 1:
            self.counted.replied += 1
            self.counted.reply_ms.add(mt.at_ms - mo.first_sent_ms)

    def _receipt(self, system_id: str, taken: Remembered, message_id: str, mt: SeenMt) -> None:
        taken.fate, taken.is_open = self._subscribers.fate(), False
        if self.quirks.lose_receipts and self._random.random() < self.quirks.lose_receipts:
            return
        operation = self.tongue.receipt(taken.submit, message_id, taken.fate, self.quirks, now=self._clock.now())
        self._receipts.setdefault(system_id, deque()).append(Job(operation, mt=mt))

    def _receipt_now(self, system_id: str, taken: Remembered, message_id: str, mt: SeenMt) -> None:
        self._receipt(system_id, taken, message_id, mt)
        self.stirred()

    def asked(self, esme: Esme, question: Operation) -> None:
        """A client asks what became of an MT."""
        tongue = self._tells
        assert tongue is not None, "its session refuses them"
        self.counted.questions += 1
        if self.quirks.questions != "answered":
            esme.respond(question, tongue.refuse(question, self.quirks.questions))
            return
        found = self._fates.of(tongue.asked(question))
        for one in found:
            if one.fate is None and not one.is_open:
                one.fate = self._subscribers.fate()
        response, told = tongue.tell(question, found, self._clock.now())
        esme.respond(question, response)
        if told is not None:
            self._receipts.setdefault(esme.system_id, deque()).append(Job(told, told=True))

    # --- What is due ----------------------------------------------------------------------------------

    def stirred(self) -> None:
        """Send what may go now, receipts first; tell who waits."""
        now_ms = self._clock.monotonic_ms()
        for esme in list(self.esmes):
            for _ in range(esme.room(now_ms)):
                job = self._next_job(esme.system_id)
                if job is None:
                    break
                self._send(esme, job, now_ms)
                if not esme.is_bound:
                    break
        for waiting in list(self._waiting):
            predicate, future = waiting
            if future.done() or predicate():
                self._waiting.remove(waiting)
                if not future.done():
                    future.set_result(None)

    def _next_job(self, system_id: str) -> Job | None:
        receipts = self._receipts.get(system_id)
        if receipts:
            return receipts.popleft()
        if not self._queue and self._to_flood:
            self._to_flood -= 1
            self._write(self._subscribers.next())
        return self._queue.popleft() if self._queue else None

    def _send(self, esme: Esme, job: Job, now_ms: int) -> None:
        esme.deliver(job)
        mo = job.mo
        if mo is None:
            return
        self.counted.sent += 1
        mo.deliveries += 1
        if mo.first_sent_ms < 0:
            mo.first_sent_ms = now_ms
        if self.quirks.cut_every:
            self._until_cut -= 1
            if self._until_cut <= 0:
                self._until_cut = self.quirks.cut_every
                esme.cut()

    # --- For tests ------------------------------------------------------------------------------------

    async def until(self, predicate: Callable[[], bool]) -> None:
        """Wait until it holds; it is asked whenever something happened."""
        if not predicate():
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append((predicate, future))
            await future

    def cut(self) -> None:
        """Cut every connection without a word."""
        for esme in list(self.esmes):
            esme.cut()
