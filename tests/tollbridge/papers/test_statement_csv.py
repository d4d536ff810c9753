"""Statements as CSV: exact, and nothing in them that a spreadsheet would run."""

import csv
import io
from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from core.statement import LineKind
from store.statements import Stated
from tests.makers_money import micros
from tests.tollbridge.papers.makers import OURS, a_line, a_statement
from tollbridge.papers.statement_csv import write
from tollbridge.papers.words import COLUMNS


def rows_of(stated: Stated) -> list[dict[str, str]]:
    file = io.BytesIO()
    write(stated, OURS, file)
    text = file.getvalue().decode("utf-8-sig")
    assert file.getvalue().startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_line_is_a_row_with_the_statement_before_it() -> None:
    rows = rows_of(a_statement(a_line("59.999999")))

    assert list(rows[1]) == list(COLUMNS)
    assert rows[1] == {
        "number": "2026-000012", "partner": "acme", "month": "2026-10", "currency": "RUB", "account": "earnings",
        "kind": "mo", "short_code": "4446", "operator": "alpha", "share": "0.60", "count": "20", "parts": "21",
        "gross": "240.00", "base": "100.00", "vat": "0.00", "amount": "59.999999", "note": "standard",
    }  # fmt: skip


def test_outgoing_sms_have_their_vat() -> None:
    sent = a_line("-1.20", LineKind.OUTGOING, "reserved", gross=micros("1.20"), base=micros("1.00"), count=1)

    (row,) = [row for row in rows_of(a_statement(sent)) if row["kind"] == "outgoing"]

    assert (row["gross"], row["base"], row["vat"], row["amount"]) == ("1.20", "1.00", "0.20", "-1.20")


def test_what_is_due_stands_behind_the_lines_in_minor_units() -> None:
    *_, young, due = rows_of(a_statement(a_line("5000.5"), young="0.5", due="5000", currency="JPY"))

    assert (young["kind"], young["amount"]) == ("young", "0.50")
    assert (due["kind"], due["amount"], due["account"]) == ("due", "5000", "earnings")


def test_the_vat_in_what_was_earned_stands_last_of_a_partner_that_pays_it() -> None:
    stated = a_statement(a_line("119.99"))

    *_, due, vat = rows_of(replace(stated, statement=replace(stated.statement, vat=200_000)))

    assert due["kind"] == "due"
    assert {name: cell for name, cell in vat.items() if cell} == {
        "number": "2026-000012", "partner": "acme", "month": "2026-10", "currency": "RUB", "account": "earnings",
        "kind": "vat", "share": "0.20", "vat": "19.99", "amount": "119.99",
    }  # fmt: skip


@given(amounts=st.lists(st.integers(-(10**17), 10**17), max_size=8), note=st.text(max_size=40))
def test_the_amounts_sum_to_the_movement_exactly_whatever_the_notes_say(amounts: list[int], note: str) -> None:
    line = a_line(kind=LineKind.ADJUSTED, note=note)
    stated = a_statement(*(replace(line, amount=amount) for amount in amounts))

    rows = [row for row in rows_of(stated) if row["kind"] == "adjusted"]

    assert sum((Decimal(row["amount"]) for row in rows), Decimal(0)).scaleb(6) == stated.statement.movement
    for row in rows:
        assert not row["note"].startswith(("=", "+", "-", "@", "\t", "\r"))
