"""Which line of an operator a message goes by: ranks, weights, numbers that stay on a line, falling over and back.

Terms    what a link says of itself: its priority, its weight, whether numbers stay on it
Routes   one operator's lines: choose() is asked for every message, the rest tells what became of the lines

Lines of the best priority that is up share what goes out by their weights (stride scheduling: what a line has had,
divided by its weight; who has had least is next). A line that was lost comes back into favour only after it has stayed
up for a while, the longer the more often it was lost lately; one that the operator throttles is spared for a moment.
A line out of favour is used where none in favour is up. Nobody waits for one that is slowed, as it was throttled: what
it cannot take goes by others.

Rule: no I/O, no clock. A line that is closed or has no room is not asked again until somebody tells of it, one out of
favour not before its time, so a choice costs a few steps, however many lines there are and whatever they suffer.
"""

from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heapify, heappop, heappush, heapreplace
from typing import Generic, Protocol, TypeVar

from traffic.circle import Circle

SETTLE_MS, SETTLE_MAX_MS = 2_000, 60_000
"""How long a line that was lost must stay up before it is in favour again: doubled by each loss, up to so much."""
LATELY_MS = 30_000
"""A line that was up for so long is as good as one that was never lost before."""
SPARED_MS = 2_000
"""How long a line that was throttled is out of favour."""
WEIGHT_MAX = 100

_STRIDE = 1 << 20


