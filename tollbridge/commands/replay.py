"""`tollbridge replay`: what a changed plan or tariff would have paid for a past month, beside what was paid.

Rule: it reads one picture beside a live service, and writes nothing.
"""

import csv
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console

from core.clock import Month, month_text
from core.money import format_micros
from core.replay import Outcome
from store.provisioning.load import read_document
from store.replay import overlay
from store.replay import replay as replay_month
from store.reports import find_partner
from store.secrets import Sealed
from store.snapshot import read_catalogue
from tollbridge.commands import AMOUNTS, config_option, json_option, open_database, read_config
from tollbridge.commands.desk import MONTH, month_number
from tollbridge.json_values import in_major_units, print_json
from tollbridge.show import console, money, plain, table

COLUMNS = ("price", "operator", "revenue", "volume", "partner", "referral", "ours", "outgoing")


@click.command()
@click.option(
    "--month", "moment", type=MONTH, metavar="YYYY-MM", required=True, help="The month whose traffic is rated again."
)
@click.option(
    "--plan",
    "file",
    metavar="FILE",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="A provisioning file with the plans, tariffs, or partners' plans to try; without dates.",
)
@click.option("--partner", metavar="LOGIN", help="Show this one only.")
@click.option("--csv", "as_csv", is_flag=True, help="As CSV on stdout; amounts as decimals.")
@json_option(AMOUNTS)
@config_option
def replay(  # noqa: PLR0917
    moment: datetime, file: Path, partner: str | None, as_csv: bool, as_json: bool, config_file: Path | None
) -> None:
    """Rate a past month again as if the plans and tariffs of FILE had held, and show it beside what was paid.

    Nothing is written. What FILE does not name stays as it was, a partner's plans in other currencies too; suspense
    stays suspense. FILE names each plan and tariff once, without valid_from: it is tried as if it had held from ever.

    \b
    Example:
      tollbridge replay --month 2026-10 --plan generous.toml
      tollbridge replay --month 2026-10 --plan generous.toml --partner acme --csv > acme.csv
    """
    month = month_number(moment)
    document = read_document(file, str(file))
    with open_database(read_config(config_file)) as database, database.read() as connection:
        if partner is not None:
            find_partner(connection, partner)
        then = read_catalogue(connection, Sealed())
        changed = overlay(document, then)
        with Console(stderr=True).status("reading …") as progress:
            found = replay_month(
                connection, then, changed, month, lambda count: progress.update(f"{count:,} charges read …")
            )
    outcomes = [one for one in found if partner in {None, one.partner}]
    if as_json:
        print_json(in_major_units([asdict(one) for one in outcomes]))
    elif as_csv:
        _write_csv(outcomes)
    else:
        _show(outcomes, month)


def _show(outcomes: Sequence[Outcome], month: Month) -> None:
    out = console()
    if not outcomes:
        out.print(f"nothing was earned in {month_text(month)}")
        return
    head = [
        ">volume was", ">would be", ">partner was", ">would be", ">difference", ">ours was", ">would be"
    ]  # fmt: skip
    has_outgoing = any(one.was.outgoing or one.would.outgoing for one in outcomes)
    head += [">outgoing was", ">would be"] if has_outgoing else []
    rows = table("partner", ">messages", *head, title=f"{month_text(month)}, as it was and as it would be")
    totals: dict[str, list[int]] = {}
    for one in outcomes:
        amounts = _amounts(one)[: len(head)]
        rows.add_row(plain(one.partner), str(one.would.messages), *(money(amount, one.currency) for amount in amounts))
        total = totals.setdefault(one.currency, [0] * len(amounts))
        for place, amount in enumerate(amounts):
            total[place] += amount
    for currency, total in sorted(totals.items()):
        rows.add_row("all", "", *(money(amount, currency) for amount in total), style="bold")
    out.print(rows)
    out.print("Nothing was written.", style="dim")


def _amounts(one: Outcome) -> list[int]:
    """As they stand in the table; what outgoing SMS cost the partner comes last, where there are any."""
    was, would = one.was, one.would
    return [
        was.volume, would.volume, was.partner, would.partner, one.difference, was.ours, would.ours, was.outgoing,
        would.outgoing,
    ]  # fmt: skip


def _write_csv(outcomes: Sequence[Outcome]) -> None:
    out = csv.writer(sys.stdout, lineterminator="\n")
    head = [f"{name} {when}" for name in COLUMNS for when in ("was", "would be")]
    out.writerow(["partner", "currency", "messages was", "messages would be", *head])
    for one in outcomes:
        amounts = [format_micros(getattr(sums, name), digits=6) for name in COLUMNS for sums in (one.was, one.would)]
        out.writerow([one.partner, one.currency, one.was.messages, one.would.messages, *amounts])
