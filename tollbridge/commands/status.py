"""`tollbridge status`: what the database says of links, queues and processes.

status       the command
read_status  everything that is shown, as one value that JSON can hold

Rule: from the database only, so that it works beside a service and without one; nothing here reads a whole table of
messages.
"""

import json
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import DAY_MS, Instant, iso_of
from core.ids import first_id_at
from core.message import MtState
from core.money import format_micros
from plumbing.clock import SystemClock
from store.journal import CallbackState
from store.processes import ALIVE, SILENT_MS
from store.schema import (
    Alert,
    Callback,
    InDoubt,
    Link,
    LinkState,
    Mo,
    MoPart,
    Mt,
    Operator,
    Partner,
    Process,
    Receipt,
)
from store.snapshot import read_version
from tollbridge.commands import config_option, open_database, read_config

SHOWN = 10


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
    """All of it, read in one transaction."""
    today = first_id_at(now - now % DAY_MS)
    return {
        "time": iso_of(now),
        "catalogue_version": read_version(connection),
        "links": _links(connection, now),
        "partners": _partners(connection, now),
        "queues": _queues(connection, now),
        "alerts": _alerts(connection),
        "processes": _processes(connection, now),
        "today": {"mo": _mo_since(connection, today), "mt": _mt_since(connection, today)},
    }


def _links(connection: Connection, now: Instant) -> list[dict[str, Any]]:
    rows = connection.execute(
        sa.select(
            Link.name, Operator.code, Link.protocol, Link.enabled, LinkState.state, LinkState.since, LinkState.error,
            Process.id, Process.state.label("process"), Process.heartbeat_at,
        )
        .join(Operator, Operator.id == Link.operator_id)
        .outerjoin(LinkState, LinkState.link_id == Link.id)
        .outerjoin(Process, Process.id == LinkState.process_id)
        .order_by(Link.name)
    )  # fmt: skip
    found = []
    for name, operator, protocol, enabled, state, since, error, process_id, process, heartbeat_at in rows:
        is_kept = process == ALIVE and now - heartbeat_at <= SILENT_MS
        if not enabled:
            state = "disabled"
        elif not is_kept:
            state = "no process"
        found.append(
            {
                "name": name,
                "operator": operator,
                "protocol": protocol,
                "state": state,
                "since": iso_of(since) if since and is_kept else None,
                "process": process_id if is_kept else None,
                "error": error or "",
            }
        )
    return found


def _partners(connection: Connection, now: Instant) -> list[dict[str, Any]]:
    """Their callbacks. What is dead is told by the alert about it, so that years of callbacks are not read."""
    due = sa.func.sum(sa.case((Callback.due_at <= now, 1), else_=0))
    tried = sa.func.sum(sa.case((Callback.attempt > 0, 1), else_=0))
    waiting = connection.execute(
        sa.select(Partner.login, sa.func.count(), due, tried, sa.func.min(Callback.mo_id))
        .join(Partner, Partner.id == Callback.partner_id, isouter=True)
        .where(Callback.due_at.is_not(None))
        .group_by(Partner.login)
    ).all()
    dead = connection.execute(
        sa.select(Alert.subject, sa.func.count())
        .where(Alert.kind == "dead_letter", Alert.resolved_at.is_(None))
        .group_by(Alert.subject)
    ).all()
    logins = connection.execute(sa.select(Partner.login).order_by(Partner.login)).scalars()
    found = {login: {"login": login, "waiting": 0, "due": 0, "failing": 0, "dead": 0} for login in logins}
    for login, count, count_due, count_tried, _ in waiting:
        line = found.setdefault(login or "", {"login": login or "", "waiting": 0, "due": 0, "failing": 0, "dead": 0})
        line |= {"waiting": count, "due": int(count_due or 0), "failing": int(count_tried or 0)}
    for login, count in dead:
        found.setdefault(login, {"login": login, "waiting": 0, "due": 0, "failing": 0})["dead"] = count
    return list(found.values())


