"""All links: which are up, and what becomes of them when the catalogue changes.

Links   start, apply, stop; states, errors

Rule: a link that changed is drained and made anew; one that did not is not touched.
"""

import asyncio
from functools import partial
from random import Random

from structlog import get_logger

from core.catalogue import Catalogue, Link
from core.clock import Clock
from core.errors import ConfigError
from plumbing.conversation import Connect
from plumbing.metrics import Metrics
from smsc_link.link import LinkState, OperatorLink
from smsc_link.protocols import PROTOCOLS
from smsc_link.session import UNBIND_S
from traffic.ports import Intake

log = get_logger()


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
        drain_s: float = 20.0,
    ) -> None:
        self._intake = intake
        self._connect = connect
        self._clock = clock
        self._random = random
        self._metrics = metrics
        self._drain_s = drain_s
        self._links: dict[str, OperatorLink] = {}
        self._wrong: dict[str, tuple[Link, str]] = {}
        self._turn = asyncio.Lock()
        self._stopped = False

    # --- Life -----------------------------------------------------------------------------------------

    def start(self, catalogue: Catalogue) -> None:
        """Begin to keep the catalogue's links up."""
        for link in catalogue.links.values():
            self._add(link, catalogue)

    async def apply(self, catalogue: Catalogue) -> None:
        """The catalogue changed: begin, end, or exchange what it changed; returns when that is done."""
        async with self._turn:
            if self._stopped:
                return
            for name, kept in self._links.items():
                link = catalogue.links.get(name)
                if link == kept.link:
                    kept.operator = catalogue.operators[kept.link.operator]
            gone = [kept for name, kept in self._links.items() if catalogue.links.get(name) != kept.link]
            self._wrong = {name: wrong for name, wrong in self._wrong.items() if catalogue.links.get(name) == wrong[0]}
            known = {kept.link.name for kept in self._links.values()} | set(self._wrong)
            for link in catalogue.links.values():
                if link.name not in known:
                    self._add(link, catalogue)
            await asyncio.gather(*(self._exchange(kept, catalogue) for kept in gone))

    async def stop(self, timeout_s: float | None = None, unbind_s: float = UNBIND_S) -> None:
        """Drain and unbind all, at the same time."""
        self._stopped = True
        timeout_s = self._drain_s if timeout_s is None else timeout_s
        await asyncio.gather(*(kept.stop(timeout_s, unbind_s) for kept in list(self._links.values())))

    async def _exchange(self, old: OperatorLink, catalogue: Catalogue) -> None:
        await old.stop(self._drain_s)
        name = old.link.name
        del self._links[name]
        if self._metrics is not None:
            self._metrics.forget(link=name)
        if name in catalogue.links and not self._stopped:
            self._add(catalogue.links[name], catalogue)

    def _add(self, link: Link, catalogue: Catalogue) -> None:
        if link.protocol not in PROTOCOLS:
            self._refuse(link, f"no protocol {link.protocol}; known are {', '.join(PROTOCOLS)}")
            return
        try:
            added = OperatorLink(
                link,
                catalogue.operators[link.operator],
                intake=self._intake,
                connect=self._connect,
                clock=self._clock,
                random=self._random,
            )
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

    def named(self, name: str) -> OperatorLink | None:
        """The link of this name."""
        return self._links.get(name)

    def all(self) -> list[OperatorLink]:
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


def _show(metrics: Metrics, link: OperatorLink) -> None:
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
    "submits": "parts of MT handed to the operator",
    "accepted": "parts that the operator accepted",
    "throttled": "parts that the operator found too fast",
    "unanswered": "parts without an answer",
    "sessions": "how often the link was bound",
}

_UNUSED = {
    "refused": "PDUs of the operator answered with an error before we read them: broken, unknown, not now, too many",
    "ignored": "PDUs of the operator that could be neither used nor answered: above all late responses",
}
