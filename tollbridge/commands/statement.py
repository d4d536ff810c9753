"""`tollbridge statement`: what was issued at the months' ends: listed, shown, written as PDF, CSV and XLSX.

statement   the group: list, show, export

Rule: what was issued never changes; a file that was lost is made again from what is stored.
"""

import os
import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from core.clock import iso_of, month_text
from core.errors import UserMistake
from core.money import format_micros, minor_digits
from core.statement import ACCOUNTS, BALANCES, earned_in, vat_in
from store.database import Database
from store.reports import find_partner
from store.statements import Stated, Statement, list_statements, read_month, read_statement
from tollbridge.commands import config_option, json_option, open_database, read_config
from tollbridge.commands.desk import MONTH, month_number
from tollbridge.config import Config
from tollbridge.json_values import print_json
from tollbridge.papers import WRITERS, Company, writer_of
from tollbridge.papers.words import BY_TIER, account_title, line_cells, line_title, percent
from tollbridge.show import console, heading, moment, plain, table

_JSON = json_option()
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def statement() -> None:
    """Partners' statements of closed months: list, show and export them.

    \b
    Example:
      tollbridge statement list --month 2026-10
      tollbridge statement show 2026-000012
      tollbridge statement export 2026-000012 --pdf acme.pdf
    """


# --- list and show ---------------------------------------------------------------------------------------------------


