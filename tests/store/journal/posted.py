"""What was posted, with the names of accounts.

postings   all of them, by entry and accounts
entries    all of them, in order
"""

from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from store.database import Database
from store.schema import Account, Entry, Posting


class Posted(NamedTuple):
    """A posting."""

    entry_id: int
    debit: str
    credit: str
    currency: str
    amount: int
    month: int


def postings(database: Database) -> list[Posted]:
    """All of them."""
    debit, credit = aliased(Account), aliased(Account)
    query = (
        sa.select(Posting.entry_id, debit.address, credit.address, Posting.currency, Posting.amount, Posting.month)
        .join(debit, debit.id == Posting.debit_id)
        .join(credit, credit.id == Posting.credit_id)
        .order_by(Posting.entry_id, debit.address, credit.address)
    )
    with database.read() as connection:
        return [Posted(*row) for row in connection.execute(query)]


def entries(database: Database) -> list[Any]:
    """All of them."""
    with database.read() as connection:
        return list(connection.execute(sa.select(Entry.__table__).order_by(Entry.id)))
