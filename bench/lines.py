"""Which line a message goes by: how long the choice takes, by how many lines there are, and by what they suffer.

bench_lines   CPU per choice among 1, 2, 20 and 200 lines, by weight and with numbers that stay; and among 200 of which
              few or none can be used → Section

Aim: under 5 µs with 200 lines, whatever they suffer.

Rule: every line is chosen as often as its weight says, and none that is down; else nothing is measured.
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from bench.table import Section
from traffic.routes import Routes, Terms

_LINES = (1, 2, 20, 200)
_ROUNDS = 3


@dataclass(slots=True, eq=False)
class _Line:
    name: str
    terms: Terms
    is_open: bool = True
    room: int = 100
    is_slowed: bool = False

    def look(self) -> int:
        return self.room


def _throttled(routes: Routes[_Line]) -> None:
    for line in routes:
        routes.throttled(line, 0)


def _full(routes: Routes[_Line]) -> None:
    for line in routes:
        line.room = 0


def _full_and_throttled(routes: Routes[_Line]) -> None:
    _full(routes)
    _throttled(routes)


def _one_is_left(routes: Routes[_Line]) -> None:
    *others, _ = routes
    for line in others:
        line.is_open = False


def _one_is_not_throttled(routes: Routes[_Line]) -> None:
    *others, _ = routes
    for line in others:
        routes.throttled(line, 0)


_WORST: dict[str, Callable[[Routes[_Line]], None]] = {
    "all throttled": _throttled,
    "all full": _full,
    "all full and throttled": _full_and_throttled,
    "199 down": _one_is_left,
    "199 throttled": _one_is_not_throttled,
}


def bench_lines(*, quick: bool) -> Section:
    """Nanoseconds per choice."""
    number = 10_000 if quick else 100_000
    numbers = [f"7900{index:07d}" for index in range(number)]
    rows = []
    for lines in _LINES:
        by_weight = _routes(lines, sticky=False)
        chosen = Counter(line.terms.weight for _ in range(15 * lines) if (line := by_weight.choose(0)) is not None)
        assert lines < 5 or len(set(chosen.values())) == 5, chosen
        rows.append(
            (str(lines), _microseconds(by_weight, numbers), _microseconds(_routes(lines, sticky=True), numbers))
        )
    for words, suffer in _WORST.items():
        times = []
        for sticky in (False, True):
            routes = _routes(_LINES[-1], sticky=sticky)
            suffer(routes)
            used = {routes.choose(0, number=number) for number in numbers[:1000]}
            assert "199" not in words or used == {[*routes][-1]}, used
            times.append(_microseconds(routes, numbers))
        rows.append((f"{_LINES[-1]}, {words}", times[0], times[1]))
    priorities = _routes(_LINES[-1], sticky=False, priorities=100)
    _one_is_left(priorities)
    assert priorities.choose(0) is [*priorities][-1]
    rows.append((f"{_LINES[-1]} of 100 priorities, 199 down", _microseconds(priorities, numbers), ""))
    return Section(
        "lines",
        "Choice of a line for a message, one processor",
        ("lines", "by weight, µs", "numbers that stay, µs"),
        tuple(rows),
        ("Aim: under 5 µs with 200, whatever they suffer.",),
    )


def _routes(lines: int, *, sticky: bool, priorities: int = 1) -> Routes[_Line]:
    routes: Routes[_Line] = Routes()
    for index in range(lines):
        priority = 1 + index * priorities // lines
        routes.opened(_Line(f"line-{index}", Terms(priority=priority, weight=1 + index % 5, sticky=sticky)), 0)
    return routes


def _microseconds(routes: Routes[_Line], numbers: list[str]) -> str:
    best = 0.0
    for _ in range(_ROUNDS):
        began = time.process_time_ns()
        for number in numbers:
            routes.choose(0, number=number)
        taken = (time.process_time_ns() - began) / len(numbers) / 1000
        best = min(best or taken, taken)
    return f"{best:.2f}"
