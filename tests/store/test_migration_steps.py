"""`tollbridge migrate` on MariaDB, broken off anywhere: run again, it ends where an undisturbed one does."""

import random
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from MySQLdb import DatabaseError

from core.errors import ConfigError
from store.database import connect
from store.migrate import migrate, pending_migrations
from store.migration_steps import Steps, _says_done_before
from tests.services import mariadb
from tests.store.test_daily_migration import fill, put

ROOT = Path(__file__).parents[2]
Do = Callable[[], None]
Take = Callable[[Steps, str, Do, Callable[[Do], None]], None]
PAGES = ("0001_initial", "0008_money")
"""Long migrations of statements that all are alike."""
EVERY = 5
"""At one of so many of theirs a process dies; of all others at each."""


class Killed(BaseException):
    """The process ends here."""


class Deaths:
    """A process dies once at each step: before it, or behind it without or with its mark, by chance."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.steps: set[tuple[str, int]] = set()
        """At which one died."""

    def take(self, steps: Steps, what: str, do: Do, was: Callable[[Do], None]) -> None:
        """A step is taken, or is the last of its process."""
        step = (steps._migration, steps._number + 1)
        if step in self.steps or (step[0].endswith(PAGES) and step[1] % EVERY):
            was(do)
            return
        self.steps.add(step)
        place = self._chance.choice(("before", "unmarked", "marked"))

        def fatal() -> None:
            if place == "before":
                raise Killed
            do()
            if place == "unmarked":
                raise Killed

        was(fatal)
        raise Killed


@pytest.fixture
def url() -> Iterator[str]:
    url = mariadb().database()
    yield url
    mariadb().drop(url)


@contextmanager
def taken_by(monkeypatch: pytest.MonkeyPatch, take: Take) -> Iterator[None]:
    """Steps are taken as a test wants it."""
    was = Steps.take
    with monkeypatch.context() as patch:
        patch.setattr(Steps, "take", lambda self, what, do: take(self, what, do, lambda do: was(self, what, do)))
        yield


def migrate_with_rows(url: str, up: Callable[[str, str], None]) -> None:
    """All migrations, each data migration with rows that it changes."""
    for until, rows in ROWS:
        up(url, until)
        with closing(connect(url)) as database, database.write() as connection:
            rows(connection)
    up(url, "")


def mts(connection: Any) -> None:
    for state in range(4):
        put(connection, "mt", id=state + 1, state=state, valid_until=1000, due_at=None)


def prefixes(connection: Any) -> None:
    put(connection, "short_code", id=1, number="4446")
    put(connection, "operator", id=1, code="alpha", currency="RUB", msisdn_prefixes="[]")
    put(connection, "partner", id=1, login="acme", currency="RUB")
    put(connection, "service", id=1, partner_id=1, name="game", method="http_get")
    put(connection, "prefix", id=1, short_code_id=1, service_id=1, prefix="G0T31", folded="g0t31")


def cancellations(connection: Any) -> None:
    put(connection, "cancellation", id=1, mt_id=7, author="olga", note="wrong text", at=5, due_at=5)


def windows(connection: Any) -> None:
    put(connection, "link", id=1, operator_id=1, name="alpha-1", protocol="smpp", repeat="window:60", options="{}")
    for number, at in enumerate((1_000, 50_000, 100_000)):
        put(connection, "in_doubt", id=number + 1, mo_id=number + 1, fingerprint=9, reason="window", at=at)


ROWS: list[tuple[str, Callable[[Any], None]]] = [
    ("0003_processes_that_are_told_apart", mts),
    ("0007_links_that_flap", fill),
    ("0017_ussd", prefixes),
    ("0024_messages_taken_back", cancellations),
    ("0026_receipts_that_wait", windows),
]


def contents(url: str) -> dict[str, tuple[str, list[Any]]]:
    """Every table: how it is made, and its rows."""
    with closing(mariadb().connect(url.rpartition("/")[2])) as connection, closing(connection.cursor()) as cursor:

        def ask(sql: str) -> list[Any]:
            cursor.execute(sql)
            return list(cursor.fetchall())

        tables = [table for (table,) in ask("SHOW TABLES")]
        made = {
            table: re.sub(r" AUTO_INCREMENT=\d+", "", ask(f"SHOW CREATE TABLE `{table}`")[0][1]) for table in tables
        }
        applied = ask("SELECT app, name FROM django_migrations ORDER BY id")
        rows = {table: sorted(map(repr, ask(f"SELECT * FROM `{table}`"))) for table in tables}
    return {table: (made[table], applied if table == "django_migrations" else rows[table]) for table in tables}


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, tuple[str, list[Any]]]:
    """What is there after migrations that nobody broke off."""
    url = mariadb().database()
    migrate_with_rows(url, lambda url, until: migrate(url, until=until))
    found = contents(url)
    mariadb().drop(url)
    return found


def test_processes_that_die_one_after_another_leave_what_one_that_lives_does(
    url: str, undisturbed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    deaths = Deaths(random.Random(11))

    def up(url: str, until: str) -> None:
        with taken_by(monkeypatch, deaths.take):
            while True:
                try:
                    migrate(url, until=until)
                except Killed:
                    continue
                return

    migrate_with_rows(url, up)

    assert len(deaths.steps) > 100
    assert contents(url) == undisturbed


def test_every_step_that_was_done_and_not_marked_is_known_again(
    url: str, undisturbed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of rows nothing stays without their mark; what alters a table stays, and is said twice."""
    done: list[str] = []

    def twice(steps: Steps, what: str, do: Do, was: Callable[[Do], None]) -> None:
        def fatal() -> None:
            do()
            done.append(what)
            raise Killed

        with pytest.raises(Killed):
            was(fatal)
        steps._number -= 1
        with steps._connection.cursor() as cursor:
            query = "SELECT number, digest, done FROM migration_step WHERE migration = %s"
            cursor.execute(query, [steps._migration])
            steps._known = {number: (digest, bool(is_done)) for number, digest, is_done in cursor.fetchall()}
        was(do)

    def up(url: str, until: str) -> None:
        with taken_by(monkeypatch, twice):
            migrate(url, until=until)

    migrate_with_rows(url, up)

    assert len(done) > 200
    assert {what.split()[0] for what in done} >= {"CREATE", "ALTER", "DROP", "RENAME", "UPDATE", "python"}
    assert contents(url) == undisturbed


