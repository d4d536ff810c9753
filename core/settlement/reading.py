"""One raw row of an operator's file, read by its column map.

RowReader       finds the columns, then reads row by row → FileRow, Unreadable, TotalLine, or None for an empty one
FileRow         what a row says: of one message, or of `count` of them
ColumnsMissing  a header that lacks columns of the map

A cell is a text, or what a typed sheet holds: a whole number, a decimal, a moment, a time of day.

Rule: a row is read whole or is listed with its reason; nothing is guessed, and no amount is rounded.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import TypeAlias
from zoneinfo import ZoneInfo

from core.clock import SECOND_MS, Instant, instant_of
from core.money import MICROS_MAX, BadAmount, parse_micros
from core.settlement.columns import Column, ColumnMap

Cell: TypeAlias = str | int | Decimal | datetime | time

REASON_MAX = 200
COUNT_MAX = 10**12
KEY_MAX = 200
_NUMBER_MAX = 20
_YEARS = range(2000, 2100)
_SPACES = re.compile(r"[\s\u00a0\u202f]+")
_JUNK = str.maketrans("", "", " -().+\u00a0\u202f'")
_GROUPED = {
    ".": re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?"),
    ",": re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]{3})+(?:,[0-9]*)?"),
}
_ROUNDED = re.compile(r"[0-9](?:[.,][0-9]+)?[eE]\+?[0-9]+")
"""9.11E+17: a long number that a sheet has rounded."""


class ColumnsMissing(ValueError):
    """The header has no such column: a sentence that names what it has."""


@dataclass(frozen=True, slots=True)
class FileRow:
    """What a row says. Amounts are micros as the map says; 0 and "" stand for what the file does not tell."""

    line: int
    key: str
    number: str
    short_code: str
    at: Instant
    count: int
    price: int
    amount: int
    refused: bool


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A bad row, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class TotalLine:
    """The file's own total, where it can be read."""

    line: int
    amount: int | None


class _Unfit(ValueError):
    """Why a cell cannot be what its column is."""


class RowReader:
    """Reads rows by a map. Raises ColumnsMissing for a header that does not fit; `header` is empty where there is none.

    `width` is how many columns it looks at.
    """

    def __init__(self, columns: ColumnMap, header: Sequence[Cell]) -> None:
        self._map = columns
        names = {_folded(text_of(cell)): place for place, cell in reversed(list(enumerate(header)))}
        self._places = {
            name: [_place(name, column, names, header) for column in named] for name, named in columns.columns().items()
        }
        self.width = 1 + max(place for places in self._places.values() for place in places)
        self._marks = {_folded(mark) for mark in columns.refused_marks}
        self._zone = ZoneInfo(columns.zone)
        self._total = _folded(columns.total)

    def read(self, line: int, cells: Sequence[Cell]) -> FileRow | Unreadable | TotalLine | None:
        """One row; `line` is its number in the file."""
        if not any(cell != "" for cell in cells):
            return None
        if self._total and any(isinstance(cell, str) and _folded(cell).startswith(self._total) for cell in cells):
            return TotalLine(line, self._told(cells))
        name = ""
        try:
            name = "key"
            key = self._key(cells)
            name = "number"
            number = self._number(cells, key)
            name = "short_code"
            short_code = self._short_code(cells)
            name = "time"
            at = self._at(cells)
            name = "count"
            count = self._count(cells)
            name = "refused"
            refused = _folded(self._text(cells, "refused")) in self._marks if self._marks else False
            name = "amount" if self._map.amount else "price"
            price, amount = self._amounts(cells, count, refused=refused)
        except (_Unfit, BadAmount) as error:
            return Unreadable(line, f"{name}: {error}"[:REASON_MAX])
        return FileRow(line, key, number, short_code, at, count, price, amount, refused or amount < 0)

    def _cell(self, cells: Sequence[Cell], name: str, which: int = 0) -> Cell:
        places = self._places.get(name)
        if not places:
            return ""
        return cells[places[which]] if places[which] < len(cells) else ""

    def _text(self, cells: Sequence[Cell], name: str) -> str:
        return _printable(text_of(self._cell(cells, name)).strip(), self._map.encoding)

    def _key(self, cells: Sequence[Cell]) -> str:
        if "key" not in self._places:
            return ""
        key = self._text(cells, "key")
        if _ROUNDED.fullmatch(key):
            raise _Unfit(f"{_shown(key)} is a number that a sheet has rounded; let the operator write it as text")
        if len(key) > KEY_MAX:
            raise _Unfit(f"is longer than {KEY_MAX} characters")
        if not key and "number" not in self._places:
            raise _Unfit("is empty")
        return key

    def _number(self, cells: Sequence[Cell], key: str) -> str:
        if "number" not in self._places:
            return ""
        written = self._text(cells, "number")
        digits = written.translate(_JUNK)
        if digits.isascii() and digits.isdigit() and 3 <= len(digits) <= _NUMBER_MAX:
            return digits
        if key:
            return ""  # hidden or masked; its id is enough
        raise _Unfit("is empty" if not written else f"{_shown(written)} is no subscriber's number")

    def _short_code(self, cells: Sequence[Cell]) -> str:
        if "short_code" not in self._places:
            return ""
        code = self._text(cells, "short_code")
        if not code or len(code) > _NUMBER_MAX:
            raise _Unfit("is empty" if not code else f"{_shown(code)} is no short code")
        return code

    def _at(self, cells: Sequence[Cell]) -> Instant:
        named = self._places.get("time")
        if not named:
            return 0
        found = [self._cell(cells, "time", which) for which in range(len(named))]
        moment = _joined(found)
        if isinstance(moment, str):
            moment = _parsed(_printable(moment, self._map.encoding), self._map.time_format)
        if moment.year not in _YEARS:
            raise _Unfit(f"{moment.year} is no year that a message could be of")
        return instant_of(moment if moment.tzinfo is not None else moment.replace(tzinfo=self._zone))

    def _count(self, cells: Sequence[Cell]) -> int:
        if "count" not in self._places:
            return 1
        written = _SPACES.sub("", self._text(cells, "count"))
        if not (written.isascii() and written.isdigit()) or int(written[:20]) > COUNT_MAX:
            raise _Unfit("is empty" if not written else f"{_shown(written)} is no number of messages")
        return int(written)

    def _amounts(self, cells: Sequence[Cell], count: int, *, refused: bool) -> tuple[int, int]:
        """(price, amount), each made from the other where the file has but one."""
        price = amount = None
        if "amount" in self._places:
            amount = self._amount(cells, "amount", empty=refused)
        if "price" in self._places:
            price = self._amount(cells, "price", empty=refused or amount is not None)
        if amount is None:
            assert price is not None, self._map
            amount = price * count
        if price is None:
            price = amount // count if count and amount % count == 0 else 0
        if abs(amount) > MICROS_MAX:
            raise _Unfit("price × count is too large")
        return price, amount

    def _amount(self, cells: Sequence[Cell], name: str, *, empty: bool) -> int:
        cell = self._cell(cells, name)
        if cell == "" and empty:
            return 0
        return _micros(cell, self._map.decimal)

    def _told(self, cells: Sequence[Cell]) -> int | None:
        try:
            return _micros(self._cell(cells, "amount" if self._map.amount else "price"), self._map.decimal)
        except (_Unfit, BadAmount):
            return None


