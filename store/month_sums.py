"""A month's charges and details added up for statements, from the rows themselves (billing.md, sections 4 and 9).

MonthSums     what was asked for and found; `read_month` adds a range of entries to it
first_entry   where a month's entries may begin

Charges are grouped by the database, some thousand at a time by the index of their entries, so that no statement is long
and memory holds the groups alone. daily_sum would be shorter still, but does not tell what is held, who referred, in
which tier a message earned, and why something was taken back. Where a group may lie on both sides of a tier, its
charges are looked at one by one.

Rule: entries are numbered by time, so a range that is old enough never grows; what is newer is read under the lock of
closing (store/closing.py).
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.orm import InstrumentedAttribute

from core.catalogue import Catalogue
from core.clock import DAY_MS, Instant, Month, day_of, month_start
from core.ids import first_id_at
from core.ledger.details import DetailKind
from core.statement import (
    EARNED_BY_TIER,
    ChargeSum,
    DetailSum,
    Likeness,
    added_up,
    cut_at_tiers,
    place_of,
    tier_share,
)
from core.tariff.charge import ChargeKind, ChargeState
from store.charges import kind_of_number
from store.pages import Query
from store.schema import Account, Act, Charge, Detail, Entry, Mo, Mt

AT_ONCE = 50_000
"""Rows that one statement adds up: a fraction of a second."""
NO_END = 2**63 - 1
NOTE_MAX = 200
_OUTGOING = (int(ChargeKind.MT), int(ChargeKind.MT_COST))
_AMOUNTS = ("price", "vat", "base", "partner_part", "referral_part")
_BY_MESSAGE = (DetailKind.RESERVED.value, DetailKind.RELEASED.value)
"""Details of which there are as many as messages: told together."""
_PARTNER = 5
"""Where the partner's id stands in the keys."""


@dataclass(slots=True)
class MonthSums:
    """A month, and the moments (rising) that ages are told by; what was found."""

    month: Month
    cuts: tuple[Instant, ...] = ()
    by_likeness: dict[Likeness, ChargeSum] = field(default_factory=dict)
    details: list[DetailSum] = field(default_factory=list)

    @property
    def charges(self) -> Collection[ChargeSum]:
        """All that was found, added up."""
        return self.by_likeness.values()


def first_entry(month: Month, cuts: Sequence[Instant]) -> int:
    """No entry before this one holds what was booked in the month, or is younger than the oldest of the moments.

    By clocks that are right to a day; ids never go back, whatever the clocks do.
    """
    return first_id_at(min(month_start(month), *cuts, NO_END) - 2 * DAY_MS)


def read_month(
    connection: Connection,
    sums: MonthSums,
    catalogue: Catalogue,
    *,
    since: int,
    until: int,
    breathe: Callable[[], None] = lambda: None,
) -> None:
    """Add what the entries from `since` on, and before `until`, hold; `breathe` is called between two pieces."""
    reader = _Reader(connection, sums, catalogue)
    for rows in (_messages(sums), _others(sums)):
        for first, end in _ranges(connection, rows.table.entry_id, since, until):
            reader.add_charges(rows, first, end)
            breathe()
    for first, end in _ranges(connection, Detail.entry_id, since, until):
        reader.add_details(first, end)
        breathe()


def _ranges(
    connection: Connection, column: InstrumentedAttribute[Any], since: int, until: int
) -> Iterator[tuple[int, int]]:
    """(first, end): entries that have about AT_ONCE rows together; an entry is never cut."""
    while since < until:
        query = sa.select(column).where(column >= since, column < until).order_by(column).offset(AT_ONCE).limit(1)
        found: int | None = connection.execute(query).scalar()
        end = until if found is None else max(found, since + 1)
        yield since, end
        since = end


@dataclass(frozen=True, slots=True)
class _Rows:
    """Charges of one table: what tells them apart (`keys`), where they are read from, which of them move anything."""

    table: type[Mo] | type[Charge]
    keys: tuple[sa.ColumnElement[Any], ...]
    age: sa.ColumnElement[int]
    parts: sa.ColumnElement[int]
    moves: sa.ColumnElement[bool]

    def of(self, query: Query, where: tuple[Any, ...]) -> Query:
        """The query on these rows."""
        if self.table is Mo:
            return query.where(*where)
        of_mo = sa.and_(Mo.id == Charge.message_id, Charge.kind.not_in(_OUTGOING))
        joined = query.select_from(Charge).outerjoin(Mo, of_mo).outerjoin(Mt, Mt.id == Charge.message_id)
        return joined.where(*where)


