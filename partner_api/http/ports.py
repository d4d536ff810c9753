"""What the partner API stands on: everything that it reads and does, handed in by the roof.

Ports         the catalogue, reads on a thread, the reply to an MO, health, metrics
ReplyResult   what became of a reply, as traffic.submit says it
OrderLinks    what administrators want of links; OrderMessage, of a message: not to be delivered, or with another text
PaymentDesk   what partners pay in and ask for, and what payment providers tell

Rule: no part of the API opens a database, a socket or a file by itself.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from core.catalogue import Catalogue, Partner
from core.top_ups import Expected, Told
from partner_api.payments.contract import Settings
from store.life import Idempotency
from store.messages import Reader
from store.mt_orders import Given
from store.payments import Taken
from store.payouts import PayoutRow
from store.repeats import OnceOnly

T = TypeVar("T")


class ReplyResult(Protocol):
    """`outcome`: queued, not_found, already_answered, too_long. `mt_id` and `parts` are of the MT that is queued.

    `sentence` says in the last two cases what is wrong, "" for our own words.
    """

    @property
    def outcome(self) -> str: ...
    @property
    def mt_id(self) -> int: ...
    @property
    def parts(self) -> int: ...
    @property
    def sentence(self) -> str: ...


class RunRead(Protocol):
    """Runs a blocking read on a thread, in a transaction of its own. Raises StoreAway."""

    def __call__(self, function: Reader[T], /) -> Awaitable[T]: ...


class Reply(Protocol):
    """Queues the reply to a partner's own MO; durable when it returns. Raises StoreAway.

    `idempotency` is remembered in the same transaction (store.life.Idempotency).
    """

    def __call__(
        self, partner: Partner, mo_id: int, text: str, idempotency: Idempotency | None, /
    ) -> Awaitable[ReplyResult]: ...


class OrderLinks(Protocol):
    """Gives an order for a link by its name (store.link_orders): the ids of its rows. Raises UserMistake, StoreAway."""

    def __call__(self, name: str, kind: str, author: str, /) -> Awaitable[list[int]]: ...


class OrderMessage(Protocol):
    """Takes an MT back, or changes its text, by whom and why (store.mt_orders). Raises UserMistake, StoreAway."""

    def __call__(self, kind: str, mt_id: int, author: str, note: str, text: str, /) -> Awaitable[Given]: ...


class PaymentDesk(Protocol):
    """Payments that come in, and payouts; each is durable when it returns. Raises StoreAway."""

    @property
    def settings(self) -> Mapping[str, Settings]:
        """The providers that are set up, by name."""
        ...

    def begin(
        self, partner: Partner, provider: str, currency: str, amount: int, once: OnceOnly[int] | None, /
    ) -> Awaitable[int]:
        """The number of a new top-up."""
        ...

    def request_payout(
        self, partner: Partner, currency: str, amount: int | None, key: str, once: OnceOnly[PayoutRow] | None, /
    ) -> Awaitable[PayoutRow]:
        """The partner asks for its money. Raises UserMistake with why it cannot be."""
        ...

    def expected(self, number: int, /) -> Awaitable[Expected | None]:
        """The top-up of a number."""
        ...

    def take(self, told: Told, /) -> Awaitable[Taken]:
        """Book what a provider tells, once."""
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """All of it. `health` returns what GET /health says, at once and without waiting; its `status` is "ok" or not."""

    catalogue: Callable[[], Catalogue]
    run_read: RunRead
    reply: Reply
    health: Callable[[], Mapping[str, Any]]
    metrics: Callable[[], bytes]
    payments: PaymentDesk | None = None
    """None: no money moves here."""
    admin_key: str = ""
    """Empty: nobody is an administrator, and there is nothing for one."""
    order_links: OrderLinks | None = None
    order_message: OrderMessage | None = None
