"""A file of an operator as raw rows, whatever its kind.

open_file   CSV or XLSX, told by its first octets → an OpenFile
OpenFile    `lines` one by one, the header's first; `progress` says how far it is
Line        the cells of a row, or why it has none

Rule: memory is bounded: a row at a time, no cell longer than CELL_MAX.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from core.errors import UserMistake
from core.settlement.columns import ColumnMap
from core.settlement.reading import Cell

CELL_MAX = 4_096
_ZIP, _OLD_SHEET = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the file by its number; `problem` says why it could not be taken apart."""

    number: int
    cells: list[Cell] = field(default_factory=list)
    problem: str = ""


class OpenFile(Protocol):
    """A file that is being read."""

    def lines(self) -> Iterator[Line]:
        """All of them, once. Raises UserMistake where the file breaks off."""
        ...

    def needs(self, width: int) -> None:
        """No columns behind these are looked at from now on."""
        ...

    def progress(self) -> tuple[int, int]:
        """(how far, of how much); the second is 0 where nobody knows."""
        ...


@contextmanager
def open_file(path: Path, columns: ColumnMap) -> Iterator[OpenFile]:
    """The file, told by its first octets. Raises UserMistake."""
    try:
        with path.open("rb") as file:
            begins = file.read(4)
    except OSError as error:
        raise UserMistake(f"{path}: {error.strerror}; name a file that is there") from error
    if not begins:
        raise UserMistake(f"{path}: is empty")
    if begins == _OLD_SHEET:
        raise UserMistake(f"{path}: is a sheet of the old kind (XLS); save it as XLSX or CSV")
    if begins == _ZIP:
        from store.settlement.xlsx_file import open_xlsx

        with open_xlsx(path, columns) as sheet:
            yield sheet
        return
    from store.settlement.csv_file import open_csv

    with open_csv(path, columns) as table:
        yield table
