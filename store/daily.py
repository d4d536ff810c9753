"""Daily sums: what the reports read, kept up to date by the transaction that books (core/report.py).

write_sums    what a batch adds to them: one statement
slot_of       the slot of a process; ACTS, that of acts of people
places_of     where messages came in, for those who book more of a message
count_details what details say to reports, added to a batch's sums
DailyCheck    the sums held against the charges, for `tollbridge check`

A row is a day, a currency, an operator, a short code, a service, a partner, a kind, a booked month, the terms of a
referrer, whether it is held; and a slot, so that processes that book the same at the same moment do not wait for each
other's commits. Who reads adds the slots up.

Rule: the rows of a batch are written in the order of their keys, as the last that its transaction does: two
transactions never wait for each other crosswise, and hold what others wait for as shortly as can be.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter

import sqlalchemy as sa
from sqlalchemy import Connection

from core.catalogue import Operator
from core.clock import month_text
from core.ledger.details import Detail, DetailKind
from core.ledger.rows import ChargeRow, DetailRow, Finding
from core.message import MtKind
from core.money import format_micros
from core.report import (
    AMOUNTS,
    FREE,
    PAID,
    RELEASED,
    WRITTEN_OFF,
    Amounts,
    Place,
    PlainKey,
    PlainPlace,
    SumKey,
    Sums,
    Told,
    count,
    count_free,
    count_told,
    day_of_id,
    sums_of,
    told_of,
)
from core.tariff.charge import ChargeKind
from store.bulk import bulk_add
from store.schema import DailySum, Mo, Mt

ACTS = 0
_SLOTS = 8
_COLUMNS = (*SumKey._fields, "slot", *AMOUNTS)
_AT_ONCE = 500
"""Messages in one statement."""


def slot_of(process_id: int) -> int:
    """Never that of acts: an act may hold what it adds to while a person's other acts are booked."""
    return 1 + process_id % _SLOTS


def write_sums(connection: Connection, sums: Sums, slot: int) -> None:
    """Add them; nothing when there are none. Hot."""
    rows = [(*key, slot, *sums[key]) for key in sorted(sums) if any(sums[key])]
    if rows:
        bulk_add(connection, DailySum, _COLUMNS, rows)


def premium_code() -> sa.ColumnElement[str]:
    """The short code of an MT: that of a premium one. Others have senders of their partners' choice, without end."""
    return sa.case((Mt.kind == int(MtKind.PREMIUM), Mt.source), else_="")


def places_of(connection: Connection, message_ids: Collection[int]) -> dict[int, Place]:
    """By the message's id, of MO and MT; the operator is the charge's own to say. Those that are not there are left
    out.
    """
    found: dict[int, Place] = {}
    wanted = sorted(set(message_ids))
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        mo = sa.select(Mo.id, Mo.operator_id, Mo.short_code, Mo.service_id, Mo.parts).where(Mo.id.in_(some))
        found.update({row[0]: Place(*row[1:]) for row in connection.execute(mo)})
        rest = [id_ for id_ in some if id_ not in found]
        if rest:
            mt = sa.select(Mt.id, Mt.operator_id, premium_code(), sa.literal(0), Mt.parts).where(Mt.id.in_(rest))
            found.update({row[0]: Place(*row[1:]) for row in connection.execute(mt)})
    return found


def count_details(
    connection: Connection,
    sums: Sums,
    details: Sequence[Detail],
    places: Mapping[int, Place],
    operators: Mapping[str, Operator],
    *,
    entry_id: int,
) -> None:
    """Add what details say to reports to their batch's sums. Messages that `places` does not have are looked up."""
    said = [(told, one) for one in details for told in told_of(one.kind.value, *_sides(one), one.posting.amount)]
    wanted = {one.about.message_id for told, one in said if told.kind == RELEASED}
    if wanted - places.keys():
        places = {**places_of(connection, wanted - places.keys()), **places}
    for told, one in said:
        posting, about = one.posting, one.about
        place = places.get(about.message_id, _NOWHERE) if told.kind == RELEASED else Place(operators[told.operator].id)
        count_told(sums, told, place, posting.currency, posting.month, about.partner_id, entry_id)


def _sides(detail: Detail) -> tuple[str, str]:
    return detail.posting.debit, detail.posting.credit


_NOWHERE = Place(0)

# --- the audit ---------------------------------------------------------------------------------------------


