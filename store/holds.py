"""What fraud holds and nobody decided: messages whose partner's part lies on its held account (billing.md, section 6).

read_holds   the last of them as lines, how many there are, what they hold together
with_held    lines of any messages, with what each of them holds

A message holds what its charges put to the held account, less what was let go from there. The daily sums say whose
messages still hold something, and on which days such were booked: messages of other days are not looked at.

Rule: reads only, inside Database.read(). What the lines hold is what stands on the held accounts, but for what persons
moved there by hand.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import DAY_MS, Instant, month_start
from core.ids import first_id_at
from core.ledger.details import DetailKind
from core.tariff.charge import ChargeKind, ChargeState
from store.life import MessageLine
from store.messages import line_of, lines
from store.pages import in_pieces, sifted
from store.schema import Account, Charge, DailySum, Detail, Mo

_AT_ONCE = 500
"""Messages in one statement."""


@dataclass(slots=True)
class Holds:
    """The last messages, newest first, with what each holds; how many there are in all, and what they hold (micros)."""

    lines: tuple[MessageLine, ...] = ()
    count: int = 0
    amounts: dict[str, int] = field(default_factory=dict)


def read_holds(connection: Connection, limit: int = 50) -> Holds:
    """All that nobody decided, however old it is."""
    partners = _who_holds(connection)
    holds = Holds()
    if not partners:
        return holds
    found: deque[tuple[int, int]] = deque(maxlen=limit)
    candidates = _held(connection, partners)
    while some := list(islice(candidates, _AT_ONCE)):
        amounts = _amounts(connection, {row.id: row.partner_part for row in some})
        for row in some:
            amount = amounts[row.id]
            if amount:
                found.append((row.id, amount))
                holds.count += 1
                holds.amounts[row.currency] = holds.amounts.get(row.currency, 0) + amount
    by_id = dict(found)
    told: dict[int, MessageLine] = {}
    for ids in in_pieces(sorted(by_id), _AT_ONCE):
        told.update({row.id: line_of(row) for row in connection.execute(lines().where(Mo.id.in_(ids)))})
    holds.lines = tuple(replace(told[id_], held=by_id[id_]) for id_ in sorted(told, reverse=True))
    return holds


def with_held(connection: Connection, lines: Sequence[MessageLine]) -> tuple[MessageLine, ...]:
    """The same lines; 0 is held of what was never held, or is decided."""
    amounts: dict[int, int] = {}
    for ids in in_pieces([line.id for line in lines], _AT_ONCE):
        query = sa.select(Mo.id, Mo.partner_part).where(
            Mo.id.in_(ids), Mo.held == 1, Mo.charge_state == int(ChargeState.POSTED)
        )
        own = {row.id: row.partner_part for row in connection.execute(query)}
        amounts |= _amounts(connection, own) if own else {}
    return tuple(replace(line, held=amounts.get(line.id, 0)) for line in lines)


def _who_holds(connection: Connection) -> list[int]:
    """Partners of whose messages something is held."""
    left = sa.func.sum(DailySum.partner_part)
    query = sa.select(DailySum.partner_id).where(DailySum.held == 1)
    return sorted(
        set(connection.execute(query.group_by(DailySum.partner_id, DailySum.currency).having(left != 0)).scalars())
    )


def _held(connection: Connection, partners: Sequence[int]) -> Iterator[Any]:
    """Messages of these that were held when they were booked."""
    days = sa.select(DailySum.day).where(
        DailySum.held == 1, DailySum.kind == int(ChargeKind.MO), DailySum.partner_id.in_(partners)
    )
    for day in sorted(set(connection.execute(days.distinct()).scalars())):
        first, until = first_id_at(_start(day)), first_id_at(_start(day) + DAY_MS)
        query = sa.select(Mo.id, Mo.currency, Mo.partner_part).where(
            Mo.held == 1, Mo.charge_state == int(ChargeState.POSTED), Mo.partner_id.in_(partners)
        )
        yield from sifted(connection, query, (Mo.entry_id,), since=first, until=until)


def _start(day: int) -> Instant:
    """The moment at which a day (YYYYMMDD) begins."""
    return month_start(day // 100) + (day % 100 - 1) * DAY_MS


def _amounts(connection: Connection, own: dict[int, int]) -> dict[int, int]:
    """What messages hold, by id, of what they held at first."""
    amounts = dict(own)
    more = sa.select(Charge.message_id, sa.func.sum(Charge.partner_part)).where(
        Charge.message_id.in_(own), Charge.held == 1, Charge.charge_state == int(ChargeState.POSTED)
    )
    gone = sa.func.sum(sa.case((Account.address.like("%:held"), -Detail.amount), else_=Detail.amount))
    let_go = (
        sa.select(Detail.message_id, gone)
        .join(Account, Account.id == Detail.debit_id)
        .where(Detail.message_id.in_(own), Detail.kind == DetailKind.HOLD_RELEASED.value)
    )
    for query in (more.group_by(Charge.message_id), let_go.group_by(Detail.message_id)):
        for id_, amount in connection.execute(query):
            amounts[id_] += int(amount)
    return amounts
