"""`tollbridge settle`: operators' monthly files held against our messages, and their payments (billing.md, section 10).

stage, list, show, match, preview, approve, dismiss   the subcommands, in the order in which one needs them; and paid,
                                                      in settle_paid.py

Rule: only `approve` and `paid` move money, and only what was named.
"""

import csv
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import click

from core.clock import month_of, month_text, months_back
from core.money import format_micros
from core.settlement.verdicts import ACCEPTABLE, BY_WORD, DECIDED, Verdict
from plumbing.clock import SystemClock
from store.database import Database
from store.settlement import look
from store.settlement.approve import approve as approve_run
from store.settlement.approve import dismiss as dismiss_run
from store.settlement.match import match as match_run
from store.settlement.preview import preview as preview_run
from store.settlement.stage import stage as stage_file
from store.settlement.unfiled import read_unfiled
from tollbridge.commands import AMOUNTS, config_option, json_option, open_database, read_config
from tollbridge.commands.desk import MONTH, desk_of, month_number, reason_option, take_name
from tollbridge.commands.ids import number_of
from tollbridge.commands.settle_paid import paid
from tollbridge.config import Config
from tollbridge.json_values import print_json
from tollbridge.show import counted, plain
from tollbridge.show_settle import (
    ROW_HEADER,
    counting,
    preview_value,
    row_values,
    run_value,
    show_preview,
    show_rows,
    show_run,
    show_runs,
    unfiled_value,
)

_RUN = click.argument("run_id", metavar="RUN", type=number_of("a run"))
_BY = click.option("--by", "by", metavar="NAME", required=True, callback=take_name, help="Who does it.")
_JSON = json_option(AMOUNTS)
_FULL = click.option("--full-numbers", is_flag=True, help="Subscribers' numbers whole, not as 7900***33.")


class _Classes(click.ParamType[tuple[Verdict, ...]]):
    """Classes of differences, with commas between them."""

    name = "classes"

    def __init__(self, known: tuple[Verdict, ...]) -> None:
        self._known = {verdict.word: verdict for verdict in known}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[Verdict, ...]:
        """`missing_there,price_differs` → their verdicts."""
        if isinstance(value, tuple):
            return value
        words = [word.strip() for word in str(value).split(",") if word.strip()]
        unknown = [word for word in words if word not in self._known]
        if unknown or not words:
            self.fail(
                f"{plain(unknown[0], 40) if unknown else 'nothing'} is none of {', '.join(self._known)}", param, ctx
            )
        return tuple(dict.fromkeys(self._known[word] for word in words))


@contextmanager
def _database(config_file: Path | None) -> Iterator[tuple[Database, Config]]:
    config = read_config(config_file)
    with open_database(config) as database:
        yield database, config


@click.group()
def settle() -> None:
    """Settle with operators: hold their monthly files against our messages, decide about the differences, book what
    they pay. Every subcommand takes --config FILE and has its own --help.

    \b
    Example:
      tollbridge settle stage alpha october.csv --month 2026-10 --by olga
      tollbridge settle match 7
      tollbridge settle preview 7
      tollbridge settle approve 7 --accept missing_there,price_differs --by ada --reason "agreed with alpha, letter 12"
      tollbridge settle paid alpha 120000.00 --bank main --reference "PO 1187" --reason "October"
    """


@settle.command(short_help="Read an operator's monthly file, CSV or XLSX.")
@click.argument("operator")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--month", metavar="MONTH", required=True, type=MONTH, help="Like 2026-10.")
@_BY
@_JSON
@config_option
def stage(  # noqa: PLR0917
    operator: str, file: Path, month: datetime, by: str, as_json: bool, config_file: Path | None
) -> None:
    """Read an operator's monthly file, CSV or XLSX, by the layout that is provisioned (`[[operator]] settlement`).

    Good rows are staged, bad ones listed; nothing is posted. The same file again is recognised.

    \b
    Example:
      tollbridge settle stage alpha october.csv --month 2026-10 --by olga
    """
    which = month_number(month)
    with _database(config_file) as (database, _), counting(f"reading {file.name}") as progress:
        staged = stage_file(
            database, file, operator=operator, month=which, author=by, now=SystemClock().now(), progress=progress
        )
        with database.read() as connection:
            one = look.standing(connection, staged.run)
    if as_json:
        print_json({**run_value(one), "is_new": staged.is_new, "reasons": staged.reasons})
        return
    total = f"{format_micros(staged.total)} {one.run.currency}"
    if not staged.is_new:
        click.echo(f"this file is run {staged.run} already ({staged.state.word}, {month_text(one.run.month)}, {total})")
        return
    good = counted(staged.rows - staged.bad, "row", "rows")
    click.echo(f"run {staged.run}: {good} staged, {staged.bad} bad; together {total}")
    for reason in staged.reasons:
        click.echo(f"  bad: {plain(reason)}")
    if staged.bad > len(staged.reasons):
        click.echo(
            f"  and {staged.bad - len(staged.reasons)} more: tollbridge settle show {staged.run} --class unreadable"
        )
    if staged.told is not None and staged.told != staged.total:
        click.echo(f"BEWARE: the file's own total is {format_micros(staged.told)} {one.run.currency}")
    click.echo(f"next: tollbridge settle match {staged.run}")


