"""How an operator's monthly files are laid out, as the provisioning file says it (core.settlement.columns).

SettlementFile   the table `settlement` of an operator, a field per key
none_of_nothing  an empty table takes the layout away

Rule: the table is one value: it replaces the one before as a whole.
"""

from datetime import datetime
from typing import Annotated, Any

from pydantic import PlainValidator, model_validator

from core.settlement.columns import ColumnMap, map_fault, map_of
from store.provisioning.element import Element
from store.provisioning.fields import Amount, Choice, Text, Whole, Zone
from store.provisioning.sentences import did_you_mean, wrong

COLUMNS_MAX = 1000
_WORDS = ("iso", "unix", "unix_ms")
_BASES = ("gross", "net", "payout")
# Every part of it differs from every other, so that a pattern that loses one is noticed.
_SAMPLE = datetime(2031, 12, 25, 19, 48, 57)  # noqa: DTZ001


def _column(value: Any) -> str | int:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= COLUMNS_MAX:
        return value
    if isinstance(value, str) and len(value) <= 80 and value.isprintable() and (value.strip() or not value):
        return value
    raise wrong('must be the text of a column\'s header in quotes, or its number from 1, like "Abonent" or 3')


def _time(value: Any) -> list[str | int]:
    columns = value if isinstance(value, list) else [value] if value != "" else []
    if len(columns) > 2:
        raise wrong('must be one column, or two: that of the day and that of the hour, like ["Date", "Time"]')
    return [_column(column) for column in columns]


def _marks(value: Any) -> list[str]:
    marks = value if isinstance(value, list) else [value]
    if not all(isinstance(mark, str) and mark.strip() and len(mark) <= 80 and mark.isprintable() for mark in marks):
        raise wrong('must be what stands in the column of a refused message, like "rejected", or a list of such texts')
    return list(marks)


def _time_format(value: Any) -> str:
    if isinstance(value, str) and len(value) <= 60:
        if value in _WORDS:
            return value
        try:
            read = datetime.strptime(_SAMPLE.strftime(value), value)  # noqa: DTZ007
        except ValueError:
            read = None
        if read is not None and read.date() == _SAMPLE.date():
            return value
    meant = did_you_mean(value, _WORDS) if isinstance(value, str) and "%" not in value else ""
    raise wrong(f'must be "iso", "unix", "unix_ms", or a pattern with day, month and year like "%d.%m.%Y %H:%M"{meant}')


def _prices(value: Any) -> str:
    if value in ("", *_BASES):
        return str(value)
    raise wrong('must be "gross", "net" or "payout"; without it the prices are what `amounts` says')


Column = Annotated[str | int, PlainValidator(_column)]


class SettlementFile(Element):
    """`settlement` of an operator: its columns, then how they are written."""

    key: Column = ""
    number: Column = ""
    short_code: Column = ""
    time: Annotated[list[str | int], PlainValidator(_time)] = []
    count: Column = ""
    price: Column = ""
    amount: Column = ""
    refused: Column = ""
    refused_marks: Annotated[list[str], PlainValidator(_marks)] = []
    messages: Annotated[str, Choice("all", "mo", "mt")] = "all"
    amounts: Annotated[str, Choice(*_BASES)] = "gross"
    prices: Annotated[str, PlainValidator(_prices)] = ""
    tolerance: Amount = 0
    time_format: Annotated[str, PlainValidator(_time_format)] = "iso"
    zone: Zone = "UTC"
    decimal: Annotated[str, Choice(".", ",")] = "."
    header: Annotated[int, Whole(0, COLUMNS_MAX)] = 1
    total: Annotated[str, Text(40)] = ""
    delimiter: Annotated[str, Choice(",", ";", "|", "tab")] = ","
    encoding: Annotated[
        str,
        Choice(
            "utf-8", "utf-16", "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1256", "cp866", "koi8-r", "koi8-u",
            "iso-8859-1", "iso-8859-2", "iso-8859-5", "iso-8859-9", "gb18030", "shift_jis",
        ),
    ] = "utf-8"  # fmt: skip
    sheet: Annotated[str, Text(60)] = ""

    @model_validator(mode="after")
    def _can_be_matched(self) -> "SettlementFile":
        columns = map_of(self.model_dump())
        assert isinstance(columns, ColumnMap), self
        if fault := map_fault(columns):
            raise wrong(fault)
        return self


def none_of_nothing(value: Any) -> Any:
    """An empty table is none."""
    return None if value == {} else value
