"""`tollbridge payout`: money on its way to partners: asked for, approved, sent, and what became of it.

Rule: every step has a name; who asks for a payout does not approve it, and above `money.second_person_above` two do.
"""

import asyncio
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from core.bank_file import FORMATS
from core.clock import day_of, iso_of
from core.errors import UserMistake
from core.money import format_micros
from core.payouts import Funds, PayoutState, payable
from store.desk import Desk
from store.payout_files import MadeFile, export, read_file
from store.payout_lists import list_payouts, read_due
from store.payout_schedule import request_due
from store.payouts import PayoutRow, Payouts, state_word
from tollbridge.commands import config_option, open_database, read_config
from tollbridge.commands.desk import desk_of, read_micros
from tollbridge.show import console, plain, table

by_option = click.option("--by", "author", metavar="NAME", required=True, help="Who does it; kept for good.")
key_option = click.option(
    "--key", metavar="KEY", default="", help="Makes it once only; without it the same on one day is once."
)
json_option = click.option("--json", "as_json", is_flag=True, help="As JSON, for programs; amounts in millionths.")
_REASON = click.option("--reason", metavar="TEXT", required=True, help="Why; kept for good.")
_NUMBERS = click.argument("numbers", metavar="N…", nargs=-1, required=True, type=click.IntRange(1))
_WAITING = (PayoutState.APPROVED, PayoutState.SENDING, PayoutState.SENT)
SEND_AT_ONCE = 1_000


def daily_key(desk: Desk, *words: object) -> str:
    """The same words on the same day (UTC) make the same key."""
    return hashlib.sha256("\n".join(map(str, (day_of(desk.now()), *words))).encode()).hexdigest()[:40]


@click.group()
def payout() -> None:
    """Pay partners: ask, approve, send by a bank file or a provider, and say what became of it.

    \b
    Example:
      tollbridge payout due
      tollbridge payout request acme EUR 100.00 --by olga
      tollbridge payout approve 1 --by ada
      tollbridge payout export EUR payouts.xml --by ada
      tollbridge payout paid 1 --by ada
    """


@payout.command()
@click.argument("login")
@click.argument("currency")
@click.argument("amount", required=False)
@by_option
@key_option
@json_option
@config_option
def request(  # noqa: PLR0917
    login: str, currency: str, amount: str | None, author: str, key: str, as_json: bool, config_file: Path | None
) -> None:
    """Ask for AMOUNT in major units for the partner LOGIN, or for all that may be paid.

    \b
    Example:
      tollbridge payout request acme EUR 100.00 --by olga
    """
    wanted = None if amount is None else read_micros(amount)
    with desk_of(config_file) as (desk, _):
        key = key or daily_key(desk, "payout", login, currency, wanted, author)
        row = Payouts(desk).request(login, currency.upper(), wanted, author=author, key=key)
        _show([row], desk, as_json=as_json)


@payout.command()
@json_option
@config_option
def scheduled(as_json: bool, config_file: Path | None) -> None:
    """Ask for what is on schedule (`schedule = "monthly"`), once in a calendar month; for cron, every day.

    \b
    Example:
      tollbridge payout scheduled
    """
    with desk_of(config_file) as (desk, _):
        rows = []
        for login, done in request_due(Payouts(desk), desk):
            if isinstance(done, PayoutRow):
                rows.append(done)
            elif not as_json:
                click.echo(f"none for {login}: {plain(done)}")
        _show(rows, desk, as_json=as_json)


@payout.command()
@click.argument("login", required=False)
@json_option
@config_option
def due(login: str | None, as_json: bool, config_file: Path | None) -> None:
    """Show what may be paid now, and what is earned, too young, asked for, held.

    \b
    Example:
      tollbridge payout due acme
    """
    with desk_of(config_file) as (desk, _):
        partners = desk.catalogue().partners
        if login is not None and login not in partners:
            raise UserMistake(f"there is no partner {plain(login)!r}; `tollbridge dump` shows them")
        lines = [
            (name, read_due(desk.database, desk.catalogue(), name, target.currency, desk.now()))
            for name in ([login] if login is not None else sorted(partners))
            for target in partners[name].payouts
        ]
    if as_json:
        click.echo(json.dumps([_due_value(*line) for line in lines], ensure_ascii=False, indent=2))
    elif lines:
        console().print(_due_table(lines))
    else:
        click.echo("nobody has said where money goes; add `payout` to [[partner]]")


