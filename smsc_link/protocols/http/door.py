"""Where operators call: one listener of a process, with a path for each link: /links/NAME/….

HttpDoor    smsc_link/visits.py, Door, over aiohttp
DoorTerms   where it listens, with which certificate, whom it asks for one, which proxies it believes

The listener is opened by the first link and stays until close(). Whoever is slow, or says nothing, is cut. Bodies are
bounded and read as they came.

Rule: a peer's nonsense is one line of the log at most, without a traceback and without what he sent. Nothing of a
query, a header or a body is ever logged.
"""

import asyncio
import hashlib
import ssl
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from structlog import get_logger

from plumbing.crowd import ServerLimits
from plumbing.http_server import HttpPeer, HttpRunner, HttpTerms
from plumbing.networks import Address, caller_of
from smsc_link.protocols.http.fields import BODY_MAX
from smsc_link.visits import Asked, Guest, Hearing, Visit, VisitAnswer

log = get_logger()

IDLE_S = 30.0
"""How long a connection may say nothing, or dribble a head."""
BODY_WAIT_S = 10.0
AWAY_S = 60.0
"""How long a link that is being exchanged is spoken of as one that comes back."""
LINE_MAX = 16 * 1024
"""Of a request line: a long MO in a query, nine octets for each letter of another script."""
FIELD_MAX = 8 * 1024
_CLOSE = (("Connection", "close"),)
"""The rest of a body that nobody reads is lingered for, and then cut."""


@dataclass(frozen=True, slots=True)
class DoorTerms:
    """How the door stands."""

    host: str = "127.0.0.1"
    port: int = 8082
    certificate: str = ""
    key: str = ""
    client_authority: str = ""
    proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    """Networks whose word on whom they speak for is believed."""
    connections: int = 2_000
    connections_per_network: int = 500
    idle_s: float = IDLE_S
    body_wait_s: float = BODY_WAIT_S


class HttpDoor:
    """The door of one process."""

    def __init__(self, terms: DoorTerms) -> None:
        self._terms = terms
        self._guests: dict[str, Guest] = {}
        self._away: dict[str, float] = {}
        self._runner: web.AppRunner | None = None
        self._turn = asyncio.Lock()
        self._proxies = [ip_network(one.strip(), strict=False) for one in terms.proxies]
        self.port = 0
        """Where it listens; 0: it does not."""

    async def enter(self, name: str, guest: Guest) -> None:
        """From now on its requests are the guest's. Raises OSError or ValueError where the door cannot be opened."""
        async with self._turn:
            if self._runner is None:
                await self._open()
        self._guests[name] = guest
        self._away.pop(name, None)

    async def leave(self, name: str, guest: Guest) -> None:
        """It takes no more."""
        if self._guests.get(name) is guest:
            del self._guests[name]
            self._away[name] = asyncio.get_running_loop().time()

    async def close(self) -> None:
        """Nobody listens any more."""
        async with self._turn:
            runner, self._runner = self._runner, None
            self.port = 0
            if runner is not None:
                await runner.cleanup()

    async def _open(self) -> None:
        terms = self._terms
        context = _server_context(terms) if terms.certificate else None
        app = web.Application(client_max_size=BODY_MAX)
        app.router.add_route("*", "/links/{name}", self._serve)
        app.router.add_route("*", "/links/{name}/{tail:.+}", self._serve)
        app.on_response_prepare.append(_say_little)
        limits = ServerLimits(terms.connections, terms.connections_per_network)
        server = HttpTerms("links", limits, _refusal, LINE_MAX, FIELD_MAX, DoorTerms().connections, terms.idle_s)
        runner = HttpRunner(
            app,
            server,
            _Peer,
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=terms.idle_s,
            lingering_time=2.0,
            shutdown_timeout=5.0,
        )
        try:
            await runner.setup()
            await web.TCPSite(runner, terms.host or None, terms.port, ssl_context=context).start()
        except (OSError, asyncio.CancelledError):
            await runner.cleanup()
            raise
        self._runner = runner
        self.port = runner.addresses[0][1]
        log.info("links listen", port=self.port, tls=context is not None)

    # --- a request ----------------------------------------------------------------------------------------------------

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        peer = request.protocol
        assert isinstance(peer, _Peer), peer
        hearing = self._hearing_of(request)
        try:
            visit, answer = await self._answer_to(request, peer, hearing)
        except Exception:
            # The edge of the door: a mistake of ours is answered, and the operator sends it again.
            log.exception("request failed", link=request.match_info["name"][:40])
            visit, answer = None, VisitAnswer(503, b"a mistake of ours; send it again")
        response = web.Response(status=answer.status, body=answer.body)
        response.headers["Content-Type"] = answer.content_type
        for name, value in answer.headers:
            response.headers[name] = value
        if answer.headers is _CLOSE:
            response.force_close()
        if answer.sent is None:
            if hearing is not None:
                hearing.answered(answer, has_left=peer.is_there)
            return response
        has_left = False
        try:
            if visit is None or not visit.is_gone:
                await response.prepare(request)
                await response.write_eof()
                has_left = visit is None or not visit.is_gone
        except (ConnectionError, OSError):
            pass
        finally:
            peer.visit = None
            if hearing is not None:
                hearing.answered(answer, has_left=has_left)
            answer.sent(has_left)
        return response

    def _hearing_of(self, request: web.Request) -> Hearing | None:
        """Who listens in on it, for a trace."""
        guest = self._guests.get(request.match_info["name"])
        if guest is None or guest.ear is None:
            return None
        try:
            return guest.ear.calls(_asked(request))
        except Exception as error:
            log.error("request not traced", reason=type(error).__name__)
            return None

    async def _answer_to(
        self, request: web.Request, peer: "_Peer", hearing: Hearing | None
    ) -> tuple[Visit | None, VisitAnswer]:
        name = request.match_info["name"]
        guest = self._guests.get(name)
        if guest is None:
            return None, self._nobody(name)
        # By the word of a proxy only where that is ours.
        forwarded = request.headers.getall("X-Forwarded-For", [])
        address = caller_of(request.remote or "", forwarded, self._is_proxy)
        if not guest.admits(address):
            return None, VisitAnswer(403, b"this address may not call; ask for it to be allowed")
        if request.method not in guest.methods:
            allow = ", ".join(sorted(guest.methods))
            return None, VisitAnswer(405, f"use {allow}".encode(), headers=(("Allow", allow),))
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            return None, VisitAnswer(415, b"the body must not be compressed; send no Content-Encoding")
        wait_s = self._terms.body_wait_s
        try:
            async with asyncio.timeout(wait_s):
                body = await request.read()
        except TimeoutError:
            return None, VisitAnswer(408, f"the body did not arrive within {wait_s:g} s".encode(), headers=_CLOSE)
        except ConnectionError:
            return None, VisitAnswer(400, b"the body broke off")
        except web.HTTPRequestEntityTooLarge:
            return None, VisitAnswer(413, f"the body is longer than {BODY_MAX // 1024} KiB".encode(), headers=_CLOSE)
        certificate, fingerprint = _certificate_of(request)
        if hearing is not None:
            hearing.asked(body)
        # As it came, in the very octets that a signature is over.
        path, _, query = request.raw_path.encode("utf-8", "surrogateescape").decode("latin-1").partition("?")
        visit = Visit(
            request.method, path, request.match_info.get("tail", ""), query,
            {key.lower(): value for key, value in request.headers.items()}, body, address, certificate, fingerprint,
        )  # fmt: skip
        if not peer.is_there:
            visit.is_gone = True
        peer.visit = visit
        try:
            return visit, await guest.visit(visit)
        finally:
            visit.on_gone = None

    def _is_proxy(self, address: Address) -> bool:
        return any(address in network for network in self._proxies)

    def _nobody(self, name: str) -> VisitAnswer:
        left_at = self._away.get(name)
        if left_at is not None and asyncio.get_running_loop().time() - left_at < AWAY_S:
            return VisitAnswer(503, b"the link is away; send it again in a moment", headers=(("Retry-After", "5"),))
        return VisitAnswer(404, b"there is no such link; the path is /links/NAME")


