"""Which line a message goes by: weights, priorities, falling over at once and back with patience, numbers that stay."""

from collections import Counter
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from traffic.routes import LATELY_MS, SETTLE_MAX_MS, SETTLE_MS, SPARED_MS, Routes, Terms


@dataclass(eq=False)
class Road:
    """A line whose room is spent by whoever is told to."""

    name: str
    terms: Terms = field(default_factory=Terms)
    is_open: bool = True
    room: int = 1_000_000
    looks: int = 0
    is_slowed: bool = False

    def look(self) -> int:
        self.looks += 1
        return self.room if self.is_open else 0


def roads(*lines: Road, at: int = 0) -> Routes[Road]:
    routes: Routes[Road] = Routes()
    for line in lines:
        routes.opened(line, at)
    return routes


def shares(routes: Routes[Road], many: int, at: int = 0, **wishes: str) -> Counter[str]:
    chosen: Counter[str] = Counter()
    for _ in range(many):
        line = routes.choose(at, **wishes)
        chosen[line.name if line is not None else ""] += 1
    return chosen


def test_equal_lines_share_equally() -> None:
    routes = roads(Road("a"), Road("b"), Road("c"))
    assert shares(routes, 300) == {"a": 100, "b": 100, "c": 100}


def test_weights_are_shares() -> None:
    routes = roads(Road("a", Terms(weight=1)), Road("b", Terms(weight=4)))
    assert shares(routes, 500) == {"a": 100, "b": 400}


@given(st.lists(st.integers(1, 100), min_size=1, max_size=8), st.integers(1, 3000))
def test_at_any_moment_each_has_its_share_but_for_one_message(weights: list[int], many: int) -> None:
    lines = [Road(f"line-{index}", Terms(weight=weight)) for index, weight in enumerate(weights)]
    chosen = shares(roads(*lines), many)
    for line in lines:
        due = many * line.terms.weight / sum(weights)
        assert abs(chosen[line.name] - due) <= len(lines), (line, due, chosen)


def test_the_best_priority_takes_all_while_it_is_up() -> None:
    first, second = Road("first"), Road("second", Terms(priority=2))
    routes = roads(second, first)
    assert shares(routes, 10) == {"first": 10}
    first.is_open = False
    assert shares(routes, 10) == {"second": 10}


def test_one_that_is_only_full_is_waited_for() -> None:
    first, second = Road("first", room=0), Road("second", Terms(priority=2))
    routes = roads(first, second)
    assert routes.choose(0) is None
    first.room = 1
    assert routes.choose(0) is None, "nobody told of the room"
    routes.has_room(first, 0)
    assert routes.choose(0) is first


def test_a_full_one_leaves_its_share_to_its_equals() -> None:
    full = Road("full", room=0)
    routes = roads(full, Road("free"))
    assert shares(routes, 10) == {"free": 10}


def test_one_that_was_full_makes_up_for_nothing() -> None:
    full = Road("full", room=0)
    routes = roads(full, Road("free"))
    shares(routes, 100)
    full.room = 1_000_000
    routes.has_room(full, 0)
    assert shares(routes, 100) == {"free": 50, "full": 50}


def test_nobody_waits_for_a_line_that_is_slowed_but_what_it_can_take_goes_by_it() -> None:
    first, second = Road("first", room=0, is_slowed=True), Road("second", Terms(priority=2))
    routes = roads(first, second)

    assert routes.choose(0) is second
    first.room = 1
    routes.has_room(first, 10)
    assert routes.choose(10) is first
    first.room = 0
    assert routes.choose(11) is second
    first.is_slowed = False
    routes.has_room(first, 20)
    assert routes.choose(20) is None, "its full rate again: it is waited for"


def test_a_full_line_that_is_slowed_meanwhile_is_waited_for_no_longer() -> None:
    first, second = Road("first", room=0), Road("second", Terms(priority=2))
    routes = roads(first, second)
    assert routes.choose(0) is None

    first.is_slowed = True

    assert routes.choose(0) is second


def test_a_full_line_that_closes_hands_over_to_the_next_priority() -> None:
    first, second = Road("first", room=0), Road("second", Terms(priority=2))
    routes = roads(first, second)
    assert routes.choose(0) is None
    first.is_open = False
    assert routes.choose(0) is second


def test_a_line_that_came_back_is_in_favour_only_after_a_while() -> None:
    first, second = Road("first"), Road("second", Terms(priority=2))
    routes = roads(first, second)
    first.is_open = False
    assert routes.choose(100_000) is second
    first.is_open = True
    routes.opened(first, 100_000)
    assert routes.choose(100_000 + SETTLE_MS - 1) is second
    assert routes.choose(100_000 + SETTLE_MS) is first


