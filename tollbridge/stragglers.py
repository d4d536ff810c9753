"""What came in by the old catalogue until this process had the new one, and waits for what is there now.

Stragglers   `read_version` also notes until when our catalogue was the present one; `rate`, after a new one was taken

Between a `load` and the moment at which a process has its catalogue lies up to a second. `load` has rated what waited
before it; a message without a tariff or a plan that comes in that second would wait until the next `load` or `close`.
Each process that decides about messages looks for them after it has taken the new catalogue: what it decided by the old
one is written by then. Of several that find the same message one rates it, under the message's lock.

Rule: the looking is a reader's work. Only where something is found does the writer rate it, so few at a time that what
comes in hardly waits. It never fails who calls it: what is not rated here is rated by the next `load` or `close`.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from sqlalchemy import Connection
from structlog import get_logger

from core.catalogue import Catalogue
from core.clock import MINUTE_MS, Clock
from core.errors import StoreError
from core.ids import first_id_at
from plumbing.threads import Runs
from store.backlog import find_stragglers, rate_stragglers
from store.desk import Desk
from store.snapshot import read_version

log = get_logger()

SLACK_MS = MINUTE_MS
"""An id is older than its message's commit, and clocks of hosts differ."""


class RunRead(Protocol):
    """Runs a blocking read on a thread, in a transaction of its own."""

    def __call__(self, function: Callable[[Connection], Any], /) -> Awaitable[Any]: ...


class Stragglers:
    """Of one process. `present` is its catalogue, `desk` books for it on the writer's thread."""

    def __init__(self, desk: Desk, present: Callable[[], Catalogue], clock: Clock, writer: Runs, read: RunRead) -> None:
        self._desk = desk
        self._present = present
        self._clock = clock
        self._writer = writer
        self._read = read
        self._present_at = clock.now()

    async def read_version(self) -> int:
        """The catalogue's version in the database. Raises StoreAway."""
        asked_at = self._clock.now()
        version: int = await self._read(read_version)
        if version == self._present().version:
            self._present_at = asked_at
        return version

    async def rate(self) -> None:
        """After a new catalogue was taken: what came by the old one, and can be rated now, is."""
        since, rated = first_id_at(self._present_at - SLACK_MS), 0
        try:
            # A batch may be under way that was decided by the old one.
            await self._writer.run(_nothing)
            catalogue = self._present()
            found = await self._read(lambda connection: find_stragglers(connection, catalogue, since))
            for some in found.pieces():
                rated += (await self._writer.run(rate_stragglers, self._desk, some)).messages
        except StoreError as error:
            log.warning("what came by the old catalogue waits", error=str(error), remedy="the next load or close")
        except Exception:
            log.exception("what came by the old catalogue cannot be rated")
        if rated:
            log.info("what came by the old catalogue is rated", messages=rated)


def _nothing() -> None:
    """Done when all before it is."""
