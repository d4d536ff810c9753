"""Booking that is not intake's: an entry with its charges and details, what they move, once only
(billing.md, sections 4, 6 and 12).

Books         entries: their keys, their charges and details, the balances that have a floor
open_month    the month that something is booked into now

Rule: in a transaction of the caller's. The same key again books nothing; with other content it is a StoreConflict.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from core.catalogue import Catalogue
from core.clock import Instant, Month, month_of
from core.errors import StoreConflict
from core.ledger.details import Detail
from core.ledger.entry import Charge, Entry
from core.ledger.facts import sum_postings
from store import schema
from store.bulk import bulk_insert
from store.floors import Floors, floors_of
from store.journal.booking import Accounts, first_open_month, write_postings
from store.journal.rows import CORRECTION_COLUMNS, charge_row

DETAIL_COLUMNS = (
    "entry_id", "kind", "debit_id", "credit_id", "currency", "amount", "month", "at", "message_id", "partner_id",
    "subject", "author", "reason",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Act:
    """What is booked. `key` makes it once only; `content` is what was asked for, where amounts depend on the moment."""

    key: str
    kind: str
    content: str
    at: Instant


class Books:
    """Books acts of one process, in transactions of the caller's. `next_id` gives ids of entries and charges."""

    def __init__(self, catalogue: Callable[[], Catalogue], next_id: Callable[[], int]) -> None:
        self._catalogue = catalogue
        self._next_id = next_id
        self.accounts = Accounts()

    def is_booked(self, connection: Connection, act: Act) -> int:
        """The entry of an act that was booked before, 0 when it was not. Raises StoreConflict for other content."""
        entry = schema.Entry
        row = connection.execute(sa.select(entry.id, entry.digest).where(entry.key == act.key)).first()
        if row is None:
            return 0
        if row.digest != Entry(act.key, (), act.content).digest():
            raise StoreConflict(f"{act.key} was booked before with other content; nothing was changed")
        return int(row.id)

    def floors(self, connection: Connection) -> Floors:
        """The balances with a floor, for who has to ask before it books."""
        return Floors(connection, self.accounts, floors_of(self._catalogue()))

    def book(
        self,
        connection: Connection,
        act: Act,
        *,
        charges: Sequence[Charge] = (),
        details: Sequence[Detail] = (),
        floors: Floors | None = None,
    ) -> int:
        """The entry's id; of one that was booked before, its own. Charges that are not posted get no entry.

        Raises Overdrawn, and the caller's transaction must then be rolled back; StoreConflict for other content.
        """
        assert act.content, act
        before = self.is_booked(connection, act)
        if before:
            return before
        entry_id = self._next_id()
        postings = sum_postings(charges, details)
        floors = floors or self.floors(connection)
        floors.load({place for p in postings for place in ((p.debit, p.currency), (p.credit, p.currency))})
        # What comes in is there to be spent by what goes out of the same act.
        for p in sorted(postings, key=lambda p: p.debit.startswith("partner:")):
            floors.post(p.debit, p.credit, p.currency, p.amount)
        entry = Entry(act.key, tuple(postings), act.content)
        columns = ("id", "key", "digest", "kind", "at")
        bulk_insert(connection, schema.Entry, columns, [(entry_id, act.key, entry.digest(), act.kind, act.at)])
        write_postings(connection, self.accounts, postings, entry_id=entry_id)
        self._write_charges(connection, charges, entry_id, act.at)
        self._write_details(connection, details, entry_id, act.at)
        floors.write()
        return entry_id

    def _write_charges(self, connection: Connection, charges: Sequence[Charge], entry_id: int, at: Instant) -> None:
        operators = self._catalogue().operators
        rows = [
            (
                self._next_id(), charge.message_id, int(charge.kind), operators[charge.operator].id, at,
                *charge_row(charge, entry_id),
            )
            for charge in charges
        ]  # fmt: skip
        if rows:
            bulk_insert(connection, schema.Charge, CORRECTION_COLUMNS, rows)

    def _write_details(self, connection: Connection, details: Sequence[Detail], entry_id: int, at: Instant) -> None:
        if not details:
            return
        places = {(p.debit, p.currency) for p in (d.posting for d in details)}
        places |= {(p.credit, p.currency) for p in (d.posting for d in details)}
        ids = self.accounts.ids(connection, places)
        rows = [
            (
                entry_id, d.kind.value, ids[d.posting.debit, d.posting.currency],
                ids[d.posting.credit, d.posting.currency], d.posting.currency, d.posting.amount, d.posting.month, at,
                d.about.message_id, d.about.partner_id, d.about.subject, d.about.author, d.about.reason,
            )
            for d in details
        ]  # fmt: skip
        if rows:
            bulk_insert(connection, schema.Detail, DETAIL_COLUMNS, rows)


def open_month(connection: Connection, at: Instant, zone: str = "UTC") -> Month:
    """The month of a moment in a zone; the first open one when that is closed."""
    return max(month_of(at, zone), first_open_month(connection))
