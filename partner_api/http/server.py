"""The HTTP server below the application: who may connect, and what those hear who do not speak HTTP.

ApiRunner      an AppRunner whose connections are counted (plumbing/crowd.py), and whose refusals are
               application/problem+json

Rule: a peer's nonsense is one line of the log at most, without a traceback and without what he sent.
"""

from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMethod, HttpProcessingError, LineTooLong
from structlog import get_logger

from partner_api.http.problems import problem, problem_of
from plumbing.crowd import Crowd, ServerLimits, find_room
from plumbing.networks import network_of

log = get_logger()

FULL_SAID_S = 10.0
"""How often a full house is a line in the log."""


LINE_MAX = 8_190
FIELD_MAX = 8_192
"""Octets. They are not the same, since aiohttp's error tells by the number only which of the two was too long."""


class ApiRunner(web.AppRunner):
    """Runs an application behind such a server."""

    def __init__(self, app: web.Application, limits: ServerLimits, **words: Any) -> None:
        super().__init__(app, max_line_size=LINE_MAX, max_field_size=FIELD_MAX, **words)
        self._limits = limits

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        words = {name: value for name, value in self._kwargs.items() if name != "access_log_class"}
        return _Server(made, Crowd(find_room(self._limits)), words)


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
