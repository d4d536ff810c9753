"""An XLSX file as raw rows: openpyxl in its reading mode, behind a look at the archive.

open_xlsx       the sheet that the map names, or the first
check_archive   what would fill the memory is refused before anything is parsed: parts that unpack to too much, cells
                and rows without end, entities of XML

Numbers come out of a sheet as doubles; they are written with the 15 digits that a sheet shows and believes in.

Rule: openpyxl keeps the table of texts in memory, so that table has a limit of its own.
"""

import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from core.errors import UserMistake
from core.settlement.columns import ColumnMap
from core.settlement.reading import Cell
from store.settlement.files import CELL_MAX, Line

# What it thinks of a file's styles and dates is for nobody here.
warnings.filterwarnings("ignore", category=UserWarning, module="openpyxl")

ROWS_MAX = 1_048_576
"""Of a sheet, by its format."""
HEADER_COLUMNS = 1_000
PARTS_MAX = 2_000
SHEET_MAX = 1 << 30
TEXTS_MAX = 64 << 20
OTHERS_MAX = 16 << 20
GAP_MAX = 1 << 20
"""Octets without a tag: no cell of a sheet is so long."""
ROW_MAX = 16 << 20
"""Octets without the end of a row."""
_PIECE = 1 << 18
_EXACT = 10**15
_BROKEN = (
    KeyError, IndexError, ValueError, TypeError, AttributeError, OverflowError, EOFError, OSError, ParseError,
    zipfile.BadZipFile, zlib.error, NotImplementedError, InvalidFileException,
)  # fmt: skip
"""What zipfile and openpyxl raise for archives that are none, or lack what they name."""


@contextmanager
def open_xlsx(path: Path, columns: ColumnMap) -> Iterator["XlsxFile"]:
    """The sheet. Raises UserMistake."""
    try:
        with zipfile.ZipFile(path) as archive:
            check_archive(archive, path)
        book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
    except _BROKEN as error:
        raise _unreadable(str(path), error) from error
    try:
        names = [sheet.title for sheet in book.worksheets]
        if columns.sheet and columns.sheet not in names:
            raise UserMistake(f"{path}: there is no sheet {columns.sheet!r}; there are {', '.join(map(repr, names))}")
        if not names:
            raise UserMistake(f"{path}: there is no sheet with rows in it")
        yield XlsxFile(book[columns.sheet or names[0]], path)
    finally:
        book.close()


class XlsxFile:
    """Rows of one sheet (files.OpenFile)."""

    def __init__(self, sheet: Any, path: Path) -> None:
        self._sheet = sheet
        self._path = path
        said = sheet.max_row or 0
        self._rows = said if 1 < said < ROWS_MAX else 0
        # What it says of its size may be wrong, and rows are filled up to it.
        sheet.reset_dimensions()
        self._width = HEADER_COLUMNS
        self._number = 0

    def needs(self, width: int) -> None:
        """Rows are cut behind these columns."""
        self._width = width

    def progress(self) -> tuple[int, int]:
        """In rows, as far as the sheet says how many it has."""
        return self._number, self._rows

    def lines(self) -> Iterator[Line]:
        """Row by row."""
        width, rows = self._width, self._from(1)
        for self._number in count(1):
            if width != self._width:
                width, rows = self._width, self._from(self._number)
            try:
                row = next(rows, None)
            except _BROKEN as error:
                raise _unreadable(f"{self._path}: row {self._number}", error) from error
            if row is None:
                return
            yield _line(self._number, row)

    def _from(self, row: int) -> Iterator[tuple[Any, ...]]:
        found: Iterator[tuple[Any, ...]] = self._sheet.iter_rows(
            min_row=row, max_row=ROWS_MAX, max_col=self._width, values_only=True
        )
        return found


def _line(number: int, row: tuple[Any, ...]) -> Line:
    cells = [_cell(value) for value in row]
    longest = max((len(cell) for cell in cells if isinstance(cell, str)), default=0)
    if longest > CELL_MAX:
        return Line(number, problem=f"a cell has {longest} characters; {CELL_MAX} at most are read")
    return Line(number, cells)


def _cell(value: Any) -> Cell:
    if value is None:
        return ""
    if isinstance(value, str | datetime | time):
        return value
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        if value.is_integer() and abs(value) < _EXACT:
            return int(value)
        return Decimal(format(value, ".15g")) if abs(value) < 1e300 else str(value)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001
    return str(value)


_UTF16, _UTF8 = {b"\xff\xfe", b"\xfe\xff"}, b"\xef\xbb\xbf"
"""How a text may begin."""


def check_archive(archive: zipfile.ZipFile, path: Path) -> None:
    """Refuse what would fill the memory. Raises UserMistake."""
    parts = archive.infolist()
    if len(parts) > PARTS_MAX:
        raise UserMistake(f"{path}: has {len(parts)} parts; a sheet has a few dozen")
    for part in parts:
        # A part is what the table of contents calls it, whatever its name ends with: all are judged.
        name = part.filename.lower()
        is_sheet = "worksheets/" in name and name.endswith(".xml")
        most = SHEET_MAX if is_sheet else TEXTS_MAX if name.endswith("sharedstrings.xml") else OTHERS_MAX
        if part.file_size > most:
            raise UserMistake(
                f"{path}: {part.filename} unpacks to {part.file_size >> 20} MiB, more than {most >> 20}; save it as CSV"
            )
        with archive.open(part) as stream:
            head = stream.read(4)
        if name.endswith((".xml", ".rels")) or _may_be_text(head):
            with archive.open(part) as stream:
                _check_part(stream, f"{path}: {part.filename}", is_sheet=is_sheet)


def _may_be_text(head: bytes) -> bool:
    """Whether a part that begins so may be read as XML."""
    return head.strip()[:1] in {b"<", b""} or head[:2] in _UTF16 or head[:3] == _UTF8


def _check_part(stream: Any, where: str, *, is_sheet: bool) -> None:
    since_tag = since_row = 0
    tail = b""
    first = True
    while piece := stream.read(_PIECE):
        if first and (piece[:2] in _UTF16 or b"\x00" in piece[:4]):
            raise UserMistake(f"{where} is not written in UTF-8; save it anew, or as CSV")
        first = False
        if b"<!DOCTYPE" in tail + piece or b"<!ENTITY" in tail + piece:
            raise UserMistake(f"{where} declares entities, which no sheet does; it is not opened")
        since_tag = _since(piece, b"<", since_tag)
        since_row = _since(tail + piece, b"row", since_row)
        if since_tag > GAP_MAX or (is_sheet and since_row > ROW_MAX):
            what = "a cell" if since_tag > GAP_MAX else "a row"
            raise UserMistake(f"{where} holds {what} of many megabytes; it is not opened")
        tail = piece[-16:]


def _since(piece: bytes, mark: bytes, before: int) -> int:
    """Octets behind the last mark."""
    last = piece.rfind(mark)
    return before + len(piece) if last < 0 else len(piece) - last


def _unreadable(where: str, error: Exception) -> UserMistake:
    why = f"{type(error).__name__}: {error}"[:120]
    return UserMistake(f"{where} cannot be read as XLSX ({why}); open it, save it anew, try again")
