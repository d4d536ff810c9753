"""What traffic/routes.py says, once more and plainly: no heaps, every line is looked at for every message.

PlainRoutes   the reference; it looks at lines without leaving a trace

Rule: nothing here is clever. Where two lines are equal, who was put in the queue first is first; those that are in
favour again at once, in the order in which they were first opened.
"""

from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from typing import Protocol

from traffic.circle import POINTS, POINTS_MAX
from traffic.routes import LATELY_MS, SETTLE_MAX_MS, SETTLE_MS, SPARED_MS, Terms

UNIT = 1 << 20


class Plain(Protocol):
    """A line."""

    name: str
    terms: Terms
    is_open: bool
    is_slowed: bool
    room: int


@dataclass(eq=False)
class Place:
    """A line among the others. `queued`: its place in the queue of its rank, 0: none."""

    line: Plain
    number: int
    passed: int = 0
    favour_ms: int = 0
    losses: int = 0
    up_ms: int = -1
    queued: int = 0
    is_full: bool = False
    is_spared: bool = False

    def opened(self, now_ms: int) -> None:
        if self.up_ms >= 0:
            self.losses = self.losses + 1 if now_ms - self.up_ms < LATELY_MS else 1
            self.favour_ms = now_ms + min(SETTLE_MAX_MS, SETTLE_MS * 2 ** min(self.losses - 1, 8))
        self.up_ms = now_ms


@dataclass
class PlainRoutes:
    """As traffic.routes.Routes."""

    places: dict[str, Place] = field(default_factory=dict)
    virtual: dict[int, int] = field(default_factory=dict)
    count: int = 0
    order: int = 0

    def opened(self, line: Plain, now_ms: int) -> None:
        place = self.places.get(line.name)
        if place is None or place.line is not line:
            before = self.places.pop(line.name, None)
            self.count += 1
            place = self.places[line.name] = Place(line, self.count)
            if before is not None:
                place.losses, place.up_ms, place.favour_ms = before.losses, before.up_ms, before.favour_ms
        place.opened(now_ms)
        self.put(place, now_ms)

    def remove(self, name: str) -> None:
        self.places.pop(name, None)

    def has_room(self, line: Plain, now_ms: int) -> None:
        place = self.places.get(line.name)
        if place is not None and place.line is line:
            self.put(place, now_ms)

    def throttled(self, line: Plain, now_ms: int) -> None:
        place = self.places.get(line.name)
        if place is not None and place.line is line:
            place.favour_ms = max(place.favour_ms, now_ms + SPARED_MS)

    def put(self, place: Place, now_ms: int) -> None:
        place.is_full = False
        place.is_spared = place.favour_ms > now_ms
        if not place.is_spared and not place.queued:
            place.passed = max(place.passed, self.virtual.get(place.line.terms.priority, 0))
            self.order += 1
            place.queued = self.order

    def choose(self, now_ms: int, *, own: str, number: str) -> Plain | None:
        mine = self.places.get(own)
        if mine is not None and mine.line.is_open and mine.favour_ms <= now_ms and mine.line.room:
            return self.take(mine)
        for priority in sorted({place.line.terms.priority for place in self.places.values()}):
            rank = [place for place in self.places.values() if place.line.terms.priority == priority]
            for place in sorted(rank, key=lambda place: place.number):
                if place.is_spared and place.favour_ms <= now_ms:
                    self.put(place, now_ms)
            found = self.home_of(number, rank, now_ms) if number else None
            found = found or self.next_of(rank, priority, now_ms)
            if found is not None:
                return self.take(found)
            if any(place.is_full and place.line.is_open and not place.line.is_slowed for place in rank):
                return None
        if mine is not None and mine.line.is_open and mine.line.room:
            return self.take(mine)
        bad = [place for place in self.places.values() if place.is_spared and place.line.is_open and place.line.room]
        bad.sort(key=lambda place: (place.line.terms.priority, place.passed, place.number))
        return self.take(bad[0]) if bad else None

    def take(self, place: Place) -> Plain:
        place.passed += UNIT // place.line.terms.weight
        return place.line

    def next_of(self, rank: list[Place], priority: int, now_ms: int) -> Place | None:
        for place in sorted(rank, key=lambda place: (place.passed, place.queued)):
            if not place.queued:
                continue
            is_open, is_spared = place.line.is_open, place.favour_ms > now_ms
            if is_open and not is_spared and place.line.room:
                self.virtual[priority] = place.passed
                return place
            place.queued = 0
            place.is_spared = place.is_spared or (is_open and is_spared)
            place.is_full = place.is_full or (is_open and not is_spared and not place.line.is_slowed)
        return None

    def home_of(self, number: str, rank: list[Place], now_ms: int) -> Place | None:
        ways = [
            ((point(f"{place.line.name}/{at}") - point(number)) % 2**64, place.number, place)
            for place in rank
            if place.line.terms.sticky and place.line.is_open and place.favour_ms <= now_ms
            if place.line.room or not place.line.is_slowed
            for at in range(min(POINTS * place.line.terms.weight, POINTS_MAX))
        ]
        return min(ways)[2] if ways else None


@cache
def point(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")
