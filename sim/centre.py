"""The pocket SMSC: takes binds, sends MO at a rate or as a flood, answers and receipts MT, in a tongue (sim/tongue.py).

PocketSmsc   the centre, a Counterpart; `accept` answers who connects, over a socket or in memory; `call` is for one
             whom it connects to itself (sim/calling.py)

MO that got a temporary error, or no answer, are sent again: so do message centres.
"""

import asyncio
from collections.abc import Callable
from random import Random

from core.clock import Clock
from core.message import Heard, SubmitOutcome
from plumbing.conversation import Owner
from sim.calling import Callee
from sim.counterpart import Counterpart
from sim.esme import Esme, Job
from sim.fates import TAKEN_BACK, Fates, Remembered
from sim.phones import Phones
from sim.quirks import Quirks
from sim.records import SeenMt
from sim.subscribers import Subscribers, Written
from sim.tongue import Login
from sim.tongue import Session as WireSession
from sim.tongues import TONGUES
from wire.session import Operation, Session

_YES = 0
_ABROAD = ("+", "00", "810")
"""What stands in front of them; 810 in Russia and its neighbours."""


class PocketSmsc(Counterpart[Job]):
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
        ids_after: int = 0,
    ) -> None:
        """`ids_after`: the number before its first message id."""
        super().__init__(clock, random, quirks=quirks, subscribers=subscribers, keep=keep)
        self._message_ids = ids_after
        self.tongue = TONGUES[protocol]
        self.phones = Phones(self._say, clock.monotonic_ms)
        self.esmes: list[Esme] = []
        self.calls = False
        self.on_answered: Callable[[Job, int], None] = lambda job, status: None
        self.on_submitted: Callable[[SeenMt], None] = lambda mt: None
        # What a session is told stays, whatever quirks a test exchanges later.
        self._session_quirks = self.quirks
        self._fates = Fates()
        self._references = 0
        self._until_cut = self.quirks.cut_every

    # --- Who connects ---------------------------------------------------------------------------------

    def accept(self, peer: str) -> tuple[Session, Owner]:
        """For plumbing.pump.listen, or a Network's."""
        wire = self.tongue.session(self._session_quirks, self._clock.monotonic_ms())
        return wire, Esme(self, wire, peer, self.quirks)

    def call(self, peer: str) -> tuple[WireSession, Callee]:
        """For a connection of the centre's own; MO go over such ones alone from now on."""
        found = self.tongue.call(self._session_quirks, self._clock.monotonic_ms())
        assert found is not None, "a protocol whose centres call nobody"
        self.calls = True
        wire, word = found
        return wire, Callee(self, wire, peer, self.quirks, word)

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

    @property
    def unwritten(self) -> int:
        """MO of a flood that wait for a client with room."""
        return self._to_flood

    @property
    def under_way(self) -> str:
        return f"binds {len(self.esmes)}"

    def sentence_of(self, status: int) -> str:
        return self.tongue.sentence(status)

    def _number_of(self, source: str) -> str:
        """Without what a link may write in front of it, for its operator's numbers of other countries."""
        abroad = next((one for one in _ABROAD if source.startswith(one)), "")
        return source.removeprefix(abroad)

    def _due_of(self, written: Written, number: int) -> list[Job]:
        self._references += 1
        now = self._clock.now()
        parts = self.tongue.parts(written, self.quirks, number=number, reference=self._references, now=now)
        return [Job(part) for part in parts]

    def answered(self, job: Job, status: int) -> None:
        """A client answered an MO, a part of one, or a receipt."""
        self.on_answered(job, status)
        if job.dialled or job.told:
            return
        if not status:
            heard = Heard.TAKEN
        else:
            heard = Heard.LATER if self.tongue.is_temporary(status) else Heard.NEVER
        self._heard(job, heard, status)

    def lost(self, jobs: list[Job]) -> None:
        """No answer: again, in the old order."""
        self.counted.unanswered += sum(job.mo is not None for job in jobs)
        if not self.quirks.redelivers:
            return
        for job in reversed(jobs):
            if job.told:
                continue  # Who wants to know asks again.
            self._queue_of(job).appendleft(job)

    def _say(self, job: Job) -> None:
        """A turn of USSD: before all that waits, for a phone waits for it."""
        behind = next((place for place, other in enumerate(self._queue) if not other.dialled), len(self._queue))
        self._queue.insert(behind, job)
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
        status = self._status_of(self._judge(now_ms))
        self._message_ids += 1
        tongue = self.tongue
        said = tongue.read(submit)
        now = self._clock.now()
        answer_id, receipt_id = tongue.ids(submit, self.quirks, number=self._message_ids, now=now)
        mt = SeenMt(
            esme.system_id, answer_id, said.source, said.destination, said.text, said.piece, now_ms, status
        )  # fmt: skip
        self._saw(mt, self._latest.get(self._number_of(mt.destination)))
        self.on_submitted(mt)
        taken = Remembered(
            submit, answer_id, now, is_open=False, wants_receipt=said.wants_receipt, receipt_id=receipt_id, mt=mt
        )
        if status == 0:
            self._fates.remember(tongue.filed(submit, answer_id), taken)
            self._begin(taken)
        if self.quirks.lose_answers and self._random.random() < self.quirks.lose_answers:
            mt.status = None
        else:
            esme.answer(submit, status, answer_id)
        if taken.is_open and not self.quirks.receipt_delay_s:
            self._end(taken)

    def _status_of(self, judged: SubmitOutcome) -> int:
        if judged is SubmitOutcome.ACCEPTED:
            return _YES
        if judged is SubmitOutcome.THROTTLED:
            return self.tongue.throttled
        return self.quirks.refuse_status or self.tongue.refused

    def _begin(self, taken: Remembered) -> None:
        """It is under way; its receipt goes before its answer where the centre is such a one."""
        quirks = self.quirks
        taken.is_open = taken.wants_receipt or bool(quirks.receipt_delay_s)
        if taken.wants_receipt and quirks.receipt_first:
            self._end(taken)
            self.stirred()
        elif quirks.receipt_delay_s:
            asyncio.get_running_loop().call_later(quirks.receipt_delay_s, self._end_now, taken)

    def _end(self, taken: Remembered) -> None:
        """It is under way no more; whose receipt nobody wants has the fate that is drawn when somebody asks."""
        taken.is_open = False
        if taken.wants_receipt:
            self._receipt(taken)

    def _end_now(self, taken: Remembered) -> None:
        if taken.is_open:  # It may have been taken back meanwhile.
            self._end(taken)
            self.stirred()

    def _receipt(self, taken: Remembered) -> None:
        """What became of it; that its sender took it back is known, all else is drawn."""
        assert taken.mt is not None
        if taken.fate is not TAKEN_BACK:
            taken.fate = self._subscribers.fate()
        if self.quirks.lose_receipts and self._random.random() < self.quirks.lose_receipts:
            return
        now = self._clock.now()
        operation = self.tongue.receipt(taken.submit, taken.receipt_id, taken.fate, self.quirks, now=now)
        self._queue_of_client(taken.mt.system_id).append(Job(operation, mt=taken.mt))

    def asked(self, esme: Esme, question: Operation) -> None:
        """A client asks what became of an MT."""
        tongue = self.tongue
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
            self._queue_of_client(esme.system_id).append(Job(told, told=True))

    def changed(self, esme: Esme, change: Operation) -> None:
        """A client takes back what it submitted, or changes one."""
        tongue = self.tongue
        cancels = type(change) in tongue.cancels
        self.counted.cancels += cancels
        self.counted.replaces += not cancels
        if self.quirks.changes != "made":
            esme.respond(change, tongue.refuse_change(change, self.quirks.changes))
            return
        name = tongue.named(change)
        among = self._fates.all() if name is None else self._fates.of(name)
        own = [one for one in among if one.mt is not None and one.mt.system_id == esme.system_id]
        meant = [one for one in own if one.is_open and tongue.means(change, one.submit, one.answer_id)]
        if name is not None:
            del meant[1:]  # The oldest: two of one second cannot be told apart.
        if not meant:
            esme.respond(change, tongue.refuse_change(change, "late" if own else "absent"))
            return
        response, told = tongue.made(change, meant)
        esme.respond(change, response)
        if told is not None:
            self._queue_of_client(esme.system_id).append(Job(told, told=True))
        for one in meant:
            self._take_back(one) if cancels else self._replace(one, change)

    def _take_back(self, taken: Remembered) -> None:
        self.counted.taken_back += 1
        taken.fate, taken.is_open = TAKEN_BACK, False
        if self.tongue.wants_cancelled(taken.submit):
            self._receipt(taken)

    def _replace(self, taken: Remembered, change: Operation) -> None:
        assert taken.mt is not None
        self.counted.changed += 1
        taken.submit = self.tongue.replaced(change, taken.submit)
        said = self.tongue.read(taken.submit)
        taken.wants_receipt, taken.mt.text, taken.mt.piece = said.wants_receipt, said.text, said.piece

    # --- What is due ----------------------------------------------------------------------------------

    def _send_due(self) -> None:
        """Receipts first."""
        now_ms = self._clock.monotonic_ms()
        for esme in list(self.esmes):
            next_of = self._next_receipt if self.calls and not isinstance(esme, Callee) else self._next_job
            for _ in range(esme.room(now_ms)):
                job = next_of(esme.system_id)
                if job is None:
                    break
                self._send(esme, job, now_ms)
                if not esme.is_bound:
                    break

    def _send(self, esme: Esme, job: Job, now_ms: int) -> None:
        esme.deliver(job)
        mo = job.mo
        if mo is None:
            return
        self._count_sent(mo)
        if mo.first_sent_ms < 0:
            mo.first_sent_ms = now_ms
        if self.quirks.cut_every:
            self._until_cut -= 1
            if self._until_cut <= 0:
                self._until_cut = self.quirks.cut_every
                esme.cut()

    # --- For tests ------------------------------------------------------------------------------------

    def remembered(self) -> list[Remembered]:
        """What it took, and what became of each."""
        return self._fates.all()

    def cut(self) -> None:
        """Cut every connection without a word."""
        for esme in list(self.esmes):
            esme.cut()
