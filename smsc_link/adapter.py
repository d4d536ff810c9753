"""What a link asks of a protocol: the contract of the files in protocols/.

Wording      how a protocol's texts are counted and read: all that is asked without a connection
Adapter      the pure mapping between a protocol's operations and our messages
Session      a wire session with what a link asks besides: room, throttled
Dialogue     a turn of a USSD session, with the Gateway that writes its screens
Errand       how a link asks something about a message: Inquiry, what became of it; others, by the kind of order
Ignored      what needs no more than its acknowledgement; Unreadable, what can never be taken, and which Fault it has
Refusal      why a bind failed

Numbers come and go through the link's `Numbers` (options.numbers_of), the same for every protocol: `inbound` reads the
sender of an MO and of a receipt, `outbound` writes the subscriber of an MT. The fingerprint of an MO is of what came.

Rule: an adapter has no socket, no clock and no state but what it precomputes of its link. read() never raises,
whatever a peer sent.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeAlias

from core.catalogue import Operator
from core.clock import Instant
from core.message import Heard, Mt, Receipt, SubmitAnswer
from core.question import Finding, Ordered, Question
from core.sms.alphabet import Coding
from core.ussd.session import Ways
from core.ussd.turn import Reply, Turn
from plumbing.conversation import Address
from traffic.ports import Delivery
from traffic.routes import Terms
from wire import session as wire
from wire.window import Allowance

Answer: TypeAlias = Callable[[Heard], bool]


@dataclass(frozen=True, slots=True)
class Ignored:
    """Acknowledged and counted, nothing more."""

    reason: str


class Fault(Enum):
    """What is wrong with a message that can never be taken."""

    MESSAGE = "message"
    SOURCE = "source"
    DESTINATION = "destination"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """It can never be taken: refused for good, and somebody should look."""

    reason: str
    fault: Fault = Fault.MESSAGE


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a bind failed. `for_good`: by what we said of ourselves, so trying soon would only lock the account."""

    sentence: str
    for_good: bool


class Gateway(Protocol):
    """How a link's gateway carries USSD."""

    @property
    def ways(self) -> Ways:
        """How long a screen may be, and a session."""
        ...

    def write(self, turn: Turn, reply: Reply) -> wire.Operation:
        """The screen of a turn."""
        ...

    def refused(self, turn: Turn, at: Instant) -> Turn:
        """The turn that says that the gateway did not take that screen."""
        ...


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A turn of a USSD session: answered at once; its screen is an operation of its own."""

    turn: Turn
    gateway: Gateway


@dataclass(frozen=True, slots=True)
class Silence:
    """More may come in an operation of the centre; what it means where nothing comes within `hear_s`."""

    finding: Finding
    hear_s: float


class Errand(Protocol):
    """How a link asks its operator something about a message. One question is under way at a time."""

    def write(self, question: Question) -> wire.Operation:
        """The question. Raises ValueError where it has no form here: an id that is none of this protocol's."""
        ...

    def read(self, question: Question, response: wire.Operation) -> Finding | Silence | None:
        """What the response to it says. None: the centre will say it in an operation of its own; Silence: it may."""
        ...

    def overhear(self, question: Question, operation: wire.Operation) -> Finding | None:
        """What an operation of the centre says to it; None: it is about something else.

        Asked while read() has said that such a one will come. It is answered with Heard.TAKEN and goes no further.
        """
        ...


class Inquiry(Errand, Protocol):
    """What became of a message."""

    @property
    def per_minute(self) -> int:
        """How many questions may be asked."""
        ...

    def read(self, question: Question, response: wire.Operation) -> Finding | None: ...


Inbound: TypeAlias = Delivery | Receipt | Dialogue | Ignored | Unreadable


class Session(wire.Session, Protocol):
    """A wire session that paces what we send, and counts what it did not hand on."""

    allowance: Allowance
    """The link's: it outlives the session."""

    @property
    def refused(self) -> int:
        """Requests that never reached its owner."""
        ...

    @property
    def ignored(self) -> int:
        """What could be neither used nor answered."""
        ...

    def room_at(self, now_ms: int) -> int:
        """How many requests may be sent at this time: by the state, the window and the rate."""
        ...

    def room_at_ms(self, now_ms: int) -> int:
        """When the rate lets the next request go: now_ms, or later."""
        ...

    def throttled(self, now_ms: int) -> None:
        """The peer finds us too fast."""
        ...


class Wording(Protocol):
    """What is asked of any protocol. Made by its `adapter` in PROTOCOLS; a ConfigError if options are wrong."""

    operator: Operator
    """May be exchanged for a newer version of the same operator."""

    @property
    def sends(self) -> bool:
        """Whether MT may go over this link."""
        ...

    @property
    def only_answers(self) -> bool:
        """What goes over it are replies to what waits on it, and nothing else."""
        ...

    @property
    def terms(self) -> Terms:
        """What goes over it before or beside other links of its operator."""
        ...

    def coding_of(self, data_coding: int) -> Coding:
        """How the text of an MO is to be read; for a part that was stored before its message was whole."""
        ...

    def parts_of(self, text: str) -> int:
        """How many SMS a text is over this link: what is counted, shown and paid. Raises TooLong."""
        ...


class Adapter(Wording, Protocol):
    """A protocol of sessions over a connection, as smsc_link.link uses it."""

    @property
    def address(self) -> Address:
        """Where to connect, and how."""
        ...

    @property
    def connect_timeout_s(self) -> float: ...

    @property
    def inquiry(self) -> Inquiry | None:
        """None: this link asks nothing; its operator does not offer it (the option `asks`)."""
        ...

    @property
    def errands(self) -> Mapping[type[Ordered], Errand]:
        """What the protocol has words for. Asked a second time of the same message, none of it does harm."""
        ...

    @property
    def ussd(self) -> Gateway | None:
        """None: this link carries none."""
        ...

    def session(self, now_ms: int) -> Session:
        """A fresh machine for a new connection."""
        ...

    def bind(self) -> wire.Operation | None:
        """What is said first. Its success is a Bound event, its failure an Answered one.

        None: the operator asks for nothing, and the session is Bound by itself.
        """
        ...

    def unbind(self) -> wire.Operation:
        """What is said last."""
        ...

    def refusal(self, response: wire.Operation) -> Refusal:
        """What a failed bind means."""
        ...

    def spelled(self, status: int) -> str:
        """How the protocol's documents write a status or error code, for people: 0x58, EC 04."""
        ...

    def read(self, operation: wire.Operation, now: Instant, now_ms: int, answer: Answer) -> Inbound:
        """What the operator handed to us. `answer` goes into the Delivery."""
        ...

    def answer(self, request: wire.Operation, heard: Heard, fault: Fault = Fault.MESSAGE) -> wire.Operation | None:
        """The response to what the operator handed to us; None where the protocol has none.

        `fault`: why it is NEVER taken, where the protocol has an error for that.
        """
        ...

    def write(self, mt: Mt, reference: int, now: Instant) -> Sequence[wire.Operation]:
        """The operations that carry a message, in order. Raises ValueError for a text that has no form here."""
        ...

    def submit_answer(self, response: wire.Operation) -> SubmitAnswer:
        """What the operator says to one of them."""
        ...

    def is_congested(self, response: wire.Operation) -> bool:
        """Whether the operator says with it that it has nearly all that it can carry: we slow down."""
        ...
