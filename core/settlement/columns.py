"""How an operator's monthly file is laid out.

ColumnMap   which column says what, and how it is written
map_of      the values that are provisioned → a ColumnMap, None where there are none
map_fault   why a map cannot be used, as the end of a sentence

A column is named by the text of its header, or by its number from 1; the time may be in two, a day and an hour.
A file that names neither a message's id nor a number only counts: by day, short code and price.

Rule: `amounts` says what the amounts are (gross, net, payout), `prices` what the prices are where that is another.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

from core.settlement.amounts import Basis

Column: TypeAlias = str | int
"""A header's text or a number from 1; "" where the file has none."""


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """The layout. Columns first, then how they are written."""

    key: Column = ""
    number: Column = ""
    short_code: Column = ""
    time: tuple[Column, ...] = ()
    count: Column = ""
    price: Column = ""
    amount: Column = ""
    refused: Column = ""
    refused_marks: tuple[str, ...] = ()
    """What stands in `refused` of a message that the subscriber did not pay."""
    messages: str = "all"
    """Whose messages the file lists: those that subscribers write (mo), premium ones to them (mt), or all."""
    amounts: str = "gross"
    prices: str = ""
    tolerance: int = 0
    """Micros per SMS by which amounts may differ and be the same: what the operator rounds."""
    time_format: str = "iso"
    zone: str = "UTC"
    decimal: str = "."
    header: int = 1
    """The row with the names of the columns; 0: there is none."""
    total: str = ""
    """How a line with the file's total begins."""
    delimiter: str = ","
    encoding: str = "utf-8"
    sheet: str = ""

    @property
    def only_counts(self) -> bool:
        """No row stands for one message."""
        return not self.key and not self.number

    @property
    def amount_basis(self) -> Basis:
        """What the amounts are. A file of prices alone has no others."""
        return Basis(self.amounts) if self.amount else self.price_basis

    @property
    def price_basis(self) -> Basis:
        """What the prices are."""
        return Basis(self.prices or self.amounts) if self.price else Basis(self.amounts)

    def columns(self) -> dict[str, tuple[Column, ...]]:
        """Those that the file has."""
        named: dict[str, tuple[Column, ...]] = {name: (getattr(self, name),) for name in SINGLE if getattr(self, name)}
        if self.time:
            named["time"] = self.time
        return named


SINGLE = ("key", "number", "short_code", "count", "price", "amount", "refused")
_LISTS = ("time", "refused_marks")


def map_of(values: Mapping[str, Any] | None) -> ColumnMap | None:
    """What is stored → the map. Names that this version does not know are left out."""
    if not values:
        return None
    known = {one.name for one in fields(ColumnMap)}
    kept: dict[str, Any] = {name: values[name] for name in known & values.keys()}
    kept.update({name: tuple(kept[name]) for name in _LISTS if name in kept})
    return ColumnMap(**kept)


def map_fault(columns: ColumnMap) -> str:
    """Why nothing can be matched by it; "" when it is fine."""
    if not columns.price and not columns.amount:
        return "names neither price nor amount; name the column that says what a message costs"
    if columns.only_counts:
        missing = [name for name in ("time", "short_code", "count") if name not in columns.columns()]
        if missing:
            return f"names neither key nor number, so it counts, and that needs {' and '.join(missing)} too"
    elif not columns.key and not (columns.time and columns.short_code):
        return "finds messages by their number, and that needs time and short_code too"
    if bool(columns.refused) != bool(columns.refused_marks):
        return "needs refused (a column) and refused_marks (what stands in it) together, or neither"
    named = [column for some in columns.columns().values() for column in some]
    if not columns.header and any(isinstance(column, str) for column in named):
        return "has no header row (header = 0), so its columns are named by their numbers, from 1"
    return ""
