"""Balances that may not fall below a floor: locked, checked and written in the transaction that moves them
(billing.md, sections 4, 5 and 12).

Floors    the balance rows that a batch may touch: `load` locks them, `may` asks, `move` changes, `write` writes
Floor     which floor an account has: prepaid the partner's credit limit, in its own currency; all others 0

A floor that was raised above the balance (a credit that was taken away) is reached from below: nothing can be spent,
and each payment lifts it, until the balance has passed it.

What a message on its way has set aside is there when it ends, or somebody made a mistake: `must` books the end all the
same, since it has happened, and tells. The balance is then below its floor, and the audit finds it (L8, L9): only
a catalogue that allows more lowers a floor, never money that leaves.

Rule: rows are locked in the order of their ids, one SELECT … FOR UPDATE, and missing ones are inserted before, or
batches of several processes make deadlocks.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

import sqlalchemy as sa
from sqlalchemy import Connection

from core.catalogue import Catalogue
from core.errors import UserMistake
from core.ledger.accounts import has_floor
from core.money import format_micros
from store.accounts import Accounts
from store.bulk import bulk_upsert, insert_ignore
from store.schema import Balance

Place: TypeAlias = tuple[str, str]
"""(address, currency)."""
Floor: TypeAlias = Callable[[Place], int]
"""Account → how far it may go down, micros."""

_COLUMNS = ("account_id", "amount", "floor", "opening")


class Overdrawn(UserMistake):
    """An account with a floor does not hold what is asked of it."""

    def __init__(self, place: Place, amount: int, available: int) -> None:
        address, currency = place
        super().__init__(
            f"{address} has {format_micros(max(available, 0))} {currency} to spend, "
            f"{format_micros(amount)} are asked for"
        )
        self.place = place
        self.available = available


def floors_of(catalogue: Catalogue) -> Floor:
    """By the catalogue: a partner's prepaid account in its own currency goes down to its credit limit."""

    def floor(place: Place) -> int:
        address, currency = place
        kind, _, rest = address.partition(":")
        login, _, sub = rest.rpartition(":")
        partner = catalogue.partners.get(login) if kind == "partner" and sub == "prepaid" else None
        return -partner.credit_limit if partner is not None and partner.currency == currency else 0

    return floor


@dataclass(slots=True)
class _Row:
    account_id: int
    amount: int
    floor: int
    opening: int
    wanted: int
    is_credit: bool
    changed: bool = False

    def set_floor(self) -> None:
        """Where the catalogue wants it. A credit limit may have been lowered below what is owed: then where the balance
        is, if that is not below where it was.
        """
        self.floor = min(self.wanted, max(self.floor, self.amount)) if self.is_credit else self.wanted


class Floors:
    """The balances that one transaction may touch. All accounts with a floor are liabilities: credits raise them."""

    def __init__(self, connection: Connection, accounts: Accounts, floor: Floor) -> None:
        self._connection = connection
        self._accounts = accounts
        self._floor = floor
        self._rows: dict[Place, _Row] = {}
        self.below: set[Place] = set()
        """Those that did not hold what they must have held."""

    def load(self, places: Iterable[Place]) -> None:
        """Lock those of them that have a floor; once for a batch."""
        wanted = {place for place in places if has_floor(place[0])} - self._rows.keys()
        if not wanted:
            return
        ids = self._accounts.ids(self._connection, wanted)
        by_id = {id_: place for place, id_ in ids.items()}
        new = [(id_, 0, self._floor(by_id[id_]), 0) for id_ in sorted(by_id)]
        insert_ignore(self._connection, Balance, _COLUMNS, new)
        rows = self._connection.execute(
            sa.select(Balance.account_id, Balance.amount, Balance.floor, Balance.opening)
            .where(Balance.account_id.in_(sorted(by_id)))
            .order_by(Balance.account_id)
            .with_for_update()
        )
        for account_id, amount, floor, opening in rows:
            place = by_id[account_id]
            self._rows[place] = _Row(
                account_id, amount, floor, opening, self._floor(place), place[0].endswith(":prepaid")
            )

    def available(self, place: Place) -> int:
        """What can be spent: below zero when the floor was raised above the balance."""
        row = self._rows[place]
        return row.amount - row.wanted

    def amount(self, place: Place) -> int:
        """The balance."""
        return self._rows[place].amount

    def move(self, place: Place, change: int, *, must: bool = False) -> None:
        """More or less on it. Raises Overdrawn when less is left than its floor; with `must` it is in `below` then."""
        row = self._rows[place]
        if change < 0 and row.amount + change < row.wanted:
            if not must:
                raise Overdrawn(place, -change, row.amount - row.wanted)
            self.below.add(place)
        row.set_floor()
        row.amount += change
        row.set_floor()
        row.changed = True

    def post(self, debit: str, credit: str, currency: str, amount: int, *, must: bool = False) -> None:
        """Both sides of a posting, as far as they have a floor. Raises Overdrawn, and has then changed nothing."""
        source, target = (debit, currency), (credit, currency)
        if source in self._rows:
            self.move(source, -amount, must=must)
        if target in self._rows:
            self.move(target, amount)

    def write(self) -> None:
        """What was changed, one statement."""
        rows = [
            (row.account_id, row.amount, row.floor, row.opening)
            for row in sorted(self._rows.values(), key=lambda row: row.account_id)
            if row.changed
        ]
        bulk_upsert(self._connection, Balance, _COLUMNS, rows, update=("amount", "floor"))
        for row in self._rows.values():
            row.changed = False
