"""Queued MT of the database, fetched for whoever sends them: retries, replies of other processes, those of dead ones.

Fetcher   run() looks every half second, and at once when ring() says that a line is up

Rule: nobody else looks, so no error ends the looking.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from structlog import get_logger

from core.errors import StoreError
from core.message import Mt, TrafficClass

log = get_logger()

FETCH_MAX = 200
POLL_S = 0.5


class DueMts(Protocol):
    """store.outbox, as we use it: takes queued MT of each class, of those operators; runs off the loop."""

    def __call__(self, limit: int, wanted: Mapping[TrafficClass, Sequence[int]]) -> Awaitable[list[Mt]]: ...


class Fetcher:
    """Of one process. `wanted`: of each class, the operators whose MT can be sent now; `offer` is given what came."""

    def __init__(
        self,
        due: DueMts,
        *,
        wanted: Callable[[], Mapping[TrafficClass, Sequence[int]]],
        offer: Callable[[Mt], None],
    ) -> None:
        self._due = due
        self._wanted = wanted
        self._offer = offer
        self._bell = asyncio.Event()
        self._stopping = False

    def ring(self) -> None:
        """Look at once."""
        self._bell.set()

    def stop(self) -> None:
        """Look no more."""
        self._stopping = True
        self._bell.set()

    async def run(self) -> None:
        """Fetch for ever; cancel to end."""
        while not self._stopping:
            # Cleared before the database is asked: a link that is bound meanwhile rings for another look.
            self._bell.clear()
            taken = await self.fetch()
            for mt in taken:
                self._offer(mt)
            if len(taken) < FETCH_MAX:
                try:
                    await asyncio.wait_for(self._bell.wait(), POLL_S)
                except TimeoutError:
                    pass

    async def fetch(self) -> list[Mt]:
        """Take what is due now."""
        wanted = self._wanted()
        if not wanted:
            return []
        try:
            return await self._due(FETCH_MAX, wanted)
        except StoreError as error:
            log.warning("queued messages cannot be read", error=str(error))
        except Exception:
            # A deadlock, say.
            log.exception("queued messages cannot be read")
        return []
