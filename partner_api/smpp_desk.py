"""Who serves partners once they are bound over SMPP.

Desk       what a PartnerSession calls: the plug for submit_sm → MT and for deliver_sm to partners
Visitor    what a desk sees of a session
NotServed  the desk until then: every request is refused for good, with the reason where the peer can read it

A desk answers each request once, at once or later; what it sends comes back as Answered or Unanswered, exactly once.

Decision: submit_sm, submit_multi and data_sm get ESME_RINVCMDID (0x03). It is permanent to every client we know, so
none repeats it for ever (0x08 and 0x58 would be), and every 3.4 client can read it: 0x101 ESME_RPROHIBITED is of 5.0,
and aiosmpplib breaks on it. query, cancel and replace get the failure of their own.

Source: SMPP 3.4, 5.1.3 and 5.3.2.11: additional_status_info_text in data_sm_resp only; SMPP 5.0 in every response.
"""

from typing import Protocol

from structlog import get_logger

from core.catalogue import Partner
from plumbing.metrics import Metrics
from wire.session import Answered, Unanswered
from wire.smpp import status as st
from wire.smpp.codec import response_to
from wire.smpp.operations import (
    CancelSm,
    DataSm,
    QuerySm,
    ReplaceSm,
    Request,
    Response,
    SubmitMulti,
    SubmitSm,
)
from wire.smpp.tlvs import ADDITIONAL_STATUS_INFO_TEXT, write_tlv

log = get_logger()

V3_4, V5_0 = 0x34, 0x50
WHY_NOT = "not served over SMPP yet; use the HTTP API"


class Visitor(Protocol):
    """A bound session, as a desk sees it."""

    @property
    def partner(self) -> Partner: ...

    @property
    def peer(self) -> str: ...

    @property
    def version(self) -> int:
        """interface_version of the bind: below 0x34 it reads no TLVs."""
        ...

    @property
    def receives(self) -> bool:
        """Bound as receiver or transceiver."""
        ...

    @property
    def is_bound(self) -> bool:
        """Bound, and not about to unbind."""
        ...

    def room(self) -> int:
        """How many deliver_sm may be sent now."""
        ...

    def answer(self, request: Request, response: Response) -> bool:
        """Answer a request; False when nobody waits for it any more."""
        ...

    def send(self, request: Request) -> None:
        """Send a request of ours; there must be room."""
        ...

    def unbind(self, reason: str) -> None:
        """End it in good manners."""
        ...


class Desk(Protocol):
    """Serves bound sessions."""

    serves: frozenset[type[Request]]
    """What it answers besides submit_sm: of data_sm, submit_multi, query, cancel, replace."""

    def bound(self, visitor: Visitor) -> None:
        """A session is bound; ended() follows."""
        ...

    def asked(self, visitor: Visitor, request: Request) -> None:
        """A request came; to be answered."""
        ...

    def told(self, visitor: Visitor, event: Answered | Unanswered) -> None:
        """What became of a request of ours."""
        ...

    def ended(self, visitor: Visitor) -> None:
        """The session is over: nothing can be said any more."""
        ...


_REFUSALS: dict[type[Request], int] = {
    SubmitSm: st.RINVCMDID,
    SubmitMulti: st.RINVCMDID,
    DataSm: st.RINVCMDID,
    QuerySm: st.RQUERYFAIL,
    CancelSm: st.RCANCELFAIL,
    ReplaceSm: st.RREPLACEFAIL,
}


class NotServed:
    """Refuses for good. The first refusal of a session is a line in the log, the others are counted."""

    serves: frozenset[type[Request]] = frozenset(_REFUSALS) - {SubmitSm}

    def __init__(self, metrics: Metrics) -> None:
        # All from the start: a rate needs the 0 before the first one.
        self._refused = {
            kind: metrics.counter(
                "tollbridge_smpp_requests_refused", "requests of SMPP partners that are not served", operation=kind.name
            )
            for kind in _REFUSALS
        }
        self._told: set[int] = set()

    def bound(self, visitor: Visitor) -> None:
        """Nothing is kept for it."""

    def asked(self, visitor: Visitor, request: Request) -> None:
        """No."""
        status = _REFUSALS[type(request)]
        since = V3_4 if type(request) is DataSm else V5_0
        text = (write_tlv(ADDITIONAL_STATUS_INFO_TEXT, WHY_NOT),) if visitor.version >= since else ()
        visitor.answer(request, response_to(request, status, tlvs=text))
        self._refused[type(request)].value += 1
        if id(visitor) not in self._told:
            self._told.add(id(visitor))
            log.warning(
                "smpp request refused: not served yet",
                partner=visitor.partner.login,
                peer=visitor.peer,
                operation=request.name,
                status=st.sentence(status),
            )

    def told(self, visitor: Visitor, event: Answered | Unanswered) -> None:
        """We send nothing but unbind and enquire_link."""

    def ended(self, visitor: Visitor) -> None:
        """Its log line may come again."""
        self._told.discard(id(visitor))
