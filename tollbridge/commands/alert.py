"""`tollbridge alert`: what a person should look at: listed, shown, resolved with a name and a note.

Rule: resolving changes nothing but the alert; what arises again is a new one, and open.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from core.errors import UserMistake
from plumbing.clock import SystemClock
from store.alerts import KINDS, checked, list_alerts, read_alert, resolve_alerts
from store.repeating import repeated
from tollbridge.commands import IDS, config_option, json_option, open_database, read_config
from tollbridge.commands.ids import number_of
from tollbridge.json_values import print_json
from tollbridge.show_alert import alert_value, resolved_value, show_alert, show_alerts, show_resolved

_ID = number_of("an alert")
_JSON = json_option(IDS)


@click.group()
def alert() -> None:
    """What a person should look at: dead letters, outages, limits that spoke, money that does not agree. What each kind
    means, and what to do about it, is in docs/operators.md, section 7.

    \b
    Example:
      tollbridge alert list
      tollbridge alert show 17
      tollbridge alert resolve 17 --by olga --note "the partner has a new certificate"
    """


@alert.command("list", short_help="Open alerts, the newest first.")
@click.option("--all", "resolved_too", is_flag=True, help="Those that somebody resolved too.")
@click.option("--kind", type=click.Choice(KINDS), default=None, help="Of this kind only.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 100_000), help="How many.")
@_JSON
@config_option
def list_(resolved_too: bool, kind: str | None, limit: int, as_json: bool, config_file: Path | None) -> None:
    """Open alerts, the newest first.

    \b
    Example:
      tollbridge alert list --kind dead_letter
      tollbridge alert list --all --limit 200 --json
    """
    with open_database(read_config(config_file)) as database, database.read() as connection:
        rows, count = list_alerts(connection, kind=kind or "", resolved_too=resolved_too, limit=limit)
    if as_json:
        print_json([alert_value(row) for row in rows])
    else:
        show_alerts(rows, count, resolved_too=resolved_too)


@alert.command(short_help="One alert, with who resolved it.")
@click.argument("number", metavar="ID", type=_ID)
@_JSON
@config_option
def show(number: int, as_json: bool, config_file: Path | None) -> None:
    """All of one alert: its sentence whole, the message that it is about, who resolved it and why.

    \b
    Example:
      tollbridge alert show 17
    """
    with open_database(read_config(config_file)) as database, database.read() as connection:
        row = read_alert(connection, number)
    if row is None:
        raise UserMistake(_unknown(number))
    if as_json:
        print_json(alert_value(row))
    else:
        show_alert(row)


@alert.command(short_help="Somebody has looked: with a name and a note.")
@click.argument("numbers", metavar="ID…", nargs=-1, required=True, type=_ID)
@click.option("--by", "author", metavar="NAME", required=True, help="Who has looked; kept for good.")
@click.option("--note", metavar="TEXT", required=True, help="What came of it; kept for good.")
@_JSON
@config_option
def resolve(numbers: Sequence[int], author: str, note: str, as_json: bool, config_file: Path | None) -> None:
    """Say that somebody has looked. It changes nothing but the alert; one that is resolved already stays as it was
    resolved first. A dead letter is called again, and its alert resolved, by `tollbridge again`.

    \b
    Example:
      tollbridge alert resolve 17 18 --by olga --note "the partner has a new certificate"
    """
    author, note = checked(author, note)
    now = SystemClock().now()
    with open_database(read_config(config_file)) as database:
        done = repeated(
            database, lambda connection: resolve_alerts(connection, numbers, author=author, note=note, now=now)
        )
    unknown = [number for number in dict.fromkeys(numbers) if number not in done]
    told = [done[number] for number in dict.fromkeys(numbers) if number in done]
    if as_json:
        print_json([resolved_value(one) for one in told])
    else:
        show_resolved(told)
    for number in unknown:
        click.echo(f"tollbridge: {_unknown(number)}", err=True)
    if unknown:
        sys.exit(1)


def _unknown(number: int) -> str:
    return f"there is no alert {number}; see: tollbridge alert list --all"
