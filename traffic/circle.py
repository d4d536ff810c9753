"""Numbers that stay on their line: the sticky lines of one priority, around a circle.

Circle    a number's line is the next after its point; lines come and go, and move no numbers of others
Standing  what stands on it

Lines that are closed, out of favour, or slowed and without room, are left out as soon as many stand in the way of one
number, all at once: that costs as much as some hundred choices, and those after it cost the same as if all were up.

Rule: no I/O, no clock. Where a line stands depends on its name alone.
"""

from bisect import bisect_left
from collections.abc import Callable
from hashlib import blake2b
from typing import Generic, Protocol, TypeVar

POINTS = 16
"""Of a line, for each unit of its weight; at most POINTS_MAX in all."""
POINTS_MAX = 160
_STEPS_MAX = 4
"""So many places may be in vain before whoever is in the way is left out."""


class Around(Protocol):
    """A line."""

    @property
    def name(self) -> str: ...

    @property
    def is_open(self) -> bool: ...

    @property
    def is_slowed(self) -> bool: ...

    def look(self) -> int: ...


class Standing(Protocol):
    """A line among its operator's. It is in favour from `favour_ms` on."""

    favour_ms: int
    is_left_out: bool

    @property
    def line(self) -> Around: ...


S = TypeVar("S", bound=Standing)


class Circle(Generic[S]):
    """`watch` is told of one that was left out while it is out of favour: take_back() is due when it is in favour."""

    __slots__ = ("_all", "_is_stale", "_order", "_points", "_seats", "_watch")

    def __init__(self, watch: Callable[[S], None]) -> None:
        self._watch = watch
        self._all: list[tuple[int, int, S]] = []
        self._order = 0
        self._points: list[int] = []
        self._seats: list[S] = []
        self._is_stale = False

    def add(self, seat: S, weight: int) -> None:
        """It gets its places."""
        for number in range(min(POINTS * weight, POINTS_MAX)):
            self._order += 1
            self._all.append((_point(f"{seat.line.name}/{number}"), self._order, seat))
        self._all.sort()
        self._is_stale = True

    def remove(self, seat: S) -> None:
        """It is gone."""
        self._all = [place for place in self._all if place[2] is not seat]
        self._is_stale = True

    def take_back(self, seat: S) -> None:
        """It is in favour, and perhaps open."""
        if seat.is_left_out and seat.line.is_open:
            seat.is_left_out = False
            self._is_stale = True

    def home_of(self, number: str, now_ms: int) -> S | None:
        """The line in favour that is next on the circle, with room or without; None: there is none. One that is slowed
        and has no room is passed over: what comes next stands in for it.
        """
        if self._is_stale:
            self._lay()
        if not self._points:
            return None
        point = _point(number)
        while self._points:
            start, seats = bisect_left(self._points, point), self._seats
            for step in range(start, start + _STEPS_MAX):
                seat = seats[step % len(seats)]
                if seat.line.is_open and seat.favour_ms <= now_ms and not _is_worn_out(seat):
                    return seat
            self._leave_out(now_ms)
        return None

    def _leave_out(self, now_ms: int) -> None:
        for seat in set(self._seats):
            if seat.favour_ms > now_ms:
                self._watch(seat)
                seat.is_left_out = True
            elif not seat.line.is_open or _is_worn_out(seat):
                seat.is_left_out = True
        self._lay()

    def _lay(self) -> None:
        there = [place for place in self._all if not place[2].is_left_out]
        self._points = [place[0] for place in there]
        self._seats = [place[2] for place in there]
        self._is_stale = False


def _is_worn_out(seat: Standing) -> bool:
    """It is slowed, and has no room. Who asks is told of room."""
    return seat.line.look() <= 0 and seat.line.is_slowed


def _point(text: str) -> int:
    """A place on the circle."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")
