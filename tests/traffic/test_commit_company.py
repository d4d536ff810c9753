"""How long a fact waits on purpose for company: only under load, at most max_delay_ms, and not for what is there."""

import asyncio
from collections.abc import Sequence

from plumbing.threads import InlineWriter
from store.journal import Fact
from tests.traffic.desk import HandClock
from tests.traffic.test_commit import an_alert
from tests.way.office import story
from traffic.commit import Batcher

DELAY_S = 5.0


class Hall:
    """A batcher with a long delay, so that waiting shows; batches are noted with the moment they went at."""

    def __init__(self, *, max_batch: int = 500) -> None:
        self.went: list[tuple[float, int]] = []
        self.batcher = Batcher(
            self, InlineWriter().run, HandClock(), max_batch=max_batch, max_delay_ms=int(DELAY_S * 1000)
        )
        self._begun = asyncio.get_running_loop().time()
        self._task = asyncio.ensure_future(self.batcher.run())

    def write(self, facts: Sequence[Fact]) -> None:
        self.went.append((round(asyncio.get_running_loop().time() - self._begun, 3), len(facts)))

    def resolve(self, doubtful: Sequence[Fact], refused: Sequence[Fact]) -> bool:
        raise AssertionError("nothing is away")

    def come(self, count: int) -> None:
        for _ in range(count):
            self.batcher.put(an_alert(), lambda fact, error: None)

    async def is_under_load(self, size: int) -> None:
        """A batch of this size has gone; time begins anew."""
        self.come(size)
        await self.batcher.drained()
        self.went.clear()
        self._begun = asyncio.get_running_loop().time()


@story
async def test_who_comes_alone_to_an_idle_writer_waits_for_nobody() -> None:
    hall = Hall()

    for _ in range(3):
        hall.come(1)
        await hall.batcher.drained()

    assert hall.went == [(0.0, 1)] * 3


@story
async def test_under_load_company_is_waited_for_and_at_most_so_long() -> None:
    hall = Hall()
    await hall.is_under_load(10)

    hall.come(2)
    await asyncio.sleep(DELAY_S - 1)
    hall.come(3)
    await hall.batcher.drained()

    assert hall.went == [(DELAY_S, 5)]


@story
async def test_a_batch_as_large_as_the_last_one_goes_at_once() -> None:
    hall = Hall()
    await hall.is_under_load(10)

    hall.come(10)
    await hall.batcher.drained()

    assert hall.went == [(0.0, 10)]


@story
async def test_a_batch_that_becomes_full_while_it_waits_goes_at_once() -> None:
    hall = Hall(max_batch=4)
    await hall.is_under_load(4)

    hall.come(1)
    await asyncio.sleep(1)
    hall.come(1)
    await asyncio.sleep(1)
    hall.come(2)
    await hall.batcher.drained()

    assert hall.went == [(2.0, 4)]


@story
async def test_what_came_alone_after_a_wait_in_vain_ends_the_waiting() -> None:
    hall = Hall()
    await hall.is_under_load(10)

    hall.come(1)
    await hall.batcher.drained()
    hall.come(1)
    await hall.batcher.drained()

    assert hall.went == [(DELAY_S, 1)] * 2
