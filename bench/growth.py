"""Growth: what a message costs beside many that are stored.

bench_growth   messages in batches beside 10 thousand to 10 million stored ones → Section

A message is all of it: its row with its charge, the job of its call and the call's result, its reply and the
submission; its entry with the postings. What is stored beside it is made by the database itself, of what the journal
wrote: every table that a year fills has its rows, with ids, keys and numbers of their own. What is pruned after days
(identities) stays as it is.
"""

import contextlib
from collections.abc import Callable, Iterator

import sqlalchemy as sa

from bench.commits import Desk
from bench.setting import DATABASES, fresh_database
from bench.table import Section
from store import schema
from store.database import Database
from store.schema import Base

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


def grow(database: Database, wanted: int, say: Callable[[int], None] = lambda there: None) -> None:
    """Copies of what is there, by doubling, with ids below all others, until so many messages are stored."""
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


@contextlib.contextmanager
def _desk(kind: str) -> Iterator[tuple[Desk, Database]]:
    with fresh_database(kind, io_timeout_s=600) as (_, database):
        yield Desk(database), database
