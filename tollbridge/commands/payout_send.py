"""`tollbridge payout export, file, send`: approved payouts leave by a file for the bank, or by a provider.

export_file, file_again, send   the commands

Rule: a file is begun before its payouts are called sent: where it cannot be written, nothing is made. If it fails all
the same, the file's number is told, and `payout file` writes it.
"""

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import click

from core.bank_file import FORMATS
from core.clock import Instant, datetime_of
from core.errors import UserMistake
from core.money import format_micros
from core.payouts import PayoutState
from store.payout_files import MadeFile, export, read_file
from store.payout_lists import list_payouts, list_returnable
from store.payouts import PayoutRow, Payouts
from tollbridge.commands import AMOUNTS, config_option, json_option, open_database, read_config
from tollbridge.commands.desk import DAY, by_option, desk_of
from tollbridge.commands.ids import number_of
from tollbridge.json_values import print_json
from tollbridge.show import plain
from tollbridge.show_payout import payout_value, show_payouts

SEND_AT_ONCE = 1_000
DAYS_AHEAD = 60
_WAITING = (PayoutState.APPROVED, PayoutState.SENDING, PayoutState.SENT)
_FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
_FORCE = click.option("--force", is_flag=True, help="Write over a file that is there.")


@click.command("export", short_help="Write approved payouts into a file for the bank.")
@click.argument("currency")
@_FILE
@click.option("--payout", "numbers", multiple=True, type=number_of("a payout"), help="Only this one; may come again.")
@click.option("--format", "format_", type=click.Choice(FORMATS), default=FORMATS[0], show_default=True)
@click.option("--day", metavar="YYYY-MM-DD", type=DAY, help="When the bank pays; today.")
@click.option("--bank", default="main", show_default=True, help="What the ledger calls our account: bank:NAME.")
@by_option
@click.option("--key", metavar="KEY", default="", help="Makes it once only: the same key gives the same file.")
@_FORCE
@config_option
def export_file(  # noqa: PLR0917
    currency: str, file: Path, numbers: Sequence[int], format_: str, day: datetime | None, bank: str, author: str,
    key: str, force: bool, config_file: Path | None,
) -> None:  # fmt: skip
    """Write approved payouts in CURRENCY into FILE for the bank (ISO 20022 pain.001); they are sent from then on.

    \b
    Example:
      tollbridge payout export EUR payouts.xml --by ada
    """
    from tollbridge.payments import our_account

    with desk_of(config_file) as (desk, config):
        ours, day_number = our_account(config.company, bank), _day_number(day, desk.now())
        with _begun(file, force=force) as write:
            made = export(
                desk, ours, currency=currency.upper(), author=author, format_=format_,
                key=key or f"export:{desk.next_id()}", numbers=numbers, day=day_number,
            )  # fmt: skip
            try:
                write(made.content.encode())
            except OSError as error:
                raise UserMistake(
                    f"file {made.id} is made and its payouts are sent, but {file} cannot be written "
                    f"({error.strerror}); write it with: tollbridge payout file {made.id} FILE"
                ) from error
    _tell(made, file)


def _day_number(day: datetime | None, now: Instant) -> int:
    """YYYYMMDD, 0 for today."""
    if day is None:
        return 0
    today = datetime_of(now).date()
    if day.date() < today:
        raise UserMistake(f"--day: {day:%Y-%m-%d} is past; today is {today} (UTC)")
    last = today + timedelta(days=DAYS_AHEAD)
    if day.date() > last:
        raise UserMistake(f"--day: {day:%Y-%m-%d} is more than {DAYS_AHEAD} days ahead; write {last} or before")
    return int(f"{day:%Y%m%d}")


@click.command("file", short_help="Write a file for the bank again, the same to the octet.")
@click.argument("number", type=number_of("a file"))
@_FILE
@_FORCE
@config_option
def file_again(number: int, file: Path, force: bool, config_file: Path | None) -> None:
    """Write a file for the bank again, the same to the octet.

    \b
    Example:
      tollbridge payout file 3 payouts.xml
    """
    with open_database(read_config(config_file)) as database, database.read() as connection:
        made = read_file(connection, number)
    with _begun(file, force=force) as write:
        write(made.content.encode())
    _tell(made, file)


@contextmanager
def _begun(file: Path, *, force: bool) -> Iterator[Callable[[bytes], None]]:
    """What writes the file, whole or not at all; the place where it will stand has been tried by then."""
    target = file.resolve()
    if target.exists() and not target.is_file():
        raise UserMistake(f"{file}: is no ordinary file; name another")
    if target.exists() and not force:
        raise UserMistake(f"{file}: is there already; name another, or write over it with --force")
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        out = part.open("wb")
    except OSError as error:
        raise UserMistake(f"{file}: cannot be written ({error.strerror}); nothing is done") from error

    def write(content: bytes) -> None:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
        os.replace(part, target)

    try:
        with out:
            yield write
    finally:
        part.unlink(missing_ok=True)


def _tell(made: MadeFile, file: Path) -> None:
    payouts = "1 payout" if made.count == 1 else f"{made.count} payouts"
    amount = f"{format_micros(made.amount)} {made.currency}"
    click.echo(f"file {made.id}: {payouts}, {amount}, sha256 {made.sha256}: {plain(str(file))}")


@click.command(short_help="Send what goes by a provider; for cron.")
@click.option("--limit", "most", default=SEND_AT_ONCE, show_default=True, type=click.IntRange(1, 100_000))
@json_option(AMOUNTS)
@config_option
def send(most: int, as_json: bool, config_file: Path | None) -> None:
    """Send what goes by a provider, and ask it about what is under way, the oldest first; for cron, every few minutes.
    Where a provider tells of payouts that came back, it is asked about what was paid too, four times a day.

    \b
    Example:
      tollbridge payout send
    """
    from tollbridge import logs
    from tollbridge.payments import provider_settings
    from tollbridge.sending import send_waiting

    with desk_of(config_file) as (desk, config):
        # What is done is told below and stands in audit_log; on stderr is only what a person should know.
        logs.set_up(format=config.logs.format, full_numbers=config.logs.full_numbers, level="error")
        settings = provider_settings(config)
        with desk.database.read() as connection:
            waiting = list_payouts(connection, _WAITING, methods=settings.keys(), limit=most, oldest_first=True)
            rows = list(waiting) if settings else []

        def paid(returns_ms: Mapping[str, int]) -> list[PayoutRow]:
            with desk.database.read() as connection:
                left = most - len(rows)
                return list(list_returnable(connection, returns_ms, desk.now(), limit=left)) if left > 0 else []

        done = asyncio.run(send_waiting(Payouts(desk), settings, rows, desk.now, paid))
        sent = {row.id for row in rows}
        # Of what was paid before only what came back is news.
        done = [(row, said) for row, said in done if row.id in sent or row.state is not PayoutState.PAID or said]
        logins = {one.id: one.login for one in desk.catalogue().partners.values()}
    for _, sentence in done:
        if sentence:
            click.echo(plain(sentence), err=True)
    if as_json:
        values = [payout_value(row, logins.get(row.partner_id, "")) for row, _ in done]
        print_json(values)
    else:
        show_payouts([row for row, _ in done], logins, "nothing to send")
