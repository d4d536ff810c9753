"""The choice of a line is the one that plain_routes.py makes, whatever became of the lines before."""

from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.traffic.plain_routes import PlainRoutes
from traffic.routes import Routes, Terms

NUMBERS = [f"7900{number:07d}" for number in range(5)]


@dataclass(eq=False)
class Road:
    """A line that keeps its word: asked in vain, it tells of room."""

    name: str
    terms: Terms
    is_open: bool = False
    room: int = 2
    is_awaited: bool = False
    is_slowed: bool = False

    def look(self) -> int:
        if not self.is_open or not self.room:
            self.is_awaited = True
            return 0
        return self.room


class Both(RuleBasedStateMachine):
    """Lines open, close, fill, empty, are throttled, made anew and removed; both are told the same and choose."""

    @initialize(
        terms=st.lists(
            st.builds(Terms, st.integers(1, 3), st.sampled_from([1, 2, 3, 7, 100]), st.booleans()),
            min_size=1,
            max_size=9,
        )
    )
    def begin(self, terms: list[Terms]) -> None:
        self.now = 0
        self.lines = [Road(f"line-{index}", each) for index, each in enumerate(terms)]
        self.routes: Routes[Road] = Routes()
        self.plain = PlainRoutes()
        for line in self.lines:
            self._open(line)

    def _open(self, line: Road) -> None:
        line.is_open, line.is_awaited = True, False
        self.routes.opened(line, self.now)
        self.plain.opened(line, self.now)

    def _tell(self, line: Road) -> None:
        line.is_awaited = False
        self.routes.has_room(line, self.now)
        self.plain.has_room(line, self.now)

    def _line(self, which: int) -> Road:
        return self.lines[which % len(self.lines)]

    @rule(which=st.integers(0, 8))
    def binds_again(self, which: int) -> None:
        self._open(self._line(which))

    @rule(which=st.integers(0, 8))
    def is_held_or_lost(self, which: int) -> None:
        self._line(which).is_open = False

    @rule()
    def are_all_lost(self) -> None:
        for line in self.lines:
            line.is_open = False

    @rule(which=st.integers(0, 8))
    def is_let_go(self, which: int) -> None:
        line = self._line(which)
        if not line.is_open:
            line.is_open = True
            self._tell(line)

    @rule(which=st.integers(0, 8))
    def fills(self, which: int) -> None:
        self._line(which).room = 0

    @rule(which=st.integers(0, 8), room=st.integers(1, 3), is_told_anyway=st.booleans())
    def has_room(self, which: int, room: int, is_told_anyway: bool) -> None:
        line = self._line(which)
        line.room = room
        if line.is_awaited or is_told_anyway:
            self._tell(line)

    @rule(which=st.integers(0, 8))
    def is_slowed(self, which: int) -> None:
        self._line(which).is_slowed = True

    @rule(which=st.integers(0, 8))
    def is_slowed_no_more(self, which: int) -> None:
        line = self._line(which)
        if line.is_slowed:
            line.is_slowed = False
            self._tell(line)

    @rule(which=st.integers(0, 8))
    def is_throttled(self, which: int) -> None:
        line = self._line(which)
        self.routes.throttled(line, self.now)
        self.plain.throttled(line, self.now)

    @rule()
    def are_all_throttled(self) -> None:
        for which in range(len(self.lines)):
            self.is_throttled(which)

    @rule(which=st.integers(0, 8), terms=st.builds(Terms, st.integers(1, 3), st.just(5), st.booleans()))
    def is_made_anew(self, which: int, terms: Terms) -> None:
        before = self._line(which)
        before.is_open = False
        self.lines[which % len(self.lines)] = line = Road(before.name, terms)
        self._open(line)

    @rule(which=st.integers(0, 8))
    def is_removed(self, which: int) -> None:
        line = self._line(which)
        self.routes.remove(line.name)
        self.plain.remove(line.name)

    @rule(ms=st.sampled_from([1, 500, 2_000, 4_000, 30_000, 60_000]))
    def time_passes(self, ms: int) -> None:
        self.now += ms

    @rule(own=st.integers(0, 9), number=st.sampled_from(["", *NUMBERS]), many=st.integers(1, 20))
    def choose(self, own: int, number: str, many: int) -> None:
        for _ in range(many):
            self._choose(f"line-{own}", number)

    @invariant()
    def choose_for_some(self) -> None:
        if hasattr(self, "lines"):
            for number in ("", *NUMBERS):
                self._choose("", number)

    def _choose(self, own: str, number: str) -> None:
        expected = self.plain.choose(self.now, own=own, number=number)
        assert self.routes.choose(self.now, own=own, number=number) is expected


Both.TestCase.settings = settings(max_examples=100, stateful_step_count=40)
TestBoth = Both.TestCase
