"""A CSV file as raw rows: Python's csv reader, fed line by line.

open_csv   in the encoding and with the delimiter of the map; a byte order mark is no part of it

A line that is too long, a cell that is, a quote that is never closed: one bad row each, and the reading goes on behind
it. Octets that are none of the encoding come through as marks, by which the row is told to be bad.

Rule: no more than a row is held, and no row is lost without a word.
"""

import csv
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO

from core.errors import UserMistake
from core.settlement.columns import ColumnMap
from store.settlement.files import CELL_MAX, Line

LINE_MAX = 65_536
LINES_OF_A_ROW = 50
"""A quoted cell may hold line ends; one with more of them is a quote that was never closed."""


class _Unfit(Exception):
    """Why a row ends here."""


@contextmanager
def open_csv(path: Path, columns: ColumnMap) -> Iterator["CsvFile"]:
    """The file; closed when the block ends."""
    with path.open("rb") as raw:
        yield CsvFile(raw, path, columns)


class CsvFile:
    """Rows of a CSV file (files.OpenFile)."""

    def __init__(self, raw: BinaryIO, path: Path, columns: ColumnMap) -> None:
        self._raw = raw
        self._path = path
        self._size = path.stat().st_size
        self._encoding = columns.encoding
        encoding = "utf-8-sig" if columns.encoding == "utf-8" else columns.encoding
        self._text = TextIOWrapper(raw, encoding, errors="surrogateescape", newline="")
        self._delimiter = "\t" if columns.delimiter == "tab" else columns.delimiter
        self._again: deque[str] = deque()
        """Lines that belong to no row after all."""
        self._row: list[str] = []
        self._read = 0

    def needs(self, width: int) -> None:
        """All columns of a line are there anyway."""

    def progress(self) -> tuple[int, int]:
        """In octets."""
        return self._raw.tell(), self._size

    def lines(self) -> Iterator[Line]:
        """Row by row; a row's number is that of its first line."""
        reader = csv.reader(self, delimiter=self._delimiter)
        while True:
            number = self._read + 1
            self._row = []
            try:
                cells = next(reader)
            except StopIteration:
                return
            except (csv.Error, _Unfit) as error:
                self._give_back()
                yield Line(number, problem=str(error))
                continue
            except UnicodeError as error:
                # Of one octet per letter a wrong one is marked; with two there is no telling where the next begins.
                where = f"{self._path}, line {number}"
                raise UserMistake(f"{where}: this is no {self._encoding}; correct settlement.encoding") from error
            longest = max(map(len, cells), default=0)
            if longest > CELL_MAX:
                yield Line(number, problem=f"a cell has {longest} characters; {CELL_MAX} at most are read")
            else:
                yield Line(number, list(cells))

    def _give_back(self) -> None:
        """The first line is bad; those behind it may be rows of their own."""
        behind = self._row[1:]
        self._again.extendleft(reversed(behind))
        self._read -= len(behind)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        """The next line, for the csv reader."""
        if len(self._row) >= LINES_OF_A_ROW:
            raise _Unfit(f"a quote is not closed within {LINES_OF_A_ROW} lines")
        line = self._again.popleft() if self._again else self._text.readline(LINE_MAX)
        if not line:
            raise StopIteration
        self._read += 1
        self._row.append(line)
        if len(line) >= LINE_MAX and not line.endswith(("\n", "\r")):
            while (rest := self._text.readline(LINE_MAX)) and not rest.endswith(("\n", "\r")):
                pass
            raise _Unfit(f"the line is longer than {LINE_MAX} characters")
        return line
