"""How things stand: links, queues, alerts, processes, and what passed today; for `tollbridge status`.

read_standing   all of it, of one moment

Rule: it asks the database only, and nothing here reads a whole table of messages: queues are read by their indexes,
what passed by a range of ids.
"""

from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import DAY_MS, Instant
from core.ids import first_id_at
from core.message import MtState
from store.journal import CallbackState
from store.pulse import ALIVE, SILENT_MS
from store.schema import (
    Alert,
    Base,
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

SHOWN = 10
"""Alerts and processes: the last ones."""
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
    """An alert that nobody has resolved. `message_id` 0: it is about no message."""

    at: Instant
    kind: str
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


@dataclass(slots=True)
class Passed:
    """What passed since a moment. Amounts are micros by currency; `reasons` counts MO, "" those that were routed."""

    answered: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    gross: dict[str, int] = field(default_factory=dict)
    margin: dict[str, int] = field(default_factory=dict)
    mts: dict[MtState, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Standing:
    """All of it."""

    catalogue_version: int
    links: tuple[LinkStanding, ...]
    partners: tuple[PartnerStanding, ...]
    queues: dict[str, int]
    alerts_open: int
    alerts: tuple[AlertStanding, ...]
    processes: tuple[ProcessStanding, ...]
    today: Passed


def read_standing(connection: Connection, now: Instant) -> Standing:
    """How things stand at this moment, and what passed since midnight (UTC)."""
    unresolved = Alert.resolved_at.is_(None)
    return Standing(
        read_version(connection),
        tuple(_links(connection, now)),
        tuple(_partners(connection, now)),
        _queues(connection),
        _count(connection, Alert, unresolved),
        tuple(_alerts(connection, unresolved)),
        tuple(_processes(connection, now)),
        _passed(connection, first_id_at(now - now % DAY_MS)),
    )


def _links(connection: Connection, now: Instant) -> list[LinkStanding]:
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
        kept_since, kept_by = (since or None, process_id) if is_kept else (None, None)
        found.append(LinkStanding(name, operator, protocol, state, kept_since, kept_by, error or ""))
    return found


def _partners(connection: Connection, now: Instant) -> list[PartnerStanding]:
    """Their callbacks. What is dead is told by the alert about it, so that years of callbacks are not read."""
    due = sa.func.sum(sa.case((Callback.due_at <= now, 1), else_=0))
    tried = sa.func.sum(sa.case((Callback.attempt > 0, 1), else_=0))
    waiting = connection.execute(
        sa.select(Partner.login, sa.func.count(), due, tried)
        .select_from(Callback)
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
    found = {login: PartnerStanding(login) for login in logins}
    for login, count, count_due, count_tried in waiting:
        one = found.setdefault(login or "", PartnerStanding(login or ""))
        one.waiting, one.due, one.failing = count, int(count_due or 0), int(count_tried or 0)
    for login, count in dead:
        found.setdefault(login, PartnerStanding(login)).dead = count
    return list(found.values())


def _queues(connection: Connection) -> dict[str, int]:
    return {
        "callbacks_waiting": _count(connection, Callback, Callback.due_at.is_not(None)),
        "mt_queued": _count(connection, Mt, Mt.state == int(MtState.QUEUED)),
        "mt_submitting": _count(connection, Mt, Mt.state == int(MtState.SUBMITTING)),
        "parts_waiting": _count(connection, MoPart, MoPart.mo_id == 0),
        "receipts_waiting": _count(connection, Receipt),
        "in_doubt": _count(connection, InDoubt),
    }


def _count(connection: Connection, table: type[Base], *where: sa.ColumnElement[bool]) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(table).where(*where)).scalar_one()


def _alerts(connection: Connection, unresolved: sa.ColumnElement[bool]) -> list[AlertStanding]:
    columns = (Alert.at, Alert.kind, Alert.subject, Alert.sentence, Alert.message_id)
    rows = connection.execute(sa.select(*columns).where(unresolved).order_by(Alert.id.desc()).limit(SHOWN))
    return [AlertStanding(*row) for row in rows]


def _processes(connection: Connection, now: Instant) -> list[ProcessStanding]:
    """Those that live, and the last ones that do not."""
    rows = connection.execute(
        sa.select(Process)
        .where(sa.or_(Process.state == ALIVE, Process.heartbeat_at > now - DAY_MS))
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


def _passed(connection: Connection, first_id: int) -> Passed:
    answered = sa.func.sum(sa.case((Callback.state.in_((CallbackState.ANSWERED, CallbackState.LATER)), 1), else_=0))
    rows = connection.execute(
        sa.select(Mo.reason, Mo.currency, sa.func.count(), sa.func.sum(Mo.price), sa.func.sum(Mo.ours), answered)
        .outerjoin(Callback, Callback.mo_id == Mo.id)
        .where(Mo.id >= first_id)
        .group_by(Mo.reason, Mo.currency)
    )
    passed = Passed()
    for reason, currency, count, price, ours, count_answered in rows:
        passed.answered += int(count_answered or 0)
        passed.reasons[reason] = passed.reasons.get(reason, 0) + count
        passed.gross[currency] = passed.gross.get(currency, 0) + int(price or 0)
        passed.margin[currency] = passed.margin.get(currency, 0) + int(ours or 0)
    states = connection.execute(sa.select(Mt.state, sa.func.count()).where(Mt.id >= first_id).group_by(Mt.state))
    passed.mts = {MtState(state): count for state, count in states}
    return passed
