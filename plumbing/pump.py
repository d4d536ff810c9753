"""The one Twisted protocol: feeds any wire session with what a socket reads, and writes what it says.

Pump       a Talk over a socket, TLS or not
connect    to an address; the Pump once it is connected, its owner opened
listen     at an address; a Pump for whoever connects; Listener tells the port and closes

A peer that does not read what we write is not read either, so what waits in memory stays bounded by what is in
flight; its session's own time-outs then end it.

Rule: Twisted ends here. Whoever is above holds a Conversation, and failures to connect are ConnectionErrors.
"""

import asyncio
from typing import Any

from OpenSSL import SSL
from structlog import get_logger
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.error import CannotListenError, ConnectionDone
from twisted.internet.interfaces import IHandshakeListener, IPushProducer
from twisted.internet.protocol import Factory, Protocol
from twisted.protocols.tls import TLSMemoryBIOFactory
from zope.interface import implementer

from plumbing.conversation import Address, Answering, Monotonic, Owner, Talk
from plumbing.tls import client_options, server_options
from wire.session import Session

log = get_logger()

CLOSE_S = 5.0
"""How long what was written may take to leave when a connection closes."""
HANDSHAKE_S = 10.0
"""How long a client of ours may take for its TLS handshake."""


@implementer(IPushProducer, IHandshakeListener)
class Pump(Talk, Protocol):
    """A conversation over a socket. With `tls` it begins when the handshake is done."""

    def __init__(self, session: Session, owner: Owner, clock: Monotonic, *, peer: str, tls: bool = False) -> None:
        super().__init__(session, owner, clock, peer=peer)
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tls = tls
        self._begun = False
        self._lost = False
        self._last_call: asyncio.TimerHandle | None = None

    # --- What Twisted calls -------------------------------------------------------------------------

    def connectionMade(self) -> None:
        """The socket is up."""
        self.transport.setTcpNoDelay(True)
        self.transport.setTcpKeepAlive(True)
        if self._tls:
            self._abort_in(HANDSHAKE_S)
        else:
            self._begin()

    def handshakeCompleted(self) -> None:
        """TLS is up, and the certificates are good."""
        self._begin()

    def dataReceived(self, data: bytes) -> None:
        """The socket has read something."""
        self._received(data)

    def connectionLost(self, reason: Any = None) -> None:
        """The socket is gone."""
        self._lost = True
        self._abort_in(None)
        if self._begun:
            self._received(b"")
        elif not self.ready.done():
            self.ready.set_exception(ConnectionError(f"{self.peer}: {_reason(reason.value)}"))
            self.ready.exception()  # read here, so that nobody has to

    def pauseProducing(self) -> None:
        """Our writes pile up: the peer does not read, so neither do we."""
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """What was piled up has left."""
        self.transport.resumeProducing()

    def stopProducing(self) -> None:
        """The connection ends; connectionLost tells."""

    # --- What Talk asks for -------------------------------------------------------------------------

    def _begin(self) -> None:
        self._begun = True
        self._abort_in(None)
        self.transport.registerProducer(self, True)
        self._opened()
        if not self.ready.done():
            self.ready.set_result(None)

    def _write(self, octets: bytes) -> None:
        self.transport.write(octets)

    def _finish(self) -> None:
        if not self._lost:
            self.transport.unregisterProducer()
            self.transport.loseConnection()
            self._abort_in(CLOSE_S)

    def _abort(self) -> None:
        if not self._lost:
            self.transport.abortConnection()

    def _abort_in(self, delay_s: float | None) -> None:
        if self._last_call is not None:
            self._last_call.cancel()
            self._last_call = None
        if delay_s is not None:
            self._last_call = asyncio.get_running_loop().call_later(delay_s, self._abort)