@settle.command("list", short_help="List the runs that are open.")
@click.option("--all", "everything", is_flag=True, help="Those that are done or dismissed too.")
@click.option("--operator", metavar="CODE", default="", help="Of this operator only.")
@_JSON
@config_option
def list_runs(everything: bool, operator: str, as_json: bool, config_file: Path | None) -> None:
    """List the runs that are open, the latest first; and months that are over, for which an operator owes something and
    nobody staged a file.

    \b
    Example:
      tollbridge settle list --all --operator alpha
    """
    with _database(config_file) as (database, _), database.read() as connection:
        found = look.standings(connection, operator=operator, everything=everything)
        unfiled = read_unfiled(connection, months_back(month_of(SystemClock().now()), 1), operator)
    if as_json:
        print_json([*map(run_value, found), *map(unfiled_value, unfiled)])
    else:
        show_runs(found, unfiled, everything=everything)


@settle.command(short_help="Show a run: its sums by class, its rows.")
@_RUN
@click.option("--class", "word", type=click.Choice(sorted(BY_WORD)), help="The rows of this class.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 100_000), help="Of the class: how many.")
@click.option("--csv", "csv_file", metavar="FILE", help="Write the rows to a file, all of them; - is standard output.")
@_FULL
@_JSON
@config_option
def show(  # noqa: PLR0917
    run_id: int, word: str | None, limit: int, csv_file: str | None, full_numbers: bool, as_json: bool,
    config_file: Path | None,
) -> None:  # fmt: skip
    """Show a run: its sums by class, and the rows of one. Together the classes are the file's total.

    \b
    missing_there     we have charged for it, the operator does not list it
    missing_here      the operator pays for it, we have no such message
    price_differs     both have it, at different amounts
    duplicate_there   the operator lists it twice
    refused_there     the subscriber did not pay
    unreadable        a bad row of the file

    \b
    Example:
      tollbridge settle show 7 --class missing_there
      tollbridge settle show 7 --csv run-7.csv --full-numbers
    """
    verdict = BY_WORD[word] if word else None
    with _database(config_file) as (database, config), database.read() as connection:
        full = full_numbers or config.logs.full_numbers
        one = look.standing(connection, run_id)
        if csv_file is not None:
            _write_csv(look.rows_of(connection, run_id, verdict), csv_file, full=full)
        elif as_json:
            rows = islice(look.rows_of(connection, run_id, verdict), limit) if verdict is not None else ()
            named = [dict(zip(ROW_HEADER, row_values(row, full=full), strict=True)) for row in rows]
            print_json({**run_value(one), "shown": named})
        else:
            show_run(one)
            if verdict is not None:
                show_rows(islice(look.rows_of(connection, run_id, verdict), limit), full=full)


def _write_csv(rows: Iterator[look.RunRow], csv_file: str, *, full: bool) -> None:
    def write(out: Any) -> int:
        writer = csv.writer(out)
        writer.writerow(ROW_HEADER)
        count = 0
        for count, row in enumerate(rows, 1):  # noqa: B007
            writer.writerow(row_values(row, full=full))
        return count

    if csv_file == "-":
        write(sys.stdout)
        return
    with Path(csv_file).open("w", encoding="utf-8", newline="") as out:
        count = write(out)
    click.echo(f"{counted(count, 'row', 'rows')} in {csv_file}")


@settle.command(short_help="Hold a staged file against our messages.")
@_RUN
@_JSON
@config_option
def match(run_id: int, as_json: bool, config_file: Path | None) -> None:
    """Hold a staged file against our messages: by the operator's message id, by number, short code, time ± 5 minutes
    and price, then without the price. Files that count: by day, short code and price.

    It may be done again, as long as nothing of the run is approved. Several files of one month: match each, then the
    first ones again.

    \b
    Example:
      tollbridge settle match 7
    """
    with _database(config_file) as (database, _):
        with counting(f"matching run {run_id}") as progress:
            match_run(database, run_id, progress=progress)
        with database.read() as connection:
            one = look.standing(connection, run_id)
    if as_json:
        print_json(run_value(one))
    else:
        show_run(one)


@settle.command(short_help="Show what accepting differences would book.")
@_RUN
@click.option(
    "--accept",
    metavar="CLASSES",
    type=_Classes(ACCEPTABLE),
    default=DECIDED,
    help="Like missing_there,price_differs; all differences without it.",
)
@_JSON
@config_option
def preview(run_id: int, accept: tuple[Verdict, ...], as_json: bool, config_file: Path | None) -> None:
    """Show what accepting differences would book: sums by class, postings by account. Nothing is written.

    \b
    Example:
      tollbridge settle preview 7 --accept missing_there,refused_there
    """
    with desk_of(config_file) as (desk, _), counting(f"computing run {run_id}") as progress:
        found = preview_run(desk, run_id, accept, progress=progress)
    if as_json:
        print_json(preview_value(found))
    else:
        show_preview(found, accept)


@settle.command(short_help="Accept classes of differences: they are posted.")
@_RUN
@click.option(
    "--accept", metavar="CLASSES", type=_Classes(ACCEPTABLE), required=True, help="Like missing_there,price_differs."
)
@_BY
@reason_option
@_JSON
@config_option
def approve(  # noqa: PLR0917
    run_id: int, accept: tuple[Verdict, ...], by: str, reason: str, as_json: bool, config_file: Path | None
) -> None:
    """Accept classes of differences: they are posted, the others stay open. Broken off, the same command goes on.

    Above money.second_person_above it has to be another person than who staged the file.

    \b
    Example:
      tollbridge settle approve 7 --accept missing_there,price_differs --by ada --reason "agreed with alpha, letter 12"
    """
    with desk_of(config_file) as (desk, config), counting(f"posting run {run_id}") as progress:
        above = config.money.limits
        done = approve_run(desk, run_id, accept, by=by, reason=reason, second_person_above=above, progress=progress)
    if as_json:
        print_json({"run": run_id, "posted": done.posted, "left_open": done.left_open, "state": done.state.word})
        return
    posted = counted(done.posted, "row is", "rows are")
    click.echo(f"run {run_id}: {posted} accepted and posted; it is {done.state.word}")
    if done.left_open:
        left = counted(done.left_open, "row could not be posted and stays", "rows could not be posted and stay")
        click.echo(f"{left} open, each with its problem: settle show {run_id}")


@settle.command(short_help="Decide that nothing is posted for differences.")
@_RUN
@click.option(
    "--class",
    "classes",
    metavar="CLASSES",
    type=_Classes(tuple(set(Verdict) - {Verdict.UNMATCHED})),
    help="Like unreadable,missing_here; without it all of the run.",
)
@_BY
@reason_option
@_JSON
@config_option
def dismiss(  # noqa: PLR0917
    run_id: int, classes: tuple[Verdict, ...] | None, by: str, reason: str, as_json: bool, config_file: Path | None
) -> None:
    """Decide that nothing is posted for differences. A run of which nothing is accepted is dismissed as a whole when no
    class is named; its file may then be staged again.

    \b
    Example:
      tollbridge settle dismiss 7 --class missing_here --by ada --reason "alpha withdrew them, letter 13"
    """
    with _database(config_file) as (database, _):
        rows, state = dismiss_run(database, run_id, classes, by=by, reason=reason, now=SystemClock().now())
    if as_json:
        print_json({"run": run_id, "dismissed": rows, "state": state.word})
    else:
        what, of_what = counted(rows, "row is", "rows are"), "it" if rows == 1 else "them"
        click.echo(f"run {run_id}: {what} dismissed, nothing is posted for {of_what}; it is {state.word}")


settle.add_command(paid)
