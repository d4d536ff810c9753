"""The pocket aggregator: calls a link with MO, takes its submissions, sends their receipts, by a mapping.

PocketAggregator   the Counterpart of one link over HTTP; sim/centre.py is its sibling for protocols with sessions

An MO that is put off, or hears no answer, is called again: so do aggregators.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from core.clock import Clock
from core.message import Heard, SubmitOutcome
from plumbing.loop import spawn
from sim.aggregator.answers import Answering, Hearing, Understood
from sim.aggregator.calls import CallWriter, Draft
from sim.aggregator.exchange import Asked, Told
from sim.aggregator.mapping import Mapping
from sim.aggregator.network import Caller, Unheard, Unsent
from sim.aggregator.submissions import Submission, SubmissionReader, Wrong
from sim.counterpart import Counterpart
from sim.quirks import ID_FORMS, Quirks
from sim.records import SeenMt, SentMo
from sim.subscribers import Subscribers, Written

_SERIES = 1 << 20
"""So many ids has a series: runs with other seeds give other ids, since a link knows an MT by them."""


@dataclass(slots=True, eq=False)
class Job:
    """One call on its way. `mo` of an MO, `mt` of a receipt."""

    draft: Draft
    mo: SentMo | None = None
    mt: SeenMt | None = None


class PocketAggregator(Counterpart[Job]):
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
        name, series = random.randrange(1 << 32), random.randrange(1 << 20)
        super().__init__(clock, random, quirks=quirks, subscribers=subscribers, keep=keep)
        self.mapping = mapping
        self.complaints: Counter[str] = Counter()
        """What was wrong with requests of the link."""
        self.said: dict[int, str] = {}
        """What the link said with a refusal, the first time, by status."""
        self.flying = 0
        """Calls under way."""
        self._writer = CallWriter(mapping, path)
        self._hearing = Hearing(mapping)
        self._answering = Answering(mapping.submit.answer)
        self._reader = SubmissionReader(mapping)
        self._caller = caller
        self._name = f"{name:x}"
        self._message_ids = series * _SERIES
        self._tell = tell
        self._told: set[str] = set()
        self._is_ending = False

    @property
    def waiting(self) -> int:
        """MO, parts and receipts that wait for room, or to be called again."""
        return super().waiting + self._pauses

    def end(self) -> None:
        """Nothing new is called any more."""
        self._is_ending = True
        self.stirred()

    @property
    def under_way(self) -> str:
        return f"under way {self.flying}"

    def sentence_of(self, status: int) -> str:
        said = self.said.get(status)
        return f"HTTP {status}, {said}" if said else f"HTTP {status}"

    def _number_of(self, source: str) -> str:
        return self.mapping.number_of(source)

    def _due_of(self, written: Written, number: int) -> list[Job]:
        bits = 16 if self.quirks.long_messages == "udh16" else 8
        drafts = self._writer.mo(written, identity=f"{self._name}-{number}", reference=number, bits=bits)
        return [Job(draft) for draft in drafts]

    # --- calls ----------------------------------------------------------------------------------------

    def _send_due(self) -> None:
        """Receipts first."""
        while not self._is_ending and self.flying < self.quirks.window:
            job = self._next_job(self.mapping.link)
            if job is None:
                break
            self.flying += 1
            spawn(self._fly(job), name="call of the pocket aggregator")

    async def _fly(self, job: Job) -> None:
        try:
            await self._call(job)
        finally:
            self.flying -= 1
            self.stirred()

    async def _call(self, job: Job) -> None:
        began_ms = self._clock.monotonic_ms()
        mo = job.mo
        if mo is not None and mo.first_sent_ms < 0:
            mo.first_sent_ms = began_ms
        try:
            status, body = await self._caller.call(self._writer.call(job.draft, self._clock.now()))
        except Unsent as reason:
            self._say(f"no connection to the link: {reason}; it is tried again every {self.quirks.retry_s:g} s")
            self._pause(job, self.quirks.retry_s)
            return
        except Unheard as reason:
            self._say(f"no answer of the link: {reason}")
            if mo is not None:
                self._count_sent(mo)
                self.counted.unanswered += 1
            if self.quirks.redelivers:
                self._pause(job, self.quirks.retry_s)
            return
        if mo is not None:
            self._count_sent(mo)
            self._answered_mo(mo, status, self._hearing.of_mo(status, body), job)
        else:
            self._answered_receipt(status, self._hearing.of_receipt(status, body), job)

    def _answered_mo(self, mo: SentMo, status: int, understood: Understood, job: Job) -> None:
        self._heard(job, understood.heard, status)
        if understood.heard is Heard.TAKEN:
            if understood.reply is not None:
                self._reply(mo, understood.reply)
            return
        self.said.setdefault(status, understood.sentence)
        fate = "put off" if understood.heard is Heard.LATER else "refused"
        self._say(f"an MO is {fate}: HTTP {status}{_quoted(understood.sentence)}")

    def _reply(self, mo: SentMo, text: str) -> None:
        """One that stood in the answer."""
        self.counted.submitted += 1
        mt = SeenMt(self.mapping.link, "", mo.destination, mo.source, text, None, self._clock.monotonic_ms())
        self._saw(mt, mo)

    def _answered_receipt(self, status: int, understood: Understood, job: Job) -> None:
        self._heard(job, understood.heard, status)
        if understood.heard is not Heard.TAKEN:
            self._say(f"a receipt is not taken: HTTP {status}{_quoted(understood.sentence)}")

    # --- MT -------------------------------------------------------------------------------------------

    async def asked(self, asked: Asked) -> Told | None:
        """A request of the link; None: it hears nothing."""
        now_ms = self._clock.monotonic_ms()
        self.counted.submitted += 1
        read = self._reader.read(asked)
        if isinstance(read, Wrong):
            self.complaints[read.sentence] += 1
            self._say(f"a request of the link is refused: {read.sentence}")
            self.stirred()
            return Told(read.status, read.sentence)
        told = self._refusal(self._judge(now_ms))
        self._message_ids += 1
        in_answer, in_receipt = (spell(self._message_ids) for spell in ID_FORMS[self.quirks.message_ids])
        mt = SeenMt(self.mapping.link, in_answer, read.source, read.destination, read.text, read.piece, now_ms,
                    told.status if told is not None else 0)  # fmt: skip
        self._saw(mt, self._latest.get(read.destination))
        if told is None:
            await self._send_receipt(read, mt, read.own_id if self.mapping.submit.answer.own_id else in_receipt)
        self.stirred()
        if self.quirks.lose_answers and self._random.random() < self.quirks.lose_answers:
            mt.status = None
            return None
        return told or self._answering.accepted(in_answer)

    def _refusal(self, judged: SubmitOutcome) -> Told | None:
        if judged is SubmitOutcome.ACCEPTED:
            return None
        if judged is SubmitOutcome.THROTTLED:
            return self._answering.throttled()
        return self._answering.refused(self.quirks.refuse_status)

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
        # Behind the answer, which is written when this returns.
        self._pause(job, quirks.receipt_delay_s)

    def _say(self, sentence: str) -> None:
        if sentence not in self._told and len(self._told) < 100:
            self._told.add(sentence)
            self._tell(sentence)


def _quoted(sentence: str) -> str:
    return f" ({sentence})" if sentence else ""
