"""Rating a batch under its locks and writing its one entry (billing.md, sections 4 and 12).

Order: the first open month, shared; missing counter rows; the counters in id order FOR UPDATE; rate in Python;
accounts; the entry with its summed postings; the counters, one statement per table.

Rule: a message that cannot be rated never stops the others; it goes to suspense with its reason.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import Connection

from core.catalogue import Catalogue
from core.clock import Instant, Month, next_month
from core.ledger.details import Detail
from core.ledger.entry import Charge, Entry, Posting
from core.ledger.facts import sum_postings
from core.tariff.rate import ReferralKey, Unrated, VolumeKey, Volumes, rate, referral_key, unrated, volume_key
from store import schema
from store.accounts import Accounts
from store.bulk import bulk_insert, bulk_upsert, insert_ignore
from store.journal.facts import MoFact
from store.schema import ReferralGiven, Series, Volume
from store.text import read_text

_VOLUME = ("partner_id", "plan_version_id", "month", "volume", "parts")
_REFERRAL = ("terms_id", "currency", "given")
_ENTRY = ("id", "key", "digest", "kind", "at")
_DETAIL = (
    "entry_id", "kind", "debit_id", "credit_id", "currency", "amount", "month", "at", "message_id", "partner_id",
    "subject", "author", "reason",
)  # fmt: skip
_POSTING = ("entry_id", "debit_id", "credit_id", "currency", "amount", "month")
_LAST_CLOSED = "SELECT coalesce(max(month), 0) FROM closed_month"
MONTHS = "months"
"""The row of `series` that names the last closed month: the lock between those who book and who closes."""
_IN_LIST = 200
"""Rows asked for in one statement: SQLite allows 32 766 parameters, and short statements are cached."""


def rate_batch(
    connection: Connection, accounts: Accounts, facts: Sequence[MoFact], catalogue: Catalogue
) -> list[Charge]:
    """Rate the settled messages in order, under the locks of their counters; fill in `charges`."""
    first_open = first_open_month(connection)
    waiting: list[Unrated] = []
    for fact in facts:
        assert fact.settlement is not None, fact
        waiting.append(unrated(fact.settlement, catalogue, first_open))
    volumes = lock_counters(connection, accounts, waiting)
    before = dict(volumes.referred)
    charges: list[Charge] = []
    for fact, one in zip(facts, waiting, strict=True):
        fact.charges = rate(one, volumes)
        charges += fact.charges
    write_counters(connection, volumes, before)
    return charges


def first_open_month(connection: Connection) -> Month:
    """The month after the last closed one; 0 when none is closed. None is closed before this transaction ends.

    A batch that asked, and commits after a month was closed, would book into a frozen month: so it holds a lock that
    all batches share and closing waits for (`hold_months`). SQLite's single writer needs none.
    """
    closed = _last_closed(connection, "LOCK IN SHARE MODE")
    return next_month(closed) if closed else 0


def open_month_now(connection: Connection) -> Month:
    """The same for who only looks, and books nothing by it: a month may be closed in the next moment."""
    ((closed,),) = read_text(connection, _LAST_CLOSED)
    return next_month(int(closed)) if closed else 0


def hold_months(connection: Connection) -> Month:
    """The last closed month, 0 for none; nobody books anything before this transaction ends."""
    return _last_closed(connection, "FOR UPDATE")


def _last_closed(connection: Connection, lock: str) -> Month:
    # One row by its key: 4 µs more than asking closed_month, which has no row to lock for a month that is not in it.
    sql = f"SELECT last FROM series WHERE name = '{MONTHS}'"
    rows = read_text(connection, sql, lock=lock)
    if not rows:
        # The first time ever. Whoever comes second waits for the row, and finds what the first has left.
        ((closed,),) = read_text(connection, _LAST_CLOSED)
        insert_ignore(connection, Series, ("name", "last"), [(MONTHS, int(closed))])
        rows = read_text(connection, sql, lock=lock)
    return int(rows[0][0])


def lock_counters(connection: Connection, accounts: Accounts, waiting: Sequence[Unrated]) -> Volumes:
    """What rating these needs, locked in order."""
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
    before = "VALUES " if connection.dialect.name == "sqlite" else ""
    for start in range(0, len(keys), _IN_LIST):
        some = keys[start : start + _IN_LIST]
        rows = read_text(
            connection,
            "SELECT partner_id, plan_version_id, month, volume FROM volume "
            f"WHERE (partner_id, plan_version_id, month) IN ({before}{', '.join(['(?, ?, ?)'] * len(some))}) "
            "ORDER BY partner_id, plan_version_id, month",
            tuple(value for key in some for value in key),
            lock="FOR UPDATE",
        )
        found.update({(partner, plan, month): volume for partner, plan, month, volume in rows})
    return found


def lock_parts(connection: Connection, accounts: Accounts, keys: list[VolumeKey]) -> dict[VolumeKey, int]:
    """How many parts of outgoing SMS were counted: rows that are there and locked; `keys` are sorted."""
    _locked_volumes(connection, accounts, keys)
    place = sa.tuple_(Volume.partner_id, Volume.plan_version_id, Volume.month)
    rows = connection.execute(
        sa.select(Volume.partner_id, Volume.plan_version_id, Volume.month, Volume.parts).where(place.in_(keys))
    )
    return {(partner_id, plan_id, month): parts for partner_id, plan_id, month, parts in rows}


def write_parts(connection: Connection, parts: dict[VolumeKey, int]) -> None:
    """What was counted since; `volume` is not ours to change here."""
    rows = [(*key, 0, count) for key, count in sorted(parts.items())]
    bulk_upsert(connection, Volume, _VOLUME, rows, update=("parts",))


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
    connection: Connection,
    accounts: Accounts,
    charges: Sequence[Charge],
    *,
    entry_id: int,
    at: Instant,
    details: Sequence[Detail] = (),
) -> Entry:
    """One entry for the whole batch, with its postings summed, and its details."""
    postings = sum_postings(charges, details)
    entry = Entry(f"batch:{entry_id}", tuple(postings))
    bulk_insert(connection, schema.Entry, _ENTRY, [(entry_id, entry.key, entry.digest(), "batch", at)])
    write_postings(connection, accounts, postings, entry_id=entry_id)
    write_details(connection, accounts, details, entry_id=entry_id, at=at)
    return entry


def write_details(
    connection: Connection, accounts: Accounts, details: Sequence[Detail], *, entry_id: int, at: Instant
) -> None:
    """What one entry holds that is not rated."""
    if not details:
        return
    places = {(p.debit, p.currency) for p in (d.posting for d in details)}
    places |= {(p.credit, p.currency) for p in (d.posting for d in details)}
    ids = accounts.ids(connection, places)
    rows = [
        (
            entry_id, d.kind.value, ids[d.posting.debit, d.posting.currency],
            ids[d.posting.credit, d.posting.currency], d.posting.currency, d.posting.amount, d.posting.month, at,
            d.about.message_id, d.about.partner_id, d.about.subject, d.about.author, d.about.reason,
        )
        for d in details
    ]  # fmt: skip
    bulk_insert(connection, schema.Detail, _DETAIL, rows)


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