def test_a_line_that_flaps_is_out_of_favour_ever_longer() -> None:
    first, second = Road("first"), Road("second", Terms(priority=2))
    routes = roads(first, second)
    waits = []
    now = 0
    for _ in range(8):
        now += 3_000
        routes.opened(first, now)
        waits.append(next(ms for ms in range(0, SETTLE_MAX_MS + 1, 500) if routes.choose(now + ms) is first))
    assert waits == [2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]
    routes.opened(first, now + LATELY_MS)
    assert routes.choose(now + LATELY_MS + SETTLE_MS) is first, "it was up for long, and is as good as new"


def test_one_out_of_favour_is_used_where_nobody_else_is_up() -> None:
    first, second = Road("first"), Road("second", Terms(priority=2))
    routes = roads(first, second)
    first.is_open = False
    routes.opened(second, 1_000)
    assert routes.choose(1_001) is second


def test_a_line_that_was_up_for_long_and_is_lost_is_back_sooner_than_it_would_have_been() -> None:
    first, second = Road("first"), Road("second", Terms(priority=2))
    routes = roads(first, second)
    for _ in range(6):
        routes.opened(first, 0)
    assert routes.choose(0) is second
    routes.opened(first, LATELY_MS)
    assert LATELY_MS + SETTLE_MS < SETTLE_MAX_MS
    assert routes.choose(LATELY_MS + SETTLE_MS) is first


def test_a_throttled_line_is_spared_for_a_moment() -> None:
    first, second = Road("first"), Road("second", Terms(priority=2))
    routes = roads(first, second)
    routes.throttled(first, 500)
    assert routes.choose(500) is second
    assert routes.choose(500 + SPARED_MS - 1) is second
    assert routes.choose(500 + SPARED_MS) is first


def test_a_throttled_line_alone_is_still_used() -> None:
    only = Road("only")
    routes = roads(only)
    routes.throttled(only, 0)
    assert routes.choose(1) is only


def test_a_message_goes_by_its_own_line() -> None:
    routes = roads(Road("a"), Road("b", Terms(priority=9)))
    assert shares(routes, 10, own="b") == {"b": 10}


def test_a_message_whose_own_line_is_full_closed_or_flapping_goes_by_another() -> None:
    own = Road("own", room=0)
    routes = roads(own, Road("other"))
    assert shares(routes, 2, own="own") == {"other": 2}
    own.room, own.is_open = 5, False
    assert shares(routes, 2, own="own") == {"other": 2}
    own.is_open = True
    routes.opened(own, 1_000)
    assert shares(routes, 2, at=1_000, own="own") == {"other": 2}
    assert shares(routes, 2, at=1_000, own="unheard of") == {"other": 2}


def test_nobody_is_up() -> None:
    closed = Road("closed", is_open=False)
    assert roads(closed).choose(0) is None
    assert Routes[Road]().choose(0, own="x", number="79001112233") is None


STICKY = Terms(sticky=True)


def numbers(many: int) -> list[str]:
    return [f"7900{index:07d}" for index in range(many)]


def test_a_number_stays_on_its_line() -> None:
    routes = roads(*(Road(f"line-{index}", STICKY) for index in range(5)))
    homes = {number: routes.choose(0, number=number) for number in numbers(500)}
    assert {number: routes.choose(0, number=number) for number in numbers(500)} == homes
    spread = Counter(line.name for line in homes.values() if line is not None)
    assert len(spread) == 5
    assert min(spread.values()) > 30, spread


def test_only_the_numbers_of_a_lost_line_move_and_they_come_back() -> None:
    lines = [Road(f"line-{index}", STICKY) for index in range(5)]
    routes = roads(*lines)
    homes = {number: routes.choose(0, number=number) for number in numbers(500)}
    lines[2].is_open = False
    moved = {number: routes.choose(0, number=number) for number in numbers(500)}
    assert all((moved[number] is not home) == (home is lines[2]) for number, home in homes.items())
    lines[2].is_open = True
    routes.opened(lines[2], 10_000)
    later = 10_000 + SETTLE_MS
    assert {number: routes.choose(later, number=number) for number in numbers(500)} == homes


def test_a_number_waits_for_its_line_that_is_only_full() -> None:
    lines = [Road(f"line-{index}", STICKY) for index in range(3)]
    routes = roads(*lines)
    home = routes.choose(0, number="79001112233")
    assert home is not None
    home.room = 0
    assert routes.choose(0, number="79001112233") is home


def test_weights_hold_for_numbers_too() -> None:
    routes = roads(Road("light", Terms(sticky=True)), Road("heavy", Terms(weight=4, sticky=True)))
    chosen = Counter(line.name for number in numbers(2000) if (line := routes.choose(0, number=number)) is not None)
    assert 2.5 < chosen["heavy"] / chosen["light"] < 7, chosen


def test_a_line_made_anew_keeps_the_name_of_one_that_flaps() -> None:
    first, other = Road("first"), Road("other", Terms(priority=2))
    routes = roads(first, other)
    routes.opened(first, 1_000)
    routes.opened(first, 4_000)
    again = Road("first")
    routes.opened(again, 7_000)
    assert list(routes) == [other, again]
    assert routes.choose(7_000 + 7_999) is other
    assert routes.choose(7_000 + 8_000) is again
    assert first.looks == 0


