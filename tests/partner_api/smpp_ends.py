"""Both ends of a partner's SMPP connection for tests.

Client       a raw client on a socket: says what it is told, hears PDU by PDU
ServerCase   a server on a free port with the partners of `partners`; everything is closed at the end
"""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest

from core.catalogue import Catalogue, Partner
from partner_api.smpp_limits import Limits
from partner_api.smpp_server import SmppServer
from plumbing.clock import SystemClock
from plumbing.conversation import Address, Tls
from plumbing.metrics import Metrics
from plumbing.threads import Readers
from store.secrets import hash_password
from tests.case import AsyncioTestCase
from wire.smpp import decode, encode
from wire.smpp.frames import FrameReader
from wire.smpp.operations import Bind, BindTransceiver, EnquireLink, Operation, Request

CLOCK = SystemClock()
QUICK = replace(Limits(), bind_ms=5000, delay_first_ms=20, delay_most_ms=320)

hashed = cache(hash_password)


def partners(**changes: Any) -> Catalogue:
    """acme and ben, who may bind with their names' first letters thrice; idle, who is not active; mute, without one."""
    acme = replace(Partner(1, "acme", "RUB", smpp_password_hash=hashed("aaa")), **changes)
    ben = Partner(2, "ben", "RUB", smpp_password_hash=hashed("bbb"))
    idle = Partner(3, "idle", "RUB", active=False, smpp_password_hash=hashed("iii"))
    mute = Partner(4, "mute", "RUB")
    return Catalogue(partners={one.login: one for one in (acme, ben, idle, mute)})


class Client:
    """A raw SMPP client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._frames = FrameReader(1_000_000)
        self._heard: list[Operation] = []
        self._sequence = 0

    def say(self, request: Request | bytes) -> None:
        if isinstance(request, Request):
            self._sequence += 1
            request.sequence = self._sequence
            request = encode(request)
        self.writer.write(request)

    async def hear(self) -> Operation | None:
        """The next PDU; None: the connection is closed."""
        while not self._heard:
            try:
                octets = await self.reader.read(65536)
            except ConnectionError:
                octets = b""
            if not octets:
                return None
            self._heard += [decode(frame) for frame in self._frames.read(octets)]
        return self._heard.pop(0)

    async def ask(self, request: Request) -> Operation:
        self.say(request)
        answer = await self.hear()
        assert answer is not None, "the connection is closed"
        return answer

    async def bind(self, login: str, password: str, kind: type[Bind] = BindTransceiver, **values: Any) -> Operation:
        return await self.ask(kind(system_id=login, password=password, **values))

    async def is_served(self) -> bool:
        """Whether the other side answers still."""
        try:
            return (await self.ask(EnquireLink())).status == 0
        except AssertionError:
            return False

    def hang_up(self) -> None:
        self.writer.transport.abort()


class ServerCase(AsyncioTestCase):
    timeout = 30

    async def setUp(self) -> None:
        self.readers = Readers(2)
        self.catalogue = partners()
        self.looks = 0
        self.servers: list[SmppServer] = []
        self.clients: list[Client] = []

    async def tearDown(self) -> None:
        for client in self.clients:
            client.hang_up()
        for server in self.servers:
            await server.stop(1)
        self.readers.stop()
        for _ in range(5):
            await asyncio.sleep(0)

    async def serving(
        self, limits: Limits = QUICK, *, host: str = "127.0.0.1", tls: Tls | None = None, **values: Any
    ) -> SmppServer:
        self.registry = CollectorRegistry()
        server = SmppServer(
            Address(host, 0, tls),
            catalogue=lambda: self.catalogue,
            run=values.pop("run", self.look),
            clock=CLOCK,
            metrics=Metrics(self.registry),
            limits=limits,
            **values,
        )
        await server.start()
        self.looks = 0
        self.servers.append(server)
        return server

    async def look(self, function: Callable[..., bool], *args: Any) -> bool:
        self.looks += 1
        return await self.readers.run(function, *args)

    async def client(self, source: str = "", *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> Client:
        local = (source, 0) if source else None
        port = self.servers[-1].port
        client = Client(*await asyncio.open_connection(host, port, local_addr=local, ssl=tls))
        self.clients.append(client)
        return client

    async def bound(self, login: str = "acme", password: str = "aaa", source: str = "") -> Client:
        client = await self.client(source)
        assert (await client.bind(login, password)).status == 0
        return client

    async def until(self, predicate: Callable[[], bool]) -> None:
        """The server tells nobody of what a test waits for here."""
        while not predicate():
            await asyncio.sleep(0.002)

    def metric(self, line: str) -> float:
        for one in generate_latest(self.registry).decode().splitlines():
            if one.startswith(line + " "):
                return float(one.split()[-1])
        raise AssertionError(line)
