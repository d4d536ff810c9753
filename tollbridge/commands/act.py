"""`tollbridge act`: what people do to the books: charge-backs, refunds, holds, suspense, adjustments.

Rule: every one has an author and a reason; one that moves more than `money.second_person_above` waits for another
person. What is only proposed has moved nothing.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from core.clock import iso_of
from core.ledger.accounts import WRITTEN
from core.ledger.entry import Posting
from store.acts import Act, Acts, ActState, Draft, Shown, sentence_of
from tollbridge.commands import config_option
from tollbridge.commands.desk import desk_of, json_option, read_micros
from tollbridge.json_values import print_json
from tollbridge.show import console, moment, money, plain, table

_BY = click.option("--by", "author", metavar="NAME", required=True, help="Who asks for it.")
_REASON = click.option("--reason", metavar="TEXT", required=True, help="Why; kept for good.")
_KEY = click.option("--key", metavar="KEY", default="", help="Makes it once only; else the same act twice is one.")


@click.group()
def act() -> None:
    """Change what was booked, by a new entry with your name and reason: charge back, refund, release or refuse what is
    held, assign or return what lies in suspense, adjust. What was booked itself never changes.

    \b
    Example:
      tollbridge act charge-back 911742853120000000 --by olga --reason "complaint 17"
      tollbridge act list
      tollbridge act show 4
      tollbridge act approve 4 --by ada
    """


def _messages(kind: str, name: str, says: str, example: str) -> None:
    """A subcommand for messages."""

    @act.command(name, help=f"{says}\n\n\b\nExample:\n  tollbridge act {name} {example}", short_help=says)
    @click.argument("ids", metavar="ID…", nargs=-1, required=True, type=click.IntRange(1, 2**63 - 1))
    @_BY
    @_REASON
    @_KEY
    @json_option
    @config_option
    def run(ids: tuple[int, ...], author: str, reason: str, key: str, as_json: bool, config_file: Path | None) -> None:  # noqa: PLR0917
        _ask(Draft(kind, author, reason, ids, key=key), config_file, as_json=as_json)


_BY_OLGA = '911742853120000000 --by olga --reason "complaint 17"'
_messages("charge_back", "charge-back", "The operator takes messages back: their money goes back to it.", _BY_OLGA)
_messages("return", "return", "Give the operator back what lies in suspense for messages.", _BY_OLGA)
_messages("release", "release", "Let go what fraud held: it is the partner's.", _BY_OLGA)
_messages("refuse_hold", "refuse-hold", "Refuse what fraud held: the revenue goes to suspense.", _BY_OLGA)


@act.command()
@click.argument("partner")
@click.argument("ids", metavar="ID…", nargs=-1, required=True, type=click.IntRange(1, 2**63 - 1))
@_BY
@_REASON
@_KEY
@json_option
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


@act.command()
@click.argument("ids", metavar="ID…", nargs=-1, required=True, type=click.IntRange(1, 2**63 - 1))
@click.option(
    "--paid-by",
    type=click.Choice(["operator", "us"]),
    default="operator",
    show_default=True,
    help="operator: it takes the money back from us and from the partner; us: we alone pay.",
)
@_BY
@_REASON
@_KEY
@json_option
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
@_REASON
@_KEY
@json_option
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


@act.command()
@click.argument("number", type=click.IntRange(1))
@click.option("--by", "approver", metavar="NAME", required=True, help="Who agrees; not who asked for it.")
@json_option
@config_option
def approve(number: int, approver: str, as_json: bool, config_file: Path | None) -> None:
    """Agree to an act that waits: it is decided anew, and booked.

    \b
    Example:
      tollbridge act approve 4 --by ada
    """
    with desk_of(config_file) as (desk, config):
        _tell(Acts(desk, config.money.limits).approve(number, approver), as_json=as_json)


@act.command()
@click.argument("number", type=click.IntRange(1))
@click.option("--by", "approver", metavar="NAME", required=True, help="Who refuses it; who asked for it may, too.")
@_REASON
@json_option
@config_option
def refuse(number: int, approver: str, reason: str, as_json: bool, config_file: Path | None) -> None:
    """Refuse an act that waits: nothing is booked, the reason is kept.

    \b
    Example:
      tollbridge act refuse 4 --by ada --reason "asked twice"
    """
    with desk_of(config_file) as (desk, config):
        _tell(Acts(desk, config.money.limits).refuse(number, approver, reason), as_json=as_json)


@act.command()
@click.argument("number", type=click.IntRange(1))
@json_option
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
    if as_json:
        print_json(_shown_value(shown))
    else:
        _show(shown)


@act.command("list")
@click.option("--all", "every", is_flag=True, help="Those that are done or refused too.")
@click.option("--limit", "most", default=50, show_default=True, type=click.IntRange(1, 10_000), help="How many.")
@json_option
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
        print_json([_value(one) for one in acts])
    elif not acts:
        click.echo("no act waits" if not every else "there were none yet")
    else:
        console().print(_table(acts))


def _ask(draft: Draft, config_file: Path | None, *, as_json: bool) -> None:
    with desk_of(config_file) as (desk, config):
        _tell(Acts(desk, config.money.limits).ask(draft), as_json=as_json)


def _tell(one: Act, *, as_json: bool) -> None:
    """What became of what was asked for now."""
    if as_json:
        print_json(_value(one))
        return
    says = plain(sentence_of(one))
    if one.was_before and one.state is ActState.DONE:
        click.echo(f"act {one.id} was done before, nothing new was booked: {says}: entry {one.entry_id}")
        return
    again = " was asked for before, and" if one.was_before else ":"
    state = {
        ActState.DONE: f"done, entry {one.entry_id}",
        ActState.PROPOSED: f"waits for a second person: tollbridge act approve {one.id} --by NAME",
        ActState.REFUSED: f"refused by {plain(one.approver)}",
    }[one.state]
    click.echo(f"act {one.id}{again} {state}: {says}" if one.was_before else f"act {one.id}: {says}: {state}")


def _table(acts: Sequence[Act]) -> Table:
    rows = table("act", "at", "what", "by", "why", "state", "agreed")
    for one in acts:
        rows.add_row(
            str(one.id), iso_of(one.at)[:16], plain(sentence_of(one)), plain(one.author), plain(one.reason),
            one.state.name.lower(), plain(one.approver),
        )  # fmt: skip
    return rows


def _show(shown: Shown) -> None:
    one, out = shown.act, console()
    out.print(f"act {one.id}: {plain(sentence_of(one))}")
    for name, what in _facts(one):
        out.print(f"  {name:<10} {plain(what)}")
    if shown.fault:
        out.print(f"  it could not be booked now: {plain(shown.fault)}")
    if shown.postings:
        out.print("booked:" if one.entry_id else "would be booked now:")
        rows = table("", ">amount", "from (debit)", "to (credit)", "month")
        for p in shown.postings:
            rows.add_row(" ", money(p.amount, p.currency), p.debit, p.credit, str(p.month))
        out.print(rows)


def _facts(one: Act) -> list[tuple[str, str]]:
    """(name, what) of all that is known of it."""
    state = {ActState.PROPOSED: "waits for a second person", ActState.DONE: "done", ActState.REFUSED: "refused"}
    decided = f"{one.approver}, {moment(one.decided_at)}"
    facts = [
        ("state", state[one.state]),
        ("asked by", f"{one.author}, {moment(one.at)}"),
        ("because", one.reason),
        ("agreed by", decided if one.approver and one.state is ActState.DONE else ""),
        ("refused by", f"{decided}: {one.body.get('refused', '')}" if one.state is ActState.REFUSED else ""),
        ("entry", str(one.entry_id or "")),
        ("partner", ", ".join(one.partners)),
        *((name.replace("_", " "), str(value)) for name, value in one.body["values"].items() if one.kind != "adjust"),
        ("messages", " ".join(map(str, one.body["messages"]))),
    ]
    return [(name, what) for name, what in facts if what]


def _value(one: Act) -> dict[str, Any]:
    return {
        "id": one.id, "kind": one.kind, "state": one.state.name.lower(), "amount": one.amount,
        "currency": one.currency, "author": one.author, "reason": one.reason, "at": iso_of(one.at),
        "approver": one.approver, "decided_at": iso_of(one.decided_at) if one.decided_at else None,
        "entry_id": str(one.entry_id) if one.entry_id else None, "partners": list(one.partners),
        "was_before": one.was_before, "body": {**one.body, "messages": [str(id_) for id_ in one.body["messages"]]},
    }  # fmt: skip


def _shown_value(shown: Shown) -> dict[str, Any]:
    return {
        **_value(shown.act),
        "postings": [_posting_value(p) for p in shown.postings],
        "fault": shown.fault or None,
    }


def _posting_value(p: Posting) -> dict[str, Any]:
    return {"debit": p.debit, "credit": p.credit, "currency": p.currency, "amount": p.amount, "month": p.month}
