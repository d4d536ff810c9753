"""Programs that are not ours, run for a test: started with a folder of their own, and gone with it.

Program     a process whose lines are read; stop() ends it, kill if need be
which       where a program is; also where Debian puts what is for root
cannot_run  a test cannot be run here; `make peers` fails instead
"""

import asyncio
import os
import shutil
import signal
import subprocess
import threading
import unittest
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"


def which(name: str) -> str:
    """Its path; "": it is not installed."""
    return shutil.which(name) or shutil.which(name, path=PATH) or ""


def cannot_run(reason: str) -> NoReturn:
    """Raises SkipTest; AssertionError where peers are required, as in `make peers`."""
    assert os.environ.get("TOLLBRIDGE_PEERS") != "required", reason
    raise unittest.SkipTest(reason)


class Program:
    """A process in a session of its own. To be made on the event loop; its lines arrive there."""

    def __init__(self, command: Sequence[str], folder: Path, *, environ: Mapping[str, str] | None = None) -> None:
        self.lines: list[str] = []
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []
        self._loop = asyncio.get_running_loop()
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def say(self, line: str) -> None:
        """A line for its input."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    async def until(self, predicate: Callable[[], bool]) -> None:
        """Wait until it holds; asked at each line."""
        if not predicate():
            future: asyncio.Future[None] = self._loop.create_future()
            self._waiting.append((predicate, future))
            await future

    async def says(self, words: str) -> None:
        """Wait for a line with these words."""
        await self.until(lambda: any(words in line for line in self.lines))

    def ask_to_end(self) -> None:
        """SIGTERM."""
        if self.is_running:
            self._process.send_signal(signal.SIGTERM)

    async def ended(self, timeout_s: float = 10) -> int:
        """Wait for its end; killed when it takes too long."""
        try:
            return await self._loop.run_in_executor(None, self._process.wait, timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return await self._loop.run_in_executor(None, self._process.wait)
        finally:
            await self._loop.run_in_executor(None, self._reader.join, 5)
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()

    async def stop(self, timeout_s: float = 10) -> int:
        self.ask_to_end()
        return await self.ended(timeout_s)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._loop.call_soon_threadsafe(self._line, line.rstrip("\n"))

    def _line(self, line: str) -> None:
        self.lines.append(line)
        for waiting in list(self._waiting):
            predicate, future = waiting
            if future.done() or predicate():
                self._waiting.remove(waiting)
                if not future.done():
                    future.set_result(None)
