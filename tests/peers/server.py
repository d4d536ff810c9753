"""Our sides of the wire on a socket for a foreign ESME: a pocket SMSC, and the server for partners.

PeerCase   listens on free ports; everything is closed at the end
Watched    a pocket SMSC that notes which commands came and how sessions ended
Partners   a server for partners that notes the same
"""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any

from core.catalogue import Catalogue, Partner
from partner_api.smpp_server import SmppServer
from partner_api.smpp_session import PartnerSession
from plumbing.clock import SystemClock
from plumbing.conversation import Address, Owner
from plumbing.metrics import Metrics
from plumbing.pump import Listener, Pump, listen
from plumbing.threads import Readers
from sim.centre import PocketSmsc
from sim.quirks import Quirks
from store.secrets import hash_password
from tests.case import AsyncioTestCase
from wire.cimd2.codec import name_of
from wire.cimd2.frames import FrameReader as PacketReader
from wire.session import Closed, Event, Session
from wire.smpp.frames import FrameReader, read_header
from wire.smpp.operations import COMMANDS
from wire.ucp.frames import Frames, read_frame

CLOCK = SystemClock()
ACCOUNT = {"esme1": "password"}


class Watched(PocketSmsc):
    """A pocket SMSC that notes what its owner does not hear of: enquire_link, unbind, the manner of the end."""

    def __init__(self, quirks: Quirks, protocol: str = "smpp") -> None:
        super().__init__(CLOCK, Random(1), quirks=quirks, protocol=protocol)
        self._read_commands = COMMANDS_OF[protocol]
        self.commands: list[str] = []
        self.ends: list[Closed] = []

    def accept(self, peer: str) -> tuple[Session, Owner]:
        wire, owner = super().accept(peer)
        heard = owner.heard

        def noted(events: list[Event]) -> None:
            self.ends += [event for event in events if type(event) is Closed]
            heard(events)

        _note_commands(wire, self.commands, self.stirred, self._read_commands)
        vars(owner)["heard"] = noted
        return wire, owner


def _smpp_commands() -> Callable[[bytes], list[str]]:
    frames = FrameReader()
    return lambda octets: [COMMANDS[read_header(frame)[1]].name for frame in frames.read(octets)]


def _ucp_commands() -> Callable[[bytes], list[str]]:
    frames = Frames()
    return lambda octets: [read_frame(frame)[1] for frame in frames.read(octets)]


def _cimd2_commands() -> Callable[[bytes], list[str]]:
    packets = PacketReader()
    return lambda octets: [name_of(packet) for packet in packets.read(octets)]


COMMANDS_OF = {"smpp": _smpp_commands, "ucp": _ucp_commands, "cimd2": _cimd2_commands}
"""Protocol → a stream's commands: "submit_sm", "O/51", "submit"."""


def _note_commands(
    wire: Session,
    commands: list[str],
    then: Callable[[], None],
    read_commands: Callable[[], Callable[[bytes], list[str]]] = _smpp_commands,
) -> None:
    receive, read = wire.receive, read_commands()

    def received(octets: bytes, now_ms: int) -> list[Event]:
        commands.extend(read(octets))
        asyncio.get_running_loop().call_soon(then)
        return receive(octets, now_ms)

    vars(wire)["receive"] = received


class Partners(SmppServer):
    """A server for partners: acme with the password "password", and nobody else."""

    def __init__(self, readers: Readers, **values: Any) -> None:
        acme = Partner(1, "acme", "RUB", smpp_password_hash=hash_password("password"))
        catalogue = Catalogue(partners={"acme": acme})
        self.metrics = Metrics()
        self.commands: list[str] = []
        self.ends: list[str] = []
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []
        super().__init__(
            Address("127.0.0.1", 0),
            catalogue=lambda: catalogue,
            run=readers.run,
            clock=CLOCK,
            metrics=self.metrics,
            **values,
        )

    def refused(self, outcome: str = "refused") -> int:
        """Binds that were answered so."""
        return self.metrics.counter("tollbridge_smpp_bind_answers", "", outcome=outcome).value

    def accept(self, host: str, port: int, *, tls: bool) -> Pump | None:
        pump = super().accept(host, port, tls=tls)
        assert pump is not None
        _note_commands(pump.session, self.commands, self._stir)
        return pump

    def bound(self, session: PartnerSession) -> None:
        super().bound(session)
        self._stir()

    def closed(self, session: PartnerSession, reason: str) -> None:
        super().closed(session, reason)
        self.ends.append(reason)
        self._stir()

    async def until(self, predicate: Callable[[], bool]) -> None:
        """Wait until it holds; asked when something came and when a session is bound or over."""
        if not predicate():
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append((predicate, future))
            await future

    def _stir(self) -> None:
        for predicate, future in list(self._waiting):
            if predicate():
                self._waiting.remove((predicate, future))
                future.set_result(None)


class PeerCase(AsyncioTestCase):
    timeout = 30

    async def setUp(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Nothing is open yet."""
        self.port = 0
        self.listeners: list[Listener] = []
        self.servers: list[Partners] = []
        self.readers = Readers(2)

    async def tearDown(self) -> None:
        await self.close_all()

    async def close_all(self) -> None:
        """What the case opened."""
        for listener in self.listeners:
            await listener.close(abort=True)
        for server in self.servers:
            await server.stop(2)
        self.readers.stop()
        for _ in range(5):
            await asyncio.sleep(0)

    def serving(self, quirks: Quirks | None = None, protocol: str = "smpp") -> Watched:
        """A centre that lets ACCOUNT in, at self.port."""
        centre = Watched(quirks or Quirks(accounts=ACCOUNT), protocol)
        self.listeners.append(listen(Address("127.0.0.1", 0), centre.accept, CLOCK))
        self.port = self.listeners[-1].port
        return centre

    async def serving_partners(self, **values: Any) -> Partners:
        """A server that lets acme in, at self.port."""
        server = Partners(self.readers, **values)
        await server.start()
        self.servers.append(server)
        self.port = server.port
        return server