@dataclass(frozen=True, slots=True)
class Terms:
    """What a link says of itself. Lines of the lowest `priority` go first, and share by `weight` (1 to 100).

    `sticky`: a number always goes by the same one of these lines, as long as that is up and not slowed.
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
    def is_open(self) -> bool:
        """Who opens it tells: opened(), or has_room()."""
        ...

    @property
    def is_slowed(self) -> bool:
        """Its operator found it too fast, and its rate has not grown back since, as far as it was looked at."""
        ...

    def look(self) -> int:
        """How much room there is. After a 0 somebody tells when there is some."""
        ...


R = TypeVar("R", bound=Routed)


class _Seat(Generic[R]):
    """A line among its operator's. `passed`: what it has had, by its weight; `is_queued`: it is in its rank's heap."""

    __slots__ = (
        *("favour_ms", "has_chance", "is_gone", "is_heaped", "is_left_out", "is_queued", "is_spared", "line", "losses"),
        *("number", "passed", "priority", "stride", "up_ms", "waking_ms"),
    )

    def __init__(self, line: R, number: int) -> None:
        self.line = line
        self.number = number
        self.priority = line.terms.priority
        self.stride = _STRIDE // max(1, min(line.terms.weight, WEIGHT_MAX))
        self.passed = 0
        self.is_queued = False
        self.is_gone = False
        self.is_left_out = False
        self.is_spared = False
        """Out of favour, as it was last known; `has_chance`: it may be open and have room."""
        self.has_chance = False
        self.is_heaped = False
        self.favour_ms = 0
        self.waking_ms = 0
        """When it is looked at whether it is in favour again; 0: it is not waited for."""
        self.up_ms = -1
        self.losses = 0

    def opened(self, now_ms: int) -> None:
        """It is up, for the first time or again."""
        if self.up_ms >= 0:
            self.losses = self.losses + 1 if now_ms - self.up_ms < LATELY_MS else 1
            self.favour_ms = now_ms + min(SETTLE_MAX_MS, SETTLE_MS << min(self.losses - 1, 8))
        self.up_ms = now_ms


class _Spared(Generic[R]):
    """The lines of an operator that are out of favour: when each is in favour again, and which is the least bad."""

    __slots__ = ("_heap", "_order", "waking")

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, int, _Seat[R]]] = []
        self._order = 0
        self.waking: list[tuple[int, int, _Seat[R]]] = []

    def add(self, seat: _Seat[R]) -> None:
        """It may have room; known here already or not."""
        seat.is_spared = True
        self.watch(seat)
        seat.has_chance = True
        if not seat.is_heaped:
            seat.is_heaped = True
            heappush(self._heap, (seat.priority, seat.passed, seat.number, seat))

    def discard(self, seat: _Seat[R]) -> None:
        """It is in favour, or gone."""
        seat.is_spared = seat.has_chance = False

    def sweep(self, seats: int) -> None:
        """Nobody may ask for the least bad for long: of more than twice as many as there are, many have no chance."""
        if len(self._heap) > 2 * seats:
            for *_, seat in self._heap:
                seat.is_heaped = seat.has_chance
            self._heap[:] = [entry for entry in self._heap if entry[-1].has_chance]
            heapify(self._heap)

    def watch(self, seat: _Seat[R]) -> None:
        """due() gives it when its time out of favour is over."""
        if not seat.waking_ms or seat.favour_ms < seat.waking_ms:
            seat.waking_ms = seat.favour_ms
            self._order += 1
            heappush(self.waking, (seat.favour_ms, self._order, seat))

    def due(self, now_ms: int) -> Iterator[_Seat[R]]:
        """Those whose time out of favour is over."""
        waking = self.waking
        while waking and waking[0][0] <= now_ms:
            ms, _, seat = heappop(waking)
            if ms != seat.waking_ms or seat.is_gone:
                continue
            seat.waking_ms = 0
            if seat.favour_ms > now_ms:
                self.watch(seat)
            else:
                yield seat

    def least_bad(self) -> _Seat[R] | None:
        """Of the best priority who has had least, of those with room."""
        heap = self._heap
        while heap:
            priority, passed, number, seat = heap[0]
            if seat.has_chance and passed != seat.passed:
                heapreplace(heap, (priority, seat.passed, number, seat))
                continue
            if seat.has_chance and seat.line.is_open and seat.line.look() > 0:
                return seat
            heappop(heap)
            seat.is_heaped = seat.has_chance = False
        return None


class _Rank(Generic[R]):
    """The lines of one priority: those with room in a heap, those without; the sticky ones on a circle."""

    __slots__ = ("_heap", "_order", "_spared", "circle", "due", "full", "is_live", "priority", "virtual")

    def __init__(self, priority: int, spared: _Spared[R]) -> None:
        self.priority = priority
        self._spared = spared
        self._heap: list[tuple[int, int, _Seat[R]]] = []
        self._order = 0
        self.virtual = 0
        """What who was chosen last had had: a line that comes back begins here, and makes up for nothing."""
        self.full: set[_Seat[R]] = set()
        self.due: set[_Seat[R]] = set()
        """Whose time out of favour is over."""
        self.circle: Circle[_Seat[R]] = Circle(spared.watch)
        self.is_live = False
        """One of its lines may be in favour."""

    def put(self, seat: _Seat[R], now_ms: int) -> None:
        """It may have room: to its place by whether it is in favour."""
        self.full.discard(seat)
        if seat.favour_ms > now_ms:
            self._spared.add(seat)
            return
        self._spared.discard(seat)
        self.circle.take_back(seat)
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
            if is_open and seat.favour_ms > now_ms:
                self._spared.add(seat)
            elif is_open and not seat.line.is_slowed:
                self.full.add(seat)
        return None

    def wake(self, now_ms: int) -> None:
        """Those whose time out of favour is over."""
        due = sorted(self.due, key=lambda seat: seat.number)
        self.due.clear()
        for seat in due:
            if seat.favour_ms > now_ms:
                self._spared.watch(seat)
            elif seat.is_spared:
                self.put(seat, now_ms)
            else:
                self.circle.take_back(seat)

    def remove(self, seat: _Seat[R], seats: int) -> None:
        """It is gone; so many are left. A rank may not be asked for long, where a better one is up."""
        self.full.discard(seat)
        self.circle.remove(seat)
        self.due.discard(seat)
        if len(self._heap) > 2 * seats:
            self._heap[:] = [entry for entry in self._heap if not entry[-1].is_gone]
            heapify(self._heap)

    def is_up(self) -> bool:
        """Whether one in favour is up, and at its full rate, that only has no room just now. Others are forgotten."""
        others = []
        for seat in self.full:
            if seat.line.is_open and not seat.line.is_slowed:
                break
            others.append(seat)
        self.full.difference_update(others)
        return bool(self.full)


class Routes(Generic[R]):
    """One operator's lines. Times are milliseconds of the monotonic clock."""

    def __init__(self) -> None:
        self._seats: dict[str, _Seat[R]] = {}
        self._count = 0
        self._ranks: dict[int, _Rank[R]] = {}
        self._live: list[_Rank[R]] = []
        """Those of which a line may be in favour, the best first."""
        self._spared: _Spared[R] = _Spared()

    def opened(self, line: R, now_ms: int) -> None:
        """A line is up. One of the same name that it takes the place of hands over how often it was lost."""
        seat = self._seats.get(line.name)
        if seat is None or seat.line is not line:
            before = self.remove(line.name)
            self._count += 1
            seat = self._seats[line.name] = _Seat(line, self._count)
            if before is not None:
                seat.losses, seat.up_ms, seat.favour_ms = before.losses, before.up_ms, before.favour_ms
            priority = line.terms.priority
            if priority not in self._ranks:
                self._ranks[priority] = _Rank(priority, self._spared)
            if line.terms.sticky:
                self._ranks[priority].circle.add(seat, line.terms.weight)
        seat.opened(now_ms)
        self._put(seat, now_ms)

    def remove(self, name: str) -> _Seat[R] | None:
        """A line is gone for good."""
        seat = self._seats.pop(name, None)
        if seat is not None:
            seat.is_gone = True
            self._ranks[seat.priority].remove(seat, len(self._seats))
            self._spared.discard(seat)
            self._spared.sweep(len(self._seats))
        return seat

    def has_room(self, line: R, now_ms: int) -> None:
        """Its link tells of room."""
        seat = self._seats.get(line.name)
        if seat is not None and seat.line is line:
            self._put(seat, now_ms)

    def throttled(self, line: R, now_ms: int) -> None:
        """The operator found it too fast."""
        seat = self._seats.get(line.name)
        if seat is not None and seat.line is line:
            seat.favour_ms = max(seat.favour_ms, now_ms + SPARED_MS)

    def choose(self, now_ms: int, *, own: str = "", number: str = "") -> R | None:
        """The line for the next message; None: none has room now.

        `own`: the line that it would rather go by, the one that its MO came by. A line for a `number` that stays on
        it may have no room: then the message waits for that line, unless it is slowed.
        """
        seat = self._seats.get(own) if own else None
        if seat is not None and seat.line.is_open and seat.favour_ms <= now_ms and seat.line.look() > 0:
            return self._take(seat)
        if self._spared.waking and self._spared.waking[0][0] <= now_ms:
            self._wake(now_ms)
        for rank in list(self._live):
            if rank.due:
                rank.wake(now_ms)
            seat = rank.circle.home_of(number, now_ms) if number else None
            if seat is None:
                seat = rank.next(now_ms)
            if seat is not None:
                return self._take(seat)
            if rank.full and rank.is_up():
                return None
            # Nobody is left here, until somebody is told of or in favour again.
            rank.is_live = False
            self._live.remove(rank)
        return self._least_bad(own)

    def _take(self, seat: _Seat[R]) -> R:
        seat.passed += seat.stride
        return seat.line

    def _least_bad(self, own: str) -> R | None:
        """Nobody in favour is up: of those out of favour the own one, or the best that has room."""
        seat = self._seats.get(own)
        if seat is None or not (seat.line.is_open and seat.line.look() > 0):
            seat = self._spared.least_bad()
        return self._take(seat) if seat is not None else None

    def _put(self, seat: _Seat[R], now_ms: int) -> None:
        rank = self._ranks[seat.priority]
        rank.put(seat, now_ms)
        self._enliven(rank)

    def _wake(self, now_ms: int) -> None:
        for seat in self._spared.due(now_ms):
            rank = self._ranks[seat.priority]
            rank.due.add(seat)
            self._enliven(rank)

    def _enliven(self, rank: _Rank[R]) -> None:
        if not rank.is_live:
            rank.is_live = True
            insort(self._live, rank, key=lambda each: each.priority)

    def __iter__(self) -> Iterator[R]:
        """Every line, open or not."""
        return (seat.line for seat in list(self._seats.values()))
