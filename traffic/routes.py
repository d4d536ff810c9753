"""Which line of an operator a message goes by: ranks, weights, numbers that stay on a line, falling over and back.

Terms    what a link says of itself: its priority, its weight, whether numbers stay on it
Routes   one operator's lines: choose() is asked for every message, the rest tells what became of the lines

Lines of the best priority that is up share what goes out by their weights (stride scheduling: what a line has had,
divided by its weight; who has had least is next). A line that was lost comes back into favour only after it has stayed
up for a while, the longer the more often it was lost lately; one that the operator throttles is spared for a moment.
A line out of favour is used where none in favour is up.

Rule: no I/O, no clock. A line without room is not asked again until its link tells of room, so a choice costs a few
steps, however many lines there are.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from heapq import heappop, heappush, heapreplace
from typing import Generic, Protocol, TypeVar

SETTLE_MS, SETTLE_MAX_MS = 2_000, 60_000
"""How long a line that was lost must stay up before it is in favour again: doubled by each loss, up to so much."""
LATELY_MS = 30_000
"""A line that was up for so long is as good as one that was never lost before."""
SPARED_MS = 2_000
"""How long a line that was throttled is out of favour."""
WEIGHT_MAX = 100

_STRIDE = 1 << 20
_POINTS = 16
"""Of a sticky line on the circle of numbers, for each unit of its weight; at most _POINTS_MAX in all."""
_POINTS_MAX = 160


@dataclass(frozen=True, slots=True)
class Terms:
    """What a link says of itself. Lines of the lowest `priority` go first, and share by `weight` (1 to 100).

    `sticky`: a number always goes by the same one of these lines, as long as that is up.
    """

    priority: int = 1
    weight: int = 1
    sticky: bool = False


class Routed(Protocol):
    """What is chosen."""

    @property
    def name(self) -> str: ...

    @property
    def terms(self) -> Terms: ...

    @property
    def is_open(self) -> bool: ...

    def look(self) -> int:
        """How much room there is. After a 0 somebody tells when there is some."""
        ...


R = TypeVar("R", bound=Routed)


class _Seat(Generic[R]):
    """A line among its operator's. `passed`: what it has had, by its weight; `is_queued`: it is in its rank's heap."""

    __slots__ = ("favour_ms", "is_gone", "is_queued", "line", "losses", "passed", "stride", "up_ms")

    def __init__(self, line: R) -> None:
        self.line = line
        self.stride = _STRIDE // max(1, min(line.terms.weight, WEIGHT_MAX))
        self.passed = 0
        self.is_queued = False
        self.is_gone = False
        self.favour_ms = 0
        self.up_ms = -1
        self.losses = 0

    def opened(self, now_ms: int) -> None:
        """It is up, for the first time or again."""
        if self.up_ms >= 0:
            self.losses = self.losses + 1 if now_ms - self.up_ms < LATELY_MS else 1
            self.favour_ms = now_ms + min(SETTLE_MAX_MS, SETTLE_MS << min(self.losses - 1, 8))
        self.up_ms = now_ms


class _Rank(Generic[R]):
    """The lines of one priority: those with room in a heap, those without, those out of favour."""

    __slots__ = ("_circle", "_heap", "_order", "full", "spared", "virtual")

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, _Seat[R]]] = []
        self._circle: list[tuple[int, int, _Seat[R]]] = []
        self._order = 0
        self.virtual = 0
        """What who was chosen last had had: a line that comes back begins here, and makes up for nothing."""
        self.full: set[_Seat[R]] = set()
        self.spared: set[_Seat[R]] = set()

    def put(self, seat: _Seat[R], now_ms: int) -> None:
        """It may have room: to its place by whether it is in favour."""
        self.full.discard(seat)
        if seat.favour_ms > now_ms:
            self.spared.add(seat)
            return
        self.spared.discard(seat)
        if not seat.is_queued:
            seat.is_queued = True
            seat.passed = max(seat.passed, self.virtual)
            self._order += 1
            heappush(self._heap, (seat.passed, self._order, seat))

    def next(self, now_ms: int) -> _Seat[R] | None:
        """Who has had least, of those in favour with room; None: nobody."""
        heap = self._heap
        while heap:
            passed, order, seat = heap[0]
            if passed != seat.passed:
                heapreplace(heap, (seat.passed, order, seat))
                continue
            is_open = seat.line.is_open and not seat.is_gone
            if is_open and seat.favour_ms <= now_ms and seat.line.look() > 0:
                self.virtual = passed
                return seat
            heappop(heap)
            seat.is_queued = False
            if is_open:
                (self.spared if seat.favour_ms > now_ms else self.full).add(seat)
        return None

    def wake(self, now_ms: int) -> None:
        """Those whose time out of favour is over."""
        for seat in [seat for seat in self.spared if seat.favour_ms <= now_ms]:
            self.put(seat, now_ms)

    @property
    def is_up(self) -> bool:
        """Whether one in favour is up that only has no room just now."""
        return any(seat.line.is_open for seat in self.full)

    # --- numbers that stay on their line ---------------------------------------------------------------

    def stick(self, seat: _Seat[R]) -> None:
        """Its places on the circle: they depend on its name alone, so that other lines move no numbers of it."""
        name = seat.line.name
        points = min(_POINTS * seat.line.terms.weight, _POINTS_MAX)
        for number in range(points):
            self._order += 1
            self._circle.append((_point(f"{name}/{number}"), self._order, seat))
        self._circle.sort()

    def unstick(self, seat: _Seat[R]) -> None:
        """It is gone."""
        self._circle = [place for place in self._circle if place[2] is not seat]

    def home_of(self, number: str, now_ms: int) -> _Seat[R] | None:
        """The sticky line in favour that is next on the circle, with room or without; None: there is none."""
        circle = self._circle
        if not circle:
            return None
        start = bisect_left(circle, (_point(number), 0))
        for step in range(len(circle)):
            seat = circle[(start + step) % len(circle)][2]
            if seat.line.is_open and seat.favour_ms <= now_ms:
                seat.line.look()
                return seat
        return None


class Routes(Generic[R]):
    """One operator's lines. Times are milliseconds of the monotonic clock."""

    def __init__(self) -> None:
        self._seats: dict[str, _Seat[R]] = {}
        self._ranks: dict[int, _Rank[R]] = {}

    def opened(self, line: R, now_ms: int) -> None:
        """A line is up. One of the same name that it takes the place of hands over how often it was lost."""
        seat = self._seats.get(line.name)
        if seat is None or seat.line is not line:
            before = self.remove(line.name)
            seat = self._seats[line.name] = _Seat(line)
            if before is not None:
                seat.losses, seat.up_ms, seat.favour_ms = before.losses, before.up_ms, before.favour_ms
            priority = line.terms.priority
            if priority not in self._ranks:
                self._ranks = dict(sorted([*self._ranks.items(), (priority, _Rank())]))
            if line.terms.sticky:
                self._ranks[priority].stick(seat)
        seat.opened(now_ms)
        self._ranks[line.terms.priority].put(seat, now_ms)

    def remove(self, name: str) -> _Seat[R] | None:
        """A line is gone for good."""
        seat = self._seats.pop(name, None)
        if seat is not None:
            seat.is_gone = True
            rank = self._ranks[seat.line.terms.priority]
            rank.full.discard(seat)
            rank.spared.discard(seat)
            rank.unstick(seat)
        return seat

    def has_room(self, line: R, now_ms: int) -> None:
        """Its link tells of room."""
        seat = self._seats.get(line.name)
        if seat is not None and seat.line is line:
            self._ranks[line.terms.priority].put(seat, now_ms)

    def throttled(self, line: R, now_ms: int) -> None:
        """The operator found it too fast."""
        seat = self._seats.get(line.name)
        if seat is not None and seat.line is line:
            seat.favour_ms = max(seat.favour_ms, now_ms + SPARED_MS)

    def choose(self, now_ms: int, *, own: str = "", number: str = "") -> R | None:
        """The line for the next message; None: none has room now.

        `own`: the line that it would rather go by, the one that its MO came by. A line for a `number` that stays on
        it may have no room: then the message waits for that line.
        """
        seat = self._seats.get(own) if own else None
        if seat is not None and seat.line.is_open and seat.favour_ms <= now_ms and seat.line.look() > 0:
            return self._take(seat)
        for rank in self._ranks.values():
            if rank.spared:
                rank.wake(now_ms)
            seat = rank.home_of(number, now_ms) if number else None
            if seat is None:
                seat = rank.next(now_ms)
            if seat is not None:
                return self._take(seat)
            if rank.full and rank.is_up:
                return None
        return self._least_bad(own)

    def _take(self, seat: _Seat[R]) -> R:
        seat.passed += seat.stride
        return seat.line

    def _least_bad(self, own: str) -> R | None:
        """Nobody in favour is up: of those out of favour the own one, or the best that has room."""
        seat = self._seats.get(own)
        if seat is not None and seat.line.is_open and seat.line.look() > 0:
            return self._take(seat)
        for rank in self._ranks.values():
            for seat in sorted(rank.spared, key=lambda seat: seat.passed):
                if seat.line.is_open and seat.line.look() > 0:
                    return self._take(seat)
        return None

    def __iter__(self) -> Iterator[R]:
        """Every line, open or not."""
        return (seat.line for seat in list(self._seats.values()))


def _point(text: str) -> int:
    """A place on the circle of numbers."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")
