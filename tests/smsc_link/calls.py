"""A link whose centre calls it, and a pocket SMSC that does: for tests, in memory and virtual time.

a_called_link   one
Called          the link, the network, the centre
"""

import asyncio
from random import Random
from typing import Any

import pytest

from core.catalogue import Link
from plumbing.conversation import Address, Answering, Monotonic
from plumbing.pipe import Network, Port
from sim.calling import Callee
from sim.centre import PocketSmsc
from sim.quirks import Quirks
from smsc_link.called import CalledLink
from smsc_link.keeping import Surroundings
from smsc_link.protocols import PROTOCOLS
from tests.smsc_link.ends import FakeIntake, a_link, an_operator
from tests.smsc_link.virtual import VirtualClock

CENTRE = "203.0.113.7:4711"
ACCOUNT = {"tollbridge": "secret"}
WAITING = "waiting for the centre to call 0.0.0.0:5002"

both = pytest.mark.parametrize("protocol", ["ucp", "smpp"])


def a_called_link(protocol: str, **values: Any) -> Link:
    given: dict[str, Any] = {"protocol": protocol, "bind": "receiver", "host": "0.0.0.0", "port": 5002}
    options = {"called": True, "callers": ["203.0.113.7", "198.51.100.0/24"], **values.pop("options", {})}
    return a_link(**{**given, **values, "options": options})


class Called:
    """A link that is called, and a centre that calls it. To be made inside a coroutine."""

    def __init__(self, link: Link, *, accounts: dict[str, str] | None = ACCOUNT, **quirks: Any) -> None:
        self.clock = VirtualClock()
        self.network = Network()
        self.intake = FakeIntake()
        self.refusals = 0
        self.refusal: Exception = OSError(f"{link.host}:{link.port}: cannot listen: [Errno 98] Address already in use")
        self.centre = PocketSmsc(
            self.clock, Random(1), quirks=Quirks(accounts=accounts, **quirks), protocol=link.protocol
        )
        adapter = PROTOCOLS[link.protocol].adapter(link, an_operator())
        around = Surroundings(self.intake, self.network.connect, self.clock, Random(2), listen=self._listen)
        kept = PROTOCOLS[link.protocol].keep(link, adapter, around)
        assert isinstance(kept, CalledLink)
        self.link = kept
        self.address = Address(link.host, link.port)

    def _listen(self, address: Address, answering: Answering, clock: Monotonic) -> Port:
        """As the network, but that somebody else may have the port."""
        self.answering = answering
        if self.refusals:
            self.refusals -= 1
            raise self.refusal
        return self.network.listen(address, answering, clock)

    async def call(self, source: str = CENTRE) -> Callee:
        """The centre calls."""
        wire, callee = self.centre.call(source)
        await self.network.connect(self.address, wire, callee, self.clock, source=source)
        return callee

    async def bound(self) -> Callee:
        """The link is up, and a call with it."""
        self.link.start()
        await asyncio.sleep(0.01)
        callee = await self.call()
        await self.centre.until(lambda: callee.is_bound)
        await asyncio.sleep(0.01)
        return callee