@payout.command()
@_NUMBERS
@by_option
@json_option
@config_option
def approve(numbers: Sequence[int], author: str, as_json: bool, config_file: Path | None) -> None:
    """Agree to payouts: their money leaves the partner's earnings.

    \b
    Example:
      tollbridge payout approve 1 2 3 --by ada
    """
    with desk_of(config_file) as (desk, config):
        payouts = Payouts(desk, second_above=config.money.second_person_above_micros)
        _show([payouts.approve(number, approver=author) for number in numbers], desk, as_json=as_json)


@payout.command("export")
@click.argument("currency")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--payout", "numbers", multiple=True, type=click.IntRange(1), help="Only this one; may come again.")
@click.option("--format", "format_", type=click.Choice(FORMATS), default=FORMATS[0], show_default=True)
@click.option("--day", metavar="YYYY-MM-DD", type=click.DateTime(["%Y-%m-%d"]), help="When the bank pays; today.")
@click.option("--bank", default="main", show_default=True, help="What the ledger calls our account: bank:NAME.")
@by_option
@click.option("--key", metavar="KEY", default="", help="Makes it once only: the same key gives the same file.")
@config_option
def export_file(  # noqa: PLR0917
    currency: str, file: Path, numbers: Sequence[int], format_: str, day: Any, bank: str, author: str, key: str,
    config_file: Path | None,
) -> None:  # fmt: skip
    """Write approved payouts in CURRENCY into FILE for the bank (ISO 20022 pain.001); they are sent from then on.

    \b
    Example:
      tollbridge payout export EUR payouts.xml --by ada
    """
    from tollbridge.payments import our_account

    with desk_of(config_file) as (desk, config):
        made = export(
            desk, our_account(config.company, bank), currency=currency.upper(), author=author, format_=format_,
            key=key or f"export:{desk.next_id()}", numbers=numbers, day=int(f"{day:%Y%m%d}") if day else 0,
        )  # fmt: skip
        _write(made, file)


@payout.command("file")
@click.argument("number", type=click.IntRange(1))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@config_option
def file_again(number: int, file: Path, config_file: Path | None) -> None:
    """Write a file for the bank again, the same to the octet.

    \b
    Example:
      tollbridge payout file 3 payouts.xml
    """
    with open_database(read_config(config_file)) as database, database.read() as connection:
        _write(read_file(connection, number), file)


@payout.command()
@click.option("--limit", "most", default=SEND_AT_ONCE, show_default=True, type=click.IntRange(1, 100_000))
@json_option
@config_option
def send(most: int, as_json: bool, config_file: Path | None) -> None:
    """Send what goes by a provider, and ask it about what is under way; for cron, every few minutes.

    \b
    Example:
      tollbridge payout send
    """
    from tollbridge import logs
    from tollbridge.payments import provider_settings
    from tollbridge.sending import send_waiting

    with desk_of(config_file) as (desk, config):
        logs.set_up(format=config.logs.format, full_numbers=config.logs.full_numbers)
        settings = provider_settings(config)
        with desk.database.read() as connection:
            waiting = [row for row in list_payouts(connection, _WAITING, limit=most) if row.method in settings]
        done = asyncio.run(send_waiting(Payouts(desk), settings, waiting[::-1], desk.now))
        for _, sentence in done if not as_json else ():
            if sentence:
                click.echo(plain(sentence), err=True)
        _show([row for row, _ in done], desk, as_json=as_json)


def _step(name: str, says: str, example: str, do: Callable[[Payouts, int, str, str], PayoutRow]) -> None:
    """A subcommand that ends payouts, with a reason."""

    @payout.command(name, help=f"{says}\n\n\b\nExample:\n  tollbridge payout {name} {example}", short_help=says)
    @_NUMBERS
    @by_option
    @_REASON
    @json_option
    @config_option
    def run(numbers: Sequence[int], author: str, reason: str, as_json: bool, config_file: Path | None) -> None:
        with desk_of(config_file) as (desk, _):
            payouts = Payouts(desk)
            _show([do(payouts, number, author, reason) for number in numbers], desk, as_json=as_json)


_step(
    "failed", "The bank or the provider has not carried it out: the money is the partner's again.",
    '1 --by ada --reason "account closed"',
    lambda payouts, number, author, reason: payouts.failed(number, author=author, reason=reason),
)  # fmt: skip
_step(
    "returned", "It came back, before or after it was paid: the money is the partner's again.",
    '1 --by ada --reason "no such account"',
    lambda payouts, number, author, reason: payouts.returned(number, author=author, reason=reason),
)  # fmt: skip
_step(
    "cancel", "Take it back before it is sent; what was approved is the partner's again.",
    '1 --by ada --reason "asked twice"',
    lambda payouts, number, author, reason: payouts.cancel(number, author=author, reason=reason),
)  # fmt: skip


