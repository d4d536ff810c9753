"""Messages: what a subscriber sent, what became of it, what goes back.

Mo           a premium SMS as an operator's link delivered it
Route        the service that it is for; Unrouted, why there is none
Verdict      what fraud says
Settlement   all that is decided about one MO before it is rated
Mt, MtState  a message to a subscriber, who pays it (MtKind), what it goes before (TrafficClass), its states and the
             moves allowed (reliability.md, 5)
Receipt      what a message centre says became of an MT

Rule: values only; who decides is router, fraud and traffic.
"""

from dataclasses import dataclass, field
from enum import Enum, IntEnum

from core.catalogue import Operator, Prefix, Service
from core.clock import Instant
from core.msisdn import mask


@dataclass(slots=True)
class Mo:
    """A premium SMS that arrived whole: joined from its parts, its text decoded.

    `id` is ours; `key` is the operator's own identity of the message, "" where it gives none; `fingerprint` is the
    64-bit signed hash by which a redelivery is known (reliability.md, section 3).
    """

    id: int
    link: str
    link_id: int
    operator: Operator
    source: str
    short_code: str
    text: str
    parts: int
    accepted_at: Instant
    fingerprint: int
    key: str = ""
    data_coding: int = 0
    complete: bool = True
    """False when parts are missing: accepted at the time-out with what came."""
    test: bool = False


class Missing(Enum):
    """Why an MO leads to no service."""

    NO_SHORT_CODE = "no_short_code"
    NO_PREFIX = "no_prefix"
    NO_NUMBER = "no_number"
    """Its sender is a word, or nobody: no partner could answer it."""


@dataclass(frozen=True, slots=True)
class Route:
    """The service of an MO. `body` is the text behind the prefix, without the space between."""

    service: Service
    prefix: Prefix
    body: str


@dataclass(frozen=True, slots=True)
class Unrouted:
    """No service; `reply` is what the short code answers to what matches nothing."""

    reason: Missing
    reply: str = ""


class Action(IntEnum):
    """What a rule does with a message, from mild to strict."""

    PASS = 0
    ALERT = 1
    HOLD = 2
    REJECT = 3


@dataclass(frozen=True, slots=True)
class Alert:
    """One rule that spoke: its name, what it did, and the sentence for a person."""

    rule: str
    action: Action
    reason: str
    limit_id: int = 0
    scope: str = ""
    window: str = ""
    """The name of the window that is full; "" where nothing was counted."""
    window_ms: int = 0

    @property
    def asks_a_person(self) -> bool:
        """Somebody should look. A refusal needs nobody: the message has it, and the counts."""
        return self.action in {Action.ALERT, Action.HOLD}

    @property
    def subject(self) -> str:
        """What is watched: `limit 3, subscriber 7900***33`; the rule's name where nothing is counted."""
        if not self.window:
            return self.rule
        key = self.window.partition(":")[2]
        if self.scope == "subscriber":
            number, colon, currency = key.partition(":")
            key = f"{mask(number)}{colon}{currency}"
        return f"{self.rule} {self.limit_id}, {self.scope.replace('_', ' ')} {key}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What fraud says of one message: the strictest action, and every rule that spoke."""

    action: Action = Action.PASS
    alerts: tuple[Alert, ...] = ()

    @property
    def refuses(self) -> bool:
        """The message does not reach its partner."""
        return self.action is Action.REJECT

    @property
    def holds(self) -> bool:
        """The message goes its way; what the partner earns by it is withheld."""
        return self.action is Action.HOLD

    @property
    def reason(self) -> str:
        """The sentence of the rule that decided, "" when all passed."""
        for alert in self.alerts:
            if alert.action is self.action:
                return alert.reason
        return ""


PASSED = Verdict()


@dataclass(slots=True)
class Settlement:
    """What is decided about one MO: where it goes, what fraud says. `route` None: to suspense, because of `reason`."""

    mo: Mo
    route: Route | None
    verdict: Verdict = PASSED
    reason: str = ""
    """"" when it goes to its partner; no_number, no_short_code, no_prefix, refused otherwise."""
    reply: str = ""
    """Our own answer when no partner gives one."""

    @property
    def dispatched(self) -> bool:
        """A partner is called."""
        return self.route is not None and not self.reason


class MtState(IntEnum):
    """States of an MT. The numbers are stored."""

    QUEUED = 0
    SUBMITTING = 1
    SUBMITTED = 2
    DELIVERED = 3
    FAILED = 4
    EXPIRED = 5
    UNKNOWN = 6
    REJECTED = 7
    CANCELLED = 8

    @property
    def public(self) -> str:
        """The word of interfaces.md 5: `submitting` is still `queued` to the outside."""
        return "queued" if self is MtState.SUBMITTING else self.name.lower()

    @property
    def is_final(self) -> bool:
        """It was settled. Few moves lead out of it: a late receipt, or that an operator took it back."""
        return self > MtState.SUBMITTED


WITH_CENTRE = (MtState.SUBMITTED, MtState.UNKNOWN)
"""Its centre has it, or may have it: what became of it is open."""

