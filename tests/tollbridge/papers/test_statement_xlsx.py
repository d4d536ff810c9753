"""Statements as workbooks, read back by the library that reads operators' files."""

import io
from dataclasses import replace
from typing import Any

import openpyxl

from core.statement import LineKind
from store.statements import Stated
from tests.tollbridge.papers.makers import OURS, a_line, a_statement
from tollbridge.papers.statement_xlsx import write
from tollbridge.papers.words import COLUMNS


def book_of(stated: Stated) -> Any:
    file = io.BytesIO()
    write(stated, OURS, file)
    return openpyxl.load_workbook(file)


def lines_of(stated: Stated) -> list[dict[str, Any]]:
    head, *rows = book_of(stated)["Lines"].iter_rows()
    assert [cell.value for cell in head] == list(COLUMNS)
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


def test_amounts_are_numbers_with_all_their_decimals() -> None:
    _, row, _ = lines_of(a_statement(a_line("1234567.891234")))

    assert (row["amount"].value, row["amount"].data_type) == (1234567.891234, "n")
    assert row["amount"].number_format == "#,##0.00####"
    assert (row["share"].value, row["share"].number_format) == (0.6, "0.####%")
    assert (row["count"].value, row["kind"].value) == (20, "mo")


def test_an_amount_that_a_spreadsheet_would_round_is_a_text() -> None:
    line = replace(a_line(), amount=1_234_567_890_123_456_789)

    _, row, _ = lines_of(a_statement(line))

    assert (row["amount"].value, row["amount"].data_type) == ("1234567890123.456789", "s")


def test_a_reason_is_never_a_formula() -> None:
    _, row, _ = lines_of(a_statement(a_line(kind=LineKind.ADJUSTED, note='=HYPERLINK("http://x")')))

    assert (row["note"].value, row["note"].data_type) == ('=HYPERLINK("http://x")', "s")


def test_the_first_sheet_has_the_figures() -> None:
    sheet = book_of(a_statement(a_line("60.005"), young="0.005"))["Statement"]

    told = {row[0].value: row[1] for row in sheet.iter_rows()}
    assert told["Statement"].value == "2026-000012"
    assert told["Issued by"].value == OURS.name
    assert told["Closing balance of earnings"].value == 60.005
    assert (told["Due"].value, told["Due"].number_format) == (60, "#,##0.00")


def test_the_figures_of_a_partner_that_pays_vat_have_it() -> None:
    stated = a_statement(a_line("120.00"))

    book = book_of(replace(stated, statement=replace(stated.statement, vat=200_000)))

    figures = {row[0].value: row[1].value for row in book["Statement"].iter_rows()}
    assert [figures[name] for name in ("Earned", "VAT rate", "VAT included in what is earned")] == [120, 0.2, 20]
    assert "Earned" not in {row[0].value for row in book_of(stated)["Statement"].iter_rows()}


def test_what_a_workbook_cannot_hold_is_left_out() -> None:
    _, row, _ = lines_of(a_statement(a_line(kind=LineKind.ADJUSTED, note="a\x00b\x1bc")))

    assert row["note"].value == "abc"
