"""`tollbridge message`: the life of one message, or a subscriber's last messages.

Rule: texts are shown, since who looks after a complaint needs them; numbers are masked unless asked for whole.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from core.errors import UserMistake
from core.msisdn import mask, read_msisdn
from store.messages import messages_of, read_life
from tollbridge.commands import config_option, open_database, read_config
from tollbridge.show import plain
from tollbridge.show_message import show_life, show_lines

ID_MAX = 2**63 - 1
NUMBERS = frozenset({"source", "destination"})
IDS = frozenset({"asked", "id", "reply_to", "reply_id", "entry_id", "fingerprint"})


@click.command()
@click.argument("message_id", metavar="[ID]", required=False, type=str)
@config_option
@click.option("--msisdn", metavar="NUMBER", help="List this subscriber's last messages instead.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="With --msisdn: how many.")
@click.option("--full-numbers", is_flag=True, help="Subscribers' numbers whole, not as 7900***33.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs; amounts in millionths, times in ms.")
def message(
    message_id: str | None,
    config_file: Path | None,
    msisdn: str | None,
    limit: int,
    *,
    full_numbers: bool,
    as_json: bool,
) -> None:
    """Show the whole life of one message: the operator's PDU, why it was new or a repeat, its route and verdict, the
    split of its price with the versions that made it, each call to the partner, the reply, its receipts, the entries.

    ID is that of an MO, an MT, a part of a long message or a redelivery. The message's text is shown, since support
    needs it; subscribers' numbers are masked unless --full-numbers is given.

    \b
    Example:
      tollbridge message 911742853120000000
      tollbridge message --msisdn 79001112233 --limit 20
    """
    if (message_id is None) == (msisdn is None):
        raise click.UsageError("name either an ID or --msisdn NUMBER")
    asked = None if message_id is None else read_id(message_id)
    config = read_config(config_file)
    full = full_numbers or config.logs.full_numbers
    with open_database(config) as database, database.read() as connection:
        if msisdn is not None:
            number = read_msisdn(msisdn)
            if number is None:
                raise UserMistake("--msisdn: this is no number; write it international, like 79001112233")
            lines = messages_of(connection, number, limit)
            if as_json:
                click.echo(
                    json.dumps([as_value(asdict(line), full=full) for line in lines], ensure_ascii=False, indent=2)
                )
            else:
                show_lines(number, lines, full=full)
            return
        assert asked is not None
        life = read_life(connection, asked)
    if life is None:
        raise UserMistake(f"no message has the id {asked}; look for it with --msisdn NUMBER")
    if as_json:
        click.echo(json.dumps(as_value(asdict(life), full=full), ensure_ascii=False, indent=2))
    else:
        show_life(life, full=full)


def read_id(text: str) -> int:
    """A message's id, as every page and log shows it. Raises a usage error."""
    if not (text.isascii() and text.isdigit()):
        raise click.UsageError(f"{plain(text, 40)} is not a message id: digits only")
    if len(text) > len(str(ID_MAX)) or not 1 <= int(text) <= ID_MAX:
        raise click.UsageError(f"{plain(text, 40)} is not a message id: they go from 1 to {ID_MAX}")
    return int(text)


def as_value(value: Any, *, full: bool, key: str = "") -> Any:
    """For JSON: subscribers' numbers masked, ids as strings, since many readers of JSON keep only 53 bits."""
    if isinstance(value, dict):
        return {name: as_value(one, full=full, key=name) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [as_value(one, full=full, key=key) for one in value]
    if key in IDS and isinstance(value, int):
        return str(value)
    # A short code is nobody's number.
    return mask(value) if key in NUMBERS and not full and len(value) > 6 else value
