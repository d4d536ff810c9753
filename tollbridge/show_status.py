"""`tollbridge status` as tables, from the value that `commands.status.read_status` made."""

from typing import Any

from rich.console import Console
from rich.text import Text

from tollbridge.show import coloured, console, heading, plain, table


def show_status(found: dict[str, Any], out: Console | None = None) -> None:
    """Print it."""
    out = out or console()
    head = Text("Tollbridge", style="bold")
    head.append(f"  {found['time'][:19]}Z  catalogue {found['catalogue_version']}  ", style="not bold")
    out.print(head.append(plain(found["database"]), style="dim not bold"), "")
    _show_links(found["links"], out)
    _show_queues(found, out)
    _show_today(found["today"], out)
    _show_processes(found["processes"], out)
    _show_alerts(found["alerts"], out)


def _show_links(links: list[dict[str, Any]], out: Console) -> None:
    if not links:
        out.print("No links are provisioned yet; see: tollbridge load --help\n")
        return
    lines = table("link", "operator", "protocol", "state", "since", "last error", title="Links")
    for link in links:
        since = link["since"][11:19] if link["since"] else "—"
        lines.add_row(
            link["name"], link["operator"], link["protocol"], coloured(link["state"]), since,
            Text(plain(link["error"], 100), style="red"),
        )  # fmt: skip
    out.print(lines, "")


def _show_queues(found: dict[str, Any], out: Console) -> None:
    lines = table("partner", ">callbacks waiting", ">due now", ">failing", ">dead", title="Callbacks")
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


def _show_today(today: dict[str, Any], out: Console) -> None:
    mo, mt = today["mo"], today["mt"]
    reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(mo["by_reason"].items()))
    gross = ", ".join(f"{amount} {currency}" for currency, amount in mo["gross"].items()) or "0"
    margin = ", ".join(f"{amount} {currency}" for currency, amount in mo["margin"].items()) or "0"
    heading(out, "Today")
    out.print(f"MO {mo['count']}{f' ({reasons})' if reasons else ''}; answered by partners {mo['answered']}")
    out.print(
        f"MT {sum(mt.values())}{f' ({_counts(mt)})' if mt else ''}; subscribers paid {gross}, our margin {margin}\n"
    )


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


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


def _show_alerts(alerts: dict[str, Any], out: Console) -> None:
    if not alerts["unresolved"]:
        heading(out, "Alerts")
        out.print("none\n")
        return
    lines = table("at (UTC)", "kind", "subject", "what", "message", title=f"Alerts: {alerts['unresolved']} unresolved")
    for alert in alerts["last"]:
        lines.add_row(
            alert["at"][:19].replace("T", " "), alert["kind"], plain(alert["subject"]), plain(alert["sentence"]),
            alert["message"] if alert["message"] != "0" else "",
        )  # fmt: skip
    out.print(lines, "")
