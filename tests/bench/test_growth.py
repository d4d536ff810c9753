"""A database that the bench has grown is a sound one, and what is written into it then too; on both databases."""

import sqlalchemy as sa

from bench.commits import Desk
from bench.growth import findings, grow
from store.database import Database
from store.schema import Mo


def test_the_audit_of_a_grown_database_finds_nothing_and_of_what_comes_after_nothing(database: Database) -> None:
    desk = Desk(database, tiers=1)
    desk.whole(5, 4)

    grow(database, 150)
    grown = findings(database)
    desk.whole(5, 2)

    with database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(Mo)).scalar() == 170
    assert (grown, findings(database)) == ([], [])
