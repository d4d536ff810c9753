"""`tollbridge balance` on a terminal and as JSON.

show_owners     all accounts: a line per partner and currency, per operator and currency, per account of ours
show_accounts   some of them, a line each, with what moved them
show_lines      the last postings of one, each with the balance after it
…_value         the same for JSON: amounts as decimal strings, moments as text

Rule: an owner whose accounts are all zero has no line, unless all are asked for.
"""

from collections.abc import Sequence
from typing import Any

from core.clock import Month, iso_of, month_text
from core.money import format_micros
from store.account_lines import PARTNER_SUBS, AccountLine, Standing, group_of
from tollbridge.show import console, heading, moment, money, plain, table

_OWNERS = (
    ("partner", "Partners", PARTNER_SUBS),
    ("operator", "Operators", ("receivable", "payable", "suspense", "cost")),
)
_KEY_MAX = 40


def show_owners(accounts: Sequence[Standing], month: Month, *, every: bool) -> None:
    """Three tables; zero ones only when `every` is asked for."""
    out, when = console(), f" at the end of {month_text(month)}" if month else ""
    shown = False
    for kind, title, names in _OWNERS:
        lines = _by_owner(accounts, kind, every=every)
        if lines:
            heading(out, f"{title}{when}")  # A title of the table would be no wider than the table.
            rows = table(kind, "", *(f">{name}" for name in names))
            for (name, currency), sums in lines:
                rows.add_row(plain(name), currency, *(_amount(sums.get(one)) for one in names))
            out.print(rows)
            shown = True
    ours = [one for one in accounts if not group_of(one.address)[0] and (every or one.amount)]
    if ours:
        heading(out, f"Our own{when}")
        rows = table("account", "", ">balance")
        for one in ours:
            rows.add_row(plain(one.address), one.currency, format_micros(one.amount))
        out.print(rows)
    if not shown and not ours:
        out.print("nothing stands on any account; --all lists those that are zero too")


def _by_owner(accounts: Sequence[Standing], kind: str, *, every: bool) -> list[tuple[tuple[str, str], dict[str, int]]]:
    """((name, currency), its accounts' amounts by their last word), in order."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for one in accounts:
        owner, name, sub = group_of(one.address)
        if owner == kind:
            found.setdefault((name, one.currency), {})[sub] = one.amount
    return sorted((place, sums) for place, sums in found.items() if every or any(sums.values()))


def _amount(micros: int | None) -> str:
    return "—" if micros is None else format_micros(micros)


def show_accounts(accounts: Sequence[Standing], month: Month) -> None:
    """A line each: what it had, debits, credits, what it has."""
    out = console()
    if not accounts:
        out.print("nothing was booked yet")
        return
    title = f"{month_text(month)}" if month else ""
    rows = table("account", "", ">opening", ">debits", ">credits", ">balance", title=title)
    for one in accounts:
        amounts = map(format_micros, (one.opening, one.debits, one.credits, one.amount))
        rows.add_row(plain(one.address), one.currency, *amounts)
    out.print(rows)


def show_lines(account: Standing, lines: Sequence[AccountLine], month: Month) -> None:
    """Its postings, the newest last, and what they lead to."""
    out = console()
    when = f", {month_text(month)}" if month else ""
    heading(out, f"{plain(account.address)}, {money(account.amount, account.currency)}{when}")
    if not lines:
        out.print("nothing was booked on it" + (" in that month" if month else ""))
        return
    rows = table("at", "entry", "kind", "other side", "month", ">amount", ">balance", "key")
    before = lines[0].balance - lines[0].amount
    rows.add_row("", "", "", "before", "", "", format_micros(before), "")
    for line in lines:
        rows.add_row(
            moment(line.at)[:19], str(line.entry_id), plain(line.kind), plain(line.other), month_text(line.month),
            format_micros(line.amount), format_micros(line.balance), plain(line.key, _KEY_MAX),
        )  # fmt: skip
    out.print(rows)


def account_value(one: Standing) -> dict[str, Any]:
    """An account for JSON."""
    amounts = {"opening": one.opening, "debits": one.debits, "credits": one.credits, "balance": one.amount}
    named = {name: format_micros(amount) for name, amount in amounts.items()}
    return {"account": one.address, "currency": one.currency, **named}


def lines_value(one: Standing, lines: Sequence[AccountLine]) -> dict[str, Any]:
    """An account with its postings, the newest last, for JSON."""
    return {**account_value(one), "entries": [_line_value(line) for line in lines]}


def _line_value(line: AccountLine) -> dict[str, Any]:
    return {
        "posting": str(line.posting_id), "entry": str(line.entry_id), "at": iso_of(line.at), "kind": line.kind,
        "key": line.key, "other": line.other, "month": month_text(line.month), "amount": format_micros(line.amount),
        "balance": format_micros(line.balance),
    }  # fmt: skip
