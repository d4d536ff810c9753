"""An operator has paid us: `bank → operator receivable`, once for each reference (billing.md, section 6).

book_payment      books it, or finds that it was booked
OperatorPayment   the same inside a transaction of the caller's: what it would book, and the booking
Paid              the entry, and whether it is new
check_told        what a person tells of a payment, from an operator or to it

Rule: the same reference with another amount or bank is an error, never a second payment. Above an amount two people
say it: whoever lets one do it has asked `Acts.propose` first.
"""

from dataclasses import dataclass
from hashlib import sha256

import sqlalchemy as sa
from sqlalchemy import Connection

from core.errors import StoreConflict, UserMistake
from core.ledger.accounts import bank as bank_account
from core.ledger.accounts import is_bank_name, receivable
from core.ledger.details import About, Detail, DetailKind, moved
from core.money import AMOUNT_MAX, format_micros
from core.second_person import REASON_MAX, checked_name
from store.balances import read_balances
from store.books import Act, open_month
from store.desk import Desk
from store.provisioning.sentences import there_is_no
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


def book_payment(
    desk: Desk, operator: str, amount: int, *, bank: str, reference: str, by: str, reason: str = ""
) -> Paid:  # fmt: skip
    """`amount` in micros of the operator's currency. Raises UserMistake; StoreAway."""
    payment = OperatorPayment(desk, operator, amount, bank=bank, reference=reference, by=by, reason=reason)
    entry, is_new, is_new_bank = desk.run(payment.book)
    with desk.database.read() as connection:
        lines = read_balances(connection, [receivable(operator)])
    currency = payment.currency
    return Paid(entry, is_new, currency, sum(one.amount for one in lines if one.currency == currency), is_new_bank)


class OperatorPayment:
    """One that a person tells of. Raises UserMistake for what can never be."""

    def __init__(
        self, desk: Desk, operator: str, amount: int, *, bank: str, reference: str, by: str, reason: str = ""
    ) -> None:  # fmt: skip
        found = desk.catalogue().operators.get(operator)
        if found is None:
            raise UserMistake(there_is_no("operator", operator, desk.catalogue().operators))
        check_told(amount, bank, reference)
        self._desk, self._operator, self._bank, self._reference = desk, operator, bank, reference.strip()
        self._amount, self.currency = amount, found.currency
        # Long ones are known by their hash, since an entry's key is short.
        is_short = len(self._reference) <= _KEPT_MAX
        named = self._reference if is_short else sha256(self._reference.encode()).hexdigest()[:_KEPT_MAX]
        content = repr((operator, amount, found.currency, bank, self._reference))
        self._act = Act(f"operator_paid:{found.id}:{named}", "operator_paid", content, desk.now())
        why = f"{self._reference}: {reason.strip()}" if reason.strip() else self._reference
        self._about = About(subject=named, author=checked_name(by, "--by: who books it"), reason=why[:REASON_MAX])

    def details(self, connection: Connection) -> list[Detail]:
        """What it would book; nothing where it was booked before. Raises UserMistake where that was another one."""
        return [] if self._before(connection) else self._moved(connection)

    def book(self, connection: Connection) -> tuple[int, bool, bool]:
        """Inside a transaction of the caller's: the entry, whether it is new, whether its bank account is."""
        if before := self._before(connection):
            return before, False, False
        address = bank_account(self._bank)
        place = sa.select(Account.id).where(Account.address == address, Account.currency == self.currency)
        is_new_bank = connection.execute(place).first() is None
        return self._desk.books.book(connection, self._act, details=self._moved(connection)), True, is_new_bank

    def _before(self, connection: Connection) -> int:
        try:
            return self._desk.books.is_booked(connection, self._act)
        except StoreConflict as error:
            raise UserMistake(
                f"the payment {self._reference} of {self._operator} was booked before, with another amount or bank "
                f"than {format_micros(self._amount)} {self.currency} on {self._bank}; nothing was changed"
            ) from error

    def _moved(self, connection: Connection) -> list[Detail]:
        places = (bank_account(self._bank), receivable(self._operator))
        month = open_month(connection, self._act.at)
        return moved(
            DetailKind.OPERATOR_PAID, *places, self._amount, currency=self.currency, month=month, about=self._about
        )


def check_told(amount: int, bank: str, reference: str) -> None:
    """Of a payment from an operator or to it. Raises UserMistake for what can never be."""
    if not 0 < amount <= AMOUNT_MAX:
        most = format_micros(AMOUNT_MAX)
        raise UserMistake(f"AMOUNT: {format_micros(amount)} is not above zero and at most {most}")
    if not is_bank_name(bank):
        raise UserMistake("--bank: name an account in letters (a–z), digits, dots, dashes, like main")
    if not reference.strip() or len(reference) > REFERENCE_MAX or not reference.isprintable():
        raise UserMistake(f"--reference: give the bank's reference of the payment, 1 to {REFERENCE_MAX} characters")
