"""A network between processes: the code at each end of a connection runs as the process that the end belongs to.

LivingNetwork   plumbing.pipe.Network whose connections know it; `of(life)` are those of one process
End             one end

Rule: a process that is killed takes nothing of the other side with it, and one that is frozen lets what comes wait.
"""

import asyncio
from contextvars import Context, copy_context

from plumbing.conversation import Address, Monotonic, Owner
from plumbing.pipe import Network, Pipe, Wire
from tests.simulation.loop import Life
from wire.session import Session


class End(Pipe):
    """One end of a connection."""

    context: Context
    life: Life | None = None

    def sever(self) -> None:
        """Cut the cable: each end notices by itself."""
        for end in (self, self.other):
            if isinstance(end, End) and end.is_up:
                end.is_up = False
                end._coming.clear()
                asyncio.get_running_loop().call_soon(end._received, b"", context=end.context.copy())

    def _send(self, pieces: list[bytes]) -> None:
        if isinstance(self.other, End):
            self.other.context.copy().run(super()._send, pieces)


class LivingNetwork(Network):
    """Made outside of every process: who listens is none of them."""

    def __init__(self, wire: Wire | None = None) -> None:
        super().__init__(wire)
        self._outside = copy_context()

    def of(self, life: Life) -> list[End]:
        """The connections of one process."""
        return [pipe for pipe in self.pipes if isinstance(pipe, End) and pipe.life is life]

    def connect_of(self, life: Life) -> "Connecting":
        """What a process connects with."""
        return Connecting(self, life)

    async def join(self, life: Life, address: Address, session: Session, owner: Owner, clock: Monotonic) -> End:
        """Connect; the owner is opened. Raises a ConnectionError when nobody listens."""
        await asyncio.sleep(self.wire.delay_s())
        found = self._listening.get((address.host, address.port))
        if found is None:
            raise ConnectionError(f"{address}: connection refused")
        answering, their_clock = found
        self._connected += 1
        peer = f"pipe-{self._connected}"
        answer = self._outside.copy().run(answering, peer)
        assert answer is not None, "who listens here lets everybody in"
        their_session, their_owner = answer
        near = End(session, owner, clock, self.wire, peer=str(address))
        far = End(their_session, their_owner, their_clock, self.wire, peer=peer)
        near.context, near.life, far.context = life.context(), life, self._outside
        near.begin(far)
        far.begin(near)
        self._pipes.append(near)
        far.context.copy().run(far.open)
        near.open()
        return near


class Connecting:
    """plumbing.conversation.Connect of one process."""

    def __init__(self, network: LivingNetwork, life: Life) -> None:
        self._network = network
        self._life = life

    async def __call__(
        self, address: Address, session: Session, owner: Owner, clock: Monotonic, *, timeout_s: float = 10.0
    ) -> End:
        return await self._network.join(self._life, address, session, owner, clock)
