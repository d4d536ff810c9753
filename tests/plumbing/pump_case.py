"""A test case over real sockets on loopback.

PumpCase   listens and connects with LineSessions; all is closed at the end
"""

import asyncio

from plumbing.clock import SystemClock
from plumbing.conversation import Address, Owner, Tls
from plumbing.pump import Listener, Pump, connect, listen
from tests.case import AsyncioTestCase
from tests.plumbing.talkers import LineSession, Recorder
from wire.session import Session

CLOCK = SystemClock()


class PumpCase(AsyncioTestCase):
    """Listens and connects; all is closed at the end."""

    def setUp(self) -> None:
        self.server = Recorder()
        self.server_session: Session = LineSession()
        self.listeners: list[Listener] = []
        self.pumps: list[Pump] = []

    async def tearDown(self) -> None:
        for pump in self.pumps:
            pump.close()
        for listener in self.listeners:
            await listener.close(abort=True)
        # Twisted tells of a closed socket in a turn of its own, and trial looks for what is left over.
        for _ in range(5):
            await asyncio.sleep(0)

    def listening(self, host: str = "127.0.0.1", tls: Tls | None = None) -> Address:
        def answering(peer: str) -> tuple[Session, Owner]:
            return self.server_session, self.server

        self.listeners.append(listen(Address(host, 0, tls), answering, CLOCK))
        return Address(host, self.listeners[-1].port)

    async def connected(self, address: Address, owner: Recorder, session: LineSession | None = None) -> Pump:
        pump = await connect(address, session or LineSession(), owner, CLOCK)
        self.pumps.append(pump)
        return pump
