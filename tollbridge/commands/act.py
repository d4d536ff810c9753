"""`tollbridge act`: what people do to the books: charge-backs, refunds, holds, suspense, operators paid, adjustments.

Rule: every one has an author and a reason; one that moves more than `money.second_person_above` waits for another
person. What is only proposed has moved nothing.
"""

from pathlib import Path

import click

from core.ledger.accounts import WRITTEN
from store.acts import Acts, ActState, Draft
from tollbridge.commands import AMOUNTS, config_option, json_option
from tollbridge.commands.desk import TakesAmount, desk_of, read_micros, reason_option, take_name
from tollbridge.commands.ids import MESSAGE_ID, number_of
from tollbridge.json_values import in_major_units, print_json
from tollbridge.show import console
from tollbridge.show_act import act_value, acts_table, advance_of, show_act, shown_value, tell_act

_BY = click.option("--by", "author", metavar="NAME", required=True, callback=take_name, help="Who asks for it.")
_KEY = click.option("--key", metavar="KEY", default="", help="Makes it once only; else the same act twice is one.")


@click.group()
def act() -> None:
    """Change what was booked, by a new entry with your name and reason: charge back, refund, release or refuse what is
    held, assign or return what lies in suspense, pay an operator, adjust. What was booked itself never changes.

    Above money.second_person_above an act waits for another person; so do those of `payment assign`, `settle paid`,
    `convert`, `payout failed` and `payout returned`, which stand in the same list.

    \b
    Example:
      tollbridge act charge-back 911742853120000000 --by olga --reason "complaint 17"
      tollbridge act list
      tollbridge act show 4
      tollbridge act approve 4 --by ada
    """


def _messages(kind: str, short: str, says: str) -> None:
    """A subcommand for messages: the kind of act with its name as people type it."""
    name = kind.replace("_", "-")

    @act.command(name, help=f"{says}\n\n\b\nExample:\n  tollbridge act {name} {_BY_OLGA}", short_help=short)
    @click.argument("ids", metavar="ID…", nargs=-1, required=True, type=MESSAGE_ID)
    @_BY
    @reason_option
    @_KEY
    @json_option(AMOUNTS)
    @config_option
    def run(ids: tuple[int, ...], author: str, reason: str, key: str, as_json: bool, config_file: Path | None) -> None:  # noqa: PLR0917
        _ask(Draft(kind, author, reason, ids, key=key), config_file, as_json=as_json)


_BY_OLGA = '911742853120000000 --by olga --reason "complaint 17"'
_messages(
    "charge_back", "The operator takes messages back.",
    "The operator takes messages back: their money goes back to it.",
)  # fmt: skip
_messages(
    "return", "Give the operator back what lies in suspense.",
    "Give the operator back what lies in suspense for messages.",
)  # fmt: skip
_messages(
    "release", "Let go what fraud held: it is the partner's.",
    "Let go what fraud held: it is the partner's.",
)  # fmt: skip
_messages(
    "refuse_hold", "Refuse what fraud held: it goes to suspense.",
    "Refuse what fraud held: the revenue goes to suspense.",
)  # fmt: skip


@act.command(short_help="Give a partner what lies in suspense.")
@click.argument("partner")
@click.argument("ids", metavar="ID…", nargs=-1, required=True, type=MESSAGE_ID)
@_BY
@reason_option
@_KEY
@json_option(AMOUNTS)
@config_option
def assign(  # noqa: PLR0917
    partner: str, ids: tuple[int, ...], author: str, reason: str, key: str, as_json: bool, config_file: Path | None
) -> None:
    """Give a partner what lies in suspense for messages: rated by its plan at the time of each.

    \b
    Example:
      tollbridge act assign acme 911742853120000000 --by olga --reason "the prefix was theirs"
    """
    _ask(Draft("assign", author, reason, ids, {"partner": partner}, key), config_file, as_json=as_json)


@act.command(short_help="Refund subscribers for messages.")
@click.argument("ids", metavar="ID…", nargs=-1, required=True, type=MESSAGE_ID)
@click.option(
    "--paid-by",
    type=click.Choice(["operator", "us"]),
    default="operator",
    show_default=True,
    help="operator: it takes the money back from us and from the partner; us: we alone pay.",
)
@_BY
@reason_option
@_KEY
@json_option(AMOUNTS)
@config_option
def refund(  # noqa: PLR0917
    ids: tuple[int, ...], paid_by: str, author: str, reason: str, key: str, as_json: bool, config_file: Path | None
) -> None:
    """Refund subscribers for messages.

    \b
    Example:
      tollbridge act refund 911742853120000000 --paid-by us --by olga --reason "our mistake"
    """
    _ask(Draft("refund", author, reason, ids, {"paid_by": paid_by}, key), config_file, as_json=as_json)


_ADJUST = f"""Move an amount between two accounts. An account with a floor never falls below it.

The accounts are {WRITTEN}. What messages on their way have set aside (reserved) and what payouts have asked for
(payout) moves with them alone.

\b
Example:
  tollbridge act adjust --debit expense:loss --credit partner:acme:earnings --amount 12.50 --currency RUB \\
      --by olga --reason "goodwill for the outage of 12 November"
"""