class Listener:
    """An open port."""

    def __init__(self, port: Any, pumps: set[Pump]) -> None:
        self._port = port
        self._pumps = pumps

    @property
    def port(self) -> int:
        """The number of the port: the one that was found when 0 was asked for."""
        number: int = self._port.getHost().port
        return number

    async def close(self, *, abort: bool = False) -> None:
        """Take no more connections; with `abort`, end those that are up."""
        if abort:
            for pump in list(self._pumps):
                pump.close()
        stopped = self._port.stopListening()
        if isinstance(stopped, Deferred):
            await stopped.asFuture(asyncio.get_running_loop())


async def connect(
    address: Address, session: Session, owner: Owner, clock: Monotonic, *, timeout_s: float = 10.0
) -> Pump:
    """Connect; the owner is opened. Raises a ConnectionError that says where and why."""
    from twisted.internet import reactor

    pump = Pump(session, owner, clock, peer=str(address), tls=address.tls is not None)
    factory = Factory.forProtocol(lambda: pump)
    factory.noisy = False
    if address.tls is not None:
        factory = TLSMemoryBIOFactory(client_options(address), True, factory)
    endpoint = HostnameEndpoint(reactor, address.host, address.port, timeout=timeout_s)
    connected = False
    try:
        async with asyncio.timeout(timeout_s):
            await endpoint.connect(factory).asFuture(asyncio.get_running_loop())
            await pump.ready
            connected = True
    except TimeoutError as error:
        raise ConnectionError(f"{address}: no connection within {timeout_s:g} s") from error
    except ConnectionError:
        raise
    except Exception as error:
        # Twisted's failures to connect share no class: refused, no route, no such name, time-out.
        raise ConnectionError(f"{address}: {_reason(error)}") from error
    finally:
        if not connected and pump.transport is not None:
            pump.close()
    return pump


def listen(address: Address, answering: Answering, clock: Monotonic) -> Listener:
    """Take connections; raises an OSError that says where and why."""
    from twisted.internet import reactor

    pumps: set[Pump] = set()
    factory: Any = _Accepting(answering, clock, pumps, tls=address.tls is not None)
    if address.tls is not None:
        factory = TLSMemoryBIOFactory(server_options(address.tls), False, factory)
        factory.noisy = False
    try:
        port = reactor.listenTCP(address.port, factory, interface=address.host)
    except CannotListenError as error:
        raise OSError(f"{address}: cannot listen: {error.socketError}") from error
    return Listener(port, pumps)


class _Accepting(Factory):
    """Makes a Pump for whoever connects."""

    noisy = False

    def __init__(self, answering: Answering, clock: Monotonic, pumps: set[Pump], *, tls: bool) -> None:
        self._answering = answering
        self._clock = clock
        self._pumps = pumps
        self._tls = tls

    def buildProtocol(self, addr: Any) -> Pump | None:
        peer = str(Address(addr.host, addr.port))
        try:
            session, owner = self._answering(peer)
        except Exception:
            # The edge of a door: one that cannot be answered is turned away; the next is not.
            log.exception("connection not taken", peer=peer)
            return None
        return _Accepted(session, owner, self._clock, peer=peer, tls=self._tls, among=self._pumps)


class _Accepted(Pump):
    """A Pump that its Listener knows while it is up."""

    def __init__(
        self, session: Session, owner: Owner, clock: Monotonic, *, peer: str, tls: bool, among: set[Pump]
    ) -> None:
        super().__init__(session, owner, clock, peer=peer, tls=tls)
        self._among = among

    def connectionMade(self) -> None:
        self._among.add(self)
        super().connectionMade()

    def connectionLost(self, reason: Any = None) -> None:
        self._among.discard(self)
        super().connectionLost(reason)


def _reason(error: BaseException) -> str:
    if isinstance(error, ConnectionDone):
        return "the peer closed the connection"
    if isinstance(error, SSL.Error) and error.args:
        # A list of (library, function, reason).
        return "TLS: " + "; ".join(str(row[-1]) for row in error.args[0])
    return str(error).strip().rstrip(".") or type(error).__name__
