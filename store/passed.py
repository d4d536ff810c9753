"""What passed of late, and what the month has brought; for `tollbridge status`.

read_lately   MO and MT of the last minutes, by reason and by state
read_month    what operators owe for a booked month, of it our margin and what lies in suspense

Nobody counts messages as they pass: a batch would have one row more to wait for. So the cost of each figure has a
bound of its own: of messages the last LATELY_MAX are read, however many there were; of money the folded sums.

Rule: nothing here reads more on a busy day than on a quiet one.
"""

from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import MINUTE_MS, SECOND_MS, Instant, Month
from core.ids import first_id_at, instant_of_id
from core.ledger.accounts import EXPENSE_LOSS, INCOME_MARGIN, balance, kind_of, receivable, suspense
from core.message import MtState
from store.folding import read_sums
from store.journal import CallbackState
from store.schema import Account, Callback, Mo, Mt

LATELY_MS = 5 * MINUTE_MS
LATELY_MAX = 20_000
"""The last messages that are read: about a tenth of a second on either database."""


@dataclass(slots=True)
class Flow:
    """How many passed in the last `span_ms`, and how many of them in the last minute."""

    count: int = 0
    span_ms: int = LATELY_MS
    of_last_minute: int = 0

    @property
    def per_second(self) -> float:
        """In the last minute."""
        return self.of_last_minute * SECOND_MS / min(self.span_ms, MINUTE_MS)


@dataclass(slots=True)
class Lately:
    """What passed. `reasons` counts MO, "" those that went to their partner."""

    mo: Flow = field(default_factory=Flow)
    reasons: dict[str, int] = field(default_factory=dict)
    answered: int = 0
    mt: Flow = field(default_factory=Flow)
    states: dict[MtState, int] = field(default_factory=dict)


@dataclass(slots=True)
class Booked:
    """The money of one booked month, in micros by currency."""

    month: Month
    revenue: dict[str, int] = field(default_factory=dict)
    """What operators owe."""
    margin: dict[str, int] = field(default_factory=dict)
    """Ours, losses taken off."""
    suspense: dict[str, int] = field(default_factory=dict)
    """Of messages that went to no partner."""


def read_lately(connection: Connection, now: Instant) -> Lately:
    """The last minutes, or less where that were more than LATELY_MAX messages."""
    lately = Lately()
    mo = sa.select(Mo.id, Mo.reason).where(Mo.id >= first_id_at(now - LATELY_MS))
    some = mo.order_by(Mo.id.desc()).limit(LATELY_MAX).subquery()
    answered = sa.func.sum(sa.case((Callback.state.in_((CallbackState.ANSWERED, CallbackState.LATER)), 1), else_=0))
    rows = connection.execute(
        sa.select(some.c.reason, *_counted(some.c.id, now), answered)
        .outerjoin(Callback, Callback.mo_id == some.c.id)
        .group_by(some.c.reason)
    ).all()
    lately.reasons = {reason: count for reason, count, *_ in rows}
    lately.answered = sum(int(row[-1]) for row in rows)
    lately.mo = _flow(now, [(count, of_last, oldest) for _, count, of_last, oldest, _ in rows])

    mt = sa.select(Mt.id, Mt.state).where(Mt.id >= first_id_at(now - LATELY_MS))
    some = mt.order_by(Mt.id.desc()).limit(LATELY_MAX).subquery()
    rows = connection.execute(sa.select(some.c.state, *_counted(some.c.id, now)).group_by(some.c.state)).all()
    lately.states = {MtState(state): count for state, count, *_ in rows}
    lately.mt = _flow(now, [(count, of_last, oldest) for _, count, of_last, oldest in rows])
    return lately


def _counted(id_: sa.ColumnElement[int], now: Instant) -> tuple[sa.ColumnElement[int], ...]:
    """How many, how many of the last minute, the oldest."""
    is_new = sa.case((id_ >= first_id_at(now - MINUTE_MS), 1), else_=0)
    return sa.func.count(), sa.func.sum(is_new), sa.func.min(id_)


def _flow(now: Instant, rows: list[tuple[int, int, int]]) -> Flow:
    """All of LATELY_MS, unless there were too many to read."""
    count = sum(row[0] for row in rows)
    span_ms = LATELY_MS
    if count >= LATELY_MAX:
        span_ms = max(SECOND_MS, now - instant_of_id(min(oldest for *_, oldest in rows)))
    return Flow(count, span_ms, sum(int(of_last) for _, of_last, _ in rows))


def read_month(connection: Connection, month: Month) -> Booked:
    """The money of a month. Several looks at one picture: inside Database.read()."""
    booked = Booked(month)
    places = {
        account.id: account
        for account in connection.execute(
            sa.select(Account.id, Account.address, Account.currency).where(
                sa.or_(
                    Account.address.in_((INCOME_MARGIN, EXPENSE_LOSS)),
                    Account.address.like(receivable("%")),
                    Account.address.like(suspense("%")),
                )
            )
        )
    }
    for id_, (debits, credits) in read_sums(connection, places.keys(), month).items():
        address, currency = places[id_].address, places[id_].currency
        if address.startswith("suspense:"):
            into, amount = booked.suspense, balance(kind_of(address), debits, credits)
        elif address in (INCOME_MARGIN, EXPENSE_LOSS):
            into, amount = booked.margin, credits - debits
        else:
            # What an operator has paid is a credit, and no less revenue.
            into, amount = booked.revenue, debits
        into[currency] = into.get(currency, 0) + amount
    return booked
