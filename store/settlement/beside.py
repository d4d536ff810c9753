"""What an operator's other files say beside a run's: nothing is written off twice, and nothing is found twice.

read_beside      the runs that speak of the same messages: of the month, the currency, the kinds of messages
check_beside     whether two files that count would count the same messages
counted_by       the days and short codes that they count
written_off      what they have written off;  read_written_off, all of one run
found_elsewhere  rows that are missing here, and are so in another file of the operator

A file that counts names no message. Where two of them count the same day and short code, nobody can tell whether the
second one corrects the first or adds to it: it is refused, and a person says which one holds. What a file does not
speak of while another one does is not missing there. A row of a file of messages is another one's, listed again, when
it has the operator's id, or where one of them has none, the number, short code, time, count and amount.

Rule: only runs that were not dismissed say anything, and rows that were dismissed are as if nobody had listed them.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NoReturn, TypeAlias

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.orm import aliased

from core.clock import day_of
from core.errors import UserMistake
from core.settlement.counting import Day
from core.settlement.days import day_end, day_start
from core.settlement.verdicts import Decision, RunState, Verdict
from store.pages import in_pieces
from store.schema import SettlementRow, SettlementRun
from store.settlement.ours import IN_LIST, NEAR_MS, kinds_of
from store.settlement.runs import LIVE, Run, read_runs, run_title
from store.settlement.stage import BATCH

Place: TypeAlias = tuple[Day, str]
"""A day and a short code: what a row that counts is about, at whatever price."""
Priced: TypeAlias = tuple[Day, str, int]
"""A place and one of our prices."""

_KNOWN = [int(state) for state in (RunState.MATCHED, RunState.APPROVED, RunState.POSTED)]
"""Of two runs that are matched at once neither goes by the other's rows: each would be the other's repetition."""


def read_beside(connection: Connection, run: Run) -> list[Run]:
    """Other runs that are about the same messages."""
    table = SettlementRun
    same = (table.operator_id == run.operator_id, table.month == run.month, table.currency == run.currency)
    live = (table.state.in_([int(state) for state in LIVE]), table.id != run.id)
    mine = set(kinds_of(run.columns))
    return [one for one in read_runs(connection, *same, *live) if mine & set(kinds_of(one.columns))]


# --- files that count -----------------------------------------------------------------------------------


def check_beside(connection: Connection, run: Run) -> None:
    """Refuse to match, or to accept, what another file counts as well. Raises UserMistake."""
    others = {other.id: other for other in read_beside(connection, run)}
    for other in others.values():
        if (run.columns.only_counts or other.columns.only_counts) and _footing(run) != _footing(other):
            _refuse(run, other, "both are about the same messages, and their files are laid out in two ways")
    if not run.columns.only_counts or not others:
        return
    for places in _places(connection, run):
        for place, id_ in sorted(counted_by(connection, list(others), run, places).items()):
            _refuse(run, others[id_], f"both count {place_name(place, run)}")


def _footing(run: Run) -> tuple[Any, ...]:
    """What two files must have in common for their counts to be held against each other."""
    columns = run.columns
    return columns.only_counts, columns.zone, columns.messages, columns.price_basis, columns.amount_basis


def _refuse(run: Run, other: Run, why: str) -> NoReturn:
    if other.state in {RunState.APPROVED, RunState.POSTED}:
        what = f"of the other one something is decided already, so {by_hand(run)}"
    else:
        what = "dismiss the one that does not hold: tollbridge settle dismiss RUN --by NAME --reason TEXT"
    raise UserMistake(f"{run_title(run)} cannot stand beside run {other.id}: {why}; {what}")


def by_hand(run: Run) -> str:
    """What is to be done with a file that comes too late, as the end of a sentence."""
    return (
        f"dismiss run {run.id} and enter what its file says otherwise as an adjustment between "
        f"operator:{run.operator}:receivable and expense:loss: tollbridge act adjust"
    )


def place_name(place: Place, run: Run) -> str:
    """`2024-10-15, short code 4446`."""
    day = day_of(place[0], run.columns.zone)
    return f"{day // 10_000}-{day // 100 % 100:02d}-{day % 100:02d}, short code {place[1]}"


def _places(connection: Connection, run: Run) -> Iterator[set[Place]]:
    """What a file counts, piece by piece, in the order of its days."""
    row = SettlementRow
    at, id_, more = 0, 0, True
    while more:
        after = sa.or_(row.at > at, row.id > id_)
        where = (row.run_id == run.id, row.number == "", row.at >= at, after, row.line > 0, row.at > 0)
        query = sa.select(row.id, row.at, row.short_code).where(*where).order_by(row.at, row.id).limit(BATCH)
        found = connection.execute(query).all()
        yield {(day_start(one.at, run.columns.zone), one.short_code) for one in found}
        more = len(found) == BATCH
        if more:
            at, id_ = found[-1].at, found[-1].id


def counted_by(
    connection: Connection, others: Sequence[int], run: Run, places: Collection[Place]
) -> dict[Place, int]:  # fmt: skip
    """Those of the places that files of these runs count, with the first such run."""
    row, found = SettlementRow, {}
    for day, codes in _by_day(places if others else ()):
        within = (row.at >= day, row.at < day_end(day, run.columns.zone), row.short_code.in_(codes))
        where = (row.run_id.in_(others), row.number == "", *within, row.line > 0)
        query = sa.select(row.short_code, sa.func.min(row.run_id)).where(*where).group_by(row.short_code)
        found.update({(day, code): id_ for code, id_ in connection.execute(query)})
    return found


def written_off(connection: Connection, others: Sequence[int], places: Collection[Place]) -> set[Priced]:
    """What of these places these runs have written off."""
    row, found = SettlementRow, set()
    for day, codes in _by_day(places if others else ()):
        where = (row.run_id.in_(others), row.number == "", row.at == day, row.short_code.in_(codes), *_WRITTEN_OFF)
        found |= {
            (day, code, price) for code, price in connection.execute(sa.select(row.short_code, row.price).where(*where))
        }
    return found


_WRITTEN_OFF = (
    SettlementRow.line == 0,
    SettlementRow.verdict == int(Verdict.MISSING_THERE),
    SettlementRow.decision == int(Decision.ACCEPTED),
)


def read_written_off(connection: Connection, run_id: int, behind: int) -> Sequence[Any]:
    """The next rows that a run has written off: id, at, short_code, price, count, ours, due."""
    row = SettlementRow
    columns = (row.id, row.at, row.short_code, row.price, row.count, row.ours, row.due)
    query = sa.select(*columns).where(row.run_id == run_id, row.id > behind, *_WRITTEN_OFF)
    return connection.execute(query.order_by(row.id).limit(BATCH)).all()


def _by_day(places: Collection[Place]) -> Iterator[tuple[Day, list[str]]]:
    """The short codes of each day, not too many at a time."""
    codes: dict[Day, set[str]] = defaultdict(set)
    for day, code in places:
        codes[day].add(code)
    for day in sorted(codes):
        for some in in_pieces(sorted(codes[day]), IN_LIST):
            yield day, list(some)


# --- files of messages ----------------------------------------------------------------------------------

_MINE, _OTHER = aliased(SettlementRow, name="mine"), aliased(SettlementRow, name="other")
_OF_RUN = _OTHER.run_id == SettlementRun.id
_RUNS = sa.join(_MINE, SettlementRun, sa.true())
# Each is found by an index: (run_id, key), (run_id, number, at), mo_id.
_SAME_KEY = _RUNS.join(
    _OTHER,
    sa.and_(
        _OF_RUN,
        _MINE.key != "",
        _OTHER.key == _MINE.key,
        sa.or_(_MINE.at == 0, _OTHER.at == 0, _OTHER.at.between(_MINE.at - NEAR_MS, _MINE.at + NEAR_MS)),
    ),
)
_ALIKE = _RUNS.join(
    _OTHER,
    sa.and_(
        _OF_RUN,
        _MINE.number != "",
        _MINE.at > 0,
        sa.or_(_MINE.key == "", _OTHER.key == ""),
        *(getattr(_OTHER, name) == getattr(_MINE, name) for name in ("number", "at", "short_code", "count", "amount")),
    ),
)
_SAME_MESSAGE = sa.join(_MINE, _OTHER, sa.and_(_MINE.mo_id != 0, _OTHER.mo_id == _MINE.mo_id)).join(
    SettlementRun, _OF_RUN
)


def found_elsewhere(connection: Connection, run: Run, ids: Sequence[int], *, booked: bool = False) -> set[int]:
    """Those of these rows, all missing here, that other files of the operator have listed as missing here already.

    `booked`: only what was accepted there counts. Else what may be accepted there too.
    """
    others = _with_found(connection, run) if ids else []
    if not others:
        return set()
    accepted = _OTHER.decision == int(Decision.ACCEPTED)
    may_be = sa.and_(_OTHER.decision == int(Decision.OPEN), _OTHER.problem == "", SettlementRun.state.in_(_KNOWN))
    counts = accepted if booked else sa.or_(accepted, may_be)
    found: set[int] = set()
    # MariaDB may take another run's rows for few, and would look through all of them for each piece.
    query = sa.select(_MINE.id).distinct().prefix_with("STRAIGHT_JOIN", dialect="mysql")
    for some in in_pieces(list(ids), IN_LIST):
        where = (_MINE.id.in_(some), SettlementRun.id.in_(others), _OTHER.verdict == int(Verdict.MISSING_HERE), counts)
        for tables in (_SAME_KEY, _ALIKE, _SAME_MESSAGE):
            found.update(connection.execute(query.select_from(tables).where(*where)).scalars())
    return found


def _with_found(connection: Connection, run: Run) -> list[int]:
    """Other runs of the operator in which something is missing here: most months have few such rows, or none."""
    table, row = SettlementRun, SettlementRow
    decided = row.decision.in_([int(Decision.OPEN), int(Decision.ACCEPTED)])
    has_some = sa.exists().where(row.run_id == table.id, decided, row.verdict == int(Verdict.MISSING_HERE))
    live = (table.operator_id == run.operator_id, table.state.in_([int(state) for state in LIVE]), table.id != run.id)
    return list(connection.execute(sa.select(table.id).where(*live, has_some)).scalars())
