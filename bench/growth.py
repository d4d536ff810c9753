"""Growth: what a message costs beside many that are stored.

bench_growth   messages in batches beside 10 thousand to 10 million stored ones → Section
grow           so many stored messages, out of a few
findings       what the audit says of them: nothing

A message is all of it: its row with its charge, the job of its call and the call's result, its reply and the
submission; its entry with the postings. What is stored beside it is made by the database itself, of what the journal
wrote: every table that a year fills has its rows, with ids, keys and numbers of their own, and what is counted of them
(volumes, daily sums) is counted again. What is pruned after days (identities) stays as it is.

Rule: a database that was grown is a sound one. Its plan has one tier, so that copies earn what their originals did.
"""

import contextlib
from collections.abc import Callable, Iterator

import sqlalchemy as sa

from bench.commits import Desk
from bench.setting import DATABASES, KEY, fresh_database
from bench.table import Section
from core.clock import DAY_MS, day_of
from core.ids import first_id_at, instant_of_id
from core.ledger.rows import Finding
from core.report import AMOUNTS
from core.tariff.charge import ChargeKind
from store import schema
from store.audit import audit
from store.daily import ACTS, write_sums
from store.database import Database
from store.schema import Base
from store.secrets import Keyring
from store.snapshot import read_catalogue

BATCH = 500
STEPS = (10_000, 100_000, 1_000_000, 10_000_000)
_AT_ONCE = 100_000
"""Messages in one statement: a transaction's undo stays small."""

# Table → its column that is a message's or an entry's id, and what else is moved with it.
_COPIED: tuple[tuple[type[Base], str, tuple[str, ...]], ...] = (
    (schema.Entry, "id", ()),
    (schema.Posting, "entry_id", ()),
    (schema.Mo, "id", ("entry_id",)),
    (schema.Callback, "mo_id", ()),
    (schema.Mt, "id", ("reply_to",)),
)
_MADE = ("id",)
"""Numbers that the database gives where the key is another column."""


def bench_growth(say: Callable[[str], None], *, most: int) -> Section:
    """What a message costs beside so many, up to `most`."""
    rows = []
    for kind in DATABASES:
        with _desk(kind) as (desk, database):
            desk.whole(BATCH, 4)
            first = 0.0
            for step in (step for step in STEPS if step <= most):
                grow(database, step, lambda there, kind=kind: say(f"{kind}: {there:,} stored messages"))  # type: ignore[misc]
                desk.whole(BATCH, 4)
                if step == STEPS[0]:
                    found = findings(database)
                    assert not found, found
                wall, cpu = desk.whole(BATCH, 20)
                cost = 1e6 * wall / (20 * BATCH)
                first = first or cost
                mine = 1e6 * cpu / (20 * BATCH)
                rows.append((kind, f"{step:,}", f"{cost:.0f}", f"{mine:.0f}", f"{cost / first:.2f}"))
    return Section(
        "growth",
        f"Growth: a message, its call, its reply and its postings, in batches of {BATCH}, beside those that are stored",
        ("database", "stored messages", "µs a message (wall)", "our CPU µs", "× of the first"),
        tuple(rows),
    )


def findings(database: Database) -> list[Finding]:
    """Of the audit; a second for some ten thousand messages."""
    with database.read() as connection:
        catalogue = read_catalogue(connection, Keyring(KEY))
        return [finding for _, found in audit(connection, catalogue) for finding in found]


def grow(database: Database, wanted: int, say: Callable[[int], None] = lambda there: None) -> None:
    """Copies of what is there, by doubling, with ids below all others, until so many messages are stored."""
    _double(database, wanted, say)
    with database.write() as connection:
        _count_again(connection)


def _double(database: Database, wanted: int, say: Callable[[int], None]) -> None:
    mo = schema.Mo.id
    while True:
        with database.read() as connection:
            there, lowest, highest = connection.execute(
                sa.select(sa.func.count(), sa.func.min(mo), sa.func.max(mo)).select_from(schema.Mo)
            ).one()
        say(there)
        if there >= wanted:
            return
        # Entries and replies have ids between those of the messages, or a little behind the last.
        behind = (highest - lowest) // 100 + (1 << 32)
        shift = highest - lowest + behind
        first = lowest
        for _ in range(0, min(there, wanted - there), _AT_ONCE):
            with database.write() as connection:
                after = connection.execute(
                    sa.select(mo).where(mo > first).order_by(mo).offset(_AT_ONCE - 1).limit(1)
                ).scalar()
                for table, key, others in _COPIED:
                    _copy(connection, table, key, others, shift, first, after or highest + behind)
            first = after or highest
            say(there)


def _copy(  # noqa: PLR0917
    connection: sa.Connection, table: type[Base], key: str, others: tuple[str, ...], shift: int, first: int, after: int
) -> None:
    """The rows with ids in [first, after), moved by `shift`."""
    column = table.__table__.c
    names = [name.name for name in column if name.name not in _MADE or name.name == key]
    values: list[sa.ColumnElement[object]] = []
    for name in names:
        value: sa.ColumnElement[object] = column[name]
        if name == key or name in others:
            value = column[name] - shift
        elif name == "key":
            value = sa.cast(column[key] - shift, sa.String(40))
        elif name in {"source", "destination"} and table is not schema.Posting:
            value = sa.cast(79_000_000_000 + (column[key] - shift) % 9_999_991, sa.String(20))
        values.append(value)
    some = sa.select(*values).where(column[key] >= first, column[key] < after)
    connection.execute(sa.insert(table).from_select(names, some))


def _count_again(connection: sa.Connection) -> None:
    """Volumes and daily sums, of all that is stored: a day's charges are those whose entries were made on it."""
    mo = schema.Mo
    key = (
        mo.currency, mo.operator_id, mo.short_code, mo.service_id, mo.partner_id, sa.literal(int(ChargeKind.MO)),
        mo.month, mo.referral_id, mo.held,
    )  # fmt: skip
    amounts = (sa.func.count(), *(sa.func.sum(getattr(mo, name)) for name in AMOUNTS[1:]))
    query = sa.select(*key, *amounts).group_by(*key)
    connection.execute(sa.delete(schema.DailySum))
    lowest, highest = map(
        int, connection.execute(sa.select(sa.func.min(schema.Entry.id), sa.func.max(schema.Entry.id))).one()
    )
    for day in range(instant_of_id(lowest) // DAY_MS, instant_of_id(highest) // DAY_MS + 1):
        on_it = (mo.entry_id >= first_id_at(day * DAY_MS), mo.entry_id < first_id_at((day + 1) * DAY_MS))
        rows = connection.execute(query.where(*on_it)).all()
        sums = {(day_of(day * DAY_MS), *row[: len(key)]): [int(one) for one in row[len(key) :]] for row in rows}
        write_sums(connection, sums, ACTS)
    volume = schema.Volume
    whose = (mo.partner_id == volume.partner_id, mo.plan_version_id == volume.plan_version_id, mo.month == volume.month)
    earned = sa.select(sa.func.sum(mo.base)).where(*whose).scalar_subquery()
    connection.execute(sa.update(volume).values(volume=earned))


@contextlib.contextmanager
def _desk(kind: str) -> Iterator[tuple[Desk, Database]]:
    with fresh_database(kind, io_timeout_s=600) as (_, database):
        yield Desk(database, tiers=1), database
