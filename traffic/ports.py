"""What stands at both ends of the way: the links' side and the partners' side, as traffic sees them.

Delivery    one PDU of an operator with an MO (or a part of one): to be answered exactly once
Intake      what a link calls: traffic.accept is one
Line        a link that messages can be sent over: smsc_link.link has one
Asks        such a link, where its operator tells what became of a message; Obeys, where it takes back or changes one
TakeTurns   whoever goes on with a USSD session: traffic.ussd; ShowScreen writes the screen of a turn
Deliver     a dispatch method: partner_api.dispatch has them

Rule: everything here is called on the event loop's thread.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

from core.catalogue import Link, Operator
from core.clock import Instant
from core.message import Answer, Callback, Heard, Mt, Receipt, SubmitAnswer
from core.question import Finding, Ordered, Question
from core.sms.alphabet import Coding
from core.sms.parts import Piece
from core.ussd.session import Ways
from core.ussd.turn import Reply, Turn
from traffic.routes import Terms


@dataclass(slots=True)
class Delivery:
    """An MO, or one part of it, as it came over a link. `octets` is the user data without its header.

    `answer(heard)` writes the response; it returns False when the session is over and nothing can be written. A link
    whose session ends sets `lost` on every delivery of that session that it has not answered yet, before it lets any
    later delivery in.
    """

    link: Link
    operator: Operator
    source: str
    destination: str
    octets: bytes
    coding: Coding
    data_coding: int
    piece: Piece | None
    fingerprint: int
    key: str
    arrived_at: Instant
    arrived_ms: int
    answer: Callable[[Heard], bool]
    lost: bool = False
    stored_as: int = 0
    """The id of its message, or of the part that it is: known before it is answered that it is taken."""


class Intake(Protocol):
    """What a link calls with what its operator sends."""

    def deliver(self, delivery: Delivery) -> None:
        """Take an MO; it is answered when it is durable, or with LATER when it cannot be now."""
        ...

    def receipt(self, receipt: Receipt, answer: Callable[[Heard], bool]) -> None:
        """Take a receipt; answered when it is durable."""
        ...

    def session_ended(self, link: Link, *, clean: bool, at: Instant) -> None:
        """A session of the link is over. Not clean: answers of its last 60 s may not have arrived."""
        ...

    def unheard(self, delivery: Delivery) -> None:
        """Our answer that it is taken did not leave, and no session ends by that: it alone is in doubt."""
        ...

    def alarm(self, link: Link, sentence: str) -> None:
        """A person should look at the link. The sentence has no text and no number of a subscriber."""
        ...

    def line_opened(self, line: "Line") -> None:
        """The link is bound for sending: what waits for it may go."""
        ...

    def line_has_room(self, line: "Line") -> None:
        """Room appeared in a window that was full."""
        ...


class Line(Protocol):
    """A link as seen by who sends: bound or not, with so much room in its window."""

    @property
    def link(self) -> Link: ...

    @property
    def terms(self) -> Terms:
        """What goes over it before or beside other lines of its operator."""
        ...

    @property
    def only_answers(self) -> bool:
        """It carries replies to what waits on it, and nothing else: no other message is to choose it."""
        ...

    def awaits(self, mt: Mt) -> bool:
        """Whether what this message replies to waits on it. Asked of a line that only answers."""
        ...

    @property
    def is_open(self) -> bool:
        """Bound, and not about to unbind."""
        ...

    def room(self) -> int:
        """How many parts may be submitted right now (window and rate)."""
        ...

    @property
    def is_slowed(self) -> bool:
        """Its operator found it too fast, and its rate has not grown back; as of the last room()."""
        ...

    def write(self, mt: Mt, *, reference: int) -> Sequence[object]:
        """The operations that carry the message: one per part, in order. `reference` ties the parts together.

        They are for this line only. Raises ValueError for a text that has no form there.
        """
        ...

    def submit(self, operation: object) -> Awaitable[SubmitAnswer]:
        """Send one part now; there must be room. The result never raises: a lost session is an outcome."""
        ...


@runtime_checkable
class Asks(Line, Protocol):
    """A line that may ask what became of a message."""

    @property
    def asks_per_minute(self) -> int:
        """How many questions may go over it; 0: none, its operator does not answer them."""
        ...

    def ask(self, question: Question) -> Awaitable[Finding] | None:
        """Ask now, one at a time. The result never raises; None: not now, messages go first."""
        ...


@runtime_checkable
class Obeys(Line, Protocol):
    """A line that may ask something of a message that went over it: to take it back, to change it."""

    def obeys(self, order: type[Ordered]) -> bool:
        """Whether it can ask that; a link that only receives can nothing."""
        ...

    def order(self, ordered: Ordered) -> Awaitable[Finding] | None:
        """Ask now, one at a time. The result never raises; None: not now.

        Where the window is full `Intake.line_has_room` tells when; where another question is under way, or the link is
        about to unbind, nobody does: look again.
        """
        ...


ShowScreen: TypeAlias = Callable[[Reply | None], None]
"""Writes the screen of one turn, called once; None: there is none."""


class TakeTurns(Protocol):
    """What a link calls with a turn of a USSD session."""

    def take(self, turn: Turn, ways: Ways, show: ShowScreen) -> None:
        """Go on with its session; `show` is called when that is stored. `ways`: what its gateway can carry."""
        ...


Deliver: TypeAlias = Callable[[Callback], Awaitable[Answer]]
"""A dispatch method: calls the partner, keeps to the time-out, never raises."""
