"""A partner's own currency, which stays: its credit limit, its prices and its balances are in it.

check_currencies   partners of the document that would change it while something is in the old one

Rule: money that lies in a currency, and a plan that rates in it, are not turned into another one by a word in a file.
"""

from collections.abc import Iterator

import sqlalchemy as sa

from core.ledger import accounts
from store.provisioning.checks import Mistake
from store.provisioning.elements import Document
from store.provisioning.sheets import Stored
from store.schema import Account


def check_currencies(connection: sa.Connection, document: Document, stored: Stored) -> Iterator[Mistake]:
    """Against the plans and accounts of the database."""
    of_plan = {row["id"]: row["currency"] for row in stored.plan.rows.values()}
    for index, partner in enumerate(document.partner):
        before = stored.partner.rows.get((partner.login,))
        if before is None or before["currency"] == partner.currency:
            continue
        old = before["currency"]
        has_plan = any(
            one["partner_id"] == before["id"] and of_plan[one["plan_id"]] == old for one in stored.on_plan.rows.values()
        )
        has_money = _has_accounts(connection, partner.login, old)
        if has_plan or has_money:
            what = " and ".join(word for word, there in (("a plan", has_plan), ("balances", has_money)) if there)
            why = f"{partner.login} has {what} in {old}, so it stays; write {old}, or make a partner of another login"
            yield ("partner", index, "currency"), why


def _has_accounts(connection: sa.Connection, login: str, currency: str) -> bool:
    """Whether anything was ever booked for it in the currency."""
    own = [
        address(login)
        for address in (accounts.earnings, accounts.held, accounts.prepaid, accounts.reserved, accounts.payout)
    ]
    query = sa.select(Account.id).where(Account.address.in_(own), Account.currency == currency).limit(1)
    return connection.execute(query).first() is not None
