"""`tollbridge act` on a terminal and as JSON, and what other commands say of an act that waits.

tell_act        what became of what was asked for now
advance_of      of an operator that is paid: what that makes us have paid in advance
acts_table      acts, a line each
show_act        one with what it has moved, or would move
act_value, shown_value   for JSON

Rule: names and reasons are texts of people: nothing in them steers a terminal.
"""

from collections.abc import Sequence
from typing import Any

import click
from rich.table import Table

from core.clock import iso_of
from core.ledger.entry import Posting
from core.money import format_micros
from store.act_money import in_advance
from store.acts import Act, ActState, Shown, sentence_of, unsaid
from store.database import Database
from tollbridge.json_values import in_major_units, print_json
from tollbridge.show import console, moment, money, plain, table


def tell_act(one: Act, *, as_json: bool, remark: str = "") -> None:
    """What became of what was asked for now; `remark` is what a person should know of it."""
    if as_json:
        print_json(in_major_units(act_value(one)))
        return
    _tell(one)
    if remark:
        click.echo(remark)


def advance_of(database: Database, one: Act) -> str:
    """In words, where a payment to an operator is more than is owed to it; "" of every other act."""
    if one.kind != "pay_operator" or one.state is ActState.REFUSED or (one.was_before and one.state is ActState.DONE):
        return ""
    operator = str(one.draft.values["operator"])
    with database.read() as connection:
        advance = in_advance(connection, operator, one.currency)
    if one.state is ActState.DONE:
        begin = f"nothing more is owed to {operator}: we have paid it"
    else:
        advance += one.amount
        begin = f"once it is booked, nothing more is owed to {operator}: we have then paid it"
    return f"{begin} {format_micros(advance)} {one.currency} in advance" if advance > 0 else ""


def _tell(one: Act) -> None:
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


def acts_table(acts: Sequence[Act]) -> Table:
    """A line each."""
    rows = table("act", "at", "what", "by", "why", "state", "agreed")
    for one in acts:
        rows.add_row(
            str(one.id), iso_of(one.at)[:16], plain(sentence_of(one)), plain(one.author), plain(one.reason),
            one.state.name.lower(), plain(one.approver),
        )  # fmt: skip
    return rows


def show_act(shown: Shown, remark: str = "") -> None:
    """All of it."""
    one, out = shown.act, console()
    out.print(f"act {one.id}: {plain(sentence_of(one))}")
    for name, what in _facts(one):
        out.print(f"  {name:<10} {plain(what)}")
    if shown.fault:
        out.print(f"  it could not be booked now: {plain(shown.fault)}")
    if remark and one.state is ActState.PROPOSED:
        out.print(f"  {plain(remark)}")
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
        *((name.replace("_", " "), str(value)) for name, value in unsaid(one).items()),
        ("messages", " ".join(map(str, one.body["messages"]))),
    ]
    return [(name, what) for name, what in facts if what]


def act_value(one: Act) -> dict[str, Any]:
    """For JSON."""
    return {
        "id": one.id, "kind": one.kind, "state": one.state.name.lower(), "amount": one.amount,
        "currency": one.currency, "author": one.author, "reason": one.reason, "at": iso_of(one.at),
        "approver": one.approver, "decided_at": iso_of(one.decided_at) if one.decided_at else None,
        "entry_id": str(one.entry_id) if one.entry_id else None, "partners": list(one.partners),
        "was_before": one.was_before, "body": {**one.body, "messages": [str(id_) for id_ in one.body["messages"]]},
    }  # fmt: skip


def shown_value(shown: Shown) -> dict[str, Any]:
    """With its postings, for JSON."""
    return {
        **act_value(shown.act),
        "postings": [_posting_value(p) for p in shown.postings],
        "fault": shown.fault or None,
    }


def _posting_value(p: Posting) -> dict[str, Any]:
    return {"debit": p.debit, "credit": p.credit, "currency": p.currency, "amount": p.amount, "month": p.month}
