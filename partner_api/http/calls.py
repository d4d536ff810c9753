"""A request that was let in, and the table of what can be asked.

Call        who asks, for what, with which body
Route       one call of the API; openapi.py describes it, app.py serves it
InFlight    requests under an Idempotency-Key that this process is carrying out

Rule: what serves a Call knows nothing of HTTP but the status that it answers with.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from pydantic import BaseModel

from core.catalogue import Partner
from core.clock import Clock
from partner_api.http.ports import Ports
from store.life import Idempotency, Remembered


class InFlight:
    """Followers of a request wait for its end and then look for its answer."""

    def __init__(self) -> None:
        self._ends: dict[tuple[int, str], asyncio.Event] = {}

    async def enter(self, place: tuple[int, str]) -> None:
        """Wait until nobody else carries out this key, and take it."""
        while (end := self._ends.get(place)) is not None:
            await end.wait()
        self._ends[place] = asyncio.Event()

    def leave(self, place: tuple[int, str]) -> None:
        """Let the next one in."""
        self._ends.pop(place).set()


@dataclass(frozen=True, slots=True)
class Call:
    """A request whose sender is known and whose body is sound."""

    ports: Ports
    clock: Clock
    partner: Partner
    path: Mapping[str, str]
    body: BaseModel | None
    in_flight: InFlight
    request_key: str = ""
    """Its Idempotency-Key, "" without one."""
    digest: str = ""

    def idempotency(self, answer: Callable[[int, int], Remembered]) -> Idempotency | None:
        """What to remember with the effect, None without a key."""
        return Idempotency(self.request_key, self.digest, answer) if self.request_key else None


Answered: TypeAlias = tuple[int, BaseModel]
"""Status and content."""


@dataclass(frozen=True, slots=True)
class Route:
    """One call of the API. `answers` are its statuses with their content; problems need not be named."""

    method: str
    path: str
    name: str
    summary: str
    serve: Callable[[Call], Awaitable[Answered]]
    answers: Mapping[int, Any]
    problems: tuple[int, ...] = ()
    body: type[BaseModel] | None = None
