"""A new version of the catalogue is in force within a second, whatever went wrong before it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from core.errors import ProvisioningError, StoreAway
from tests.way.office import story
from tollbridge.watch import watch_catalogue

IN_FORCE_S = 1.0
READ_S = 0.4
"""What the reading of a catalogue may take, with the building of its table, for the second to be kept."""


@dataclass
class Place:
    """The database's version, and the version that a process goes by. `fails` is asked before each read."""

    version: int = 1
    present: int = 1
    taken_at: list[float] = field(default_factory=list)
    fails: Callable[[], Exception | None] = lambda: None
    take_fails: Callable[[], Exception | None] = lambda: None

    async def read_version(self) -> int:
        error = self.fails()
        if error is not None:
            raise error
        return self.version

    async def take(self) -> None:
        version = self.version
        await asyncio.sleep(READ_S)
        error = self.take_fails()
        if error is not None:
            raise error
        self.present = version
        self.taken_at.append(asyncio.get_running_loop().time())

    def watch(self) -> "asyncio.Task[None]":
        return asyncio.get_running_loop().create_task(watch_catalogue(self.read_version, self.present, self.take))


@pytest.mark.parametrize("after_s", [0.0, 0.1, 0.3, 0.499, 0.5, 0.501, 7.77])
@story
async def test_it_is_in_force_within_a_second_whenever_it_was_written(after_s: float) -> None:
    place = Place()
    task = place.watch()
    await asyncio.sleep(after_s)

    place.version = 2
    await asyncio.sleep(IN_FORCE_S)

    assert place.present == 2
    assert not task.done()


@story
async def test_one_that_is_written_while_another_is_taken_is_in_force_a_second_later() -> None:
    place = Place()
    place.watch()
    place.version = 2
    await asyncio.sleep(0.6)
    assert place.present == 1, "it is being read"

    place.version = 3
    await asyncio.sleep(READ_S + IN_FORCE_S)

    assert place.present == 3


@story
async def test_it_is_in_force_within_a_second_after_the_database_is_back() -> None:
    place = Place(fails=lambda: StoreAway("away"))
    place.watch()
    place.version = 2
    await asyncio.sleep(60)
    assert place.taken_at == []

    place.fails = lambda: None
    await asyncio.sleep(IN_FORCE_S)

    assert place.present == 2


@story
async def test_one_that_cannot_be_taken_is_tried_once_and_the_next_one_is_taken() -> None:
    tries: list[int] = []

    def refuse() -> Exception:
        tries.append(1)
        return ProvisioningError("two prefixes overlap")

    place = Place(take_fails=refuse)
    place.watch()
    place.version = 2
    await asyncio.sleep(10)
    assert (place.present, len(tries)) == (1, 1)

    place.take_fails = lambda: None
    place.version = 3
    await asyncio.sleep(IN_FORCE_S)

    assert place.present == 3


@story
async def test_one_whose_reading_broke_off_is_read_again() -> None:
    errors: list[Exception] = [StoreAway("gone in the middle")]
    place = Place(take_fails=lambda: errors.pop() if errors else None)
    place.watch()

    place.version = 2
    await asyncio.sleep(2 * IN_FORCE_S)

    assert place.present == 2