def test_a_line_that_is_gone_is_chosen_no_more() -> None:
    a, b = Road("a", STICKY), Road("b", STICKY)
    routes = roads(a, b)
    routes.remove("a")
    routes.has_room(a, 0)
    assert shares(routes, 5) == {"b": 5}
    assert {routes.choose(0, number=number) for number in numbers(50)} == {b}


def test_those_without_room_are_not_looked_at_again() -> None:
    full = [Road(f"full-{index}", room=0) for index in range(200)]
    routes = roads(*full, Road("free"))
    shares(routes, 1000)
    assert sum(line.looks for line in full) == 200


def kept(routes: Routes[Road]) -> int:
    """Places that are held for lines, for as long as nobody waits for them to be in favour."""
    ranks = sum(len(rank._heap) + len(rank.due) for rank in routes._ranks.values())
    return len(routes._spared._heap) + ranks


def test_lines_that_are_made_anew_leave_nothing_behind_while_a_better_one_is_up() -> None:
    routes = roads(Road("first"), Road("fixed", Terms(priority=2)), Road("second", Terms(priority=2)))
    for again in range(1000):
        routes.opened(Road("second", Terms(priority=2)), 5_000 + again)
    at_once = kept(routes)
    for again in range(1000):
        now = 100_000 + again * (SETTLE_MAX_MS + 1)
        routes.opened(Road("second", Terms(priority=2)), now)
        assert shares(routes, 1, now + SETTLE_MAX_MS) == {"first": 1}

    assert at_once <= 3 * 3
    assert kept(routes) <= 3 * 3


def test_a_line_that_flaps_where_nobody_needs_it_waits_in_one_place() -> None:
    second = Road("second", Terms(priority=2))
    routes = roads(Road("first"), second)
    for again in range(1, 1000):
        now = again * (SETTLE_MAX_MS + 1)
        routes.opened(second, now)
        assert shares(routes, 1, now + SETTLE_MAX_MS) == {"first": 1}

    assert kept(routes) <= 2 * 3


def test_a_line_that_was_made_anew_is_still_the_least_bad() -> None:
    first, second = Road("first"), Road("second")
    routes = roads(first, second)
    for _ in range(100):
        second = Road("second")
        routes.opened(second, 1_000)
    first.is_open = False

    assert shares(routes, 10, 1_001) == {"second": 10}
    assert routes.choose(1_001) is second


class Any(RuleBasedStateMachine):
    """Lines open, close, fill, throttle in any order: who is chosen is open, and somebody is chosen if he can be."""

    @initialize(
        terms=st.lists(st.builds(Terms, st.integers(1, 3), st.integers(1, 5), st.booleans()), min_size=1, max_size=6)
    )
    def begin(self, terms: list[Terms]) -> None:
        self.now = 0
        self.lines = [Road(f"line-{index}", each, is_open=False) for index, each in enumerate(terms)]
        self.routes: Routes[Road] = Routes()
        self.told: set[str] = set()

    @rule(which=st.integers(0, 5), ms=st.integers(0, 40_000))
    def open(self, which: int, ms: int) -> None:
        self.now += ms
        line = self.lines[which % len(self.lines)]
        line.is_open, line.room = True, 1000
        self.routes.opened(line, self.now)

    @rule(which=st.integers(0, 5))
    def close(self, which: int) -> None:
        self.lines[which % len(self.lines)].is_open = False

    @rule(which=st.integers(0, 5))
    def fill(self, which: int) -> None:
        self.lines[which % len(self.lines)].room = 0

    @rule(which=st.integers(0, 5))
    def empty(self, which: int) -> None:
        line = self.lines[which % len(self.lines)]
        line.room = 1000
        self.routes.has_room(line, self.now)

    @rule(which=st.integers(0, 5))
    def throttle(self, which: int) -> None:
        self.routes.throttled(self.lines[which % len(self.lines)], self.now)

    @rule(own=st.integers(0, 9), number=st.sampled_from(["", "79001112233", "79005556677"]), ms=st.integers(0, 3_000))
    def choose(self, own: int, number: str, ms: int) -> None:
        self.now += ms
        line = self.routes.choose(self.now, own=f"line-{own}", number=number)
        if line is not None:
            assert line.is_open
            assert line.room > 0 or (number and line.terms.sticky)

    @invariant()
    def somebody_with_room_is_found_where_all_have_it(self) -> None:
        if not hasattr(self, "lines"):
            return
        open_lines = [line for line in self.lines if line.is_open]
        if open_lines and all(line.room for line in open_lines):
            for line in open_lines:
                self.routes.has_room(line, self.now)
            assert self.routes.choose(self.now) is not None


TestAny = Any.TestCase
