"""`tollbridge status`: what the database says of links, queues and processes.

status       the command
read_status  everything that is shown, as one value that JSON can hold

Rule: from the database only (store/standing.py), so that it works beside a service and without one.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection

from core.clock import Instant, iso_of
from core.money import format_micros
from plumbing.clock import SystemClock
from store.standing import Passed, read_standing
from tollbridge.commands import config_option, open_database, read_config


@click.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def status(config_file: Path | None, *, as_json: bool) -> None:
    """Show links, queues, last errors, processes and what passed today (UTC).

    It asks the database, so it works beside a running service and without one. Exit code 0 says that the database
    could be asked, not that all is well.

    \b
    Example:
      tollbridge status
      tollbridge status --json | jq .links
    """
    with open_database(read_config(config_file)) as database, database.read() as connection:
        found = read_status(connection, SystemClock().now())
        found["database"] = database.name
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    from tollbridge.show_status import show_status

    show_status(found)


def read_status(connection: Connection, now: Instant) -> dict[str, Any]:
    """All of it, read in one transaction; moments as text, amounts in major units."""
    found = read_standing(connection, now)
    links = [
        {
            "name": link.name,
            "operator": link.operator,
            "protocol": link.protocol,
            "state": link.state,
            "since": iso_of(link.since) if link.since else None,
            "process": link.process,
            "error": link.error,
        }
        for link in found.links
    ]
    alerts = [
        {
            "at": iso_of(alert.at),
            "kind": alert.kind,
            "subject": alert.subject,
            "sentence": alert.sentence,
            "message": str(alert.message_id or ""),
        }
        for alert in found.alerts
    ]
    processes = [
        {
            "id": process.id,
            "host": process.host,
            "pid": process.pid,
            "roles": list(process.roles),
            "state": process.state,
            "started": iso_of(process.started_at),
            "heartbeat_age_s": process.heartbeat_age_ms // 1000,
        }
        for process in found.processes
    ]
    return {
        "time": iso_of(now),
        "catalogue_version": found.catalogue_version,
        "links": links,
        "partners": [asdict(partner) for partner in found.partners],
        "queues": found.queues,
        "alerts": {"unresolved": found.alerts_open, "last": alerts},
        "processes": processes,
        "today": _today(found.today),
    }


def _today(passed: Passed) -> dict[str, Any]:
    mo = {
        "count": sum(passed.reasons.values()),
        "answered": passed.answered,
        "by_reason": {reason or "passed": count for reason, count in passed.reasons.items()},
        "gross": {currency: format_micros(amount) for currency, amount in passed.gross.items()},
        "margin": {currency: format_micros(amount) for currency, amount in passed.margin.items()},
    }
    return {"mo": mo, "mt": {state.name.lower(): count for state, count in passed.mts.items()}}
