"""The HTTP server below the application, and what those hear who do not speak HTTP.

ApiRunner      plumbing/http_server.py, its refusals application/problem+json

Rule: a peer's nonsense is one line of the log at most, without a traceback and without what he sent.
"""

from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMethod, HttpProcessingError, LineTooLong

from partner_api.http.problems import problem, problem_of
from plumbing.crowd import ServerLimits
from plumbing.http_server import HttpPeer, HttpRunner, HttpTerms

LINE_MAX = 8_190
FIELD_MAX = 8_192
"""Octets. They are not the same, since aiohttp's error tells by the number only which of the two was too long."""


class ApiRunner(HttpRunner):
    """Runs an application behind such a server."""

    def __init__(self, app: web.Application, limits: ServerLimits, **words: Any) -> None:
        super().__init__(app, HttpTerms("http", limits, _refusal, LINE_MAX, FIELD_MAX), _Peer, **words)


class _Peer(HttpPeer):
    """One connection."""

    __slots__ = ()

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send the answer; what aiohttp refused before it asked the application (Expect: …) is a problem, too."""
        if isinstance(resp, web.HTTPException):
            resp = problem_of(resp)
        return await super().finish_response(request, resp, start_time)


def _refusal(status: int, mistake: HttpProcessingError | None) -> web.Response:
    """What aiohttp's parser could not read, with what to do."""
    if mistake is None:
        return problem(status, "a mistake of ours; it is in the log")
    if isinstance(mistake, LineTooLong):
        if mistake.args[1] == LINE_MAX:
            return problem(414, f"the path is longer than {LINE_MAX} octets; send a shorter path and query")
        return problem(431, f"a header field is longer than {FIELD_MAX} octets; send a shorter one")
    if isinstance(mistake, BadHttpMethod):
        if "HTTPS" in str(mistake):
            return problem(400, "this port speaks HTTP without TLS; send http, or ask for the address of its TLS proxy")
        return problem(405, "there is no such method; use GET or POST", headers={"Allow": "GET, POST"})
    return problem(400, "the request is no HTTP/1.1 that can be read; look at its first line and its header fields")
