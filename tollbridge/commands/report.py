"""`tollbridge report`: revenue, earnings, what operators owe, tiers, ageing: as a table, as CSV, as JSON.

Rule: what a report says is made by tollbridge/reports.py; here is only what was asked for, and where it goes.
"""

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from core.clock import HOUR_MS, day_of, iso_of, month_of, months_back
from plumbing.clock import SystemClock
from store.reports import GROUPS, Period, find_operator, find_partner
from tollbridge.commands import config_option, json_option, open_database, read_config
from tollbridge.commands.desk import DAY, MONTH
from tollbridge.json_values import print_json
from tollbridge.reports import REPORTS, Asked
from tollbridge.show import plain
from tollbridge.show_report import Sheet, as_value, show_sheet, write_csv

_MONTHS_OF_RECEIVABLES = 12
_EASTERNMOST_MS = 14 * HOUR_MS
"""So much earlier than in UTC a month begins in the easternmost time zone, and plans there book into it."""


@click.command()
@click.argument("name", metavar="REPORT", type=click.Choice(list(REPORTS)))
@config_option
@click.option("--from", "first", type=DAY, metavar="DAY", help="The first day of booking (UTC), like 2026-10-01.")
@click.option("--to", "last", type=DAY, metavar="DAY", help="The last day, included; today without it.")
@click.option("--month", type=MONTH, metavar="MONTH", help="A booked month, like 2026-10, in place of days.")
@click.option("--by", multiple=True, type=click.Choice(list(GROUPS)), help="Split by this; may be given several times.")
@click.option("--partner", metavar="LOGIN", help="Of this partner only.")
@click.option("--operator", metavar="CODE", help="Of this operator only.")
@click.option("--csv", "csv_file", metavar="FILE", help="Write CSV to a file, or to standard output with -.")
@json_option()
def report(name: str, config_file: Path | None, csv_file: str | None, *, as_json: bool, **options: Any) -> None:
    """Report what was booked; without days or a month, this month's.

    \b
    revenue      what subscribers paid, and to whom it went
    partners     what partners earned, what of it is held, and what they paid for outgoing SMS
    receivables  what operators owe, month by month: accrued, taken back, written off, paid, open
    payables     what we owe operators for outgoing SMS, month by month: accrued, written off, paid, open
    tiers        how far partners have come on their scales in a month
    ageing       what operators owe, by age: what they paid settles the oldest month first

    Of partners, earned − held + referral income is what their earnings got by messages, as their statements have it.

    A day is that of the booking in UTC; a month is the booked one, which follows the plan's time zone. In the table
    amounts have two decimals, rounded down; CSV and JSON have them to the last millionth.

    \b
    Example:
      tollbridge report revenue --from 2026-01-01 --to 2026-12-31 --by month --by operator
      tollbridge report partners --month 2026-10 --csv october.csv
      tollbridge report ageing --json
    """
    if csv_file is not None and as_json:
        raise click.UsageError("--csv and --json do not go together")
    _refuse(name, options)
    now = SystemClock().now()
    period = _period(name, now, options)
    with open_database(read_config(config_file)) as database, database.read() as connection:
        by = tuple(dict.fromkeys(options["by"]))
        asked = Asked(period, month_of(now), by, options["partner"] or "", options["operator"] or "")
        if asked.partner:
            asked.partner_id = find_partner(connection, asked.partner)
        if asked.operator:
            asked.operator_id = find_operator(connection, asked.operator)
        sheet = REPORTS[name].make(connection, asked)
    _give(sheet, csv_file, as_json=as_json, at=iso_of(now))


def _refuse(name: str, options: dict[str, Any]) -> None:
    """What does not go with this report, or not together."""
    for option, value in options.items():
        written = {"first": "from", "last": "to"}.get(option, option)
        if value and written not in REPORTS[name].takes:
            raise click.UsageError(f"--{written} does not go with {name}")
    if options["month"] and (options["first"] or options["last"]):
        raise click.UsageError("name either days, with --from and --to, or a --month")
    if options["last"] and not options["first"]:
        raise click.UsageError("--to needs a --from")


def _period(name: str, now: int, options: dict[str, Any]) -> Period:
    """The days or the month that were named; else this month's days. What is owed goes by months: the last twelve."""
    first, last, month = options["first"], options["last"], options["month"]
    if month or name == "tiers":
        return Period(month=_number(month) // 100 if month else month_of(now))
    if name in {"receivables", "payables"}:
        this = month_of(now + _EASTERNMOST_MS)
        return Period(months_back(this, _MONTHS_OF_RECEIVABLES - 1) * 100 + 1, this * 100 + 31)
    today = day_of(now)
    period = Period(_number(first) if first else today // 100 * 100 + 1, _number(last) if last else today)
    if period.first > period.last:
        raise click.UsageError(f"--from {first:%Y-%m-%d} is behind {'--to' if last else 'today'}")
    return period


def _number(moment: datetime) -> int:
    return moment.year * 10_000 + moment.month * 100 + moment.day


def _give(sheet: Sheet, csv_file: str | None, *, as_json: bool, at: str) -> None:
    if as_json:
        print_json({"at": at, **as_value(sheet)})
    elif csv_file is None:
        show_sheet(sheet)
    elif csv_file == "-":
        write_csv(sheet, sys.stdout)
    else:
        with Path(csv_file).open("w", encoding="utf-8", newline="") as file:
            write_csv(sheet, file)
        click.echo(f"{plain(csv_file)}: {len(sheet.rows)} lines")
