"""The one Twisted protocol: feeds any wire session with what a socket reads, and writes what it says.

Pump         a Talk over a socket, TLS or not; AcceptedPump, of one who connected to us
connect      to an address; the Pump once it is connected, its owner opened
listen       at an address; a Pump for whoever connects; Listener tells the port and closes
Accepting    what listen() gives to Twisted; a door that counts who comes makes its own

A peer that does not read what we write is not read either, so what waits in memory stays bounded by what is in
flight; its session's own time-outs then end it.

Rule: Twisted ends here. Whoever is above holds a Conversation, and failures to connect are ConnectionErrors.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from OpenSSL import SSL
from structlog import get_logger
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.error import CannotListenError, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IHandshakeListener, IPushProducer
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.ssl import VerificationError
from twisted.protocols.tls import TLSMemoryBIOFactory
from zope.interface import implementer

from plumbing.conversation import Address, Answering, Monotonic, Owner, Talk
from plumbing.tls import ClientOptions, client_options, server_options
from wire.session import Session

log = get_logger()

CLOSE_S = 5.0
"""How long what was written may take to leave when a connection closes."""
HANDSHAKE_S = 10.0
"""How long a TLS handshake may take, whoever began it."""
_UNVERIFIED = "certificate verify failed"
"""In the words of OpenSSL, which people look for."""


@implementer(IPushProducer, IHandshakeListener)
class Pump(Talk, Protocol):
    """A conversation over a socket. With `tls` it begins when the handshake is done."""

    def __init__(self, session: Session, owner: Owner, clock: Monotonic, *, peer: str, tls: bool = False) -> None:
        super().__init__(session, owner, clock, peer=peer)
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.client: ClientOptions | None = None
        """With TLS, where it is we who connect: it can tell what is wrong with the server's certificate."""
        self._tls = tls
        self._begun = False
        self._lost = False
        self._is_late = False
        self._last_call: asyncio.TimerHandle | None = None

    # --- What Twisted calls -------------------------------------------------------------------------

    def connectionMade(self) -> None:
        """The socket is up."""
        self.transport.setTcpNoDelay(True)
        self.transport.setTcpKeepAlive(True)
        if self._tls:
            self._call_in(HANDSHAKE_S, self._too_late)
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
        self._cancel_call()
        error = reason.value
        if not self._begun:
            self._never_up(self._why_no_tls(error))
        elif isinstance(error, SSL.Error):
            # A peer of TLS 1.3 refuses our certificate after the handshake, with an alert that says why.
            self._ended(_reason(error))
        else:
            self._received(b"")

    def pauseProducing(self) -> None:
        """Our writes pile up: the peer does not read, so neither do we."""
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """What was piled up has left."""
        self.transport.resumeProducing()

    def stopProducing(self) -> None:
        """The connection ends; connectionLost tells."""

    # --- What Talk asks for -------------------------------------------------------------------------

    @property
    def ends(self) -> tuple[tuple[str, int], tuple[str, int]]:
        """Of the socket."""
        ours, theirs = self.transport.getHost(), self.transport.getPeer()
        return (ours.host, ours.port), (theirs.host, theirs.port)

    def _begin(self) -> None:
        self._begun = True
        self._cancel_call()
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
            self._call_in(CLOSE_S, self._abort)

    def _abort(self) -> None:
        if not self._lost:
            self.transport.abortConnection()

    def _too_late(self) -> None:
        self._is_late = True
        self._abort()

    def _why_no_tls(self, error: BaseException) -> str:
        if self._is_late:
            return f"TLS: no handshake within {HANDSHAKE_S:g} s"
        reason = _reason(error)
        if not isinstance(error, SSL.Error | VerificationError):
            return f"TLS: no handshake: {reason}"
        if self.client is not None and reason.endswith(_UNVERIFIED):
            complaint = self.client.complaint(name_is_wrong=isinstance(error, VerificationError))
            return f"{reason}: {complaint}" if complaint else reason
        return reason

    def _never_up(self, reason: str) -> None:
        """The connection ended before it began: told to who awaits `ready`."""
        if not self.ready.done():
            self.ready.set_exception(ConnectionError(f"{self.peer}: {reason}"))
            self.ready.exception()  # read here, so that nobody has to

    def _call_in(self, delay_s: float, call: Callable[[], None]) -> None:
        self._cancel_call()
        self._last_call = asyncio.get_running_loop().call_later(delay_s, call)

    def _cancel_call(self) -> None:
        if self._last_call is not None:
            self._last_call.cancel()
            self._last_call = None


class AcceptedPump(Pump):
    """Of one who connected to us. Nobody awaits that it is ready, so its owner hears the end also when TLS never came
    up: a handshake that failed, a client that speaks no TLS, a certificate that is not accepted.
    """

    def _never_up(self, reason: str) -> None:
        self._ended(reason)


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
        pump.client = client_options(address)
        factory = TLSMemoryBIOFactory(pump.client, True, factory)
    endpoint = HostnameEndpoint(reactor, address.host, address.port, timeout=timeout_s)
    connected = False
    try:
        async with asyncio.timeout(timeout_s):
            await endpoint.connect(factory).asFuture(asyncio.get_running_loop())
            await pump.ready
            connected = True
    except TimeoutError as error:
        missing = "connection" if pump.transport is None else "TLS handshake"
        raise ConnectionError(f"{address}: no {missing} within {timeout_s:g} s") from error
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

    def accept(host: str, port: int) -> Pump | None:
        peer = str(Address(host, port))
        found = answering(peer)
        if found is None:
            return None
        session, owner = found
        return _Counted(session, owner, clock, peer=peer, tls=address.tls is not None, among=pumps)

    factory = Accepting(accept, server_options(address.tls) if address.tls is not None else None)
    try:
        port = reactor.listenTCP(address.port, factory, interface=address.host)
    except CannotListenError as error:
        raise OSError(f"{address}: cannot listen: {error.socketError}") from error
    return Listener(port, pumps)


class Accepting(Factory):
    """Asks `accept(host, port)` for a Pump for whoever connects, and puts TLS below it. None, or an exception: he is
    turned away before TLS costs anything, and the next is not.
    """

    noisy = False

    def __init__(self, accept: Callable[[str, int], Pump | None], tls: Any) -> None:
        self._accept = accept
        self._tls = TLSMemoryBIOFactory(tls, False, Factory()) if tls is not None else None

    def buildProtocol(self, addr: Any) -> Any:
        try:
            pump = self._accept(addr.host, addr.port)
        except Exception:
            # The edge of a door: a mistake of ours with one peer.
            log.exception("connection not taken", peer=str(Address(addr.host, addr.port)))
            return None
        # Not by TLSMemoryBIOFactory.buildProtocol: that would wrap a None, whose socket nobody would close.
        return pump if pump is None or self._tls is None else self._tls.protocol(self._tls, pump)


class _Counted(AcceptedPump):
    """One that its Listener knows while it is up."""

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
    """What Twisted and OpenSSL say, in words for a log."""
    if isinstance(error, VerificationError):
        return f"TLS: {_UNVERIFIED}"
    if isinstance(error, SSL.Error) and error.args:
        # A list of (library, function, reason).
        return "TLS: " + "; ".join(str(row[-1]) for row in error.args[0])
    if isinstance(error, ConnectionDone):
        return "the peer closed the connection"
    if isinstance(error, ConnectionLost):
        return "the connection broke off"
    return str(error).strip().rstrip(".") or type(error).__name__
