"""A network in memory: conversations without sockets, for tests and the simulation.

Network   listen and connect as plumbing.pump has them; remembers the pipes that are up; Port, one that is open
Pipe      one end of a connection: what it writes arrives at the other end, in order, after a while
Wire      how long a write takes, and into which pieces it is cut

sever() is a cable that is cut: both ends notice, what was under way is lost. freeze() is one that is pulled out:
nobody notices anything.

Rule: no socket, no thread, no time but the loop's: a run with the same seed is the same run.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from plumbing.conversation import Address, Answering, Monotonic, Owner, Talk
from wire.session import Session


@dataclass(frozen=True, slots=True)
class Wire:
    """The manners of a connection."""

    delay_s: Callable[[], float] = lambda: 0.0
    cut: Callable[[bytes], Iterable[bytes]] = lambda octets: (octets,)


class Pipe(Talk):
    """One end of a connection in memory."""

    def __init__(self, session: Session, owner: Owner, clock: Monotonic, wire: Wire, *, peer: str) -> None:
        super().__init__(session, owner, clock, peer=peer)
        self.other: Pipe | None = None
        self.is_up = False
        self.frozen = False
        self._wire = wire
        self._coming: deque[bytes] = deque()
        self._last_s = 0.0

    def begin(self, other: "Pipe") -> None:
        """Both ends are there."""
        self.other = other
        self.is_up = True

    def open(self) -> None:
        """Tell the owner."""
        self._opened()

    def sever(self) -> None:
        """Cut the cable: both ends lose the connection now, and what was under way."""
        for end in (self, self.other):
            if end is not None and end.is_up:
                end.is_up = False
                end._coming.clear()
                asyncio.get_running_loop().call_soon(end._received, b"")

    def freeze(self) -> None:
        """From now on nothing arrives at either end, and neither is told."""
        for end in (self, self.other):
            if end is not None:
                end.frozen = True
                end._coming.clear()

    # --- What Talk asks for -------------------------------------------------------------------------

    def _write(self, octets: bytes) -> None:
        if self.is_up:
            self._send(list(self._wire.cut(octets)))

    def _finish(self) -> None:
        if self.is_up:
            self.is_up = False
            self._send([b""])

    def _abort(self) -> None:
        if self.is_up:
            self.is_up = False
            self._send([b""])
            asyncio.get_running_loop().call_soon(self._received, b"")

    def _send(self, pieces: list[bytes]) -> None:
        if self.other is None or self.frozen:
            return
        loop = asyncio.get_running_loop()
        for piece in pieces:
            # Timers of one moment run in any order, so each takes what is first and not what it was set for.
            self._last_s = max(self._last_s, loop.time() + self._wire.delay_s())
            self.other._coming.append(piece)
            loop.call_at(self._last_s, self.other._arrive)

    def _arrive(self) -> None:
        if not self._coming:
            return
        piece = self._coming.popleft()
        if self.is_up:
            if not piece:
                self.is_up = False
            self._received(piece)


class Network:
    """Who listens where, and the connections that are up."""

    def __init__(self, wire: Wire | None = None) -> None:
        self.wire = wire or Wire()
        self._listening: dict[tuple[str, int], tuple[Answering, Monotonic]] = {}
        self._pipes: list[Pipe] = []
        self._connected = 0

    def listen(self, address: Address, answering: Answering, clock: Monotonic) -> "Port":
        """Answer whoever connects to this address."""
        self._listening[address.host, address.port] = answering, clock
        return Port(self, address)

    def hang_up(self, address: Address) -> None:
        """Answer there no more; connections that are up stay so."""
        self._listening.pop((address.host, address.port), None)

    @property
    def pipes(self) -> list[Pipe]:
        """The ends that connected, of connections that are up, oldest first."""
        self._pipes = [pipe for pipe in self._pipes if pipe.is_up]
        return list(self._pipes)

    async def connect(
        self,
        address: Address,
        session: Session,
        owner: Owner,
        clock: Monotonic,
        *,
        timeout_s: float = 10.0,
        source: str = "",
    ) -> Pipe:
        """Connect, from `source` if that matters; the owner is opened. Raises a ConnectionError when nobody listens."""
        await asyncio.sleep(self.wire.delay_s())
        found = self._listening.get((address.host, address.port))
        if found is None:
            raise ConnectionError(f"{address}: connection refused")
        answering, their_clock = found
        self._connected += 1
        source = source or f"pipe-{self._connected}"
        near = Pipe(session, owner, clock, self.wire, peer=str(address))
        answer = answering(source)
        if answer is None:
            # A socket is connected before whoever listens is asked, and is closed then.
            near.is_up = True
            near.open()
            near.sever()
            return near
        far = Pipe(*answer, their_clock, self.wire, peer=source)
        near.begin(far)
        far.begin(near)
        self._pipes.append(near)
        far.open()
        near.open()
        return near


class Port:
    """Where somebody listens."""

    def __init__(self, network: Network, address: Address) -> None:
        self._network = network
        self._address = address

    async def close(self, *, abort: bool = False) -> None:
        """Answer nobody more; with `abort`, end the connections that are up."""
        self._network.hang_up(self._address)
        if abort:
            for pipe in self._network.pipes:
                if pipe.peer == str(self._address) and pipe.other is not None:
                    pipe.other.close()
