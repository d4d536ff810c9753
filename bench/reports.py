"""Reports: how long a year's report takes, by how many daily sums there are.

bench_reports   revenue of a year by operator, by day, by partner, and what partners earned → Section

The daily sums are those of 365 days, five operators, four short codes and forty services of as many partners: each sum
stands for any number of messages, so what is measured is the same for ten thousand of them and for a hundred million.

Rule: every report adds up to what was written; else nothing is measured.
"""

import time
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import TypeAlias

from sqlalchemy import Connection

from bench.setting import DATABASES, fresh_database
from bench.table import Section
from core.report import Sums
from store import schema
from store.daily import write_sums
from store.database import Database
from store.reports import Period
from tests.partner_api.rows import add
from tollbridge.reports import REPORTS, Asked

YEAR = 2026
DAYS, QUICK_DAYS = 365, 36
OPERATORS, CODES, SERVICES = 5, 4, 40
_ROUNDS = 3
_EACH = (3, 3, 36_000_000, 6_000_000, 15_000_000, 9_000_000, 0, 6_000_000, 0, 15_000_000)
"""Of one sum: count, parts and amounts as core/report.py has them."""
_Made: TypeAlias = tuple[str, str, tuple[str, ...]]
_ASKED: tuple[_Made, ...] = (
    ("revenue by operator", "revenue", ("operator",)),
    ("revenue by day", "revenue", ("day",)),
    ("revenue by month and partner", "revenue", ("month", "partner")),
    ("partners", "partners", ()),
)


def bench_reports(say: Callable[[str], None], *, quick: bool) -> Section:
    """On both databases."""
    days = QUICK_DAYS if quick else DAYS
    rows: list[tuple[str, ...]] = []
    sums = 0
    for kind in DATABASES:
        with fresh_database(kind) as (_, database):
            sums = _fill(database, days, partial(_tell_sums, say, kind))
            with database.read() as connection:
                for title, name, by in _ASKED:
                    say(f"{kind}: {title}")
                    rows.append((f"{kind}, {title}", *_measured(connection, name, by, sums)))
    return Section(
        "reports",
        f"A report of {days} days over {sums:,} daily sums".replace(",", " "),
        ("database, report", "lines", "s"),
        tuple(rows),
        ("The best of three. A sum stands for any number of messages.",),
    )


def _tell_sums(say: Callable[[str], None], kind: str, done: int) -> None:
    say(f"{kind}: {done} daily sums")


def _fill(database: Database, days: int, say: Callable[[int], None]) -> int:
    """The catalogue's names and the sums of so many days; how many sums."""
    with database.write() as connection:
        for number in range(1, OPERATORS + 1):
            add(connection, schema.Operator, id=number, code=f"op{number}", currency="RUB")
        for number in range(1, SERVICES + 1):
            add(connection, schema.Partner, id=number, login=f"p{number}")
            add(connection, schema.Service, id=number, partner_id=number, name="game")
    written = 0
    for ahead in range(days):
        day = date(YEAR, 1, 1) + timedelta(days=ahead)
        sums = _sums(day.year * 10_000 + day.month * 100 + day.day)
        with database.write() as connection:
            write_sums(connection, sums, 0)
        written += len(sums)
        say(written)
    return written


def _sums(day: int) -> Sums:
    return {
        (day, "RUB", operator, f"444{code}", service, service, 1, day // 100, 0, 0): list(_EACH)
        for operator in range(1, OPERATORS + 1)
        for code in range(CODES)
        for service in range(1, SERVICES + 1)
    }


def _measured(connection: Connection, name: str, by: tuple[str, ...], sums: int) -> tuple[str, ...]:
    asked = Asked(Period(YEAR * 10_000 + 101, YEAR * 10_000 + 1231), YEAR * 100 + 12, by)
    best = 0.0
    for _ in range(_ROUNDS):
        begun = time.perf_counter()
        sheet = REPORTS[name].make(connection, asked)
        took = time.perf_counter() - begun
        best = min(best, took) if best else took
    place = next(number for number, column in enumerate(sheet.columns) if column.name == "messages")
    told = sum(int(row[place] or 0) for row in sheet.rows)
    if told != sums * _EACH[0]:
        raise RuntimeError(f"{name}: {told} messages are told of {sums * _EACH[0]}")
    return str(len(sheet.rows)), f"{best:.2f}"
