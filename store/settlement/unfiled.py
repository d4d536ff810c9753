"""Operators' months that nobody has settled: they brought money, and no file is staged (billing.md, section 10).

read_unfiled   up to a month, by operator and currency, for those that still owe something
Unfiled        one of them

What an operator lists and we do not, or the other way round, is found by its file alone. So a month without one is told
for as long as the operator owes anything of these months; when all of it is paid, nothing of it is one-sided.

Rule: inside Database.read(), or with the books held; it reads the operators' accounts and the runs, never messages. A
run that was dismissed as a whole is no file.
"""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import Month, month_text
from core.ledger.accounts import owner_of, receivable
from core.settlement.verdicts import RunState
from store.folding import read_months
from store.schema import Account, Operator, SettlementRun

_NAMED = 3
"""Months that are named one by one."""


@dataclass(frozen=True, slots=True)
class Unfiled:
    """An operator's months without a file. `brought`: what they made the operator owe; `owed`: what is open of it at
    most, since nobody knows for which month an operator has paid.
    """

    operator: str
    currency: str
    months: tuple[Month, ...]
    brought: int
    owed: int

    @property
    def when(self) -> str:
        """`2026-10`, `2026-09, 2026-10`, or `12 months from 2025-11 to 2026-10`."""
        names = [month_text(month) for month in self.months]
        return ", ".join(names) if len(names) <= _NAMED else f"{len(names)} months from {names[0]} to {names[-1]}"


def read_unfiled(connection: Connection, until: Month, operator: str = "") -> list[Unfiled]:
    """Of all operators, or of one; by operator and currency."""
    where = Account.address == receivable(operator) if operator else Account.address.like(receivable("%"))
    query = sa.select(Account.id, Account.address, Account.currency).where(where)
    accounts = connection.execute(query.order_by(Account.address, Account.currency)).all()
    moved = read_months(connection, [account.id for account in accounts])
    filed = _filed(connection, until)
    found = []
    for id_, address, currency in accounts:
        own = {month: sums for (account_id, month), sums in moved.items() if account_id == id_}
        brought = {month: debits for month, (debits, _) in own.items() if month <= until and debits}
        open_ = sum(brought.values()) - sum(credits for _, credits in own.values())
        code = owner_of(address)[1]
        months = tuple(month for month in sorted(brought) if (code, month) not in filed)
        if months and open_ > 0:
            sum_ = sum(brought[month] for month in months)
            found.append(Unfiled(code, currency, months, sum_, min(sum_, open_)))
    return found


def _filed(connection: Connection, until: Month) -> set[tuple[str, Month]]:
    """(operator, month) of all runs but those that were dismissed."""
    query = sa.select(Operator.code, SettlementRun.month).join(Operator, Operator.id == SettlementRun.operator_id)
    alive = query.where(SettlementRun.state != int(RunState.DISMISSED), SettlementRun.month <= until)
    return {(code, month) for code, month in connection.execute(alive.distinct())}
