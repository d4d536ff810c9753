"""`tollbridge close`: a month is frozen, every partner gets its statement (billing.md, section 9).

close       the command
as_value    what was frozen, as one value that JSON can hold

Rule: it is for ever. What is wrong in a closed month is corrected in the open one.
"""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from core.clock import DAY_MS, Month, month_start, month_text
from core.ids import first_id_at
from core.money import format_micros, minor_digits
from plumbing.clock import SystemClock
from store.backlog import rate_backlog
from store.closing import MonthClosed, preview
from store.closing import close as close_month
from store.desk import open_desk
from store.secrets import Sealed
from store.snapshot import read_catalogue
from tollbridge.commands import config_option, json_option, open_database, read_config
from tollbridge.commands.desk import MONTH, month_number, take_name
from tollbridge.json_values import print_json
from tollbridge.show import console, money, plain, table


@click.command()
@click.option("--month", type=MONTH, metavar="YYYY-MM", required=True, help="The month to close.")
@click.option("--by", "author", metavar="NAME", callback=take_name, help="Who closes it; written down.")
@click.option("--dry-run", is_flag=True, help="Show what would be frozen and what still waits; write nothing.")
@json_option()
@config_option
def close(month: datetime, author: str | None, config_file: Path | None, *, dry_run: bool, as_json: bool) -> None:
    """Close a month for ever: nothing is booked into it any more, and every partner gets its statement.

    A month can be closed once it is over in every time zone that a plan uses, and after all months before it. It may
    run beside the service: intake waits for the last step alone, a second or so. What comes late, and every
    correction, is booked into the first open month.

    \b
    Example:
      tollbridge close --month 2026-10 --dry-run
      tollbridge close --month 2026-10 --by olga
    """
    if not dry_run and not author:
        raise click.UsageError("who closes it? give --by NAME, or --dry-run to look only")
    found = _run(month_number(month), author or "", config_file, is_dry=dry_run)
    if as_json:
        print_json(as_value(found, is_dry=dry_run))
    else:
        _show(found, is_dry=dry_run)


def _run(month: Month, author: str, config_file: Path | None, *, is_dry: bool) -> MonthClosed:
    clock = SystemClock()
    with open_database(read_config(config_file)) as database, Console(stderr=True).status("adding up …"):
        if is_dry:
            with database.read() as connection:
                catalogue = read_catalogue(connection, Sealed())
            return preview(database, catalogue, month, clock.now())
        with open_desk(database, clock, Sealed()) as desk:
            # What a service took in with an older catalogue, after its tariff was loaded, belongs into this month yet.
            rate_backlog(desk, since=first_id_at(month_start(month) - DAY_MS))
            return close_month(desk, month, author)


def as_value(found: MonthClosed, *, is_dry: bool) -> dict[str, Any]:
    """For JSON; amounts in major units."""
    return {
        "month": month_text(found.month),
        "closed": not is_dry,
        "statements": [
            {
                "number": one.number or None,
                "partner": one.partner,
                "currency": one.currency,
                **{name: format_micros(getattr(one, name)) for name in ("opening", "movement", "closing", "young")},
                "due": format_micros(one.due, digits=minor_digits(one.currency)),
            }
            for one in found.statements
        ],
        "accounts": [
            {
                "account": one.address,
                "currency": one.currency,
                **{
                    name: format_micros(getattr(one, name))
                    for name in ("opening", "debits", "credits", "movement", "closing")
                },
            }
            for one in found.accounts
            if one.debits or one.credits
        ],
        "waiting": [
            {
                "kind": one.kind,
                "count": one.count or None,
                "amount": format_micros(one.amount) if one.currency else None,
                "currency": one.currency or None,
                "about": one.about or None,
                "says": one.says,
            }
            for one in found.waiting
        ],
    }


def _show(found: MonthClosed, *, is_dry: bool) -> None:
    out = console()
    month = month_text(found.month)
    totals = table("account", "", ">opening", ">moved", ">closing", title=f"{month}: accounts, by kind")
    for group, currency, opening, movement, closing in totals_of(found):
        totals.add_row(group, currency, *(format_micros(amount) for amount in (opening, movement, closing)))
    if totals.row_count:
        out.print(totals)
    statements = table(
        "number", "partner", ">opening", ">movement", ">closing", ">too young", ">due", title=f"{month}: statements"
    )
    for one in found.statements:
        due = f"{format_micros(one.due, digits=minor_digits(one.currency))} {one.currency}"
        amounts = (format_micros(amount) for amount in (one.opening, one.movement, one.closing, one.young))
        statements.add_row(one.number or "—", plain(one.partner), *amounts, due)
    if statements.row_count:
        out.print(statements)
    for wait in found.waiting:
        amount = money(wait.amount, wait.currency) if wait.currency else ""
        words = ", ".join(filter(None, (str(wait.count or ""), amount)))
        out.print(f"waits: {words}: {plain(wait.says)}")
    count = "1 statement" if len(found.statements) == 1 else f"{len(found.statements)} statements"
    if is_dry:
        out.print(f"{month} can be closed: {count}. Nothing was written; close it with --by NAME")
    else:
        out.print(f"{month} is closed: {count}; see: tollbridge statement list --month {month}")


def totals_of(found: MonthClosed) -> Iterable[tuple[str, str, int, int, int]]:
    """(kind of account, currency, opening, movement, closing); partners' and operators' accounts added up."""
    sums: dict[tuple[str, str], tuple[int, int, int]] = {}
    for one in found.accounts:
        opening, movement, closing = sums.get(place := (_group(one.address), one.currency), (0, 0, 0))
        sums[place] = (opening + one.opening, movement + one.movement, closing + one.closing)
    return [(*place, *amounts) for place, amounts in sorted(sums.items()) if any(amounts)]


def _group(address: str) -> str:
    """`partner:acme:earnings` → `partner:…:earnings`, `suspense:alpha` → `suspense:…`."""
    words = address.split(":")
    if words[0] in {"partner", "operator"}:
        return f"{words[0]}:…:{words[-1]}"
    if words[0] == "suspense" or words[:2] == ["expense", "outgoing"]:
        return ":".join((*words[:-1], "…"))
    return address
