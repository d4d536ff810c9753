"""The subcommands, a module each; what they share.

command        a subcommand: takes --config FILE and --help
read_config    the configuration of that file and the environment
open_database  connected and migrated, or a sentence that says what to run
an_example     the end of every help text

Rule: a command imports what is heavy inside itself or in its own module, never here.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from store.database import Database
    from tollbridge.config import Config

F = TypeVar("F", bound=Callable[..., Any])

config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The configuration; without it the defaults, under ./var. TOLLBRIDGE_… variables override it.",
)


def read_config(config_file: Path | None) -> "Config":
    """The configuration. Raises ConfigError."""
    from tollbridge.config import load_config

    return load_config(config_file, os.environ)


def sqlite_file(url: str) -> Path | None:
    """The file of an SQLite database; None for MariaDB and for one in memory."""
    from store.database import read_url

    address = read_url(url)
    if address.drivername != "sqlite" or not address.database or address.database == ":memory:":
        return None
    return Path(address.database)


def is_fresh(url: str) -> bool:
    """Whether this is the embedded database before its first start: no file yet."""
    file = sqlite_file(url)
    return file is not None and not (file.exists() and file.stat().st_size)


@contextmanager
def open_database(config: "Config") -> Iterator["Database"]:
    """The database, for a command that only asks it. Raises ConfigError when it is not migrated, StoreAway."""
    from core.errors import ConfigError
    from store.database import connect
    from store.migrate import pending_migrations

    if is_fresh(config.database.url):
        raise ConfigError(f"{sqlite_file(config.database.url)}: there is no database yet; run: tollbridge migrate")
    database = connect(config.database.url)
    try:
        pending = pending_migrations(database)
        if pending:
            raise ConfigError(f"the database lacks {len(pending)} migrations ({pending[0]} …); run: tollbridge migrate")
        yield database
    finally:
        database.close()
