"""`tollbridge message`: the life of one message, a subscriber's last messages, what is parked or held, receipts that
belong to no message.

Rule: texts are shown, since who looks after a complaint needs them; numbers are masked unless asked for whole.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection

from core.clock import HOUR_MS, Instant
from core.errors import UserMistake
from core.msisdn import mask, read_msisdn
from fraud.rules.limit import bound_of
from plumbing.clock import SystemClock
from store.holds import read_holds, with_held
from store.messages import messages_of, parked_messages, read_life
from store.secrets import Sealed
from store.snapshot import read_catalogue
from store.unmatched import read_unmatched
from tollbridge.commands import config_option, json_option, open_database, read_config
from tollbridge.commands.ids import MESSAGE_ID
from tollbridge.json_values import in_major_units, print_json
from tollbridge.show_message import show_held, show_life, show_lines
from tollbridge.show_receipts import show_receipts, shown_id

NUMBERS = frozenset({"source", "destination"})
HELD = "held"
PARKED = frozenset({HELD, "no_tariff", "no_plan", "refused", "no_short_code", "no_number", "no_prefix"})
OPERATORS_IDS = frozenset({"key", "operator_key", "new_because"})
"""Ids of operators, and the sentence that repeats one."""
IDS = frozenset({"asked", "id", "reply_to", "reply_id", "entry_id", "fingerprint"})


@click.command()
@click.argument("message_id", metavar="[ID]", required=False, type=MESSAGE_ID)
@config_option
@click.option("--msisdn", metavar="NUMBER", help="List this subscriber's last messages instead.")
@click.option("--parked", is_flag=True, help="List MO that lie in suspense or wait for a tariff instead.")
@click.option("--receipts", is_flag=True, help="List receipts that belong to no MT that we know instead.")
@click.option(
    "--reason",
    type=click.Choice(sorted(PARKED)),
    help="With --parked: of this reason only; held: withheld by fraud.",
)
@click.option(
    "--hours",
    default=24,
    show_default=True,
    type=click.IntRange(1, 9000),
    help="With --parked and --receipts: how far back; what is held is listed however old it is.",
)
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="Of a list: how many.")
@click.option("--full-numbers", is_flag=True, help="Subscribers' numbers whole, not as 7900***33.")
@json_option("amounts as decimal strings, times in ms")
def message(message_id: int | None, config_file: Path | None, **options: Any) -> None:
    """Show the whole life of one message: the operator's PDU, why it was new or a repeat, its route and verdict, the
    split of its price with the versions that made it, each call to the partner, the reply, its receipts, the entries.

    ID is that of an MO, an MT, a part of a long message or a redelivery. The message's text is shown, since support
    needs it; subscribers' numbers are masked unless --full-numbers is given.

    \b
    Example:
      tollbridge message 911742853120000000
      tollbridge message --msisdn 79001112233 --limit 20
      tollbridge message --parked --reason no_prefix
      tollbridge message --parked --reason held
      tollbridge message --receipts --hours 168
    """
    asked = Asked(**options)
    if [message_id is None, asked.msisdn is None, not asked.parked, not asked.receipts].count(False) != 1:
        raise click.UsageError("name either an ID, or --msisdn NUMBER, or --parked, or --receipts")
    if asked.reason and not asked.parked:
        raise click.UsageError("--reason goes with --parked")
    config = read_config(config_file)
    asked.full_numbers |= config.logs.full_numbers
    with open_database(config) as database, database.read() as connection:
        if message_id is None:
            _list(connection, asked)
        else:
            _show(connection, message_id, asked)


@dataclass
class Asked:
    """The options, as they were given."""

    msisdn: str | None
    parked: bool
    receipts: bool
    reason: str | None
    hours: int
    limit: int
    full_numbers: bool
    as_json: bool


def _list(connection: Connection, asked: Asked) -> None:
    if asked.reason == HELD:
        _list_held(connection, asked)
        return
    since = SystemClock().now() - asked.hours * HOUR_MS
    if asked.receipts:
        _list_receipts(connection, since, asked)
        return
    if asked.parked:
        lines = parked_messages(connection, since, asked.limit, asked.reason or "")
        words = f"that are parked, of the last {asked.hours} h"
    else:
        number = read_msisdn(asked.msisdn or "")
        if number is None:
            raise UserMistake("--msisdn: this is no number; write it international, like 79001112233")
        lines = with_held(connection, messages_of(connection, number, asked.limit))
        words = f"of {number if asked.full_numbers else mask(number)}"
    if asked.as_json:
        values = [as_value(asdict(line), full=asked.full_numbers) for line in lines]
        print_json(in_major_units(values))
    else:
        show_lines(words, lines, full=asked.full_numbers, with_source=asked.parked)


def _list_held(connection: Connection, asked: Asked) -> None:
    holds = read_holds(connection, asked.limit)
    rules = {bound_of(limit).reason: f"limit {limit.id}" for limit in read_catalogue(connection, Sealed()).limits}
    if asked.as_json:
        values = [
            as_value(asdict(line), full=asked.full_numbers) | {"rule": rules.get(line.why, "")} for line in holds.lines
        ]
        print_json(in_major_units(values))
    else:
        show_held(holds, rules, full=asked.full_numbers)


def _list_receipts(connection: Connection, since: Instant, asked: Asked) -> None:
    found = read_unmatched(connection, since, asked.limit)
    if asked.as_json:
        print_json(
            [
                as_value(asdict(line), full=asked.full_numbers)
                | {"ids": [shown_id(one, line.source, full=asked.full_numbers) for one in line.ids]}
                for line in found.receipts
            ]
        )
    else:
        show_receipts(found, asked.hours, full=asked.full_numbers)


def _show(connection: Connection, message_id: int, asked: Asked) -> None:
    life = read_life(connection, message_id)
    if life is None:
        raise UserMistake(f"no message has the id {message_id}; look for it with --msisdn NUMBER")
    if asked.as_json:
        print_json(in_major_units(as_value(asdict(life), full=asked.full_numbers)))
    else:
        show_life(life, full=asked.full_numbers)


def as_value(value: Any, *, full: bool, key: str = "", number: str = "") -> Any:
    """For JSON: subscribers' numbers masked, in operators' ids too; our ids as strings, since many readers of JSON keep
    only 53 bits. `number`: of the subscriber that the value is about.
    """
    if isinstance(value, dict):
        # An MO is about its sender, an MT about its recipient.
        number = value.get("source" if "operator_key" in value else "destination", number)
        return {name: as_value(one, full=full, key=name, number=number) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [as_value(one, full=full, key=key, number=number) for one in value]
    if key in IDS and isinstance(value, int):
        return str(value)
    if key in OPERATORS_IDS and number and value:
        return shown_id(value, number, full=full)
    # A short code is nobody's number.
    return mask(value) if key in NUMBERS and not full and len(value) > 6 else value
