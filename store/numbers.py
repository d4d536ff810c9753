"""Numbers that moved to another operator: what the portability table says of some of them, and how many it has.

operators_of    numbers → the operators of those that are ported; a batch costs one statement
count_ported    how many numbers each operator has won
since_of        since when a number stands in the table

The table is written by store/ported.py alone; who is asked for a number that is not ported: core.directory.

Rule: numbers are international and digits only; anything else is in no table, and asked in vain.
"""

from collections.abc import Iterable, Iterator

from sqlalchemy import Connection

from core.clock import Instant
from core.msisdn import DIGITS_MAX
from store.schema import PortedNumber, PortedNumberNext
from store.text import places, read_text

BATCH = 1024
PIECE = 200_000
"""Rows that one statement counts: no silence of the server looks like its end."""


def operators_of(connection: Connection, msisdns: Iterable[str]) -> dict[str, int]:
    """The operator's id of each number that is ported; asked for by BATCH.

    In a transaction that writes, or at the beginning of one that reads: where the whole table was loaded since a
    Database.read() began, MariaDB has no such old picture of it (its error 1412), or one without its last rows.
    """
    wanted = [
        int(number)
        for number in dict.fromkeys(msisdns)
        if len(number) <= DIGITS_MAX and number.isascii() and number.isdigit() and number[0] != "0"
    ]
    found: dict[str, int] = {}
    for start in range(0, len(wanted), BATCH):
        chunk = wanted[start : start + BATCH]
        # Of few lengths, so that its text is known already; a number may stand in it twice.
        chunk += chunk[-1:] * ((1 << (len(chunk) - 1).bit_length()) - len(chunk))
        sql = f"SELECT msisdn, operator_id FROM ported_number WHERE msisdn IN ({places(chunk)})"
        found.update((str(msisdn), owner) for msisdn, owner in read_text(connection, sql, tuple(chunk)))
    return found


def since_of(connection: Connection, msisdn: str) -> Instant:
    """The moment that the file gave, or that of its load; 0: it is not ported."""
    rows = read_text(connection, "SELECT since FROM ported_number WHERE msisdn = ?", (int(msisdn),))
    return int(rows[0][0]) if rows else 0


def count_ported(connection: Connection, table: type[PortedNumber | PortedNumberNext] = PortedNumber) -> dict[int, int]:
    """By operator's id."""
    counts: dict[int, int] = {}
    name = table.__tablename__
    for first, last in _pieces(connection, name):
        sql = f"SELECT operator_id, COUNT(*) FROM {name} WHERE msisdn >= ? AND msisdn <= ? GROUP BY operator_id"
        for owner, count in read_text(connection, sql, (first, last)):
            counts[owner] = counts.get(owner, 0) + count
    return counts


def _pieces(connection: Connection, name: str) -> Iterator[tuple[int, int]]:
    """The numbers' ranges, so many rows in each."""
    first, most = 0, 10**DIGITS_MAX
    while True:
        sql = f"SELECT msisdn FROM {name} WHERE msisdn >= ? ORDER BY msisdn LIMIT 1 OFFSET {PIECE - 1}"
        rows = read_text(connection, sql, (first,))
        yield first, rows[0][0] if rows else most
        if not rows:
            return
        first = rows[0][0] + 1
