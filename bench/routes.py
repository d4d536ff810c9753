"""A look-up with 10, 10 thousand and a million prefixes.

bench_routes   texts → routes by tables of three sizes → Section

A new version of the catalogue is read from the database (SQLite) and its table built beside the traffic; until then the
old one holds. How long that takes is shown too, at a start and when one word goes and another comes: the latter must be
below half a second to be in force within one.

Half of the prefixes have two words. Texts are of four kinds: the first prefix that there is, some prefix or other with
a body, a prefix of two words, no prefix at all.
"""

import gc
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa

from bench.table import Section
from core.catalogue import Catalogue, Partner, Prefix, Service, ShortCode
from core.message import Route
from router.match import match
from router.table import Table, fold
from store import schema
from store.bulk import bulk_insert
from store.database import Database, connect
from store.secrets import Sealed
from store.snapshot import read_catalogue
from tests import services
from tests.partner_api.rows import add
from traffic.settle import Book

_PREFIX = ("id", "short_code_id", "prefix", "folded", "service_id", "looks", "version")
SIZES = (10, 10_000, 1_000_000)
_STEP = 7919
"""A prime: texts ask for prefixes all over the table."""


def bench_routes(*, quick: bool) -> Section:
    """Nanoseconds per look-up."""
    number = 20_000 if quick else 200_000
    sizes = SIZES[:2] if quick else SIZES
    rows: list[tuple[str, ...]] = []
    first: list[float] = []
    for size in sizes:
        table, built_s = _build(size)
        times = [_nanoseconds(table, texts, number) for texts in _texts(size)]
        first = first or times
        ratio = sum(times) / sum(first)
        read_s, changed_s = _in_force_s(size)
        rows.append(
            (
                f"{size:,}",
                *(f"{one / 1000:.2f}" for one in times),
                f"{ratio:.2f}",
                f"{built_s:.1f}",
                f"{read_s:.1f}",
                f"{changed_s:.2f}",
            )
        )
        del table
        gc.collect()
    return Section(
        "router",
        "Router: look-up by the number of prefixes on one short code",
        (
            "prefixes",
            "first µs",
            "any, body µs",
            "two words µs",
            "none µs",
            "× of the first row",
            "table built s",
            "read and built s",
            "one changed s",
        ),
        tuple(rows),
        ("What a million costs more is the processor's cache, not steps: one word, one look into a dictionary.",),
    )


def _build(size: int) -> tuple[Table, float]:
    services = {number: Service(number, "acme", f"s{number}", "http_get") for number in range(100)}
    catalogue = Catalogue(
        short_codes={"4446": ShortCode(1, "4446", "")},
        partners={"acme": Partner(1, "acme", "RUB")},
        services=services,
        prefixes={number: Prefix(number, "4446", _prefix(number), number % 100) for number in range(size)},
    )
    begun = time.perf_counter()
    table = Table.build(catalogue)
    return table, time.perf_counter() - begun


def _in_force_s(size: int) -> tuple[float, float]:
    """From the noticing of a new version to the book that is swapped in: of all prefixes, of one that changed."""
    with tempfile.TemporaryDirectory() as folder:
        database = connect(services.fresh_sqlite(Path(folder)))
        with database.write() as connection:
            add(connection, schema.ShortCode, id=1, number="4446")
            add(connection, schema.Partner, id=1, login="acme", currency="RUB", active=1)
            for number in range(100):
                add(
                    connection, schema.Service,
                    id=number + 1, partner_id=1, name=f"s{number}", method="http_get", status="approved",
                )  # fmt: skip
            words = ((number, _prefix(number)) for number in range(size))
            rows = [(number + 1, 1, word, fold(word), number % 100 + 1, "", 1) for number, word in words]
            bulk_insert(connection, schema.Prefix, _PREFIX, rows)
            connection.execute(sa.update(schema.CatalogueVersion).values(version=1))
        book, read_s = _read(database, None)
        assert len(book.catalogue.prefixes) == size
        with database.write() as connection:
            connection.execute(sa.delete(schema.Prefix).where(schema.Prefix.id == size))
            add(connection, schema.PrefixGone, prefix_id=size, version=2)
            bulk_insert(connection, schema.Prefix, _PREFIX, [(size + 1, 1, "NEW WORD", "new word", 1, "", 2)])
            connection.execute(sa.update(schema.CatalogueVersion).values(version=2))
        book, changed_s = _read(database, book)
        assert len(book.catalogue.prefixes) == size
        assert isinstance(match(book.routes, "4446", "new word 7"), Route)
        assert not isinstance(match(book.routes, "4446", _prefix(size - 1)), Route)
        database.close()
    return read_s, changed_s


def _read(database: Database, before: Book | None) -> tuple[Book, float]:
    begun = time.perf_counter()
    with database.read() as connection:
        catalogue = read_catalogue(connection, Sealed(), before.catalogue if before else Catalogue())
    book = Book.of(catalogue, before)
    return book, time.perf_counter() - begun


def _prefix(number: int) -> str:
    return f"G{number} TOP" if number % 2 else f"G{number}"


def _texts(size: int) -> tuple[Sequence[str], ...]:
    places = [(index * _STEP) % size for index in range(1000)]
    return (
        ["G0 7"],
        [f"{_prefix(place & ~1)} the body" for place in places],
        [f"{_prefix(place | 1)} the body" for place in places if place | 1 < size],
        [f"NOBODY{place} is here" for place in places],
    )


def _nanoseconds(table: Table, texts: Sequence[str], number: int) -> float:
    texts = list(texts) * max(1, number // len(texts))
    is_route = isinstance(match(table, "4446", texts[0]), Route)
    assert is_route is not texts[0].startswith("NOBODY"), texts[0]
    begun = time.perf_counter()
    for text in texts:
        match(table, "4446", text)
    return (time.perf_counter() - begun) / len(texts) * 1e9
