"""Rating a batch under its locks and writing its one entry (billing.md, sections 4 and 12).

Order: the first open month; missing counter rows; the counters in id order FOR UPDATE; rate in Python; accounts;
the entry with its summed postings; the counters, one statement per table.

Rule: a message that cannot be rated never stops the others; it goes to suspense with its reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy import Connection

from core.catalogue import Catalogue
from core.clock import Instant, Month
from core.ledger.entry import Charge, Entry, Posting
from core.ledger.facts import sum_postings
from core.tariff.rate import ReferralKey, Unrated, VolumeKey, Volumes, rate, referral_key, unrated, volume_key
from store import schema
from store.bulk import bulk_insert, bulk_upsert, insert_ignore
from store.journal.facts import MoFact
from store.schema import Account, ReferralGiven, Volume
from store.text import read_text

_VOLUME = ("partner_id", "plan_version_id", "month", "volume", "parts")
_REFERRAL = ("terms_id", "currency", "given")
_ENTRY = ("id", "key", "digest", "kind", "at")
_POSTING = ("entry_id", "debit_id", "credit_id", "currency", "amount", "month")
_IN_LIST = 200
"""Rows asked for in one statement: SQLite allows 32 766 parameters, and short statements are cached."""


@dataclass(slots=True)
class Accounts:
    """Which rows are there: ids of accounts by (address, currency), volumes. Kept only when the batch was committed."""

    known: dict[tuple[str, str], int] = field(default_factory=dict)
    fresh: dict[tuple[str, str], int] = field(default_factory=dict)
    counters: set[VolumeKey] = field(default_factory=set)
    """Volumes whose rows are there: never removed, so a batch that was rolled back is the only doubt."""
    fresh_counters: set[VolumeKey] = field(default_factory=set)

    def ids(self, connection: Connection, wanted: set[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """Ids of all that are wanted."""
        missing = [place for place in wanted if place not in self.known]
        if missing:
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


def rate_batch(
    connection: Connection, accounts: Accounts, facts: Sequence[MoFact], catalogue: Catalogue
) -> list[Charge]:
    """Rate the settled messages in order, under the locks of their counters; fill in `charges`."""
    first_open = first_open_month(connection)
    waiting: list[Unrated] = []
    for fact in facts:
        assert fact.settlement is not None, fact
        waiting.append(unrated(fact.settlement, catalogue, first_open))
    volumes = _lock(connection, accounts, waiting)
    before = dict(volumes.referred)
    charges: list[Charge] = []
    for fact, one in zip(facts, waiting, strict=True):
        fact.charges = rate(one, volumes)
        charges += fact.charges
    write_counters(connection, volumes, before)
    return charges


def first_open_month(connection: Connection) -> Month:
    """The month after the last closed one; 0 when none is closed."""
    closed: int | None = read_text(connection, "SELECT max(month) FROM closed_month")[0][0]
    if closed is None:
        return 0
    return closed + 1 if closed % 100 < 12 else (closed // 100 + 1) * 100 + 1


def _lock(connection: Connection, accounts: Accounts, waiting: Sequence[Unrated]) -> Volumes:
    keys = sorted({key for one in waiting if (key := volume_key(one)) is not None})
    terms = sorted({capped for one in waiting if (capped := referral_key(one)) is not None})
    return load_counters(connection, accounts, keys, terms)


def load_counters(
    connection: Connection, accounts: Accounts, keys: list[VolumeKey], terms: list[ReferralKey]
) -> Volumes:
    """Volumes and what referrers got under a cap, locked in the order of their keys; both lists are sorted."""
    volumes = Volumes()
    if keys:
        volumes.volume = _locked_volumes(connection, accounts, keys)
    if terms:
        volumes.referred = _locked_referrals(connection, terms)
    return volumes


def _locked_volumes(connection: Connection, accounts: Accounts, keys: list[VolumeKey]) -> dict[VolumeKey, int]:
    unknown = [key for key in keys if key not in accounts.counters]
    if unknown:
        # Inserted before they are locked, or gap locks make deadlocks at every month's start (billing.md, 12).
        insert_ignore(connection, Volume, _VOLUME, [(*key, 0, 0) for key in unknown])
        accounts.fresh_counters.update(unknown)
    return _select_volumes(connection, keys)


def _select_volumes(connection: Connection, keys: list[VolumeKey]) -> dict[VolumeKey, int]:
    """The counters, locked in the order of their keys. Hot: an expression of SQLAlchemy's costs eight times as much."""
    found: dict[VolumeKey, int] = {}
    # SQLite takes a list of rows only as VALUES; its single writer needs no lock.
    lite = connection.dialect.name == "sqlite"
    place, before, lock = ("(?, ?, ?)", "VALUES ", "") if lite else ("(%s, %s, %s)", "", " FOR UPDATE")
    for start in range(0, len(keys), _IN_LIST):
        some = keys[start : start + _IN_LIST]
        rows = read_text(
            connection,
            "SELECT partner_id, plan_version_id, month, volume FROM volume "
            f"WHERE (partner_id, plan_version_id, month) IN ({before}{', '.join([place] * len(some))}) "
            f"ORDER BY partner_id, plan_version_id, month{lock}",
            tuple(value for key in some for value in key),
        )
        found.update({(partner, plan, month): volume for partner, plan, month, volume in rows})
    return found


