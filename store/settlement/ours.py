"""Our messages on the footing of an operator's file, and which rows are about them already.

OursReader     messages → Ours; `kinds` are those that the file lists, `query` and `read` give their rows
Kind           MO, found by id and by number, or premium MT, found by the operator's id only; kinds_of a file
scan           the ids that a step may look at, so that no statement looks through more than SIEVE messages
given_back     messages that the operator has again, or that we have refunded
read_listed    what rows of this file, and of the operator's other files, say of messages

Rule: what nobody owes us (a test, a message that was given back) is known and owes nothing; it is never invented anew.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy import Connection

from core.catalogue import Catalogue, Tariff, VatRate, version_at
from core.clock import DAY_MS, Instant, month_bounds
from core.ids import first_id_at
from core.ledger.details import DetailKind
from core.message import MtKind
from core.settlement.amounts import Terms, in_basis
from core.settlement.columns import ColumnMap
from core.settlement.judging import NO_RECEIPT, WAITING, Ours, Rules
from core.settlement.reading import FileRow
from core.settlement.verdicts import Verdict
from core.tariff.charge import ChargeKind, ChargeState
from store.pages import in_pieces
from store.schema import Charge, Detail, Mo, Mt, MtPart, SettlementRow, SettlementRun
from store.settlement.runs import LIVE, Run

SIEVE = 5_000
IN_LIST = 500
SLACK_MS = DAY_MS
"""An id and the moment of acceptance may differ by what the clock was set back."""
NEAR_MS = DAY_MS
"""An id that is farther away in time is the same word for another message: some operators begin anew."""
BILLED = (Verdict.MATCHED, Verdict.PRICE_DIFFERS)
LISTED = (*BILLED, Verdict.REFUSED_THERE)

# Python 3.11 takes 50 ns to find a member on its class.
_POSTED = ChargeState.POSTED
_PENDING = ChargeState.PENDING

Query: TypeAlias = sa.Select[*tuple[Any, ...]]


class Kind(Enum):
    """What the operator bills."""

    MO = "mo"
    MT = "mt"

    @property
    def id(self) -> sa.ColumnElement[int]:
        """The column of the messages' ids."""
        return sa.type_coerce(Mo.id if self is Kind.MO else Mt.id, sa.BigInteger)


def kinds_of(columns: ColumnMap) -> list[Kind]:
    """What a file lists."""
    return [kind for kind in Kind if columns.messages in {"all", kind.value}]


_MO = (
    Mo.id, Mo.operator_key, Mo.source, Mo.short_code, Mo.accepted_at, Mo.parts, Mo.charge_state, Mo.price, Mo.vat,
    Mo.operator_part, Mo.tariff_id, Mo.vat_id,
)  # fmt: skip
_MT = (
    Mt.id, Mt.key, Mt.destination, Mt.source, sa.case((Mt.submitted_at > 0, Mt.submitted_at), else_=Mt.created_at),
    Mt.parts, Charge.charge_state, Charge.price, Charge.vat, Charge.operator_part, Charge.tariff_id, Charge.vat_id,
)  # fmt: skip


class OursReader:
    """Messages of one run's operator."""

    def __init__(self, catalogue: Catalogue, run: Run) -> None:
        self._run = run
        self._rules = Rules.of(run.columns)
        self._bounds = month_bounds(run.month, run.columns.zone)
        self.kinds = kinds_of(run.columns)
        operator = catalogue.operators.get(run.operator)
        self._rates: tuple[VatRate, ...] = operator.vat if operator else ()
        self._tariffs: dict[str, tuple[Tariff, ...]] = {
            code: versions for (code, name), versions in catalogue.tariffs.items() if name == run.operator
        }
        self._tariff = {one.id: one for versions in self._tariffs.values() for one in versions}
        self._terms = {(t.id, r.id): _terms(t, r) for t in self._tariff.values() for r in self._rates}

    def query(self, kind: Kind) -> Query:
        """All of the operator's. A test has no currency; an MT that was not paid has no charge that counts."""
        run = self._run
        if kind is Kind.MO:
            return sa.select(*_MO).where(Mo.operator_id == run.operator_id, Mo.currency.in_((run.currency, "")))
        is_premium = sa.and_(Mt.kind == int(MtKind.PREMIUM), Mt.operator_id == run.operator_id)
        charged = sa.and_(
            Charge.message_id == Mt.id,
            Charge.kind == int(ChargeKind.PREMIUM_MT),
            Charge.charge_state.in_([int(_POSTED), int(_PENDING)]),
            Charge.currency == run.currency,
        )
        return sa.select(*_MT).join(Charge, charged).where(is_premium)

    def between(self, connection: Connection, kind: Kind, first: int, end: int) -> list[Ours]:
        """Those with ids in [first, end), in their order."""
        query = self.query(kind).where(kind.id >= first, kind.id < end).order_by(kind.id)
        return self.read(connection, kind, connection.execute(query).all())

    def read(self, connection: Connection, kind: Kind, rows: Sequence[Any]) -> list[Ours]:
        """Rows of `query`."""
        ids = [row[0] for row in rows]
        back = given_back(connection, ids)
        parts = _keys_of_parts(connection, [row[0] for row in rows if row[5] > 1]) if kind is Kind.MT else {}
        waits = WAITING if kind is Kind.MO else NO_RECEIPT
        return [self._ours(row, parts.get(row[0]), waits, is_back=row[0] in back) for row in rows]

    def is_of_month(self, one: Ours) -> bool:
        """Accepted in the run's month."""
        return self._bounds[0] <= one.at < self._bounds[1]

    def terms_of(self, row: FileRow) -> Terms | None:
        """What the operator pays at the time of a row; a row without a time is one of the month's end."""
        return self._terms_at(row.short_code, row.at or self._bounds[1] - 1)

    def _terms_at(self, short_code: str, at: Instant) -> Terms | None:
        tariff = version_at(self._tariffs.get(short_code, ()), at)
        rate = version_at(self._rates, at)
        return None if tariff is None or rate is None else _terms(tariff, rate)

    def _ours(self, row: Any, keys: tuple[str, ...] | None, waits: str, *, is_back: bool) -> Ours:
        id_, key, number, short_code, at, parts, state, price, vat, operator_part, tariff_id, vat_id = row
        tariff = self._tariff.get(tariff_id)
        terms = self._terms.get((tariff_id, vat_id)) or self._terms_at(short_code, at)
        keys = keys or _own_keys(key, parts)
        if state != _POSTED or is_back:
            problem = waits if state == _PENDING else ""
            return Ours(id_, keys, number, short_code, at, 1, 0, 0, 0, terms, False, problem)
        parts_of_price = {"price": price, "vat": vat, "operator_part": operator_part}
        return Ours(
            id_, keys, number, short_code, at, parts if tariff is not None and tariff.per_part else 1,
            in_basis(self._rules.prices, **parts_of_price), in_basis(self._rules.amounts, **parts_of_price),
            price - vat - operator_part, terms,
        )  # fmt: skip


