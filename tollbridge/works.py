"""What a process does beside its messages: heartbeat, catalogue, janitor, the watches, screens of USSD.

Works   keeps their tasks; one that fails is told at once, with a sentence

Each is written so that it never ends by an error. One that does all the same would be missed by nobody: /health says
ok, and the dead are not buried, or a new catalogue is never taken.

Rule: a work that failed is not begun again here. What it left is unknown; a new process begins in order.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from plumbing.loop import spawn


class Works:
    """Those of one process."""

    def __init__(self, on_failed: Callable[[str], None]) -> None:
        self._on_failed = on_failed
        self._tasks: list[asyncio.Task[Any]] = []

    def begin(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Begin one, and keep it."""
        task = spawn(work, name=name)
        self.keep(task)
        return task

    def keep(self, task: asyncio.Task[Any]) -> None:
        """One that has begun."""
        self._tasks.append(task)
        task.add_done_callback(self._ended)

    def let_go(self) -> None:
        """A stop begins: who fails from now on would have ended in any case, and must throw nothing away."""
        for task in self._tasks:
            task.remove_done_callback(self._ended)

    def cancel(self) -> None:
        """End them."""
        for task in self._tasks:
            task.cancel()

    def _ended(self, task: asyncio.Task[Any]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self._on_failed(f"the work «{task.get_name()}» failed; the log says how")
