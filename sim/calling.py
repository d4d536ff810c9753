"""A pocket SMSC that opens the connection itself, for MO: UCP's second connection, SMPP's outbind.

Callee         who is called: a client like any other from when it is bound
keep_calling   calls, and again when it is over

MO go over such a connection alone then; receipts go to whom they went before.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from plumbing.conversation import Address, Connect, Conversation, Monotonic
from sim.esme import Centre, Esme
from sim.quirks import Quirks
from sim.tongue import Session
from wire.session import Closed, Event, Operation

AGAIN_S = 0.5
"""How long after a call is over, or was not taken, the next is made."""


class Callee(Esme):
    """A client whom the centre called: it is told first who calls, where the protocol has a word for that."""

    def __init__(self, centre: Centre, wire: Session, peer: str, quirks: Quirks, word: Operation | None) -> None:
        super().__init__(centre, wire, peer, quirks)
        self.receives = True
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._word = word

    def opened(self, conversation: Conversation) -> None:
        """Connected."""
        super().opened(conversation)
        if self._word is not None:
            conversation.send(self._word)

    def heard(self, events: list[Event]) -> None:
        """What came, in order."""
        super().heard(events)
        if events and type(events[-1]) is Closed and not self.ended.done():
            self.ended.set_result(events[-1].reason)


class Calling(Protocol):
    """A centre that calls."""

    def call(self, peer: str) -> tuple[Session, Callee]:
        """For one call."""
        ...


async def keep_calling(
    centre: Calling, address: Address, connect: Connect, clock: Monotonic, tell: Callable[[str], None]
) -> None:
    """Until cancelled."""
    told = ""
    while True:
        wire, callee = centre.call(str(address))
        try:
            await connect(address, wire, callee, clock)
            reason = f"the call to {address} is over: {await callee.ended}"
        except ConnectionError as error:
            reason = f"no call: {error}"
        if reason != told:
            tell(reason)
        told = reason
        await asyncio.sleep(AGAIN_S)
