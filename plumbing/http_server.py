"""The HTTP server below a door's application: who may connect, who is cut, what those hear who do not speak HTTP.

HttpTerms    what one door's server is like
HttpRunner   an AppRunner whose connections are counted (plumbing/crowd.py) and, where the door says so, watched
HttpPeer     one connection; a door that does more at its end, or with its answers, gives a class of its own

Rule: a peer's nonsense is one line of the log at most, without a traceback and without what he sent.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from structlog import get_logger

from plumbing.crowd import CONNECTIONS, Crowd, ServerLimits, find_room
from plumbing.networks import network_of

log = get_logger()

FULL_SAID_S = 10.0
"""How often a full house is a line in the log."""
SWEEP_S = 2.0


@dataclass(frozen=True, slots=True)
class HttpTerms:
    """One door's server."""

    door: str
    """Its name in the log."""
    limits: ServerLimits
    refusal: Callable[[int, HttpProcessingError | None], web.Response]
    """A status of aiohttp's, and what its parser could not read → the answer; None: a mistake of ours."""
    line_max: int
    field_max: int
    """Octets of the request line, and of a header field."""
    connections: int = CONNECTIONS
    """How many the door has if nobody asks for another number."""
    idle_s: float | None = None
    """How long a connection may say nothing, or dribble a head; None: until there is no room."""


class HttpRunner(web.AppRunner):
    """Runs an application behind such a server."""

    def __init__(
        self, app: web.Application, terms: HttpTerms, peer: "type[HttpPeer] | None" = None, **words: Any
    ) -> None:
        super().__init__(app, max_line_size=terms.line_max, max_field_size=terms.field_max, **words)
        self._terms = terms
        self._peer = peer or HttpPeer

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        words = {name: value for name, value in self._kwargs.items() if name != "access_log_class"}
        return _Server(made, self._terms, self._peer, words)


class _Server(web.Server):
    """Makes a peer for whoever connects, and cuts those who say nothing."""

    def __init__(self, made: web.Server, terms: HttpTerms, peer: "type[HttpPeer]", words: dict[str, Any]) -> None:
        handler: Any = made.request_handler
        super().__init__(handler, request_factory=made.request_factory, **words)
        self.terms = terms
        self.crowd = Crowd(find_room(terms.limits, terms.door, terms.connections))
        self.peers: set[HttpPeer] = set()
        self._peer = peer
        self._words = words
        self._full_said_at = -FULL_SAID_S
        self._timer: asyncio.TimerHandle | None = None
        self._watch()

    def __call__(self) -> web.RequestHandler:
        return self._peer(self, loop=self._loop, **self._words)

    async def shutdown(self, timeout: float | None = None) -> None:
        """End."""
        if self._timer is not None:
            self._timer.cancel()
        await super().shutdown(timeout)

    def say_full(self, host: str) -> None:
        """Somebody was refused."""
        now = self._loop.time()
        if now - self._full_said_at >= FULL_SAID_S:
            self._full_said_at = now
            log.warning("http connections at a limit", door=self.terms.door, host=host, connections=len(self.crowd))

    def _watch(self) -> None:
        if self.terms.idle_s is not None:
            self._timer = self._loop.call_later(min(SWEEP_S, self.terms.idle_s), self._sweep, self.terms.idle_s)

    def _sweep(self, idle_s: float) -> None:
        before = self._loop.time() - idle_s
        for peer in [peer for peer in self.peers if peer.is_idle and peer.since < before]:
            peer.cut()
        self._watch()


class HttpPeer(web.RequestHandler):
    """One connection."""

    __slots__ = ("_host", "_house", "since")

    def __init__(self, house: _Server, **words: Any) -> None:
        super().__init__(house, **words)
        self._house = house
        self._host = ""
        self.since = 0.0
        """When it came, or had its last answer."""

    @property
    def is_idle(self) -> bool:
        """No request of its is being answered."""
        return not self._request_in_progress

    def cut(self) -> None:
        """End it at once."""
        if self.transport is not None:
            self.transport.abort()

    def connection_made(self, transport: Any) -> None:
        peer = transport.get_extra_info("peername")
        self._host = peer[0] if peer else ""
        self.since = asyncio.get_running_loop().time()
        if self._house.crowd.enters(self, network_of(self._host)):
            self._house.peers.add(self)
            super().connection_made(transport)
            return
        self._house.say_full(self._host)
        self.force_close()
        transport.abort()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._house.crowd.leaves(self)
        self._house.peers.discard(self)
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What could not be read, or what failed outside of the application's own edge."""
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun: no other can be sent")
        terms = self._house.terms
        if isinstance(exc, HttpProcessingError):
            answer = terms.refusal(status, exc)
            reason = type(exc).__name__
            log.info("http request not readable", door=terms.door, host=self._host, status=answer.status, reason=reason)
        else:
            log.error("request failed", door=terms.door, host=self._host, exc_info=exc)
            answer = terms.refusal(status, None)
        answer.headers["Server"] = "Tollbridge"
        answer.force_close()
        return answer

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """The answer is sent; from here on it is idle again."""
        try:
            return await super().finish_response(request, resp, start_time)
        finally:
            self.since = asyncio.get_running_loop().time()