def _messages(sums: MonthSums) -> _Rows:
    """Messages' own charges."""
    age = _age(sums, Mo.id)
    keys = _keys(Mo, sa.literal(int(ChargeKind.MO)), Mo.short_code, sa.literal(""), age)
    return _Rows(Mo, keys, age, sa.type_coerce(Mo.parts, sa.Integer), Mo.plan_version_id != 0)


def _others(sums: MonthSums) -> _Rows:
    """Charges that are rows of their own. What is about an MO has its short code, a premium MT its sender."""
    is_outgoing = Charge.kind.in_(_OUTGOING)
    short_code = sa.case((is_outgoing, ""), else_=sa.func.coalesce(Mo.short_code, Mt.source, ""))
    # A person's words, where it was booked by what a person did.
    said = sa.select(sa.func.coalesce(sa.func.min(Act.reason), "")).where(Act.entry_id == Charge.entry_id)
    words = sa.case((Charge.reason == "", ""), else_=said.scalar_subquery())
    age = _age(sums, Charge.message_id)
    keys = _keys(Charge, Charge.kind, short_code, words, age)
    moves = sa.or_(Charge.plan_version_id != 0, Charge.kind == int(ChargeKind.MT))
    return _Rows(Charge, keys, age, sa.func.coalesce(Mo.parts, Mt.parts, 1), moves)


def _keys(
    table: type[Mo] | type[Charge],
    kind: sa.ColumnElement[Any] | InstrumentedAttribute[int],
    short_code: sa.ColumnElement[Any] | InstrumentedAttribute[str],
    words: sa.ColumnElement[Any],
    age: sa.ColumnElement[int],
) -> tuple[sa.ColumnElement[Any], ...]:
    named = {"kind": kind, "code": short_code, "words": words, "age": age}
    own = ("month", "partner_id", "currency", "operator_id", "held", "plan_version_id", "referral_id", "reason")
    named |= {name: getattr(table, name) for name in own}
    return tuple(column.label(name) for name, column in named.items())


