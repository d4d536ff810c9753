"""What the commands share by which people move money: a desk, amounts, months.

desk_of       a desk on the configured database, with the configuration
read_micros   an amount as a person writes it
MONTH         the type of an option that names a month; month_number makes 202610 of what it read

Rule: heavy things are imported here, so only the commands' own modules import it, never tollbridge.commands.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click

from core.clock import Month
from core.errors import UserMistake
from core.money import BadAmount, parse_micros
from plumbing.clock import SystemClock
from store.desk import Desk, open_desk
from store.secrets import Sealed
from tollbridge.commands import open_database, read_config
from tollbridge.config import Config

MONTH = click.DateTime(["%Y-%m"])


@contextmanager
def desk_of(config_file: Path | None) -> Iterator[tuple[Desk, Config]]:
    """A desk for as long as it is needed. Raises ConfigError, StoreAway."""
    config = read_config(config_file)
    with open_database(config) as database, open_desk(database, SystemClock(), Sealed()) as desk:
        yield desk, config


def month_number(moment: datetime) -> Month:
    """What an option of type MONTH has read → 202610."""
    return moment.year * 100 + moment.month


def read_micros(text: str, name: str = "AMOUNT") -> int:
    """An amount as a person writes it. Raises UserMistake."""
    try:
        return parse_micros(text)
    except BadAmount as error:
        raise UserMistake(f"{name}: {error}") from error
