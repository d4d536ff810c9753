"""Migration 0018: prefixes from before it are found by who looks like them, and read by who has no catalogue yet."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from router.fold import fold, look
from store.database import Database, connect
from store.migrate import migrate
from store.schema import Prefix
from tests.services import mariadb
from tests.store.test_daily_migration import put

BEFORE = "0017_ussd"
WORDS = ("GAME", "G0 T0P", "ИГРА 31", "МЯЧ", "1O3З", "")


@pytest.fixture(params=["sqlite", "mariadb"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Database]]:
    url = f"sqlite:///{tmp_path}/old.db" if request.param == "sqlite" else mariadb().database()
    migrate(url, until=BEFORE)
    database = connect(url)
    yield url, database
    database.close()
    if request.param == "mariadb":
        mariadb().drop(url)


def test_old_prefixes_get_the_form_in_which_no_two_are_provisioned(old: tuple[str, Database]) -> None:
    url, database = old
    with database.write() as connection:
        put(connection, "short_code", id=1, number="4446")
        put(connection, "partner", id=1, login="acme", currency="RUB")
        put(connection, "service", id=1, partner_id=1, name="game", method="http_get")
        for number, word in enumerate(WORDS, 1):
            values = {"id": number, "short_code_id": 1, "service_id": 1, "prefix": word, "folded": fold(word)}
            put(connection, "prefix", **values)

    migrate(url)

    with database.read() as connection:
        rows = connection.execute(sa.select(Prefix.prefix, Prefix.looks, Prefix.version)).all()
    assert {word: looks for word, looks, _ in rows} == {word: look(word) for word in WORDS}
    assert {version for *_, version in rows} == {0}
