"""Numbers that stay: whoever is in the way is left out, and stands where it stood when it is back."""

from collections.abc import Iterable
from dataclasses import dataclass

from tests.traffic.test_routes import STICKY, Road, numbers, roads
from traffic.circle import Circle
from traffic.routes import SPARED_MS, Routes, Terms


@dataclass(eq=False)
class Seat:
    line: Road
    favour_ms: int = 0
    is_left_out: bool = False


class Counting:
    """A line that counts how often it is asked whether it is open."""

    terms = STICKY
    is_slowed = False

    def __init__(self, name: str, asked: list[str]) -> None:
        self.name = name
        self.asked = asked
        self.is_up = True

    @property
    def is_open(self) -> bool:
        self.asked.append(self.name)
        return self.is_up

    def look(self) -> int:
        return 1


def homes(routes: Routes[Road], at: int, whose: Iterable[str]) -> list[Road | None]:
    return [routes.choose(at, number=number) for number in whose]


def test_a_slowed_line_without_room_has_one_stand_in_for_each_number_and_they_come_back() -> None:
    lines = [Road(f"line-{index}", STICKY) for index in range(5)]
    routes = roads(*lines)
    before = homes(routes, 0, numbers(200))

    for line in lines[1:3]:
        line.room, line.is_slowed = 0, True
    stand_ins = [homes(routes, 0, numbers(200)) for _ in range(3)]
    for line in lines[1:3]:
        line.room = 1
        routes.has_room(line, 1)

    assert stand_ins[0] == stand_ins[1] == stand_ins[2]
    assert [home for home, old in zip(stand_ins[0], before) if old not in lines[1:3]] == [
        home for home in before if home not in lines[1:3]
    ]
    assert not {lines[1], lines[2]} & set(stand_ins[0])
    assert homes(routes, 1, numbers(200)) == before, "slowed still, and with room"


def test_lines_that_are_throttled_are_passed_over_and_back_where_they_were() -> None:
    lines = [Road(f"line-{index}", STICKY) for index in range(5)]
    routes = roads(*lines)
    before = homes(routes, 0, numbers(200))

    for line in lines[1:]:
        routes.throttled(line, 0)

    assert set(homes(routes, 0, numbers(200))) == {lines[0]}
    assert homes(routes, SPARED_MS, numbers(200)) == before


def test_lines_that_were_held_are_back_where_they_were() -> None:
    lines = [Road(f"line-{index}", STICKY) for index in range(5)]
    routes = roads(*lines)
    before = homes(routes, 0, numbers(200))

    for line in lines[1:]:
        line.is_open = False
    assert set(homes(routes, 0, numbers(200))) == {lines[0]}
    for line in lines[1:]:
        line.is_open = True
        routes.has_room(line, 0)

    assert homes(routes, 0, numbers(200)) == before


def test_a_choice_costs_a_few_looks_when_all_but_one_of_200_lines_are_down() -> None:
    asked: list[str] = []
    lines = [Counting(f"line-{index}", asked) for index in range(200)]
    routes: Routes[Counting] = Routes()
    for line in lines:
        routes.opened(line, 0)
    for line in lines[1:]:
        line.is_up = False
    assert routes.choose(0, number="79001112233") is lines[0]

    asked.clear()
    assert {routes.choose(0, number=number) for number in numbers(1000)} == {lines[0]}

    assert len(asked) <= 2000


def test_where_all_are_out_of_favour_nobody_has_a_home_and_each_is_watched() -> None:
    watched: list[Seat] = []
    circle: Circle[Seat] = Circle(watched.append)
    seats = [Seat(Road(f"line-{index}", Terms())) for index in range(5)]
    for seat in seats:
        circle.add(seat, weight=1)
    home = circle.home_of("79001112233", 0)

    for seat in seats:
        seat.favour_ms = 10
    assert circle.home_of("79001112233", 9) is None
    assert set(watched) == set(seats)

    for seat in watched:
        circle.take_back(seat)
    assert circle.home_of("79001112233", 10) is home