def text_of(cell: Cell) -> str:
    """A cell as a text: a decimal without an exponent where it is not rounded."""
    if isinstance(cell, Decimal):
        return str(cell) if abs(cell) >= 10**15 else format(cell, "f")
    return cell if isinstance(cell, str) else str(cell)


def _place(name: str, column: Column, names: dict[str, int], header: Sequence[Cell]) -> int:
    if isinstance(column, int):
        return column - 1
    place = names.get(_folded(column))
    if place is None:
        there = ", ".join(_shown(text_of(cell)) for cell in header[:20] if cell != "") or "nothing"
        raise ColumnsMissing(f"there is no column {_shown(column)} for {name}; the header has {there}")
    return place


def _folded(text: str) -> str:
    """Headers and marks are compared without case, and white space is one space."""
    return _SPACES.sub(" ", text.replace("\ufeff", "")).strip().casefold()


def _printable(text: str, encoding: str) -> str:
    """As both databases can hold it."""
    if text.isprintable():
        return text
    if any("\udc80" <= letter <= "\udcff" for letter in text):
        raise _Unfit(f"holds bytes that are no {encoding}; is it the file's encoding?")
    raise _Unfit("holds a control character")


def _shown(text: str) -> str:
    """A text of the file as it may be repeated."""
    short = text if len(text) <= 40 else text[:40] + "…"
    return '"' + "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in short) + '"'


def _joined(cells: Sequence[Cell]) -> datetime | str:
    """A moment out of one cell or two."""
    first, *more = cells
    if isinstance(first, datetime):
        if more and isinstance(more[0], time):
            return datetime.combine(first.date(), more[0])
        if not any(cell != "" for cell in more):
            return first
    written = " ".join(text_of(cell).strip() for cell in cells).strip()
    if not written:
        raise _Unfit("is empty")
    return written


@lru_cache(maxsize=4096)
def _parsed(written: str, form: str) -> datetime:
    try:
        if form in {"unix", "unix_ms"}:
            if not (written.isascii() and written.isdigit() and len(written) <= 15):
                raise ValueError
            # Whole milliseconds, as integers.
            ms = int(written) * (SECOND_MS if form == "unix" else 1)
            return datetime.fromtimestamp(ms // SECOND_MS, UTC)
        # The file's zone is given to it by who asked.
        return datetime.fromisoformat(written) if form == "iso" else datetime.strptime(written, form)  # noqa: DTZ007
    except (ValueError, OverflowError, OSError) as error:
        raise _Unfit(f"{_shown(written)} is not written like {form}") from error


def _micros(cell: Cell, decimal: str) -> int:
    if isinstance(cell, int | Decimal):
        return parse_micros(text_of(cell))
    if not isinstance(cell, str):
        raise _Unfit(f"{_shown(str(cell))} is a time, not an amount")
    written = _SPACES.sub("", cell).replace("'", "")
    if not written:
        raise _Unfit("is empty")
    if decimal == ",":
        if "." in written:
            if not _GROUPED[","].fullmatch(written):
                raise _Unfit(f"{_shown(written)} is not an amount with a decimal comma; see decimal")
            written = written.replace(".", "")
        return parse_micros(written.replace(",", "."))
    if "," in written:
        if not _GROUPED["."].fullmatch(written):
            raise _Unfit(f"{_shown(written)} is not an amount with a decimal point; see decimal")
        written = written.replace(",", "")
    return parse_micros(written)