def _age(sums: MonthSums, number: InstrumentedAttribute[int] | sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    """How many of the moments lie before the one that a number bears."""
    steps = [(number >= first_id_at(cut), place) for place, cut in enumerate(sums.cuts, 1)]
    return sa.case(*reversed(steps), else_=0) if steps else sa.literal(0)


def _is_wanted(sums: MonthSums, month: InstrumentedAttribute[int], age: sa.ColumnElement[int]) -> Any:
    """What was booked in the month; of those before it, what is too young to be paid."""
    young = sa.and_(month < sums.month, age > 0) if sums.cuts else sa.false()
    return sa.or_(month == sums.month, young)


def _first(number: int) -> list[sa.ColumnElement[Any]]:
    """The first columns of a select, to be grouped by: their names may be those of other columns, too."""
    return [sa.literal_column(str(place)) for place in range(1, number + 1)]


class _Reader:
    """Rows → sums, with the names of a catalogue."""

    def __init__(self, connection: Connection, sums: MonthSums, catalogue: Catalogue) -> None:
        self._connection = connection
        self._sums = sums
        self._operators = {operator.id: operator.code for operator in catalogue.operators.values()}
        self._partners = {partner.id: partner.login for partner in catalogue.partners.values()}
        self._plans = {version.id: version for plan in catalogue.plans.values() for version in plan.versions}
        self._referrers = {
            terms.id: terms.referrer for partner in catalogue.partners.values() for terms in partner.referral
        }
        accounts = connection.execute(sa.select(Account.id, Account.address).where(Account.address.like("partner:%")))
        self._addresses: dict[int, str] = {id_: address for id_, address in accounts}

    def add_charges(self, rows: _Rows, first: int, end: int) -> None:
        """Those of some entries, grouped; where they may lie on both sides of a tier, one by one."""
        table = rows.table
        where = (
            table.entry_id >= first, table.entry_id < end, table.charge_state == int(ChargeState.POSTED), rows.moves,
            _is_wanted(self._sums, table.month, rows.age),
        )  # fmt: skip
        low, high = sa.func.min(table.volume_before), sa.func.max(table.volume_before + table.base)
        totals = [sa.func.sum(getattr(table, name)).label(name) for name in _AMOUNTS]
        counts = (sa.func.count().label("number"), sa.func.sum(rows.parts).label("parts"))
        grouped = sa.select(*rows.keys, *counts, *totals, low.label("low"), high.label("high"))
        across: set[tuple[Any, ...]] = set()
        whole = []
        for row in self._connection.execute(rows.of(grouped, where).group_by(*_first(len(rows.keys)))):
            if (share := self._share(row)) is None:
                across.add(tuple(row[: len(rows.keys)]))
            else:
                whole.append(self._sum(row, share))
        added_up(whole, self._sums.by_likeness)
        if across:
            added_up(self._single(rows, where, across), self._sums.by_likeness)

    def _single(self, rows: _Rows, where: tuple[Any, ...], across: set[tuple[Any, ...]]) -> Iterable[ChargeSum]:
        table = rows.table
        amounts = [getattr(table, name) for name in _AMOUNTS]
        one = sa.select(
            *rows.keys, sa.literal(1).label("number"), rows.parts.label("parts"), *amounts,
            table.volume_before.label("low"),
        )  # fmt: skip
        partners = sorted({key[_PARTNER] for key in across})
        for row in self._connection.execute(rows.of(one, (*where, table.partner_id.in_(partners)))):
            if tuple(row[: len(rows.keys)]) in across:
                yield from cut_at_tiers(self._sum(row, 0), self._plans[row.plan_version_id], row.low)

    def _share(self, row: Any) -> int | None:
        """The share of the tier in which charges lie; 0 for those without one, None where they may lie in several."""
        plan = self._plans.get(row.plan_version_id)
        if plan is None or kind_of_number(row.kind) not in EARNED_BY_TIER:
            return 0
        return tier_share(plan, int(row.low), int(row.high))

    def _sum(self, row: Any, share: int) -> ChargeSum:
        kind, code, words, age, month, partner_id, currency, operator_id, held, plan_id, terms_id, reason, *totals = row
        plan = self._plans.get(plan_id)
        # MariaDB sums integers as decimals.
        number, parts, *amounts = map(int, totals[: 2 + len(_AMOUNTS)])
        return ChargeSum(
            month, kind_of_number(kind), self._partners.get(partner_id, f"#{partner_id}"), currency, code,
            self._operators.get(operator_id, f"#{operator_id}"),
            plan.plan if plan is not None else f"#{plan_id}" if plan_id else "", share, bool(held),
            f"{reason}: {words}"[:NOTE_MAX] if words else reason, self._referrers.get(terms_id, f"#{terms_id}"), age,
            number, parts, *amounts,
        )  # fmt: skip

    def add_details(self, first: int, end: int) -> None:
        """Those of some entries: of messages together, all others one by one."""
        age = _age(self._sums, sa.case((Detail.message_id != 0, Detail.message_id), else_=Detail.entry_id))
        is_single = Detail.kind.not_in((*_BY_MESSAGE, DetailKind.HOLD_RELEASED.value))
        keys = (
            Detail.month, Detail.kind, Detail.debit_id, Detail.credit_id, Detail.currency, age.label("age"),
            sa.case((is_single, Detail.id), else_=0).label("single"),
            sa.case((Detail.kind.in_(_BY_MESSAGE), ""), else_=Detail.reason).label("words"),
        )  # fmt: skip
        totals = (
            sa.func.min(Detail.subject).label("subject"), sa.func.min(Detail.at).label("at"),
            sa.func.count().label("number"), sa.func.sum(Detail.amount).label("amount"),
            sa.func.min(_STEP).label("step"),
        )  # fmt: skip
        where = (Detail.entry_id >= first, Detail.entry_id < end, _is_wanted(self._sums, Detail.month, age))
        for row in self._connection.execute(sa.select(*keys, *totals).where(*where).group_by(*_first(len(keys)))):
            debit, credit = self._addresses.get(row.debit_id, ""), self._addresses.get(row.credit_id, "")
            if place_of(debit) is not None or place_of(credit) is not None:
                note = _note(row) if row.single else row.words
                self._sums.details.append(
                    DetailSum(
                        row.month, DetailKind(row.kind), debit, credit, row.currency, int(row.amount),
                        int(row.number), note[:NOTE_MAX], row.age, row.step.rpartition(":")[2],
                    )
                )  # fmt: skip


_STEP = sa.case(
    (
        Detail.kind == DetailKind.PAYOUT_RETURNED.value,
        sa.select(Entry.key).where(Entry.id == Detail.entry_id).scalar_subquery(),
    ),
    else_="",
)
"""The entry's key of what is the partner's again of a payout: its last word says whether it failed or came back."""


def _note(row: Any) -> str:
    """`2026-10-15 payout:17: by request`."""
    day = f"{day_of(row.at)}"
    return ": ".join(filter(None, (f"{day[:4]}-{day[4:6]}-{day[6:]} {row.subject}".rstrip(), row.words)))