@pytest.mark.parametrize(
    "change",
    [
        "DROP TABLE `this`",
        "RENAME TABLE `this` TO `other`",
        "ALTER TABLE `this` DROP COLUMN `b`",
        "ALTER TABLE `this` RENAME COLUMN `b` TO `c`",
        "ALTER TABLE `this` RENAME INDEX `by_b` TO `by_c`",
        "ALTER TABLE `this` DROP INDEX `by_b`",
        "ALTER TABLE `alone` DROP PRIMARY KEY",
        "ALTER TABLE `that` ADD CONSTRAINT `too` UNIQUE (`a`)",
        "ALTER TABLE `this` DROP FOREIGN KEY `of_that`",
        "ALTER TABLE `this` MODIFY `b` integer NULL",
        "ALTER TABLE `this` ADD CONSTRAINT `second` FOREIGN KEY (`b`) REFERENCES `that` (`a`)",
        "CREATE UNIQUE INDEX `once` ON `this` (`b`)",
    ],
)
def test_what_no_migration_says_yet_is_known_again_too(url: str, change: str) -> None:
    """Each is done, dies unmarked, and is said a second time; without having died that is an error, or does no harm."""
    name = url.rpartition("/")[2]
    with closing(mariadb().connect(name)) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("CREATE TABLE `that` (`a` integer PRIMARY KEY)")
        cursor.execute(
            "CREATE TABLE `this` (`a` integer PRIMARY KEY, `b` integer, INDEX `by_b` (`b`), "
            "CONSTRAINT `of_that` FOREIGN KEY (`a`) REFERENCES `that` (`a`))"
        )
        cursor.execute("CREATE TABLE `alone` (`a` integer PRIMARY KEY)")
        cursor.execute(change)
        said = None
        try:
            cursor.execute(change)
        except DatabaseError as error:
            said = error

    assert (said is None) is change.startswith("ALTER TABLE `this` MODIFY")
    assert said is None or _says_done_before(change, said)


def test_a_process_that_is_killed_between_two_statements_is_followed_by_one_that_ends_it(
    url: str, undisturbed: dict[str, Any]
) -> None:
    """kill -9, right behind a statement; its connection goes with it, and the lock that it had."""
    script = (
        "import os, signal, sys\n"
        "from store.migrate import migrate\n"
        "from store.migration_steps import Steps\n"
        "mark = Steps._mark\n"
        "def fatal(self, digest, *, done):\n"
        "    if done and (self._migration, self._number) == ('store.0018_prefixes_since', 2):\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    mark(self, digest, done=done)\n"
        "Steps._mark = fatal\n"
        "migrate(sys.argv[1])\n"
    )
    died = subprocess.run([sys.executable, "-c", script, url], check=False, cwd=ROOT, capture_output=True, text=True)
    said: list[str] = []

    with closing(connect(url)) as database:
        pending = pending_migrations(database)
    migrate(url, say=said.append)

    assert died.returncode == -signal.SIGKILL, died.stderr
    assert pending[0] == "0018_prefixes_since"
    assert said[0] == "store.0018_prefixes_since was broken off; it goes on"
    assert {table: made for table, (made, _) in contents(url).items()} == {
        table: made for table, (made, _) in undisturbed.items()
    }


def test_a_table_of_somebody_else_is_not_taken_for_ours(url: str) -> None:
    """No process of ours has announced it."""
    migrate(url, until="0017_ussd")
    mariadb().run(f"CREATE TABLE {url.rpartition('/')[2]}.prefix_gone (ours bool)")

    for _ in range(2):
        with pytest.raises(Exception, match="'prefix_gone' already exists"):
            migrate(url)


def test_a_migration_that_another_version_began_is_not_mixed_with_ours(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(steps: Steps, what: str, do: Do, was: Callable[[Do], None]) -> None:
        was(do)
        steps._execute("UPDATE migration_step SET digest = %s", ["another"])
        raise Killed

    with taken_by(monkeypatch, other), pytest.raises(Killed):
        migrate(url)

    with pytest.raises(ConfigError, match=r"^store.0001_initial was begun by another version of Tollbridge; finish it"):
        migrate(url)


def test_of_two_who_migrate_at_once_the_second_waits_and_finds_it_done(url: str) -> None:
    said: list[str] = []
    waits = threading.Event()
    name = url.rpartition("/")[2]

    def say(line: str) -> None:
        said.append(line)
        waits.set()

    second = threading.Thread(target=lambda: migrate(url, say=say))

    with closing(mariadb().connect(name)) as first, closing(first.cursor()) as cursor:
        cursor.execute("SELECT GET_LOCK(%s, 0)", [f"migrate {name}"])
        second.start()
        assert waits.wait(30)
        cursor.execute("SHOW TABLES")
        meanwhile = cursor.fetchall()
    second.join(60)

    assert re.fullmatch(r"another process migrates this database, by connection \d+ of the server; we wait", said[0])
    assert meanwhile == ()
    assert said[-1] == "triggers made"
