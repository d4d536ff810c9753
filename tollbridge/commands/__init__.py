"""The subcommands, a module each; what they share.

command        a subcommand: takes --config FILE and --help
json_option    --json
read_config    the configuration of that file and the environment
open_database  connected and migrated, or a sentence that says what to run
own_process    the process is a command's own; lasting, around imports: what they make is not looked through for garbage
program        how this program was called, for commands that a person is told to paste

Rule: a command imports what is heavy inside itself or in its own module, never here.
"""

import gc
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from store.database import Database
    from tollbridge.config import Config

F = TypeVar("F", bound=Callable[..., Any])

DEMO_CONFIG = Path("var/demo/tollbridge.toml")

config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The configuration; without it the defaults, under ./var. TOLLBRIDGE_… variables override it.",
)

AMOUNTS, IDS = "amounts as decimal strings", "ids as strings"
"""What a program must know of values."""


def json_option(says: str = "") -> Callable[[F], F]:
    """--json, with what its help says of the values."""
    return click.option("--json", "as_json", is_flag=True, help=f"As JSON, for programs{says and f'; {says}'}.")


def read_config(config_file: Path | None, *, serves: bool = False) -> "Config":
    """The configuration, `serves` for a process that opens doors. Raises ConfigError."""
    with lasting():
        from tollbridge.config import load_config

    return load_config(config_file, os.environ, serves=serves)


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
    if file is None:
        return False
    try:
        return not (file.exists() and file.stat().st_size)
    except OSError as error:
        from core.errors import ConfigError

        raise ConfigError(f"database.url: {file}: {error.strerror}; name a file that this user may read") from error


def _or_the_demo() -> str:
    """Who has just seen the demo looks for its database."""
    return f" (the demo has its own: --config {DEMO_CONFIG})" if DEMO_CONFIG.exists() else ""


@contextmanager
def open_database(config: "Config") -> Iterator["Database"]:
    """The database, for a command that only asks it. Raises ConfigError when it is not migrated, StoreAway."""
    with lasting():
        from core.errors import ConfigError
        from store.database import connect
        from store.migrate import pending_migrations, unmigrated
        from tollbridge.contact import open_file, reached

    url = config.database.url
    file = sqlite_file(url)
    if file is not None and is_fresh(url):
        raise ConfigError(f"database.url: {file}: there is no database yet; run: tollbridge migrate{_or_the_demo()}")
    if file is not None:
        open_file(file)
    with reached(url), closing(connect(url)) as database:
        pending = pending_migrations(database)
        if pending:
            raise ConfigError(unmigrated(pending))
        yield database


class _Process:
    is_ours = False


def own_process() -> None:
    """Said where a process begins that is one command's own: what is there stays to its end."""
    _Process.is_ours = True
    gc.freeze()


@contextmanager
def lasting() -> Iterator[None]:
    """Around imports: what they make stays to the end, and looking through it for garbage is a quarter of a start.

    Only in a process that is a command's own. (How many objects are frozen already, Python only knows by counting.)
    """
    if not _Process.is_ours:
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def program() -> str:
    """`.venv/bin/tollbridge`: what calls this program again from the same folder, whatever the shell's PATH is."""
    script = Path(sys.argv[0])
    if script.suffix == ".py" or not os.access(script, os.X_OK):
        return f"{_shortest(Path(sys.executable))} -m tollbridge.cli"
    return _shortest(script)


def _shortest(path: Path) -> str:
    """Relative where that is shorter; quoted for a shell."""
    # Not resolved: a virtual environment's interpreter is a link to one that knows nothing of it.
    whole = os.path.abspath(path)
    relative = os.path.relpath(whole)
    # A bare name would be looked for in PATH.
    relative = relative if os.sep in relative else os.path.join(os.curdir, relative)
    return shlex.quote(min(relative, whole, key=len))
