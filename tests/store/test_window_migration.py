"""Migration 0027: what came within a link's window before it is still told; in doubt is what may come again."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from store.database import Database, connect
from store.migrate import migrate
from store.schema import InDoubt, InWindow
from tests.makers import NOON
from tests.services import mariadb
from tests.store.test_daily_migration import put

BEFORE = "0026_receipts_that_wait"
ROWS = ((1, "window", NOON), (2, "window", NOON - 59_999), (3, "window", NOON - 60_000), (4, "session", NOON))


@pytest.fixture(params=["sqlite", "mariadb"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Database]]:
    url = f"sqlite:///{tmp_path}/old.db" if request.param == "sqlite" else mariadb().database()
    migrate(url, until=BEFORE)
    database = connect(url)
    with database.write() as connection:
        for mo_id, reason, at in ROWS:
            put(connection, "in_doubt", id=mo_id, operator_id=1, fingerprint=7, mo_id=mo_id, reason=reason, at=at)
    yield url, database
    database.close()
    if request.param == "mariadb":
        mariadb().drop(url)


@pytest.mark.parametrize(
    ("repeats", "within"), [(("doubt", "window:60", "window:30"), [1, 2]), (("doubt", "never"), [])]
)
def test_what_may_be_within_the_longest_window_is_taken_over(
    old: tuple[str, Database], repeats: tuple[str, ...], within: list[int]
) -> None:
    url, database = old
    with database.write() as connection:
        put(connection, "operator", id=1, code="alpha", currency="RUB", msisdn_prefixes="[]")
        for number, repeat in enumerate(repeats, 1):
            put(connection, "link", id=number, operator_id=1, name=f"a-{number}", repeat=repeat, options="{}")

    migrate(url)

    with database.read() as connection:
        columns = (InWindow.mo_id, InWindow.operator_id, InWindow.fingerprint, InWindow.at, InWindow.ends_at)
        rows = [tuple(row) for row in connection.execute(sa.select(*columns).order_by(InWindow.mo_id))]
        doubts = connection.execute(sa.select(InDoubt.mo_id)).scalars().all()
    assert rows == [(mo_id, 1, 7, at, at + 60_000) for mo_id, _, at in ROWS if mo_id in within]
    assert doubts == [4]
