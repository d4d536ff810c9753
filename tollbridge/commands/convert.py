"""`tollbridge convert`: a partner's money into another currency at a dated rate, or its earnings into money for SMS.

Rule: above `money.second_person_above` nothing moves before another person agrees (`tollbridge act`).
"""

from pathlib import Path

import click

from core.money import format_micros
from core.second_person import tidy_name
from store.acts import Acts, Draft
from store.conversions import ACCOUNTS, EARNINGS, Asked, Converted, use_earnings
from store.conversions import convert as convert_money
from tollbridge.commands import AMOUNTS, config_option, json_option
from tollbridge.commands.desk import by_option, daily_key, desk_of, key_option, read_micros
from tollbridge.json_values import in_major_units, print_json
from tollbridge.show_act import tell_act

_REASON = click.option("--reason", metavar="TEXT", default="", help="Why; kept for good.")


@click.group()
def convert() -> None:
    """Convert a partner's money: into another currency, or earnings into money for outgoing SMS. Above
    money.second_person_above it waits for another person, with a --reason: tollbridge act approve.

    \b
    Example:
      tollbridge convert currency acme 100.00 EUR RUB --by olga
      tollbridge convert earnings acme 100.00 RUB --by olga
    """


@convert.command(short_help="Turn a partner's money into another currency.")
@click.argument("login")
@click.argument("amount")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option(
    "--account", type=click.Choice(ACCOUNTS), default=ACCOUNTS[0], show_default=True, help="On which account."
)
@by_option
@_REASON
@key_option
@json_option(AMOUNTS)
@config_option
def currency(  # noqa: PLR0917
    login: str, amount: str, source: str, target: str, account: str, author: str, reason: str, key: str,
    as_json: bool, config_file: Path | None,
) -> None:  # fmt: skip
    """Turn AMOUNT of the partner LOGIN from one currency into another, at the rate that holds now.

    \b
    Example:
      tollbridge convert currency acme 100.00 EUR RUB --by olga
    """
    micros, source, target = read_micros(amount), source.upper(), target.upper()
    with desk_of(config_file) as (desk, config):
        key = key or daily_key(desk, "convert", login, micros, source, target, account, tidy_name(author))
        asked = Asked(login, micros, source, author, reason, key)
        if not _waits(Acts(desk, config.money.limits), asked, account, target, as_json=as_json):
            _show(convert_money(desk, asked, target, account=account), as_json=as_json)


@convert.command(short_help="Use earnings for outgoing SMS.")
@click.argument("login")
@click.argument("amount")
@click.argument("currency")
@by_option
@_REASON
@key_option
@json_option(AMOUNTS)
@config_option
def earnings(  # noqa: PLR0917
    login: str, amount: str, currency: str, author: str, reason: str, key: str, as_json: bool, config_file: Path | None
) -> None:
    """Use AMOUNT of the earnings of the partner LOGIN for its outgoing SMS.

    \b
    Example:
      tollbridge convert earnings acme 100.00 RUB --by olga
    """
    micros, currency = read_micros(amount), currency.upper()
    with desk_of(config_file) as (desk, config):
        key = key or daily_key(desk, "use", login, micros, currency, tidy_name(author))
        asked = Asked(login, micros, currency, author, reason, key)
        if not _waits(Acts(desk, config.money.limits), asked, EARNINGS, "", as_json=as_json):
            _show(use_earnings(desk, asked), as_json=as_json)


def _waits(acts: Acts, asked: Asked, account: str, into: str, *, as_json: bool) -> bool:
    """Whether one person may not do it alone; then it is proposed, and that is said."""
    kind = "convert" if into else "use_earnings"
    values: dict[str, str | int] = {
        "partner": asked.login, "amount": asked.amount, "currency": asked.currency, "account": account, "into": into,
        "key": asked.key,
    }  # fmt: skip
    waits = acts.propose(Draft(kind, asked.author, asked.reason, (), values, asked.key))
    if waits is not None:
        tell_act(waits, as_json=as_json)
    return waits is not None


def _show(done: Converted, *, as_json: bool) -> None:
    if as_json:
        print_json(in_major_units({
            "entry_id": str(done.entry_id), "amount": done.amount, "currency": done.currency, "came": done.came,
            "into": done.into, "rate": done.rate.text if done.rate else None,
        }))  # fmt: skip
        return
    at = f", at {done.rate.text}" if done.rate else ""
    came = f"{format_micros(done.came)} {done.into}"
    click.echo(f"{format_micros(done.amount)} {done.currency} became {came}{at}; entry {done.entry_id}")
