"""Large tables read in pieces: bounded memory on both databases, several tables side by side on one connection.

pages    the rows of a query in the order of its key
sifted   the few rows of a query that finds little in a large table
in_pieces  what is in memory, so much at a time

SQLite finds rows as they are asked for. MariaDB's driver reads the result of a statement whole, and its protocol has
room for one open result on a connection; so there each piece is a statement of its own, which begins behind the last
row of the one before. A piece is found by its key, never by counting.

Rule: inside Database.read(), or the pieces are not of one moment. The key is unique and has an index.
"""

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.orm import InstrumentedAttribute

PAGE = 1000
SIEVE = 10_000
"""Rows that one statement looks through: milliseconds, so that no silence of the server looks like its end."""

Query: TypeAlias = sa.Select[*tuple[Any, ...]]
V = TypeVar("V")
Key: TypeAlias = Sequence[sa.Column[Any] | InstrumentedAttribute[Any]]


def pages(connection: Connection, query: Query, key: Key, page: int = PAGE) -> Iterator[Any]:
    """Row by row. The columns of the key are numbers, never null, and stand in the query under their own names."""
    query = query.order_by(*key)
    if connection.dialect.name == "sqlite":
        return iter(connection.execute(query.execution_options(yield_per=page)))
    return _pieces(connection, query.limit(page), key, page)


def sifted(
    connection: Connection,
    query: Query,
    key: Key,
    most: int = SIEVE,
    *,
    since: int | None = None,
    until: int | None = None,
) -> Iterator[Any]:
    """Row by row in the order of a key of one column, from `since` on and before `until`. Only what is found leaves the
    database, and each statement looks at no more than `most` rows of the key's table, or at all of one value.
    """
    (column,) = key
    before: sa.ColumnElement[bool] = sa.true() if until is None else column < until
    behind: sa.ColumnElement[bool] = before if since is None else sa.and_(column >= since, before)
    while True:
        last = connection.execute(sa.select(column).where(behind).order_by(column).offset(most - 1).limit(1)).scalar()
        piece = query.where(behind).order_by(column)
        yield from connection.execute(piece if last is None else piece.where(column <= last)).all()
        if last is None:
            return
        behind = sa.and_(column > last, before)


def _pieces(connection: Connection, query: Query, key: Key, page: int) -> Iterator[Any]:
    rows = connection.execute(query).all()
    while rows:
        yield from rows
        if len(rows) < page:
            return
        last = [getattr(rows[-1], column.key) for column in key]
        rows = connection.execute(query.where(_behind(key, last))).all()


def _behind(key: Key, last: Sequence[int]) -> sa.ColumnElement[bool]:
    """The key is greater than `last`, said so that MariaDB begins at the right place of the index: it finds no range in
    (a, b) > (1, 2).
    """
    column, value = key[0], last[0]
    if len(key) == 1:
        return column > value
    return sa.and_(column >= value, sa.or_(column > value, _behind(key[1:], last[1:])))


def in_pieces(values: Sequence[V], size: int) -> Iterator[Sequence[V]]:
    """Runs of at most `size`."""
    return (values[start : start + size] for start in range(0, len(values), size))
