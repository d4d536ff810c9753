"""Daily sums: what the reports read, kept up to date by the transaction that books (core/report.py).

write_sums    what a batch adds to them: one statement
slot_of       the slot of a process; ACTS, that of acts of people
places_of     where messages came in, for those who book more of a message
DailyCheck    the sums held against the charges, for `tollbridge check`

A row is a day, a currency, an operator, a short code, a service, a partner, a kind, a booked month; and a slot, so that
processes that book the same at the same moment do not wait for each other's commits. Who reads adds the slots up.

Rule: the rows of a batch are written in the order of their keys, as the last that its transaction does: two
transactions never wait for each other crosswise, and hold what others wait for as shortly as can be.
"""

from collections.abc import Collection, Iterable, Iterator
from itertools import groupby
from operator import attrgetter

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import month_text
from core.ledger.rows import ChargeRow, Finding
from core.message import MtKind
from core.money import format_micros
from core.report import (
    AMOUNTS,
    Amounts,
    Place,
    PlainKey,
    PlainPlace,
    SumKey,
    Sums,
    count,
    count_free,
    day_of_id,
    sums_of,
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


# --- the audit ---------------------------------------------------------------------------------------------


class DailyCheck:
    """The daily sums made again from the charges: those without an entry in any order, then the others by entry.

    Kept are the sums of one day, and those of what names no entry: ids rise with time, so a day whose last entry has
    passed is complete.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
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

    def findings(self) -> Iterator[Finding]:
        """The rest, after all charges were added: the last day, and days of which there are sums or no charges."""
        yield from self._close()
        stored = set(self._connection.execute(sa.select(DailySum.day).distinct()).scalars())
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
        stored = _stored(self._connection, self._day)
        for key in sorted(should.keys() | stored.keys()):
            expected, there = should.get(key, _NOTHING), stored.get(key, _NOTHING)
            if expected != there:
                yield _differs(key, there, expected)


_NOTHING = [0] * len(AMOUNTS)


def _stored(connection: Connection, day: int) -> Sums:
    """The sums of a day, its slots added up."""
    columns = (getattr(DailySum, name) for name in (*SumKey._fields, *AMOUNTS))
    width = len(SumKey._fields)
    sums: Sums = {}
    for row in connection.execute(sa.select(*columns).where(DailySum.day == day)):
        key: PlainKey = tuple(row[:width])
        amounts: Amounts = list(row[width:])
        old = sums.get(key)
        sums[key] = amounts if old is None else [a + b for a, b in zip(old, amounts, strict=True)]
    return sums


def _differs(key: PlainKey, there: Amounts, should: Amounts) -> Finding:
    _, currency, operator_id, short_code, service_id, partner_id, kind, month = key
    word = ChargeKind(kind).name.lower() if kind in set(ChargeKind) else "free" if not kind else f"of kind {kind}"
    where = f"{word}, operator {operator_id}, short code {short_code or '—'}, service {service_id}"
    said = [
        f"{name} {_written(name, is_now)}, its charges sum to {_written(name, sum_)}"
        for name, is_now, sum_ in zip(AMOUNTS, there, should, strict=True)
        if is_now != sum_
    ]
    sentence = f"{where}, partner {partner_id}, booked in {month_text(month)}, {currency or 'no currency'}"
    return Finding("daily", "daily_sum", "/".join(map(str, key)), f"{sentence}: {'; '.join(said)}")


def _written(name: str, amount: int) -> str:
    return str(amount) if name in {"count", "parts"} else format_micros(amount)
