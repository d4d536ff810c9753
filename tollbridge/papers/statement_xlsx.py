"""A statement as a workbook: a sheet with its figures, a sheet with its lines.

write   by openpyxl, row by row; amounts are numbers with up to six decimals

Rule: nothing is rounded: an amount with more digits than a spreadsheet keeps (15) is written as text. No text is a
formula: reasons are written by people.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, BinaryIO

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from core.clock import datetime_of, month_text
from core.money import minor_digits
from core.statement import earned_in, vat_in
from store.statements import Stated
from tollbridge.papers import Company
from tollbridge.papers.words import COLUMNS, decimal, line_cells

DIGITS_KEPT = 15
"""Of a number, by every spreadsheet: they are doubles."""
_WIDTHS = {"kind": 16, "note": 50, "operator": 12, "account": 12, "partner": 14, "number": 14}
_EXACT, _COUNT, _SHARE = "#,##0.00####", "#,##0", "0.####%"
_BOLD = Font(bold=True)


def write(stated: Stated, company: Company, file: BinaryIO) -> None:
    """Both sheets."""
    book = Workbook(write_only=True)
    one = stated.statement
    book.properties.title = f"Statement {one.number}"
    book.properties.creator = company.name
    figures = book.create_sheet("Statement")
    figures.column_dimensions["A"].width = 30
    figures.column_dimensions["B"].width = 40
    for name, value, form in _figures(stated, company):
        figures.append([_cell(figures, name, font=_BOLD), _cell(figures, value, form)])
    lines = book.create_sheet("Lines")
    lines.freeze_panes = "A2"
    for place, name in enumerate(COLUMNS, 1):
        lines.column_dimensions[get_column_letter(place)].width = _WIDTHS.get(name, 15)
    lines.append([_cell(lines, name, font=_BOLD) for name in COLUMNS])
    head = (one.number, one.partner, month_text(one.month), one.currency)
    forms = [_SHARE if name == "share" else _COUNT if name in {"count", "parts"} else _EXACT for name in COLUMNS]
    for line in stated.lines:
        cells = zip((*head, *line_cells(line)), forms, strict=True)
        lines.append([_cell(lines, value, form) for value, form in cells])
    book.save(file)


def _figures(stated: Stated, company: Company) -> Iterable[tuple[str, str | Decimal | None, str]]:
    one = stated.statement
    digits = minor_digits(one.currency)
    minor = f"#,##0.{'0' * digits}" if digits else "#,##0"
    yield "Statement", one.number, ""
    for name, text in (("Issued by", company.name), ("Address", company.address), ("Tax id", company.tax_id)):
        if text:
            yield name, text, ""
    yield "Issued at", f"{datetime_of(one.issued_at):%Y-%m-%d %H:%M} UTC", ""
    yield "Partner", one.title, ""
    if one.legal_name:
        yield "Login", one.partner, ""
    if one.tax_id:
        yield "Tax id", one.tax_id, ""
    yield "Month", month_text(one.month), ""
    yield "Currency", one.currency, ""
    yield "Opening balance of earnings", decimal(one.opening), _EXACT
    yield "Movement", decimal(one.movement), _EXACT
    yield "Closing balance of earnings", decimal(one.closing), _EXACT
    yield "Of it too young to be paid", decimal(one.young), _EXACT
    yield "Due", decimal(one.due), minor
    if one.vat:
        earned = earned_in(stated.lines)
        yield "Earned", decimal(earned), _EXACT
        yield "VAT rate", decimal(one.vat), _SHARE
        yield "VAT included in what is earned", decimal(vat_in(earned, one.vat, one.currency)), minor


def _cell(sheet: Any, value: str | int | Decimal | None, form: str = "", *, font: Font | None = None) -> Any:
    if isinstance(value, Decimal) and len(value.as_tuple().digits) > DIGITS_KEPT:
        value = f"{value:f}"
    if isinstance(value, str):
        value = ILLEGAL_CHARACTERS_RE.sub("", value)  # XML has no control characters.
    made: Any = value  # The stubs know of no decimals; openpyxl does.
    cell = WriteOnlyCell(sheet, value=made)
    if isinstance(value, str):
        # openpyxl takes what begins with = for a formula.
        cell.data_type = "s"
    elif form and value is not None:
        cell.number_format = form
    if font is not None:
        cell.font = font
    return cell
