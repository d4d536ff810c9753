"""Blocking work off the event loop.

Writer         one thread, work in the order in which it was given: all that is written to the database
InlineWriter   the same without a thread, for the simulation
Readers        a few threads for blocking reads, in no order

Rule: a function given here touches nothing that the loop's thread touches; it gets values and returns values.
"""

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Thread
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

SWITCH_INTERVAL_S = 0.0005
"""A batch of ten takes 17 ms beside a busy loop with the interpreter's default, 2.5 ms with this (stack.md, 3)."""


class Runs(Protocol):
    """Something that does blocking work: what `traffic` and `store` are handed."""

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        """What the function returns or raises."""
        ...


class Writer:
    """The single writer thread. What it was given is done in order, also after its caller was cancelled."""

    def __init__(self, name: str = "writer") -> None:
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread = Thread(target=self._work, name=name, daemon=True)
        self._waiting = 0

    def start(self) -> None:
        """Begin to work."""
        sys.setswitchinterval(min(sys.getswitchinterval(), SWITCH_INTERVAL_S))
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How much was given and is not done."""
        return self._waiting

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        """Do it when all before it is done; what it returns or raises."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._waiting += 1
        self._queue.put(_Job(function, args, loop, done, self._done))
        return await done

    async def stop(self) -> None:
        """Do what was given, then end."""
        if not self._thread.is_alive():
            return
        await self.run(lambda: None)
        self._queue.put(None)
        await asyncio.get_running_loop().run_in_executor(None, self._thread.join)

    def _done(self) -> None:
        self._waiting -= 1

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            job.work()


class _Job:
    """A function, and the future that waits for it."""

    __slots__ = ("_args", "_count", "_function", "_future", "_loop")

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        loop: asyncio.AbstractEventLoop,
        future: "asyncio.Future[Any]",
        count: Callable[[], None],
    ) -> None:
        self._function = function
        self._args = args
        self._loop = loop
        self._future = future
        self._count = count

    def work(self) -> None:
        """In the thread."""
        result: Any = None
        failure: BaseException | None = None
        try:
            result = self._function(*self._args)
        except BaseException as error:
            # All of it belongs to who waits: the thread must live on.
            failure = error
        try:
            self._loop.call_soon_threadsafe(self._settle, result, failure)
        except RuntimeError:
            pass  # The loop has ended; nobody waits any more.

    def _settle(self, result: Any, failure: BaseException | None) -> None:
        """On the loop."""
        self._count()
        if self._future.done():
            return  # cancelled
        if failure is None:
            self._future.set_result(result)
        elif isinstance(failure, StopIteration):
            # A future cannot hold it (PEP 479).
            self._future.set_exception(RuntimeError("the function raised StopIteration"))
        else:
            self._future.set_exception(failure)


class InlineWriter:
    """A writer without a thread: work is done inside run(), in order, after `delay_s()` of the loop's time."""

    def __init__(self, delay_s: Callable[[], float] | None = None) -> None:
        self._delay_s = delay_s
        self._turn = asyncio.Lock()
        self.waiting = 0

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        """Do it; what it returns or raises."""
        self.waiting += 1
        try:
            async with self._turn:
                await asyncio.sleep(self._delay_s() if self._delay_s else 0)
                return function(*args)
        finally:
            self.waiting -= 1

    def start(self) -> None:
        """Nothing to start."""

    async def stop(self) -> None:
        """Wait for what was given."""
        async with self._turn:
            pass


class Readers:
    """A few threads for blocking reads."""

    def __init__(self, count: int = 4) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="reader")

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        """Do it as soon as a thread is free; what it returns or raises."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, lambda: function(*args))

    def stop(self) -> None:
        """Begin nothing more; what has begun ends by itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)
