"""The database brought to the state of store/models/: Django's migrations, then the triggers.

migrate()               makes what is missing; may be run again at any time, also where it was killed
pending_migrations()    what `migrate` would apply; asked at the start of the service
unmigrated()            the same as a sentence
django_database()       a URL as Django's DATABASES wants it, with the manners of store/database.py

Rule: only `migrate` loads Django, and only while it runs; the engine asks `pending_migrations`.
"""

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from core.errors import ConfigError, StoreAway
from store.database import Database, connect, read_url
from store.triggers import create_triggers, missing_triggers

_ALIAS = "tollbridge_migrate"

_CHARSET, _COLLATION = "utf8mb4", "utf8mb4_nopad_bin"
# Server's errors that only another URL or other rights mend: https://mariadb.com/kb/en/mariadb-error-codes/
_DENIED = {1044, 1045, 1142, 1227, 1698}
_NO_TRIGGERS = 1419


def migrate(
    url: str,
    *,
    settings: Mapping[str, Any] | None = None,
    say: Callable[[str], None] = lambda _line: None,
    until: str = "",
) -> None:
    """Create the database where it is missing, apply every migration, make the triggers that are missing or changed.

    `until` names a migration of `store` to stop at: a database as an older version left it, without triggers.

    `settings` are Django's for all apps that own tables (portal.settings.settings_for); without them, and when Django
    has no settings yet, only `store` is migrated. `say` gets a line for each step. Raises StoreAway, ConfigError.
    """
    database = connect(url, io_timeout_s=3600, lock_wait_s=60)
    with contextlib.closing(database), _explained(database):
        said: list[str] = []

        def tell(line: str) -> None:
            said.append(line)
            say(line)

        if database.dialect == "mysql":
            _create_database(database, tell)
        else:
            database.ping()  # A file that we make is not readable to everybody; one that Django makes is.
        pending_migrations(database)  # Refuses one of a newer version.
        _apply(url, settings, tell, until, waits=say)
        if until:
            return
        with database.write() as connection:
            lacking = missing_triggers(connection)
            if lacking:
                create_triggers(connection)
        if lacking:
            tell("triggers made")
        if not said:
            say("up to date")


def pending_migrations(database: Database) -> list[str]:
    """Names of the store's migrations that were not applied; empty when the database is current.

    Raises StoreAway, and ConfigError where it is of a newer version than we are.
    """
    wanted = sorted(
        file.name.removesuffix(".py")
        for file in resources.files("store.migrations").iterdir()
        if re.fullmatch(r"\d{4}_\w+\.py", file.name)
    )
    with database.read() as connection:
        if not sa.inspect(connection).has_table("django_migrations"):
            return wanted
        applied = connection.exec_driver_sql("SELECT name FROM django_migrations WHERE app = 'store'")
        done = set(applied.scalars())
    newer = sorted(name for name in done - set(wanted) if name[:4] > wanted[-1][:4])
    if newer:
        raise ConfigError(f"the database is of a newer Tollbridge (migration {newer[-1][:80]}); install that version")
    return [name for name in wanted if name not in done]


def unmigrated(pending: Sequence[str]) -> str:
    """What the database lacks and what to run, in one line."""
    lacks = f"the migration {pending[0]}" if len(pending) == 1 else f"{len(pending)} migrations, {pending[0]} the first"
    return f"the database lacks {lacks}; run: tollbridge migrate, or wait, if a service is making it now"


def is_current(database: Database) -> bool:
    """Whether the engine may work with it. Raises StoreAway, ConfigError."""
    return not pending_migrations(database)


