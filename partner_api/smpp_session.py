"""One connection of a partner's SMPP client, from connected to closed.

PartnerSession   owns the conversation: has its bind judged, hands requests to the desk, unbinds
House            what it asks of the server

Rule: what a peer sends before it is bound costs no more than its connection and one look at its password.
"""

import asyncio
from typing import Protocol

from structlog import get_logger

from core.catalogue import Partner
from partner_api.smpp_desk import V3_4, Desk
from partner_api.smpp_mishaps import Mishaps
from plumbing.conversation import Conversation
from plumbing.loop import spawn
from wire.session import Answered, Bound, Closed, Complaint, Event, Unanswered
from wire.smpp import status as st
from wire.smpp.codec import response_to
from wire.smpp.operations import Bind, BindTransmitter, Outbind, Request, Response, Unbind
from wire.smpp.session import SmppSession
from wire.smpp.states import BOUND, UNBOUND
from wire.smpp.tlvs import SC_INTERFACE_VERSION, write_tlv

log = get_logger()

OUR_NAME = "tollbridge"
"""system_id of our bind responses."""


class House(Protocol):
    """The server, as one of its connections sees it."""

    desk: Desk
    mishaps: Mishaps

    async def judge(self, session: "PartnerSession", bind: Bind) -> tuple[Partner | None, int]:
        """Who binds; None: he may not. And the status to refuse it with."""
        ...

    def spoke(self, session: "PartnerSession") -> None:
        """Its bind has arrived."""
        ...

    def bound(self, session: "PartnerSession") -> None: ...

    def closed(self, session: "PartnerSession", reason: str) -> None:
        """The conversation is over; the connection may still be there."""
        ...


class PartnerSession:
    """One connection. `number` is its own among all of this process."""

    def __init__(self, house: House, wire: SmppSession, *, number: int, peer: str, network: str) -> None:
        self.wire = wire
        self.number = number
        self.peer = peer
        self.network = network
        self.login = ""
        self.bind_name = ""
        self.version = V3_4
        self.receives = False
        self.is_over = False
        self._house = house
        self._partner: Partner | None = None
        self._conversation: Conversation | None = None
        self._judging: asyncio.Task[None] | None = None
        self._told_desk = False
        self._reason = ""

    # --- Visitor ------------------------------------------------------------------------------------

    @property
    def partner(self) -> Partner:
        """Who is bound, as the catalogue has it."""
        assert self._partner is not None
        return self._partner

    @property
    def is_bound(self) -> bool:
        """Bound, and not about to unbind."""
        return self.wire.state in BOUND

    def room(self) -> int:
        """How many deliver_sm may be sent now."""
        return self.wire.room if self.is_bound and self.receives else 0

    def answer(self, request: Request, response: Response) -> bool:
        """Answer a request; False when nobody waits for it any more."""
        if self._conversation is None or not self.wire.owes(request):
            return False
        self._conversation.answer(request, response)
        return True

    def send(self, request: Request) -> None:
        """Send a request of ours; there must be room."""
        assert self._conversation is not None
        self._conversation.send(request)

    def unbind(self, reason: str) -> None:
        """End it in good manners, if it is bound; said once."""
        if self.is_bound and self._conversation is not None:
            self._reason = reason
            self._conversation.send(Unbind())

    # --- The house ----------------------------------------------------------------------------------

    @property
    def is_unbound(self) -> bool:
        """Not bound yet."""
        return self.wire.state in UNBOUND

    def is_awaited(self, bind: Bind) -> bool:
        """Whether the bind can still be answered."""
        return not self.is_over and self.wire.owes(bind)

    def renew(self, partner: Partner) -> None:
        """The catalogue has a newer version of the same partner."""
        self._partner = partner

    def drop(self) -> None:
        """It is being cut: its bind need not be looked at any more."""
        if self._judging is not None:
            self._judging.cancel()

    # --- Owner: what the conversation calls ---------------------------------------------------------

    def opened(self, conversation: Conversation) -> None:
        """Connected; the client speaks first."""
        self._conversation = conversation

    def heard(self, events: list[Event]) -> None:
        """What came, in order."""
        for event in events:
            if isinstance(event, Bind):
                self._take_bind(event)
            elif isinstance(event, Request):
                self._serve(event)
            elif isinstance(event, Answered | Unanswered):
                if not isinstance(event.request, Unbind | Outbind):
                    self._tell_desk(event)
            elif isinstance(event, Bound):
                self._told_desk = True
                self._house.desk.bound(self)
            elif isinstance(event, Complaint):
                self._complain(event)
            elif isinstance(event, Closed):
                self._end(event.reason)

    def _serve(self, request: Request) -> None:
        """A mistake of ours on one operation is that one's: it may come again, and the session goes on."""
        try:
            self._house.desk.asked(self, request)
        except Exception as error:
            self._house.mishaps.happened(error, partner=self.login, peer=self.peer, what=request.name)
            self.answer(request, response_to(request, st.RSYSERR))

    def _tell_desk(self, event: Answered | Unanswered) -> None:
        try:
            self._house.desk.told(self, event)
        except Exception as error:
            what = f"{event.request.name}, {'answered' if isinstance(event, Answered) else 'unanswered'}"
            self._house.mishaps.happened(error, partner=self.login, peer=self.peer, what=what)

    def gone(self) -> None:
        """The connection is no more; it may never have got so far as to be opened."""
        if not self.is_over:
            self._end("the connection was lost")

    def _complain(self, event: Complaint) -> None:
        """The first that cannot be used of what the peer says; before it is bound anybody may say anything."""
        tell = log.warning if self._told_desk else log.info
        status = None if event.status is None else st.sentence(event.status)
        login = self.login if self._told_desk else ""
        tell(
            "smpp pdu refused",
            partner=login,
            peer=self.peer,
            command=event.operation,
            status=status,
            reason=event.reason,
        )

    # --- The bind -----------------------------------------------------------------------------------

    def _take_bind(self, bind: Bind) -> None:
        self.login = bind.system_id
        self.version = bind.interface_version
        self.bind_name = bind.name
        self._house.spoke(self)
        self._judging = spawn(self._judge(bind), name=f"smpp bind {self.peer}")

    async def _judge(self, bind: Bind) -> None:
        partner, status = await self._house.judge(self, bind)
        if self._conversation is None or not self.wire.owes(bind):
            return  # It hung up, or its time was over.
        if partner is None:
            self._conversation.answer(bind, response_to(bind, status, system_id=OUR_NAME))
            return
        self._partner = partner
        self.receives = not isinstance(bind, BindTransmitter)
        # A client of 3.3 reads no TLVs (sheet, section 10).
        tlvs = (write_tlv(SC_INTERFACE_VERSION, V3_4),) if self.version >= V3_4 else ()
        self._conversation.answer(bind, response_to(bind, system_id=OUR_NAME, tlvs=tlvs))
        self._house.bound(self)

    def _end(self, reason: str) -> None:
        self.is_over = True
        if self._told_desk:
            try:
                self._house.desk.ended(self)
            except Exception as error:
                # Its place is given back all the same.
                self._house.mishaps.happened(error, partner=self.login, peer=self.peer, what="end of the session")
        self._house.closed(self, self._reason or reason)
