"""How things stand: links, queues, alerts, processes, and what passed of late; for `tollbridge status`.

read_standing   all of it, of one moment
read_links      the links alone

Rule: it asks the database only, and nothing here reads a whole table of messages: queues are read by their indexes;
for what passed see store/passed.py.
"""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import DAY_MS, Instant, month_of
from core.message import MtState
from store.journal.rows import AT_ONCE
from store.passed import Booked, Lately, read_lately, read_month
from store.pulse import ALIVE, SILENT_MS, STOPPED
from store.schema import (
    Alert,
    Base,
    Callback,
    InDoubt,
    Link,
    LinkState,
    MoPart,
    Mt,
    Operator,
    Partner,
    Process,
    Receipt,
)
from store.snapshot import read_version

DESK = "desk"
"""The roles of a command that moves money (store.desk.open_desk)."""
SHOWN = 10
"""Processes: the last ones."""
ALERT_KINDS = ("store", "outage", "host", "link", "dead_letter", "breaker")
"""What costs money or stands still comes first. Limits come last: there may be many, and few are urgent."""
LAST_KIND = "fraud"
_WAITS = Callback.due_at >= AT_ONCE
"""Those with nothing left to do have no time. «IS NOT NULL» would say the same, but SQLite then reads them all."""
PROCESS_WORDS = ("alive", "stopped", "dead")


@dataclass(frozen=True, slots=True)
class LinkStanding:
    """A link. `state` is «disabled», «no process» where no living process has it, or what its process says."""

    name: str
    operator: str
    protocol: str
    state: str
    since: Instant | None
    process: int | None
    error: str
    """The last one, also of a link that is bound again."""
    error_at: Instant | None
    reconnects: int | None
    """How often it was bound again in the last hour; None where nobody knows."""


@dataclass(slots=True)
class PartnerStanding:
    """A partner's callbacks: in the database, of these due now, of these tried before; given up."""

    login: str
    waiting: int = 0
    due: int = 0
    failing: int = 0
    dead: int = 0


@dataclass(frozen=True, slots=True)
class AlertStanding:
    """The alerts of a kind that nobody has resolved: how many, and the newest. `message_id` 0: it is about none."""

    kind: str
    count: int
    at: Instant
    subject: str
    sentence: str
    message_id: int


@dataclass(frozen=True, slots=True)
class ProcessStanding:
    """A process. `state` is alive, silent, stopped or dead."""

    id: int
    host: str
    pid: int
    roles: tuple[str, ...]
    state: str
    started_at: Instant
    heartbeat_age_ms: int


@dataclass(frozen=True, slots=True)
class Standing:
    """All of it."""

    catalogue_version: int
    links: tuple[LinkStanding, ...]
    partners: tuple[PartnerStanding, ...]
    queues: dict[str, int]
    alerts: tuple[AlertStanding, ...]
    processes: tuple[ProcessStanding, ...]
    lately: Lately
    booked: Booked


def read_standing(connection: Connection, now: Instant) -> Standing:
    """How things stand at this moment."""
    return Standing(
        read_version(connection),
        tuple(read_links(connection, now)),
        tuple(_partners(connection, now)),
        _queues(connection),
        tuple(_alerts(connection)),
        tuple(_processes(connection, now)),
        read_lately(connection, now),
        read_month(connection, month_of(now)),
    )


def read_links(connection: Connection, now: Instant) -> list[LinkStanding]:
    """Every link, by name."""
    rows = connection.execute(
        sa.select(
            Link.name, Operator.code, Link.protocol, Link.enabled, LinkState.state, LinkState.since, LinkState.error,
            LinkState.error_at, LinkState.reconnects, Process.id, Process.state.label("process"), Process.heartbeat_at,
        )
        .join(Operator, Operator.id == Link.operator_id)
        .outerjoin(LinkState, LinkState.link_id == Link.id)
        .outerjoin(Process, Process.id == LinkState.process_id)
        .order_by(Link.name)
    )  # fmt: skip
    found = []
    for row in rows:
        is_kept = row.process == ALIVE and now - row.heartbeat_at <= SILENT_MS
        state = row.state if is_kept else "no process"
        since, kept_by, reconnects = (row.since or None, row.id, row.reconnects) if is_kept else (None, None, None)
        found.append(
            LinkStanding(
                row.name,
                row.code,
                row.protocol,
                state if row.enabled else "disabled",
                since,
                kept_by,
                row.error or "",
                row.error_at or None,
                reconnects,
            )
        )
    return found


