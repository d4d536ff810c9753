"""`tollbridge status`: what the database says of links, queues and processes.

status       the command
read_status  everything that is shown, as one value that JSON can hold

Rule: from the database only (store/standing.py), so that it works beside a service and without one.
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection

from core.clock import SECOND_MS, Instant, iso_of, month_text
from core.money import format_micros
from plumbing.clock import SystemClock
from store.passed import Booked, Flow, Lately
from store.standing import AlertStanding, read_standing
from tollbridge.commands import config_option, json_option, open_database, read_config
from tollbridge.json_values import print_json


@click.command()
@config_option
@json_option()
def status(config_file: Path | None, *, as_json: bool) -> None:
    """Show links with their last errors, queues, processes, alerts, and what passed of late.

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
        print_json(found)
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
            "since": _iso(link.since),
            "reconnects_last_hour": link.reconnects,
            "process": link.process,
            "error": link.error,
            "error_at": _iso(link.error_at),
        }
        for link in found.links
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
        "alerts": _alerts(found.alerts),
        "processes": processes,
        "lately": _lately(found.lately),
        "month": _booked(found.booked),
    }


def _iso(instant: Instant | None) -> str | None:
    return iso_of(instant) if instant else None


def _alerts(alerts: Sequence[AlertStanding]) -> dict[str, Any]:
    kinds = [
        {
            "kind": alert.kind,
            "count": alert.count,
            "newest": {
                "at": iso_of(alert.at),
                "subject": alert.subject,
                "sentence": alert.sentence,
                "message": str(alert.message_id or ""),
            },
        }
        for alert in alerts
    ]
    return {"unresolved": sum(alert.count for alert in alerts), "kinds": kinds}


def _lately(lately: Lately) -> dict[str, Any]:
    mo = {
        **_rate(lately.mo),
        "answered": lately.answered,
        "by_reason": {reason or "passed": count for reason, count in sorted(lately.reasons.items())},
    }
    by_state = {state.name.lower(): count for state, count in sorted(lately.states.items())}
    return {"mo": mo, "mt": {**_rate(lately.mt), "by_state": by_state}}


def _rate(flow: Flow) -> dict[str, Any]:
    return {"count": flow.count, "seconds": flow.span_ms // SECOND_MS, "per_second": round(flow.per_second, 1)}


def _booked(booked: Booked) -> dict[str, Any]:
    amounts = {"revenue": booked.revenue, "margin": booked.margin, "suspense": booked.suspense}
    return {
        "month": month_text(booked.month),
        **{
            name: {currency: format_micros(amount) for currency, amount in sorted(by_currency.items())}
            for name, by_currency in amounts.items()
        },
    }
