"""Runs: one operator's file each, with its state, who works on it, and the sums of its differences.

Run         a run as it is stored; read_run, hold;  lock_operator, when what its other runs say must not change
begin_work  a new worker on a run: whoever worked on it before stops at its next step
Sums        rows and amounts of one verdict; read_sums

Rule: every step of a long work is a transaction that begins with `hold`: the run's row is locked, and who is no longer
its worker ends there. So a work that was broken off, or is done twice at once, harms nothing.
"""

import secrets
from dataclasses import dataclass, field
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import Instant, Month, month_text
from core.errors import UserMistake
from core.settlement.columns import ColumnMap, map_of
from core.settlement.verdicts import Decision, RunState, Verdict
from store.schema import Operator, SettlementRow, SettlementRun

T = TypeVar("T")
V = TypeVar("V", int, str)

LIVE = (RunState.STAGED, RunState.MATCHED, RunState.APPROVED, RunState.POSTED)
"""Runs whose rows speak for their messages."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it is stored. `notes` is its column `summary`: the map it was read by, approvals, the worker."""

    id: int
    operator_id: int
    operator: str
    month: Month
    currency: str
    file_name: str
    sha256: str
    state: RunState
    rows: int
    bad: int
    total: int
    author: str
    at: Instant
    approver: str
    decided_at: Instant
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def columns(self) -> ColumnMap:
        """The map that it was read by: what is provisioned may have changed since."""
        found = map_of(self.notes["columns"])
        assert found is not None, self
        return found


_COLUMNS = (
    SettlementRun.id, SettlementRun.operator_id, Operator.code, SettlementRun.month, SettlementRun.currency,
    SettlementRun.file_name, SettlementRun.sha256, SettlementRun.state, SettlementRun.rows, SettlementRun.bad,
    SettlementRun.total, SettlementRun.author, SettlementRun.at, SettlementRun.approver, SettlementRun.decided_at,
    SettlementRun.summary,
)  # fmt: skip


def read_runs(connection: Connection, *where: sa.ColumnElement[bool], most: int = 1000) -> list[Run]:
    """Runs, the newest first."""
    query = sa.select(*_COLUMNS).outerjoin(Operator, Operator.id == SettlementRun.operator_id)
    return [_run(row) for row in connection.execute(query.where(*where).order_by(SettlementRun.id.desc()).limit(most))]


def read_run(connection: Connection, run_id: int) -> Run:
    """One run. Raises UserMistake when there is none."""
    found = read_runs(connection, SettlementRun.id == run_id)
    if not found:
        raise UserMistake(f"there is no settlement run {run_id}; see: tollbridge settle list")
    return found[0]


def lock_run(connection: Connection, run_id: int) -> Run:
    """One run, locked until the transaction ends. Raises UserMistake when there is none."""
    lock = sa.select(SettlementRun.id).where(SettlementRun.id == run_id).with_for_update()
    connection.execute(lock)
    return read_run(connection, run_id)


def lock_operator(connection: Connection, operator_id: int) -> None:
    """Its files are decided about one at a time, until the transaction ends. Lock the run first."""
    connection.execute(sa.select(Operator.id).where(Operator.id == operator_id).with_for_update())


def _run(row: Any) -> Run:
    values = list(row)
    values[2] = values[2] or f"#{values[1]}"
    values[7] = RunState(values[7])
    return Run(*values)


def run_title(run: Run) -> str:
    """`run 7 (alpha, 2026-10)`: how a run is called in sentences."""
    return f"run {run.id} ({run.operator}, {month_text(run.month)})"


def begin_work(connection: Connection, run: Run, state: RunState) -> str:
    """The run is ours from now on; its state and token are written. The run must be locked."""
    token = secrets.token_hex(8)
    write_run(connection, run, {"state": int(state)}, {"worker": token})
    return token


def hold(connection: Connection, run_id: int, token: str) -> Run:
    """The run, locked, if it is still ours. Raises UserMistake when another one began to work on it."""
    run = lock_run(connection, run_id)
    if run.notes.get("worker") != token:
        raise UserMistake(f"run {run_id}: somebody else began to work on it; this attempt ends, see: settle list")
    return run


def write_run(connection: Connection, run: Run, values: dict[str, Any], notes: dict[str, Any]) -> None:
    """Columns, and notes beside those that are there. The run must be locked."""
    changed = {**values, "summary": {**run.notes, **notes}}
    connection.execute(sa.update(SettlementRun).where(SettlementRun.id == run.id).values(**changed))


@dataclass(frozen=True, slots=True)
class Sums:
    """What the rows of one verdict and one decision come to."""

    verdict: Verdict
    decision: Decision
    has_problem: bool
    agrees: bool
    """To the micro: nobody has to decide about them."""
    rows: int
    amount: int
    ours: int
    due: int
    moved: int
    """The amounts that are due, all above zero."""


def read_sums(connection: Connection, run_id: int) -> list[Sums]:
    """All that stands in a run, in the order of the verdicts."""
    row = SettlementRow
    has_problem = sa.case((row.problem != "", 1), else_=0)
    agrees = sa.case((sa.and_(row.verdict == int(Verdict.MATCHED), row.due == 0), 1), else_=0)
    sums = (sa.func.count(), *(sa.func.sum(x) for x in (row.amount, row.ours, row.due, sa.func.abs(row.due))))
    kinds = (row.verdict, row.decision, has_problem, agrees)
    found = connection.execute(sa.select(*kinds, *sums).where(row.run_id == run_id).group_by(*kinds))
    return sorted(
        (Sums(Verdict(v), Decision(d), bool(p), bool(a), *map(int, rest)) for v, d, p, a, *rest in found),
        key=lambda one: (one.verdict, one.decision, one.has_problem, one.agrees),
    )


def is_open(sums: Sums) -> bool:
    """Whether somebody has to decide about them."""
    return sums.decision is Decision.OPEN and sums.verdict is not Verdict.UNMATCHED and not sums.agrees
