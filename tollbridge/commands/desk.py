"""What the commands share by which people move money: a desk, amounts, months, options.

desk_of       a desk on the configured database, with the configuration
read_micros   an amount as a person writes it
MONTH         the type of an option that names a month; month_number makes 202610 of what it read
by_option …   options that are the same everywhere; daily_key, a key where nobody gives one

Rule: heavy things are imported here, so only the commands' own modules import it, never tollbridge.commands.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from core.clock import Month, day_of
from core.errors import UserMistake
from core.money import BadAmount, parse_micros
from plumbing.clock import SystemClock
from store.desk import Desk, open_desk
from store.secrets import Sealed
from tollbridge.commands import open_database, read_config
from tollbridge.config import Config
from tollbridge.show import plain

by_option = click.option("--by", "author", metavar="NAME", required=True, help="Who does it; kept for good.")
reason_option = click.option("--reason", metavar="TEXT", required=True, help="Why; kept for good.")
key_option = click.option(
    "--key", metavar="KEY", default="", help="Makes it once only; without it the same on one day is once."
)


class _Month(click.ParamType[datetime]):
    """A calendar month: `2026-10`."""

    name = "month"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Its first moment."""
        if isinstance(value, datetime):
            return value
        try:
            month: datetime | None = datetime.strptime(str(value), "%Y-%m")  # noqa: DTZ007
        except ValueError:
            month = None
        if month is None or not 1970 <= month.year <= 9000:
            self.fail(f"{plain(str(value), 20)!r} is no month; write a month like 2026-10", param, ctx)
        return month


MONTH = _Month()


@contextmanager
def desk_of(config_file: Path | None) -> Iterator[tuple[Desk, Config]]:
    """A desk for as long as it is needed. Raises ConfigError, StoreAway."""
    config = read_config(config_file)
    with open_database(config) as database, open_desk(database, SystemClock(), Sealed()) as desk:
        yield desk, config


def month_number(moment: datetime) -> Month:
    """What an option of type MONTH has read → 202610."""
    return moment.year * 100 + moment.month


def daily_key(desk: Desk, *words: object) -> str:
    """The same words on the same day (UTC) make the same key."""
    return hashlib.sha256("\n".join(map(str, (day_of(desk.now()), *words))).encode()).hexdigest()[:40]


def read_micros(text: str, name: str = "AMOUNT") -> int:
    """An amount as a person writes it. Raises UserMistake."""
    try:
        return parse_micros(text)
    except BadAmount as error:
        raise UserMistake(f"{name}: {error}") from error
