"""What can be made durable: one dataclass per fact. The journal fills in what came of it.

MoFact        a whole MO: a repeat, or settled, rated, booked, with its job
PartFact      a part of a long MO that waits for the others
CallbackFact  what became of a call to a partner, with the reply
MtFact        a move of an MT: submitted, put back, failed …
NewMtFact     a new MT: a reply through the API, or one that somebody pays
ReceiptFact   what a message centre says became of an MT, unasked or asked
AskedFact     what else it said when it was asked: no end
OrderFact     what came of a person's word on an MT: not to be delivered, or with another text
DoubtFact     messages whose answer may not have arrived
SessionFact   a session ended without unbind: its last messages are in doubt
AlertFact     something that a person should see

Rule: a batch is written once; what its commit in doubt did write is asked for, never written again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Protocol, TypeAlias

from core.catalogue import Catalogue, Link
from core.clock import Instant
from core.ledger.entry import Charge
from core.message import Answer, Callback, Mo, Mt, MtKind, MtState, Receipt, Settlement
from core.sms.parts import Piece
from store.life import Idempotency


class CallbackState(IntEnum):
    """States of a job. The numbers are stored."""

    WAITING = 0
    ANSWERED = 1
    LATER = 2
    REFUSED = 3
    DEAD = 4

    @property
    def public(self) -> str:
        """The word for people."""
        return self.name.lower()


class Awaited(Protocol):
    """A delivery that its operator wants answered; `lost`: its session is over, so that no answer can arrive.

    `arrived_ms` is by the clock that never jumps.
    """

    arrived_ms: int
    lost: bool


@dataclass(slots=True)
class MoFact:
    """A whole MO. `joined` are the parts (ids) that are used up by it; `delivery` is the one to be answered."""

    mo: Mo
    link: Link
    delivery: Awaited | None = None
    joined: tuple[int, ...] = ()
    repeat_of: int = 0
    why: str = ""
    settlement: Settlement | None = None
    charges: list[Charge] = field(default_factory=list)
    job: Callback | None = None
    reply: Mt | None = None
    doubted: bool = False
    """It was written down as in doubt with its own commit."""
    original_waits: bool = False
    """Its last part is a repeat of one that still waits for the others."""

    @property
    def id(self) -> int:
        return self.mo.id

    @property
    def operator_id(self) -> int:
        return self.mo.operator.id

    @property
    def fingerprint(self) -> int:
        return self.mo.fingerprint

    @property
    def key(self) -> str:
        return self.mo.key

    @property
    def arrived_at(self) -> Instant:
        return self.mo.accepted_at


@dataclass(slots=True)
class PartFact:
    """A part that waits for the others."""

    id: int
    link: Link
    operator_id: int
    source: str
    destination: str
    piece: Piece
    octets: bytes
    data_coding: int
    fingerprint: int
    arrived_at: Instant
    key: str = ""
    delivery: Awaited | None = None
    repeat_of: int = 0
    why: str = ""
    doubted: bool = False
    original_waits: bool = False
    """It is a repeat of a part that still waits for the others."""


@dataclass(slots=True)
class RepeatFact:
    """A delivery that is a repeat by itself, without asking the database: a part that is here already."""

    id: int
    link: Link
    operator_id: int
    repeat_of: int
    fingerprint: int
    arrived_at: Instant
    why: str


@dataclass(slots=True)
class CallbackFact:
    """What became of one call. `due_at` None: nothing is left to do. `stored` says that `reply` became durable."""

    callback: Callback
    answer: Answer
    state: CallbackState
    tried_at: Instant
    due_at: Instant | None = None
    reply: Mt | None = None
    stored: bool = False


@dataclass(slots=True)
class MtFact:
    """A move of an MT. `parts` are (sequence, the operator's id, state) when there are several."""

    mt: Mt
    new: MtState
    at: Instant
    due_at: Instant | None = None
    error: str = ""
    parts: Sequence[tuple[int, str, MtState]] = ()
    old: MtState | None = None
    """The state before; filled in by the first write, so that a second one writes the same."""
    became: MtState = MtState.QUEUED
    """The state after the commit: a receipt that had come before may have moved it on."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A move of an MT as whoever wrote it saw it: what money asks for.

    `gave_up`: it is unknown for so long that a premium one is not paid any more.
    """

    mt_id: int
    old: MtState
    new: MtState
    at: Instant
    kind: MtKind
    operator_id: int
    gave_up: bool = False


@dataclass(slots=True)
class OverdueFact:
    """MT whose time was over at `at`, as a look into the database said. Those that moved since stay as they are."""

    mt_ids: Sequence[int]
    at: Instant
    expired: int = 0
    """How many of them were never sent; filled in by the write, as `unknown` is."""
    unknown: int = 0
    """How many of them were sent, or may have been, and got no receipt."""


@dataclass(slots=True)
class StrandedFact:
    """Receipts that wait, by the ids of their rows, beside a message of theirs, as a look into the database said."""

    ids: Sequence[int]


@dataclass(slots=True)
class NewMtFact:
    """A new MT: a reply through the API, or one that somebody pays.

    `existing` is the id of the reply that was there before (0: this one is it); `refused` why it is not sent.
    """

    mt: Mt
    idempotency: Idempotency | None = None
    existing: int = 0
    refused: str = ""


@dataclass(slots=True)
class ReceiptFact:
    """A receipt. `mt_id` 0: it belongs to nothing we know yet and is kept.

    `asked`: it is what the centre said when it was asked for this MT, and is about no other; 0: it came unasked.
    """

    receipt: Receipt
    mt_id: int = 0
    asked: int = 0


@dataclass(slots=True)
class AskedFact:
    """A message centre was asked for an MT, and what it said is no end. `is_last`: it is not asked again."""

    mt_id: int
    sentence: str
    at: Instant
    is_last: bool = False


class OrderHow(Enum):
    """How something was done about an order, or why not."""

    QUEUED = "queued"
    """Its MT waits in the database, or has its end."""
    HELD = "held"
    """Its MT waited in this process, and does so no more."""
    ASKED = "asked"
    """Its centre was asked."""
    UNASKED = "unasked"
    """Its link went down, or had no room: its centre is to be asked again, and that does not count."""
    NOT = "not"
    """It cannot be: the fact's sentence says why."""


@dataclass(slots=True)
class OrderFact:
    """What came of a person's word on an MT, a row of `mt_order`, whose kind says what is wanted.

    `parts`: of each that its centre was asked for, its sequence (0: there is one) and whether it did what was asked;
    `sentence`: what was said of those that it did not. `again_at`: the centre is asked again then; None: no more.
    `maybe_twice`: nobody knows what became of an earlier submission of what this process held. `in_doubt`: something
    got no answer, so the centre may have done it.
    """

    order_id: int
    mt_id: int
    at: Instant
    how: OrderHow
    parts: Sequence[tuple[int, bool]] = ()
    sentence: str = ""
    again_at: Instant | None = None
    maybe_twice: bool = False
    in_doubt: bool = False
    outcome: str = ""
    """Done, failed or unknown; filled in by the write, as `result` is. Empty: it is not over."""
    result: str = ""


@dataclass(slots=True)
class DoubtFact:
    """Messages or parts whose answer may not have arrived: (operator id, fingerprint, id) each."""

    messages: Sequence[tuple[int, int, int]]
    reason: str
    at: Instant


@dataclass(slots=True)
class SessionFact:
    """A session of a link of ours ended without unbind: what it accepted, from the id `first` on, is in doubt."""

    link_id: int
    first: int
    at: Instant


@dataclass(slots=True)
class AlertFact:
    """Something that a person should see."""

    kind: str
    subject: str
    sentence: str
    at: Instant
    message_id: int = 0


Fact: TypeAlias = (
    MoFact
    | PartFact
    | RepeatFact
    | CallbackFact
    | MtFact
    | OverdueFact
    | NewMtFact
    | ReceiptFact
    | StrandedFact
    | AskedFact
    | OrderFact
    | DoubtFact
    | SessionFact
    | AlertFact
)


class Decider(Protocol):
    """Decides messages inside the transaction, when repeats are told and before rating. Pure but for counting."""

    def decide(self, facts: Sequence[MoFact]) -> Catalogue:
        """Fill in `settlement`, `reply` of each fact, in order; return the catalogue that they are rated by."""
        ...

    def catalogue(self) -> Catalogue:
        """The present one: what outgoing SMS are priced by."""
        ...

    def job(self, fact: MoFact) -> Callback | None:
        """The call to the partner, when there is one; after rating."""
        ...

    def is_crowded(self, partner_id: int) -> bool:
        """Too many jobs of this partner are in memory: a new one stays in the database."""
        ...

    def probe(self) -> None:
        """Raises StoreAway while what it counts with cannot be reached."""
        ...

    def take_back(self, message_ids: Sequence[int]) -> None:
        """The batch failed: forget what was counted for these."""
        ...

    def keep(self, message_ids: Sequence[int]) -> None:
        """The batch is durable: what was counted for these stays."""
        ...
