"""`tollbridge balance`: what stands on accounts, and how it came there, posting by posting.

Rule: it only reads, and costs no more for many messages: sums are folded, and of postings only the last are shown.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click

from core.clock import Month
from core.errors import UserMistake
from store.account_lines import Standing, find_accounts, read_lines, read_standing
from tollbridge.commands import AMOUNTS, config_option, json_option, open_database, read_config
from tollbridge.commands.desk import MONTH, month_number
from tollbridge.json_values import print_json
from tollbridge.show import plain
from tollbridge.show_balance import account_value, lines_value, show_accounts, show_lines, show_owners

_LINES_MAX = 10_000


@click.command()
@click.argument("names", metavar="[ACCOUNT|LOGIN|CODE…]", nargs=-1)
@click.option("--month", type=MONTH, metavar="YYYY-MM", help="As it was in this booked month, and at its end.")
@click.option("--all", "every", is_flag=True, help="Those on which nothing stands, too.")
@click.option("--entries", is_flag=True, help="Of one account: its last postings, each with the balance after it.")
@click.option(
    "--limit", "most", default=20, show_default=True, type=click.IntRange(1, _LINES_MAX), help="Of --entries: how many."
)
@click.option("--currency", metavar="CUR", help="In this currency only, like RUB.")
@json_option(AMOUNTS)
@config_option
def balance(  # noqa: PLR0917
    names: Sequence[str], month: datetime | None, every: bool, entries: bool, most: int, currency: str | None,
    as_json: bool, config_file: Path | None,
) -> None:  # fmt: skip
    """Show what stands on accounts: on all of them, on those of a partner (its login) or an operator (its code), or on
    one (its address, like partner:acme:earnings).

    A balance stands on the account's normal side: debits − credits of what we have and of expenses (bank, provider,
    operator receivable, expense), credits − debits of all others. An amount below zero takes from it. The entry of a
    line is named by each of its charges and details.

    \b
    Example:
      tollbridge balance
      tollbridge balance acme --month 2026-10
      tollbridge balance partner:acme:earnings --entries --limit 50
    """
    if entries and (len(names) != 1 or ":" not in names[0]):
        raise click.UsageError("--entries: name one account, like partner:acme:earnings")
    booked = 0 if month is None else month_number(month)
    with open_database(read_config(config_file)) as database, database.read() as connection:
        addresses = find_accounts(connection, names) if names else None
        found = read_standing(connection, addresses, booked)
        found = found if currency is None else _in_currency(found, currency.upper(), names)
        if entries:
            account = _one(found, names[0])
            lines = read_lines(connection, account, booked, most)
    if entries:
        print_json(lines_value(account, lines)) if as_json else show_lines(account, lines, booked)
    else:
        _show(found, booked, named=bool(names), every=every, as_json=as_json)


def _in_currency(found: Sequence[Standing], currency: str, names: Sequence[str]) -> list[Standing]:
    """Those in a currency. Raises UserMistake where there are only others, and names them."""
    there = [one for one in found if one.currency == currency]
    if found and not there:
        others = ", ".join(sorted({one.currency for one in found}))
        of = f" on {', '.join(names)}" if names else ""
        raise UserMistake(plain(f"nothing was ever booked{of} in {currency}; there is: {others}", 200))
    return there


def _one(found: Sequence[Standing], address: str) -> Standing:
    """The account whose entries are asked for. Raises UserMistake."""
    if not found:
        raise UserMistake(f"nothing was ever booked on {address}")
    if len(found) > 1:
        there = ", ".join(one.currency for one in found)
        raise UserMistake(f"{address} is there in {there}; say which with --currency")
    return found[0]


def _show(found: Sequence[Standing], month: Month, *, named: bool, every: bool, as_json: bool) -> None:
    if as_json:
        print_json([account_value(one) for one in found if every or named or one.amount])
    elif named:
        show_accounts(found, month)
    else:
        show_owners(found, month, every=every)
