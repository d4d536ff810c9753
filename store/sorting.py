"""Rows of numbers sorted by a number that may stand in them more than once, on the disk: memory for one run of them.

Sorter   add() them in any order, then sorted() once: rising, and of several with one number the last that was added

A run is sorted in memory and written behind the others into a file without a name; then all runs are merged. A record
begins with its number, most significant octet first, and its place behind that, so records compare as bytes.

Rule: a context manager; its file is gone with it, however the process ends.
"""

import os
import tempfile
from collections.abc import Iterator
from heapq import merge
from struct import Struct
from types import TracebackType
from typing import IO

RUN = 200_000
_RECORD = Struct(">QIqq")
"""The number, its place in the file, and what belongs to it."""
_NUMBER_OCTETS = 8
_BLOCK = 2_000


class Sorter:
    """Sorts (number, one value, another)."""

    def __init__(self, run: int = RUN) -> None:
        self._run = run
        self._held: list[bytes] = []
        self._added = 0
        self._runs: list[tuple[int, int]] = []
        self._file: IO[bytes] | None = None

    def __enter__(self) -> "Sorter":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, number: int, first: int, second: int) -> None:
        """A row: three integers, the number not below zero."""
        self._held.append(_RECORD.pack(number, self._added, first, second))
        self._added += 1
        if len(self._held) == self._run:
            self._put_away()

    def sorted(self) -> Iterator[tuple[int, int, int]]:
        """Each number once."""
        self._held.sort()
        runs: list[Iterator[bytes]] = [self._read(start, end) for start, end in self._runs]
        last = b""
        for record in merge(*runs, self._held):
            if last and last[:_NUMBER_OCTETS] != record[:_NUMBER_OCTETS]:
                yield _row(last)
            last = record
        if last:
            yield _row(last)

    def _put_away(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="tollbridge-")  # noqa: SIM115 - closed by __exit__
        self._held.sort()
        start = self._file.tell()
        self._file.write(b"".join(self._held))
        self._file.flush()
        self._runs.append((start, self._file.tell()))
        self._held = []

    def _read(self, start: int, end: int) -> Iterator[bytes]:
        assert self._file is not None
        size = _RECORD.size
        for place in range(start, end, _BLOCK * size):
            block = os.pread(self._file.fileno(), min(_BLOCK * size, end - place), place)
            for at in range(0, len(block), size):
                yield block[at : at + size]


def _row(record: bytes) -> tuple[int, int, int]:
    number, _, first, second = _RECORD.unpack(record)
    return number, first, second
