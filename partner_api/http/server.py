"""The HTTP server below the application: who may connect, and what those hear who do not speak HTTP.

ServerLimits   how many connections
Crowd          counts connections; makes room where idle ones stand in the way
ApiRunner      an AppRunner whose connections are counted, and whose refusals are application/problem+json

A connection is idle while no request of its is being answered: it has said nothing, or half a head, or waits for the
next request. At a limit the oldest idle one gives way, of the same network at its own limit, of any at the limit of
all; where nobody is idle, the newest is refused. So silence never keeps a sound partner out.

Rule: a peer's nonsense is one line of the log at most, without a traceback and without what he sent.
"""

from dataclasses import dataclass, replace
from typing import Any, Protocol

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMethod, HttpProcessingError, LineTooLong
from structlog import get_logger

from partner_api.http.problems import problem, problem_of
from partner_api.networks import is_this_host, network_of
from plumbing.files import raise_files, tell_fewer

log = get_logger()

FULL_SAID_S = 10.0
"""How often a full house is a line in the log."""


LINE_MAX = 8_190
FIELD_MAX = 8_192
"""Octets. They are not the same, since aiohttp's error tells by the number only which of the two was too long."""


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """How many connections there may be."""

    connections: int = 10_000
    per_network: int = 1_000
    """This host itself is only counted by the limit above: a proxy that everybody comes by stands there."""


class Guest(Protocol):
    """A connection, as the crowd sees it."""

    @property
    def is_idle(self) -> bool:
        """No request of its is being answered."""
        ...

    def cut(self) -> None:
        """End it at once."""
        ...


class Crowd:
    """All connections in the order of their coming."""

    def __init__(self, limits: ServerLimits) -> None:
        self._limits = limits
        self._networks: dict[Guest, str] = {}
        self._of: dict[str, dict[Guest, None]] = {}

    def __len__(self) -> int:
        return len(self._networks)

    def enters(self, guest: Guest, network: str) -> bool:
        """Whether there is a place for it; an idle one may be cut for that."""
        among = self._in_the_way(network)
        if among is not None:
            idle = next((one for one in among if one.is_idle), None)
            if idle is None:
                return False
            self.leaves(idle)
            idle.cut()
        self._networks[guest] = network
        self._of.setdefault(network, {})[guest] = None
        return True

    def leaves(self, guest: Guest) -> None:
        """It is gone; more than once does no harm."""
        network = self._networks.pop(guest, None)
        if network is None:
            return
        del self._of[network][guest]
        if not self._of[network]:
            del self._of[network]

    def _in_the_way(self, network: str) -> dict[Guest, Any] | None:
        """Those of whom one must go first; None: nobody."""
        own = self._of.get(network, {})
        if len(own) >= self._limits.per_network and not is_this_host(network):
            return own
        return self._networks if len(self._networks) >= self._limits.connections else None


class ApiRunner(web.AppRunner):
    """Runs an application behind such a server."""

    def __init__(self, app: web.Application, limits: ServerLimits, **words: Any) -> None:
        super().__init__(app, max_line_size=LINE_MAX, max_field_size=FIELD_MAX, **words)
        self._limits = limits

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        words = {name: value for name, value in self._kwargs.items() if name != "access_log_class"}
        return _Server(made, Crowd(_find_room(self._limits)), words)


def _find_room(limits: ServerLimits) -> ServerLimits:
    """A quarter of all files at most, so that links, calls and SMPP are left theirs."""
    wanted = 4 * limits.connections
    files = raise_files(wanted)
    most = max(1, files // 4)
    if most >= limits.connections:
        return limits
    tell_fewer(
        "http",
        connections=most,
        asked=limits.connections,
        default=ServerLimits().connections,
        files=files,
        wanted=wanted,
    )
    return replace(limits, connections=most, per_network=min(most, limits.per_network))


class _Server(web.Server):
    """Makes a _Peer for whoever connects."""

    def __init__(self, made: web.Server, crowd: Crowd, words: dict[str, Any]) -> None:
        handler: Any = made.request_handler
        super().__init__(handler, request_factory=made.request_factory, **words)
        self.crowd = crowd
        self._words = words
        self._full_said_at = -FULL_SAID_S

    def __call__(self) -> web.RequestHandler:
        return _Peer(self, loop=self._loop, **self._words)

    def say_full(self, host: str) -> None:
        """Somebody was refused."""
        now = self._loop.time()
        if now - self._full_said_at >= FULL_SAID_S:
            self._full_said_at = now
            log.warning("http connections at a limit", host=host, connections=len(self.crowd))


class _Peer(web.RequestHandler):
    """One connection."""

    __slots__ = ("_host", "_house")

    def __init__(self, house: _Server, **words: Any) -> None:
        super().__init__(house, **words)
        self._house = house
        self._host = ""

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
        if self._house.crowd.enters(self, network_of(self._host)):
            super().connection_made(transport)
            return
        self._house.say_full(self._host)
        self.force_close()
        transport.abort()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._house.crowd.leaves(self)
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
        if isinstance(exc, HttpProcessingError):
            answer = _refusal(exc)
            log.info("http request not readable", host=self._host, status=answer.status, reason=type(exc).__name__)
        else:
            log.error("request failed", host=self._host, exc_info=exc)
            answer = problem(status, "a mistake of ours; it is in the log")
        answer.headers["Server"] = "Tollbridge"
        answer.force_close()
        return answer

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send the answer; what aiohttp refused before it asked the application (Expect: …) is a problem, too."""
        if isinstance(resp, web.HTTPException):
            resp = problem_of(resp)
        return await super().finish_response(request, resp, start_time)


def _refusal(mistake: HttpProcessingError) -> web.Response:
    """What aiohttp's parser could not read, with what to do."""
    if isinstance(mistake, LineTooLong):
        if mistake.args[1] == LINE_MAX:
            return problem(414, f"the path is longer than {LINE_MAX} octets; send a shorter path and query")
        return problem(431, f"a header field is longer than {FIELD_MAX} octets; send a shorter one")
    if isinstance(mistake, BadHttpMethod):
        if "HTTPS" in str(mistake):
            return problem(400, "this port speaks HTTP without TLS; send http, or ask for the address of its TLS proxy")
        return problem(405, "there is no such method; use GET or POST", headers={"Allow": "GET, POST"})
    return problem(400, "the request is no HTTP/1.1 that can be read; look at its first line and its header fields")
