"""What accepting rows of a file books (billing.md, section 6).

book_rows   rows, and the messages that they are about → Booking: charges, details, and what could not be done
OpenRow     a row as it is decided about; read_open, and read_earlier, those of the same messages before a chunk
read_moved  what the entries of a run have moved
Takes       who can take a message's money back: the messages of a transaction, or a rehearsal of them

    missing_there, refused_there   the message is charged back; what no single message stands for is written off
    price_differs                  less: the rest is written off; more: it is found
    missing_here                   found
    matched                        roundings within the tolerance, one sum of each sign for many rows
    duplicate_there                nothing: it is not ours to claim

Rule: a row that cannot be booked stays open and says why; it never stops the others.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import Month
from core.ledger.corrections import CHARGED_BACK, Corrected, Refused, settle, settled_by
from core.ledger.details import About, Detail, DetailKind
from core.ledger.standing import Place, Settled
from core.settlement.verdicts import Decision, Verdict
from core.tariff.charge import Charge
from store.corrections import Loaded
from store.pages import in_pieces
from store.schema import Entry, Posting, SettlementRow
from store.settlement.ours import IN_LIST
from store.settlement.runs import Run

CHUNK = 500
"""Rows that are posted together."""

GIVEN_BACK = "it was given back to the operator since it was matched; there is nothing left to correct"
REFUNDED = "we have refunded it since it was matched, so the operator owes nothing for it; dismiss this row"
UNKNOWN = (
    "no MO and no premium MT with a charge has this id: it can only be corrected by hand; see: tollbridge act --help"
)
TAKES_BACK = frozenset({Verdict.MISSING_THERE, Verdict.REFUSED_THERE})


@dataclass(frozen=True, slots=True)
class OpenRow:
    """A row that is to be decided about."""

    id: int
    line: int
    verdict: Verdict
    mo_id: int
    due: int


def read_open(
    connection: Connection, run_id: int, verdicts: Collection[Verdict], *, behind: int, most: int
) -> list[OpenRow]:  # fmt: skip
    """Open rows without a problem, in the order of their ids."""
    query = _open_rows(run_id, verdicts).where(SettlementRow.id > behind).order_by(SettlementRow.id).limit(most)
    return [_open_row(row) for row in connection.execute(query)]


def read_earlier(
    connection: Connection, run_id: int, verdicts: Collection[Verdict], rows: Sequence[OpenRow]
) -> list[OpenRow]:
    """Open rows that stand before these and are about the same messages, in the order of their ids."""
    found: list[OpenRow] = []
    for ids in in_pieces(messages_of(rows), IN_LIST):
        query = _open_rows(run_id, verdicts).where(SettlementRow.mo_id.in_(ids), SettlementRow.id < rows[0].id)
        found += [_open_row(row) for row in connection.execute(query)]
    return sorted(found, key=lambda one: one.id)


def _open_rows(run_id: int, verdicts: Collection[Verdict]) -> sa.Select[*tuple[Any, ...]]:
    row = SettlementRow
    return sa.select(row.id, row.line, row.verdict, row.mo_id, row.due).where(
        row.run_id == run_id, row.decision == int(Decision.OPEN), row.verdict.in_([int(one) for one in verdicts]),
        row.problem == "", sa.or_(row.verdict != int(Verdict.MATCHED), row.due != 0),
    )  # fmt: skip


def _open_row(row: Any) -> OpenRow:
    id_, line, verdict, mo_id, due = row
    return OpenRow(id_, line, Verdict(verdict), mo_id, due)


def entry_key(run_id: int, chunk: int | str) -> str:
    """`settlement:7:2`."""
    return f"settlement:{run_id}:{chunk}"


def read_moved(connection: Connection, run_id: int) -> int:
    """The amounts of all postings that were booked for a run, together."""
    query = sa.select(sa.func.sum(Posting.amount)).join(Entry, Entry.id == Posting.entry_id)
    # A range, and no LIKE: SQLite's ignores case, so no index serves it, and all entries would be read for each chunk.
    its = (Entry.key >= f"settlement:{run_id}:", Entry.key < f"settlement:{run_id};")
    return int(connection.execute(query.where(*its)).scalar() or 0)


class Takes(Protocol):
    """store.corrections.Messages, or a rehearsal of it."""

    @property
    def loaded(self) -> Mapping[int, Loaded]:
        """The messages that are there, as they stand."""
        ...

    def charge_back(self, id_: int, reason: str = CHARGED_BACK) -> Corrected | Refused:
        """The operator takes it back."""
        ...

    def note(self, id_: int, amounts: Settled) -> None:
        """What is booked for a message beside it: a charge-back later undoes it."""
        ...


@dataclass(slots=True)
class Booking:
    """What is to be booked. `problems` of rows by their ids; every other row is done with it."""

    charges: list[Charge] = field(default_factory=list)
    details: list[Detail] = field(default_factory=list)
    problems: dict[int, str] = field(default_factory=dict)


def messages_of(rows: Iterable[OpenRow]) -> list[int]:
    """The messages that must be looked at, in the order of their ids."""
    wanted = TAKES_BACK | {Verdict.PRICE_DIFFERS, Verdict.MATCHED}
    return sorted({row.mo_id for row in rows if row.mo_id and row.due and row.verdict in wanted})


def taken_back(rows: Iterable[OpenRow], loaded: Mapping[int, Loaded]) -> list[int]:
    """Those of them whose charges will be taken back whole."""
    return sorted({row.mo_id for row in rows if row.verdict in TAKES_BACK and _is_whole(row, loaded)})


def _is_whole(row: OpenRow, loaded: Mapping[int, Loaded]) -> bool:
    one = loaded.get(row.mo_id)
    return one is not None and -row.due == one.standing.origin.revenue


def book_rows(
    rows: Sequence[OpenRow], takes: Takes, since: Mapping[int, str], run: Run, *, month: Month, author: str, reason: str
) -> Booking:
    """All of them; one that cannot be booked has a problem instead. `since`: what other files say (since.py)."""
    booking = Booking()
    roundings = {True: 0, False: 0}
    for row in rows:
        if not row.due:
            continue
        about = About(row.mo_id, 0, f"settlement:{run.id}:{row.line}", author, reason)
        problem = since.get(row.id) or _problem(row, takes)
        if problem:
            booking.problems[row.id] = problem
        elif row.verdict is Verdict.MATCHED:
            roundings[row.due > 0] += row.due
        elif row.mo_id and row.verdict in TAKES_BACK and _is_whole(row, takes.loaded):
            done = takes.charge_back(row.mo_id)
            if isinstance(done, Refused):
                booking.problems[row.id] = done.sentence[:200]
            else:
                booking.charges += done.charges
                booking.details += done.details
        else:
            rest = _rest(row.due, run, month, about)
            takes.note(row.mo_id, settled_by(rest))
            booking.details += rest
    for due in roundings.values():
        booking.details += _rest(due, run, month, About(0, 0, f"settlement:{run.id}", author, reason))
    return booking


def _problem(row: OpenRow, takes: Takes) -> str:
    """Why it cannot be booked any more."""
    if not row.mo_id or row.verdict is Verdict.MISSING_HERE:
        return ""
    one = takes.loaded.get(row.mo_id)
    if one is None:
        return UNKNOWN
    if one.standing.settled.get(DetailKind.REFUNDED):
        return REFUNDED
    return GIVEN_BACK if one.standing.place is Place.GIVEN_BACK else ""


def _rest(due: int, run: Run, month: Month, about: About) -> list[Detail]:
    """What no message stands for: less is a loss, more lies in suspense."""
    kind = DetailKind.FOUND if due > 0 else DetailKind.WRITTEN_OFF
    return settle(kind, run.operator, due, currency=run.currency, month=month, about=about)
