"""Which rows of accounts and counters are there: asked once for a process, not once for a batch.

Accounts   ids by (address, currency), and the volumes whose rows are there

Rule: what a transaction made is kept only when it was committed; no account is made, or used, that the chart of
accounts does not have: whatever reads the ledger would stumble over it for good.
"""

from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy import Connection

from core.ledger.accounts import check_place
from core.tariff.rate import VolumeKey
from store.bulk import insert_ignore
from store.schema import Account


@dataclass(slots=True)
class Accounts:
    """Which rows are there: ids of accounts by (address, currency), volumes. Kept only when the batch was committed."""

    known: dict[tuple[str, str], int] = field(default_factory=dict)
    fresh: dict[tuple[str, str], int] = field(default_factory=dict)
    counters: set[VolumeKey] = field(default_factory=set)
    """Volumes whose rows are there: never removed, so a batch that was rolled back is the only doubt."""
    fresh_counters: set[VolumeKey] = field(default_factory=set)

    def ids(self, connection: Connection, wanted: set[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """Ids of all that are wanted. Raises NoSuchAccount."""
        missing = [place for place in wanted if place not in self.known]
        if missing:
            for address, currency in missing:
                check_place(address, currency)
            insert_ignore(connection, Account, ("address", "currency"), sorted(missing))
            addresses = {address for address, _ in missing}
            rows = connection.execute(
                sa.select(Account.address, Account.currency, Account.id).where(Account.address.in_(addresses))
            )
            self.fresh = {(address, currency): id_ for address, currency, id_ in rows}
        return {place: self.known.get(place) or self.fresh[place] for place in wanted}

    def keep(self) -> None:
        """The batch was committed."""
        self.known.update(self.fresh)
        self.counters |= self.fresh_counters
        self.forget()

    def forget(self) -> None:
        """The batch was rolled back: the rows that it made are gone."""
        self.fresh = {}
        self.fresh_counters = set()
