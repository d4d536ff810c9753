"""Matching: every row of a staged file gets its verdict, and what of ours it lacks a row of its own.

match    a run, anew each time, until something of it is approved
Worker   what the steps of it share: transactions that begin with `hold`, rows read in pieces, verdicts written

Rule: it ends only when the sums by verdict are the file's total, to the micro.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import product
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection

from core.catalogue import Catalogue
from core.errors import StoreConflict, UserMistake
from core.settlement.judging import Judgement, Ours, Rules
from core.settlement.reading import FileRow
from core.settlement.verdicts import Decision, RunState, Verdict
from store.bulk import bulk_insert, bulk_update
from store.database import Database
from store.pages import in_pieces
from store.repeating import repeated
from store.schema import SettlementRow
from store.secrets import Sealed
from store.settlement.beside import check_beside
from store.settlement.ours import OursReader
from store.settlement.runs import Run, Sums, begin_work, hold, lock_run, read_run, read_sums, write_run
from store.settlement.stage import BATCH, ROW_COLUMNS, Progress, drop_rows
from store.snapshot import read_catalogue

T = TypeVar("T")

JUDGED = ("id", "verdict", "mo_id", "ours", "due", "decision", "problem")
FILE_ROW = (
    SettlementRow.id, SettlementRow.line, SettlementRow.key, SettlementRow.number, SettlementRow.short_code,
    SettlementRow.at, SettlementRow.count, SettlementRow.price, SettlementRow.amount, SettlementRow.refused,
)  # fmt: skip


def match(database: Database, run_id: int, *, progress: Progress = lambda done, of: None) -> list[Sums]:
    """The sums by verdict. Raises UserMistake when the run is decided already, or another one counts the same;
    StoreAway.
    """
    from store.settlement.by_count import match_counts
    from store.settlement.by_message import match_messages

    with database.read() as connection:
        catalogue = read_catalogue(connection, Sealed())
        # A run is live before it is matched: of two that count the same, whoever looks second sees the first.
        check_beside(connection, _checked(read_run(connection, run_id)))

    def begin(connection: Connection) -> tuple[Run, str]:
        run = _checked(lock_run(connection, run_id))
        return run, begin_work(connection, run, RunState.STAGED)

    run, token = repeated(database, begin)
    worker = Worker(database, run, token, catalogue, progress)
    worker.forget()
    (match_counts if run.columns.only_counts else match_messages)(worker)
    return worker.finish()


def _checked(run: Run) -> Run:
    """It may be matched. Raises UserMistake."""
    if run.state not in {RunState.STAGED, RunState.MATCHED}:
        raise UserMistake(_not_now(run))
    return run


def _not_now(run: Run) -> str:
    if run.state is RunState.STAGING:
        return f"run {run.id} is being read, or that was broken off: stage its file again"
    if run.state is RunState.DISMISSED:
        return f"run {run.id} was dismissed; stage its file again"
    return f"run {run.id} is {run.state.word}: what was accepted stays as it was matched"


class Worker:
    """One matching under way."""

    def __init__(
        self, database: Database, run: Run, token: str, catalogue: Catalogue, progress: Progress
    ) -> None:  # fmt: skip
        self.run = run
        self.columns = run.columns
        self.rules = Rules.of(run.columns)
        self.reader = OursReader(catalogue, run)
        self.database = database
        self._token = token
        self._progress = progress
        self._done = 0

    def step(self, work: Callable[[Connection], T]) -> T:
        """One transaction of it."""

        def held(connection: Connection) -> T:
            hold(connection, self.run.id, self._token)
            return work(connection)

        return repeated(self.database, held)

    def told(self, rows: int) -> None:
        """Of so many rows more the verdict is known."""
        self._done += rows
        self._progress(min(self._done, self.run.rows), self.run.rows)

    def forget(self) -> None:
        """What an earlier matching has found."""
        row = SettlementRow
        while self.step(lambda connection: drop_rows(connection, row.run_id == self.run.id, row.line == 0)):
            pass
        judged = set(Verdict) - {Verdict.UNMATCHED, Verdict.UNREADABLE}
        for verdict, decision in product(sorted(judged), (Decision.OPEN, Decision.DISMISSED)):
            forget = partial(self._forget_some, verdict=verdict, decision=decision)
            while self.step(forget):
                pass

    def _forget_some(self, connection: Connection, *, verdict: Verdict, decision: Decision) -> bool:
        blank = Judgement(Verdict.UNMATCHED)
        found = self.of_verdict(connection, verdict, decision)
        self.write(connection, ((id_, blank) for id_ in found))
        return len(found) == BATCH

    def of_verdict(self, connection: Connection, verdict: Verdict, decision: Decision = Decision.OPEN) -> list[int]:
        """Ids of up to BATCH rows."""
        row = SettlementRow
        where = (row.run_id == self.run.id, row.decision == int(decision), row.verdict == int(verdict))
        return list(connection.execute(sa.select(row.id).where(*where).order_by(row.id).limit(BATCH)).scalars())

    def rows_of(self, connection: Connection, ids: Sequence[int]) -> dict[int, FileRow]:
        """File rows by their ids, in that order."""
        found = {}
        for some in in_pieces(list(ids), 500):
            query = sa.select(*FILE_ROW).where(SettlementRow.id.in_(some)).order_by(SettlementRow.id)
            found.update({row.id: file_row(row) for row in connection.execute(query).all()})
        return found

    def write(self, connection: Connection, judged: Iterable[tuple[int, Judgement]]) -> None:
        """Verdicts of rows by their ids; what somebody said to another verdict is no longer said."""
        rows = [(id_, int(one.verdict), one.mo_id, one.ours, one.due, 0, one.problem) for id_, one in judged]
        bulk_update(connection, SettlementRow, JUDGED, rows)

    def add(self, connection: Connection, ours: Iterable[Ours]) -> None:
        """Messages of ours that the file lacks; its amount for them is 0."""
        missing = int(Verdict.MISSING_THERE)
        rows = [
            (
                self.run.id, 0, "".join(one.keys[:1]), one.number, one.short_code, one.at, one.units, one.price, 0, 0,
                missing, one.id, one.amount, -one.revenue, 0, None, "",
            )
            for one in ours
        ]  # fmt: skip
        bulk_insert(connection, SettlementRow, ROW_COLUMNS, rows)

    def finish(self) -> list[Sums]:
        """All of it has a verdict; or StoreConflict, and the run stays unmatched."""

        def end(connection: Connection) -> list[Sums]:
            run = hold(connection, self.run.id, self._token)
            sums = read_sums(connection, run.id)
            amount, ours = sum(one.amount for one in sums), _rows_of_ours(connection, run.id)
            rows = sum(one.rows for one in sums) - ours
            unmatched = sum(one.rows for one in sums if one.verdict is Verdict.UNMATCHED)
            if (amount, rows, unmatched) != (run.total, run.rows, 0):
                raise StoreConflict(
                    f"run {run.id}: {rows} rows of together {amount} were matched, {unmatched} not; staged were "
                    f"{run.rows} of {run.total} (micros). This is a mistake of ours: report it"
                )
            write_run(connection, run, {"state": int(RunState.MATCHED)}, {"worker": ""})
            return sums

        return repeated(self.database, end)


def _rows_of_ours(connection: Connection, run_id: int) -> int:
    row = SettlementRow
    query = sa.select(sa.func.count()).where(row.run_id == run_id, row.line == 0)
    return connection.execute(query).scalar_one()


def file_row(row: Any) -> FileRow:
    """A row of FILE_ROW, without its id."""
    _, line, key, number, short_code, at, count, price, amount, refused = row
    return FileRow(line, key, number, short_code, at, count, price, amount, bool(refused))
