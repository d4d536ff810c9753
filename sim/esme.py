"""One client of a pocket SMSC, from connected to closed.

Esme      owns the conversation: judges the bind, hands submissions in, sends what is due
Job       one deliver_sm on its way: a part of an MO, or a receipt
Centre    what it asks of the pocket SMSC

Rule: every job that was sent ends in exactly one of answered() and lost().
"""

from dataclasses import dataclass
from typing import Protocol

from plumbing.conversation import Conversation
from sim.records import SeenMt, SentMo
from wire.session import Answered, Bound, Closed, Event, Unanswered
from wire.smpp.codec import response_to
from wire.smpp.operations import Bind, BindTransmitter, DeliverSm, SubmitSm
from wire.smpp.session import SmppSession
from wire.smpp.tlvs import SC_INTERFACE_VERSION, write_tlv


@dataclass(slots=True)
class Job:
    """One deliver_sm. `mo` of an MO, `mt` of a receipt."""

    operation: DeliverSm
    mo: SentMo | None = None
    mt: SeenMt | None = None


class Centre(Protocol):
    """The pocket SMSC, as a client's session sees it."""

    def judge_bind(self, bind: Bind) -> int:
        """The status to answer."""
        ...

    def bound(self, esme: "Esme") -> None: ...

    def submitted(self, esme: "Esme", submit: SubmitSm) -> None:
        """A submission came; to be answered with esme.answer()."""
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

    def __init__(self, centre: Centre, wire: SmppSession, peer: str, system_id: str) -> None:
        self.wire = wire
        self.peer = peer
        self.system_id = ""
        self.receives = False
        self.is_bound = False
        self.conversation: Conversation | None = None
        self._centre = centre
        self._our_name = system_id
        self._flying: dict[int, Job] = {}

    def opened(self, conversation: Conversation) -> None:
        """Connected; the client speaks first."""
        self.conversation = conversation

    def heard(self, events: list[Event]) -> None:
        """What came, in order."""
        lost: list[Job] = []
        for event in events:
            if type(event) is Answered:
                job = self._flying.pop(id(event.request), None)
                if job is not None:
                    self._centre.answered(job, event.response.status)
            elif type(event) is SubmitSm:
                self._centre.submitted(self, event)
            elif type(event) is Unanswered:
                job = self._flying.pop(id(event.request), None)
                if job is not None:
                    lost.append(job)
            elif isinstance(event, Bind):
                self._judge(event)
            elif type(event) is Bound:
                self.is_bound = True
                self._centre.bound(self)
            elif type(event) is Closed:
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

    def answer(self, submit: SubmitSm, status: int, message_id: str) -> None:
        """Answer a submission, if the client is still there."""
        if self.conversation is not None and self.wire.owes(submit):
            values = {} if status else {"message_id": message_id}
            self.conversation.answer(submit, response_to(submit, status, **values))

    def cut(self) -> None:
        """End the connection without a word, when what was said has left."""
        if self.conversation is not None:
            self.conversation.flush()
            self.conversation.close()
        self.is_bound = False

    def _judge(self, bind: Bind) -> None:
        status = self._centre.judge_bind(bind)
        self.system_id = bind.system_id
        self.receives = not isinstance(bind, BindTransmitter)
        if self.conversation is None or not self.wire.owes(bind):
            return  # It hung up in the same breath.
        if status:
            self.conversation.answer(bind, response_to(bind, status, system_id=self._our_name))
            return
        tlvs = (write_tlv(SC_INTERFACE_VERSION, 0x34),)
        self.conversation.answer(bind, response_to(bind, system_id=self._our_name, tlvs=tlvs))