@statement.command("list", short_help="List statements, the newest first.")
@click.option("--partner", metavar="LOGIN", default="", help="Of this partner only.")
@click.option("--month", type=MONTH, metavar="YYYY-MM", help="Of this month only.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 100_000), help="How many at most.")
@_JSON
@config_option
def list_(partner: str, month: datetime | None, limit: int, config_file: Path | None, *, as_json: bool) -> None:
    """List statements, the newest first.

    \b
    Example:
      tollbridge statement list --partner acme
      tollbridge statement list --month 2026-10 --json | jq '.[].due'
    """
    with open_database(read_config(config_file)) as database, database.read() as connection:
        found = list_statements(connection, partner=partner, month=month_number(month) if month else 0, limit=limit)
        if partner and not found:
            find_partner(connection, partner)
    if as_json:
        print_json([head_value(one) for one in found])
        return
    shown = table("number", "month", "partner", ">opening", ">movement", ">closing", ">too young", ">due", "issued")
    for one in found:
        amounts = (format_micros(amount) for amount in (one.opening, one.movement, one.closing, one.young))
        shown.add_row(
            one.number, month_text(one.month), plain(one.partner), *amounts, _due(one), moment(one.issued_at)[:10]
        )
    if shown.row_count:
        console().print(shown)
    else:
        click.echo("no statements; a month gets them when it is closed: tollbridge close --month YYYY-MM --by NAME")


@statement.command(short_help="Show a statement with all its lines.")
@click.argument("number")
@_JSON
@config_option
def show(number: str, config_file: Path | None, *, as_json: bool) -> None:
    """Show a statement with all its lines.

    \b
    Example:
      tollbridge statement show 2026-000012
    """
    with open_database(read_config(config_file)) as database:
        stated = _read(database, number)
    if as_json:
        print_json(as_value(stated))
        return
    one, out = stated.statement, console()
    heading(out, f"Statement {one.number}: {plain(one.partner)}, {month_text(one.month)}, {one.currency}")
    for account in ACCOUNTS:
        lines = [line for line in stated.lines if line.account == account]
        if not lines:
            continue
        shown = table("", "number", "operator", ">share", ">count", ">base", ">amount", title=account_title(account))
        for line in lines:
            is_balance = line.kind in BALANCES
            shown.add_row(
                plain(line_title(line)),
                plain(line.short_code),
                line.operator,
                percent(line.share) if line.kind in BY_TIER else "",
                "" if is_balance else str(line.count),
                format_micros(line.base) if line.base else "",
                format_micros(line.amount),
                style="bold" if is_balance else "",
            )
        out.print(shown)
    movement, young = format_micros(one.movement), format_micros(one.young)
    out.print(f"movement of earnings {movement}, too young to be paid {young}, due {_due(one)}")


def head_value(one: Statement) -> dict[str, Any]:
    """Its own figures for JSON, in major units."""
    return {
        "number": one.number,
        "month": month_text(one.month),
        "partner": one.partner,
        "currency": one.currency,
        **{name: format_micros(getattr(one, name)) for name in ("opening", "movement", "closing", "young")},
        "due": format_micros(one.due, digits=minor_digits(one.currency)),
        "issued": iso_of(one.issued_at),
    }


def as_value(stated: Stated) -> dict[str, Any]:
    """With its lines."""
    names = ("account", "kind", "short_code", "operator", "share", "count", "parts", "gross", "base", "vat", "amount",
             "note")  # fmt: skip
    lines = [
        {name: cell if cell is None or isinstance(cell, str | int) else f"{cell:f}" for name, cell in zip(names, cells)}
        for cells in map(line_cells, stated.lines)
    ]
    return {**head_value(stated.statement), **_vat_value(stated), "lines": lines}


def _vat_value(stated: Stated) -> dict[str, Any]:
    """Of a partner that pays VAT."""
    one, earned = stated.statement, earned_in(stated.lines)
    if not one.vat:
        return {}
    vat = format_micros(vat_in(earned, one.vat, one.currency), digits=minor_digits(one.currency))
    return {"earned": format_micros(earned), "vat_rate": format_micros(one.vat), "vat": vat}


def _due(one: Statement) -> str:
    return f"{format_micros(one.due, digits=minor_digits(one.currency))} {one.currency}"


def _read(database: Database, number: str) -> Stated:
    with database.read() as connection:
        stated = read_statement(connection, number)
    if stated is None:
        raise UserMistake(f"no statement has the number {plain(number, 40)}; see: tollbridge statement list")
    return stated


# --- export ----------------------------------------------------------------------------------------------------------


@statement.command(short_help="Write statements as PDF, CSV and XLSX files.")
@click.argument("number", required=False)
@click.option("--pdf", "pdf_file", type=_FILE, metavar="FILE", help="A statement and act on A4.")
@click.option("--csv", "csv_file", type=_FILE, metavar="FILE", help="Its lines for programs.")
@click.option("--xlsx", "xlsx_file", type=_FILE, metavar="FILE", help="Its lines as a workbook.")
@click.option("--month", type=MONTH, metavar="YYYY-MM", help="With --all: of which month.")
@click.option("--all", "is_all", is_flag=True, help="All statements of a month, in place of a NUMBER.")
@click.option("--dir", "folder", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="With --all.")
@click.option(
    "--format", "formats", type=click.Choice(sorted(WRITERS)), multiple=True, help="With --all: these only; else every."
)
@config_option
def export(number: str | None, config_file: Path | None, **options: Any) -> None:
    """Write statements as files. A PDF has our name from the configuration, [company].

    Amounts in CSV and XLSX are exact, to the millionth; what is due is in whole minor units.

    \b
    Example:
      tollbridge statement export 2026-000012 --pdf acme.pdf --xlsx acme.xlsx
      tollbridge statement export --month 2026-10 --all --dir october
      tollbridge statement export --month 2026-10 --all --dir october --format pdf
    """
    files = {ending: file for ending in WRITERS if (file := options[f"{ending}_file"]) is not None}
    if options["is_all"]:
        if number or files or not options["month"] or not options["folder"]:
            raise click.UsageError("--all wants --month YYYY-MM and --dir DIR, no NUMBER and no files")
    elif not number or not files or options["month"] or options["folder"] or options["formats"]:
        raise click.UsageError("name a NUMBER and --pdf, --csv or --xlsx FILE; or --month YYYY-MM --all --dir DIR")
    config = read_config(config_file)
    with open_database(config) as database:
        if options["is_all"]:
            _export_month(database, config, options)
            return
        assert number is not None
        stated = _read(database, number)
    for ending, file in files.items():
        _write(stated, _company(config), ending, file)
        click.echo(f"{file}")


def _export_month(database: Database, config: Config, options: dict[str, Any]) -> None:
    month, folder, company = month_number(options["month"]), options["folder"], _company(config)
    formats = options["formats"] or tuple(WRITERS)
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    with database.read() as connection, Console(stderr=True).status("writing …") as progress:
        for stated in read_month(connection, month):
            one = stated.statement
            name = re.sub(r"[^\w.-]", "_", f"{one.number}-{one.partner}-{one.currency}")
            for ending in formats:
                _write(stated, company, ending, folder / f"{name}.{ending}")
            count += 1
            progress.update(f"writing … {count}")
    if not count:
        raise UserMistake(f"{month_text(month)} has no statements; see: tollbridge statement list")
    statements = "1 statement" if count == 1 else f"{count} statements"
    click.echo(f"{statements} as {', '.join(_in_order(formats))} in {folder}")


def _in_order(formats: Iterable[str]) -> list[str]:
    return [ending for ending in WRITERS if ending in formats]


def _company(config: Config) -> Company:
    own = config.company
    return Company(own.name, own.address, own.tax_id, own.bank, own.iban, own.bic)


def _write(stated: Stated, company: Company, ending: str, file: Path) -> None:
    """Whole or not at all: a file that is there is replaced when the new one is complete."""
    part = file.with_name(f".{file.name}.part")
    try:
        with part.open("wb") as out:
            writer_of(ending)(stated, company, out)
        os.replace(part, file)
    finally:
        part.unlink(missing_ok=True)
