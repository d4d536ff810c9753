"""Calls over the network, and the door at which links call: both over aiohttp.

Caller      connections to a link's door, kept alive
Unsent      it surely did not leave: no connection;  Unheard, it may have left, and no whole answer came
Reception   one listener; whoever answers may also say nothing, and then the connection is cut

Rule: a call is sent once, whatever its method; nothing is followed; bodies are bounded.
"""

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp
from aiohttp import web
from yarl import URL

from plumbing.conversation import Address
from plumbing.words import words_of
from sim.aggregator.exchange import Asked, Call, Told

BODY_MAX = 64 * 1024
CONNECT_S = 5.0
BODY_WAIT_S = 10.0
LINE_MAX = 64 * 1024
KEEP_ALIVE_S = 4.0
"""Below the time after which servers close an idle connection: a call seldom meets a closed one."""
_OURS = {"User-Agent": "Tollbridge pocket aggregator", "Accept": "*/*", "Accept-Encoding": "identity"}

Answer = Callable[[Asked], Awaitable[Told | None]]


class Unsent(Exception):
    """There was no connection."""


class Unheard(Exception):
    """It was sent, or may have been; what became of it is not known."""


class Caller:
    """Calls to one door, like http://127.0.0.1:8082. Made on the loop."""

    def __init__(self, base: str, timeout_s: float) -> None:
        self._base = base
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=CONNECT_S + timeout_s, connect=CONNECT_S, sock_read=timeout_s),
            auto_decompress=False,
            trust_env=False,
        )
        # aiohttp sends a GET twice where a connection that was kept turns out to be closed: that would be two MO.
        self._session._retry_connection = False

    async def call(self, call: Call) -> tuple[int, bytes]:
        """Status and body. Raises Unsent, Unheard."""
        try:
            async with self._session.request(
                call.method,
                URL(self._base + call.target, encoded=True),
                data=call.body or None,
                headers={**_OURS, **dict(call.headers)},
                allow_redirects=False,
            ) as response:
                return response.status, await response.content.read(BODY_MAX)
        except aiohttp.ConnectionTimeoutError:
            raise Unsent(f"no connection within {CONNECT_S:g} s") from None
        except aiohttp.ClientConnectorError as error:
            raise Unsent(words_of(error.os_error)) from None
        except TimeoutError:
            raise Unheard("no answer in time") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Unheard(f"the answer broke off or is no HTTP ({type(error).__name__})") from None

    async def close(self) -> None:
        """End every connection."""
        await self._session.close()


class Reception:
    """Where the link calls."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def open(self, address: Address) -> None:
        """Listen. Raises OSError."""
        app = web.Application(client_max_size=BODY_MAX)
        app.router.add_route("*", "/{tail:.*}", self._serve)
        runner = web.AppRunner(
            app, access_log=None, auto_decompress=False, max_line_size=LINE_MAX, shutdown_timeout=1.0
        )
        try:
            await runner.setup()
            await web.TCPSite(runner, address.host, address.port).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        self.port = runner.addresses[0][1]

    async def close(self) -> None:
        """Nobody listens any more."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _serve(self, request: web.Request) -> web.Response:
        if (request.content_length or 0) > BODY_MAX:
            return web.Response(status=413, headers={"Connection": "close"})
        try:
            async with asyncio.timeout(BODY_WAIT_S):
                body = await request.read()
        except TimeoutError:
            return web.Response(status=408, headers={"Connection": "close"})
        path, _, query = request.raw_path.encode("utf-8", "surrogateescape").decode("latin-1").partition("?")
        headers = {name.lower(): value for name, value in request.headers.items()}
        told = await self._answer(Asked(request.method, path, query, headers, body))
        if told is None:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        answer = web.Response(status=told.status, body=told.body.encode())
        answer.headers["Content-Type"] = told.content_type
        return answer