def _locked_referrals(connection: Connection, keys: list[ReferralKey]) -> dict[ReferralKey, int]:
    insert_ignore(connection, ReferralGiven, _REFERRAL, [(*key, 0) for key in keys])
    place = sa.tuple_(ReferralGiven.terms_id, ReferralGiven.currency)
    rows = connection.execute(
        sa.select(ReferralGiven.terms_id, ReferralGiven.currency, ReferralGiven.given)
        .where(place.in_(keys))
        .order_by(ReferralGiven.terms_id, ReferralGiven.currency)
        .with_for_update()
    )
    return {(terms, currency): given for terms, currency, given in rows}


def write_counters(connection: Connection, volumes: Volumes, before: dict[ReferralKey, int]) -> None:
    """What was given since they were loaded; `before` is what the referrals were then."""
    # `parts` counts outgoing SMS and is not ours to change: it is named only for a row that would be new.
    bulk_upsert(
        connection,
        Volume,
        _VOLUME,
        [(*key, volume, 0) for key, volume in volumes.volume.items()],
        update=("volume",),
    )
    changed = [(*key, given) for key, given in volumes.referred.items() if given != before.get(key)]
    bulk_upsert(connection, ReferralGiven, _REFERRAL, changed, update=("given",))


def write_entry(
    connection: Connection, accounts: Accounts, charges: Sequence[Charge], *, entry_id: int, at: Instant
) -> None:
    """One entry for the whole batch, with its postings summed; nothing when no charge was posted."""
    postings = sum_postings(charges)
    entry = Entry(f"batch:{entry_id}", tuple(postings))
    bulk_insert(connection, schema.Entry, _ENTRY, [(entry_id, entry.key, entry.digest(), "batch", at)])
    write_postings(connection, accounts, postings, entry_id=entry_id)


def write_postings(connection: Connection, accounts: Accounts, postings: Sequence[Posting], *, entry_id: int) -> None:
    """Those of one entry."""
    if postings:
        bulk_insert(connection, schema.Posting, _POSTING, _posting_rows(connection, accounts, postings, entry_id))


def _posting_rows(
    connection: Connection, accounts: Accounts, postings: Sequence[Posting], entry_id: int
) -> list[tuple[int, int, int, str, int, int]]:
    wanted = {(p.debit, p.currency) for p in postings} | {(p.credit, p.currency) for p in postings}
    ids = accounts.ids(connection, wanted)
    return [
        (entry_id, ids[p.debit, p.currency], ids[p.credit, p.currency], p.currency, p.amount, p.month) for p in postings
    ]
