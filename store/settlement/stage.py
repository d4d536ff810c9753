"""A file of an operator → rows in the database: the good ones to be matched, the bad ones with their reason.

stage     reads it, in batches; the same file again is recognised by its hash
Staged    what came of it

Nothing is posted. A staging that was broken off is begun anew by the next one; a run that was dismissed gives its file
free, so that it can be staged by a better map.

Rule: a batch is a transaction and holds BATCH rows; no more of the file is in memory.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import Instant, Month, month_bounds, month_text
from core.errors import UserMistake
from core.money import MICROS_MAX
from core.second_person import checked_name
from core.settlement.columns import ColumnMap, map_of
from core.settlement.reading import ColumnsMissing, FileRow, RowReader, TotalLine, Unreadable
from core.settlement.verdicts import RunState, Verdict
from store.bulk import bulk_insert
from store.database import Database
from store.journal.rows import short_key
from store.pages import in_pieces
from store.provisioning.sentences import there_is_no
from store.repeating import repeated
from store.schema import Operator, SettlementRow, SettlementRun
from store.settlement.files import OpenFile, open_file
from store.settlement.runs import begin_work, hold, lock_operator, lock_run, read_runs, write_run

BATCH = 2_000
HOPELESS = 1_000
"""After so many rows, none of them good, the map is wrong and not the file."""
TOLD = 5
ROW_COLUMNS = (
    "run_id", "line", "key", "number", "short_code", "at", "count", "price", "amount", "refused", "verdict", "mo_id",
    "ours", "due", "decision", "entry_id", "problem",
)  # fmt: skip
_NAME_MAX = 200
_KEY_MAX = 64
"""A longer id of the operator's is its hash in the journal too (smsc_link/protocols/smpp/inbound.py)."""

Progress: TypeAlias = Callable[[int, int], None]
"""(how far, of how much): the second is 0 where nobody knows."""


@dataclass(slots=True)
class Staged:
    """What came of a file. `told`: the file's own total, where it has one. Not `is_new`: it was staged before."""

    run: int
    state: RunState
    is_new: bool
    rows: int = 0
    bad: int = 0
    total: int = 0
    told: int | None = None
    reasons: list[str] = field(default_factory=list)
    """Of the first bad rows."""


def stage(
    database: Database, path: Path, *, operator: str, month: Month, author: str, now: Instant,
    progress: Progress = lambda done, of: None,
) -> Staged:  # fmt: skip
    """Read a file of an operator's month. Raises UserMistake, and then nothing is staged; StoreAway."""
    author = checked_name(author)
    with database.read() as connection:
        operator_id, currency, columns = _operator(connection, operator)
    if month_bounds(month, columns.zone)[1] > now:
        raise UserMistake(f"{month_text(month)} is not over yet in {columns.zone}; stage its file after its end")
    with open_file(path, columns) as file:
        with path.open("rb") as octets:
            sha256 = hashlib.file_digest(octets, "sha256").hexdigest()
        begun = _begin(database, sha256, {
            "operator_id": operator_id, "month": month, "currency": currency, "file_name": path.name[-_NAME_MAX:],
            "author": author, "at": now, "approver": "", "decided_at": 0,
        }, columns)  # fmt: skip
        if isinstance(begun, Staged):
            return begun
        run_id, token = begun
        try:
            return _Staging(database, run_id, token, columns).read(file, operator, progress)
        except UserMistake:
            remove(database, run_id, token)
            raise


def _operator(connection: Connection, code: str) -> tuple[int, str, ColumnMap]:
    query = sa.select(Operator.id, Operator.currency, Operator.settlement).where(Operator.code == code)
    found = connection.execute(query).first()
    if found is None:
        raise UserMistake(there_is_no("operator", code, connection.execute(sa.select(Operator.code)).scalars()))
    columns = map_of(found.settlement or None)
    if columns is None:
        raise UserMistake(f"nobody said how files of {code} are laid out; give [[operator]] {code} a settlement table")
    return found.id, found.currency, columns


def _begin(
    database: Database, sha256: str, values: Mapping[str, Any], columns: ColumnMap
) -> Staged | tuple[int, str]:  # fmt: skip
    """A new run and its token; what is left of one that was broken off is removed. Or the run that has this file."""

    def take(connection: Connection) -> Staged | tuple[int, str]:
        table = SettlementRun
        same = (table.operator_id == values["operator_id"], table.sha256 == sha256)
        for run in read_runs(connection, *same):
            if run.state is not RunState.STAGING:
                return Staged(run.id, run.state, False, run.rows, run.bad, run.total, run.notes.get("told"))
            notes = {"columns": asdict(columns)}
            write_run(connection, lock_run(connection, run.id), dict(values), notes)
            return run.id, begin_work(connection, lock_run(connection, run.id), RunState.STAGING)
        blank = {
            "rows": 0,
            "bad": 0,
            "total": 0,
            "state": int(RunState.STAGING),
            "summary": {"columns": asdict(columns)},
        }
        key = connection.execute(sa.insert(table).values(**values, sha256=sha256, **blank)).inserted_primary_key
        assert key is not None
        return key[0], begin_work(connection, lock_run(connection, key[0]), RunState.STAGING)

    begun = repeated(database, take)
    if not isinstance(begun, Staged):
        _remove_rows(database, *begun)
    return begun


