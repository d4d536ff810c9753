"""A report as a table for a person, as CSV for a spreadsheet, as JSON for a program.

Sheet        columns, rows, totals; Column, what stands in one of them
show_sheet   rich's table; amounts with two decimals, down
write_csv    a line per row, amounts whole; as_value, the same for JSON, with the totals

Rule: a name that a spreadsheet would take for a formula is written with an apostrophe before it: whoever names a
service or sends an SMS to a short code must not reckon on the accountant's machine.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, TextIO, TypeAlias

from rich.console import Console

from core.money import format_micros
from tollbridge.show import console, plain, rounded, table

Cell: TypeAlias = int | str | None
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a cell begins with that spreadsheets reckon out (OWASP, CSV injection)."""


class Kind(Enum):
    """What stands in a column."""

    TEXT = "text"
    COUNT = "count"
    AMOUNT = "amount"
    """Micros."""
    SHARE = "share"
    """Millionths of one."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name for programs; a person reads it with blanks."""

    name: str
    kind: Kind = Kind.TEXT

    @property
    def title(self) -> str:
        """Numbers stand on the right."""
        return f"{'' if self.kind is Kind.TEXT else '>'}{self.name.replace('_', ' ')}"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A report. `about` says of what: words for a person, keys for a program. Totals have a cell for each column."""

    report: str
    title: str
    about: dict[str, str]
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    totals: Sequence[Sequence[Cell]] = ()


def show_sheet(sheet: Sheet, out: Console | None = None) -> None:
    """Print it."""
    out = out or console()
    if not sheet.rows:
        out.print(f"{sheet.title}: nothing was booked.")
        return
    lines = table(*(column.title for column in sheet.columns), title=sheet.title)
    for row in sheet.rows:
        lines.add_row(*_shown(sheet, row))
    if len(sheet.rows) > 1 and sheet.totals:
        lines.add_section()
        for row in sheet.totals:
            lines.add_row(*_shown(sheet, row), style="bold")
    out.print(lines)


def _shown(sheet: Sheet, row: Sequence[Cell]) -> list[str]:
    return [_for_a_person(column.kind, cell) for column, cell in zip(sheet.columns, row, strict=True)]


def _for_a_person(kind: Kind, cell: Cell) -> str:
    if cell is None or cell == "":
        return "—"
    if isinstance(cell, str):
        return plain(cell)
    return rounded(cell) if kind is Kind.AMOUNT else _written(kind, cell)


def write_csv(sheet: Sheet, out: TextIO) -> None:
    """The names of the columns, then the rows: totals are for who adds up."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column.name for column in sheet.columns])
    for row in sheet.rows:
        writer.writerow([_cell(column.kind, cell) for column, cell in zip(sheet.columns, row, strict=True)])


def _cell(kind: Kind, cell: Cell) -> str:
    written = _written(kind, cell)
    return f"'{written}" if kind is Kind.TEXT and written.startswith(_FORMULA) else written


def as_value(sheet: Sheet) -> dict[str, Any]:
    """For JSON: amounts and shares as decimal strings, since many readers know numbers with 53 bits only."""
    return {
        "report": sheet.report,
        **sheet.about,
        "lines": [_value(sheet, row) for row in sheet.rows],
        "totals": [
            {name: value for name, value in _value(sheet, row).items() if value is not None} for row in sheet.totals
        ],
    }


def _value(sheet: Sheet, row: Sequence[Cell]) -> dict[str, Cell]:
    return {
        column.name: cell if cell is None or column.kind is Kind.COUNT else _written(column.kind, cell)
        for column, cell in zip(sheet.columns, row, strict=True)
    }


def _written(kind: Kind, cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return plain(cell)
    return format_micros(cell) if kind in {Kind.AMOUNT, Kind.SHARE} else str(cell)
