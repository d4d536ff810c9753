"""A COMMIT that the service has given up and that is done all the same, seconds later.

frozen_in_commit   MariaDB is frozen as a COMMIT arrives, for longer than the service waits for an answer
held_commit        a COMMIT is held back on its way and delivered when the service is at work on new connections; the
                   service sees a broken connection, or waits until it, or the server, has enough
Holding            the proxy that does it

Rule: the service hears nothing of it but silence; whoever looks too early sees a batch that is not there yet.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from tests import services
from tests.fire.outages import AWAY, QUIRKS, RATE, Outage, away
from tests.fire.proxy import Passage, Proxy
from tests.fire.stage import Ask, Stage
from tests.fire.truth import end_faults, raise_for

LONGER_THAN_A_SILENCE_S = 12.0
"""The service waits for 10 s (store.database.connect, io_timeout_s)."""
_CHUNK = 65536
P = TypeVar("P", bound=Proxy)
COMMIT, BATCH = b"\x03COMMIT", b"INSERT INTO `mo` "


@dataclass
class Holding(Proxy):
    """Once told to hold, the next COMMIT of a batch of messages stops here; its connection to the server stays open,
    whatever the service does with its own side. `cuts_client`: the service's side is reset at once.
    """

    holds: bool = False
    cuts_client: bool = True
    held: bytes = b""
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, passage: Passage, *, upward: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while octets := await reader.read(_CHUNK):
                if upward and self._stops(passage, octets):
                    self.held = octets
                    if self.cuts_client:
                        passage.client.transport.abort()
                    await self.let_go.wait()
                writer.write(octets)
                await writer.drain()

    def _stops(self, passage: Passage, octets: bytes) -> bool:
        return _ends_batch(passage, octets) and self.holds and not self.held


def _ends_batch(passage: Passage, octets: bytes) -> bool:
    """Whether it is the COMMIT of messages, and not of a look for due work over the same connection."""
    passage.armed = passage.armed or BATCH in octets
    if COMMIT not in octets:
        return False
    is_batch, passage.armed = passage.armed, False
    return is_batch


@dataclass(slots=True)
class _Through(Generic[P]):
    """A stage whose service reaches MariaDB through a proxy."""

    proxy: P
    stage: Stage

    @classmethod
    async def open(cls, kind: type[P]) -> "_Through[P]":
        server = await asyncio.to_thread(services.mariadb)
        proxy = kind(server.port)
        await proxy.open()
        through = Ask(
            database="mariadb",
            quirks=QUIRKS,
            database_url=lambda url: url.replace(f":{server.port}/", f":{proxy.port}/"),
        )
        return cls(proxy, Stage(through))


async def frozen_in_commit(
    seconds: float = LONGER_THAN_A_SILENCE_S, tell: Callable[[int], None] = lambda done: None
) -> Outage:
    """The COMMIT lies in the frozen server's socket; thawed, it does it, though the service closed the connection."""
    server = await asyncio.to_thread(services.mariadb)
    through = await _Through.open(Proxy)
    proxy = through.proxy
    is_frozen = asyncio.Event()

    def gate(passage: Passage, octets: bytes) -> bytes:
        if _ends_batch(passage, octets) and not is_frozen.is_set():
            server.freeze()
            is_frozen.set()
        return octets

    async def take() -> None:
        proxy.up = gate
        await asyncio.wait_for(is_frozen.wait(), 30)

    async def give_back() -> None:
        await asyncio.to_thread(server.thaw)

    try:
        async with through.stage as stage:
            return await away(stage, f"MariaDB frozen in COMMIT {seconds:g} s", seconds, take, give_back, tell)
    finally:
        server.thaw()
        await proxy.close()


async def held_commit(*, silent: bool = False, tell: Callable[[int], None] = lambda done: None) -> Outage:
    """Delivered when the service has given it up and looks for its outcome on other connections. `silent`: nobody tells
    the service that its connection is broken.
    """
    through = await _Through.open(Holding)
    proxy = through.proxy
    proxy.cuts_client = not silent
    outage = Outage(f"a COMMIT delivered after {'a silence' if silent else 'its connection broke'}", 0.0)
    try:
        async with through.stage as stage:
            await stage.service.up()
            await stage.until_bound()
            async with stage.under_load(RATE):
                await stage.until_acknowledged(50)
                proxy.holds = True
                await stage.until(lambda: bool(proxy.held), "a COMMIT")
                begun, connections = time.monotonic(), proxy.connections
                await _until(lambda: bool(stage.service.said(AWAY)) and proxy.connections > connections)
                outage.seconds = time.monotonic() - begun
                tell(1)
                proxy.let_go.set()
                await stage.until_acknowledged(100)
            await stage.until_settled()
            raise_for(await asyncio.to_thread(end_faults, stage), outage.what)
            outage.noticed = len(stage.service.said(AWAY))
            outage.binds = stage.centre.counted.binds
            outage.put_off = stage.centre.counted.put_off
            outage.stored, outage.repeats = stage.row(
                "SELECT (SELECT COUNT(*) FROM mo), (SELECT COUNT(*) FROM mo_repeat)"
            )
            return outage
    finally:
        await proxy.close()


async def _until(holds: Callable[[], bool], within_s: float = 60) -> None:
    begun = time.monotonic()
    while not holds():
        assert time.monotonic() - begun < within_s, "the service did not give up"
        await asyncio.sleep(0.05)
