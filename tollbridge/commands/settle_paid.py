"""`tollbridge settle paid`: an operator has paid us.

paid   the command

Rule: above `money.second_person_above` nothing is booked before another person agrees (`tollbridge act`).
"""

from getpass import getuser
from pathlib import Path

import click

from core.money import format_micros
from store.acts import Acts, Draft
from store.settlement.paid import Paid, book_payment
from tollbridge.commands import AMOUNTS, config_option, json_option
from tollbridge.commands.desk import TakesAmount, desk_of, read_micros, take_name, take_reason
from tollbridge.json_values import print_json
from tollbridge.show_act import tell_act


@click.command(cls=TakesAmount, short_help="Book that an operator has paid us.")
@click.argument("operator")
@click.argument("amount")
@click.option("--bank", metavar="NAME", required=True, help="Our bank account, like main: bank:main in the books.")
@click.option("--reference", metavar="TEXT", required=True, help="The bank's reference; makes it once only.")
@click.option(
    "--by", metavar="NAME", default=getuser, show_default="your login name", callback=take_name, help="Who books it."
)
@click.option("--reason", metavar="TEXT", callback=take_reason, help="Why; above the limit it is needed.")
@json_option(AMOUNTS)
@config_option
def paid(  # noqa: PLR0917
    operator: str, amount: str, bank: str, reference: str, by: str, reason: str | None, as_json: bool,
    config_file: Path | None,
) -> None:  # fmt: skip
    """Book that an operator has paid us: from the bank to what it owes, in the operator's currency. Above
    money.second_person_above it waits for another person, with a --reason: tollbridge act approve.

    \b
    Example:
      tollbridge settle paid alpha 120000.00 --bank main --reference "PO 1187 of 2026-11-14" --reason "October"
    """
    micros, why, name = read_micros(amount), reason or "", reference.strip()
    with desk_of(config_file) as (desk, config):
        values: dict[str, str | int] = {"operator": operator, "amount": micros, "bank": bank, "reference": name}
        draft = Draft("operator_paid", by, why, values=values)
        if (waits := Acts(desk, config.money.limits).propose(draft)) is not None:
            tell_act(waits, as_json=as_json)
            return
        done = book_payment(desk, operator, micros, bank=bank, reference=name, by=by, reason=why)
    if as_json:
        print_json({"entry": str(done.entry), "is_new": done.is_new, "owed": format_micros(done.owed)})
        return
    booked = f"{format_micros(micros)} {done.currency} of {operator} on bank:{bank}"
    click.echo(f"booked: {booked}" if done.is_new else f"booked before, nothing was changed: {booked}")
    if done.is_new_bank:
        click.echo(f"bank:{bank} is new: nothing was booked on it before")
    click.echo(f"{operator} {_owes(done)}")


def _owes(done: Paid) -> str:
    if done.owed < 0:
        return f"has paid {format_micros(-done.owed)} {done.currency} in advance"
    return f"owes us {format_micros(done.owed)} {done.currency} now"
