"""Links switched by a person: the same rows, log and version as by a load, and nothing else touched."""

from typing import Any

import sqlalchemy as sa

from store import schema
from store.database import Database
from store.provisioning.switch import switch_links
from tests.makers import NOON
from tests.partner_api import rows
from tests.partner_api.rows import add


def all_of(database: Database, table: type[schema.Base]) -> list[dict[str, Any]]:
    with database.read() as connection:
        return [dict(row._mapping) for row in connection.execute(sa.select(*table.__table__.columns))]


def switch(database: Database, *names: str, enabled: bool) -> int:
    with database.write() as connection:
        return switch_links(connection, names, enabled=enabled, now=NOON, who="olga")


def test_only_enabled_of_the_links_that_are_named_changes(database: Database) -> None:
    with database.write() as connection:
        rows.a_world(connection)
        add(connection, schema.Link, id=3, name="alpha-2", operator_id=1, protocol="smpp", enabled=True, password="tok")
    before = {row["name"]: row for row in all_of(database, schema.Link)}

    assert switch(database, "alpha-2", "nobody", enabled=False) == 1

    after = {row["name"]: row for row in all_of(database, schema.Link)}
    assert after == before | {"alpha-2": before["alpha-2"] | {"enabled": False}}
    (log,) = all_of(database, schema.AuditLog)
    assert (log["at"], log["who"], log["subject"], log["key"]) == (NOON, "olga", "link", "alpha-2")
    assert (log["before"], log["after"]) == ({"enabled": True}, {"enabled": False})


def test_what_is_as_wanted_makes_no_version_and_no_log(database: Database) -> None:
    with database.write() as connection:
        rows.a_world(connection)
        connection.execute(sa.update(schema.Link).values(enabled=False))

    assert switch(database, "alpha-1", enabled=True) == 1
    assert switch(database, "alpha-1", enabled=True) == 1
    assert switch(database, "nobody", enabled=True) == 1
    assert len(all_of(database, schema.AuditLog)) == 1
