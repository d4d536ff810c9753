"""A file of ported numbers → the portability table. Millions of rows in the memory of a few.

load_ported   all rows of the file or, when one is bad, none; with `skip_bad` the good ones
Loaded        what came of it
Refused       the bad rows, with their numbers in the file and the reasons

The file is read once and sorted on the disk (store/sorting.py), so that the database gets its rows in the order of its
key. With `replace` they go into a second table, and both change their names at the end: whoever asks sees the old table
or the new one, never half of it. Without, they are added by so many at a time, and what is there is overwritten.

Rule: nothing is written before the whole file is read. What breaks off leaves the live table whole; run it again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import sqlalchemy as sa

from core.clock import Instant
from core.errors import UserMistake
from store.bulk import bulk_insert, bulk_upsert
from store.database import Database, is_conflict
from store.numbers import count_ported
from store.ported_rows import Bad, Row, RowReader
from store.schema import AuditLog, Operator, PortedNumber, PortedNumberNext
from store.sorting import Sorter

BATCH = 20_000
TOLD = 20
HOPELESS = 1_000
"""After so many bad rows and no good one it is another kind of file."""
COLUMNS = ("msisdn", "operator_id", "since")
_AUDIT = ("at", "who", "subject", "key", "before", "after")
_READ_EVERY = 4096

Progress: TypeAlias = Callable[[int, int], None]
"""(how far, of how much): octets while the file is read, numbers while they are written."""
Table: TypeAlias = type[PortedNumber | PortedNumberNext]


@dataclass(slots=True)
class Loaded:
    """What came of a file: `numbers` different ones, of `rows` good rows; `total` stand in the table now."""

    numbers: int = 0
    rows: int = 0
    bad: int = 0
    told: list[Bad] = field(default_factory=list)
    before: int = 0
    total: int = 0


class Refused(UserMistake):
    """Rows of the file are bad, or there is none that is good, and nothing was changed."""

    def __init__(self, found: Loaded) -> None:
        rows = "1 row is" if found.bad == 1 else f"{found.bad} rows are"
        sentence = f"{rows} bad, nothing was changed; correct them, or load the others with --skip-bad"
        if not found.rows and found.bad < HOPELESS:
            why = f"{rows} bad and there is no other" if found.bad else "there is no row with a number in it"
            sentence = f"{why}, nothing was changed; name another file, or correct it"
        super().__init__(sentence)
        self.found = found


def load_ported(
    database: Database,
    file: Path,
    *,
    author: str,
    now: Instant,
    replace: bool = False,
    skip_bad: bool = False,
    progress: Progress = lambda done, of: None,
) -> Loaded:
    """Load the file. Raises Refused, UserMistake for a file that cannot be read, StoreAway."""
    with database.read() as connection:
        operators = [tuple(row) for row in connection.execute(sa.select(Operator.code, Operator.id, Operator.country))]
        before = sum(count_ported(connection).values())
    found = Loaded(before=before)
    try:
        with Sorter() as sorter:
            _read(file, RowReader(operators, now), sorter, found, progress)
            if (found.bad and not skip_bad) or not found.rows:
                raise Refused(found)
            table: Table = PortedNumberNext if replace else PortedNumber
            if replace:
                _empty(database)
            found.numbers = _write(database, table, sorter.sorted(), found.rows, progress)
    except OSError as error:
        advice = "name a file that can be read, and a TMPDIR with room for it"
        raise UserMistake(f"{error.filename or file}: {error.strerror}; {advice}") from error
    if replace:
        _switch(database, found.numbers)
    _finish(database, file, author, now, found, replace=replace)
    return found


def _read(file: Path, reader: RowReader, sorter: Sorter, found: Loaded, progress: Progress) -> None:
    with file.open("rb") as lines:
        size = file.stat().st_size
        for one in reader.rows(lines):
            if isinstance(one, Bad):
                found.bad += 1
                if len(found.told) < TOLD:
                    found.told.append(one)
                if found.bad == HOPELESS and not found.rows:
                    raise Refused(found)
                continue
            sorter.add(*one)
            found.rows += 1
            if not found.rows % _READ_EVERY:
                progress(lines.tell(), size)


def _write(database: Database, table: Table, rows: Iterator[Row], of: int, progress: Progress) -> int:
    """Batch by batch, each its own transaction: others write in between. → how many."""
    written = 0
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            _write_batch(database, table, batch)
            written += len(batch)
            progress(written, of)
            batch = []
    _write_batch(database, table, batch)
    return written + len(batch)


def _write_batch(database: Database, table: Table, batch: list[Row]) -> None:
    try:
        with database.write() as connection:
            if table is PortedNumberNext:
                bulk_insert(connection, table, COLUMNS, batch)
            else:
                bulk_upsert(connection, table, COLUMNS, batch, update=COLUMNS[1:])
    except sa.exc.IntegrityError as error:
        raise _another() from error


def _another() -> UserMistake:
    return UserMistake("another load of numbers is under way, nothing was changed; run this one when that has ended")


def _empty(database: Database) -> None:
    with database.write() as connection:
        sql = "DELETE FROM ported_number_next" if database.dialect == "sqlite" else "TRUNCATE TABLE ported_number_next"
        connection.exec_driver_sql(sql)


_SWITCH = {
    "sqlite": (
        "ALTER TABLE ported_number RENAME TO ported_number_last",
        "ALTER TABLE ported_number_next RENAME TO ported_number",
        "ALTER TABLE ported_number_last RENAME TO ported_number_next",
    ),
    # One statement: MariaDB renames all of them or, whatever happens, none.
    "mysql": (
        "RENAME TABLE ported_number TO ported_number_last, ported_number_next TO ported_number, "
        "ported_number_last TO ported_number_next",
    ),
}


def _switch(database: Database, written: int) -> None:
    """The tables change their names in one moment; then the old rows go."""
    try:
        with database.write() as connection:
            if sum(count_ported(connection, PortedNumberNext).values()) != written:
                raise _another()
            for sql in _SWITCH[database.dialect]:
                connection.exec_driver_sql(sql)
    except sa.exc.OperationalError as error:
        if not is_conflict(error):
            raise
        raise UserMistake("somebody reads the table for long, nothing was changed; run it again") from error
    _empty(database)


def _finish(database: Database, file: Path, author: str, now: Instant, found: Loaded, *, replace: bool) -> None:
    """The audit log says who loaded what."""
    with database.write() as connection:
        found.total = sum(count_ported(connection).values())
        after = {"numbers": found.total, "loaded": found.numbers, "bad": found.bad, "replace": replace}
        row = (now, author[:80], "ported numbers", file.name[:200], {"numbers": found.before}, after)
        bulk_insert(connection, AuditLog, _AUDIT, [row])
