"""Blocking work: in order on one thread, its failures where they belong."""

import asyncio
import sys
import threading
import time

import pytest

from plumbing.threads import InlineWriter, Readers, Writer
from tests.case import AsyncioTestCase
from tests.smsc_link.virtual import virtually


class TheWriter(AsyncioTestCase):
    def setUp(self) -> None:
        self.writer = Writer()
        self.writer.start()

    async def tearDown(self) -> None:
        await self.writer.stop()

    async def test_work_is_done_in_order_on_one_thread(self) -> None:
        done: list[tuple[int, int]] = []
        work = [self.writer.run(lambda n=n: done.append((n, threading.get_ident()))) for n in range(200)]
        await asyncio.gather(*work)

        assert [number for number, _ in done] == list(range(200))
        assert {thread for _, thread in done} == {self.writer._thread.ident}
        assert self.writer.waiting == 0

    async def test_a_result_comes_back_and_so_does_a_failure(self) -> None:
        assert await self.writer.run(divmod, 7, 2) == (3, 1)
        with pytest.raises(ZeroDivisionError):
            await self.writer.run(divmod, 7, 0)
        with pytest.raises(SystemExit):
            await self.writer.run(sys.exit, 1)
        with pytest.raises(RuntimeError, match="StopIteration"):
            await self.writer.run(next, iter(()))
        assert await self.writer.run(max, 1, 2) == 2, "the thread lives on"

    async def test_work_goes_on_when_its_caller_is_cancelled(self) -> None:
        entered, go_on, done = threading.Event(), threading.Event(), []

        def work() -> None:
            entered.set()
            go_on.wait(5)
            done.append("work")

        task = asyncio.ensure_future(self.writer.run(work))
        later = asyncio.ensure_future(self.writer.run(done.append, "later"))
        await asyncio.get_running_loop().run_in_executor(None, entered.wait, 5)
        task.cancel()
        go_on.set()
        await later

        assert task.cancelled()
        assert done == ["work", "later"]

    async def test_the_loop_is_not_held_up(self) -> None:
        entered, go_on = threading.Event(), threading.Event()

        def hold() -> None:
            entered.set()
            go_on.wait(5)

        work = asyncio.ensure_future(self.writer.run(hold))
        await asyncio.get_running_loop().run_in_executor(None, entered.wait, 5)
        began = time.monotonic()
        await asyncio.sleep(0)
        assert time.monotonic() - began < 1
        go_on.set()
        await work

    async def test_the_interpreters_lock_is_handed_over_quickly(self) -> None:
        assert sys.getswitchinterval() <= 0.0005


class TheReaders(AsyncioTestCase):
    async def test_they_read_at_the_same_time(self) -> None:
        readers = Readers(2)
        barrier = threading.Barrier(2, timeout=5)

        await asyncio.gather(readers.run(barrier.wait), readers.run(barrier.wait))
        with pytest.raises(ZeroDivisionError):
            await readers.run(divmod, 1, 0)
        readers.stop()


def test_an_inline_writer_keeps_the_order_whatever_each_takes() -> None:
    async def story() -> None:
        delays = iter([5.0, 1.0, 3.0])
        writer = InlineWriter(lambda: next(delays))
        done: list[int] = []
        await asyncio.gather(*(writer.run(done.append, number) for number in range(3)))

        assert done == [0, 1, 2]
        assert asyncio.get_running_loop().time() - 1000 == pytest.approx(9)

    virtually(story())


def test_an_inline_writer_passes_failures_on() -> None:
    async def story() -> None:
        writer = InlineWriter()
        with pytest.raises(ZeroDivisionError):
            await writer.run(divmod, 1, 0)
        assert writer.waiting == 0

    virtually(story())
