"""One client of a pocket SMSC, from connected to closed.

Esme      owns the conversation: judges the bind, hands submissions in, sends what is due
Job       one operation on its way: a part of an MO, or a receipt
Centre    what it asks of the pocket SMSC

Rule: every job that was sent ends in exactly one of answered() and lost().
"""

from dataclasses import dataclass
from typing import Protocol

from plumbing.conversation import Conversation
from sim.quirks import Quirks
from sim.records import SeenMt, SentMo
from sim.tongue import Login, Session, Tongue
from wire.session import Answered, Bound, Closed, Event, Operation, Unanswered


@dataclass(slots=True)
class Job:
    """One operation of ours. `mo` of an MO, `mt` of a receipt; `dialled`, a turn of a USSD session; `told`, what is
    said to a question or a cancel behind its response.
    """

    operation: Operation
    mo: SentMo | None = None
    mt: SeenMt | None = None
    dialled: bool = False
    told: bool = False


class Centre(Protocol):
    """The pocket SMSC, as a client's session sees it."""

    tongue: Tongue

    def judge_bind(self, login: Login) -> int:
        """The status to answer."""
        ...

    def bound(self, esme: "Esme") -> None: ...

    def submitted(self, esme: "Esme", submit: Operation) -> None:
        """A submission came; to be answered with esme.answer()."""
        ...

    def asked(self, esme: "Esme", question: Operation) -> None:
        """A question what became of a submission came; to be answered with esme.respond()."""
        ...

    def changed(self, esme: "Esme", change: Operation) -> None:
        """A client takes submissions back, or changes one; to be answered with esme.respond()."""
        ...

    def answered(self, job: Job, status: int) -> None: ...

    def lost(self, jobs: list[Job]) -> None:
        """No answer will come to these."""
        ...

    def closed(self, esme: "Esme") -> None: ...

    def stirred(self) -> None:
        """Something happened: send what may go now."""
        ...


class Esme:
    """A client."""

    def __init__(self, centre: Centre, wire: Session, peer: str, quirks: Quirks) -> None:
        self.wire = wire
        self.peer = peer
        self.system_id = ""
        self.receives = not quirks.login
        self.is_bound = False
        self.conversation: Conversation | None = None
        self._centre = centre
        self._quirks = quirks
        tongue = centre.tongue
        self._tongue = tongue
        self._submissions, self._logins, self._status_of = tongue.submissions, tongue.logins, tongue.status_of
        self._questions, self._changes = tongue.questions, tongue.cancels | tongue.replaces
        self._flying: dict[int, Job] = {}

    def opened(self, conversation: Conversation) -> None:
        """Connected; the client speaks first."""
        self.conversation = conversation

    def heard(self, events: list[Event]) -> None:
        """What came, in order."""
        lost: list[Job] = []
        for event in events:
            kind = type(event)
            if kind is Answered:
                job = self._flying.pop(id(event.request), None)  # type: ignore[attr-defined]
                if job is not None:
                    self._centre.answered(job, self._status_of(event.response))  # type: ignore[attr-defined]
            elif kind in self._submissions:
                self._centre.submitted(self, event)
            elif kind is Unanswered:
                job = self._flying.pop(id(event.request), None)  # type: ignore[attr-defined]
                if job is not None:
                    lost.append(job)
            elif kind in self._questions:
                self._centre.asked(self, event)
            elif kind in self._changes:
                self._centre.changed(self, event)
            elif kind in self._logins:
                self._judge(event)
            elif kind is Bound:
                self.is_bound = True
                self._centre.bound(self)
            elif kind is Closed:
                self.is_bound = False
                self._centre.closed(self)
        if lost:
            self._centre.lost(lost)
        self._centre.stirred()

    def room(self, now_ms: int) -> int:
        """How many jobs may be sent now."""
        return self.wire.room_at(now_ms) if self.is_bound and self.receives else 0

    def deliver(self, job: Job) -> None:
        """Send one; there must be room."""
        assert self.conversation is not None
        self.conversation.send(job.operation)
        self._flying[id(job.operation)] = job

    def answer(self, submit: Operation, status: int, message_id: str) -> None:
        """Answer a submission, if the client is still there."""
        if self.conversation is not None and self.wire.owes(submit):
            self.conversation.answer(submit, self._tongue.answer(submit, status, message_id))

    def respond(self, question: Operation, response: Operation) -> None:
        """Answer a question or a change, if the client is still there."""
        if self.conversation is not None and self.wire.owes(question):
            self.conversation.answer(question, response)

    def cut(self) -> None:
        """End the connection without a word, when what was said has left."""
        if self.conversation is not None:
            self.conversation.flush()
            self.conversation.close()
        self.is_bound = False

    def _judge(self, bind: Operation) -> None:
        login = self._tongue.read_login(bind)
        status = self._centre.judge_bind(login)
        self.system_id = login.system_id
        self.receives = login.receives
        if self.conversation is None or not self.wire.owes(bind):
            return  # It hung up in the same breath.
        self.conversation.answer(bind, self._tongue.answer_login(bind, status, self._quirks))
