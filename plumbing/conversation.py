"""A conversation: a wire session, its owner, and the way for its bytes. No Twisted here.

Conversation   what an owner holds: send, answer, flush, close
Owner          what a conversation calls: opened, then heard with lists of events until one is Closed
Connect        how one begins; Answering, who answers one that a peer began; Listen, how peers come to him
Talk           both joined with a session, without the bytes' way; Pump (a socket) and Pipe (memory) are ones
Tap            who listens in on its bytes, for a trace
Address, Tls   where a peer is and how it is trusted

All that is said in one turn of the event loop leaves in one write. The next tick has one timer, which is let run
out and set anew rather than moved at every message: a tick too early does no harm.

Rule: an owner hears Closed when all that was said has left, or cannot any more: `writes` tells which.

Rule: the last event is Closed, exactly once; after it `send` and `answer` raise LocalError. Whoever was made for a
peer that connected hears it even if the conversation never began; one who connects gets a ConnectionError then.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from structlog import get_logger

from wire.session import Closed, Event, Operation, Session

log = get_logger()


class Monotonic(Protocol):
    """The part of a clock that a conversation needs."""

    def monotonic_ms(self) -> int: ...


class Tap(Protocol):
    """Who listens in: all bytes of both directions, before they are read and when they are written."""

    def said(self, octets: bytes, /) -> None: ...
    def heard(self, octets: bytes, /) -> None: ...
    def ended(self) -> None: ...


class Conversation(Protocol):
    """A session with a peer, as its owner sees it."""

    tap: Tap | None
    """Settable at any time; None: nobody listens in, which costs nothing."""

    @property
    def session(self) -> Session: ...

    @property
    def peer(self) -> str:
        """Where the other side is, for logs."""
        ...

    @property
    def ends(self) -> tuple[tuple[str, int], tuple[str, int]]:
        """Our own address and port, and the peer's; ("", 0) where there is none."""
        ...

    @property
    def writes(self) -> int:
        """How many writes went out. What was said since the last change of it has surely not left; nor will it, once
        Closed is heard.
        """
        ...

    def send(self, operation: Operation) -> int:
        """Say a request; its sequence number. It leaves at the end of this turn of the loop."""
        ...

    def answer(self, request: Event, operation: Operation) -> None:
        """Answer a request that came as an event."""
        ...

    def flush(self) -> None:
        """Write now what has been said."""
        ...

    def close(self) -> None:
        """End the connection at once, without a word. Closed is heard soon after, not inside this call."""
        ...


class Owner(Protocol):
    """Who leads a conversation."""

    def opened(self, conversation: Conversation) -> None:
        """The connection is up; nothing has been said yet. Not called where TLS never came up."""
        ...

    def heard(self, events: list[Event]) -> None:
        """What came, in order."""
        ...


@dataclass(frozen=True, slots=True)
class Tls:
    """How a TLS connection is trusted; at least TLS 1.2. Names of files in PEM.

    A client verifies the server's certificate against `authority` (the platform's when "") and against `name` (the
    host when ""), unless `verify` is False; it shows its own `certificate` if there is one. A server always has a
    certificate, and asks its clients for one when `authority` is given.
    """

    verify: bool = True
    authority: str = ""
    certificate: str = ""
    key: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to connect to or to listen at. `host` is a name or an IPv4 or IPv6 address, without brackets."""

    host: str
    port: int
    tls: Tls | None = None

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def read_address(text: str, *, tls: Tls | None = None) -> Address:
    """`127.0.0.1:2775`, `[::1]:2775`, `smsc.example:2775`; a ValueError that says what is wrong."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"{text!r} is no address; write HOST:PORT, or [HOST]:PORT for IPv6")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError(f"{text!r}: an IPv6 address needs brackets: [{host}]:{port}")
    return Address(host or "127.0.0.1", int(port), tls)


class Connect(Protocol):
    """How a conversation begins: plumbing.pump.connect, or that of a plumbing.pipe.Network."""

    async def __call__(
        self, address: Address, session: Session, owner: Owner, clock: Monotonic, *, timeout_s: float = ...
    ) -> Conversation:
        """The owner is opened before this returns. Raises a ConnectionError that says where and why."""
        ...


Answering: TypeAlias = Callable[[str], tuple[Session, Owner] | None]
"""From where a peer comes to the session and the owner of its conversation. None: it is turned away."""


class Listening(Protocol):
    """An open port."""

    async def close(self, *, abort: bool = False) -> None:
        """Take no more connections; with `abort`, end those that are up."""
        ...


class Listen(Protocol):
    """How peers come to us: plumbing.pump.listen, or that of a plumbing.pipe.Network."""

    def __call__(self, address: Address, answering: Answering, clock: Monotonic, /) -> Listening:
        """Raises an OSError or a ValueError that says where and why."""
        ...


