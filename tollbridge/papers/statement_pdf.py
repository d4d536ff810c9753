"""A statement and act on A4, by reportlab.

write   who issues it, for whom, the month; what is due; each account line by line; the act, with room for signatures

The font is DejaVu Sans Condensed, which lies beside this module: it has Latin, Cyrillic and Greek, and of what has no
letter in it a box is seen, never nothing.

Rule: reportlab reads markup in paragraphs, so every text that is not ours goes through `escape`. The file holds no
moment but the statement's own: made again, it is the same to the octet.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, Literal
from xml.sax.saxutils import escape

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    KeepTogether,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
)

from core.money import minor_digits
from core.statement import ACCOUNTS, BALANCES, Line, LineKind, earned_in, vat_in
from store.statements import Stated, Statement
from tollbridge.papers import Company
from tollbridge.papers.words import (
    BY_TIER,
    DASH,
    THIN,
    account_title,
    amount_text,
    count_text,
    day_text,
    decimals_of,
    line_title,
    month_name,
    percent,
    period_text,
    vat_of,
)

PLAIN, BOLD = "Tollbridge", "Tollbridge-Bold"
_FONTS = Path(__file__).parent / "fonts"
_INK, _QUIET, _LINE, _SHADE = HexColor("#1a1f2b"), HexColor("#667085"), HexColor("#d0d5dd"), HexColor("#f2f4f7")
_ACCENT = HexColor("#0b5d4b")
_SIDE, _TOP, _BOTTOM = 16 * mm, 16 * mm, 18 * mm
_WIDTH = A4[0] - 2 * _SIDE

_EARNED = (
    ("", 0), ("Number", 14), ("Operator", 23), ("Share", 14), ("Count", 15), ("Base", 25), ("Amount", 27)
)  # fmt: skip
"""Columns of what is earned, their widths in mm; the first takes the rest."""
_SENT = (("", 0), ("Operator", 23), ("Count", 15), ("Net", 25), ("VAT", 22), ("Amount", 27))
_MOVED = (("", 0), ("Count", 15), ("Amount", 27))
_COLUMNS = {"earnings": _EARNED, "held": _EARNED, "reserved": _SENT}
WHOLE = 12
"""Rows of a table that is not broken over two pages."""


def write(stated: Stated, company: Company, file: BinaryIO) -> None:
    """The whole paper."""
    _load_fonts()
    one = stated.statement
    title = f"Statement and act {one.number}"
    document = BaseDocTemplate(
        file, pagesize=A4, leftMargin=_SIDE, rightMargin=_SIDE, topMargin=_TOP, bottomMargin=_BOTTOM, title=title,
        author=company.name, subject=f"{one.partner}, {month_name(one.month)}, {one.currency}", invariant=1,
    )  # fmt: skip
    frame = Frame(_SIDE, _BOTTOM, _WIDTH, A4[1] - _TOP - _BOTTOM, 0, 0, 0, 0)
    document.addPageTemplates([PageTemplate("page", [frame])])
    story = [
        *_head(one, company), *_figures(one), *(part for name in ACCOUNTS for part in _account(stated, name)),
        *_act(stated, company),
    ]  # fmt: skip
    footer = f"{company.name} · {title} · {one.partner} · {month_name(one.month)}"
    document.build(story, canvasmaker=_numbered(footer))


@cache
def _load_fonts() -> None:
    for name, font in ((PLAIN, "DejaVuSansCondensed.ttf"), (BOLD, "DejaVuSansCondensed-Bold.ttf")):
        pdfmetrics.registerFont(TTFont(name, str(_FONTS / font)))
    pdfmetrics.registerFontFamily(PLAIN, normal=PLAIN, bold=BOLD, italic=PLAIN, boldItalic=BOLD)


def _style(size: float, *, colour: Color = _INK, font: str = PLAIN, right: bool = False) -> ParagraphStyle:
    side: Literal[0, 2] = 2 if right else 0  # reportlab.lib.enums: TA_RIGHT, TA_LEFT
    name = f"{font}{size}"
    return ParagraphStyle(name, fontName=font, fontSize=size, leading=size * 1.3, textColor=colour, alignment=side)


def _text(words: str, size: float = 8, **style: Any) -> Paragraph:
    # reportlab breaks a line at every blank but this one, at the narrow one that does not break, too.
    unbroken = escape(words).replace(THIN, "\N{NO-BREAK SPACE}")
    return Paragraph(unbroken.replace("\n", "<br/>"), _style(size, **style))


# --- the top -------------------------------------------------------------------------------------------------------


def _head(one: Statement, company: Company) -> Iterator[Flowable]:
    """Who issues it, what it is, for whom."""
    ours = [company.address, f"Tax id {company.tax_id}" if company.tax_id else "", *_bank(company)]
    left = [_text(company.name, 12, font=BOLD), *(_text(line, 7.5, colour=_QUIET) for line in ours if line)]
    right = [
        _text("Statement and act", 12, font=BOLD, right=True),
        _text(f"No. {one.number}", 10, colour=_ACCENT, font=BOLD, right=True),
        _text(f"issued {day_text(one.issued_at)}", 7.5, colour=_QUIET, right=True),
    ]
    yield Table(
        [[left, right]], [_WIDTH * 0.58, _WIDTH * 0.42], style=[*_FLAT, ("LINEBELOW", (0, 0), (-1, 0), 0.8, _INK)]
    )
    yield Spacer(0, 4 * mm)
    named = (("Partner", one.title), ("Period", period_text(one.month)), ("Currency", one.currency))
    cells = [[_text(name, 7, colour=_QUIET), _text(value, 10, font=BOLD)] for name, value in named]
    theirs = (one.address, f"Tax id {one.tax_id}" if one.tax_id else "", one.partner if one.legal_name else "")
    cells[0] += [_text(line, 7.5, colour=_QUIET) for line in theirs if line]
    yield Table([cells], [_WIDTH * 0.4, _WIDTH * 0.4, _WIDTH * 0.2], style=_FLAT)
    yield Spacer(0, 3 * mm)


def _bank(company: Company) -> list[str]:
    account = ", ".join(filter(None, (company.bank, company.iban, f"BIC {company.bic}" if company.bic else "")))
    return [account]


def _figures(one: Statement) -> Iterator[Flowable]:
    """Opening, movement, closing of earnings; what is too young; what is due."""
    digits = decimals_of([one.opening, one.movement, one.closing, one.young])
    told = [
        ("Opening balance", amount_text(one.opening, digits=digits)),
        ("Movement", amount_text(one.movement, digits=digits)),
        ("Closing balance", amount_text(one.closing, digits=digits)),
        ("Of it too young to pay", amount_text(one.young, digits=digits) if one.young else DASH),
    ]
    cells: list[Any] = [[_text(name, 7, colour=_QUIET), _text(value, 9, font=BOLD)] for name, value in told]
    due = amount_text(one.due, digits=minor_digits(one.currency))
    cells.append([_text("Due", 7, colour=_ACCENT), _text(f"{due} {one.currency}", 12, font=BOLD, colour=_ACCENT)])
    style: list[Any] = [
        ("BACKGROUND", (0, 0), (-1, -1), _SHADE), ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 5), ("BOTTOMPADDING", (0, 0), (-1, -1), 6),
        ("LEFTPADDING", (0, 0), (-1, -1), 7), ("RIGHTPADDING", (0, 0), (-1, -1), 4),
    ]  # fmt: skip
    yield Table([cells], [_WIDTH * part for part in (0.19, 0.17, 0.19, 0.2, 0.25)], style=style)
    yield Spacer(0, 2 * mm)


_FLAT: list[Any] = [
    ("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0), ("RIGHTPADDING", (0, 0), (-1, -1), 0),
    ("TOPPADDING", (0, 0), (-1, -1), 0), ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
]  # fmt: skip


# --- accounts ------------------------------------------------------------------------------------------------------


def _account(stated: Stated, account: str) -> Iterator[Flowable]:
    """An account from its opening to its closing balance; nothing for one that the statement has not."""
    lines = [line for line in stated.lines if line.account == account]
    if not lines:
        return
    columns = _COLUMNS.get(account, _MOVED)
    digits = decimals_of([amount for line in lines for amount in (line.amount, line.base)])
    rows: list[list[Any]] = [[name for name, _ in columns]]
    for line in lines:
        if line.kind is LineKind.CLOSING:
            movement = sum(one.amount for one in lines if one.kind not in BALANCES)
            rows.append(_balance("Sum of the lines: movement", movement, columns, digits))
        if line.kind in BALANCES:
            rows.append(_balance(line_title(line), line.amount, columns, digits))
        else:
            cells = _cells(line, digits)
            rows.append([cells[name] for name, _ in columns])
    widths = [width * mm for _, width in columns]
    widths[0] = _WIDTH - sum(widths)
    last = len(rows) - 1
    style: list[Any] = [
        ("FONT", (0, 0), (-1, 0), PLAIN, 7), ("TEXTCOLOR", (0, 0), (-1, 0), _QUIET),
        ("FONT", (0, 1), (-1, -1), PLAIN, 8), ("TEXTCOLOR", (0, 1), (-1, -1), _INK),
        ("ALIGN", (_first_number(columns), 0), (-1, -1), "RIGHT"), ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 1.6), ("BOTTOMPADDING", (0, 0), (-1, -1), 2.0),
        ("LEFTPADDING", (0, 0), (-1, -1), 2), ("RIGHTPADDING", (0, 0), (-1, -1), 2),
        ("LINEBELOW", (0, 0), (-1, 0), 0.6, _INK), ("LINEBELOW", (0, 1), (-1, last), 0.25, _LINE),
        ("FONT", (0, last), (-1, last), BOLD, 8), ("LINEABOVE", (0, last), (-1, last), 0.6, _INK),
    ]  # fmt: skip
    table = Table(rows, widths, style=style, repeatRows=1)
    heading = _text(f"{account_title(account)}, {stated.statement.currency}", 9.5, font=BOLD)
    yield Spacer(0, 3 * mm)
    if len(rows) <= WHOLE:
        yield KeepTogether([heading, Spacer(0, 1 * mm), table])
        return
    # A heading never stands alone at the foot of a page; keepWithNext would take a long table to the next one with it.
    yield CondPageBreak(40 * mm)
    yield heading
    yield table


def _first_number(columns: Sequence[tuple[str, int]]) -> int:
    """Where the columns of numbers begin: they are aligned to the right."""
    return next(place for place, (name, _) in enumerate(columns) if name in {"Share", "Count"})


def _balance(title: str, amount: int, columns: Sequence[tuple[str, int]], digits: int) -> list[Any]:
    return [title, *[""] * (len(columns) - 2), amount_text(amount, digits=digits)]


def _cells(line: Line, digits: int) -> dict[str, Any]:
    """By the names of columns."""
    vat = vat_of(line)
    return {
        "": _text(line_title(line)),
        "Number": line.short_code,
        "Operator": line.operator,
        "Share": percent(line.share) if line.kind in BY_TIER else "",
        "Count": count_text(line.count),
        "Base": amount_text(line.base, digits=digits) if line.base else "",
        "Net": amount_text(-line.base, digits=digits) if line.base else "",
        "VAT": amount_text(-vat, digits=digits) if vat else "",
        "Amount": amount_text(line.amount, digits=digits),
    }


# --- the act ---------------------------------------------------------------------------------------------------------


def _act(stated: Stated, company: Company) -> Iterator[Flowable]:
    """What both sides sign."""
    one = stated.statement
    told = []
    earned = earned_in(stated.lines)
    if earned:
        told.append(
            f"For its part in the traffic of {month_name(one.month)} the partner has earned "
            f"{amount_text(earned)} {one.currency}, corrections and referrals included{_own_vat(one, earned)}."
        )
    sent = [line for line in stated.lines if line.kind is LineKind.OUTGOING]
    if sent:
        net, vat = sum(line.base for line in sent), sum(vat_of(line) for line in sent)
        count, parts = sum(line.count for line in sent), sum(line.parts for line in sent)
        words = f"VAT {amount_text(vat)}" if vat else "no VAT"
        told.append(
            f"{company.name} has sent {count_text(count)} SMS ({count_text(parts)} parts) for the partner: "
            f"net {amount_text(net)}, {words}, together {amount_text(net + vat)} {one.currency}, paid from the prepaid "
            "balance."
        )
    due = amount_text(one.due, digits=minor_digits(one.currency))
    told.append(
        f"Due to the partner: {due} {one.currency}. What is left stays on the account and opens the next month."
    )
    signs = [[_text(f"For {name}", 8, colour=_QUIET)] for name in (company.name, one.title)]
    lines = [[_text("Name, signature, date", 6.5, colour=_QUIET)] for _ in signs]
    style: list[Any] = [*_FLAT, ("LINEBELOW", (0, 0), (0, 0), 0.5, _INK), ("LINEBELOW", (2, 0), (2, 0), 0.5, _INK),
             ("BOTTOMPADDING", (0, 0), (-1, 0), 26)]  # fmt: skip
    yield Spacer(0, 5 * mm)
    yield KeepTogether(
        [
            _text("Act", 9.5, font=BOLD),
            Spacer(0, 1 * mm),
            *(_text(words, 8.5) for words in told),
            Spacer(0, 5 * mm),
            Table(
                [[signs[0], "", signs[1]], [lines[0], "", lines[1]]],
                [_WIDTH * 0.45, _WIDTH * 0.1, _WIDTH * 0.45],
                style=style,
            ),
        ]
    )


def _own_vat(one: Statement, earned: int) -> str:
    """Of a partner that pays VAT."""
    if not one.vat:
        return ""
    vat = amount_text(vat_in(earned, one.vat, one.currency), digits=minor_digits(one.currency))
    return f"; including VAT {percent(one.vat)}: {vat} {one.currency}"


# --- pages -----------------------------------------------------------------------------------------------------------


def _numbered(footer: str) -> type[Canvas]:
    """A canvas whose pages are drawn when their number is known: page 2 of 3."""

    class Numbered(Canvas):
        def __init__(self, *arguments: Any, **more: Any) -> None:
            super().__init__(*arguments, **more)
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:
            self._pages.append(dict(self.__dict__))
            self._startPage()  # type: ignore[attr-defined]

        def save(self) -> None:
            for number, page in enumerate(self._pages, 1):
                self.__dict__.update(page)
                self.setFont(PLAIN, 6.5)
                self.setFillColor(_QUIET)
                self.drawString(_SIDE, 10 * mm, footer)
                self.drawRightString(A4[0] - _SIDE, 10 * mm, f"page {number} of {len(self._pages)}")
                super().showPage()
            super().save()

    return Numbered
