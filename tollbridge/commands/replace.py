"""`tollbridge replace`: another text for a message that the operator has and has not delivered.

The word goes through the database to the process that has the link that the message went by (store/replacements.py).

Rule: what was accepted is not lost with this command: it waits a few seconds for what comes of it, and no more.
"""

import sys
from pathlib import Path

import click

from plumbing.clock import SystemClock
from store.replacements import give
from tollbridge.commands import IDS, config_option, json_option, open_database, read_config
from tollbridge.commands.ids import MESSAGE_ID
from tollbridge.json_values import print_json
from tollbridge.order_outcomes import WAIT_S, is_bad, line_of, value_of, wait_for

READ_MAX = 10_000
"""Octets; far more than one SMS has."""


@click.command()
@click.argument("message_id", metavar="ID", type=MESSAGE_ID)
@click.option("--text", required=True, help="The new text; - reads it from standard input, where no `ps` shows it.")
@click.option("--by", "author", metavar="NAME", required=True, help="Who wants it; kept for good.")
@click.option("--because", "note", metavar="REASON", required=True, help="Why; kept for good. Partners do not see it.")
@click.option("--wait/--no-wait", "waits", default=True, help="Wait at most 15 s, and tell what came of it (default).")
@json_option(IDS)
@config_option
def replace(
    message_id: int, text: str, author: str, note: str, config_file: Path | None, *, waits: bool, as_json: bool
) -> None:
    """Give a message to a subscriber another text, while the operator has it and has not delivered it: by SMPP or UCP,
    over the link that it went by. The operator may say no. It must be one SMS before and after, in the same alphabet;
    what it costs stays as it is. What waits to be sent is taken back instead (`tollbridge cancel`) and sent anew.

    While that link is down, or no service runs, the order waits, for a day at most. `tollbridge message ID` tells what
    came of it, with both texts.

    \b
    Example:
      tollbridge replace 911742853120000000 --text "Your PIN is 4711" --by olga --because "wrong PIN"
    """
    if text == "-":
        # What is no UTF-8 is told like any other mistake.
        text = sys.stdin.buffer.read(READ_MAX).decode("utf-8", "surrogateescape").removesuffix("\n")
    with open_database(read_config(config_file)) as database:
        given = give(database, message_id, text, author=author, note=note, now=SystemClock().now())
        found = wait_for(database, [given], WAIT_S if waits else 0.0)
    if as_json:
        print_json([value_of(given, found)])
    else:
        click.echo(line_of(given, found, waits=waits))
    if is_bad(given, found, waits=waits):
        sys.exit(1)