MOVES: dict[MtState, frozenset[MtState]] = {
    MtState.QUEUED: frozenset(
        {MtState.SUBMITTING, MtState.REJECTED, MtState.CANCELLED, MtState.EXPIRED, MtState.FAILED}
    ),
    MtState.SUBMITTING: frozenset(
        {MtState.QUEUED, MtState.SUBMITTED, MtState.FAILED, MtState.EXPIRED, MtState.UNKNOWN, MtState.DELIVERED}
        | {MtState.CANCELLED}
    ),
    MtState.SUBMITTED: frozenset(
        {MtState.DELIVERED, MtState.FAILED, MtState.EXPIRED, MtState.UNKNOWN, MtState.CANCELLED}
    ),
    MtState.UNKNOWN: frozenset({MtState.DELIVERED, MtState.FAILED, MtState.EXPIRED, MtState.CANCELLED}),
    MtState.DELIVERED: frozenset(),
    MtState.FAILED: frozenset({MtState.CANCELLED}),
    MtState.EXPIRED: frozenset(),
    MtState.REJECTED: frozenset(),
    MtState.CANCELLED: frozenset({MtState.DELIVERED}),
}
"""From a state to those it may become. A receipt may come before the submit answer: SUBMITTING → DELIVERED.

A centre that took a message back says so, and may say by a receipt that it was deleted, before or behind it: both in
one is CANCELLED. When it says later that the subscriber has it, it was too late, and its word on what happened stands
above its word on what it would do. Any other receipt then only says once more that it did not arrive.
"""


def may_move(old: MtState, new: MtState) -> bool:
    """Whether the table has the move; anything else is an error in the log, never a state."""
    return new in MOVES[old]


class TrafficClass(IntEnum):
    """What goes first where not everything can go at once. The numbers are stored."""

    REPLY = 0
    """Answers to subscribers who wait for them, and notices of our own."""
    MESSAGE = 1
    """Single messages of partners."""
    BULK = 2
    """Campaigns."""


class MtKind(IntEnum):
    """Who pays for an outgoing SMS. The numbers are stored."""

    FREE = 0
    STANDARD = 1
    """Its partner."""
    PREMIUM = 2
    """The subscriber."""


@dataclass(slots=True)
class Mt:
    """A message to a subscriber. `reply_to` is the MO's id of a free reply, 0 otherwise.

    `price` (micros) is what is reserved for one that its partner pays, by its plan's version, when so many parts had
    been counted in the month before it.
    """

    id: int
    link: str
    link_id: int
    operator_id: int
    source: str
    destination: str
    text: str
    parts: int
    created_at: Instant
    reply_to: int = 0
    partner_id: int = 0
    state: MtState = MtState.QUEUED
    valid_until: Instant = 0
    attempt: int = 0
    maybe_twice: bool = False
    keys: list[str] = field(default_factory=list)
    """The operator's ids of the parts, as they are matched with receipts."""
    kind: MtKind = MtKind.FREE
    price: int = 0
    currency: str = ""
    plan_version_id: int = 0
    parts_before: int = 0
    traffic: TrafficClass = TrafficClass.REPLY

    def is_over(self, at: Instant) -> bool:
        """Whether its validity has ended then; `valid_until` 0: it has no end."""
        return 0 < self.valid_until <= at


class ReceiptState(Enum):
    """What a message centre says; `None` states of `MtState` are not final."""

    ON_ITS_WAY = "on_its_way"
    DELIVERED = "delivered"
    EXPIRED = "expired"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class Receipt:
    """A delivery receipt, read by its protocol: `keys` are the spellings under which the MT's id may be stored."""

    link: str
    link_id: int
    operator_id: int
    keys: tuple[str, ...]
    state: ReceiptState
    word: str
    error: str
    source: str
    destination: str
    arrived_at: Instant


class Heard(Enum):
    """What the operator is told of an MO or a receipt that it handed to us."""

    TAKEN = "taken"
    """Durable: the centre may forget it."""
    LATER = "later"
    """A temporary error: the centre keeps it and tries again."""
    NEVER = "never"
    """It can never be taken (it cannot be read): the centre gives up."""


class SubmitOutcome(Enum):
    """What a message centre said to a submission of one part."""

    ACCEPTED = "accepted"
    THROTTLED = "throttled"
    TEMPORARY = "temporary"
    PERMANENT = "permanent"
    UNANSWERED = "unanswered"
    """No answer within the time-out, or the session ended: it may have been accepted."""
    UNSENT = "unsent"
    """It surely did not leave: the session ended before it was written."""


@dataclass(slots=True)
class SubmitAnswer:
    """The answer to one part: `key` is the operator's id as receipts will be matched, `code` its own error code."""

    outcome: SubmitOutcome
    key: str = ""
    code: int = 0
    sentence: str = ""


@dataclass(slots=True)
class Callback:
    """One call to a partner about one MO (interfaces.md, section 4). Amounts in micros."""

    mo_id: int
    partner_id: int
    partner: str
    service: Service
    attempt: int
    source: str
    short_code: str
    prefix: str
    text: str
    body: str
    operator: str
    country: str
    price: int
    share: int
    currency: str
    accepted_at: Instant
    parts: int
    test: bool = False
    link: str = ""
    link_id: int = 0
    """The link that the MO came by: its answer goes back the same way."""
    again_at: Instant = 0
    """When a person had it called again, after it was given up; 0: never."""
    attempts_before: int = 0
    """Those before that."""

    @property
    def tried_since(self) -> Instant:
        """Its time to be called in begins here."""
        return self.again_at or self.accepted_at


class Outcome(Enum):
    """What a partner's answer means."""

    ANSWERED = "answered"
    """Done; `reply` goes to the subscriber, "" sends nothing."""
    LATER = "later"
    """Taken; the reply comes through the API."""
    REFUSED = "refused"
    """A final refusal: the service's default reply is sent."""
    AGAIN = "again"
    """A failure that may pass: tried again."""


@dataclass(slots=True)
class Answer:
    """A partner's answer to a callback, with what is stored of the attempt. `status` 0: there was no HTTP answer."""

    outcome: Outcome
    reply: str = ""
    sender: str = ""
    status: int = 0
    error: str = ""
    url: str = ""
    excerpt: str = ""
    latency_ms: int = 0
    retry_after_s: int = 0
    key_id: str = ""
    """Tells the secret that signed the call; "" when none did."""
