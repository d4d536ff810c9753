"""All links: which are up, and what becomes of them when the catalogue changes.

Links     start, follow, apply, reconnect, stop; states, errors
Resting   traffic.rests: what has begun over a link ends before the link does

Rule: a link that changed is drained and made anew; one that did not is not touched.
"""

import asyncio
from functools import partial
from random import Random
from typing import Protocol

from structlog import get_logger

from core.catalogue import Catalogue, Link
from core.clock import Clock
from core.errors import ConfigError
from plumbing.conversation import Connect, Listen
from plumbing.loop import spawn
from plumbing.metrics import Metrics
from smsc_link.keeping import UNBIND_S, Kept, LinkState, Surroundings
from smsc_link.protocols import PROTOCOLS
from smsc_link.screens import Screens
from smsc_link.visits import Door
from traffic.ports import Intake, TakeTurns

log = get_logger()

BEGUN_S = 3.0
"""How long, at a stop, what has begun may take to end while MO are still taken."""


class Resting(Protocol):
    """Who sends, asked before a link is ended on purpose."""

    async def rest(self, link_id: int, timeout_s: float, /) -> bool:
        """Begin nothing new over it; returns when nothing is under way, or after so long."""
        ...

    def wake(self, link_id: int, /) -> None:
        """It may have new messages again."""
        ...


class Links:
    """The links of a catalogue, by name."""

    def __init__(
        self,
        *,
        intake: Intake,
        connect: Connect,
        clock: Clock,
        random: Random,
        metrics: Metrics | None = None,
        door: Door | None = None,
        turns: TakeTurns | None = None,
        rests: Resting | None = None,
        listen: Listen | None = None,
        drain_s: float = 20.0,
    ) -> None:
        self._around = Surroundings(
            intake, connect, clock, random, door, turns, None if turns is None else Screens(turns, clock), listen
        )
        self._metrics = metrics
        self._drain_s = drain_s
        self._links: dict[str, Kept] = {}
        self._wrong: dict[str, tuple[Link, str]] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._following: set[asyncio.Task[None]] = set()
        self._catalogue = Catalogue()
        self._rests = rests
        self._stopped = False

    # --- Life -----------------------------------------------------------------------------------------

    def start(self, catalogue: Catalogue) -> None:
        """Begin to keep the catalogue's links up."""
        self._catalogue = catalogue
        for link in catalogue.links.values():
            self._add(link, catalogue)

    def follow(self, catalogue: Catalogue) -> None:
        """Begin to apply a catalogue; the next need not wait until links that this one ends are drained."""
        task = spawn(self.apply(catalogue), name="links follow the catalogue")
        self._following.add(task)
        task.add_done_callback(self._following.discard)

    async def apply(self, catalogue: Catalogue) -> None:
        """The catalogue changed: begin, end, or exchange what it changed; returns when that is done."""
        if self._stopped:
            return
        self._catalogue = catalogue
        links = catalogue.links
        for name, kept in self._links.items():
            if links.get(name) == kept.link:
                kept.operator = catalogue.operators[kept.link.operator]
        self._wrong = {name: wrong for name, wrong in self._wrong.items() if links.get(name) == wrong[0]}
        known = set(self._links) | set(self._wrong)
        changed = [name for name, kept in self._links.items() if links.get(name) != kept.link]
        for name in links:
            if name not in known:
                self._add(links[name], catalogue)
        await asyncio.gather(*map(self._exchange, changed))

    async def stop(self, timeout_s: float | None = None, unbind_s: float = UNBIND_S) -> None:
        """Let what has begun end, drain and unbind: all of them at the same time."""
        self._stopped = True
        timeout_s = self._drain_s if timeout_s is None else timeout_s
        ends = (self._end(kept, timeout_s, min(timeout_s / 2, BEGUN_S), unbind_s) for kept in self.all())
        await asyncio.gather(*ends)

    async def reconnect(self, name: str) -> None:
        """End what is under way over a link, unbind, connect again at once, whatever pause it was in."""
        async with self._lock_of(name):
            kept = self._links.get(name)
            if kept is not None and not self._stopped:
                await self._end(kept)
                if not self._stopped:
                    kept.start()

    async def _exchange(self, name: str) -> None:
        """A link that is no longer as the catalogue has it is ended; what the newest says then takes its place."""
        async with self._lock_of(name):
            old = self._links.get(name)
            if self._stopped or old is None or self._catalogue.links.get(name) == old.link:
                return
            await self._end(old)
            del self._links[name]
            if self._metrics is not None:
                self._metrics.forget(link=name)
            catalogue = self._catalogue
            if name in catalogue.links and not self._stopped:
                self._add(catalogue.links[name], catalogue)

    async def _end(
        self, kept: Kept, whole_s: float | None = None, begun_s: float | None = None, unbind_s: float = UNBIND_S
    ) -> None:
        """What has begun comes to its end, for `begun_s` at most, and nothing new begins; then it drains and unbinds.

        Both have `whole_s` together. A long message that is cut in its middle would be sent anew, and be there twice.
        """
        whole_s = self._drain_s if whole_s is None else whole_s
        link_id = kept.link.id
        began_ms = self._around.clock.monotonic_ms()
        try:
            if self._rests is not None and kept.bound_at and whole_s > 0:
                await self._rests.rest(link_id, whole_s if begun_s is None else begun_s)
            passed_s = (self._around.clock.monotonic_ms() - began_ms) / 1000
            await kept.stop(max(0.0, whole_s - passed_s), unbind_s)
        finally:
            if self._rests is not None:
                self._rests.wake(link_id)

    def _lock_of(self, name: str) -> asyncio.Lock:
        """One at a time ends or exchanges a link; the others do not wait for it."""
        return self._locks.setdefault(name, asyncio.Lock())

    def _add(self, link: Link, catalogue: Catalogue) -> None:
        if link.protocol not in PROTOCOLS:
            self._refuse(link, f"no protocol {link.protocol}; known are {', '.join(PROTOCOLS)}")
            return
        try:
            protocol = PROTOCOLS[link.protocol]
            adapter = protocol.adapter(link, catalogue.operators[link.operator])
            added = protocol.keep(link, adapter, self._around)
        except ConfigError as error:
            self._refuse(link, str(error))
            return
        self._links[link.name] = added
        if self._metrics is not None:
            _show(self._metrics, added)
        added.start()

    def _refuse(self, link: Link, reason: str) -> None:
        # One wrong link must not keep the others from their traffic.
        self._wrong[link.name] = link, reason
        log.error("link not started", link=link.name, reason=reason)

    # --- How they are ---------------------------------------------------------------------------------

    def named(self, name: str) -> Kept | None:
        """The link of this name."""
        return self._links.get(name)

    def all(self) -> list[Kept]:
        """Every link, for status."""
        return list(self._links.values())

    def states(self) -> dict[str, LinkState]:
        """For /health: bound, connecting or disabled, by name. One whose options are wrong is disabled."""
        wrong: dict[str, LinkState] = dict.fromkeys(self._wrong, "disabled")
        return wrong | {name: kept.state for name, kept in self._links.items()}

    def errors(self) -> dict[str, str]:
        """The last error of each link that had one."""
        found = {name: reason for name, (_, reason) in self._wrong.items()}
        return found | {name: kept.last_error for name, kept in self._links.items() if kept.last_error}