@act.command(help=_ADJUST, short_help="Move an amount between two accounts.")
@click.option("--debit", metavar="ACCOUNT", required=True, help="Where it comes from, e.g. expense:loss.")
@click.option("--credit", metavar="ACCOUNT", required=True, help="Where it goes, e.g. partner:acme:earnings.")
@click.option("--amount", metavar="AMOUNT", required=True, help="In major units, like 12.50.")
@click.option("--currency", metavar="CUR", required=True, help="Of both accounts, like RUB.")
@_BY
@reason_option
@_KEY
@json_option(AMOUNTS)
@config_option
def adjust(  # noqa: PLR0917
    debit: str,
    credit: str,
    amount: str,
    currency: str,
    author: str,
    reason: str,
    key: str,
    as_json: bool,
    config_file: Path | None,
) -> None:
    micros = read_micros(amount, "--amount")
    values: dict[str, str | int] = {"debit": debit, "credit": credit, "amount": micros, "currency": currency.upper()}
    _ask(Draft("adjust", author, reason, (), values, key), config_file, as_json=as_json)


@act.command("pay-operator", cls=TakesAmount, short_help="Book that we paid an operator for outgoing SMS.")
@click.argument("operator")
@click.argument("amount")
@click.option("--reference", metavar="TEXT", required=True, help="The bank's reference; makes it once only.")
@click.option("--bank", metavar="NAME", default="main", show_default=True, help="Our account: bank:NAME in the books.")
@_BY
@reason_option
@json_option(AMOUNTS)
@config_option
def pay_operator(  # noqa: PLR0917
    operator: str, amount: str, reference: str, bank: str, author: str, reason: str, as_json: bool,
    config_file: Path | None,
) -> None:  # fmt: skip
    """Book that we have paid OPERATOR for outgoing SMS, in its currency: from what we owe it (operator:CODE:payable) to
    our bank account. What is owed: tollbridge report payables.

    \b
    Example:
      tollbridge act pay-operator alpha 1250.00 --reference "PO 17" --by olga --reason "invoice 88 of October"
    """
    values: dict[str, str | int] = {
        "operator": operator, "amount": read_micros(amount), "bank": bank, "reference": reference.strip(),
    }  # fmt: skip
    _ask(Draft("pay_operator", author, reason, (), values), config_file, as_json=as_json)


@act.command(short_help="Agree to an act that waits.")
@click.argument("number", type=number_of("an act"))
@click.option(
    "--by", "approver", metavar="NAME", required=True, callback=take_name, help="Who agrees; not who asked for it."
)
@json_option(AMOUNTS)
@config_option
def approve(number: int, approver: str, as_json: bool, config_file: Path | None) -> None:
    """Agree to an act that waits: it is decided anew, and booked.

    \b
    Example:
      tollbridge act approve 4 --by ada
    """
    with desk_of(config_file) as (desk, config):
        done = Acts(desk, config.money.limits).approve(number, approver)
        tell_act(done, as_json=as_json, remark="" if as_json else advance_of(desk.database, done))


@act.command(short_help="Refuse an act that waits: nothing is booked.")
@click.argument("number", type=number_of("an act"))
@click.option(
    "--by", "approver", metavar="NAME", required=True, callback=take_name,
    help="Who refuses it; who asked for it may, too.",
)  # fmt: skip
@reason_option
@json_option(AMOUNTS)
@config_option
def refuse(number: int, approver: str, reason: str, as_json: bool, config_file: Path | None) -> None:
    """Refuse an act that waits: nothing is booked, the reason is kept.

    \b
    Example:
      tollbridge act refuse 4 --by ada --reason "asked twice"
    """
    with desk_of(config_file) as (desk, config):
        tell_act(Acts(desk, config.money.limits).refuse(number, approver, reason), as_json=as_json)


@act.command(short_help="Show all of an act, and what moves.")
@click.argument("number", type=number_of("an act"))
@json_option(AMOUNTS)
@config_option
def show(number: int, as_json: bool, config_file: Path | None) -> None:
    """Show all of an act: who asked for it and why, its messages, and what moves from which account to which; of one
    that waits, what would move now.

    \b
    Example:
      tollbridge act show 4
    """
    with desk_of(config_file) as (desk, config):
        shown = Acts(desk, config.money.limits).show(number)
        remark = "" if as_json else advance_of(desk.database, shown.act)
    if as_json:
        print_json(in_major_units(shown_value(shown)))
    else:
        show_act(shown, remark)


@act.command("list", short_help="List acts that wait for a second person.")
@click.option("--all", "every", is_flag=True, help="Those that are done or refused too.")
@click.option("--limit", "most", default=50, show_default=True, type=click.IntRange(1, 10_000), help="How many.")
@json_option(AMOUNTS)
@config_option
def list_acts(every: bool, most: int, as_json: bool, config_file: Path | None) -> None:
    """List acts that wait for a second person, the latest first.

    \b
    Example:
      tollbridge act list --all
    """
    with desk_of(config_file) as (desk, config):
        acts = Acts(desk, config.money.limits).list(None if every else ActState.PROPOSED, most)
    if as_json:
        print_json(in_major_units([act_value(one) for one in acts]))
    elif not acts:
        click.echo("no act waits" if not every else "there were none yet")
    else:
        console().print(acts_table(acts))


def _ask(draft: Draft, config_file: Path | None, *, as_json: bool) -> None:
    with desk_of(config_file) as (desk, config):
        done = Acts(desk, config.money.limits).ask(draft)
        tell_act(done, as_json=as_json, remark="" if as_json else advance_of(desk.database, done))
