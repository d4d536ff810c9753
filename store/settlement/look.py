"""Runs and their rows as people see them.

Standing, standings   a run with the sums of its differences
RunRow, rows_of       rows of a run, streamed: all of them, or those of one class

Rule: inside Database.read(); a class is found by its index, and no more than a page of rows is in memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import Instant
from core.settlement.verdicts import Decision, RunState, Verdict
from store.pages import pages
from store.schema import SettlementRow, SettlementRun
from store.settlement.runs import Run, Sums, is_open, read_run, read_runs, read_sums


@dataclass(frozen=True, slots=True)
class Standing:
    """A run and where it stands."""

    run: Run
    sums: list[Sums]

    @property
    def open_rows(self) -> int:
        """Differences that nobody has decided about."""
        return sum(one.rows for one in self.sums if is_open(one))

    @property
    def agrees(self) -> bool:
        """Whether the sums by class are the file's total. While it is read or matched, nobody knows."""
        return sum(one.amount for one in self.sums) == self.run.total


def standings(
    connection: Connection, *, operator: str = "", everything: bool = False, most: int = 100
) -> list[Standing]:
    """Runs, the newest first; those that are dismissed or done only when `everything` is asked for."""
    where: list[sa.ColumnElement[bool]] = []
    if not everything:
        where.append(SettlementRun.state.not_in([int(RunState.POSTED), int(RunState.DISMISSED)]))
    runs = [run for run in read_runs(connection, *where, most=most) if not operator or run.operator == operator]
    return [Standing(run, read_sums(connection, run.id)) for run in runs]


def standing(connection: Connection, run_id: int) -> Standing:
    """One run. Raises UserMistake."""
    return Standing(read_run(connection, run_id), read_sums(connection, run_id))


@dataclass(frozen=True, slots=True)
class RunRow:
    """A row of a run; `line` 0: one of ours that the file lacks."""

    line: int
    verdict: Verdict
    decision: Decision
    key: str
    number: str
    short_code: str
    at: Instant
    count: int
    price: int
    amount: int
    ours: int
    due: int
    mo_id: int
    entry_id: int
    problem: str


_ROW = SettlementRow
_COLUMNS = (
    _ROW.id, _ROW.line, _ROW.verdict, _ROW.decision, _ROW.key, _ROW.number, _ROW.short_code, _ROW.at, _ROW.count,
    _ROW.price, _ROW.amount, _ROW.ours, _ROW.due, _ROW.mo_id, _ROW.entry_id, _ROW.problem,
)  # fmt: skip


def rows_of(connection: Connection, run_id: int, verdict: Verdict | None = None) -> Iterator[RunRow]:
    """Row by row: in the order of the file, ours first; of a class the open ones first."""
    query = sa.select(*_COLUMNS).where(_ROW.run_id == run_id)
    if verdict is None:
        return map(_row, pages(connection, query, (_ROW.line, _ROW.id)))
    of_class = query.where(_ROW.verdict == int(verdict))
    return map(
        _row,
        chain.from_iterable(
            pages(connection, of_class.where(_ROW.decision == int(decision)), (_ROW.id,)) for decision in Decision
        ),
    )


def _row(row: Any) -> RunRow:
    values = list(row[1:])
    values[1], values[2] = Verdict(values[1]), Decision(values[2])
    values[-2] = values[-2] or 0
    return RunRow(*values)
