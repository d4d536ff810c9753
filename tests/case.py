"""Test cases that run on the reactor, the same under pytest and trial (stack.md, section 2).

AsyncioTestCase    its `async def` tests, setUp and tearDown are asyncio tasks

Rule: trial alone would run a coroutine as a Deferred, and asyncio would find no running loop in it.
"""

import asyncio
import functools
import inspect
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial import unittest


class AsyncioTestCase(unittest.TestCase):
    """A trial TestCase whose coroutines run on the loop under the reactor; each has `timeout` seconds."""

    timeout: ClassVar[float] = 10

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, value in list(vars(cls).items()):
            if inspect.iscoroutinefunction(value) and (name.startswith("test") or name in ("setUp", "tearDown")):
                setattr(cls, name, as_task(value))


def as_task(function: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., Any]:
    """A method that starts the coroutine as a task and returns the Deferred of its end."""

    @functools.wraps(function)
    def run(self: AsyncioTestCase) -> Any:
        return Deferred.fromFuture(asyncio.ensure_future(function(self), loop=reactor._asyncioEventloop))

    return run
