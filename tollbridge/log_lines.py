"""Lines of the log on their way out: who logs never waits for the log's reader, and never hears that it is gone.

LogLines   put() takes a line, a thread of its own writes it;  close() at the end of the process

What cannot be written waits, and is tried again every second: a full device has room again, a pipe is read again.
What does not fit any more is dropped and counted, and a line says so as soon as one can be written.

Rule: put() neither blocks nor raises, whatever stands behind the stream: the loop that accepts messages calls it.
"""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Event, RLock, Thread
from typing import TextIO

LINES_MAX = 10_000
SIZE_MAX = 4 * 1024 * 1024
"""Characters; as much again may be on its way out."""
AGAIN_S = 1.0
GATHER_S = 0.005
"""A flood of lines wakes the thread this seldom: each time it takes the interpreter from the loop."""
PIECE = 64 * 1024


class LogLines:
    """Those of one stream, which must have a descriptor. `say_lost`: the line that tells how many were lost."""

    def __init__(
        self,
        stream: TextIO,
        say_lost: Callable[[int], str],
        *,
        lines_max: int = LINES_MAX,
        size_max: int = SIZE_MAX,
        again_s: float = AGAIN_S,
    ) -> None:
        self.lost = 0
        """Lines that did not fit, so far."""
        self._stream = stream  # Kept, and so is its descriptor.
        self._descriptor = stream.fileno()
        self._say_lost = say_lost
        self._lines_max = lines_max
        self._size_max = size_max
        self._again_s = again_s
        # One that its owner may take again: a destructor that logs may run in the middle of put().
        self._lock = RLock()
        self._lines: list[str] = []
        self._size = 0
        self._told = 0
        """How many of the lost were told."""
        self._rests = True
        """The thread has nothing to do, and is to be woken."""
        self._bell: SimpleQueue[Event | None] = SimpleQueue()
        self._chunk = memoryview(b"")
        """What is on its way out."""
        self._is_failing = False
        self._is_closed = False
        Thread(target=self._work, name="log", daemon=True).start()

    def put(self, line: str) -> None:
        """Have it written."""
        with self._lock:
            size = self._size + len(line) + 1
            if size > self._size_max or len(self._lines) >= self._lines_max:
                self.lost += 1
                return
            self._size = size
            self._lines.append(line)
            if self._rests:
                self._rests = False
                self._bell.put(None)

    def flush(self, seconds: float) -> bool:
        """Wait until all is written, for so long at most; whether it is."""
        written = Event()
        self._bell.put(written)
        return written.wait(seconds) and not self._is_failing

    def close(self, seconds: float) -> None:
        """The process ends: the last lines have so long. What is written to the same stream after that, by a command
        that tells why it ended, or by the interpreter, must not hang either: a stream that takes nothing is cut off.
        """
        if self._is_closed or self.flush(seconds):
            return
        self._is_closed = True
        with suppress(OSError), open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), self._descriptor)

    # --- in the thread ------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            asked = self._next()
            if asked is None:
                time.sleep(GATHER_S)
            try:
                self._write_all()
            except Exception:
                # Nobody could be told but by a line of the log. What is left is tried again, as after any failure.
                self._is_failing = True
            if asked is not None:
                asked.set()

    def _next(self) -> Event | None:
        try:
            return self._bell.get(timeout=self._again_s if self._is_failing else None)
        except Empty:
            return None

    def _write_all(self) -> None:
        while self._chunk or self._take():
            try:
                written = os.write(self._descriptor, self._chunk[:PIECE])
            except OSError:
                # The reader is gone, the device is full, or a descriptor that others share does not wait (EAGAIN).
                self._is_failing = True
                return
            self._chunk = self._chunk[written:]
        self._is_failing = False

    def _take(self) -> bool:
        """The next lines; False: there are none, and the thread rests."""
        with self._lock:
            lines, lost = self._lines, self.lost - self._told
            self._lines, self._size = [], 0
            self._told += lost
            self._rests = not lines and not lost
            if self._rests:
                return False
        if lost:
            lines.append(self._say_lost(lost))
        self._chunk = memoryview(("\n".join(lines) + "\n").encode("utf-8", "backslashreplace"))
        return True
