"""What a payment provider is to us: the contract of partner_api/payments.

Provider       its settings, and what it can do: take top-ups (`read`, `pay`), send payouts (`payouts`)
Setting        a key of its section in the configuration
Notification   money that came in, as the provider tells it; Question, whether it may come; Refused, what is neither
Reply          the HTTP answer that the provider expects
HowToPay       where a partner pays: an address with fields, for a form or a link
Order, Sent    a payout as a provider gets it, and what it says of it; PayoutWay, how it is sent and asked about

What was paid may come back days later. Some providers know it and say RETURNED; the others end at PAID, and a person
says `payout returned`.

Rule: `read` is pure: the signature first, in constant time, then what is signed. `send` may be called again with the
same order: its key makes it the same payout to the provider for `repeat_ms`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Protocol, TypeAlias

from core.top_ups import Told

if TYPE_CHECKING:
    import aiohttp

Fields: TypeAlias = Mapping[str, str]
"""The fields of a notification's form: each name once."""
Settings: TypeAlias = Mapping[str, str]
"""A provider's section of the configuration, checked: every setting is there."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of a provider's section; without a default it must be given."""

    name: str
    meaning: str
    default: str | None = None
    is_secret: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer over HTTP."""

    status: int
    text: str = ""
    content_type: str = "text/plain"


@dataclass(frozen=True, slots=True)
class Notification:
    """Money came in; one that `is_test` moves nothing. `reply` is what the provider is told when it is durable."""

    told: Told
    reply: Reply
    is_test: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """Before it takes the money the provider asks whether the top-up is right: unsigned, and nothing moves. As anybody
    may ask, `no` says nothing of the top-up: neither what it is nor what is wrong.
    """

    told: Told
    yes: Reply
    no: Reply


@dataclass(frozen=True, slots=True)
class Refused:
    """No notification, or not the provider's: why, for the log."""

    reply: Reply
    why: str


Read: TypeAlias = Notification | Question | Refused


@dataclass(frozen=True, slots=True)
class HowToPay:
    """Where a partner pays; with the method GET the fields belong into the query."""

    method: str
    url: str
    fields: Mapping[str, str]


class Outcome(Enum):
    """What a provider says of a payout."""

    PAID = "paid"
    PENDING = "pending"
    """It has it, and will tell."""
    REFUSED = "refused"
    """It has not paid and never will."""
    RETURNED = "returned"
    """It has paid, and the money came back to our account there: for providers that know it (`returns_ms`)."""
    UNKNOWN = "unknown"
    """It may have it: ask again, with the same key."""


@dataclass(frozen=True, slots=True)
class Order:
    """A payout for a provider. `key` is ours, the same whenever it is sent again; `details` are of the target."""

    key: str
    number: int
    amount: int
    currency: str
    details: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sent:
    """`reference` is the provider's name of the payout, "" where it gave none; `sentence` says why. Not `heard`:
    there was no answer at all.
    """

    outcome: Outcome
    reference: str = ""
    sentence: str = ""
    heard: bool = True


ANSWER_S = 30
"""How long a provider may take for an answer."""


class PayoutWay(Protocol):
    """How payouts go to one provider. Neither call raises."""

    @property
    def repeat_ms(self) -> int:
        """For how long the provider knows a key."""
        ...

    @property
    def returns_ms(self) -> int:
        """For how long after it was paid the provider may still say that a payout came back, and is asked about it; 0
        where it never says so.
        """
        ...

    async def send(self, order: Order) -> Sent: ...
    async def ask(self, reference: str) -> Sent: ...


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider: what it cannot do is None."""

    settings: tuple[Setting, ...]
    currency: Callable[[Settings], str]
    read: Callable[[Fields, Settings], Read] | None = None
    pay: Callable[[int, int, Settings], HowToPay] | None = None
    """(the top-up's number, its amount in micros, settings) → where it is paid."""
    payouts: Callable[[Settings, "aiohttp.ClientSession"], PayoutWay] | None = None
    """The session keeps the time limit of a call (ANSWER_S)."""
    fault: Callable[[Settings], str] = field(default=lambda _: "")
    """What is wrong in settings that are all there, in a sentence that begins with the key; "" where nothing is."""