class _Staging:
    """One file on its way into the database."""

    def __init__(self, database: Database, run_id: int, token: str, columns: ColumnMap) -> None:
        self._database = database
        self._run_id = run_id
        self._token = token
        self._columns = columns
        self._staged = Staged(run_id, RunState.STAGED, True)

    def read(self, file: OpenFile, operator: str, progress: Progress) -> Staged:
        """All of it."""
        staged = self._staged
        rows = self._rows(file, operator)
        while some := list(islice(rows, BATCH)):
            self._write(some)
            progress(*file.progress())
            if staged.rows == staged.bad >= HOPELESS:
                break
        if staged.rows == staged.bad:
            why = staged.reasons[0] if staged.reasons else "it has no rows"
            raise UserMistake(f"{operator}: no row of the file can be read ({why}); see [[operator]] settlement")

        def finish(connection: Connection) -> None:
            run = hold(connection, self._run_id, self._token)
            # From here on its rows speak, and who books another file's must know it.
            lock_operator(connection, run.operator_id)
            values = {"rows": staged.rows, "bad": staged.bad, "total": staged.total, "state": int(RunState.STAGED)}
            write_run(connection, run, values, {"told": staged.told})

        repeated(self._database, finish)
        return staged

    def _rows(self, file: OpenFile, operator: str) -> Iterator[FileRow | Unreadable]:
        columns, staged = self._columns, self._staged
        lines = file.lines()
        header = list(islice(lines, columns.header))
        if len(header) < columns.header or (header and header[-1].problem):
            raise UserMistake(f"the file has no header in row {columns.header}; see [[operator]] {operator} settlement")
        try:
            reader = RowReader(columns, header[-1].cells if header else [])
        except ColumnsMissing as error:
            raise UserMistake(f"{error}; correct [[operator]] {operator} settlement, its encoding too") from error
        file.needs(reader.width)
        for line in lines:
            found = reader.read(line.number, line.cells) if not line.problem else Unreadable(line.number, line.problem)
            if isinstance(found, TotalLine):
                staged.told = found.amount
            elif found is not None:
                yield found

    def _write(self, rows: list[FileRow | Unreadable]) -> None:
        made = [_row(self._run_id, row) for row in rows]

        def insert(connection: Connection) -> None:
            hold(connection, self._run_id, self._token)
            bulk_insert(connection, SettlementRow, ROW_COLUMNS, made)

        repeated(self._database, insert)
        staged = self._staged
        staged.rows += len(rows)
        for row in rows:
            if isinstance(row, Unreadable):
                staged.bad += 1
                if len(staged.reasons) < TOLD:
                    staged.reasons.append(f"row {row.line}: {row.reason}")
            else:
                staged.total += row.amount
        if abs(staged.total) > MICROS_MAX:
            raise UserMistake("the file's amounts come to more than can be counted; is it the right column?")


def _row(run_id: int, row: FileRow | Unreadable) -> tuple[Any, ...]:
    if isinstance(row, Unreadable):
        bad = int(Verdict.UNREADABLE)
        return (run_id, row.line, "", "", "", 0, 0, 0, 0, 0, bad, 0, 0, 0, 0, None, row.reason[:200])
    return (
        run_id, row.line, short_key(row.key, _KEY_MAX), row.number, row.short_code, row.at, row.count, row.price,
        row.amount, int(row.refused), int(Verdict.UNMATCHED), 0, 0, 0, 0, None, "",
    )  # fmt: skip


def remove(database: Database, run_id: int, token: str) -> None:
    """A run that came to nothing, with its rows. Raises UserMistake when it is no longer ours."""
    _remove_rows(database, run_id, token)

    def drop(connection: Connection) -> None:
        hold(connection, run_id, token)
        connection.execute(sa.delete(SettlementRun).where(SettlementRun.id == run_id))

    repeated(database, drop)


def _remove_rows(database: Database, run_id: int, token: str) -> None:
    def some(connection: Connection) -> bool:
        hold(connection, run_id, token)
        return drop_rows(connection, SettlementRow.run_id == run_id)

    while repeated(database, some):
        pass


def drop_rows(connection: Connection, *where: sa.ColumnElement[bool]) -> bool:
    """A batch of rows; whether there may be more."""
    found = list(connection.execute(sa.select(SettlementRow.id).where(*where).limit(BATCH)).scalars())
    for ids in in_pieces(found, 500):
        connection.execute(sa.delete(SettlementRow).where(SettlementRow.id.in_(ids)))
    return len(found) == BATCH
