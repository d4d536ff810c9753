"""One sliding window: what happened in (t − W, t], to the millisecond (reliability.md, section 6).

Window     sum_at(t), add(t, amount), remove(t, amount)
Span       the length of a window and what follows from it; span_of(window_ms)
grace_ms   how late an event may come, behind newer ones, and still be judged exactly

Entries are (last, length, amount), rising by last: an event, or a bucket of those from last − length to last. The
newest EXACT entries are always single events; a bucket counts whole as long as any of it may be in the window, so
nothing is admitted beyond the threshold, and a window with at most EXACT events is exact.

Messages of several processes, or links, come a little out of order. One that comes behind newer ones sees these too:
they were admitted without it, and the windows that hold both must not hold more than the threshold.

A clock that was set back brings moments further behind than the grace. What lies ahead of them then counts as if it
were now: nothing is forgotten, and nobody waits until the clock is there again.

Rule: store/counters.lua does the same, step by step; tests/store/test_counters.py holds them together.
"""

from array import array
from dataclasses import dataclass
from functools import lru_cache

from core.clock import MINUTE_MS, Instant

EXACT = 1000
_SLACK = 500
_ENTRY = 3


@dataclass(frozen=True, slots=True)
class Span:
    """The length of a window, and what follows from it."""

    window_ms: int
    keep_ms: int
    """Events are kept this long: one that comes up to `grace_ms` behind newer ones is still judged exactly."""
    bucket_ms: int
    """The width of a bucket: a thousandth of the window, but at least a millisecond."""
    full: int
    """Entries at which a window is compacted: the exact ones, all its buckets, and room before the next time."""


def grace_ms(window_ms: int) -> int:
    """How late an event may come, behind newer ones, and still be judged exactly."""
    return min(window_ms, MINUTE_MS)


@lru_cache(maxsize=1024)
def span_of(window_ms: int) -> Span:
    """The span of a window of that length."""
    assert window_ms > 0, window_ms
    keep, bucket = window_ms + grace_ms(window_ms), max(1, window_ms // 1000)
    return Span(window_ms, keep, bucket, EXACT + _SLACK + keep // bucket)


class Window:
    """The events of one window. `at` is the latest moment asked for; `total` is what counts then, from `edge` on."""

    __slots__ = ("at", "edge", "entries", "total")

    def __init__(self, at: Instant) -> None:
        self.at = at
        self.edge = 0
        self.total = 0
        self.entries = array("q")

    def sum_at(self, at: Instant, span: Span) -> int:
        """The sum of what is later than at − window: of (at − window, at], and of anything newer."""
        if at < self.at:
            if not self.entries or self.entries[-_ENTRY] - at <= span.keep_ms - span.window_ms:
                return self._sum_after(at - span.window_ms)
            self._set_back(at, span)
        self.at = at
        entries, edge = self.entries, self.edge
        if edge < len(entries) and entries[edge] <= at - span.window_ms:
            self._move_edge(at - span.window_ms)
        return self.total

    def _set_back(self, at: Instant, span: Span) -> None:
        """The clock was: what lies ahead is now."""
        entries = self.entries
        for place in range(len(entries) - _ENTRY, -1, -_ENTRY):
            last, length = entries[place], entries[place + 1]
            if last <= at:
                break
            entries[place], entries[place + 1] = at, max(0, at - (last - length))
        self.at = at
        self._sum_anew(span)

    def _move_edge(self, cut: Instant) -> None:
        entries, edge = self.entries, self.edge
        while edge < len(entries) and entries[edge] <= cut:
            self.total -= entries[edge + 2]
            edge += _ENTRY
        self.edge = edge

    def _sum_after(self, cut: Instant) -> int:
        entries, total = self.entries, self.total
        for place in range(self.edge - _ENTRY, -1, -_ENTRY):
            if entries[place] <= cut:
                break
            total += entries[place + 2]
        return total

    def add(self, at: Instant, amount: int, span: Span) -> None:
        """Count an event; `sum_at` of its moment was asked before."""
        entries = self.entries
        if at < self.at and entries and at < entries[-_ENTRY]:
            return self._add_between(at, amount, span)
        entries.extend((at, 0, amount))
        if at > self.at - span.window_ms:
            self.total += amount
        else:
            self.edge = len(entries)
        if entries[0] <= at - span.keep_ms:
            self._drop_until(at - span.keep_ms)
        if len(entries) >= _ENTRY * span.full:
            self._compact(span)
        return None

    def _add_between(self, at: Instant, amount: int, span: Span) -> None:
        entries = self.entries
        place = len(entries)
        while place and entries[place - _ENTRY] > at:
            place -= _ENTRY
        entries[place:place] = array("q", (at, 0, amount))
        if len(entries) >= _ENTRY * span.full:
            self._compact(span)
        self._sum_anew(span)

    def remove(self, at: Instant, amount: int, span: Span) -> None:
        """Take an event back; one that is too old to be kept is gone already."""
        entries = self.entries
        bucket = -1
        for place in range(len(entries) - _ENTRY, -1, -_ENTRY):
            last, length, held = entries[place : place + _ENTRY]
            if last < at:
                break
            if (last, length, held) == (at, 0, amount):
                del entries[place : place + _ENTRY]
                return self._sum_anew(span)
            if last - length <= at and held >= amount:
                bucket = place
        if bucket >= 0:
            entries[bucket + 2] -= amount
            self._sum_anew(span)
        return None

    def expires_at(self, span: Span) -> Instant:
        """From when on nothing of it can matter."""
        return self.entries[-_ENTRY] + span.keep_ms if self.entries else 0

    def _drop_until(self, moment: Instant) -> None:
        entries = self.entries
        place = 0
        while place < len(entries) and entries[place] <= moment:
            if place >= self.edge:
                self.total -= entries[place + 2]
            place += _ENTRY
        del entries[:place]
        self.edge = max(0, self.edge - place)

    def _compact(self, span: Span) -> None:
        """Put all but the newest entries into buckets."""
        width = span.bucket_ms
        old, newest = self.entries[: -_ENTRY * EXACT], self.entries[-_ENTRY * EXACT :]
        merged = array("q")
        for place in range(0, len(old), _ENTRY):
            last, length, amount = old[place : place + _ENTRY]
            if merged and merged[-_ENTRY] // width == last // width:
                first = min(merged[-_ENTRY] - merged[-2], last - length)
                merged[-_ENTRY] = last
                merged[-2] = last - first
                merged[-1] += amount
            else:
                merged.extend((last, length, amount))
        self.entries = merged + newest
        self._sum_anew(span)

    def _sum_anew(self, span: Span) -> None:
        cut = self.at - span.window_ms
        self.edge = self.total = 0
        for place in range(0, len(self.entries), _ENTRY):
            if self.entries[place] <= cut:
                self.edge = place + _ENTRY
            else:
                self.total += self.entries[place + 2]
