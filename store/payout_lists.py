"""Payouts as they are looked at: lists of them, and what may be paid to whom now.

list_payouts   by state, partner, method or file; the newest first
read_due       what a partner has in a currency, and what of it may be paid

Rule: reads only. What may be paid is judged again, under a lock, when somebody asks for it (store/payouts.py).
"""

from collections.abc import Collection, Iterator

import sqlalchemy as sa
from sqlalchemy import Connection

from core.catalogue import Catalogue
from core.clock import Instant
from core.payouts import Funds, PayoutState
from store.database import Database
from store.funds import Purse, Youth, read_funds, read_youth
from store.payouts import COLUMNS, PayoutRow, row_of
from store.schema import Payout


def list_payouts(
    connection: Connection,
    states: Collection[PayoutState] = (),
    *,
    partner_id: int = 0,
    method: str = "",
    file_id: int = 0,
    limit: int = 50,
) -> Iterator[PayoutRow]:
    """The newest first; without states all of them."""
    query = sa.select(*COLUMNS).order_by(Payout.id.desc()).limit(limit)
    if states:
        query = query.where(Payout.state.in_(sorted(int(state) for state in states)))
    for column, value in ((Payout.partner_id, partner_id), (Payout.method, method), (Payout.file_id, file_id)):
        query = query.where(column == value) if value else query
    for row in connection.execute(query):
        yield row_of(row)


def read_due(database: Database, catalogue: Catalogue, login: str, currency: str, now: Instant) -> Funds:
    """Raises UserMistake for a partner that is not there, StoreAway."""
    purse = Purse.of(catalogue, login, currency, now)
    youth: Youth = read_youth(database, purse, now)
    with database.read() as connection:
        return read_funds(connection, purse, youth)
