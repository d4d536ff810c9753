"""`tollbridge settle` on a terminal, as CSV and as JSON.

show_runs, show_run, show_preview   tables
row_values, ROW_HEADER              a row of a run as CSV
run_value, unfiled_value, preview_value   for JSON: amounts as decimal strings, moments as text
counting                            a progress bar on a terminal, nothing elsewhere

Rule: what an operator wrote is shown as a text: nothing in it steers a terminal or starts a formula in a sheet.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from core.clock import iso_of, month_text
from core.money import format_micros
from core.settlement.amounts import Basis
from core.settlement.verdicts import ACCEPTABLE, Decision, RunState, Verdict
from store.settlement.look import RunRow, Standing
from store.settlement.preview import Preview
from store.settlement.runs import Sums, is_open
from store.settlement.stage import Progress as Told
from store.settlement.unfiled import Unfiled
from tollbridge.show import console, counted, heading, moment, money, number, plain, table

DOES = {
    Verdict.MATCHED: "roundings are booked: found, or written off",
    Verdict.MISSING_THERE: "charged back; what no single message stands for is written off",
    Verdict.MISSING_HERE: "found: the operator owes it, it lies in suspense",
    Verdict.PRICE_DIFFERS: "less is written off, more is found",
    Verdict.DUPLICATE_THERE: "nothing is posted: not ours to claim",
    Verdict.REFUSED_THERE: "charged back",
    Verdict.UNREADABLE: "cannot be accepted, only dismissed",
}
ROW_HEADER = (
    "line", "class", "decision", "message_id", "number", "short_code", "time", "count", "price", "amount", "ours",
    "difference", "due", "our_message", "entry", "problem",
)  # fmt: skip
_BASES = {Basis.GROSS: "gross prices", Basis.NET: "net prices", Basis.PAYOUT: "our payout"}
_FORMULA = ("=", "+", "-", "@")


@contextmanager
def counting(words: str) -> Iterator[Told]:
    """A bar on stderr for long works, where somebody looks."""
    if not sys.stderr.isatty():
        yield lambda done, of: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(words, total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of or None)


def show_runs(standings: Sequence[Standing], unfiled: Sequence[Unfiled], *, everything: bool) -> None:
    """The runs, a line each; and the months of operators that have none."""
    out = console()
    if standings:
        _show_standings(out, standings)
    else:
        out.print("no settlement runs" + ("" if everything else " are open; --all lists those that are done too"))
    for one in unfiled:
        out.print(f"no file: {one.operator} owes {money(one.owed, one.currency)} for {one.when}, no file was staged")


def _show_standings(out: Console, standings: Sequence[Standing]) -> None:
    rows = table(">run", "operator", "month", "state", ">rows", ">bad", ">file's total", ">open", "staged", "file")
    for one in standings:
        run = one.run
        rows.add_row(
            str(run.id), run.operator, month_text(run.month), run.state.word, str(run.rows), str(run.bad),
            f"{format_micros(run.total)} {run.currency}", _open(one),
            f"{moment(run.at)[:16]} by {plain(run.author, 20)}", plain(run.file_name, 40),
        )  # fmt: skip
    out.print(rows)


def _open(one: Standing) -> str:
    return str(one.open_rows) if one.run.state in {RunState.MATCHED, RunState.APPROVED} else "—"


def show_run(one: Standing) -> None:
    """A run with its sums by class."""
    out, run = console(), one.run
    heading(out, f"run {run.id}: {run.operator}, {month_text(run.month)}, {run.state.word}")
    out.print(f"file        {plain(run.file_name)}, staged {moment(run.at)[:16]} by {plain(run.author)}")
    out.print(f"rows        {run.rows}, of these {run.bad} could not be read")
    out.print(f"total       {format_micros(run.total)} {run.currency} ({_BASES[run.columns.amount_basis]})")
    told = run.notes.get("told")
    if told is not None and told != run.total:
        out.print(f"BEWARE      the file's own total is {format_micros(told)} {run.currency}")
    for note in run.notes.get("approvals", []):
        out.print(f"approved    {', '.join(note['accept'])} by {plain(note['by'])}: {plain(note['reason'])}")
    for note in run.notes.get("dismissals", []):
        out.print(f"dismissed   {', '.join(note['classes']) or 'all'} by {plain(note['by'])}: {plain(note['reason'])}")
    if note := run.notes.get("approving"):
        out.print(f"BEWARE      an approval by {plain(note['by'])} has not come to its end: the same command goes on")
    out.print()
    _show_sums(out, one.sums, run.currency)
    if run.state is RunState.MATCHED or run.state is RunState.APPROVED:
        out.print(f"\nnext: tollbridge settle preview {run.id}")
    elif run.state is RunState.STAGED:
        out.print(f"\nnext: tollbridge settle match {run.id}")


def _show_sums(out: Console, sums: Sequence[Sums], currency: str) -> None:
    rows = table("class", "", ">rows", f">file's {currency}", ">ours", ">due", title="")
    for one in sums:
        rows.add_row(one.verdict.word, _state(one), str(one.rows), *_three(one))
    total = [sum(getattr(one, name) for one in sums) for name in ("rows", "amount", "ours", "due")]
    rows.add_row("together", "", str(total[0]), *(format_micros(value) for value in total[1:]))
    out.print(rows)


def _three(one: Sums) -> Iterator[str]:
    return (format_micros(value) for value in (one.amount, one.ours, one.due))


def _state(one: Sums) -> str:
    if one.verdict is Verdict.UNMATCHED:
        return "to be matched"
    if one.decision is not Decision.OPEN:
        return one.decision.name.lower()
    if one.has_problem and one.verdict is not Verdict.UNREADABLE:
        return "open, cannot be posted"
    return "open" if is_open(one) else "agreed"


def show_rows(rows: Iterable[RunRow], *, full: bool) -> None:
    """Some rows."""
    shown = table(">row", "class", "", "message id", "number", "code", "time", ">file", ">ours", ">due", "about")
    for row in rows:
        about = row.problem or (str(row.mo_id) if row.mo_id else "")
        shown.add_row(
            str(row.line or "ours"), row.verdict.word, row.decision.name.lower(), plain(row.key, 24),
            number(row.number, full=full) if row.number else "", plain(row.short_code), moment(row.at)[:19],
            *(format_micros(value) for value in (row.amount, row.ours, row.due)), plain(about),
        )  # fmt: skip
    console().print(shown)


def show_preview(found: Preview, accept: Sequence[Verdict]) -> None:
    """What accepting would do."""
    out, run = console(), found.run
    heading(out, f"run {run.id}: {run.operator}, {month_text(run.month)}; nothing is written by this")
    shown = table("class", ">rows", ">due", "accepting it means")
    for verdict in Verdict:
        some = [one for one in found.sums if one.verdict is verdict and is_open(one)]
        if some:
            due = format_micros(sum(one.due for one in some))
            does = DOES[verdict] + (" (not asked for)" if verdict in ACCEPTABLE and verdict not in accept else "")
            shown.add_row(verdict.word, str(sum(one.rows for one in some)), due, does)
    out.print(shown)
    title = f"\npostings of {counted(found.rows, 'row', 'rows')}"
    postings = table("from (debit)", "to (credit)", f">{run.currency}", title=title)
    for (debit, credit), amount in sorted(found.postings.items()):
        postings.add_row(plain(debit), plain(credit), format_micros(amount))
    # What `money.second_person_above` is compared with, beside what was posted before.
    postings.add_row("together", "", format_micros(found.moved), style="bold")
    out.print(postings)
    if found.problems:
        out.print(f"\n{counted(found.problems, 'row', 'rows')} cannot be posted and would stay open:")
        for reason in found.reasons:
            out.print(f"  {plain(reason)}")
    blocked = sum(one.rows for one in found.sums if is_open(one) and one.has_problem and one.verdict in accept)
    if blocked:
        some_have = counted(blocked, "row has", "rows have")
        out.print(f"\n{some_have} a problem already: tollbridge settle show {run.id} --class …")


def row_values(row: RunRow, *, full: bool) -> list[str]:
    """As CSV; see ROW_HEADER."""
    amounts = (row.price, row.amount, row.ours, row.amount - row.ours, row.due)
    return [
        str(row.line or ""), row.verdict.word, row.decision.name.lower(), _harmless(row.key),
        number(row.number, full=full) if row.number else "", _harmless(row.short_code),
        iso_of(row.at) if row.at else "", str(row.count), *map(format_micros, amounts),
        str(row.mo_id or ""), str(row.entry_id or ""), _harmless(row.problem),
    ]  # fmt: skip


def _harmless(text: str) -> str:
    """A sheet takes a text that begins so for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def run_value(one: Standing) -> dict[str, Any]:
    """A run for JSON."""
    run = one.run
    told = run.notes.get("told")
    return {
        "run": run.id, "operator": run.operator, "month": month_text(run.month), "currency": run.currency,
        "state": run.state.word, "file": run.file_name, "sha256": run.notes.get("sha256", run.sha256),
        "rows": run.rows, "bad": run.bad, "total": format_micros(run.total),
        "total_of_the_file": None if told is None else format_micros(told), "author": run.author,
        "staged_at": iso_of(run.at), "approver": run.approver, "open": one.open_rows,
        "classes": [_sums_value(sums) for sums in one.sums],
    }  # fmt: skip


def unfiled_value(one: Unfiled) -> dict[str, Any]:
    """An operator's months without a run, for JSON: its run is null."""
    return {
        "run": None, "operator": one.operator, "months": [month_text(month) for month in one.months],
        "currency": one.currency, "state": "no file", "brought": format_micros(one.brought),
        "owed": format_micros(one.owed),
    }  # fmt: skip


def _sums_value(sums: Sums) -> dict[str, Any]:
    return {
        "class": sums.verdict.word, "decision": sums.decision.name.lower(), "open": is_open(sums),
        "problem": sums.has_problem, "rows": sums.rows, "amount": format_micros(sums.amount),
        "ours": format_micros(sums.ours), "due": format_micros(sums.due),
    }  # fmt: skip


def preview_value(found: Preview) -> dict[str, Any]:
    """A preview for JSON."""
    return {
        "run": found.run.id, "currency": found.run.currency, "rows": found.rows, "problems": found.problems,
        "reasons": found.reasons, "moved": format_micros(found.moved),
        "classes": [_sums_value(sums) for sums in found.sums],
        "postings": [
            {"debit": debit, "credit": credit, "amount": format_micros(amount)}
            for (debit, credit), amount in sorted(found.postings.items())
        ],
    }  # fmt: skip
