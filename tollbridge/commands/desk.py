"""What the commands share by which people move money: a desk, amounts, months, options.

desk_of       a desk on the configured database, with the configuration
read_micros   an amount as a person writes it; TakesAmount, a command whose AMOUNT may be written below zero, to be told
MONTH, DAY    the types of options that name a month, a day; month_number makes 202610 of what MONTH read
by_option …   options that are the same everywhere; daily_key, a key where nobody gives one
take_name, take_reason   callbacks of options that name a person, or say why

Rule: heavy things are imported here, so only the commands' own modules import it, never tollbridge.commands.
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from core.clock import Month, day_of
from core.errors import UserMistake
from core.money import BadAmount, parse_micros
from core.second_person import name_fault, reason_fault, tidy_name
from plumbing.clock import SystemClock
from store.desk import Desk, open_desk
from store.secrets import Sealed
from tollbridge.commands import open_database, read_config
from tollbridge.config import Config
from tollbridge.show import plain

_BELOW_ZERO = re.compile(r"-[0-9.,]{1,40}")


def take_name(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """A person's name as it is kept. What is not given at all is the command's own affair."""
    if value is not None and (fault := name_fault(value)):
        raise click.BadParameter(f"the name {fault}", ctx, param)
    return None if value is None else tidy_name(value)


def take_reason(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """A reason as it is kept."""
    if value is not None and (fault := reason_fault(value)):
        raise click.BadParameter(f"the reason {fault}", ctx, param)
    return None if value is None else value.strip()


by_option = click.option(
    "--by", "author", metavar="NAME", required=True, callback=take_name, help="Who does it; kept for good."
)
reason_option = click.option(
    "--reason", metavar="TEXT", required=True, callback=take_reason, help="Why; kept for good."
)
key_option = click.option(
    "--key", metavar="KEY", default="", help="Makes it once only; without it the same on one day is once."
)


class _Moment(click.ParamType[datetime]):
    """A piece of the calendar, named by its first moment: a month like `2026-10`, a day like `2026-10-01`."""

    def __init__(self, name: str, form: str, example: str) -> None:
        self.name, self._form, self._example = name, form, example

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Its first moment."""
        if isinstance(value, datetime):
            return value
        try:
            moment: datetime | None = datetime.strptime(str(value), self._form)  # noqa: DTZ007
        except ValueError:
            moment = None
        if moment is None or not 1970 <= moment.year <= 9000:
            what = f"{plain(str(value), 20)!r} is no {self.name}"
            self.fail(f"{what}; write a {self.name} like {self._example}", param, ctx)
        return moment


MONTH = _Moment("month", "%Y-%m", "2026-10")
DAY = _Moment("day", "%Y-%m-%d", "2026-10-01")


class TakesAmount(click.Command):
    """A command with an AMOUNT: one below zero is told as such, and not taken for an option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does it."""
        words = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            below = next((word for word in words if _BELOW_ZERO.fullmatch(word)), "")
            if not below or not below.startswith(error.option_name):
                raise
            says = f"AMOUNT: {below} is below zero; write an amount above zero, like 12.50"
            raise click.BadArgumentUsage(says, ctx) from error


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
