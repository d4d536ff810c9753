"""`tollbridge payout` on a terminal and as JSON.

show_payouts, payout_value     payouts, a line each
show_one, one_value            a payout with its steps and entries
due_table, due_value           what may be paid to whom
answer_table, answer_value     what the bank says of a file

Rule: of the account that gets the money a terminal sees no more than the end; JSON has it whole, for programs.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from core.catalogue import PayoutTarget
from core.clock import iso_of
from core.money import format_micros
from core.payouts import Funds, PayoutState, masked_details, payable, recipient
from store.bank_answers import Line
from store.life import ActLife
from store.payout_lists import BookedStep
from store.payout_rules import state_word
from store.payouts import PayoutRow
from store.steps import Step
from tollbridge.show import console, heading, moment, money, plain, table
from tollbridge.show_acts_behind import act_line, act_value, with_both
from tollbridge.show_steps import step_value, steps_table

_NAMES = 24


def show_payouts(
    rows: Sequence[PayoutRow],
    logins: Mapping[int, str],
    none: str = "no such payouts; what may be paid: tollbridge payout due",
) -> None:
    """A line each; `none`: what is said where there are none."""
    if not rows:
        console().print(none)
        return
    shown = table(
        "payout", "partner", ">amount", "", "state", "to", "asked by", "approved by", "file", "reference", "why"
    )
    for row in rows:
        shown.add_row(
            str(row.id), plain(logins.get(row.partner_id, "?")), format_micros(row.amount), row.currency,
            _state(row), _to(row.method, row.details), plain(row.author), plain(", ".join(_approvers(row))),
            str(row.file_id or ""), plain(row.reference, 40), plain(row.error, 60),
        )  # fmt: skip
    console().print(shown)


def _to(method: str, details: Mapping[str, str]) -> str:
    """`bank: Acme GmbH …3000`."""
    return plain(f"{method}: {recipient(details)}", 48)


def _approvers(row: PayoutRow) -> list[str]:
    return [name for name in (row.approver, row.second_approver) if name]


def _state(row: PayoutRow) -> str:
    half = row.state is PayoutState.REQUESTED and row.approver
    return "waits for a second person" if half else state_word(row.state)


def payout_value(row: PayoutRow, login: str) -> dict[str, Any]:
    """For JSON."""
    return {
        "id": row.id, "partner": login, "amount": format_micros(row.amount), "currency": row.currency,
        "state": row.state.name.lower(), "method": row.method, "to": recipient(row.details), "author": row.author,
        "requested_at": iso_of(row.requested_at), "approvers": _approvers(row),
        "file": row.file_id or None, "reference": row.reference, "error": row.error, "key": row.key,
        "details": row.details,
    }  # fmt: skip


# --- one --------------------------------------------------------------------------------------------------------------


def show_one(
    row: PayoutRow, login: str, steps: Sequence[Step], entries: Sequence[BookedStep], acts: Sequence[ActLife]
) -> None:
    """All of it; `acts`: by which two persons ended it, or want to."""
    out = console()
    heading(out, row.text)
    lines = {
        "partner": login, "amount": money(row.amount, row.currency), "state": _state(row), "goes by": row.method,
        **{f"  {name.replace('_', ' ')}": value for name, value in masked_details(row.details).items()},
        "file": str(row.file_id or ""), "reference": row.reference, "why": row.error, "key": row.key,
    }  # fmt: skip
    for name, value in lines.items():
        if value:
            out.print(f"{name:<12} {plain(value)}")
    for act in acts:
        out.print(f"{'act':<12} {plain(act_line(act))}")
    out.print(steps_table(with_both(steps, acts)))
    if entries:
        booked = table("when", "entry", "of what", title="\nEntries")
        for entry in entries:
            booked.add_row(moment(entry.at)[:19], str(entry.entry_id), entry.step)
        out.print(booked)


def one_value(
    row: PayoutRow, login: str, steps: Sequence[Step], entries: Sequence[BookedStep], acts: Sequence[ActLife]
) -> dict[str, Any]:
    """For JSON."""
    return {
        **payout_value(row, login),
        "acts": [act_value(one) for one in acts],
        "steps": [step_value(step) for step in steps],
        "entries": [
            {"entry": str(entry.entry_id), "step": entry.step, "at": iso_of(entry.at)} for entry in entries
        ],
    }  # fmt: skip


# --- what is due ------------------------------------------------------------------------------------------------------


NOWHERE = "nobody has said where; add `payout` to [[partner]]"


def due_table(lines: Sequence[tuple[str, PayoutTarget | None, Funds]]) -> Table:
    """A line for each partner and currency; no target where nobody has said where the money goes."""
    shown = table("partner", ">may be paid", "", ">earned", ">too young", ">asked for", ">held", ">minimum", "to")
    for login, target, funds in lines:
        amounts = (funds.earned, max(0, funds.young), funds.requested, funds.held, funds.minimum)
        shown.add_row(
            plain(login), format_micros(payable(funds)), funds.currency, *map(format_micros, amounts),
            NOWHERE if target is None else _to(target.method, target.details),
        )  # fmt: skip
    return shown


def due_value(login: str, target: PayoutTarget | None, funds: Funds) -> dict[str, Any]:
    """For JSON."""
    amounts = {
        "payable": payable(funds), "earned": funds.earned, "young": max(0, funds.young), "requested": funds.requested,
        "held": funds.held, "minimum": funds.minimum,
    }  # fmt: skip
    named = {name: format_micros(amount) for name, amount in amounts.items()}
    return {"partner": login, "currency": funds.currency, **named, "to": recipient(target.details) if target else None}


# --- what the bank says -----------------------------------------------------------------------------------------------


def answer_table(lines: Sequence[Line], logins: Mapping[int, str], done: Mapping[int, str]) -> Table:
    """`done`: by payout, what became of it."""
    shown = table("payout", "partner", ">amount", "", "the bank says", "so it is")
    for line in lines:
        row, said = line.row, plain(line.saying.status.text, 60)
        if row is None:
            shown.add_row(
                plain(line.saying.reference or "without a name", _NAMES), "", "", "", said, f"? {line.problem}"
            )
        else:
            shown.add_row(
                str(row.id), plain(logins.get(row.partner_id, "?")), format_micros(row.amount), row.currency, said,
                plain(done[row.id]),
            )  # fmt: skip
    return shown


def answer_value(line: Line, logins: Mapping[int, str], done: Mapping[int, str]) -> dict[str, Any]:
    """For JSON."""
    row, saying = line.row, line.saying
    return {
        "reference": saying.reference, "status": saying.status.code, "reason": saying.status.reason,
        "bank_reference": saying.bank_reference, "payout": row and row.id,
        "partner": logins.get(row.partner_id, "") if row else "", "amount": format_micros(row.amount) if row else None,
        "currency": row.currency if row else "", "state": row.state.name.lower() if row else "",
        "becomes": line.moves_to.name.lower() if line.moves_to is not None else None,
        "problem": line.problem, "result": done.get(row.id, "") if row else "",
    }  # fmt: skip
