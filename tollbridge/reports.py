"""The reports of `tollbridge report`, each a sheet (tollbridge/show_report.py).

REPORTS   name → what makes its sheet, and which options go with it
Asked     what a report is to be about

Rule: from what is added up already (store/reports.py, store/reports_owed.py), so that a report costs the same for any
number of messages.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from core.clock import Month, iso_of, month_text
from core.report import FREE, PAID, RELEASED, TAKEN_BACK, WRITTEN_OFF, Line, totals_of
from core.tariff.charge import ChargeKind
from store.reports import Earnings, Period, Wanted, read_earnings, read_lines, read_progress
from store.reports_owed import Receivable, read_debts, read_payables, read_receivables
from tollbridge.show_report import Cell, Column, Kind, Sheet

_KINDS = {
    FREE: "free", **{int(kind): kind.name.lower() for kind in ChargeKind}, RELEASED: "hold_released", PAID: "paid",
    WRITTEN_OFF: "written_off",
}  # fmt: skip
_CORRECTIONS = frozenset({int(ChargeKind.TIER_CORRECTION)})
_OUTGOING = frozenset({int(ChargeKind.MT)})
_MOVED = ("accrued", "taken_back", "written_off", "paid")
"""What moves a receivable (core/report.py, Owed)."""


@dataclass(slots=True)
class Asked:
    """What a report is to be about; "" and 0 are all of them."""

    period: Period
    this_month: Month
    by: tuple[str, ...] = ()
    partner: str = ""
    operator: str = ""
    partner_id: int = 0
    operator_id: int = 0

    def about(self, **more: str) -> dict[str, str]:
        """For a program."""
        period = self.period
        days = {"from": _day(period.first), "to": _day(period.last)}
        when = {"month": month_text(period.month)} if period.month else days
        who = {"partner": self.partner, "operator": self.operator}
        return {**when, **{name: value for name, value in who.items() if value}, **more}

    def title(self, what: str) -> str:
        """For a person."""
        period = self.period
        days = f"{_day(period.first)} to {_day(period.last)}"
        when = month_text(period.month) if period.month else days
        return ", ".join(filter(None, (f"{what} of {when}", self.partner, self.operator)))


@dataclass(frozen=True, slots=True)
class Report:
    """How a report is made; which options go with it."""

    make: Callable[[Connection, Asked], Sheet]
    takes: frozenset[str]


def _day(day: int) -> str:
    """20261001 → `2026-10-01`."""
    return f"{day // 10_000:04d}-{day // 100 % 100:02d}-{day % 100:02d}"


def _texts(*names: str) -> list[Column]:
    return [Column(name) for name in names]


def _counts(*names: str) -> list[Column]:
    return [Column(name, Kind.COUNT) for name in names]


def _amounts(*names: str) -> list[Column]:
    return [Column(name, Kind.AMOUNT) for name in names]


# --- from the daily sums -----------------------------------------------------------------------------------


def revenue(connection: Connection, asked: Asked) -> Sheet:
    """What subscribers and partners paid, and to whom it went."""
    by = asked.by or ("operator",)
    lines = read_lines(connection, Wanted(asked.period, by, asked.partner_id, asked.operator_id))
    rows = [(*map(_key_cell, by, line.key), line.currency, *_revenue_cells(line)) for line in lines]
    blank = (None,) * (len(by) - 1)
    totals = [("total", *blank, line.currency, *_revenue_cells(line)) for line in totals_of(lines)]
    columns = (*_texts(*by, "currency"), *_REVENUE)
    return Sheet("revenue", asked.title("Revenue"), asked.about(by=",".join(by)), columns, rows, totals)


def partners(connection: Connection, asked: Asked) -> Sheet:
    """What partners earned; what is nobody's is left out."""
    by = asked.by if "partner" in asked.by else ("partner", *asked.by)
    found = read_earnings(connection, Wanted(asked.period, by, asked.partner_id, asked.operator_id))
    rows = [(*map(_key_cell, by, one.line.key), one.line.currency, *_earnings_cells(one)) for one in found]
    blank = (None,) * (len(by) - 1)
    totals = []
    for line in totals_of(one.line for one in found):
        alike = [one for one in found if one.line.currency == line.currency]
        total = Earnings(line, sum(one.held for one in alike), sum(one.referral_income for one in alike))
        totals.append(("total", *blank, line.currency, *_earnings_cells(total)))
    columns = (*_texts(*by, "currency"), *_EARNINGS)
    return Sheet("partners", asked.title("Partners"), asked.about(by=",".join(by)), columns, rows, totals)


def _revenue_cells(line: Line) -> tuple[Cell, ...]:
    total = line.total
    return (
        line.messages, line.parts, line.free, line.taken_back, total("price"), total("vat"), total("operator_part"),
        line.revenue, total("partner_part"), total("referral_part"), total("ours"), total("suspense"),
    )  # fmt: skip


_REVENUE = (
    *_counts("messages", "parts", "free", "taken_back"),
    *_amounts("price", "vat", "operator_part", "revenue", "partner_part", "referral", "ours", "suspense"),
)


_EARNINGS = (
    *_counts("messages"),
    *_amounts(
        "volume", "earned", "held", "referral_income", "of_it_corrections", "of_it_taken_back", "to_referrer", "ours",
        "outgoing",
    ),
)  # fmt: skip


