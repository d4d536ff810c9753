"""What a process does beside the messages: it shows that it lives, buries the dead, notices a new catalogue.

Heartbeat         every 2 s: our own beat, the burial of others, parts that nobody waits with, the states of our links
watch_catalogue   a new version is in force within 1 s
watch_writing     whether the database can be written to, asked when nobody writes, too

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
from core.errors import Buried, StoreError
from plumbing.threads import Runs
from smsc_link.links import Links
from store import processes
from store.database import Database, is_conflict
from store.processes import DOUBT_MS, Neighbours, Registered, beat, end_waits, may_write
from store.recovery import WaitingPart, take_parts
from tollbridge.link_watch import LinkWatch
from traffic.commit import Batcher

log = get_logger()

WATCH_S = 0.5
"""How often a new version of the catalogue is looked for: it must be in force within 1 s."""
BEAT_S = 2.0
WRITING_S = 0.4
"""What hangs is told after this and traffic.commit.STUCK_MS: /health must say so within 3 s."""
JUMP_MS = 2_000
"""What a wall clock moves against the monotonic one between two beats is below that, unless somebody set it."""

OLD_TIME_BEATS = 30
"""So long after the clock was set back, results may still be written that reckoned with the old time."""

Take: TypeAlias = Callable[[], Awaitable[None]]


@dataclass
class Heartbeat:
    """The heartbeat of one process."""

    me: Registered
    database: Database
    writer: Runs
    clock: Clock
    links: Links
    catalogue: Callable[[], Catalogue]
    doubt_from: Callable[[int], int]
    """The first id of what we accepted within so many ms."""
    on_due: Callable[[], None]
    """Something is due now that was not a moment ago."""
    on_parts: Callable[[list[WaitingPart]], None] | None
    """Parts of long messages wait with us now; None: this process has no links."""
    on_death: Callable[[], None]
    """Another process took us for dead."""

    def __post_init__(self) -> None:
        self.neighbours = Neighbours(self.database, self.me)
        self.is_clear = asyncio.Event()
        """Of every other process it is known whether it lives; or this one is dead itself."""
        self._offset_ms = self.clock.now() - self.clock.monotonic_ms()
        self._was_set_back = False
        self._waits_to_end = OLD_TIME_BEATS
        """Beats that look for what waits by an old time; nobody knows what the clock did before we began."""
        self._link_watch = LinkWatch(self.links, self.clock)
        self._inherits = self._parts_in_doubt = False

    async def run(self) -> None:
        """Beat until we are dead."""
        while True:
            self._look_at_the_clock()
            try:
                await self.writer.run(beat, self.database, self.me.id, self.clock.now(), self.doubt_from(DOUBT_MS))
                await self._end_waits()
                await self._bury()
                await self._take_parts()
                if not self.neighbours.strangers:
                    self.is_clear.set()
                await self._write_link_states()
            except Buried as error:
                log.error("another process took us for dead; stopping at once", error=str(error))
                self.on_death()
                self.is_clear.set()
                return
            except StoreError as error:
                self.neighbours.forget()
                log.debug("no heartbeat", error=str(error))
            except Exception:
                # A deadlock, say; the next beat does it.
                self.neighbours.forget()
                log.exception("a heartbeat failed")
            await asyncio.sleep(BEAT_S)

    def _look_at_the_clock(self) -> None:
        """Whether somebody set the wall clock."""
        jumped_ms = self.clock.now() - self.clock.monotonic_ms() - self._offset_ms
        self._offset_ms += jumped_ms
        if jumped_ms <= -JUMP_MS:
            self._was_set_back, self._waits_to_end = True, OLD_TIME_BEATS
        if abs(jumped_ms) >= JUMP_MS:
            log.error("the wall clock was set", by_s=round(jumped_ms / 1000, 1), advice="let chrony slew it")
            self.on_due()

    async def _end_waits(self) -> None:
        """What was to wait by the old time is due by the new one."""
        if self._waits_to_end:
            await self.writer.run(partial(end_waits, self.database, self.clock.now(), was_seen=self._was_set_back))
            self._waits_to_end -= 1

    async def _bury(self) -> None:
        buried = await self.writer.run(self.neighbours.look, self.clock.now(), self.clock.monotonic_ms())
        if buried:
            log.warning("took over the work of dead processes", processes=buried)
            self.on_due()

    async def inherit(self) -> None:
        """From now on parts that nobody waits with wait with us; returns when the first are here.

        Some may be whole messages: not before limits know what they have counted.
        """
        self._inherits = True
        while True:
            try:
                return await self._take_parts()
            except StoreError as error:
                log.debug("parts cannot be read", error=str(error))
                await asyncio.sleep(WATCH_S)

    async def _take_parts(self) -> None:
        """Also of those that stopped in good order: nobody else would wait for the rest."""
        if self.on_parts is None or not self._inherits:
            return
        take = partial(take_parts, self.database, self.me.id, ours_too=self._parts_in_doubt)
        self._parts_in_doubt = True
        parts = await self.writer.run(take)
        self._parts_in_doubt = False
        if parts:
            self.on_parts(parts)

    async def _write_link_states(self) -> None:
        changed = self._link_watch.look(self.catalogue().links)
        if changed:
            await self.writer.run(processes.write_link_states, self.database, self.me.id, changed)
            self._link_watch.keep(changed)


async def watch_writing(batcher: Batcher, database: Database, process_id: int) -> None:
    """An idle process must know of a database that can be read and not written to: a backup may hold its lock."""
    while True:
        try:
            await batcher.probe(partial(may_write, database, process_id))
        except Exception as error:
            if isinstance(error, StoreError) or is_conflict(error):
                # Buried, or a lock: the heartbeat finds out, too, or health tells that we are stuck.
                log.debug("the database was not asked", error=str(error))
            else:
                log.exception("the database was not asked whether it can be written to")
        await asyncio.sleep(WRITING_S)


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
