"""One sliding window: what happened in (t − W, t], to the millisecond (reliability.md, section 6).

Window     sum_at(t), add(t, amount), remove(t, amount)
grace_ms   how late an event may come, behind newer ones, and still be judged exactly
bucket_ms  the width of a bucket
full_at    how many entries a window holds before its older ones are put into buckets

Entries are (last, span, amount), rising by last: an event, or a bucket of events that happened from last − span to
last. The newest EXACT entries are always single events; a bucket counts whole as long as any of it may be in the
window, so nothing is admitted beyond the threshold, and a window with at most EXACT events is exact.

Rule: store/counters.lua does the same, step by step; tests/store/test_counters.py holds them together.
"""

from array import array

from core.clock import MINUTE_MS, Instant

EXACT = 1000
_SLACK = 500
_ENTRY = 3


def grace_ms(window_ms: int) -> int:
    """Events are kept this much longer than the window, for a message whose time lies before newer ones."""
    return min(window_ms, MINUTE_MS)


def bucket_ms(window_ms: int) -> int:
    """A thousandth of the window, but at least a millisecond."""
    return max(1, window_ms // 1000)


def full_at(window_ms: int) -> int:
    """Entries at which a window is compacted: the exact ones, all its buckets, and room before the next time."""
    return EXACT + _SLACK + (window_ms + grace_ms(window_ms)) // bucket_ms(window_ms)


class Window:
    """The events of one window. `at` is the latest moment asked for; `total` is what counts then, from `edge` on."""

    __slots__ = ("at", "edge", "entries", "total")

    def __init__(self, at: Instant) -> None:
        self.at = at
        self.edge = 0
        self.total = 0
        self.entries = array("q")

    def sum_at(self, at: Instant, window_ms: int) -> int:
        """The sum over (at − window, at]."""
        if at < self.at:
            return self._sum_before(at, at - window_ms)
        self.at = at
        cut = at - window_ms
        entries, edge = self.entries, self.edge
        while edge < len(entries) and entries[edge] <= cut:
            self.total -= entries[edge + 2]
            edge += _ENTRY
        self.edge = edge
        return self.total

    def _sum_before(self, at: Instant, cut: Instant) -> int:
        entries, total = self.entries, 0
        for place in range(len(entries) - _ENTRY, -1, -_ENTRY):
            if entries[place] <= cut:
                break
            if entries[place] - entries[place + 1] <= at:
                total += entries[place + 2]
        return total

    def add(self, at: Instant, amount: int, window_ms: int) -> None:
        """Count an event; `sum_at` of its moment was asked before."""
        assert at <= self.at, (at, self.at)
        entries = self.entries
        if entries and entries[0] <= at - window_ms - grace_ms(window_ms):
            self._drop_until(at - window_ms - grace_ms(window_ms))
        place = len(entries)
        while place and entries[place - _ENTRY] > at:
            place -= _ENTRY
        if place == len(entries):
            entries.extend((at, 0, amount))
        else:
            entries[place:place] = array("q", (at, 0, amount))
        if at > self.at - window_ms:
            self.total += amount
        else:
            self.edge += _ENTRY
        if len(entries) >= _ENTRY * full_at(window_ms):
            self._compact(window_ms)

    def remove(self, at: Instant, amount: int, window_ms: int) -> None:
        """Take an event back; one that is too old to be kept is gone already."""
        entries = self.entries
        bucket = -1
        for place in range(len(entries) - _ENTRY, -1, -_ENTRY):
            last, span, held = entries[place : place + _ENTRY]
            if last < at:
                break
            if (last, span, held) == (at, 0, amount):
                del entries[place : place + _ENTRY]
                return self._sum_anew(window_ms)
            if span and last - span <= at and held >= amount:
                bucket = place
        if bucket >= 0:
            entries[bucket + 2] -= amount
            self._sum_anew(window_ms)
        return None

    def expires_at(self, window_ms: int) -> Instant:
        """From when on nothing of it can matter."""
        return self.entries[-_ENTRY] + window_ms + grace_ms(window_ms) if self.entries else 0

    def _drop_until(self, moment: Instant) -> None:
        entries = self.entries
        place = 0
        while place < len(entries) and entries[place] <= moment:
            if place >= self.edge:
                self.total -= entries[place + 2]
            place += _ENTRY
        del entries[:place]
        self.edge = max(0, self.edge - place)

    def _compact(self, window_ms: int) -> None:
        """Put all but the newest entries into buckets."""
        width = bucket_ms(window_ms)
        old, newest = self.entries[: -_ENTRY * EXACT], self.entries[-_ENTRY * EXACT :]
        merged = array("q")
        for place in range(0, len(old), _ENTRY):
            last, span, amount = old[place : place + _ENTRY]
            if merged and merged[-_ENTRY] // width == last // width:
                first = min(merged[-_ENTRY] - merged[-2], last - span)
                merged[-_ENTRY] = last
                merged[-2] = last - first
                merged[-1] += amount
            else:
                merged.extend((last, span, amount))
        self.entries = merged + newest
        self._sum_anew(window_ms)

    def _sum_anew(self, window_ms: int) -> None:
        cut = self.at - window_ms
        self.edge = self.total = 0
        for place in range(0, len(self.entries), _ENTRY):
            if self.entries[place] <= cut:
                self.edge = place + _ENTRY
            else:
                self.total += self.entries[place + 2]