@payout.command()
@click.argument("numbers", metavar="[N…]", nargs=-1, type=click.IntRange(1))
@click.option("--file", "file_id", type=click.IntRange(1), help="All of this file that are sent, in place of N.")
@click.option("--reference", metavar="TEXT", default="", help="The bank's own number of it.")
@by_option
@json_option
@config_option
def paid(  # noqa: PLR0917
    numbers: Sequence[int], file_id: int | None, reference: str, author: str, as_json: bool, config_file: Path | None
) -> None:
    """The bank has paid: the money has left our account.

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
                rows = list(list_payouts(connection, (PayoutState.SENT,), file_id=file_id, limit=100_000))
            numbers = [row.id for row in reversed(rows)]
        payouts = Payouts(desk)
        done = [payouts.paid(number, author=author, reference=reference) for number in numbers]
        _show(done, desk, as_json=as_json)


@payout.command("list")
@click.option("--state", type=click.Choice([state.name.lower() for state in PayoutState]))
@click.option("--partner", metavar="LOGIN")
@click.option("--limit", "most", default=50, show_default=True, type=click.IntRange(1, 10_000))
@json_option
@config_option
def list_them(state: str | None, partner: str | None, most: int, as_json: bool, config_file: Path | None) -> None:
    """List payouts, the latest first.

    \b
    Example:
      tollbridge payout list --state requested
    """
    with desk_of(config_file) as (desk, _):
        known = desk.catalogue().partners
        if partner is not None and partner not in known:
            raise UserMistake(f"there is no partner {plain(partner)!r}; `tollbridge dump` shows them")
        states = () if state is None else (PayoutState[state.upper()],)
        with desk.database.read() as connection:
            partner_id = known[partner].id if partner is not None else 0
            rows = list(list_payouts(connection, states, partner_id=partner_id, limit=most))
        _show(rows, desk, as_json=as_json)


def _write(made: MadeFile, file: Path) -> None:
    file.write_bytes(made.content.encode())
    amount = format_micros(made.amount)
    click.echo(f"file {made.id}: {made.count} payouts, {amount} {made.currency}, sha256 {made.sha256}: {file}")


def _show(rows: Sequence[PayoutRow], desk: Desk, *, as_json: bool) -> None:
    logins = {one.id: one.login for one in desk.catalogue().partners.values()}
    if as_json:
        values = [_value(row, logins.get(row.partner_id, "")) for row in rows]
        click.echo(json.dumps(values, ensure_ascii=False, indent=2))
        return
    if not rows:
        click.echo("none")
        return
    shown = table(
        "payout", "partner", ">amount", "", "state", "goes by", "asked by", "approved by", "file", "reference", "why"
    )
    for row in rows:
        agreed = ", ".join(name for name in (row.approver, row.second_approver) if name)
        shown.add_row(
            str(row.id), plain(logins.get(row.partner_id, "?")), format_micros(row.amount), row.currency,
            _state(row), row.method, plain(row.author), plain(agreed), str(row.file_id or ""), plain(row.reference, 40),
            plain(row.error, 60),
        )  # fmt: skip
    console().print(shown)


def _state(row: PayoutRow) -> str:
    half = row.state is PayoutState.REQUESTED and row.approver
    return "waits for a second person" if half else state_word(row.state)


def _value(row: PayoutRow, login: str) -> dict[str, Any]:
    return {
        "id": row.id, "partner": login, "amount": row.amount, "amount_text": format_micros(row.amount),
        "currency": row.currency, "state": row.state.name.lower(), "method": row.method, "author": row.author,
        "requested_at": iso_of(row.requested_at), "approvers": [n for n in (row.approver, row.second_approver) if n],
        "file": row.file_id or None, "reference": row.reference, "error": row.error, "key": row.key,
        "details": row.details,
    }  # fmt: skip


def _due_table(lines: Sequence[tuple[str, Funds]]) -> Table:
    shown = table("partner", ">may be paid", "", ">earned", ">too young", ">asked for", ">held", ">minimum")
    for login, funds in lines:
        amounts = (funds.earned, max(0, funds.young), funds.requested, funds.held, funds.minimum)
        shown.add_row(login, format_micros(payable(funds)), funds.currency, *map(format_micros, amounts))
    return shown


def _due_value(login: str, funds: Funds) -> dict[str, Any]:
    return {
        "partner": login, "currency": funds.currency, "payable": payable(funds), "earned": funds.earned,
        "young": max(0, funds.young), "requested": funds.requested, "held": funds.held, "minimum": funds.minimum,
    }  # fmt: skip
