"""A migration of MariaDB that was broken off goes on where it stood: the server takes no change of a table back.

StepwiseMigrate   Django's `migrate`, on a connection of MariaDB, step by step and alone on its database
Steps             the record of the migration that is being applied

A step is one statement of a migration, or one RunPython. It is announced in the table `migration_step` before it is
done, and marked there when it is. A migration that was broken off says all its statements once more: those that are
marked are passed over. One that was announced only may have been done: when it finds its table, column or index there
(or gone) already, it was. Rows are changed in one transaction with their mark, so never twice. The table is there only
while there are migrations to apply.

The lock is of the connection that applies: a server that still alters a table for a client that died keeps it.

Rule: what a migration says follows from its operations, not from what the database holds by then; else it could not be
said again. tests/store/test_migration_steps.py breaks every migration off at every step.
"""

import contextlib
import hashlib
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from django.core.management.commands.migrate import Command
from django.db import DatabaseError
from django.db.backends.mysql.schema import DatabaseSchemaEditor
from django.db.migrations import Migration, RunPython
from django.db.transaction import atomic

from core.errors import ConfigError

_CREATE = (
    "CREATE TABLE IF NOT EXISTS migration_step (migration varchar(255) NOT NULL, number integer NOT NULL, "
    "digest char(64) NOT NULL, done bool NOT NULL, PRIMARY KEY (migration, number))"
)
_SCHEMA = re.compile(r"\s*(ALTER|CREATE|DROP|RENAME)\b", re.IGNORECASE)
# What the server says to a statement that it has done before: https://mariadb.com/kb/en/mariadb-error-codes/
_FOREIGN_KEY, _DUPLICATE = 1005, "errno: 121"
_DONE_BEFORE = (
    (r"CREATE TABLE ", {1050}),
    (r"CREATE (UNIQUE )?INDEX ", {1061}),
    (r"DROP TABLE ", {1051}),
    (r"DROP INDEX ", {1091}),
    (r"RENAME TABLE ", {1146}),
    (r"ALTER TABLE \S+ ADD COLUMN ", {1060}),
    (r"ALTER TABLE \S+ ADD CONSTRAINT ", {_FOREIGN_KEY, 1061, 1068, 1826}),
    (r"ALTER TABLE \S+ DROP ", {1091}),
    (r"ALTER TABLE \S+ RENAME COLUMN ", {1054}),
    (r"ALTER TABLE \S+ RENAME INDEX ", {1176}),
)


class StepwiseMigrate(Command):  # type: ignore[misc]
    """To be called by `call_command`, for the connection that it was made with."""

    def __init__(self, connection: Any, say: Callable[[str], None]) -> None:
        """`say` gets a line when another process has to be waited for, or a migration was broken off."""
        super().__init__()
        self._steps = Steps(connection, say)
        self._connection = connection
        self._say = say

    def handle(self, *names: Any, **options: Any) -> None:
        """Wait until nobody else migrates this database, then do."""
        self._be_alone()
        self._connection.SchemaEditorClass = partial(_Editor, self._steps)
        super().handle(*names, **options)
        self._steps.end()

    def migration_progress_callback(self, action: str, migration: Migration | None = None, fake: bool = False) -> None:
        """Django tells what it is about to do, and what it has done."""
        super().migration_progress_callback(action, migration, fake)
        if action == "apply_start":
            self._steps.begin(migration)
        elif action == "apply_success":
            self._steps.forget()

    def _be_alone(self) -> None:
        name = f"migrate {self._connection.settings_dict['NAME']}"[:64]
        with self._connection.cursor() as cursor:
            cursor.execute("SELECT GET_LOCK(%s, 0), IS_USED_LOCK(%s)", [name, name])
            is_ours, holder = cursor.fetchone()
            if not is_ours:
                self._say(f"another process migrates this database, by connection {holder} of the server; we wait")
            while not is_ours:
                # A second at a time: Ctrl-C is heard in between.
                cursor.execute("SELECT GET_LOCK(%s, 1)", [name])
                (is_ours,) = cursor.fetchone()


