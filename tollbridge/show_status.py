"""`tollbridge status` as tables, from the value that `commands.status.read_status` made."""

from typing import Any

from rich.console import Console
from rich.text import Text

from tollbridge.show import coloured, console, heading, plain, table


def show_status(found: dict[str, Any], out: Console | None = None) -> None:
    """Print it."""
    out = out or console()
    head = Text("Tollbridge", style="bold")
    head.append(
        f"  {found['time'][:19].replace('T', ' ')} UTC  catalogue {found['catalogue_version']}  ", style="not bold"
    )
    out.print(head.append(plain(found["database"]), style="dim not bold"))
    out.print()
    _show_links(found, out)
    _show_queues(found, out)
    _show_passed(found, out)
    _show_processes(found["processes"], out)
    _show_alerts(found, out)


def _show_links(found: dict[str, Any], out: Console) -> None:
    links = found["links"]
    if not links:
        out.print("No links are provisioned yet; see: tollbridge load --help\n")
        return
    lines = table("link", "operator", "protocol", "state", "since", ">reconnects in 1 h", title="Links")
    errors = table("link", "at", "last error", title="Last errors")
    for link in links:
        returns = link["reconnects_last_hour"]
        lines.add_row(
            link["name"], link["operator"], link["protocol"], coloured(link["state"]), _when(link["since"], found),
            Text("—" if returns is None else str(returns), style="yellow" if returns else ""),
        )  # fmt: skip
        if link["error"]:
            style = "dim" if link["state"] == "bound" and not returns else "red"
            errors.add_row(link["name"], _when(link["error_at"], found), Text(plain(link["error"]), style=style))
    out.print(lines, "")
    if errors.row_count:
        out.print(errors, "")


def _when(moment: str | None, found: dict[str, Any]) -> str:
    """`14:07:01` of today, else with its day; UTC, as the heading says."""
    if moment is None:
        return "—"
    return moment[11:19] if moment[:10] == found["time"][:10] else moment[:16].replace("T", " ")


def _show_queues(found: dict[str, Any], out: Console) -> None:
    lines = table("partner", ">waiting", ">due now", ">failing", ">dead", title="Callbacks")
    for partner in found["partners"]:
        dead = partner["dead"]
        lines.add_row(
            plain(partner["login"]), str(partner["waiting"]), str(partner["due"]), str(partner["failing"]),
            Text(str(dead), style="red" if dead else ""),
        )  # fmt: skip
    if found["partners"]:
        out.print(lines, "")
    queues = found["queues"]
    heading(out, "Queues")
    out.print(
        f"MT queued {queues['mt_queued']}, submitting {queues['mt_submitting']}; "
        f"parts of long MO waiting {queues['parts_waiting']}; receipts without MT {queues['receipts_waiting']}; "
        f"MO in doubt {queues['in_doubt']}\n"
    )


def _show_passed(found: dict[str, Any], out: Console) -> None:
    mo, mt, month = found["lately"]["mo"], found["lately"]["mt"], found["month"]
    heading(out, "Passed")
    out.print(f"MO {_rate(mo)}{_counts(mo['by_reason'])}; answered by partners {mo['answered']}")
    out.print(f"MT {_rate(mt)}{_counts(mt['by_state'])}\n")
    heading(out, f"Booked in {month['month']}")
    out.print(
        f"operators owe us {_amounts(month['revenue'])}; our margin {_amounts(month['margin'])}; "
        f"in suspense {_amounts(month['suspense'])}\n"
    )


def _rate(one: dict[str, Any]) -> str:
    seconds = one["seconds"]
    span = f"{seconds // 60} min" if seconds >= 120 else f"{seconds} s"
    return f"{one['count']} in {span}, {one['per_second']}/s in the last minute"


def _amounts(by_currency: dict[str, str]) -> str:
    """Two decimals, down: enough to look at; the ledger, and --json, have six."""
    return ", ".join(f"{a[: a.index('.') + 3]} {currency}" for currency, a in by_currency.items()) or "0"


def _counts(counts: dict[str, int]) -> str:
    words = ", ".join(f"{name} {count}" for name, count in counts.items())
    return f" ({words})" if words else ""


def _show_processes(processes: list[dict[str, Any]], out: Console) -> None:
    if not processes:
        out.print("No process ran within a day; start one: tollbridge run")
        return
    lines = table(">id", "host", ">pid", "state", ">heartbeat", "roles", title="Processes")
    for process in processes:
        lines.add_row(
            str(process["id"]), plain(process["host"]), str(process["pid"]), coloured(process["state"]),
            f"{process['heartbeat_age_s']} s ago", ",".join(process["roles"]),
        )  # fmt: skip
    out.print(lines, "")


def _show_alerts(found: dict[str, Any], out: Console) -> None:
    alerts = found["alerts"]
    if not alerts["unresolved"]:
        heading(out, "Alerts")
        out.print("none\n")
        return
    lines = table("kind", ">count", "newest", "about what", title=f"Alerts: {alerts['unresolved']} unresolved")
    for alert in alerts["kinds"]:
        newest = alert["newest"]
        message = f" ({newest['message']})" if newest["message"] else ""
        what = f"{plain(newest['subject'])}: {plain(newest['sentence'])}{message}"
        lines.add_row(plain(alert["kind"]), str(alert["count"]), _when(newest["at"], found), what)
    out.print(lines)
    out.print("All of them: tollbridge alert list\n", style="dim")