class DailyCheck:
    """The daily sums made again: from the charges, those without an entry in any order, then the others by entry; and
    from the details.

    Kept are the sums of one day, and those of what names no entry: ids rise with time, so a day whose last entry has
    passed is complete. Details pass beside the charges: theirs, which are few, are kept and compared at the end.
    """

    def __init__(self, connection: Connection, operators: Iterable[Operator] = ()) -> None:
        self._connection = connection
        self._operators = {operator.code: Place(operator.id) for operator in operators}
        self._told: Sums = {}
        self._let_go: list[tuple[Told, int, DetailRow, int]] = []
        self._loose: dict[int, Sums] = {}
        """By day: what is not posted."""
        self._sums: Sums = {}
        self._day = 0
        self._done: set[int] = set()
        self._found: list[Finding] = []

    def add_free(self, place: PlainPlace, message_id: int) -> None:
        """A message without a charge."""
        count_free(self._loose.setdefault(day_of_id(message_id), {}), place, message_id)

    def add(self, charges: Iterable[ChargeRow]) -> Iterator[Finding]:
        """Some more charges; what is wrong with the days that are complete by them."""
        for entry_id, some in groupby(charges, key=attrgetter("entry_id")):
            if not entry_id:
                for row in some:
                    own_id = int(row.row)
                    loose = self._loose.setdefault(day_of_id(own_id), {})
                    count(loose, (*row.came_in, row.parts), row.charge, own_id=own_id)
                continue
            day = day_of_id(entry_id)
            if day != self._day:
                yield from self._close()
                self._day = day
            booked = (((*row.came_in, row.parts), row.charge, int(row.row)) for row in some)
            sums_of(booked, entry_id, self._sums)

    def add_detail(self, row: DetailRow, kind: str, message_id: int, partner_id: int) -> None:
        """One more detail."""
        if kind in _OF_MT:
            return
        for told in told_of(kind, row.debit, row.credit, row.amount):
            if told.kind == RELEASED:
                self._let_go.append((told, message_id, row, partner_id))
                continue
            place = self._operators.get(told.operator, _NOWHERE)
            count_told(self._told, told, place, row.currency, row.month, partner_id, row.entry_id)
        if len(self._let_go) >= _AT_ONCE:
            self._place()

    def _place(self) -> None:
        """Find out where what was let go came in."""
        some, self._let_go = self._let_go, []
        places = places_of(self._connection, {message_id for _, message_id, _, _ in some})
        for told, message_id, row, partner_id in some:
            place = places.get(message_id, _NOWHERE)
            count_told(self._told, told, place, row.currency, row.month, partner_id, row.entry_id)

    def findings(self) -> Iterator[Finding]:
        """The rest, after all were added: the last day, days of which there are sums or no charges, the details."""
        yield from self._close()
        self._place()
        yield from _compared(self._told, _stored(self._connection, DailySum.kind >= RELEASED))
        days = sa.select(DailySum.day).where(DailySum.kind < RELEASED).distinct()
        stored = set(self._connection.execute(days).scalars())
        for day in sorted((stored | self._loose.keys()) - self._done):
            self._day = day
            yield from self._close()

    def _close(self) -> Iterator[Finding]:
        """A day is complete."""
        if not self._day:
            return
        self._done.add(self._day)
        should, self._sums = self._sums, {}
        for key, amounts in self._loose.pop(self._day, {}).items():
            mine = should.get(key)
            should[key] = amounts if mine is None else [a + b for a, b in zip(mine, amounts, strict=True)]
        yield from _compared(should, _stored(self._connection, DailySum.day == self._day, DailySum.kind < RELEASED))


def _compared(should: Sums, stored: Sums) -> Iterator[Finding]:
    for key in sorted(should.keys() | stored.keys()):
        expected, there = should.get(key, _NOTHING), stored.get(key, _NOTHING)
        if expected != there:
            yield _differs(key, there, expected)


_OF_MT = frozenset({DetailKind.RESERVED.value, DetailKind.RELEASED.value})
"""Two for each outgoing SMS that its partner pays, of which reports tell nothing."""
_NOTHING = [0] * len(AMOUNTS)


def _stored(connection: Connection, *where: sa.ColumnElement[bool]) -> Sums:
    """Some sums, their slots added up."""
    columns = (getattr(DailySum, name) for name in (*SumKey._fields, *AMOUNTS))
    width = len(SumKey._fields)
    sums: Sums = {}
    for row in connection.execute(sa.select(*columns).where(*where)):
        key: PlainKey = tuple(row[:width])
        amounts: Amounts = list(row[width:])
        old = sums.get(key)
        sums[key] = amounts if old is None else [a + b for a, b in zip(old, amounts, strict=True)]
    return sums


_WORDS = {FREE: "free", RELEASED: "released", PAID: "paid", WRITTEN_OFF: "written_off"}


def _differs(key: PlainKey, there: Amounts, should: Amounts) -> Finding:
    _, currency, operator_id, short_code, service_id, partner_id, kind, month, referral_id, held = key
    word = ChargeKind(kind).name.lower() if kind in set(ChargeKind) else _WORDS.get(kind, f"of kind {kind}")
    word += " held" * held
    where = f"{word}, operator {operator_id}, short code {short_code or '—'}, service {service_id}"
    said = [
        f"{name} {_written(name, is_now)}, its charges sum to {_written(name, sum_)}"
        for name, is_now, sum_ in zip(AMOUNTS, there, should, strict=True)
        if is_now != sum_
    ]
    who = f"partner {partner_id}" + (f" by referral terms {referral_id}" if referral_id else "")
    sentence = f"{where}, {who}, booked in {month_text(month)}, {currency or 'no currency'}"
    return Finding("daily", "daily_sum", "/".join(map(str, key)), f"{sentence}: {'; '.join(said)}")


def _written(name: str, amount: int) -> str:
    return str(amount) if name in {"count", "parts"} else format_micros(amount)