class Steps:
    """The record of one migration after another."""

    def __init__(self, connection: Any, say: Callable[[str], None]) -> None:
        self._connection = connection
        self._say = say
        self._migration = ""
        self._number = 0
        self._known: dict[int, tuple[str, bool]] = {}

    @property
    def _place(self) -> list[Any]:
        return [self._migration, self._number]

    @property
    def is_recording(self) -> bool:
        """Whether a migration is being applied."""
        return bool(self._migration)

    def begin(self, migration: Migration) -> None:
        """A migration is applied from now on, perhaps for the second time."""
        self._migration = f"{migration.app_label}.{migration.name}"
        self._number = 0
        with self._connection.cursor() as cursor:
            cursor.execute(_CREATE)
            query = "SELECT number, digest, done FROM migration_step WHERE migration = %s"
            cursor.execute(query, [self._migration])
            self._known = {number: (digest, bool(done)) for number, digest, done in cursor.fetchall()}
        if self._known:
            self._say(f"{self._migration} was broken off; it goes on")
        migration.operations = [
            _Once(self, operation) if isinstance(operation, RunPython) else operation
            for operation in migration.operations
        ]

    def forget(self) -> None:
        """The migration is applied."""
        self._execute("DELETE FROM migration_step WHERE migration = %s", [self._migration])
        self._migration = ""

    def end(self) -> None:
        """All migrations are."""
        self._execute("DROP TABLE IF EXISTS migration_step", [])

    def take(self, what: str, do: Callable[[], None]) -> None:
        """Do the next step, unless it was done before. Raises ConfigError when another one stood in its place."""
        self._number += 1
        digest = hashlib.sha256(what.encode()).hexdigest()
        before, is_done = self._known.get(self._number, ("", False))
        if before not in ("", digest):
            raise ConfigError(
                f"{self._migration} was begun by another version of Tollbridge; finish it with that version, "
                "or restore the backup from before it"
            )
        if is_done:
            return
        if not _SCHEMA.match(what):
            with atomic(self._connection.alias):
                do()
                self._mark(digest, done=True)
            return
        self._mark(digest, done=False)
        self._do(what, do, is_second=bool(before))
        self._mark(digest, done=True)

    def _do(self, what: str, do: Callable[[], None], *, is_second: bool) -> None:
        try:
            do()
        except DatabaseError as error:
            if not is_second:
                # The server says no: it is not done. Where it says nothing at all, it may be.
                with contextlib.suppress(DatabaseError):
                    self._execute("DELETE FROM migration_step WHERE migration = %s AND number = %s", self._place)
                raise
            if not _says_done_before(what, error):
                raise

    def _mark(self, digest: str, *, done: bool) -> None:
        self._execute(
            "REPLACE INTO migration_step (migration, number, digest, done) VALUES (%s, %s, %s, %s)",
            [*self._place, digest, done],
        )

    def _execute(self, sql: str, values: list[Any]) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(sql, values)


class _Editor(DatabaseSchemaEditor):  # type: ignore[misc]
    """Says what a migration says, step by step."""

    def __init__(self, steps: Steps, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._steps = steps

    def execute(self, sql: Any, params: Any = ()) -> None:
        """One statement."""
        statement = str(sql)
        if self.collect_sql or self.connection.in_atomic_block or not self._steps.is_recording:
            super().execute(sql, params)
        elif _SCHEMA.match(statement):
            self._steps.take(statement, partial(super().execute, sql, params))
        else:
            self._steps.take(statement, partial(self._change_rows, statement, params))

    def _change_rows(self, statement: str, params: Any) -> None:
        # Django lets its editor say nothing in a transaction, since what alters a table would end it.
        with self.connection.cursor() as cursor:
            cursor.execute(statement, params)


class _Once:
    """A RunPython that is one step."""

    def __init__(self, steps: Steps, operation: Any) -> None:
        self._steps = steps
        self._operation = operation

    def __getattr__(self, name: str) -> Any:
        return getattr(self._operation, name)

    def database_forwards(self, *where: Any) -> None:
        """Run it; Django has begun its transaction."""
        what = f"python {self._operation.code.__name__}"
        self._steps.take(what, partial(self._operation.database_forwards, *where))


def _says_done_before(statement: str, error: DatabaseError) -> bool:
    code = error.args[0] if error.args else None
    if code == _FOREIGN_KEY and _DUPLICATE not in str(error):
        return False
    return any(re.match(start, statement) and code in codes for start, codes in _DONE_BEFORE)