class Talk:
    """A conversation but for the way of its bytes: subclasses have _write, _finish and _abort."""

    def __init__(self, session: Session, owner: Owner, clock: Monotonic, *, peer: str = "") -> None:
        self.session = session
        self.peer = peer
        self.writes = 0
        self.tap: Tap | None = None
        self._owner = owner
        self._clock = clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._flush_due = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_ms = 0
        self._over = False
        self._is_gone = False
        self._mistake = ""

    # --- The owner's side -----------------------------------------------------------------------

    def send(self, operation: Operation) -> int:
        """Say a request; its sequence number."""
        number = self.session.send(operation, self._clock.monotonic_ms())
        if not self._flush_due:
            self._flush_soon()
        return number

    def answer(self, request: Event, operation: Operation) -> None:
        """Answer a request of the peer."""
        self.session.answer(request, operation)
        if not self._flush_due:
            self._flush_soon()

    def flush(self) -> None:
        """Write what has been said, and see when to tick."""
        self._flush_due = False
        octets = self.session.output()
        if octets and not self._is_gone:
            self.writes += 1
            if self.tap is not None:
                self.tap.said(octets)
            self._write(octets)
        if not self._over and self._loop is not None:
            self._arm()

    def close(self) -> None:
        """End the connection without a word."""
        self._abort()

    # --- The bytes' side ------------------------------------------------------------------------

    def _opened(self) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            self._owner.opened(self)
        except Exception as error:
            self._fail(error)
        self.flush()

    def _received(self, octets: bytes) -> None:
        """Bytes of the peer; b"": the connection is lost."""
        if not octets:
            self._is_gone = True
        if self.tap is not None:
            self.tap.heard(octets)
        self._take(self.session.receive, octets, self._clock.monotonic_ms())

    def _ended(self, reason: str) -> None:
        """The connection is lost, or never was; more is known of it than that the peer closed."""
        self._is_gone = True
        self._take(self._last_events, reason)

    def _last_events(self, reason: str) -> list[Event]:
        return _because(reason, self.session.receive(b"", self._clock.monotonic_ms()))

    def _take(self, read: Callable[..., list[Event]], *args: Any) -> None:
        """Let the session read, and its owner hear what came of it."""
        if self._over:
            return
        # What is said while the events are read leaves with the flush below.
        self._flush_due = True
        try:
            events = read(*args)
            if self._mistake:
                events = _because(self._mistake, events)
            if events:
                self._over = type(events[-1]) is Closed
                if self._over:
                    # A request that was said in this turn leaves with the goodbye: it must not be taken for one that
                    # stayed here, and be sent to another peer.
                    self.flush()
                self._owner.heard(events)
        except Exception as error:
            self._fail(error)
        self.flush()
        if self._over:
            self._disarm()
            if self.tap is not None:
                self.tap.ended()
            self._finish()

    def _fail(self, error: Exception) -> None:
        """The edge of a door: a bug of ours must not leave a connection that nobody leads."""
        log.exception("conversation failed", peer=self.peer)
        # Or the owner hears that the peer closed it, and a person looks for the mistake there.
        self._mistake = f"a mistake of ours ended it ({type(error).__name__}); see the log"
        self._abort()

    def _flush_soon(self) -> None:
        self._flush_due = True
        assert self._loop is not None, "send() and answer() come after opened()"
        self._loop.call_soon(self.flush)

    # --- The next tick --------------------------------------------------------------------------

    def _arm(self) -> None:
        deadline_ms = self.session.deadline_ms()
        if deadline_ms is None or (self._timer is not None and self._timer_ms <= deadline_ms):
            return
        self._disarm()
        assert self._loop is not None
        self._timer_ms = deadline_ms
        delay_ms = max(0, deadline_ms - self._clock.monotonic_ms())
        self._timer = self._loop.call_later(delay_ms / 1000, self._tick)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        self._timer = None
        self._take(self.session.tick, self._clock.monotonic_ms())

    # --- What a subclass has --------------------------------------------------------------------

    @property
    def ends(self) -> tuple[tuple[str, int], tuple[str, int]]:
        """Our own address and port, and the peer's."""
        return ("", 0), ("", 0)

    def _write(self, octets: bytes) -> None:
        raise NotImplementedError

    def _finish(self) -> None:
        """Close when what was written has left; once."""
        raise NotImplementedError

    def _abort(self) -> None:
        """Close at once; _received(b"") follows later."""
        raise NotImplementedError


def _because(reason: str, events: list[Event]) -> list[Event]:
    """The events with a Closed that says more."""
    return [Closed(reason, event.clean) if isinstance(event, Closed) else event for event in events]
