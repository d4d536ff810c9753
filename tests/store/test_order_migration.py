"""Migration 0025: what people had wanted back before it is still wanted, and recorded."""

from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from store.database import connect
from store.migrate import migrate
from store.schema import MtOrder
from tests.services import mariadb
from tests.store.test_daily_migration import put

BEFORE = "0024_messages_taken_back"


@pytest.mark.parametrize("kind", ["sqlite", "mariadb"])
def test_orders_from_before_are_of_the_kind_that_there_was(kind: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/old.db" if kind == "sqlite" else mariadb().database()
    migrate(url, until=BEFORE)
    word = {"author": "olga", "note": "wrong text", "at": 5}
    with closing(connect(url)) as database:
        with database.write() as connection:
            put(connection, "cancellation", id=1, mt_id=7, **word, due_at=5)
            put(connection, "cancellation", id=2, mt_id=8, **word, due_at=None, outcome="done", result="taken back")

        migrate(url)

        columns = (
            MtOrder.id,
            MtOrder.kind,
            MtOrder.mt_id,
            MtOrder.due_at,
            MtOrder.outcome,
            MtOrder.text,
            MtOrder.in_doubt,
        )
        with database.read() as connection:
            rows = connection.execute(sa.select(*columns).order_by(MtOrder.id)).all()
        assert [tuple(row) for row in rows] == [
            (1, "cancel", 7, 5, "", "", False),
            (2, "cancel", 8, None, "done", "", False),
        ]
    if kind == "mariadb":
        mariadb().drop(url)
