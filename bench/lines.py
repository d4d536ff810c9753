"""Which line a message goes by: how long the choice takes, by how many lines there are.

bench_lines   ns of CPU per choice among 1, 2, 20 and 200 lines, by weight and with numbers that stay → Section

Aim: under 5 µs with 200 lines.

Rule: every line is chosen as often as its weight says; else nothing is measured.
"""

import time
from collections import Counter
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

    def look(self) -> int:
        return 100


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
    return Section(
        "lines",
        "Choice of a line for a message, one processor",
        ("lines", "by weight, µs", "numbers that stay, µs"),
        tuple(rows),
        ("Aim: under 5 µs with 200.",),
    )


def _routes(lines: int, *, sticky: bool) -> Routes[_Line]:
    routes: Routes[_Line] = Routes()
    for index in range(lines):
        routes.opened(_Line(f"line-{index}", Terms(weight=1 + index % 5, sticky=sticky)), 0)
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
