"""What comes to its end by time alone: messages that nobody will hear of, rows past their age, postings to be folded.

Janitor   of one process
  sweep   MT that are overdue get their end: found by a look, ended by the journal, in the batcher's order
  look    receipts that wait beside a message of theirs, since another process wrote it in the same moment, find it
  prune   rows past their age go
  fold    postings are added to the folded sums, so that balances are read quickly

Each takes small steps, with a pause between them, so that a backlog of millions delays no message. Several processes
may do it at once: what one has done, or is doing, the others pass over.

Rule: who may still be moved by a receipt or an answer is ended by a fact, behind those that came before it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from structlog import get_logger

from core.clock import DAY_MS, HOUR_MS, SECOND_MS, Clock, Instant
from core.errors import StoreError
from plumbing.threads import Runs
from store.database import Database, is_conflict
from store.folding import fold_some
from store.journal import OverdueFact, StrandedFact
from store.journal.overdue import find_overdue
from store.journal.waiting import Place, find_stranded
from store.pruning import AGES, prune_some
from traffic.commit import Batcher

log = get_logger()

SWEEP_S = 30.0
SWEEP_MAX = 200
"""MT in one fact: their rows lengthen the batch by a few milliseconds."""
LOOK_S = 10.0
SETTLED_MS = 20 * SECOND_MS
"""What was under way when a receipt was kept has ended by then: no transaction waits for a lock so long."""
LOOKED_BACK_MS = DAY_MS
"""Of the receipts that wait when a process begins."""
PRUNE_S = 60.0
FOLD_S = 5.0
STEP_PAUSE_S = 0.02
TELL_REPEATS = ("identity", "in_doubt")


@dataclass(slots=True)
class Counted:
    """What ended by time, for the log."""

    expired: int = 0
    unknown: int = 0


class Janitor:
    """One process's. `ends_mts`: it has the role `links`, and so MT."""

    def __init__(
        self, batcher: Batcher, database: Database, readers: Runs, writer: Runs, clock: Clock, *, ends_mts: bool
    ) -> None:
        self._batcher = batcher
        self._database = database
        self._readers = readers
        self._writer = writer
        self._clock = clock
        self._begun = clock.now(), clock.monotonic_ms()
        self._ends_mts = ends_mts
        self._looked: Place = (clock.now() - LOOKED_BACK_MS, 0)

    async def run(self) -> None:
        """Do it all, again and again; cancel to end."""
        chores = [_every(PRUNE_S, self.prune), _every(FOLD_S, self.fold)]
        if self._ends_mts:
            chores += [_every(SWEEP_S, self.sweep), _every(LOOK_S, self.look)]
        await asyncio.gather(*chores)

    async def sweep(self) -> Counted:
        """Give every overdue MT its end; how many there were."""
        counted = Counted()
        while not self._batcher.away:
            now = self._clock.now()
            found = await self._readers.run(self._find, now)
            if not found:
                break
            fact = OverdueFact(found, now)
            await self._batcher.commit(fact)
            counted.expired += fact.expired
            counted.unknown += fact.unknown
            if len(found) < SWEEP_MAX or not fact.expired + fact.unknown:
                break
            await asyncio.sleep(STEP_PAUSE_S)
        if counted.expired:
            log.warning("messages were not sent while they were valid", expired=counted.expired)
        if counted.unknown:
            log.info("messages got no receipt within a day after their validity", unknown=counted.unknown)
        return counted

    def _find(self, now: int) -> list[int]:
        with self._database.read() as connection:
            return find_overdue(connection, now, SWEEP_MAX)

    async def look(self) -> int:
        """Look once at every receipt that was kept; how many were told once more."""
        told, is_over = 0, False
        while not is_over and not self._batcher.away:
            until = self._clock.now() - SETTLED_MS
            # A clock that was ahead has left a place that the present has not reached.
            behind = min(self._looked, (until, 0))
            ids, place, is_over = await self._readers.run(self._find_stranded, behind, until)
            if ids:
                await self._batcher.commit(StrandedFact(ids))
                told += len(ids)
            self._looked = place
            await asyncio.sleep(STEP_PAUSE_S)
        if told:
            log.info("receipts were kept beside their messages, and told again", receipts=told)
        return told

    def _find_stranded(self, behind: Place, until: Instant) -> tuple[list[int], Place, bool]:
        with self._database.read() as connection:
            return find_stranded(connection, behind, until)

    async def prune(self) -> None:
        """Remove every row that is past its age.

        A row that is so because the clock was set forward may be of just now. Where a repeat is told by it, it stays
        for an hour of our own, and then until it is past its age without the jump.
        """
        began_at, began_ms = self._begun
        alive_ms = self._clock.monotonic_ms() - began_ms
        now = min(self._clock.now(), began_at + alive_ms)
        for table in AGES:
            if table in TELL_REPEATS and alive_ms < HOUR_MS:
                continue
            while await self._writer.run(prune_some, self._database, table, now):
                await asyncio.sleep(STEP_PAUSE_S)

    async def fold(self) -> None:
        """Fold all postings that are settled."""
        while await self._writer.run(fold_some, self._database, self._clock.now()):
            await asyncio.sleep(STEP_PAUSE_S)


async def _every(seconds: float, chore: Callable[[], Awaitable[object]]) -> None:
    """A chore that failed is done the next time."""
    while True:
        try:
            await chore()
        except StoreError as error:
            log.debug("the database is away", chore=chore.__name__, error=str(error))
        except Exception as error:
            if is_conflict(error):
                log.debug("another transaction stood in the way", chore=chore.__name__)
            else:
                log.exception("a chore failed", chore=chore.__name__)
        await asyncio.sleep(seconds)
