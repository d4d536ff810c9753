"""Matching a file that lists messages: by the operator's id, then by number and time, then what nobody found.

match_messages   the steps in their order, each over the whole file in pieces

Ours are read in the order of their ids and looked for in the file by its index of message ids; the file's rows in the
order of their numbers, and ours looked for by the index of subscribers. So nothing is held but a piece of either.

Rule: a group, the rows of one number, is judged as one; it is cut only where it is larger than a piece.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from itertools import groupby
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import DAY_MS, Instant, month_bounds
from core.settlement.judging import Judgement, Ours
from core.settlement.matching import Alike, alike, match_group, match_key
from core.settlement.reading import FileRow
from core.settlement.verdicts import Verdict
from store.pages import in_pieces
from store.schema import Mo, SettlementRow
from store.settlement.beside import found_elsewhere
from store.settlement.match import FILE_ROW, Worker, file_row
from store.settlement.ours import IN_LIST, NEAR_MS, Kind, Listed, ids_between, read_listed, scan
from store.settlement.stage import BATCH

EARLIER_MS = 31 * DAY_MS
"""How far before and after its month a file's rows may lie and still be found by their ids."""

Cursor: TypeAlias = tuple[str, Instant, int]


def match_messages(worker: Worker) -> None:
    """Every row of the file gets its verdict; what it lacks is added."""
    if worker.columns.key:
        _by_key(worker)
    # There is no index of the numbers that MT went to; an MT has the operator's id.
    by_number = worker.columns.number and worker.columns.time and worker.columns.short_code
    if by_number and Kind.MO in worker.reader.kinds:
        _by_number(worker)
    _alone(worker)
    _again(worker)
    _missing(worker)


# --- by the operator's id -------------------------------------------------------------------------------


def _by_key(worker: Worker) -> None:
    begin, end = worker.step(lambda connection: _reach(worker, connection))
    for kind in worker.reader.kinds:
        first = begin
        while first < end:
            first, judged = worker.step(partial(_key_step, worker, kind, first, end))
            worker.told(judged)


def _reach(worker: Worker, connection: Connection) -> tuple[int, int]:
    """The ids of messages that the file may be about: its month, and what lies near it if rows do."""
    first, after = month_bounds(worker.run.month, worker.columns.zone)
    row = SettlementRow
    query = sa.select(sa.func.min(row.at), sa.func.max(row.at)).where(row.run_id == worker.run.id, row.at > 0)
    low, high = connection.execute(query).one()
    if low is not None:
        first, after = max(min(first, low), first - EARLIER_MS), min(max(after, high + 1), after + EARLIER_MS)
    return ids_between(first, after)


def _key_step(worker: Worker, kind: Kind, first: int, end: int, connection: Connection) -> tuple[int, int]:
    """Some of ours; where the next step begins, and of how many rows the verdict is known now."""
    until = scan(connection, kind, first, end)
    ours = [one for one in worker.reader.between(connection, kind, first, until) if one.keys]
    found = _rows_by_key(worker, connection, [key for one in ours for key in one.keys])
    named = [one for one in ours if any(key in found for key in one.keys)]
    listed = read_listed(connection, worker.run, (one.id for one in named))
    judged: list[tuple[int, Judgement]] = []
    for one in named:
        rows = {
            id_: row
            for key in one.keys
            for id_, row in found.get(key, {}).items()
            if not row.at or abs(row.at - one.at) <= NEAR_MS
        }
        keyed = match_key(list(rows.values()), one, worker.rules, elsewhere=listed.is_billed_elsewhere(one.id))
        judged += zip(rows, keyed.judgements, strict=True)
        for id_, row in rows.items():
            del found[row.key][id_]
    worker.write(connection, judged)
    return until, len(judged)


