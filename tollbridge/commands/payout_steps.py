"""`tollbridge payout approve, paid, failed, returned, cancel`: steps of payouts, several at a time.

approve …   the commands
carry_out   a step of each payout in order: done, or told why not

Rule: what cannot be done with one payout stops none of the others; what was done is always said.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from core.errors import ConfigError, StoreAway, TollbridgeError
from core.payouts import PayoutState
from store.acts import Act, Acts, Draft
from store.desk import Desk
from store.payout_files import read_file
from store.payout_lists import list_payouts
from store.payouts import PayoutRow, Payouts
from tollbridge.commands import AMOUNTS, config_option, json_option
from tollbridge.commands.desk import by_option, desk_of, reason_option
from tollbridge.commands.ids import number_of
from tollbridge.json_values import print_json
from tollbridge.show import plain
from tollbridge.show_act import act_value, tell_act
from tollbridge.show_payout import payout_value, show_payouts

_NUMBERS = click.argument("numbers", metavar="N…", nargs=-1, required=True, type=number_of("a payout"))
ALL = 100_000


def carry_out(desk: Desk, numbers: Sequence[int], do: Callable[[int], PayoutRow | Act], *, as_json: bool) -> None:
    """Each in order; one that waits for a second person is told as its act. Ends with exit code 1 where one could not
    be done. Raises StoreAway when no more can be.
    """
    done: list[tuple[int, PayoutRow | Act | str]] = []
    try:
        for number in numbers:
            try:
                done.append((number, do(number)))
            except (StoreAway, ConfigError):
                raise
            except TollbridgeError as why:
                done.append((number, plain(" ".join(str(why).split()))))
    finally:
        # Also when the database has gone away in the middle, or somebody has pressed Ctrl-C: what is booked is booked.
        _tell(desk, done, as_json=as_json)
    if any(isinstance(one, str) for _, one in done):
        sys.exit(1)


def _tell(desk: Desk, done: Sequence[tuple[int, PayoutRow | Act | str]], *, as_json: bool) -> None:
    logins = {one.id: one.login for one in desk.catalogue().partners.values()}
    rows = [one for _, one in done if isinstance(one, PayoutRow)]
    if as_json:
        print_json([_value(*one, logins) for one in done])
    elif rows or not done:
        show_payouts(rows, logins)
    for _, one in done:
        if isinstance(one, Act) and not as_json:
            tell_act(one, as_json=False)
        if isinstance(one, str):
            click.echo(f"tollbridge: {one}", err=True)


def _value(number: int, one: PayoutRow | Act | str, logins: Mapping[int, str]) -> dict[str, Any]:
    if isinstance(one, str):
        return {"id": number, "refused": one}
    if isinstance(one, Act):
        return {"id": number, "waits": act_value(one)["state"] == "proposed", "act": one.id}
    return payout_value(one, logins.get(one.partner_id, ""))


@click.command(short_help="Agree to payouts, as somebody else than who asked.")
@_NUMBERS
@by_option
@json_option(AMOUNTS)
@config_option
def approve(numbers: Sequence[int], author: str, as_json: bool, config_file: Path | None) -> None:
    """Agree to payouts: their money leaves the partner's earnings. `payout show N` says where it goes.

    \b
    Example:
      tollbridge payout approve 1 2 3 --by ada
    """
    with desk_of(config_file) as (desk, config):
        payouts = Payouts(desk, second_above=config.money.limits)
        carry_out(desk, numbers, lambda number: payouts.approve(number, approver=author), as_json=as_json)


@click.command(short_help="The bank has paid: the money has left our account.")
@click.argument("numbers", metavar="[N…]", nargs=-1, type=number_of("a payout"))
@click.option("--file", "file_id", type=number_of("a file"), help="All of this file that are sent, in place of N.")
@click.option("--reference", metavar="TEXT", default="", help="The bank's own number of it.")
@by_option
@json_option(AMOUNTS)
@config_option
def paid(  # noqa: PLR0917
    numbers: Sequence[int], file_id: int | None, reference: str, author: str, as_json: bool, config_file: Path | None
) -> None:
    """The bank has paid: the money has left our account. `payout answer FILE` reads it from the bank's own answer.

    \b
    Example:
      tollbridge payout paid 1 2 --by ada
      tollbridge payout paid --file 3 --by ada
    """
    if bool(numbers) == (file_id is not None):
        raise click.UsageError("name either payouts or --file NUMBER")
    with desk_of(config_file) as (desk, _):
        if file_id is not None:
            with desk.database.read() as connection:
                read_file(connection, file_id)
                sent = list_payouts(connection, (PayoutState.SENT,), file_id=file_id, limit=ALL, oldest_first=True)
                numbers = [row.id for row in sent]
        payouts = Payouts(desk)
        carry_out(
            desk, numbers, lambda number: payouts.paid(number, author=author, reference=reference), as_json=as_json
        )


_Do = Callable[[Payouts, int, str, str], PayoutRow]


def _step(name: str, short: str, says: str, example: str, do: _Do, kind: str = "") -> click.Command:  # noqa: PLR0917
    """A subcommand that ends payouts, with a reason; `kind` is its act, where above an amount two people do it."""

    @click.command(name, help=f"{says}\n\n\b\nExample:\n  tollbridge payout {name} {example}", short_help=short)
    @_NUMBERS
    @by_option
    @reason_option
    @json_option(AMOUNTS)
    @config_option
    def run(numbers: Sequence[int], author: str, reason: str, as_json: bool, config_file: Path | None) -> None:
        with desk_of(config_file) as (desk, config):
            payouts, acts = Payouts(desk), Acts(desk, config.money.limits)

            def step(number: int) -> PayoutRow | Act:
                waits = acts.propose(Draft(kind, author, reason, values={"payout": number})) if kind else None
                return waits or do(payouts, number, author, reason)

            carry_out(desk, numbers, step, as_json=as_json)

    command: click.Command = run
    return command


_failed: _Do = lambda payouts, number, author, reason: payouts.failed(number, author=author, reason=reason)
_returned: _Do = lambda payouts, number, author, reason: payouts.returned(number, author=author, reason=reason)
_cancel: _Do = lambda payouts, number, author, reason: payouts.cancel(number, author=author, reason=reason)
failed = _step(
    "failed", "It was not carried out: it is the partner's again.",
    "The bank or the provider has not carried it out: the money is the partner's again. "
    "Above money.second_person_above it waits for another person.",
    '1 --by ada --reason "account closed"', _failed, "payout_failed",
)  # fmt: skip
returned = _step(
    "returned", "It came back: it is the partner's again.",
    "It came back, before or after it was paid: the money is the partner's again. Above money.second_person_above it "
    "waits for another person.",
    '1 --by ada --reason "no such account"', _returned, "payout_returned",
)  # fmt: skip
cancel = _step(
    "cancel", "Take it back before it is sent.",
    "Take it back before it is sent; what was approved is the partner's again.",
    '1 --by ada --reason "asked twice"', _cancel,
)  # fmt: skip
