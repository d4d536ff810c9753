"""`tollbridge alert` on a terminal and as JSON.

show_alerts, alert_value       alerts, a line each
show_alert                     one of them, whole
show_resolved, resolved_value  what became of somebody's word
"""

from collections.abc import Sequence
from typing import Any

from rich.text import Text

from core.clock import iso_of
from store.alerts import AlertRow, Resolved
from tollbridge.show import console, heading, moment, plain, table

_SENTENCE = 90


def show_alerts(rows: Sequence[AlertRow], count: int, *, resolved_too: bool) -> None:
    """The list; `count`: how many there are in all."""
    out = console()
    if not rows:
        out.print("no alerts" if resolved_too else "no alert is open")
        return
    more = ("resolved (UTC)", "by") if resolved_too else ()
    shown = table("alert", "at (UTC)", "kind", "about what", "message", *more)
    for row in rows:
        about = plain(f"{row.subject}: {row.sentence}", _SENTENCE)
        word = (moment(row.resolved_at or 0)[:19], plain(row.resolved_by)) if resolved_too else ()
        shown.add_row(str(row.id), moment(row.at)[:19], plain(row.kind), about, str(row.message_id or ""), *word)
    out.print(shown)
    left = f", {len(rows)} of them shown: see --limit" if len(rows) < count else ""
    words = "alerts" if resolved_too else "open"
    out.print(f"{count} {words}{left}. One whole: tollbridge alert show ID", style="dim")


def show_alert(row: AlertRow) -> None:
    """All of it."""
    out = console()
    heading(out, f"Alert {row.id}")
    lines = {
        "kind": row.kind, "at": f"{moment(row.at)} UTC", "about": row.subject, "says": row.sentence,
        "message": str(row.message_id or ""), "state": _state(row), "note": row.note,
    }  # fmt: skip
    for name, value in lines.items():
        if value:
            out.print(Text(f"  {name:<10} ", style="dim").append(plain(value), style="not dim"))


def _state(row: AlertRow) -> str:
    return _word(row) if row.resolved_at is not None else "open"


def _word(row: AlertRow) -> str:
    by = f" by {row.resolved_by}" if row.resolved_by else ""
    return f"resolved{by}, {moment(row.resolved_at or 0)} UTC"


def show_resolved(told: Sequence[Resolved]) -> None:
    """A line each."""
    out = console()
    for one in told:
        row = one.row
        if one.was_before:
            said = f": «{row.note}»" if row.note else ""
            out.print(plain(f"alert {row.id} was {_word(row)} already{said}; nothing was changed"))
        else:
            out.print(plain(f"alert {row.id} resolved: {row.kind}, {row.subject}"))


def alert_value(row: AlertRow) -> dict[str, Any]:
    """For JSON."""
    return {
        "id": str(row.id), "at": iso_of(row.at), "kind": row.kind, "subject": row.subject, "sentence": row.sentence,
        "message": str(row.message_id or ""), "open": row.resolved_at is None,
        "resolved_at": None if row.resolved_at is None else iso_of(row.resolved_at), "resolved_by": row.resolved_by,
        "note": row.note,
    }  # fmt: skip


def resolved_value(one: Resolved) -> dict[str, Any]:
    """For JSON."""
    return {**alert_value(one.row), "was_resolved_before": one.was_before}
