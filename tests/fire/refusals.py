"""The database is there, but does not let us work: locked by a backup, only to be read, our rights taken away.

locked       MariaDB under FLUSH TABLES WITH READ LOCK, SQLite under another's BEGIN IMMEDIATE
read_only    MariaDB may be read, as after a failover to a replica
locked_out   our password is another one, and our connections are killed

Rule: as for an outage: health says so in time, the operators keep their messages, work resumes by itself.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

from tests import services
from tests.fire.outages import QUIRKS, Outage, away
from tests.fire.stage import Ask, Stage

USER, PASSWORD = "tollbridge", "first"


async def locked(kind: str, seconds: float) -> Outage:
    """Somebody else holds everything, as a backup does."""
    async with Stage(Ask(database=kind, quirks=QUIRKS)) as stage:
        held: list[Any] = []

        def take() -> None:
            if kind == "sqlite":
                connection = sqlite3.connect(
                    stage.url.removeprefix("sqlite:///"), 30, isolation_level=None, check_same_thread=False
                )
                connection.execute("BEGIN IMMEDIATE")
            else:
                connection = services.mariadb().connect()
                connection.cursor().execute("FLUSH TABLES WITH READ LOCK")
            held.append(connection)

        def give_back() -> None:
            held.pop().close()

        return await away(stage, f"{kind} locked {seconds:g} s", seconds, _off_loop(take), _off_loop(give_back))


async def read_only(seconds: float) -> Outage:
    """Nobody but an administrator may write."""
    server = await asyncio.to_thread(services.mariadb)
    return await _as_user(
        f"MariaDB read-only {seconds:g} s",
        seconds,
        lambda: server.run("SET GLOBAL read_only=1"),
        lambda: server.run("SET GLOBAL read_only=0"),
    )


async def locked_out(seconds: float) -> Outage:
    """Our password no longer holds."""
    server = await asyncio.to_thread(services.mariadb)

    def take() -> None:
        server.run(f"ALTER USER {USER}@'%' IDENTIFIED BY 'another'")
        server.run(f"KILL CONNECTION USER {USER}")

    def give_back() -> None:
        server.run(f"ALTER USER {USER}@'%' IDENTIFIED BY '{PASSWORD}'")

    return await _as_user(f"MariaDB locks us out {seconds:g} s", seconds, take, give_back)


async def _as_user(what: str, seconds: float, take: Callable[[], None], give_back: Callable[[], None]) -> Outage:
    """The service is no administrator of its database here."""
    server = await asyncio.to_thread(services.mariadb)
    server.run(f"CREATE OR REPLACE USER {USER}@'%' IDENTIFIED BY '{PASSWORD}'")
    server.run(f"GRANT ALL ON *.* TO {USER}@'%'")
    server.run(f"REVOKE READ_ONLY ADMIN, SUPER ON *.* FROM {USER}@'%'")
    ask = Ask(
        database="mariadb",
        quirks=QUIRKS,
        database_url=lambda url: f"mysql://{USER}:{PASSWORD}@{url.rpartition('@')[2]}",
    )
    try:
        async with Stage(ask) as stage:
            return await away(stage, what, seconds, _off_loop(take), _off_loop(give_back))
    finally:
        server.run(f"DROP USER {USER}@'%'")


def _off_loop(work: Callable[[], None]) -> Callable[[], Awaitable[None]]:
    return lambda: asyncio.to_thread(work)
