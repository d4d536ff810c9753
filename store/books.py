"""Booking that is not intake's: an entry with its charges and details, what they move, once only
(billing.md, sections 4, 6 and 12).

Books         entries: their keys, their charges and details, the balances that have a floor
open_month    the month that something is booked into now

Rule: in a transaction of the caller's. The same key again books nothing; with other content it is a StoreConflict. No
single movement is above AMOUNT_MAX, so that no sum runs over.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import sqlalchemy as sa
from sqlalchemy import Connection

from core.catalogue import Catalogue
from core.clock import Instant, Month, month_of
from core.errors import StoreConflict, UserMistake
from core.ledger.details import Detail
from core.ledger.entry import Charge, Entry
from core.ledger.facts import sum_postings
from core.money import AMOUNT_MAX, format_micros
from core.report import Place, Sums, sums_of
from store import schema
from store.accounts import Accounts
from store.bulk import bulk_insert
from store.daily import ACTS, count_details, places_of, write_sums
from store.floors import Floors, floors_of
from store.journal.booking import first_open_month, write_details, write_postings
from store.journal.rows import CORRECTION_COLUMNS, charge_row

NOWHERE: Mapping[int, Place] = MappingProxyType({})


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
        places: Mapping[int, Place] = NOWHERE,
    ) -> int:
        """The entry's id; of one that was booked before, its own. Charges that are not posted get no entry.

        `places` says where the charges' messages came in, by their ids, to whom knows it; the others are looked up.

        Raises Overdrawn, NoSuchAccount or, for what is too much, UserMistake, and the caller's transaction must then be
        rolled back; StoreConflict for other content.
        """
        assert act.content, act
        before = self.is_booked(connection, act)
        if before:
            return before
        _refuse_too_much(details)
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
        sums = self._write_charges(connection, charges, places, entry_id=entry_id, at=act.at)
        write_details(connection, self.accounts, details, entry_id=entry_id, at=act.at)
        count_details(connection, sums, details, places, self._catalogue().operators, entry_id=entry_id)
        floors.write()
        write_sums(connection, sums, ACTS)
        return entry_id

    def _write_charges(
        self,
        connection: Connection,
        charges: Sequence[Charge],
        places: Mapping[int, Place],
        *,
        entry_id: int,
        at: Instant,
    ) -> Sums:
        """What they add to the daily sums."""
        if not charges:
            return {}
        operators = self._catalogue().operators
        unknown = {charge.message_id for charge in charges} - places.keys()
        places = {**places, **places_of(connection, unknown)}
        rows, placed = [], []
        for charge in charges:
            id_, operator_id = self._next_id(), operators[charge.operator].id
            rows.append((id_, charge.message_id, int(charge.kind), operator_id, at, *charge_row(charge, entry_id)))
            place = places.get(charge.message_id, Place(operator_id))
            placed.append((place._replace(operator_id=operator_id), charge, id_))
        bulk_insert(connection, schema.Charge, CORRECTION_COLUMNS, rows)
        return sums_of(placed, entry_id)


def _refuse_too_much(details: Sequence[Detail]) -> None:
    for detail in details:
        p = detail.posting
        if p.amount > AMOUNT_MAX:
            raise UserMistake(
                f"{format_micros(p.amount)} {p.currency} from {p.debit} to {p.credit} is more than "
                f"{format_micros(AMOUNT_MAX)}, the most that is moved at once; book it in pieces"
            )


def open_month(connection: Connection, at: Instant, zone: str = "UTC") -> Month:
    """The month of a moment in a zone; the first open one when that is closed."""
    return max(month_of(at, zone), first_open_month(connection))
