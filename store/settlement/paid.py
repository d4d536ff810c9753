"""An operator has paid us: `bank → operator receivable`, once for each reference (billing.md, section 6).

book_payment   books it, or finds that it was booked
Paid           the entry, and whether it is new

Rule: the same reference with another amount or bank is an error, never a second payment.
"""

from dataclasses import dataclass
from hashlib import sha256

import sqlalchemy as sa
from sqlalchemy import Connection

from core.errors import StoreConflict, UserMistake
from core.ledger.accounts import bank as bank_account
from core.ledger.accounts import is_bank_name, receivable
from core.ledger.details import About, DetailKind, moved
from core.money import format_micros
from store.balances import read_balances
from store.books import Act, open_month
from store.desk import Desk
from store.schema import Account

REFERENCE_MAX = 140
_KEPT_MAX = 40


@dataclass(frozen=True, slots=True)
class Paid:
    """The entry. `owed`: what the operator owes us now; `is_new_bank`: nothing was booked on this account before."""

    entry: int
    is_new: bool
    currency: str
    owed: int
    is_new_bank: bool = False


def book_payment(desk: Desk, operator: str, amount: int, *, bank: str, reference: str, by: str) -> Paid:
    """`amount` in micros of the operator's currency. Raises UserMistake; StoreAway."""
    found = desk.catalogue().operators.get(operator)
    if found is None:
        known = ", ".join(sorted(desk.catalogue().operators)) or "none"
        raise UserMistake(f"there is no operator {operator}; there are: {known}")
    if amount <= 0:
        raise UserMistake("the amount must be above zero")
    if not is_bank_name(bank):
        raise UserMistake("--bank: name an account in letters (a–z), digits, dots, dashes, like main")
    if not reference.strip() or len(reference) > REFERENCE_MAX or not reference.isprintable():
        raise UserMistake(f"--reference: give the bank's reference of the payment, 1 to {REFERENCE_MAX} characters")
    reference = reference.strip()
    currency = found.currency
    # Long ones are known by their hash, since an entry's key is short.
    named = reference if len(reference) <= _KEPT_MAX else sha256(reference.encode()).hexdigest()[:_KEPT_MAX]
    content = repr((operator, amount, currency, bank, reference))

    def work(connection: Connection) -> tuple[int, bool, bool]:
        act = Act(f"operator_paid:{found.id}:{named}", "operator_paid", content, desk.now())
        before = desk.books.is_booked(connection, act)
        if before:
            return before, False, False
        place = sa.select(Account.id).where(Account.address == bank_account(bank), Account.currency == currency)
        is_new_bank = connection.execute(place).first() is None
        details = moved(
            DetailKind.OPERATOR_PAID, bank_account(bank), receivable(operator), amount, currency=currency,
            month=open_month(connection, act.at), about=About(subject=named, author=by, reason=reference),
        )  # fmt: skip
        return desk.books.book(connection, act, details=details), True, is_new_bank

    try:
        entry, is_new, is_new_bank = desk.run(work)
    except StoreConflict as error:
        raise UserMistake(
            f"the payment {reference} of {operator} was booked before, with another amount or bank than "
            f"{format_micros(amount)} {currency} on {bank}; nothing was changed"
        ) from error
    with desk.database.read() as connection:
        owed = sum(one.amount for one in read_balances(connection, [receivable(operator)]) if one.currency == currency)
    return Paid(entry, is_new, currency, owed, is_new_bank)