def _rows_by_key(worker: Worker, connection: Connection, keys: Sequence[str]) -> dict[str, dict[int, FileRow]]:
    """Rows that wait for a verdict, by message id and their own ids."""
    row = SettlementRow
    found: dict[str, dict[int, FileRow]] = defaultdict(dict)
    for some in in_pieces(sorted(set(keys)), IN_LIST):
        query = sa.select(*FILE_ROW).where(row.run_id == worker.run.id, row.key.in_(some), row.verdict == 0)
        for one in connection.execute(query.order_by(row.line, row.id)).all():
            found[one.key][one.id] = file_row(one)
    return found


# --- by number and time -----------------------------------------------------------------------------------


def _by_number(worker: Worker) -> None:
    behind: Cursor | None = ("", 0, 0)
    while behind is not None:
        start = behind
        behind, judged = worker.step(lambda connection: _number_step(worker, connection, start))  # noqa: B023
        worker.told(judged)


def _number_step(worker: Worker, connection: Connection, behind: Cursor) -> tuple[Cursor | None, int]:
    """Some groups; where the next step begins, None at the end, and how many rows were judged."""
    rows = _page(worker, connection, behind)
    if len(rows) == BATCH and rows[0].number != rows[-1].number:
        # The last group may go on in the next piece.
        rows = [row for row in rows if row.number != rows[-1].number]
        is_last = False
    else:
        is_last = len(rows) < BATCH
    waiting = [row for row in rows if row.verdict == Verdict.UNMATCHED]
    if waiting:
        groups = {number: list(some) for number, some in groupby(rows, key=lambda row: row.number)}
        ours = _candidates(worker, connection, waiting)
        listed = read_listed(connection, worker.run, (one.id for some in ours.values() for one in some))
        judged: list[tuple[int, Judgement]] = []
        for number in dict.fromkeys(row.number for row in waiting):
            judged += _judge_group(worker, groups[number], ours.get(number, []), listed)
        worker.write(connection, judged)
    return None if is_last else (rows[-1].number, rows[-1].at, rows[-1].id), len(waiting)


def _page(worker: Worker, connection: Connection, behind: Cursor) -> Sequence[Any]:
    """The next rows in the order of their numbers and times, those that have a verdict too."""
    row = SettlementRow
    number, at, id_ = behind
    after = sa.or_(row.number > number, row.at > at, sa.and_(row.at == at, row.id > id_))
    where = (row.run_id == worker.run.id, row.line > 0, row.number != "", row.number >= number, after)
    query = sa.select(*FILE_ROW, row.verdict, row.mo_id).where(*where)
    return connection.execute(query.order_by(row.number, row.at, row.id).limit(BATCH)).all()


def _candidates(worker: Worker, connection: Connection, rows: Sequence[Any]) -> dict[str, list[Ours]]:
    """Our messages of these numbers, near the times of the rows."""
    window = worker.rules.window_ms
    low, high = min(row.at for row in rows) - window, max(row.at for row in rows) + window
    first, end = ids_between(low, high)
    found: dict[str, list[Ours]] = defaultdict(list)
    for some in in_pieces(sorted({row.number for row in rows}), IN_LIST):
        query = worker.reader.query(Kind.MO).where(Mo.source.in_(some), Mo.id >= first, Mo.id < end)
        for one in worker.reader.read(connection, Kind.MO, connection.execute(query.order_by(Mo.id)).all()):
            if low <= one.at <= high:
                found[one.number].append(one)
    return found


def _judge_group(
    worker: Worker, rows: Sequence[Any], ours: Sequence[Ours], listed: Listed
) -> list[tuple[int, Judgement]]:
    """The rows of one number that wait for a verdict."""
    free: list[Ours] = []
    taken: list[Ours] = []
    elsewhere: list[Ours] = []
    for one in ours:
        here = listed.here.get(one.id, [])
        if here:
            taken.append(one)
            if all(verdict is Verdict.MATCHED and amount < one.amount for verdict, amount in here):
                free += one.slices()[len(here) :] if one.units > 1 else []
        elif listed.is_billed_elsewhere(one.id):
            elsewhere.append(one)
        else:
            free.append(one)
    known: dict[Alike, int] = {alike(file_row(row[:-2])): row.mo_id for row in rows if row.verdict in _SEEN}
    waiting = {row.id: file_row(row[:-2]) for row in rows if row.verdict == Verdict.UNMATCHED}
    found = match_group(
        list(waiting.values()), free, worker.rules, worker.reader.terms_of, taken=taken, elsewhere=elsewhere,
        listed=known,
    )  # fmt: skip
    return list(zip(waiting, found, strict=True))


