"""A statement as CSV: a row for each line, amounts exact, in major units with a point.

write   RFC 4180, UTF-8 with a byte order mark, so that a spreadsheet reads it as what it is

Rule: a text that a spreadsheet would take for a formula gets an apostrophe: reasons are written by people.
"""

import csv
import io
from typing import BinaryIO

from core.clock import month_text
from core.money import minor_digits
from core.statement import earned_in, vat_in
from store.statements import Stated
from tollbridge.papers import Company
from tollbridge.papers.words import COLUMNS, decimal, line_cells

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write(stated: Stated, company: Company, file: BinaryIO) -> None:
    """All lines; behind them rows that are none: what is too young to be paid, what is due, and of a partner that pays
    VAT what it has earned with the rate and the VAT in it.
    """
    del company  # Programs know who we are.
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
    rows = csv.writer(text)
    one = stated.statement
    head = (one.number, one.partner, month_text(one.month), one.currency)
    rows.writerow(COLUMNS)
    for line in stated.lines:
        rows.writerow([plain(cell) for cell in (*head, *line_cells(line))])
    for kind, amount in (("young", decimal(one.young)), ("due", f"{decimal(one.due):.{minor_digits(one.currency)}f}")):
        rows.writerow([*head, "earnings", kind, *[""] * (len(COLUMNS) - len(head) - 4), plain(amount), ""])
    if one.vat:
        earned = earned_in(stated.lines)
        vat = f"{decimal(vat_in(earned, one.vat, one.currency)):.{minor_digits(one.currency)}f}"
        cells = {
            **dict(zip(COLUMNS, head)), "account": "earnings", "kind": "vat", "share": decimal(one.vat), "vat": vat,
            "amount": decimal(earned),
        }  # fmt: skip
        rows.writerow([plain(cells.get(name)) for name in COLUMNS])
    text.detach()


def plain(cell: object) -> str:
    """As it is written; what is none is empty."""
    if cell is None:
        return ""
    text = f"{cell:f}" if hasattr(cell, "as_tuple") else str(cell)
    return f"'{text}" if isinstance(cell, str) and text.startswith(_FORMULA) else text
