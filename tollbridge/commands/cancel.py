"""`tollbridge cancel`: messages to subscribers that are not to be delivered.

The word goes through the database to the process that has the message, or the link that it went by
(store/cancellations.py).

Rule: what was accepted is not lost with this command: it waits a few seconds for what comes of it, and no more.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from plumbing.clock import SystemClock
from store.cancellations import give
from tollbridge.commands import IDS, config_option, json_option, open_database, read_config
from tollbridge.commands.ids import MESSAGE_ID
from tollbridge.json_values import print_json
from tollbridge.order_outcomes import WAIT_S, is_bad, line_of, value_of, wait_for

MANY = 1000
"""As many at once; each is asked for over a link."""


@click.command()
@click.argument("ids", metavar="ID…", nargs=-1, required=True, type=MESSAGE_ID)
@click.option("--by", "author", metavar="NAME", required=True, help="Who wants it; kept for good.")
@click.option("--because", "note", metavar="REASON", required=True, help="Why; kept for good. Partners do not see it.")
@click.option("--wait/--no-wait", "waits", default=True, help="Wait at most 15 s, and tell what came of it (default).")
@json_option(IDS)
@config_option
def cancel(ids: Sequence[int], author: str, note: str, config_file: Path | None, *, waits: bool, as_json: bool) -> None:
    """Take messages to subscribers back. One that waits is not sent any more. One that the operator has is asked for
    by SMPP, UCP or CIMD2, over the link that it went by; the operator may say no. What was not delivered costs what
    any such message costs.

    While that link is down, or no service runs, the order waits, for a day at most; ordered twice it does no harm.
    `tollbridge message ID` tells what came of it.

    \b
    Example:
      tollbridge cancel 911742853120000000 --by olga --because "wrong text"
    """
    if len(ids) > MANY:
        raise click.UsageError(f"at most {MANY} messages at once")
    with open_database(read_config(config_file)) as database:
        given = give(database, ids, author=author, note=note, now=SystemClock().now())
        found = wait_for(database, given, WAIT_S if waits else 0.0)
    if as_json:
        print_json([value_of(one, found) for one in given])
    else:
        for one in given:
            click.echo(line_of(one, found, waits=waits))
    if any(is_bad(one, found, waits=waits) for one in given):
        sys.exit(1)
