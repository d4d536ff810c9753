"""Room in a window: who looked in vain is told once, by what is heard or by time, and nobody else is."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from smsc_link.room import Room
from tests.smsc_link.virtual import VirtualClock, virtually


@dataclass
class Window:
    """A session's window as far as room goes."""

    room: int = 0
    opens_ms: int = 0

    def room_at(self, now_ms: int) -> int:
        return self.room

    def room_at_ms(self, now_ms: int) -> int:
        return self.opens_ms


@dataclass
class Desk:
    """To be made inside a story."""

    window: Any = field(default_factory=Window)
    told: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = VirtualClock()
        self.room = Room(self.window, self.clock, lambda: self.told.append(asyncio.get_running_loop().time()))


def test_who_looked_in_vain_is_told_once_when_something_was_heard() -> None:
    async def story() -> None:
        desk = Desk()
        seen = [desk.room.look(), desk.room.look()]

        for _ in range(2):
            desk.room.appeared()

        assert seen == [0, 0]
        assert len(desk.told) == 1
        assert not desk.room.is_awaited

    virtually(story())


def test_who_found_room_or_only_asked_how_much_there_is_is_told_nothing() -> None:
    async def story() -> None:
        desk = Desk(Window(room=3))
        found = desk.room.look()
        desk.window.room = 0
        asked = desk.room.now()

        desk.room.appeared()

        assert (found, asked, desk.told) == (3, 0, [])

    virtually(story())


def test_a_spent_rate_opens_with_time_and_with_one_timer() -> None:
    async def story() -> None:
        desk = Desk()
        desk.window.opens_ms = desk.clock.monotonic_ms() + 400
        start = asyncio.get_running_loop().time()
        desk.room.look()
        desk.room.look()

        await asyncio.sleep(2)

        assert [round(at - start, 1) for at in desk.told] == [0.4]

    virtually(story())


def test_a_session_that_is_over_tells_nothing_any_more() -> None:
    async def story() -> None:
        desk = Desk()
        desk.window.opens_ms = desk.clock.monotonic_ms() + 400
        desk.room.look()

        desk.room.closed()
        await asyncio.sleep(2)

        assert desk.told == []

    virtually(story())
