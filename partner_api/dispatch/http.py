"""Callbacks over HTTP: http_get, http_post, http_post_json.

HttpCaller   one aiohttp session for all partners: connections kept alive, addresses checked, nothing followed
  get, post, post_json   Callback → Answer; they keep the time limit and never raise

How to sign, what to send: callback.py. Where it may go: addresses.py. What an answer means: answers.py.

Rule: an answer counts only when it arrived whole, within the time limit and 64 KiB; everything else is a failure with
its reason, tried again. Memory stays bounded whatever a partner sends.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorError,
    ClientError,
    ClientPayloadError,
    ClientResponse,
    ClientResponseError,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    ServerDisconnectedError,
    TCPConnector,
    hdrs,
)
from multidict import CIMultiDict, istr
from structlog import get_logger
from yarl import URL

from core.clock import Clock
from core.errors import PeerError, PeerRefused
from core.message import Answer, Callback
from partner_api.dispatch.addresses import CheckedResolver, Guard, Lookup, look_up
from partner_api.dispatch.answers import RawAnswer, failure, read_answer
from partner_api.dispatch.callback import SIGNATURE_HEADER, EndPoint, encode_form, encode_json, read_end_point, sign

log = get_logger()

ANSWER_MAX = 64 * 1024
KEEP_ALIVE_S = 4.0
"""Below the 5 s after which Node.js and Apache close an idle connection: a callback seldom meets a closed one."""
PER_HOST = 256

_SIGNATURE = istr(SIGNATURE_HEADER)
_COMMON = {hdrs.USER_AGENT: "Tollbridge", hdrs.ACCEPT: "text/plain, application/json", hdrs.ACCEPT_ENCODING: "identity"}
_FORM = {**_COMMON, hdrs.CONTENT_TYPE: "application/x-www-form-urlencoded"}
_JSON = {**_COMMON, hdrs.CONTENT_TYPE: "application/json"}
_NO_TIMEOUT = ClientTimeout(total=None, connect=None, sock_read=None, sock_connect=None)


class Request(NamedTuple):
    """What goes over the wire."""

    method: str
    url: URL
    headers: CIMultiDict[str]
    body: bytes | None


Write: TypeAlias = Callable[[Callback, EndPoint], Request]


class HttpCaller:
    """Calls partners over HTTP. Made anywhere; its session opens with the first call, on the running loop."""

    def __init__(
        self,
        *,
        clock: Clock,
        timeout_s: float = 10.0,
        allow_private_addresses: bool = False,
        per_host: int = PER_HOST,
        look_up: Lookup = look_up,
    ) -> None:
        self._clock = clock
        self._timeout_s = timeout_s
        self._guard = Guard(allow_private=allow_private_addresses)
        self._resolver = CheckedResolver(self._guard, look_up)
        self._per_host = per_host
        self._session: ClientSession | None = None

    async def get(self, callback: Callback) -> Answer:
        """The parameters in the query, behind any query that the url has."""
        return await self._attempt(callback, self._get)

    async def post(self, callback: Callback) -> Answer:
        """The parameters as a form."""
        return await self._attempt(callback, self._post_form)

    async def post_json(self, callback: Callback) -> Answer:
        """The parameters as a JSON object."""
        return await self._attempt(callback, self._post_json)

    async def close(self) -> None:
        """Close every connection; a closed caller is not used again."""
        if self._session is not None:
            await self._session.close()
        await self._resolver.close()

    async def _attempt(self, callback: Callback, write: Write) -> Answer:
        """One attempt: whatever happens becomes an answer."""
        started_ms = self._clock.monotonic_ms()
        shown = ""
        try:
            point = read_end_point(callback.service.url)
            shown = point.shown
            problem = point.problem or self._guard.problem_of_host(point.host)
            if problem:
                raise PeerRefused(problem)
            request = write(callback, point)
            async with asyncio.timeout(self._timeout_s):
                raw = await self._exchange(request)
            answer = read_answer(raw, self._clock.now())
        except TimeoutError:
            answer = failure(f"no whole answer within {self._timeout_s:g} s")
        except (ClientError, PeerError, OSError, UnicodeError) as reason:
            answer = failure(_sentence_of(reason))
        except Exception as mistake:  # The edge of a door: an attempt must end as an answer.
            log.exception("callback failed", message=callback.mo_id, attempt=callback.attempt)
            answer = failure(f"we failed to make the call ({type(mistake).__name__}); see the log")
        answer.url = shown
        answer.latency_ms = self._clock.monotonic_ms() - started_ms
        return answer

    def _get(self, callback: Callback, point: EndPoint) -> Request:
        query = point.own_query + encode_form(callback)
        headers = self._headers(_COMMON, callback, query.encode("ascii"))
        # Encoded already: quoted once more, the query would not be the one that is signed (stack.md, section 2).
        return Request(hdrs.METH_GET, URL(f"{point.before_query}{query}", encoded=True), headers, None)

    def _post_form(self, callback: Callback, point: EndPoint) -> Request:
        body = encode_form(callback).encode("ascii")
        return Request(hdrs.METH_POST, point.url, self._headers(_FORM, callback, body), body)

    def _post_json(self, callback: Callback, point: EndPoint) -> Request:
        body = encode_json(callback)
        return Request(hdrs.METH_POST, point.url, self._headers(_JSON, callback, body), body)

    def _headers(self, common: dict[istr, str], callback: Callback, content: bytes) -> CIMultiDict[str]:
        headers: CIMultiDict[str] = CIMultiDict(common)
        secret = callback.service.secret
        if secret:
            headers[_SIGNATURE] = sign(secret.encode(), content, self._clock.now())
        return headers

    async def _exchange(self, request: Request) -> RawAnswer:
        session = self._session or self._open()
        response = await session.request(
            request.method, request.url, headers=request.headers, data=request.body, allow_redirects=False
        )
        try:
            content = await _read_body(response)
        finally:
            # A no-op after the last byte, when the connection is back in the pool; otherwise it ends the connection.
            response.close()
        fields = response.headers
        return RawAnswer(
            response.status,
            content,
            fields.get(hdrs.CONTENT_TYPE, ""),
            fields.get(hdrs.CONTENT_ENCODING, ""),
            fields.get(hdrs.RETRY_AFTER, ""),
            fields.get(hdrs.LOCATION, ""),
        )

    def _open(self) -> ClientSession:
        """One session for all: no cookies, no proxies, no time-outs but ours, no decompression, no own retries."""
        connector = TCPConnector(
            resolver=self._resolver,
            use_dns_cache=False,
            limit=0,
            limit_per_host=self._per_host,
            keepalive_timeout=KEEP_ALIVE_S,
        )
        session = ClientSession(
            connector=connector,
            cookie_jar=DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            timeout=_NO_TIMEOUT,
            read_bufsize=ANSWER_MAX,
            skip_auto_headers=(hdrs.USER_AGENT,),
        )
        # aiohttp sends a GET a second time when the connection breaks: a partner would see an attempt twice.
        session._retry_connection = False
        self._session = session
        return session


async def _read_body(response: ClientResponse) -> bytes:
    """The whole body; most have arrived with their head. Raises PeerRefused for one that is too long."""
    content = response.content
    chunks: list[bytes] = []
    room = ANSWER_MAX
    while chunk := content.read_nowait(-1) if content.is_eof() else await content.readany():
        chunks.append(chunk)
        room -= len(chunk)
        if room < 0:
            raise PeerRefused(f"the answer is longer than {ANSWER_MAX // 1024} KiB")
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _sentence_of(reason: Exception) -> str:
    """What went wrong on the way, in a sentence for the partner."""
    match reason:
        case PeerError():
            return str(reason)
        case ClientConnectorCertificateError():
            return f"the certificate was not accepted: {reason.certificate_error}"
        case ClientConnectorError():
            return f"no connection: {reason.strerror or reason.os_error}"
        case ServerDisconnectedError():
            return "the connection was closed before the answer"
        case ClientPayloadError():
            return f"the answer broke off: {reason}"
        case ClientResponseError():
            return f"the answer is not HTTP: {reason.message}"
        case OSError():
            return f"the connection broke: {reason.strerror or reason}"
        case ClientError():
            return f"the call failed: {type(reason).__name__} {reason}"
        case _:
            return f"the call could not be made: {reason}"
