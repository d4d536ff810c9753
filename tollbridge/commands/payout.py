"""`tollbridge payout`: money on its way to partners: asked for, looked at, and in its sister modules moved on.

payout   the group: request, scheduled, due, list, show; approve, paid, failed, returned, cancel (payout_steps.py);
         export, file, send (payout_send.py); answer (payout_answer.py)

Rule: every step has a name; who asks for a payout does not approve it, and above `money.second_person_above` two do.
"""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from core.errors import UserMistake
from core.payouts import PayoutState
from store.act_life import read_acts_about
from store.desk import Desk
from store.payout_lists import list_payouts, places_due, read_due, read_history
from store.payout_schedule import request_due
from store.payouts import Ended, PayoutRow, Payouts, read_payout
from store.reports import find_partner
from tollbridge.commands import AMOUNTS, config_option, json_option
from tollbridge.commands.desk import TakesAmount, by_option, daily_key, desk_of, key_option, read_micros
from tollbridge.commands.ids import number_of
from tollbridge.commands.payout_answer import answer
from tollbridge.commands.payout_send import export_file, file_again, send
from tollbridge.commands.payout_steps import approve, cancel, failed, paid, returned
from tollbridge.json_values import print_json
from tollbridge.show import console, plain
from tollbridge.show_payout import due_table, due_value, one_value, payout_value, show_one, show_payouts

ENDED_BY = ("payout_failed", "payout_returned")
"""The kinds of acts by which two persons end a payout."""


@click.group()
def payout() -> None:
    """Pay partners: ask, approve, send by a bank file or a provider, and say what became of it.

    \b
    Example:
      tollbridge payout due
      tollbridge payout request acme EUR 100.00 --by olga
      tollbridge payout approve 1 --by ada
      tollbridge payout export EUR payouts.xml --by ada
      tollbridge payout answer pain002.xml --by ada
    """


@payout.command(cls=TakesAmount, short_help="Ask for an amount, or for all that may be paid.")
@click.argument("login")
@click.argument("currency")
@click.argument("amount", required=False)
@by_option
@key_option
@json_option(AMOUNTS)
@config_option
def request(  # noqa: PLR0917
    login: str, currency: str, amount: str | None, author: str, key: str, as_json: bool, config_file: Path | None
) -> None:
    """Ask for AMOUNT in major units for the partner LOGIN, or for all that may be paid.

    \b
    Example:
      tollbridge payout request acme EUR 100.00 --by olga
    """
    wanted, currency = None if amount is None else read_micros(amount), currency.upper()
    with desk_of(config_file) as (desk, _):
        own_key = key or daily_key(desk, "payout", login, currency, wanted, author)
        try:
            row = Payouts(desk).request(login, currency, wanted, author=author, key=own_key)
        except Ended as ended:
            if key:
                raise
            words = [login, currency, *([] if amount is None else [amount]), "--by", author, "--key"]
            again = shlex.join(["tollbridge", "payout", "request", *words, f"after-{ended.row.id}"])
            sentence = f"{ended.row.text}, the same request of today, {ended.became}; to ask once more: {again}"
            raise UserMistake(plain(sentence)) from ended
        _show([row], desk, as_json=as_json)


@payout.command(short_help="Ask for what is on schedule, once a month; for cron.")
@json_option(AMOUNTS)
@config_option
def scheduled(as_json: bool, config_file: Path | None) -> None:
    """Ask for what is on schedule (`schedule = "monthly"`), once in a calendar month; for cron, every day.

    \b
    Example:
      tollbridge payout scheduled
    """
    with desk_of(config_file) as (desk, _):
        rows, none = [], "nothing is on schedule"
        for login, done in request_due(Payouts(desk), desk):
            if isinstance(done, PayoutRow):
                rows.append(done)
            elif not as_json:
                click.echo(f"none for {login}: {plain(done)}")
                none = "nothing is asked for"
        _show(rows, desk, none, as_json=as_json)


@payout.command(short_help="Show what may be paid now, and what may not yet.")
@click.argument("login", required=False)
@json_option(AMOUNTS)
@config_option
def due(login: str | None, as_json: bool, config_file: Path | None) -> None:
    """Show what may be paid now and where it would go, and what is earned, too young, asked for, held; also of what
    nobody has said where it goes.

    \b
    Example:
      tollbridge payout due acme
    """
    with desk_of(config_file) as (desk, _):
        if login is not None:
            _partner_id(desk, login)
        with desk.database.read() as connection:
            places = places_due(connection, desk.catalogue(), login)
        lines = [
            (name, target, read_due(desk.database, desk.catalogue(), name, currency, desk.now()))
            for name, currency, target in places
        ]
    if as_json:
        _print([due_value(*line) for line in lines])
    elif lines:
        console().print(due_table(lines))
    else:
        click.echo("nobody has said where money goes; add `payout` to [[partner]]")


@payout.command("list", short_help="List payouts, the latest first.")
@click.option("--state", type=click.Choice([state.name.lower() for state in PayoutState]))
@click.option("--partner", metavar="LOGIN")
@click.option("--limit", "most", default=50, show_default=True, type=click.IntRange(1, 10_000))
@json_option(AMOUNTS)
@config_option
def list_them(state: str | None, partner: str | None, most: int, as_json: bool, config_file: Path | None) -> None:
    """List payouts, the latest first, with where the money goes.

    \b
    Example:
      tollbridge payout list --state requested
    """
    with desk_of(config_file) as (desk, _):
        partner_id = 0 if partner is None else _partner_id(desk, partner)
        states = () if state is None else (PayoutState[state.upper()],)
        with desk.database.read() as connection:
            rows = list(list_payouts(connection, states, partner_id=partner_id, limit=most))
        _show(rows, desk, as_json=as_json)


@payout.command(short_help="Show a payout: to whom, its steps, its entries.")
@click.argument("number", metavar="N", type=number_of("a payout"))
@json_option(AMOUNTS)
@config_option
def show(number: int, as_json: bool, config_file: Path | None) -> None:
    """Show all of a payout: to whom it goes, what was done by whom and when, its file, the provider's or the bank's
    own number of it, its entries. Of the account only the end is shown; --json has it whole.

    \b
    Example:
      tollbridge payout show 4
    """
    with desk_of(config_file) as (desk, _):
        with desk.database.read() as connection:
            row = read_payout(connection, number)
            steps, entries = read_history(connection, row)
            acts = read_acts_about(connection, ENDED_BY, "payout", number, row.requested_at)
        login = _logins(desk).get(row.partner_id, "")
    if as_json:
        _print(one_value(row, login, steps, entries, acts))
    else:
        show_one(row, login, steps, entries, acts)


for _command in (approve, export_file, file_again, send, answer, paid, failed, returned, cancel):
    payout.add_command(_command)


def _partner_id(desk: Desk, login: str) -> int:
    with desk.database.read() as connection:
        return find_partner(connection, login)


def _logins(desk: Desk) -> Mapping[int, str]:
    return {one.id: one.login for one in desk.catalogue().partners.values()}


def _show(rows: Sequence[PayoutRow], desk: Desk, *none: str, as_json: bool) -> None:
    logins = _logins(desk)
    if as_json:
        _print([payout_value(row, logins.get(row.partner_id, "")) for row in rows])
    else:
        show_payouts(rows, logins, *none)


def _print(value: Any) -> None:
    print_json(value)