def _queues(connection: Connection, now: Instant) -> dict[str, int]:
    def count(*where: sa.ColumnElement[bool], of: Any) -> int:
        return connection.execute(sa.select(sa.func.count()).select_from(of).where(*where)).scalar_one()

    # A reply is valid for a day or so; what is still to be sent is not older.
    recent = Mt.id >= first_id_at(now - 3 * DAY_MS)
    return {
        "callbacks_waiting": count(Callback.due_at.is_not(None), of=Callback),
        "mt_queued": count(Mt.due_at.is_not(None), of=Mt),
        "mt_submitting": count(recent, Mt.state == int(MtState.SUBMITTING), of=Mt),
        "parts_waiting": count(MoPart.mo_id == 0, of=MoPart),
        "receipts_waiting": count(sa.true(), of=Receipt),
        "in_doubt": count(sa.true(), of=InDoubt),
    }


def _alerts(connection: Connection) -> dict[str, Any]:
    open_ = Alert.resolved_at.is_(None)
    rows = connection.execute(
        sa.select(Alert.at, Alert.kind, Alert.subject, Alert.sentence, Alert.message_id)
        .where(open_)
        .order_by(Alert.id.desc())
        .limit(SHOWN)
    )
    last = [
        {"at": iso_of(at), "kind": kind, "subject": subject, "sentence": sentence, "message": str(message or "")}
        for at, kind, subject, sentence, message in rows
    ]
    count = connection.execute(sa.select(sa.func.count()).select_from(Alert).where(open_)).scalar_one()
    return {"unresolved": count, "last": last}


def _processes(connection: Connection, now: Instant) -> list[dict[str, Any]]:
    """Those that live, and the last ones that do not."""
    rows = connection.execute(
        sa.select(Process)
        .where(sa.or_(Process.state == ALIVE, Process.heartbeat_at > now - DAY_MS))
        .order_by(Process.state != ALIVE, Process.id.desc())
        .limit(SHOWN)
    ).all()
    words = ("alive", "stopped", "dead")
    return [
        {
            "id": row.id,
            "host": row.host,
            "pid": row.pid,
            "roles": row.roles.split(","),
            "state": "silent" if row.state == ALIVE and now - row.heartbeat_at > SILENT_MS else words[row.state],
            "started": iso_of(row.started_at),
            "heartbeat_age_s": max(0, now - row.heartbeat_at) // 1000,
        }
        for row in rows
    ]


def _mo_since(connection: Connection, first_id: int) -> dict[str, Any]:
    answered = sa.func.sum(sa.case((Callback.state.in_((CallbackState.ANSWERED, CallbackState.LATER)), 1), else_=0))
    rows = connection.execute(
        sa.select(Mo.reason, Mo.currency, sa.func.count(), sa.func.sum(Mo.price), sa.func.sum(Mo.ours), answered)
        .outerjoin(Callback, Callback.mo_id == Mo.id)
        .where(Mo.id >= first_id)
        .group_by(Mo.reason, Mo.currency)
    ).all()
    reasons: dict[str, int] = {}
    gross: dict[str, int] = {}
    ours: dict[str, int] = {}
    for reason, currency, count, price, margin, _ in rows:
        reasons[reason or "passed"] = reasons.get(reason or "passed", 0) + count
        gross[currency] = gross.get(currency, 0) + int(price or 0)
        ours[currency] = ours.get(currency, 0) + int(margin or 0)
    return {
        "count": sum(reasons.values()),
        "answered": sum(int(row[5] or 0) for row in rows),
        "by_reason": reasons,
        "gross": {currency: format_micros(amount) for currency, amount in gross.items()},
        "margin": {currency: format_micros(amount) for currency, amount in ours.items()},
    }


def _mt_since(connection: Connection, first_id: int) -> dict[str, int]:
    rows = connection.execute(sa.select(Mt.state, sa.func.count()).where(Mt.id >= first_id).group_by(Mt.state))
    return {MtState(state).name.lower(): count for state, count in rows}
