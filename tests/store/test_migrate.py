"""`tollbridge migrate`: from nothing, and again."""

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.clock import DAY_MS
from core.errors import ConfigError, StoreAway
from store.database import Database, connect
from store.folding import last_folded
from store.migrate import is_current, migrate, pending_migrations, unmigrated
from store.schema import Base, CatalogueVersion, Mt, MtPart, Operator, ShortCode
from store.triggers import missing_triggers
from tests.services import mariadb

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["sqlite", "mariadb"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database that does not exist yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/not/yet/there.db"
    url = mariadb().database()
    mariadb().drop(url)
    return url


def test_what_is_lacking_is_said_in_the_right_number() -> None:
    remedy = "run: tollbridge migrate, or wait, if a service is making it now"

    assert unmigrated(["0006_last"]) == f"the database lacks the migration 0006_last; {remedy}"
    assert unmigrated(["0005_a", "0006_b"]) == f"the database lacks 2 migrations, 0005_a the first; {remedy}"


def test_every_change_of_a_model_has_its_migration() -> None:
    done = subprocess.run(
        [sys.executable, "site/manage.py", "makemigrations", "--check", "--dry-run"],
        check=False,
        cwd=ROOT,
        env={"TOLLBRIDGE_DATABASE__URL": "sqlite://"},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, f"run `make migrations`\n{done.stdout}{done.stderr}"


def test_a_database_is_made_from_nothing_with_its_first_row_and_its_triggers(new_url: str) -> None:
    said: list[str] = []

    migrate(new_url, say=said.append)

    database = connect(new_url)
    with database.read() as connection:
        assert set(Base.metadata.tables) <= set(sa.inspect(connection).get_table_names())
        row = connection.execute(sa.select(CatalogueVersion.id, CatalogueVersion.version)).one()
        assert tuple(row) == (1, 0)
        assert missing_triggers(connection) == []
    assert any("0001_initial" in line for line in said)
    database.close()


def test_messages_that_were_on_their_way_before_have_an_end_after_it(new_url: str) -> None:
    """A database as it was before 0004, in which only what waits to be sent is due."""
    migrate(new_url, until="0003_processes_that_are_told_apart")
    database = connect(new_url)
    with database.write() as connection:
        for state in range(4):
            _add_old(connection, id=state, state=state, valid_until=1000, due_at=None if state else 7)
        _add_old(connection, id=9, state=2, valid_until=0, due_at=None)

    migrate(new_url)

    with database.read() as connection:
        due = {id_: due_at for id_, due_at in connection.execute(sa.select(Mt.id, Mt.due_at))}
        assert due == {0: 7, 1: 1000 + DAY_MS, 2: 1000 + DAY_MS, 3: None, 9: None}
        assert last_folded(connection) == 0
    database.close()
    if new_url.startswith("mysql"):
        mariadb().drop(new_url)


def test_ids_that_were_said_before_their_spelling_was_kept_are_asked_for_as_before(new_url: str) -> None:
    """A database as it was before 0023."""
    migrate(new_url, until="0022_receipts_with_a_whole_reason")
    database = connect(new_url)
    with database.write() as connection:
        _add_old(connection, id=1, key="1A")
        _add_old(connection, "mt_part", id=2, mt_id=1, key="1B")

    migrate(new_url)

    with database.read() as connection:
        said = [tuple(connection.execute(sa.select(table.key, table.asked_id)).one()) for table in (Mt, MtPart)]
    assert said == [("1A", None), ("1B", None)]
    database.close()
    if new_url.startswith("mysql"):
        mariadb().drop(new_url)


def _add_old(connection: sa.Connection, table_name: str = "mt", **given: int | str | None) -> None:
    """A row of a table with the columns that it had then."""
    there = {column["name"]: column for column in sa.inspect(connection).get_columns(table_name)}
    values = {
        name: "" if isinstance(column["type"], sa.String) else 0
        for name, column in there.items()
        if not column["nullable"]
    } | given
    table = sa.table(table_name, *(sa.column(name) for name in values))
    connection.execute(sa.insert(table).values(**values))


def test_migrating_again_changes_nothing(database: Database, database_url: str) -> None:
    with database.write() as connection:
        connection.execute(sa.update(CatalogueVersion).values(version=7))
    said: list[str] = []

    migrate(database_url, say=said.append)

    with database.read() as connection:
        assert connection.execute(sa.select(CatalogueVersion.version)).scalars().all() == [7]
        assert missing_triggers(connection) == []
    assert said == ["up to date"]


def test_a_new_database_is_not_current_and_a_migrated_one_is(new_url: str) -> None:
    if new_url.startswith("mysql"):
        mariadb().run(f"CREATE DATABASE {new_url.rpartition('/')[2]}")
    database = connect(new_url)
    before = pending_migrations(database)

    migrate(new_url)

    assert before[:2] == ["0001_initial", "0002_catalogue_version"]
    assert is_current(database)
    database.close()


def test_a_database_of_a_newer_version_is_refused_by_who_reads_it_and_by_migrate(new_url: str) -> None:
    migrate(new_url)
    database = connect(new_url)
    with database.write() as connection:
        connection.exec_driver_sql(
            "INSERT INTO django_migrations (app, name, applied) "
            "VALUES ('store', '9999_from_tomorrow', '2030-01-01 00:00:00')"
        )

    sentence = r"^the database is of a newer Tollbridge \(migration 9999_from_tomorrow\); install that version$"
    with pytest.raises(ConfigError, match=sentence):
        pending_migrations(database)
    with pytest.raises(ConfigError, match=sentence):
        migrate(new_url)
    database.close()


def test_a_database_of_another_character_set_gets_ours() -> None:
    name = "latin"
    mariadb().run(f"CREATE DATABASE {name} CHARACTER SET latin1")
    url = mariadb().url(name)

    migrate(url)

    database = connect(url)
    with database.write() as connection:
        for number in ("a", "A", "Ä", "ä", "привет", "😀"):
            connection.execute(sa.insert(ShortCode).values(number=number, default_reply="Ω😀"))
        assert connection.execute(sa.select(sa.func.count()).select_from(ShortCode)).scalar_one() == 6
        assert (
            connection.execute(sa.select(ShortCode.default_reply).where(ShortCode.number == "ä")).scalar_one() == "Ω😀"
        )
    database.close()


def test_a_server_that_is_not_there_is_told_by_name() -> None:
    with pytest.raises(StoreAway, match=r"mysql://root:\*\*\*@127.0.0.1:1/x is away"):
        migrate("mysql://root:secret@127.0.0.1:1/x")


def test_a_user_who_is_refused_is_told_with_a_sentence() -> None:
    url = mariadb().url("x").replace("root@", "nobody:wrong@")

    with pytest.raises(ConfigError, match=r"^database.url: mysql://nobody:\*\*\*@.* refuses us: Access denied"):
        migrate(url)


def test_django_and_the_engine_see_the_same_rows(database: Database, database_url: str) -> None:
    with database.write() as connection:
        connection.execute(
            sa.insert(Operator).values(
                code="ours", name="Ω", country="RS", currency="RSD", msisdn_prefixes=["38160", {"b": 1, "a": None}]
            )
        )
    script = (
        "from store.models import Operator; row = Operator.objects.get(); row.pk = None; row.code = 'theirs';"
        "row.save(force_insert=True)"
    )

    done = subprocess.run(
        [sys.executable, "site/manage.py", "shell", "--no-imports", "-c", script],
        check=False,
        cwd=ROOT,
        env={"TOLLBRIDGE_DATABASE__URL": database_url},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    with database.read() as connection:
        columns = (Operator.code, Operator.name, Operator.country, Operator.currency, Operator.msisdn_prefixes)
        ours, theirs = (tuple(row) for row in connection.execute(sa.select(*columns).order_by(Operator.code)))
    assert theirs == ("theirs", *ours[1:])
