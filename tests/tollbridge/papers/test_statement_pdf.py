"""Statements as PDF, read back by poppler: every text is there in its letters, figures stand below each other."""

import io
import re
import shutil
import subprocess
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.statement import LineKind
from store.statements import Stated
from tests.makers_money import micros
from tests.tollbridge.papers.makers import OURS, a_line, a_statement
from tollbridge.papers import Company
from tollbridge.papers.statement_pdf import write
from tollbridge.papers.words import THIN, amount_text


def pdf_of(stated: Stated, company: Company = OURS) -> bytes:
    file = io.BytesIO()
    write(stated, company, file)
    return file.getvalue()


def text_of(pdf: bytes) -> str:
    if shutil.which("pdftotext") is None:
        pytest.skip("needs pdftotext; apt-get install poppler-utils")
    done = subprocess.run(["pdftotext", "-layout", "-", "-"], input=pdf, capture_output=True, check=True)
    return done.stdout.decode().replace(THIN, " ").replace("\N{NO-BREAK SPACE}", " ")


def pages_of(pdf: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", pdf))


def test_who_for_whom_what_and_how_much_is_due() -> None:
    text = text_of(pdf_of(a_statement(a_line("1234.567891"), opening="10", due="1244.56")))

    for words in (
        "ООО «Толлбридж»", "ул. Примерная, д. 1", "Tax id 7701234567", "BIC COBADEFF", "No. 2026-000012", "acme",
        "issued 2 November 2026", "1–31 October 2026", "1 244.56 RUB", "page 1 of 1",
    ):  # fmt: skip
        assert words in text


def test_a_partner_is_named_as_it_was_when_its_month_was_closed() -> None:
    stated = a_statement(a_line())
    acme = replace(stated.statement, legal_name="ООО «Акме»", tax_id="7707083893", address="190000, Петербург")

    text = " ".join(text_of(pdf_of(replace(stated, statement=acme))).split())

    for words in ("ООО «Акме»", "Tax id 7707083893", "190000, Петербург", "For ООО «Акме»", "acme"):
        assert words in text


def test_the_act_of_a_partner_that_pays_vat_says_how_much_is_in_what_it_earned() -> None:
    taken_back = a_line("-10.01", LineKind.CHARGE_BACK)
    paid = a_line("-500", LineKind.PAYOUT, note="1")
    stated = a_statement(a_line("1210.00"), taken_back, paid)

    words = " ".join(text_of(pdf_of(replace(stated, statement=replace(stated.statement, vat=200_000)))).split())

    # 1199.99 / 1.2 = 999.991667, and of 199.998333 whole kopecks, down.
    assert "earned 1 199.99 RUB, corrections and referrals included; including VAT 20 %: 199.99 RUB." in words
    assert "VAT" not in " ".join(text_of(pdf_of(stated)).split())


@pytest.mark.parametrize("length", range(0, 70, 3))
def test_no_line_of_the_act_ends_within_an_amount_or_before_a_percent_sign(length: int) -> None:
    """Wherever lines end: their texts are shifted by the company's name, and by what was earned."""
    earned, sent = f"{10 ** (length % 12)}.{'5' * (length % 6 + 1)}", "1234567.89"
    outgoing = a_line("-1481481.468", LineKind.OUTGOING, "reserved", gross=micros("1481481.468"), base=micros(sent))
    stated = a_statement(a_line(earned), outgoing, due="60.00")
    stated = replace(stated, statement=replace(stated.statement, vat=200_000))

    act = text_of(pdf_of(stated, replace(OURS, name=f"{'x' * (length % 10)} {'y ' * length}z"))).partition("\nAct")[2]

    lines = [line.strip() for line in act.splitlines()]
    for piece in ("20 %:", amount_text(micros(earned)), amount_text(micros(sent)), "1 481 481.468"):
        assert any(piece.replace(THIN, " ") in line for line in lines), (piece, lines)


def test_vat_has_the_digits_of_its_currency() -> None:
    stated = a_statement(a_line("1199"), currency="JPY", due="1199")

    words = " ".join(text_of(pdf_of(replace(stated, statement=replace(stated.statement, vat=100_000)))).split())

    assert "including VAT 10 %: 109 JPY." in words


def test_a_line_with_its_tier_and_the_sum_of_all() -> None:
    lines = [a_line("60.00"), a_line("35.0007", short_code="7715", share=700_000, count=1234)]

    text = text_of(pdf_of(a_statement(*lines)))

    rows = [" ".join(row.split()) for row in text.splitlines()]
    assert "Messages, plan standard 4446 alpha 60 % 20 100.0000 60.0000" in rows
    assert "Messages, plan standard 7715 alpha 70 % 1 234 100.0000 35.0007" in rows
    assert "Sum of the lines: movement 95.0007" in rows
    assert "Closing balance 95.0007" in rows


def test_the_act_has_what_was_sent_with_its_vat() -> None:
    sent = a_line(
        "-120.00", LineKind.OUTGOING, "reserved", operator="alpha", count=99, parts=100, gross=micros("120"),
        base=micros("100"),
    )  # fmt: skip

    text = " ".join(text_of(pdf_of(a_statement(a_line(), sent))).split())

    assert "has sent 99 SMS (100 parts) for the partner: net 100.00, VAT 20.00, together 120.00 RUB" in text
    assert "the partner has earned 60.00 RUB" in text
    assert "For acme" in text


def test_a_partner_without_outgoing_sms_fits_on_one_page() -> None:
    lines = [a_line("60.00", operator=name, share=share) for name in "abcd" for share in (600_000, 650_000, 700_000)]
    more = [a_line("-1", LineKind.CHARGE_BACK, note="charged_back"), a_line("-500", LineKind.PAYOUT)]

    assert pages_of(pdf_of(a_statement(*lines, *more))) == 1


def test_a_long_table_goes_on_with_its_head_on_every_page() -> None:
    lines = [a_line("60.00", short_code=str(number)) for number in range(1000, 1150)]

    pdf = pdf_of(a_statement(*lines))

    count, text = pages_of(pdf), text_of(pdf)
    assert count >= 3
    pages = text.split("\f")
    assert all(f"page {number} of {count}" in pages[number - 1] for number in range(1, count + 1))
    for page in pages[: count - 1]:
        assert "Operator" in page
        # No page is left half empty because a table would not be cut.
        assert page.count("Messages, plan standard") > 30


def test_made_again_it_is_the_same_to_the_octet() -> None:
    stated = a_statement(a_line())

    assert pdf_of(stated) == pdf_of(stated)


def test_markup_in_a_text_is_a_text() -> None:
    note = 'a <b>bold</b> & <font color="[[[1]]]">&lt;</font>'

    text = text_of(pdf_of(a_statement(a_line(kind=LineKind.ADJUSTED, note=note)), Company("A <i>& Co")))

    assert "<b>bold</b> &" in " ".join(text.split())
    assert "A <i>& Co" in text


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(note=st.text(max_size=200), partner=st.text(min_size=1, max_size=40), amount=st.integers(-(2**62), 2**62))
def test_there_is_a_paper_whatever_people_have_written(note: str, partner: str, amount: int) -> None:
    line = replace(a_line(kind=LineKind.ADJUSTED, note=note), amount=amount)
    stated = a_statement(line, partner=partner)

    pdf = pdf_of(stated)

    assert pdf.startswith(b"%PDF-")
    assert pages_of(pdf) == 1
