"""Numbers that name something on the command line: read, or refused in words of ours.

MESSAGE_ID   a message's id, as every page and log shows it
number_of    the number of another thing: a payout, an act, a run

Rule: what cannot be one is refused before the database is asked.
"""

from typing import Any

import click

from tollbridge.show import plain

NUMBER_MAX = 2**63 - 1
"""What a column of the database holds."""


class _Number(click.ParamType[int]):
    """`what` a text is not that is no number, or none of ours."""

    name = "number"

    def __init__(self, what: str) -> None:
        self._what = what

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Raises a usage error."""
        text = str(value)
        if not (text.isascii() and text.isdigit()):
            raise click.UsageError(f"{plain(text, 40)} is not {self._what}: digits only")
        if len(text) > len(str(NUMBER_MAX)) or not 1 <= int(text) <= NUMBER_MAX:
            raise click.UsageError(f"{plain(text, 40)} is not {self._what}: they go from 1 to {NUMBER_MAX}")
        return int(text)


MESSAGE_ID = _Number("a message id")


def number_of(thing: str) -> _Number:
    """`thing` with its article: number_of("a payout")."""
    return _Number(f"a number of {thing}")
