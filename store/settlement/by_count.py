"""Matching a file that only counts: our messages of the month are counted the same way, then its rows take from it.

match_counts   one look at the month, four over the file: by price, then whatever the price; what is paid before what
               was refused

Rule: what is counted is held in memory, by day, short code and price; messages and rows never are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import month_bounds
from core.settlement.counting import Bucket, Tally
from core.settlement.days import day_start
from core.settlement.judging import Judgement, Ours
from core.settlement.reading import FileRow
from core.settlement.verdicts import Verdict
from store.schema import SettlementRow
from store.settlement.match import FILE_ROW, Worker, file_row
from store.settlement.ours import Kind, ids_between, scan
from store.settlement.stage import BATCH

Settle: TypeAlias = Callable[[FileRow], Judgement | None]


def match_counts(worker: Worker) -> None:
    """Every row of the file gets its verdict; what it lacks is added."""
    zone = worker.columns.zone
    tally = Tally(worker.rules)
    _count(worker, tally)

    def by_price(row: FileRow) -> Judgement | None:
        return tally.settle(row, day_start(row.at, zone))

    def anyhow(row: FileRow) -> Judgement | None:
        return tally.settle_anyhow(row, day_start(row.at, zone), worker.reader.terms_of)

    for settle in (by_price, anyhow):
        for refused in (False, True):
            _settle(worker, settle, refused=refused)
    left = [_as_message(bucket) for bucket in tally.left()]
    for start in range(0, len(left), BATCH):
        some = left[start : start + BATCH]
        worker.step(lambda connection: worker.add(connection, some))  # noqa: B023


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
