"""Requests of ours over the network.

Caller       one link's connections to its operator, kept alive
Unsent       it surely did not leave: no connection;  Unheard, it may have left, and no whole answer came

Rule: a request is sent once, whatever its method; nothing is followed; an answer counts only when it came whole, within
its time and 64 KiB.
"""

import asyncio
import ssl
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

import aiohttp
from yarl import URL

from core.catalogue import Link
from plumbing.conversation import Tls
from plumbing.words import words_of
from smsc_link.protocols.http.ear import HttpEar, Sending
from smsc_link.protocols.http.fields import BODY_MAX
from smsc_link.protocols.http.outbound import Outgoing

KEEP_ALIVE_S = 4.0
"""Below the 5 s after which many servers close an idle connection: a request seldom meets a closed one."""
_OURS = {"User-Agent": "Tollbridge", "Accept": "*/*", "Accept-Encoding": "identity"}


_SENDING: ContextVar[Sending | None] = ContextVar("_SENDING", default=None)
"""Who listens in on the request of this task."""


class Unsent(Exception):
    """There was no connection."""


class Unheard(Exception):
    """It was sent, or may have been; what became of it is not known."""


class Caller:
    """Connections to one operator. Made on the loop; raises ValueError where a file of TLS cannot be used."""

    def __init__(self, link: Link, tls: Tls | None, *, connect_timeout_s: float) -> None:
        self._host = link.host
        self._port = link.port
        self._tls = client_context(tls) if tls is not None else None
        self._name = (tls.name if tls is not None else "") or link.host
        host = f"[{link.host}]" if ":" in link.host else link.host
        self._base = f"{'https' if tls is not None else 'http'}://{host}:{link.port}"
        self._connect_timeout_s = connect_timeout_s
        self.ear: HttpEar | None = None
        """Who listens in, for a trace."""
        self._session = aiohttp.ClientSession(
            request_class=_Request,
            connector=aiohttp.TCPConnector(
                limit=0, ssl=self._tls if self._tls is not None else True, keepalive_timeout=KEEP_ALIVE_S
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(
                total=connect_timeout_s + link.response_timeout_s,
                connect=connect_timeout_s,
                sock_read=link.response_timeout_s,
            ),
            auto_decompress=False,
            trust_env=False,
        )
        # aiohttp sends a GET twice where a connection that was kept turns out to be closed: that would be two messages.
        self._session._retry_connection = False

    async def exchange(self, request: Outgoing) -> tuple[int, bytes]:
        """Status and body. Raises Unsent, Unheard."""
        if self.ear is None:
            return await self._exchange(request)
        sending = self.ear.sends(request)
        token = _SENDING.set(sending)
        try:
            return await self._exchange(request)
        finally:
            _SENDING.reset(token)
            sending.over()

    async def _exchange(self, request: Outgoing) -> tuple[int, bytes]:
        try:
            async with self._session.request(
                request.method,
                URL(self._base + request.target, encoded=True),
                data=request.body or None,
                headers={**_OURS, **dict(request.headers)},
                allow_redirects=False,
                server_hostname=self._name if self._tls is not None else None,
            ) as response:
                body = await _read(response)
                if (sending := _SENDING.get()) is not None:
                    sending.answered(response.status, response.raw_headers, body)
                return response.status, body
        except aiohttp.ConnectionTimeoutError:
            raise Unsent(f"no connection within {self._connect_timeout_s:g} s") from None
        except aiohttp.ClientConnectorError as error:
            raise Unsent(f"no connection: {words_of(error.os_error)}") from None
        except TimeoutError:
            raise Unheard("no whole answer in time") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Unheard(f"the answer broke off or is no HTTP ({type(error).__name__})") from None

    async def probe(self) -> None:
        """Whether somebody is there. Raises Unsent."""
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                _, writer = await asyncio.open_connection(
                    self._host, self._port, ssl=self._tls, server_hostname=self._name if self._tls else None
                )
        except TimeoutError:
            raise Unsent(f"no connection within {self._connect_timeout_s:g} s") from None
        except (OSError, ValueError) as error:
            raise Unsent(f"no connection: {words_of(error)}") from None
        writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                await writer.wait_closed()

    async def close(self) -> None:
        """End every connection."""
        await self._session.close()


class _Request(aiohttp.ClientRequest):
    """A request that is listened in on leaves by a connection, whose ends are known here only."""

    async def send(self, conn: Any) -> aiohttp.ClientResponse:
        """Over this connection."""
        if (sending := _SENDING.get()) is not None:
            sending.leaves(conn.transport, self.headers.items())
        return await super().send(conn)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        response.close()
        raise ValueError("the answer is compressed, which we did not ask for")
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > BODY_MAX:
            response.close()
            raise ValueError("the answer is too long")
    return bytes(body)


def client_context(tls: Tls) -> ssl.SSLContext:
    """How a client trusts, and who it is itself. Raises ValueError."""
    try:
        context = ssl.create_default_context(cafile=tls.authority or None)
        if tls.certificate:
            context.load_cert_chain(tls.certificate, tls.key or None)
    except OSError as error:
        named = ", ".join(filter(None, (tls.authority, tls.certificate, tls.key)))
        raise ValueError(f"TLS: {named}: {words_of(error)}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
