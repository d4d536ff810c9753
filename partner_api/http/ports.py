"""What the partner API stands on: everything that it reads and does, handed in by the roof.

Ports         the catalogue, reads on a thread, the reply to an MO, health, metrics
ReplyResult   what became of a reply, as traffic.submit says it

Rule: no part of the API opens a database, a socket or a file by itself.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from core.catalogue import Catalogue, Partner
from store.life import Idempotency
from store.messages import Reader

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


@dataclass(frozen=True, slots=True)
class Ports:
    """All of it. `health` returns what GET /health says, at once and without waiting; its `status` is "ok" or not."""

    catalogue: Callable[[], Catalogue]
    run_read: RunRead
    reply: Reply
    health: Callable[[], Mapping[str, Any]]
    metrics: Callable[[], bytes]
