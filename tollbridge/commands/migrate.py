"""`tollbridge migrate`: the database brought up to date. The only command that loads Django.

Rule: of several processes that migrate one SQLite file, one does it and the others wait.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from store.migrate import migrate as bring_up_to_date
from tollbridge.commands import config_option, read_config, sqlite_file
from tollbridge.config import Config
from tollbridge.contact import open_file, reached
from tollbridge.secret_files import site_secret_key


@click.command()
@config_option
def migrate(config_file: Path | None) -> None:
    """Bring the database up to date: create it where it is missing, apply every migration, make the triggers; "up to
    date" when there was nothing to do.

    It may be run again at any time, also when it was killed: it goes on where it stood. Stop the service first when
    migrations are to be applied.

    \b
    Example:
      tollbridge migrate --config conf/tollbridge.toml
    """
    config = read_config(config_file)
    migrate_with(config, say=click.echo)


def migrate_with(config: Config, *, say: Callable[[str], None]) -> None:
    """Migrate the database that a configuration names. Raises ConfigError, StoreAway."""
    from portal.settings import settings_for

    url = config.database.url
    file = sqlite_file(url)
    if file is not None:
        open_file(file)
    settings = settings_for(url, site_secret_key(config))
    with _alone(file), reached(url):
        bring_up_to_date(url, settings=settings, say=say)


@contextmanager
def _alone(file: Path | None) -> Iterator[None]:
    if file is None:
        yield
        return
    handle = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
