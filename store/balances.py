"""Balances: what stands on which account (billing.md, sections 4 and 5).

read_balances     by address and currency, on each account's normal side
partner_balance   what a partner has earned, what is held, paid in and set aside: by currency

A balance is the sum of all postings: the folded sums and the postings since (store/folding.py). Accounts with a floor
have a row that holds the same, with what they began with (L8); it is read instead.

Rule: reads only, inside Database.read(): a balance is made of several looks at one picture. Amounts are micros.
"""

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from core.ledger.accounts import balance, earnings, held, kind_of, payout, prepaid, reserved
from store.folding import read_sums
from store.schema import Account, Balance


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """What stands on an account: positive is its normal side."""

    address: str
    currency: str
    amount: int


@dataclass(frozen=True, slots=True)
class PartnerBalance:
    """A partner's money in one currency."""

    currency: str
    earnings: int = 0
    held: int = 0
    prepaid: int = 0
    reserved: int = 0
    payout: int = 0


def read_balances(connection: Connection, addresses: Collection[str] | None = None) -> list[AccountBalance]:
    """All accounts, or those at some addresses, by address and currency."""
    query = sa.select(Account.id, Account.address, Account.currency, Balance.amount).outerjoin(
        Balance, Balance.account_id == Account.id
    )
    if addresses is not None:
        query = query.where(Account.address.in_(addresses))
    accounts = connection.execute(query.order_by(Account.address, Account.currency)).all()
    wanted = [row.id for row in accounts if row.amount is None]
    sums = read_sums(connection, None if addresses is None else wanted)
    return [
        AccountBalance(
            address,
            currency,
            balance(kind_of(address), *sums.get(id_, (0, 0))) if amount is None else amount,
        )
        for id_, address, currency, amount in accounts
    ]


def partner_balance(connection: Connection, login: str) -> list[PartnerBalance]:
    """The partner's money, a line per currency in which it has an account."""
    names = {
        earnings(login): "earnings",
        held(login): "held",
        prepaid(login): "prepaid",
        reserved(login): "reserved",
        payout(login): "payout",
    }
    found: dict[str, dict[str, int]] = {}
    for line in read_balances(connection, names):
        found.setdefault(line.currency, {})[names[line.address]] = line.amount
    return [PartnerBalance(currency, **amounts) for currency, amounts in sorted(found.items())]
