"""`tollbridge run`: the service, until a signal (reliability.md, section 7).

run     the command
placed  an error about an address, with the file and line that name it
serve   a Service's whole life as one coroutine: start, wait, stop

Rule: this process stays without Django; the first start makes its database in a process of its own.
"""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import click

from core.errors import ConfigError, TollbridgeError
from plumbing import loop
from tollbridge import logs
from tollbridge.commands import config_option, is_fresh, read_config, sqlite_file
from tollbridge.config import KEYS, place_of
from tollbridge.contact import open_file, reached
from tollbridge.roles import ROLES, Service

LISTENED = frozenset(key for key in KEYS if key.endswith(".listen"))


@click.command()
@config_option
@click.option(
    "--roles",
    default=",".join(ROLES),
    show_default=True,
    metavar="LIST",
    help="Which parts this process plays; several processes may share the work over one database.",
)
def run(config_file: Path | None, roles: str) -> None:
    """Run the service until SIGTERM or Ctrl-C: links are drained and unbound, everything is committed.

    A second signal ends it at once, and nothing that was acknowledged is lost. On SQLite the database is made on
    the first start; later, and on MariaDB, bring it up to date with `tollbridge migrate`. While the database is
    away, the start waits for it.

    Roles: links to operators, dispatch (calls to partners), api (HTTP), smpp (partners bind), site (the portal, later).

    \b
    Example:
      tollbridge run --config conf/tollbridge.toml
      tollbridge run --roles links,dispatch
    """
    chosen = read_roles(roles)
    config = read_config(config_file, serves=True)
    logs.set_up(format=config.logs.format, full_numbers=config.logs.full_numbers)
    url = config.database.url
    file = sqlite_file(url)
    if file is not None:
        open_file(file)
    if is_fresh(url):
        create_database(config_file)
    with logs.ending(), reached(url):
        service = Service(config, chosen)
        failure = loop.run(lambda: serve(service))
        if failure is not None:
            raise placed(failure, config_file)
    leave()


def placed(error: Exception, config_file: Path | None) -> Exception:
    """`FILE, line N: api.listen: …` for an address that was found wrong when it was to be listened on."""
    key = str(error).partition(": ")[0]
    if not isinstance(error, ConfigError) or key not in LISTENED:
        return error
    try:
        place = place_of(key, config_file, os.environ)
    except ConfigError:  # it was changed meanwhile
        place = ""
    return ConfigError(f"{place}: {error}") if place else error


def leave() -> NoReturn:
    """End now. The interpreter would wait for threads that hang: one that asks a frozen database, or a name server."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def read_roles(text: str) -> tuple[str, ...]:
    """`links,api` → the roles, in the order of ROLES. Raises a usage error."""
    asked = {role.strip() for role in text.split(",") if role.strip()}
    unknown = sorted(asked - set(ROLES))
    if unknown or not asked:
        named = f"there is no role {unknown[0]!r}" if unknown else "no role is named"
        raise click.BadParameter(f"{named}; choose from {', '.join(ROLES)}", param_hint="--roles")
    return tuple(role for role in ROLES if role in asked)


def create_database(config_file: Path | None) -> None:
    """The embedded database's first start. In a process of its own: this one is to stay without Django."""
    command = [sys.executable, "-m", "tollbridge.cli", "migrate"]
    if config_file is not None:
        command += ["--config", str(config_file)]
    done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        said = done.stderr.strip().removeprefix("tollbridge: ") or f"migrate ended with {done.returncode}"
        raise ConfigError(said)


async def serve(service: Service) -> Exception | None:
    """Start, wait for a signal, stop; what went wrong, as a value: raised, it would be logged with a traceback."""
    try:
        await service.start()
        await service.died.wait()
        await service.stop()
        return TollbridgeError(f"{service.why_died}; start it again")
    except asyncio.CancelledError:
        await service.stop()
        return None
    except Exception as error:
        await service.stop()
        return error