def _partners(connection: Connection, now: Instant) -> list[PartnerStanding]:
    """Their callbacks. What is dead is told by the alert about it, so that years of callbacks are not read."""
    due = sa.func.sum(sa.case((Callback.due_at <= now, 1), else_=0))
    tried = sa.func.sum(sa.case((Callback.attempt > 0, 1), else_=0))
    waiting = connection.execute(
        sa.select(Partner.login, sa.func.count(), due, tried)
        .select_from(Callback)
        .join(Partner, Partner.id == Callback.partner_id, isouter=True)
        .where(_WAITS)
        .group_by(Partner.login)
    ).all()
    dead = connection.execute(
        sa.select(Alert.subject, sa.func.count())
        .where(Alert.kind == "dead_letter", Alert.resolved_at.is_(None))
        .group_by(Alert.subject)
    ).all()
    logins = connection.execute(sa.select(Partner.login).order_by(Partner.login)).scalars()
    found = {login: PartnerStanding(login) for login in logins}
    for login, count, count_due, count_tried in waiting:
        one = found.setdefault(login or "", PartnerStanding(login or ""))
        one.waiting, one.due, one.failing = count, int(count_due or 0), int(count_tried or 0)
    for login, count in dead:
        found.setdefault(login, PartnerStanding(login)).dead = count
    return list(found.values())


def _queues(connection: Connection) -> dict[str, int]:
    return {
        "callbacks_waiting": _count(connection, Callback, _WAITS),
        "mt_queued": _count(connection, Mt, Mt.state == int(MtState.QUEUED)),
        "mt_submitting": _count(connection, Mt, Mt.state == int(MtState.SUBMITTING)),
        "parts_waiting": _count(connection, MoPart, MoPart.mo_id == 0),
        "receipts_waiting": _count(connection, Receipt),
        "in_doubt": _count(connection, InDoubt),
    }


def _count(connection: Connection, table: type[Base], *where: sa.ColumnElement[bool]) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(table).where(*where)).scalar_one()


def _alerts(connection: Connection) -> list[AlertStanding]:
    """By kind, the gravest first."""
    unresolved = Alert.resolved_at.is_(None)
    kinds = connection.execute(
        sa.select(Alert.kind, sa.func.count(), sa.func.max(Alert.at)).where(unresolved).group_by(Alert.kind)
    ).all()
    found = []
    for kind, count, at in sorted(kinds, key=lambda row: (_gravity(row[0]), row[0])):
        newest = sa.select(Alert.subject, Alert.sentence, Alert.message_id).where(
            unresolved, Alert.kind == kind, Alert.at == at
        )
        row = connection.execute(newest.order_by(Alert.id.desc()).limit(1)).one()
        found.append(AlertStanding(kind, count, at, *row))
    return found


def _gravity(kind: str) -> int:
    if kind in ALERT_KINDS:
        return ALERT_KINDS.index(kind)
    return len(ALERT_KINDS) + (kind == LAST_KIND)


def _processes(connection: Connection, now: Instant) -> list[ProcessStanding]:
    """Those that live, and the last ones that do not; a desk that has ended was a command of a person, no service."""
    rows = connection.execute(
        sa.select(Process)
        .where(sa.or_(Process.state == ALIVE, Process.heartbeat_at > now - DAY_MS))
        .where(sa.not_(sa.and_(Process.state == STOPPED, Process.roles == DESK)))
        .order_by(Process.state != ALIVE, Process.id.desc())
        .limit(SHOWN)
    ).all()
    found = []
    for row in rows:
        age_ms = max(0, now - row.heartbeat_at)
        state = "silent" if row.state == ALIVE and age_ms > SILENT_MS else PROCESS_WORDS[row.state]
        roles = tuple(row.roles.split(","))
        found.append(ProcessStanding(row.id, row.host, row.pid, roles, state, row.started_at, age_ms))
    return found
