"""The database as a command meets it: what is wrong with it, in one sentence that names `database.url`.

reached          around whatever asks the database: what a person can mend becomes a ConfigError, an outage a StoreAway
open_file        the file of an SQLite database can be used as it is named, before anything waits for it
Patience         who waits for the database, and for Redis, at the start
raise_mistake    what no waiting mends, for who waits for the database
mistake_in       a driver's or the system's error → that sentence, or None for what is no mistake of set-up

Rule: the URL is told without its password, and nothing of SQLAlchemy's or Django's wording is.

Sources: https://mariadb.com/kb/en/mariadb-error-codes/ and https://www.sqlite.org/rescode.html
"""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from structlog import get_logger

from core.errors import ConfigError, StoreAway, StoreError, TollbridgeError
from plumbing.threads import Runs
from store.database import read_url

log = get_logger()
T = TypeVar("T")

PAUSE_S = 1.0

_SQLITE = {
    8: "is read-only for this user; give the user the right to write the file and its folder",
    11: "is damaged; put it back from a backup",
    14: "cannot be opened; name a file in a folder that this user may write",
    26: "is no SQLite database; name another file, or move this one away",
}
_SQLITE_BUSY, _SQLITE_FULL = frozenset((5, 6)), 13
_MARIADB = {
    1044: "this user may not use the database; grant it the rights, or name another user",
    1045: "the server refuses the user or the password; correct them",
    1049: "there is no such database; make it with: tollbridge migrate",
    1142: "this user lacks rights in the database; grant them",
    1227: "this user lacks rights on the server; grant them",
    1698: "the server refuses the user or the password; correct them",
}


@contextmanager
def reached(url: str) -> Iterator[None]:
    """Tell what is wrong with the database. Raises ConfigError, StoreAway; all else as it is."""
    try:
        yield
    except Exception as error:
        told = mistake_in(error, url)
        if told is None:
            raise
        raise told from error


def mistake_in(error: BaseException, url: str) -> TollbridgeError | None:
    """What a person can mend, or an outage, as an error of ours; None: something else."""
    if isinstance(error, TollbridgeError) and not isinstance(error, StoreAway):
        return None
    if isinstance(error, ModuleNotFoundError) and error.name == "MySQLdb":
        return ConfigError(f"{_name(url)}: MariaDB's driver is missing; run: pip install 'tollbridge[mariadb]'")
    cause = _of_driver(error)
    if cause is None:
        return StoreAway(_away(url, str(error).partition(" is away: ")[2])) if isinstance(error, StoreAway) else None
    sqlite_code = getattr(cause, "sqlite_errorcode", None)
    if sqlite_code is None:
        number, *words = cause.args
        if number in _MARIADB:
            return ConfigError(f"{_name(url)}: {_MARIADB[number]}")
        return StoreAway(_away(url, str(words[0]) if words else "")) if isinstance(error, StoreAway) else None
    if sqlite_code & 0xFF in _SQLITE:
        return ConfigError(f"{_name(url)}: {_SQLITE[sqlite_code & 0xFF]}")
    if sqlite_code & 0xFF in _SQLITE_BUSY:
        return StoreAway(f"{_name(url)}: another process keeps it locked; try again when that is done")
    if sqlite_code & 0xFF == _SQLITE_FULL:
        return StoreAway(f"{_name(url)}: its disk is full; make room")
    return StoreAway(_away(url, str(cause))) if isinstance(error, StoreAway) else None


def raise_mistake(error: StoreError, url: str) -> None:
    """At the start of the service: raises ConfigError for what no waiting mends, like a wrong password."""
    told = mistake_in(error, url)
    if isinstance(told, ConfigError):
        raise told from error


class Patience:
    """At the start of the service: asks until it is answered."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.waits_for = ""
        """A sentence while something is away."""

    async def ask(self, thread: Runs, function: Callable[[], T]) -> T:
        """Ask the database, or Redis, until it is there. Raises ConfigError for what no waiting mends."""
        said = ""
        while True:
            try:
                found = await thread.run(function)
            except StoreError as error:
                what = error.what if isinstance(error, StoreAway) else StoreAway.DATABASE
                if what == StoreAway.DATABASE:
                    raise_mistake(error, self._url)
                if what != said:
                    log.error(f"waiting for {what}", error=str(error))
                said, self.waits_for = what, f"waiting for {what}: {error}"
                await asyncio.sleep(PAUSE_S)
            else:
                self.waits_for = ""
                return found


def open_file(file: Path) -> None:
    """Raises ConfigError for what is no file, or one that cannot be written, nor its folder made."""
    try:
        if file.is_dir():
            raise ConfigError(f"database.url: {file}: is a folder; name a file in it")
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        if file.exists() and not os.access(file, os.R_OK | os.W_OK):
            raise ConfigError(f"database.url: {file}: {_SQLITE[8]}")
        if not os.access(file.parent, os.W_OK | os.X_OK):
            raise ConfigError(f"database.url: {file}: {_SQLITE[14]}")
    except OSError as error:
        why = error.strerror or str(error)
        raise ConfigError(
            f"database.url: {file}: its folder cannot be made or read ({why}); name a file in a folder that this "
            "user may write"
        ) from error


def _of_driver(error: BaseException | None) -> BaseException | None:
    """The driver's own error within those of SQLAlchemy, Django and ours."""
    while error is not None:
        if hasattr(error, "sqlite_errorcode") or (type(error).__module__.startswith("MySQLdb") and error.args):
            return error
        error = getattr(error, "orig", None) or error.__cause__
    return None


def _name(url: str) -> str:
    """`database.url: mysql://me:***@host/name`."""
    shown = read_url(url).render_as_string(hide_password=True).replace("mysql+mysqldb:", "mysql:")
    return f"database.url: {shown}"


def _away(url: str, reason: str) -> str:
    why = reason.removesuffix("; we try again").strip()
    return f"{_name(url)} is away{f' ({why})' if why else ''}; start it, or correct the address"
