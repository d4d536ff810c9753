"""`tollbridge again`: partners are called again about messages that were given up.

Rule: what is done is done in small transactions beside the running service, and said also when the rest cannot be.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from core.clock import instant_of
from plumbing.clock import SystemClock
from store.alerts import checked
from store.database import Database
from store.dead_letters import AT_ONCE, Judged, call_again, dead_letters, judge
from store.pages import in_pieces
from store.repeating import repeated
from store.reports import find_partner, find_service
from tollbridge.commands import IDS, config_option, json_option, open_database, read_config
from tollbridge.commands.ids import MESSAGE_ID
from tollbridge.json_values import print_json
from tollbridge.show_again import judged_value, show_called

TOLD_EVERY = 10
"""Pieces between two lines of progress."""


@dataclass
class Asked:
    """The options, as they were given."""

    partner: str | None
    service: str | None
    since: datetime | None
    author: str | None
    note: str
    dry_run: bool
    as_json: bool


@click.command()
@click.argument("ids", metavar="[ID…]", nargs=-1, type=MESSAGE_ID)
@click.option("--partner", metavar="LOGIN", help="All dead letters of this partner instead.")
@click.option("--service", metavar="LOGIN/NAME", help="All dead letters of this service instead.")
@click.option(
    "--since",
    metavar="DAY",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]),
    help="Of these only messages that came in since then (UTC): 2026-11-24, or 2026-11-24T09:30.",
)
@click.option("--by", "author", metavar="NAME", help="Who does it; kept for good.")
@click.option("--note", metavar="TEXT", default="", help="Why; kept for good.")
@click.option("--dry-run", is_flag=True, help="Only say how many, and which not; write nothing.")
@json_option(IDS)
@config_option
def again(ids: Sequence[int], config_file: Path | None, **options: Any) -> None:
    """Call partners again about dead letters: messages that they were not reached about for 24 hours. Each is called
    under its old id, for another 24 hours, and its alert is resolved. Nothing is charged anew, and who has a reply gets
    no second one. The running service begins within seconds.

    With --partner or --service: all of which an alert is open (tollbridge alert list --kind dead_letter).

    \b
    Example:
      tollbridge again 911742853120000000 --by olga
      tollbridge again --partner acme --since 2026-11-24 --dry-run
      tollbridge again --service acme/game --by olga --note "their new server answers"
    """
    asked = Asked(**options)
    if [not ids, asked.partner is None, asked.service is None].count(False) != 1:
        raise click.UsageError("name either IDs, or --partner LOGIN, or --service LOGIN/NAME")
    if asked.since is not None and ids:
        raise click.UsageError("--since goes with --partner or --service")
    if asked.author is None and not asked.dry_run:
        raise click.UsageError("say who does it: --by NAME")
    author, note = checked(asked.author or "nobody", asked.note, needs_note=False)
    with open_database(read_config(config_file)) as database:
        wanted = list(dict.fromkeys(ids)) if ids else _wanted(database, asked)
        judged = Judged([], {})
        try:
            _in_pieces(wanted, judged, _piece(database, author, note, dry_run=asked.dry_run), asked)
        finally:
            # Also when the database has gone away in the middle, or somebody has pressed Ctrl-C: what is due is due.
            _tell(judged, asked, each=bool(ids))
    if ids and judged.refused:
        sys.exit(1)


def _piece(database: Database, author: str, note: str, *, dry_run: bool) -> Callable[[Sequence[int]], Judged]:
    """What is done with a piece."""
    clock = SystemClock()

    def only_look(some: Sequence[int]) -> Judged:
        with database.read() as connection:
            return judge(connection, some)

    def call(some: Sequence[int]) -> Judged:
        now = clock.now()
        return repeated(database, lambda connection: call_again(connection, some, author=author, note=note, now=now))

    return only_look if dry_run else call


def _in_pieces(wanted: Sequence[int], judged: Judged, do: Callable[[Sequence[int]], Judged], asked: Asked) -> None:
    word = "looked at" if asked.dry_run else "called again"
    for number, some in enumerate(in_pieces(wanted, AT_ONCE), 1):
        judged.add(do(some))
        if number % TOLD_EVERY == 0:
            click.echo(f"{word}: {len(judged.letters)} of {len(wanted)}", err=True)


def _tell(judged: Judged, asked: Asked, *, each: bool) -> None:
    if asked.as_json:
        print_json(judged_value(judged, dry_run=asked.dry_run))
        return
    whose = asked.service or asked.partner or ""
    show_called(judged, whose, dry_run=asked.dry_run, each=each)


# --- whose ------------------------------------------------------------------------------------------------


def _wanted(database: Database, asked: Asked) -> list[int]:
    since = instant_of(asked.since.replace(tzinfo=UTC)) if asked.since is not None else 0
    with database.read() as connection:
        if asked.service is None:
            login, service_id = asked.partner or "", None
            find_partner(connection, login)
        else:
            login, slash, name = asked.service.partition("/")
            if not slash:
                raise click.UsageError("--service: write it with its partner, like acme/game")
            service_id = find_service(connection, login, name)
        return dead_letters(connection, login, service_id=service_id, since=since)