def django_database(url: str) -> dict[str, Any]:
    """An entry of Django's DATABASES; raises ConfigError."""
    address = read_url(url)
    if address.drivername == "sqlite":
        # Django begins nothing in its autocommit mode; its transactions are to be as ours.
        options = {
            "timeout": 10,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
        }
        name = str(Path(address.database).resolve()) if address.database else ":memory:"
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": name, "OPTIONS": options}
    return {
        "ENGINE": "django.db.backends.mysql",
        "NAME": address.database,
        "USER": address.username or "",
        "PASSWORD": address.password or "",
        "HOST": address.query.get("unix_socket", address.host or ""),
        "PORT": str(address.port or ""),
        "OPTIONS": {
            "charset": _CHARSET,
            "connect_timeout": 3,
            "sql_mode": "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION",
            "isolation_level": "read committed",
        },
        "TEST": {"CHARSET": _CHARSET, "COLLATION": _COLLATION},
    }


def _create_database(database: Database, say: Callable[[str], None]) -> None:
    """Create it, or give it our character set: names differ by case, and texts hold any sign."""
    address = database.engine.url
    assert address.database is not None
    name = database.engine.dialect.identifier_preparer.quote_identifier(address.database)
    # A connection without a database, since this one may not be there yet; errors name ours all the same.
    server = connect(address.set(drivername="mysql", database="information_schema").render_as_string(False))
    server.name = database.name
    with contextlib.closing(server), server.write() as connection:
        found = connection.execute(
            sa.text("SELECT default_collation_name FROM schemata WHERE schema_name = :name"), {"name": address.database}
        ).scalar()
        if found is None:
            connection.exec_driver_sql(f"CREATE DATABASE {name} CHARACTER SET {_CHARSET} COLLATE {_COLLATION}")
            say(f"database {address.database} created")
        elif found != _COLLATION:
            connection.exec_driver_sql(f"ALTER DATABASE {name} CHARACTER SET {_CHARSET} COLLATE {_COLLATION}")
            say(f"database {address.database} set to {_COLLATION}")


def _apply(
    url: str,
    settings: Mapping[str, Any] | None,
    say: Callable[[str], None],
    until: str,
    *,
    waits: Callable[[str], None],
) -> None:
    """Run Django's migrate through a connection of our own, whatever its settings call `default`."""
    import django
    from django.conf import settings as configured
    from django.core.management import call_command
    from django.db import connections

    if not configured.configured:
        configured.configure(**(settings or {"INSTALLED_APPS": ["store"], "USE_TZ": True}))
    django.setup()
    connections.settings[_ALIAS] = connections.configure_settings({"default": django_database(url)})["default"]
    try:
        target = ("store", until) if until else ()
        command: Any = "migrate"
        if connections[_ALIAS].vendor == "mysql":
            from store.migration_steps import StepwiseMigrate

            command = StepwiseMigrate(connections[_ALIAS], waits)
        call_command(command, *target, database=_ALIAS, interactive=False, verbosity=1, stdout=_Lines(say))
    finally:
        connections[_ALIAS].close()
        del connections[_ALIAS]
        del connections.settings[_ALIAS]


class _Lines:
    """A file for Django to write to; says whole lines about what is applied."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._rest = ""

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            if "Applying" in line:
                self._say(line.strip())
        return len(text)

    def flush(self) -> None:
        """Nothing waits."""


@contextlib.contextmanager
def _explained(database: Database) -> Iterator[None]:
    """Turn what an administrator has to mend into a sentence."""
    try:
        yield
    except Exception as error:
        found = error.__cause__ if isinstance(error, StoreAway) else error
        cause: Any = getattr(found, "orig", found)
        code = cause.args[0] if cause.args else None
        if database.dialect == "mysql" and code in _DENIED:
            remedy = "correct user and password, or grant the user its rights"
            raise ConfigError(f"database.url: {database.name} refuses us: {cause.args[1]}; {remedy}") from error
        if database.dialect == "mysql" and code == _NO_TRIGGERS:
            remedy = "set log_bin_trust_function_creators=1 on the server, or migrate as a user with SUPER"
            raise ConfigError(f"database.url: {database.name} lets us make no triggers; {remedy}") from error
        raise
