"""What the links of this process do, for `tollbridge status`: since when, the last error, how often each came back.

LinkWatch   a look with each heartbeat: the rows that are not as they were last written

A link that is lost and bound again between two looks is bound at both. So not states are compared but binds counted:
nothing that happens between two looks is overlooked.

Rule: what is steady is written once. A link that nobody touches costs no row.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.catalogue import Link
from core.clock import HOUR_MS, Clock, Instant
from smsc_link.keeping import Kept
from smsc_link.links import Links
from store.processes import LinkNow


@dataclass(slots=True)
class _Seen:
    """A link as it was at the last look."""

    kept: Kept | None = None
    """None: its options are wrong, so there is none."""
    binds: int = 0
    state: str = ""
    since: Instant = 0
    error: str = ""
    error_at: Instant = 0
    reconnects: int = 0
    """How often it was bound again within an hour."""
    returns: deque[tuple[int, int]] = field(default_factory=deque)
    """Those, by the clock that never jumps: (when they were seen, how many)."""


class LinkWatch:
    """The links of one process."""

    def __init__(self, links: Links, clock: Clock) -> None:
        self._links = links
        self._clock = clock
        self._seen: dict[str, _Seen] = {}
        self._written: dict[int, LinkNow] = {}

    def look(self, catalogue: Mapping[str, Link]) -> list[LinkNow]:
        """What differs from what was written, of the links of the catalogue."""
        errors = self._links.errors()
        found = []
        for name, state in self._links.states().items():
            seen = self._seen.setdefault(name, _Seen())
            self._see(seen, self._links.named(name), state, errors.get(name, ""))
            if name in catalogue:
                now = LinkNow(
                    catalogue[name].id, seen.state, seen.since, seen.error, seen.error_at, seen.reconnects
                )  # fmt: skip
                if self._written.get(now.link_id) != now:
                    found.append(now)
        return found

    def keep(self, written: list[LinkNow]) -> None:
        """These are in the database now."""
        self._written |= {one.link_id: one for one in written}

    def _see(self, seen: _Seen, kept: Kept | None, state: str, error: str) -> None:
        now, ms = self._clock.now(), self._clock.monotonic_ms()
        binds = kept.counts.sessions if kept is not None else 0
        before = seen.binds if kept is seen.kept else 0
        # The first bind of a link that was made, or made anew because it was changed, is no return.
        returned = max(0, binds - max(1, before))
        if returned:
            seen.returns.append((ms, returned))
            seen.reconnects += returned
        while seen.returns and seen.returns[0][0] <= ms - HOUR_MS:
            seen.reconnects -= seen.returns.popleft()[1]

        if error != seen.error or kept is not seen.kept:
            seen.error_at = now if error else 0
        if kept is not None and kept.last_error_at:
            seen.error_at = kept.last_error_at
        if kept is not None and kept.bound_at:
            seen.since = kept.bound_at
        elif state != seen.state or binds != before or kept is not seen.kept:
            seen.since = seen.error_at if state == "connecting" and seen.error_at else now
        seen.kept, seen.binds, seen.state, seen.error = kept, binds, state, error
