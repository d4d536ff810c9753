"""What operators owe, and what we owe them, by booked month (docs/money.md, section 8).

read_receivables  what operators owe, month by month; read_debts, what is open of it by age
read_payables     what we owe operators for outgoing SMS, month by month

What is read depends on days, places, accounts and what persons did, never on how many messages there were.

Rule: reads only, inside Database.read().
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import Month
from core.ledger.accounts import payable, receivable
from core.ledger.details import DetailKind
from core.report import PAID, WRITTEN_OFF, Debt, Off, Owed, ageing, month_by_month
from core.tariff.charge import ChargeKind
from store.folding import read_months
from store.pages import in_pieces
from store.reports import Period, Wanted, first_day, read_lines
from store.schema import Account, Act, Detail

_ADJUST = "adjust"
"""The kind of acts that adjust (store/act_kinds.py)."""
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Receivable:
    """An operator's receivable in one currency."""

    operator: str
    currency: str
    months: list[Owed]


@dataclass(frozen=True, slots=True)
class Debts:
    """What is open of it."""

    operator: str
    currency: str
    debts: list[Debt]


def read_receivables(connection: Connection, since: Month, until: Month, operator: str = "") -> list[Receivable]:
    """Those that moved in these months or owe something; what came before is in the first month's opening."""
    found = []
    came_off = _came_off(connection, since)
    for code, currency, moved in _moved(connection, operator):
        own = {month: off for (who, of, month), off in came_off.items() if (who, of) == (code, currency)}
        found.append(Receivable(code, currency, month_by_month(moved, own, since=since, until=until)))
    return [one for one in found if one.months]


def read_debts(connection: Connection, now: Month, operator: str = "") -> list[Debts]:
    """Those that owe something, or have paid in advance."""
    found = [Debts(code, currency, ageing(moved, now)) for code, currency, moved in _moved(connection, operator)]
    return [one for one in found if one.debts]


def read_payables(connection: Connection, since: Month, until: Month, operator: str = "") -> list[Receivable]:
    """What we owe operators for outgoing SMS, as what they owe us is told: what came on it, and what we paid."""
    accounts = _accounts(connection, payable, operator)
    paid = _paid(connection, [account.id for account in accounts], since, until)
    moved = read_months(connection, [account.id for account in accounts])
    found = []
    for id_, address, currency in accounts:
        own = {month: (credits, debits) for (owner, month), (debits, credits) in moved.items() if owner == id_}
        off = {month: one for (owner, month), one in paid.items() if owner == id_}
        months = month_by_month(own, off, since=since, until=until)
        found.append(Receivable(address.split(":")[1], currency, months))
    return [one for one in found if one.months]


def _paid(connection: Connection, ids: Sequence[int], since: Month, until: Month) -> dict[tuple[int, Month], Off]:
    """What persons took off payables, with money or without, by account and month."""
    found: dict[tuple[int, Month], Off] = {}
    for id_, month, other, moved in _by_persons(connection, ids, since, until):
        off = found.get((id_, month), Off())
        is_money = other.startswith(("bank:", "provider:"))
        found[id_, month] = (
            off._replace(paid=off.paid + moved) if is_money else off._replace(written_off=off.written_off + moved)
        )
    return found


def _by_persons(
    connection: Connection, ids: Sequence[int], since: Month, until: Month
) -> Iterator[tuple[int, Month, str, int]]:
    """(account, month, the address on the other side, what came off it), of payments and adjustments."""
    # Details of partners are as many as their outgoing SMS: only those of adjustments are looked at, by their entries.
    ours = [Detail.partner_id == 0]
    theirs = [
        (Detail.partner_id != 0) & (Detail.kind == DetailKind.ADJUSTED.value) & Detail.entry_id.in_(entries)
        for entries in _adjustments(connection)
    ]
    for side, other, sign in ((Detail.debit_id, Detail.credit_id, 1), (Detail.credit_id, Detail.debit_id, -1)):
        query = (
            sa.select(side, Detail.month, Account.address, sa.func.sum(Detail.amount))
            .join(Account, Account.id == other)
            .where(Detail.month.between(since, until), side.in_(ids))
            .group_by(side, Detail.month, Account.address)
        )
        for which in (*ours, *theirs):
            for id_, month, address, amount in connection.execute(query.where(which)):
                # MariaDB sums integers as decimals.
                yield id_, month, address, sign * int(amount)


def _adjustments(connection: Connection) -> Iterator[Sequence[int]]:
    """The entries of adjustments, some at once: as many as persons have made."""
    query = sa.select(Act.entry_id).where(Act.kind == _ADJUST, Act.entry_id.is_not(None)).order_by(Act.entry_id)
    entries = [entry_id for entry_id in connection.execute(query).scalars() if entry_id is not None]
    yield from in_pieces(entries, _AT_ONCE)


def _accounts(connection: Connection, of: Callable[[str], str], operator: str) -> Sequence[Any]:
    """(id, address, currency) of one operator's, or of all."""
    where = Account.address == of(operator) if operator else Account.address.like(of("%"))
    query = sa.select(Account.id, Account.address, Account.currency).where(where)
    return connection.execute(query.order_by(Account.address, Account.currency)).all()


def _moved(connection: Connection, operator: str) -> Iterator[tuple[str, str, dict[Month, tuple[int, int]]]]:
    """(operator, currency, debits and credits by booked month) of every receivable."""
    accounts = _accounts(connection, receivable, operator)
    moved = read_months(connection, [account.id for account in accounts])
    for id_, address, currency in accounts:
        own = {month: sums for (account_id, month), sums in moved.items() if account_id == id_}
        yield address.split(":")[1], currency, own


def _came_off(connection: Connection, since: Month) -> dict[tuple[str, str, Month], Off]:
    """What came off receivables, by operator, currency and booked month."""
    charge_back = int(ChargeKind.CHARGE_BACK)
    wanted = Wanted(Period(first_day(since)), ("operator", "month"), kinds=(charge_back, PAID, WRITTEN_OFF))
    found = {}
    for line in read_lines(connection, wanted):
        back, off, paid = (line.only(kind) for kind in (charge_back, WRITTEN_OFF, PAID))
        place = (str(line.key[0]), line.currency, int(line.key[1]))
        found[place] = Off(-back.revenue, off.total("price"), paid.total("price"))
    return found
