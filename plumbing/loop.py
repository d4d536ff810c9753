"""The one event loop: uvloop under Twisted's asyncio reactor.

install()   once, before twisted.internet.reactor is imported (stack.md, section 2)
run()       the whole life of a process: one coroutine on the reactor
spawn()     starts a coroutine as a task, keeps it until it is done, logs what it did not expect

Rule: nobody calls asyncio.create_task() but spawn(). The loop holds tasks weakly: one that nobody keeps may be
collected while it waits ("Task was destroyed but it is pending").
"""

import asyncio
import signal
import socket
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import uvloop
from structlog import get_logger
from twisted.internet import asyncioreactor, tcp
from twisted.internet.main import CONNECTION_LOST, installReactor

T = TypeVar("T")

log = get_logger()

_tasks: set[asyncio.Task[Any]] = set()


def install() -> None:
    """uvloop under Twisted's reactor; a second call, or one after somebody else chose a reactor, does nothing."""
    if "twisted.internet.reactor" not in sys.modules:
        loop = uvloop.new_event_loop()
        asyncio.set_event_loop(loop)
        installReactor(_Reactor(loop))


def run(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run the reactor until the coroutine is done; what it returns or raises.

    The first SIGINT or SIGTERM cancels it, and it may take its time to end well; the second ends the process.
    """
    install()
    from twisted.internet import reactor

    tasks: list[asyncio.Task[T]] = []

    def begin() -> None:
        task = spawn(main(), name="main")
        task.add_done_callback(lambda _: reactor.stop())
        tasks.append(task)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, _cancel_once, loop, number, task)

    reactor._asyncioEventloop.call_soon(begin)
    reactor.run(installSignalHandlers=False)
    return tasks[0].result()


def _cancel_once(loop: asyncio.AbstractEventLoop, number: int, task: asyncio.Task[Any]) -> None:
    for one in (signal.SIGINT, signal.SIGTERM):
        loop.remove_signal_handler(one)
        signal.signal(one, signal.SIG_DFL)
    task.cancel()


def spawn(coroutine: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
    """Start a coroutine on the running loop. Its task is kept until done; an exception in it is logged."""
    task = asyncio.get_running_loop().create_task(coroutine, name=name)
    _tasks.add(task)
    task.add_done_callback(_done)
    return task


def _done(task: asyncio.Task[Any]) -> None:
    _tasks.discard(task)
    if task.cancelled():
        return
    error = task.exception()
    if error is not None:
        log.error("task failed", task=task.get_name(), exc_info=error)


class _Reactor(asyncioreactor.AsyncioSelectorReactor):
    """Twisted's, with a cure for uvloop: on a poll error, which is what a TCP reset is, uvloop runs the callbacks of a
    descriptor once more and then polls it no longer, without a word (uvloop issue 552, twisted issue 11904).

    When octets had come before the reset, that last read gets them and no error: the connection would be there for
    ever, and every write to it would raise. So the error is asked for, and ends it; a dead poll gets a fresh one.
    """

    def _readOrWrite(self, selectable: Any, read: bool) -> None:
        super()._readOrWrite(selectable, read)
        if not (read and selectable in self._readers and isinstance(selectable, tcp.Connection)):
            return
        # Asked at every read, so not by another recv: that takes 1.2 µs and lets the writer thread have the
        # interpreter in between, 3 µs more; this takes 0.2 and does not.
        if selectable.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            super()._readOrWrite(selectable, read)
            if selectable in self._readers:
                self._disconnectSelectable(selectable, CONNECTION_LOST, read)

    def addReader(self, reader: Any) -> None:
        try:
            super().addReader(reader)
        except RuntimeError:
            self._asyncioEventloop.remove_reader(reader.fileno())
            super().addReader(reader)

    def addWriter(self, writer: Any) -> None:
        try:
            super().addWriter(writer)
        except RuntimeError:
            self._asyncioEventloop.remove_writer(writer.fileno())
            super().addWriter(writer)