def _own_keys(key: str, parts: int) -> tuple[str, ...]:
    """The last part of a long MO has brought its id, with its number behind it."""
    if parts > 1:
        stem, _, number_of_part = key.rpartition("#")
        key = stem if number_of_part.isdigit() else key
    return (key,) if key else ()


def _keys_of_parts(connection: Connection, ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """The operator's ids of the parts of long MT."""
    found: dict[int, tuple[str, ...]] = {}
    for some in in_pieces(list(ids), IN_LIST):
        query = sa.select(MtPart.mt_id, MtPart.key).where(MtPart.mt_id.in_(some), MtPart.key != "")
        for mt_id, key in connection.execute(query.order_by(MtPart.mt_id, MtPart.sequence)).all():
            found[mt_id] = (*found.get(mt_id, ()), key)
    return found


def _terms(tariff: Tariff, rate: VatRate) -> Terms:
    return Terms(rate.rate, tariff.payout, tariff.payout_fixed)


def given_back(connection: Connection, ids: Collection[int]) -> set[int]:
    """Those that a charge-back has taken, and those that we have refunded: the operator pays neither."""
    found: set[int] = set()
    for some in in_pieces(list(ids), IN_LIST):
        back = sa.select(Charge.message_id).where(
            Charge.message_id.in_(some), Charge.kind == int(ChargeKind.CHARGE_BACK)
        )
        refunded = sa.select(Detail.message_id).where(
            Detail.message_id.in_(some), Detail.kind == DetailKind.REFUNDED.value
        )
        found.update(connection.execute(sa.union(back, refunded)).scalars())
    return found


def ids_between(first: Instant, after: Instant) -> tuple[int, int]:
    """[first id, end) of messages that were accepted between two moments; some others are among them."""
    return first_id_at(first - SLACK_MS), first_id_at(after + SLACK_MS)


def scan(connection: Connection, kind: Kind, first: int, end: int) -> int:
    """Where a step over the messages [first, end) ends: not more than SIEVE of them lie before it."""
    query = sa.select(kind.id).where(kind.id >= first, kind.id < end).order_by(kind.id).offset(SIEVE).limit(1)
    return connection.execute(query).scalar() or end


@dataclass(slots=True)
class Listed:
    """What rows say of messages, by the messages' ids."""

    here: dict[int, list[tuple[Verdict, int]]] = field(default_factory=lambda: defaultdict(list))
    """(verdict, our amount) of this file's rows."""
    elsewhere: dict[int, list[tuple[Verdict, int]]] = field(default_factory=lambda: defaultdict(list))
    """The same of the operator's other files that were not dismissed."""

    def is_billed_elsewhere(self, id_: int) -> bool:
        """Another file says that the operator pays it."""
        return any(verdict in BILLED for verdict, _ in self.elsewhere.get(id_, ()))

    def all_of(self, id_: int) -> list[tuple[Verdict, int]]:
        """Of any file."""
        return [*self.here.get(id_, ()), *self.elsewhere.get(id_, ())]


def read_listed(connection: Connection, run: Run, ids: Iterable[int]) -> Listed:
    """The rows of files, not of ours, that are about these messages."""
    found = Listed()
    wanted = [id_ for id_ in ids if id_]
    if not wanted:
        return found
    other = SettlementRun
    live = sa.select(other.id).where(
        other.operator_id == run.operator_id, other.state.in_([int(state) for state in LIVE]), other.id != run.id
    )
    others = set(connection.execute(live).scalars())
    # By the messages alone: while a run is written, MariaDB takes its rows for few and would look through all of them.
    row = SettlementRow
    query = sa.select(row.mo_id, row.run_id, row.verdict, row.ours).where(row.line > 0)
    for some in in_pieces(wanted, IN_LIST):
        for mo_id, run_id, verdict, ours in connection.execute(query.where(row.mo_id.in_(some))).all():
            if verdict in LISTED and (run_id == run.id or run_id in others):
                side = found.here if run_id == run.id else found.elsewhere
                side[mo_id].append((Verdict(verdict), ours))
    return found
