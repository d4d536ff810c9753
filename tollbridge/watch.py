"""What a process does beside the messages: it shows that it lives, buries the dead, notices a new catalogue, prunes.

Heartbeat         every 2 s: our own beat, the burial of others, the states of our links
watch_catalogue   a new version is in force within 1 s
prune             what has an age limit goes

Rule: nothing here ends by an error: a process without a heartbeat would be taken for dead while it works.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from structlog import get_logger

from core.catalogue import Catalogue
from core.clock import Clock
from core.errors import StoreError
from plumbing.threads import Runs
from smsc_link.links import Links
from store import processes
from store.database import Database

log = get_logger()

WATCH_S = 0.5
"""How often a new version of the catalogue is looked for: it must be in force within 1 s."""
BEAT_S = 2.0
PRUNE_S = 600.0

Take: TypeAlias = Callable[[], Awaitable[None]]


@dataclass
class Heartbeat:
    """The heartbeat of one process."""

    process_id: int
    database: Database
    writer: Runs
    clock: Clock
    links: Links
    catalogue: Callable[[], Catalogue]
    on_burial: Callable[[], None]
    """Work of the dead is due now."""
    on_death: Callable[[], None]
    """Another process took us for dead."""

    def __post_init__(self) -> None:
        self._written: dict[str, str] = {}
        self._steady_ms = self.clock.monotonic_ms()

    async def run(self) -> None:
        """Beat until we are dead."""
        while True:
            await asyncio.sleep(BEAT_S)
            try:
                if not await self.writer.run(processes.beat, self.database, self.process_id, self.clock.now()):
                    log.error("another process took us for dead; stopping at once")
                    self.on_death()
                    return
                await self._bury()
                await self._write_link_states()
            except StoreError as error:
                self._steady_ms = self.clock.monotonic_ms()
                log.debug("no heartbeat", error=str(error))
            except Exception:
                # A deadlock, say; the next beat does it.
                log.exception("a heartbeat failed")

    async def _bury(self) -> None:
        # After an outage of the database all are silent: those that live get the time to say so.
        if self.clock.monotonic_ms() - self._steady_ms < processes.SILENT_MS:
            return
        bury = partial(processes.bury_dead, self.database, self_id=self.process_id, now=self.clock.now())
        buried = await self.writer.run(bury)
        if buried:
            log.warning("took over the work of dead processes", processes=buried)
            self.on_burial()

    async def _write_link_states(self) -> None:
        states: dict[str, str] = {name: str(state) for name, state in self.links.states().items()}
        if states == self._written:
            return
        known, errors, now = self.catalogue().links, self.links.errors(), self.clock.now()
        rows = [
            (known[name].id, state, now, errors.get(name, "") if state != "bound" else "")
            for name, state in states.items()
            if name in known and state != self._written.get(name)
        ]
        await self.writer.run(processes.write_link_states, self.database, self.process_id, rows)
        self._written = states


async def watch_catalogue(read_version: Callable[[], Awaitable[int]], present: int, take: Take) -> None:
    """Take every new version, without a restart. One that cannot be taken is said once; the old one stays."""
    while True:
        await asyncio.sleep(WATCH_S)
        try:
            version = await read_version()
            if version == present:
                continue
        except StoreError as error:
            log.debug("the catalogue cannot be read", error=str(error))
            continue
        try:
            await take()
        except StoreError as error:
            log.debug("the catalogue cannot be read", error=str(error))
            continue
        except Exception:
            log.exception("the new catalogue cannot be taken; the old one stays", version=version)
        present = version


async def prune(database: Database, writer: Runs, clock: Clock) -> None:
    """Remove what has an age limit, every ten minutes."""
    while True:
        try:
            await writer.run(processes.prune, database, clock.now())
        except StoreError as error:
            log.debug("nothing pruned", error=str(error))
        except Exception:
            log.exception("pruning failed")
        await asyncio.sleep(PRUNE_S)
