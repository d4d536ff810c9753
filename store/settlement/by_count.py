"""Matching a file that only counts: our messages of the month are counted the same way, then its rows take from it.

match_counts   one look at the month, four over the file: by price, then whatever the price; what is paid before what
               was refused

Several files of one month may share it out by day and short code (beside.py). What another one's run has written off,
because this one was not there yet, is not owed any more: it is missing here, and found when that is accepted. What
another one counts is not missing there.

Rule: what is counted is held in memory, by day, short code and price; messages and rows never are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import month_bounds
from core.errors import UserMistake
from core.settlement.counting import Bucket, Tally
from core.settlement.days import day_start
from core.settlement.judging import Judgement, Ours
from core.settlement.reading import FileRow
from core.settlement.verdicts import Verdict
from store.pages import in_pieces
from store.schema import SettlementRow
from store.settlement.beside import Place, by_hand, counted_by, place_name, read_beside, read_written_off
from store.settlement.match import FILE_ROW, Worker, file_row
from store.settlement.ours import Kind, ids_between, scan
from store.settlement.runs import Run, run_title
from store.settlement.stage import BATCH

Settle: TypeAlias = Callable[[FileRow], Judgement | None]


def match_counts(worker: Worker) -> None:
    """Every row of the file gets its verdict; what it lacks is added."""
    zone = worker.columns.zone
    tally = Tally(worker.rules)
    _count(worker, tally)
    _write_off(worker, tally)

    def by_price(row: FileRow) -> Judgement | None:
        return tally.settle(row, day_start(row.at, zone))

    def anyhow(row: FileRow) -> Judgement | None:
        return tally.settle_anyhow(row, day_start(row.at, zone), worker.reader.terms_of)

    for settle in (by_price, anyhow):
        for refused in (False, True):
            _settle(worker, settle, refused=refused)
    for some in in_pieces(list(tally.left()), BATCH):
        counted = worker.step(partial(_counted, worker, {(one.day, one.short_code) for one in some}))
        lacking = [_as_message(one) for one in some if (one.day, one.short_code) not in counted]
        worker.step(lambda connection: worker.add(connection, lacking))  # noqa: B023


def _count(worker: Worker, tally: Tally) -> None:
    zone = worker.columns.zone
    begin, end = ids_between(*month_bounds(worker.run.month, zone))
    for kind in worker.reader.kinds:
        first = begin
        while first < end:
            first, ours = worker.step(partial(_some, worker, kind, first, end))
            for one in ours:
                if worker.reader.is_of_month(one):
                    tally.add(day_start(one.at, zone), one)


def _write_off(worker: Worker, tally: Tally) -> None:
    """What the runs beside this one have written off is owed no more."""
    for other in worker.step(lambda connection: read_beside(connection, worker.run)):
        behind: int | None = 0
        while behind is not None:
            rows = worker.step(partial(read_written_off, run_id=other.id, behind=behind))
            gone: dict[Place, int] = {}
            for _, day, code, price, count, amount, due in rows:
                lacking = tally.write_off(day, code, price, count=count, amount=amount, revenue=-due)
                if lacking:
                    gone[day, code] = lacking
            if gone:
                worker.step(partial(_check_gone, worker, other, gone))
            behind = rows[-1].id if len(rows) == BATCH else None


def _check_gone(worker: Worker, other: Run, gone: dict[Place, int], connection: Connection) -> None:
    """Of what was written off, messages were given back besides: by how much too little is owed, no count can say."""
    for place in sorted(counted_by(connection, [worker.run.id], worker.run, gone)):
        raise UserMistake(
            f"{run_title(worker.run)} cannot be matched: run {other.id} wrote off messages of "
            f"{place_name(place, worker.run)}, and {gone[place]} of them are not owed any more; {by_hand(worker.run)}"
        )


def _counted(worker: Worker, places: set[Place], connection: Connection) -> set[Place]:
    """Those that another file counts."""
    others = [other.id for other in read_beside(connection, worker.run)]
    return set(counted_by(connection, others, worker.run, places))


def _some(worker: Worker, kind: Kind, first: int, end: int, connection: Connection) -> tuple[int, list[Ours]]:
    until = scan(connection, kind, first, end)
    return until, worker.reader.between(connection, kind, first, until)


@dataclass(slots=True)
class _Piece:
    """Rows that were read, and where the next ones begin."""

    rows: list[tuple[int, FileRow]]
    behind: tuple[int, int]
    is_last: bool


def _settle(worker: Worker, settle: Settle, *, refused: bool) -> None:
    behind = (0, 0)
    while True:
        start = behind
        piece = worker.step(lambda connection: _piece(worker, connection, start, refused=refused))  # noqa: B023
        # Judged once, outside the transaction: what a row takes from the tally it takes only once.
        judged = [(id_, found) for id_, row in piece.rows if (found := settle(row)) is not None]
        worker.step(lambda connection: worker.write(connection, judged))  # noqa: B023
        worker.told(len(judged))
        if piece.is_last:
            return
        behind = piece.behind


def _piece(worker: Worker, connection: Connection, behind: tuple[int, int], *, refused: bool) -> _Piece:
    """The next rows that wait for a verdict, in the order of the file."""
    row = SettlementRow
    line, id_ = behind
    after = sa.or_(row.line > line, row.id > id_)
    where = (row.run_id == worker.run.id, row.line > 0, row.line >= line, after)
    of_kind = (row.verdict == int(Verdict.UNMATCHED), row.refused == (sa.true() if refused else sa.false()))
    query = sa.select(*FILE_ROW).where(*where, *of_kind).order_by(row.line, row.id).limit(BATCH)
    found = connection.execute(query).all()
    last = (found[-1].line, found[-1].id) if found else behind
    return _Piece([(one.id, file_row(one)) for one in found], last, len(found) < BATCH)


def _as_message(bucket: Bucket) -> Ours:
    """What no row has counted, as a row of ours."""
    count, price = bucket.left, bucket.price
    amount, revenue = bucket.take(count)
    return Ours(0, (), "", bucket.short_code, bucket.day, count, price, amount, revenue, bucket.terms)
