"""Callbacks over HTTP: http_get, http_post, http_post_json.

HttpCaller   one for all partners: connections kept alive, addresses checked, nothing followed
  get, post, post_json   Callback → Answer; they keep the time limit and never raise
  ask                    a question of a USSD menu (partner_api/ussd.py)

How to sign, what to send: callback.py. Where it may go: addresses.py. How it goes there: connections.py,
responses.py. What an answer means: answers.py.

The client is our own because this is the hottest place of all: aiohttp's takes 100 to 130 µs a call, ours 33.

Rule: an answer counts only when it arrived whole, within the time limit and 64 KiB; everything else is a failure with
its reason, tried again. Memory stays bounded whatever a partner sends.
"""

import ipaddress
from base64 import b64encode
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from structlog import get_logger

from core.catalogue import Service
from core.clock import Clock
from core.errors import PeerError, PeerRefused
from core.message import Answer, Callback
from partner_api.dispatch.addresses import CheckedResolver, Guard, Lookup, look_up
from partner_api.dispatch.answers import RawAnswer, failure, read_answer
from partner_api.dispatch.callback import (
    SIGNATURE_HEADER,
    EndPoint,
    encode_form,
    encode_json,
    key_id,
    read_end_point,
    sign,
)
from partner_api.dispatch.connections import Connections, Place
from partner_api.dispatch.responses import Response

log = get_logger()


class Way(NamedTuple):
    """An end point as the head of a request needs it."""

    point: EndPoint
    place: Place
    path: str
    target: str
    """Path and query."""
    head: str
    """From behind the target on: version and the fields that are always the same."""


Write: TypeAlias = Callable[[Callback, Way], bytes]


class HttpCaller:
    """Calls partners over HTTP. Made anywhere, used on one loop."""

    def __init__(
        self,
        *,
        clock: Clock,
        timeout_s: float = 10.0,
        allow_private_addresses: bool = False,
        look_up: Lookup = look_up,
    ) -> None:
        self._clock = clock
        self._timeout_s = timeout_s
        self._guard = Guard(allow_private=allow_private_addresses)
        self._resolver = CheckedResolver(self._guard, look_up)
        self._connections = Connections(self._addresses_of, timeout_s)

    async def get(self, callback: Callback) -> Answer:
        """The parameters in the query, behind any query that the url has."""
        return await self._attempt(callback, self._write_get)

    async def post(self, callback: Callback) -> Answer:
        """The parameters as a form."""
        return await self._attempt(callback, self._write_form)

    async def post_json(self, callback: Callback) -> Answer:
        """The parameters as a JSON object."""
        return await self._attempt(callback, self._write_json)

    async def ask(self, service: Service, url: str, body: bytes) -> Response:
        """A JSON question, signed as the service's callbacks are. Raises TimeoutError, PeerError, OSError."""
        way = way_to(url)
        if way.point.problem:
            raise PeerRefused(way.point.problem)
        octets = self._posted(service, way, body, "application/json")
        return await self._connections.exchange(way.place, octets, service.partner)

    async def close(self) -> None:
        """Close every connection; a closed caller is not used again."""
        self._connections.close()
        await self._resolver.close()

    async def _attempt(self, callback: Callback, write: Write) -> Answer:
        """One attempt: whatever happens becomes an answer."""
        started_ms = self._clock.monotonic_ms()
        shown = signed_with = ""
        try:
            way = way_to(callback.service.url)
            shown = way.point.shown
            if way.point.problem:
                raise PeerRefused(way.point.problem)
            octets = write(callback, way)
            if callback.service.secret:
                signed_with = key_id(callback.service.secret.encode())
            response = await self._connections.exchange(way.place, octets, callback.partner)
            field = response.fields.get
            raw = RawAnswer(
                response.status, response.body, field("content-type", ""), field("content-encoding", ""),
                field("retry-after", ""), field("location", ""),
            )  # fmt: skip
            answer = read_answer(raw, self._clock.now(), callback.service.mode)
        except TimeoutError:
            answer = failure(f"no whole answer within {self._timeout_s:g} s")
        except PeerError as reason:
            answer = failure(str(reason))
        except OSError as reason:
            answer = failure(f"the connection broke: {reason.strerror or reason}")
        except Exception as mistake:  # The edge of a door: an attempt must end as an answer.
            log.exception("callback failed", message=callback.mo_id, attempt=callback.attempt)
            answer = failure(f"we failed to make the call ({type(mistake).__name__}); see the log")
        answer.url = shown
        answer.key_id = signed_with
        answer.latency_ms = self._clock.monotonic_ms() - started_ms
        return answer

    async def _addresses_of(self, host: str, partner: str) -> Sequence[str]:
        """Addresses that were checked. Raises PeerRefused."""
        try:
            address = str(ipaddress.ip_address(host))
        except ValueError:
            return await self._resolver.resolve(host, partner)
        problem = self._guard.problem_of_host(address)
        if problem:
            raise PeerRefused(problem)
        return [address]

    def _write_get(self, callback: Callback, way: Way) -> bytes:
        query = way.point.own_query + encode_form(callback)
        signature = self._signature(callback.service, query.encode())
        return f"GET {way.path}?{query}{way.head}{signature}\r\n".encode()

    def _write_form(self, callback: Callback, way: Way) -> bytes:
        body = encode_form(callback).encode()
        return self._posted(callback.service, way, body, "application/x-www-form-urlencoded")

    def _write_json(self, callback: Callback, way: Way) -> bytes:
        return self._posted(callback.service, way, encode_json(callback), "application/json")

    def _posted(self, service: Service, way: Way, body: bytes, kind: str) -> bytes:
        signature = self._signature(service, body)
        described = f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        return f"POST {way.target}{way.head}{described}{signature}\r\n".encode() + body

    def _signature(self, service: Service, content: bytes) -> str:
        secret = service.secret
        if not secret:
            return ""
        return f"{SIGNATURE_HEADER}: {sign(secret.encode(), content, self._clock.now())}\r\n"


@lru_cache(maxsize=4096)
def way_to(url: str) -> Way:
    """Read a service's url once; what stands in a head is ASCII without spaces, as yarl quotes it."""
    point = read_end_point(url)
    if point.problem:
        return Way(point, Place(False, "", 0), "", "", "")
    read = point.url
    fields = [f"Host: {read.host_port_subcomponent}", "User-Agent: Tollbridge", "Accept: text/plain, application/json"]
    fields.append("Accept-Encoding: identity")
    if read.raw_user is not None:
        login = f"{read.user}:{read.password or ''}".encode("utf-8", "replace")
        fields.append(f"Authorization: Basic {b64encode(login).decode()}")
    head = " HTTP/1.1\r\n" + "".join(f"{field}\r\n" for field in fields)
    place = Place(read.scheme == "https", read.raw_host or "", read.port or 0)
    return Way(point, place, read.raw_path, read.raw_path_qs, head)