def _show(metrics: Metrics, link: Kept) -> None:
    name, counts = link.link.name, link.counts
    metrics.gauge("tollbridge_link_bound", "1: the link is bound", ask=lambda: float(bool(link.bound_at)), link=name)
    for what, meaning in _COUNTED.items():
        metrics.counter(f"tollbridge_link_{what}", meaning, ask=partial(getattr, counts, what), link=name)
    for what, meaning in _UNUSED.items():
        metrics.counter(f"tollbridge_link_{what}", meaning, ask=partial(link.unused, what), link=name)


_COUNTED = {
    "deliveries": "MO, or parts of one, that the operator handed to us",
    "receipts": "receipts that the operator handed to us",
    "unreadable": "messages refused because nothing could be made of them",
    "mishaps": "what the operator handed to us and a mistake of ours kept us from taking: it comes again",
    "submits": "parts of MT handed to the operator",
    "accepted": "parts that the operator accepted",
    "throttled": "parts that the operator found too fast",
    "unanswered": "parts without an answer",
    "turns": "turns of USSD sessions that the operator handed to us",
    "questions": "questions what became of an MT that we asked the operator",
    "sessions": "how often the link was bound",
    "strangers": "calls to the link from addresses that may not call it: closed at once",
}

_UNUSED = {
    "refused": "PDUs of the operator answered with an error before we read them: broken, unknown, not now, too many",
    "ignored": "PDUs of the operator that could be neither used nor answered: above all late responses",
}
