"""`tollbridge payment`: what partners have paid in; parked payments are looked at, assigned or closed by a person."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from core.clock import iso_of
from core.money import format_micros
from core.top_ups import PaymentState
from store.act_life import read_acts_about
from store.acts import Acts, Draft
from store.payments import PaymentRow, Payments, list_payments, read_payment
from store.steps import read_steps
from tollbridge.commands import AMOUNTS, config_option, json_option
from tollbridge.commands.desk import by_option, desk_of, reason_option
from tollbridge.commands.ids import number_of
from tollbridge.json_values import print_json
from tollbridge.show import console, moment, plain, table
from tollbridge.show_act import tell_act
from tollbridge.show_acts_behind import act_line, act_value, with_both
from tollbridge.show_steps import step_value, steps_table

_NUMBER = click.argument("number", metavar="N", type=number_of("a payment"))


@click.group()
def payment() -> None:
    """See what partners have paid in, and book what is parked: what came and did not agree with its top-up.

    \b
    Example:
      tollbridge payment list --state parked
      tollbridge payment assign 4 acme --by olga --reason "they wrote to us"
    """


@payment.command("list", short_help="List payments, the latest first.")
@click.option("--state", type=click.Choice([state.name.lower() for state in PaymentState if state]))
@click.option("--limit", "most", default=50, show_default=True, type=click.IntRange(1, 10_000))
@json_option(AMOUNTS)
@config_option
def list_them(state: str | None, most: int, as_json: bool, config_file: Path | None) -> None:
    """List payments, the latest first.

    \b
    Example:
      tollbridge payment list --state parked
    """
    wanted = None if state is None else PaymentState[state.upper()]
    with desk_of(config_file) as (desk, _):
        with desk.database.read() as connection:
            rows = list(list_payments(connection, wanted, limit=most))
        _show(rows, _logins(desk.catalogue().partners.values()), as_json=as_json)


@payment.command(short_help="Show a payment, why it is parked, who decided.")
@_NUMBER
@json_option(AMOUNTS)
@config_option
def show(number: int, as_json: bool, config_file: Path | None) -> None:
    """Show a payment: who told of it and when, its top-up, why it is parked, its entry; and what people decided of it,
    who and why. Where two persons had to agree, both of them and their act.

    \b
    Example:
      tollbridge payment show 4
    """
    with desk_of(config_file) as (desk, _):
        with desk.database.read() as connection:
            row = read_payment(connection, number)
            steps = read_steps(connection, "payment", number, row.received_at)
            acts = read_acts_about(connection, ["assign_payment"], "payment", number, row.received_at)
        logins = _logins(desk.catalogue().partners.values())
    if as_json:
        print_json({
            **_value(row, logins), "steps": [step_value(step) for step in steps],
            "acts": [act_value(one) for one in acts],
        })  # fmt: skip
        return
    for name, value in _value(row, logins).items():
        if value not in ("", None):
            click.echo(f"{name.replace('_', ' '):<12} {plain(str(value))}")
    for one in acts:
        click.echo(f"{'act':<12} {plain(act_line(one))}")
    if steps:
        console().print(steps_table(with_both(steps, acts)))


@payment.command(short_help="Book a parked payment to a partner.")
@_NUMBER
@click.argument("login")
@by_option
@reason_option
@json_option(AMOUNTS)
@config_option
def assign(  # noqa: PLR0917
    number: int, login: str, author: str, reason: str, as_json: bool, config_file: Path | None
) -> None:
    """Book a parked payment to the partner LOGIN, as it came. Above money.second_person_above it waits for another
    person: tollbridge act approve.

    \b
    Example:
      tollbridge payment assign 4 acme --by olga --reason "they wrote to us"
    """
    values: dict[str, str | int] = {"payment": number, "partner": login}
    with desk_of(config_file) as (desk, config):
        draft = Draft("assign_payment", author, reason, values=values)
        if (waits := Acts(desk, config.money.limits).propose(draft)) is not None:
            tell_act(waits, as_json=as_json)
            return
        row = Payments(desk).assign(number, login, author=author, reason=reason)
        _show([row], _logins(desk.catalogue().partners.values()), as_json=as_json)


@payment.command(short_help="Close a parked payment that is not ours to book.")
@_NUMBER
@by_option
@reason_option
@json_option(AMOUNTS)
@config_option
def close(number: int, author: str, reason: str, as_json: bool, config_file: Path | None) -> None:
    """Close a parked payment that is not ours to book, as a transfer for something else.

    \b
    Example:
      tollbridge payment close 4 --by olga --reason "private"
    """
    with desk_of(config_file) as (desk, _):
        row = Payments(desk).close(number, author=author, reason=reason)
        _show([row], _logins(desk.catalogue().partners.values()), as_json=as_json)


def _logins(partners: Any) -> dict[int, str]:
    return {partner.id: partner.login for partner in partners}


def _show(rows: Sequence[PaymentRow], logins: dict[int, str], *, as_json: bool) -> None:
    if as_json:
        print_json([_value(row, logins) for row in rows])
        return
    if not rows:
        click.echo("no such payments")
        return
    shown = table("payment", "at", "provider", "reference", ">amount", "", "state", "partner", "top-up", "why")
    for row in rows:
        shown.add_row(
            str(row.id), moment(row.received_at)[:16], row.provider, plain(row.reference, 30),
            format_micros(row.amount), plain(row.currency), row.state.name.lower(),
            plain(logins.get(row.partner_id, "")), plain(row.top_up, 20), plain(row.problem, 80),
        )  # fmt: skip
    console().print(shown)


def _value(row: PaymentRow, logins: dict[int, str]) -> dict[str, Any]:
    return {
        "id": row.id, "provider": row.provider, "reference": row.reference, "state": row.state.name.lower(),
        "partner": logins.get(row.partner_id, ""), "top_up": row.top_up,
        "amount": format_micros(row.amount), "currency": row.currency, "received_at": iso_of(row.received_at),
        "entry_id": str(row.entry_id) if row.entry_id else None, "problem": row.problem,
    }  # fmt: skip
