"""`tollbridge convert`: a partner's money into another currency at a dated rate, or its earnings into money for SMS;
and what was converted before.

Rule: above `money.second_person_above` nothing moves before another person agrees (`tollbridge act`).
"""

from pathlib import Path
from typing import Any

import click

from core.clock import iso_of
from core.money import format_micros
from store.acts import Acts, Draft
from store.conversions import ACCOUNTS, EARNINGS, Asked, Converted, read_conversion, use_earnings
from store.conversions import convert as convert_money
from tollbridge.commands import AMOUNTS, config_option, json_option, open_database, read_config
from tollbridge.commands.desk import by_option, daily_key, desk_of, key_option, read_micros
from tollbridge.json_values import in_major_units, print_json
from tollbridge.show import moment, plain
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
      tollbridge convert show 911742853120000000
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
        key = key or daily_key(desk, "convert", login, micros, source, target, account, author)
        asked = Asked(login, micros, source, author, reason, key)
        if not _waits(Acts(desk, config.money.limits), asked, account, target, as_json=as_json):
            _tell(convert_money(desk, asked, target, account=account), login, as_json=as_json)


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
    """Use AMOUNT of the earnings of the partner LOGIN for its outgoing SMS, which are paid in its own currency.

    \b
    Example:
      tollbridge convert earnings acme 100.00 RUB --by olga
    """
    micros, currency = read_micros(amount), currency.upper()
    with desk_of(config_file) as (desk, config):
        key = key or daily_key(desk, "use", login, micros, currency, author)
        asked = Asked(login, micros, currency, author, reason, key)
        if not _waits(Acts(desk, config.money.limits), asked, EARNINGS, "", as_json=as_json):
            _tell(use_earnings(desk, asked), login, as_json=as_json)


@convert.command(short_help="Show one that was booked.")
@click.argument("entry")
@json_option(AMOUNTS)
@config_option
def show(entry: str, as_json: bool, config_file: Path | None) -> None:
    """Show a conversion that was booked, by the number or the key of its ENTRY, as balance ACCOUNT --entries shows it:
    what became of what, at which rate, by whom and why.

    \b
    Example:
      tollbridge convert show 911742853120000000
    """
    with open_database(read_config(config_file)) as database, database.read() as connection:
        past = read_conversion(connection, entry)
    if as_json:
        print_json(in_major_units({
            **_value(past.done), "key": past.key, "at": iso_of(past.at), "partner": past.login,
            "account": past.account, "author": past.author, "reason": past.reason, "act": past.act or None,
        }))  # fmt: skip
        return
    click.echo(f"{_sentence(past.done, past.login)}; entry {past.done.entry_id}")
    facts = {
        "account": f"partner:{past.login}:{past.account}", "by": f"{past.author}, {moment(past.at)}",
        "because": past.reason, "key": past.key, "act": f"{past.act}, see: tollbridge act show {past.act}",
    }  # fmt: skip
    for name, what in facts.items():
        if what and (name != "act" or past.act):
            click.echo(f"  {name:<8} {plain(what)}")


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


def _tell(done: Converted, login: str, *, as_json: bool) -> None:
    if as_json:
        print_json(in_major_units(_value(done)))
        return
    before = "was done before, nothing new was booked: " if done.was_before else ""
    click.echo(f"{before}{_sentence(done, login)}; entry {done.entry_id}")


def _sentence(done: Converted, login: str) -> str:
    amount = f"{format_micros(done.amount)} {done.currency}"
    if done.currency == done.into:
        return f"{amount} of {login}'s earnings are for outgoing SMS"
    at = f", at {done.rate.text}" if done.rate else ""
    return f"{amount} became {format_micros(done.came)} {done.into}{at}"


def _value(done: Converted) -> dict[str, Any]:
    return {
        "entry_id": str(done.entry_id), "amount": done.amount, "currency": done.currency, "came": done.came,
        "into": done.into, "rate": done.rate.text if done.rate else None, "was_before": done.was_before,
    }  # fmt: skip