def _asked(request: web.Request) -> Asked:
    transport = request.transport
    ours, theirs = (
        transport.get_extra_info(name) if transport is not None else None for name in ("sockname", "peername")
    )
    ends = ((ours or ("", 0))[:2], (theirs or ("", 0))[:2])
    return Asked(ends, request.method, request.raw_path.encode("utf-8", "surrogateescape"), request.raw_headers)


def _certificate_of(request: web.Request) -> tuple[dict[str, Any], str]:
    transport = request.transport
    tls = transport.get_extra_info("ssl_object") if transport is not None else None
    if tls is None:
        return {}, ""
    octets = tls.getpeercert(binary_form=True)
    return dict(tls.getpeercert() or {}), hashlib.sha256(octets).hexdigest() if octets else ""


def _server_context(terms: DoorTerms) -> ssl.SSLContext:
    """Raises ValueError for a file that cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(terms.certificate, terms.key or None)
        if terms.client_authority:
            context.load_verify_locations(terms.client_authority)
            # Asked for, and verified where it is shown: which links need one, their own table says.
            context.verify_mode = ssl.CERT_OPTIONAL
    except OSError as error:
        named = ", ".join(filter(None, (terms.certificate, terms.key, terms.client_authority)))
        raise ValueError(f"TLS: {named}: {error.strerror or 'no PEM that can be used'}") from error
    return context


async def _say_little(request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = "Tollbridge"


def _refusal(status: int, mistake: HttpProcessingError | None) -> web.Response:
    """What aiohttp's parser could not read; the operator sends again what failed here."""
    if mistake is None:
        return web.Response(status=503, text="a mistake of ours; send it again")
    is_told = 400 <= mistake.code < 500
    return web.Response(status=mistake.code if is_told else 400, text="this is no HTTP/1.1 that can be read")


class _Peer(HttpPeer):
    """One connection. Its visit hears when it is lost."""

    __slots__ = ("visit",)

    def __init__(self, house: Any, **words: Any) -> None:
        super().__init__(house, **words)
        self.visit: Visit | None = None

    @property
    def is_there(self) -> bool:
        """The connection is up."""
        return self.transport is not None and not self.transport.is_closing()

    def connection_lost(self, exc: BaseException | None) -> None:
        visit, self.visit = self.visit, None
        try:
            if visit is not None:
                visit.leave()
        finally:
            super().connection_lost(exc)
