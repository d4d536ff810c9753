"""Connections to partners, kept alive: one request at a time on each, to addresses that were checked.

Place         where to: with TLS or without, host, port
Connections   exchange(place, octets, partner) → Response, within a time that is the same for all

Rule: an answer that was not read to its end, or that had anything behind it, ends its connection; a request is never
sent a second time.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, TypeAlias, cast

from core.errors import PeerRefused
from partner_api.dispatch.responses import BadResponse, Response

KEEP_ALIVE_S = 4.0
"""Below the 5 s after which Node.js and Apache close an idle connection: a callback seldom meets a closed one."""
CONNECT_S = 3.0
"""How long one of several addresses is tried before the next."""

AddressesOf: TypeAlias = Callable[[str, str], Awaitable[Sequence[str]]]
"""A host, and for which partner it is asked."""


class Place(NamedTuple):
    """Where a request goes."""

    tls: bool
    host: str
    port: int


class Connections:
    """All of them, the idle ones by place. Used on one loop."""

    def __init__(self, addresses_of: AddressesOf, wait_s: float) -> None:
        self._addresses_of = addresses_of
        self._wait_s = wait_s
        self._idle: dict[Place, deque[_Connection]] = {}
        self._waits = _Waits(wait_s)
        self._tls: ssl.SSLContext | None = None
        self._sweep: asyncio.TimerHandle | None = None

    async def exchange(self, place: Place, octets: bytes, partner: str) -> Response:
        """One request and its whole answer, within `wait_s`. Raises TimeoutError, PeerRefused, OSError."""
        loop = asyncio.get_running_loop()
        connection = self._take(place, loop.time())
        if connection is None:
            async with asyncio.timeout(self._wait_s):
                return await self._ask(await self._open(place, partner, loop), place, octets, loop)
        self._waits.add(connection, loop)
        try:
            return await self._ask(connection, place, octets, loop)
        finally:
            self._waits.remove(connection)

    async def _ask(
        self, connection: "_Connection", place: Place, octets: bytes, loop: asyncio.AbstractEventLoop
    ) -> Response:
        try:
            answer = await connection.ask(octets, loop)
        except BaseException:
            # A caller that was cancelled, too: what may still come is nobody's answer.
            connection.abort()
            raise
        if answer.reusable and not connection.is_closed:
            self._keep(place, connection, loop)
        else:
            connection.abort()
        return answer

    def close(self) -> None:
        """Close those that are idle."""
        if self._sweep is not None:
            self._sweep.cancel()
        self._waits.close()
        for idle in self._idle.values():
            for connection in idle:
                connection.abort()
        self._idle.clear()

    def _take(self, place: Place, now: float) -> "_Connection | None":
        """The one that was used last, so that those that are not needed grow old."""
        idle = self._idle.get(place)
        while idle:
            connection = idle.pop()
            if not connection.is_closed and now - connection.idle_since < KEEP_ALIVE_S:
                return connection
            connection.abort()
        return None

    def _keep(self, place: Place, connection: "_Connection", loop: asyncio.AbstractEventLoop) -> None:
        connection.idle_since = loop.time()
        idle = self._idle.get(place)
        if idle is None:
            idle = self._idle[place] = deque()
        idle.append(connection)
        if self._sweep is None:
            self._sweep = loop.call_later(KEEP_ALIVE_S, self._close_old, loop)

    def _close_old(self, loop: asyncio.AbstractEventLoop) -> None:
        oldest = loop.time() - KEEP_ALIVE_S
        for place, idle in list(self._idle.items()):
            while idle and (idle[0].is_closed or idle[0].idle_since <= oldest):
                idle.popleft().abort()
            if not idle:
                del self._idle[place]
        self._sweep = loop.call_later(KEEP_ALIVE_S, self._close_old, loop) if self._idle else None

    async def _open(self, place: Place, partner: str, loop: asyncio.AbstractEventLoop) -> "_Connection":
        addresses = await self._addresses_of(place.host, partner)
        tls = self._context() if place.tls else None
        name = place.host.rstrip(".") if place.tls else None
        failure = "nobody answers"
        for address in addresses:
            try:
                async with asyncio.timeout(CONNECT_S if len(addresses) > 1 else None):
                    made = await loop.create_connection(_Connection, address, place.port, ssl=tls, server_hostname=name)
            except ssl.SSLCertVerificationError as reason:
                failure = f"the certificate was not accepted: {reason.verify_message}"
            except TimeoutError as reason:
                failure = reason.strerror or "nobody answers"
            except OSError as reason:
                failure = reason.strerror or str(reason)
            else:
                return made[1]
        raise PeerRefused(f"no connection: {failure}")

    def _context(self) -> ssl.SSLContext:
        """TLS 1.2 and newer, certificates checked; made with the first https."""
        if self._tls is None:
            self._tls = ssl.create_default_context()
            self._tls.minimum_version = ssl.TLSVersion.TLSv1_2
        return self._tls


class _Waits:
    """The connections that were taken again and asked, and when each is given up.

    All wait equally long, so they stand in the order of their deadlines and one timer does for all; it is let run out
    and set anew. An asyncio.timeout() of its own would be 4.7 µs of each call, this is 0.3.
    """

    def __init__(self, wait_s: float) -> None:
        self._wait_s = wait_s
        self._deadlines: dict[_Connection, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, connection: "_Connection", loop: asyncio.AbstractEventLoop) -> None:
        """It is being asked."""
        deadline = self._deadlines[connection] = loop.time() + self._wait_s
        if self._timer is None:
            self._timer = loop.call_at(deadline, self._give_up, loop)

    def remove(self, connection: "_Connection") -> None:
        """It has answered, or nobody waits any more."""
        del self._deadlines[connection]

    def close(self) -> None:
        """Nobody is asked any more; who was is still given up in time."""
        if self._timer is not None and not self._deadlines:
            self._timer.cancel()

    def _give_up(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        now = loop.time()
        for connection, deadline in self._deadlines.items():
            if deadline > now:
                self._timer = loop.call_at(deadline, self._give_up, loop)
                return
            connection.give_up()


class _Connection(asyncio.Protocol):
    """One connection, with the answer that is awaited on it."""

    def __init__(self) -> None:
        self.is_closed = False
        self.idle_since = 0.0
        self._transport: asyncio.Transport | None = None
        self._answer: Response | None = None
        self._done: asyncio.Future[Response] | None = None

    def ask(self, octets: bytes, loop: asyncio.AbstractEventLoop) -> "asyncio.Future[Response]":
        """Send a request; the future is the whole answer."""
        assert self._transport is not None
        assert self._answer is None
        self._answer = Response()
        done = self._done = loop.create_future()
        if self.is_closed:
            # Since it was made: nobody will tell of the end once more.
            self._settle(BadResponse("the connection was closed before the request"))
        else:
            self._transport.write(octets)
        return done

    def give_up(self) -> None:
        """Wait no longer for the answer."""
        self._settle(TimeoutError())

    def abort(self) -> None:
        """End it at once."""
        self.is_closed = True
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        answer = self._answer
        if answer is None:
            self.abort()  # nobody asked
            return
        try:
            answer.feed(data)
        except BadResponse as reason:
            self._settle(reason)
            self.abort()
            return
        if answer.whole:
            self._settle(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_closed = True
        answer = self._answer
        if answer is None:
            return
        if exc is not None:
            self._settle(exc)
            return
        try:
            answer.end()
        except BadResponse as reason:
            self._settle(reason)
        else:
            self._settle(answer)

    def _settle(self, result: Response | Exception) -> None:
        done, self._done, self._answer = self._done, None, None
        if done is None or done.done():
            return
        if isinstance(result, Response):
            done.set_result(result)
        else:
            done.set_exception(result)