def _earnings_cells(one: Earnings) -> tuple[Cell, ...]:
    line = one.line
    total = line.total
    return (
        line.messages, total("base"), total("partner_part"), one.held, one.referral_income,
        total("partner_part", _CORRECTIONS), total("partner_part", TAKEN_BACK), total("referral_part"), total("ours"),
        total("price", _OUTGOING),
    )  # fmt: skip


def _key_cell(group: str, value: int | str) -> Cell:
    if group == "day":
        return _day(int(value))
    if group == "month":
        return month_text(int(value))
    return _KINDS.get(int(value), str(value)) if group == "kind" else value


# --- from volumes and accounts -----------------------------------------------------------------------------


def tiers(connection: Connection, asked: Asked) -> Sheet:
    """How far partners have come: a line per partner and version of a plan."""
    columns = (
        *_texts("partner", "plan", "since", "currency", "mode"), *_amounts("volume", "earned"), *_texts("tier"),
        Column("share", Kind.SHARE), *_amounts("next_from", "left"), Column("next_share", Kind.SHARE),
    )  # fmt: skip
    rows = []
    for one in read_progress(connection, asked.period.month, asked.partner_id):
        progress = one.progress
        since = iso_of(one.valid_from)[:10] if one.valid_from else ""
        rows.append(
            (
                one.partner, one.plan, since, one.currency, one.mode, progress.volume, progress.earned,
                f"{progress.tier} of {progress.tiers}", progress.share, progress.next_from, progress.left,
                progress.next_share,
            )
        )  # fmt: skip
    return Sheet("tiers", asked.title("Tiers"), asked.about(), columns, rows)


def receivables(connection: Connection, asked: Asked) -> Sheet:
    """What operators owe, month by month: opening + accrued − taken back − written off − paid = open."""
    since, until = _months(asked)
    found = read_receivables(connection, since, until, asked.operator)
    return _month_by_month("receivables", found, _MOVED, since, until)


def payables(connection: Connection, asked: Asked) -> Sheet:
    """What we owe operators for outgoing SMS, month by month: opening + accrued − written off − paid = open."""
    since, until = _months(asked)
    found = read_payables(connection, since, until, asked.operator)
    return _month_by_month("payables", found, ("accrued", "written_off", "paid"), since, until)


def _months(asked: Asked) -> tuple[Month, Month]:
    period = asked.period
    return (period.month, period.month) if period.month else (period.first // 100, period.last // 100)


def _month_by_month(
    report: str, found: Iterable[Receivable], names: tuple[str, ...], since: Month, until: Month
) -> Sheet:
    """A line per operator, currency and month; `names` are what moved it (core/report.py, Owed)."""
    columns = (*_texts("operator", "currency", "month"), *_amounts("opening", *names, "open"))
    rows = []
    sums = []
    for one in found:
        months = one.months
        for owed in months:
            moved = tuple(getattr(owed, name) for name in names)
            rows.append((one.operator, one.currency, month_text(owed.month), owed.opening, *moved, owed.open))
        moved = tuple(sum(getattr(owed, name) for owed in months) for name in names)
        sums.append((one.currency, (months[0].opening, *moved, months[-1].open)))
    totals = [("total", currency, None, *amounts) for currency, amounts in _by_currency(sums)]
    title = f"{report.capitalize()} of {month_text(since)} to {month_text(until)}"
    about = {"from": month_text(since), "to": month_text(until)}
    return Sheet(report, title, about, columns, rows, totals)


def ageing(connection: Connection, asked: Asked) -> Sheet:
    """What operators owe, by the month in which it was booked."""
    columns = (
        *_texts("operator", "currency", "month"), *_counts("months_old"), *_amounts("accrued", "open"),
    )  # fmt: skip
    rows = []
    sums = []
    for one in read_debts(connection, asked.this_month, asked.operator):
        for debt in one.debts:
            month, age = (month_text(debt.month), debt.age) if debt.month else ("in advance", None)
            rows.append((one.operator, one.currency, month, age, debt.accrued, debt.open))
            sums.append((one.currency, (debt.accrued, debt.open)))
    totals = [("total", currency, None, None, *amounts) for currency, amounts in _by_currency(sums)]
    return Sheet("ageing", "Ageing of what operators owe", {}, columns, rows, totals)


def _by_currency(amounts: Iterable[tuple[str, tuple[int, ...]]]) -> list[tuple[str, tuple[int, ...]]]:
    """Summed: currencies never meet."""
    sums: dict[str, tuple[int, ...]] = {}
    for currency, more in amounts:
        old = sums.get(currency, (0,) * len(more))
        sums[currency] = tuple(a + b for a, b in zip(old, more, strict=True))
    return sorted(sums.items())


_PERIOD = {"from", "to", "month"}
REPORTS = {
    "revenue": Report(revenue, frozenset({*_PERIOD, "by", "partner", "operator"})),
    "partners": Report(partners, frozenset({*_PERIOD, "by", "partner", "operator"})),
    "receivables": Report(receivables, frozenset({"month", "operator"})),
    "payables": Report(payables, frozenset({"month", "operator"})),
    "tiers": Report(tiers, frozenset({"month", "partner"})),
    "ageing": Report(ageing, frozenset({"operator"})),
}
