"""A pocket SMSC on a socket for a foreign ESME.

PeerCase   listens on a free port; everything is closed at the end
"""

import asyncio
from random import Random

from plumbing.clock import SystemClock
from plumbing.conversation import Address
from plumbing.pump import Listener, listen
from sim.centre import PocketSmsc
from sim.quirks import Quirks
from tests.case import AsyncioTestCase

CLOCK = SystemClock()
ACCOUNT = {"esme1": "password"}


class PeerCase(AsyncioTestCase):
    timeout = 30

    def setUp(self) -> None:
        self.listeners: list[Listener] = []

    async def tearDown(self) -> None:
        for listener in self.listeners:
            await listener.close(abort=True)
        for _ in range(5):
            await asyncio.sleep(0)

    def serving(self, quirks: Quirks | None = None) -> PocketSmsc:
        """A centre that lets ACCOUNT in; its port is self.port."""
        centre = PocketSmsc(CLOCK, Random(1), quirks=quirks or Quirks(accounts=ACCOUNT))
        self.listeners.append(listen(Address("127.0.0.1", 0), centre.accept, CLOCK))
        return centre

    @property
    def port(self) -> int:
        return self.listeners[-1].port