_SEEN = {Verdict.MATCHED, Verdict.PRICE_DIFFERS}


# --- what nobody found ------------------------------------------------------------------------------------


def _alone(worker: Worker) -> None:
    """Rows without a number that no id has found: missing here, or the same id once more."""
    while judged := worker.step(lambda connection: _alone_step(worker, connection)):
        worker.told(judged)


def _alone_step(worker: Worker, connection: Connection) -> int:
    ids = worker.of_verdict(connection, Verdict.UNMATCHED)
    rows = worker.rows_of(connection, ids)
    firsts = _first_of_keys(worker, connection, {row.key for row in rows.values() if row.key})
    judged = []
    for id_, row in rows.items():
        if row.key and not row.refused and firsts[row.key] < id_:
            judged.append((id_, Judgement(Verdict.DUPLICATE_THERE)))
        else:
            judged.append((id_, worker.rules.judge_alone(row, worker.reader.terms_of(row))))
    worker.write(connection, judged)
    return len(judged)


def _first_of_keys(worker: Worker, connection: Connection, keys: set[str]) -> dict[str, int]:
    """The first row that is not refused, by message id."""
    row = SettlementRow
    found: dict[str, int] = defaultdict(int)
    for some in in_pieces(sorted(keys), IN_LIST):
        where = (row.run_id == worker.run.id, row.key.in_(some), row.refused == sa.false(), row.line > 0)
        query = sa.select(row.key, sa.func.min(row.id)).where(*where).group_by(row.key)
        found.update({key: id_ for key, id_ in connection.execute(query)})
    return found


def _again(worker: Worker) -> None:
    """What is missing here, and another file of the operator lists as that already: it is one message."""
    behind: int | None = 0
    while behind is not None:
        behind = worker.step(partial(_again_step, worker, behind))


def _again_step(worker: Worker, behind: int, connection: Connection) -> int | None:
    """Some rows; behind which the next step begins, None at the end."""
    row = SettlementRow
    where = (row.run_id == worker.run.id, row.decision == 0, row.verdict == int(Verdict.MISSING_HERE), row.id > behind)
    query = sa.select(row.id, row.mo_id).where(*where).order_by(row.id).limit(IN_LIST)
    messages = {id_: mo_id for id_, mo_id in connection.execute(query)}
    found = found_elsewhere(connection, worker.run, list(messages))
    worker.write(connection, [(id_, Judgement(Verdict.DUPLICATE_THERE, messages[id_])) for id_ in sorted(found)])
    return max(messages) if len(messages) == IN_LIST else None


def _missing(worker: Worker) -> None:
    """Messages of the month that no file of the operator lists."""
    begin, end = ids_between(*month_bounds(worker.run.month, worker.columns.zone))
    for kind in worker.reader.kinds:
        first = begin
        while first < end:
            first = worker.step(partial(_missing_step, worker, kind, first, end))


def _missing_step(worker: Worker, kind: Kind, first: int, end: int, connection: Connection) -> int:
    until = scan(connection, kind, first, end)
    found = worker.reader.between(connection, kind, first, until)
    ours = [one for one in found if one.owed and worker.reader.is_of_month(one)]
    listed = read_listed(connection, worker.run, (one.id for one in ours))
    missing = []
    for one in ours:
        rows = listed.all_of(one.id)
        if not rows:
            missing.append(one)
        elif one.units > len(rows) and sum(amount for _, amount in rows) < one.amount:
            # The SMS of a long message that nobody lists.
            missing += one.slices()[len(rows) :]
    worker.add(connection, missing)
    return until
