"""The log's lines behind a pipe whose reader is gone or stands still, and on a device that is full."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import TextIO

import pytest

from tollbridge.log_lines import LINES_MAX, SIZE_MAX, LogLines

PIPE = 4096


class Pipe:
    """A small one. Nobody reads it unless told."""

    def __init__(self) -> None:
        self.reads, writes = os.pipe()
        fcntl.fcntl(writes, fcntl.F_SETPIPE_SZ, PIPE)
        self.stream = os.fdopen(writes, "w", encoding="utf-8")
        self._made: list[LogLines] = []
        self._is_closed = False

    def lines(self, *, lines_max: int = LINES_MAX, size_max: int = SIZE_MAX) -> LogLines:
        lines = LogLines(self.stream, say_lost, again_s=0.02, lines_max=lines_max, size_max=size_max)
        self._made.append(lines)
        return lines

    def read_until(self, last: str) -> list[str]:
        """All lines up to this one."""
        text = b""
        while not text.endswith(f"{last}\n".encode()):
            some = os.read(self.reads, 65536)
            assert some, text
            text += some
        return text.decode().splitlines()

    def close(self) -> None:
        """The reader goes away."""
        if not self._is_closed:
            os.close(self.reads)
        self._is_closed = True

    def end(self) -> None:
        """All goes nowhere from now on, until the threads rest. The next file that is opened gets this descriptor's
        number, and what still waits here would be written to it.
        """
        self.close()
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), self.stream.fileno())
        until(lambda: all(lines.flush(10) for lines in self._made))
        self.stream.close()


def say_lost(count: int) -> str:
    return f"{count} lost"


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    made.end()


def until(true: Callable[[], object]) -> None:
    """Wait for what the thread does."""
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_lines_come_out_in_order_from_whichever_thread(pipe: Pipe) -> None:
    lines = pipe.lines()

    for number in range(50):
        lines.put(f"line {number}")
    other = Thread(target=lines.put, args=("of another thread",))
    other.start()
    other.join()

    assert pipe.read_until("of another thread") == [f"line {number}" for number in range(50)] + ["of another thread"]
    assert lines.flush(10)


def test_what_no_terminal_can_show_is_written_all_the_same(pipe: Pipe) -> None:
    lines = pipe.lines()

    lines.put("half of a pair: \ud800, é")

    assert pipe.read_until("é") == ["half of a pair: \\ud800, é"]


def test_who_logs_does_not_wait_for_a_reader_that_stands_still_and_hears_later_what_was_lost(pipe: Pipe) -> None:
    lines = pipe.lines(lines_max=100)
    first = "x" * (2 * PIPE)  # more than the pipe holds: the thread stands in the middle of it
    lines.put(first)
    until(lambda: lines._chunk)

    began = time.monotonic()
    for number in range(130):
        lines.put(f"line {number}")
    took_s = time.monotonic() - began

    assert lines.lost == 30
    assert took_s < 1
    assert pipe.read_until("30 lost") == [first, *(f"line {number}" for number in range(100)), "30 lost"]
    lines.put("it goes on")
    assert pipe.read_until("it goes on") == ["it goes on"]
    assert lines.flush(10)


def test_a_flood_of_long_lines_is_bounded_by_its_size(pipe: Pipe) -> None:
    lines = pipe.lines(size_max=50_000)
    lines.put("x" * (2 * PIPE))
    until(lambda: lines._chunk)

    for _ in range(10):
        lines.put("y" * 9_999)

    assert lines.lost == 5
    assert lines._size <= 50_000


def test_who_logs_does_not_hear_that_the_reader_is_gone(pipe: Pipe) -> None:
    lines = pipe.lines(lines_max=10)
    pipe.close()

    lines.put("nobody reads this")
    until(lambda: lines._is_failing)
    for number in range(12):
        lines.put(f"line {number}")

    assert lines.lost == 2
    assert not lines.flush(10)


def test_a_device_that_was_full_gets_every_line_that_waited(tmp_path: Path) -> None:
    file, full = tmp_path / "log", os.open("/dev/full", os.O_WRONLY)
    stream = file.open("w", encoding="utf-8")
    room = os.dup(stream.fileno())
    os.dup2(full, stream.fileno())
    lines = LogLines(stream, say_lost, again_s=0.02, lines_max=3)
    lines.put("first")
    until(lambda: lines._is_failing)
    for number in range(5):
        lines.put(f"line {number}")

    os.dup2(room, stream.fileno())
    until(lambda: lines.flush(10))

    assert file.read_text("utf-8").splitlines() == ["first", "line 0", "line 1", "line 2", "2 lost"]


def test_a_descriptor_that_does_not_wait_loses_no_line(pipe: Pipe) -> None:
    os.set_blocking(pipe.stream.fileno(), False)
    lines = pipe.lines()
    lines.put("x" * (3 * PIPE))
    until(lambda: lines._is_failing)
    lines.put("the last")

    assert pipe.read_until("the last") == ["x" * (3 * PIPE), "the last"]


def test_at_the_end_the_last_lines_are_written(pipe: Pipe) -> None:
    lines = pipe.lines()
    lines.put("the very last")

    lines.close(10)

    assert os.read(pipe.reads, 100) == b"the very last\n"


@pytest.mark.parametrize("is_gone", [True, False], ids=["the reader is gone", "the reader stands still"])
def test_at_the_end_a_stream_that_takes_nothing_holds_nobody_up(pipe: Pipe, *, is_gone: bool) -> None:
    lines = pipe.lines()
    if is_gone:
        pipe.close()
    lines.put("x" * (2 * PIPE))
    began = time.monotonic()

    lines.close(0.3)
    took_s = time.monotonic() - began
    _says_why_it_ended(pipe.stream)

    assert took_s < 5


def _says_why_it_ended(stream: TextIO) -> None:
    """As a command does; it would hang here, or raise."""
    stream.write("tollbridge: " + "z" * (2 * PIPE) + "\n")
    stream.flush()


def test_a_line_that_is_logged_in_the_middle_of_another_is_written_too(pipe: Pipe) -> None:
    """A destructor may run anywhere, and log."""
    lines = pipe.lines()

    with lines._lock:
        lines.put("of a destructor")

    assert pipe.read_until("of a destructor") == ["of a destructor"]
