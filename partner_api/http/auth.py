"""Who is calling: `Authorization: Bearer API_KEY`, or Basic with login and API key.

Callers     Authorization header → Partner, or a refusal that does not say which of login and key was wrong
Administrators   the one key of the configuration, for /admin
Guesses, Failures    throttle guessing, by network

Keys are compared as SHA-256 in constant time; the catalogue in memory knows them, so nobody needs the database.

Rule: an account is never locked to those who use it. No failure elsewhere counts against them: a key has 256 bits of
chance, so an account needs no limit of its own, and one would let strangers shut it. Where a key worked within the
last hour, it works on, whoever guesses beside it in the same network.
"""

import binascii
import hashlib
import hmac
from base64 import b64decode
from collections import OrderedDict, deque
from collections.abc import Callable
from operator import attrgetter

from aiohttp import web
from structlog import get_logger

from core.catalogue import Catalogue, Partner
from core.clock import HOUR_MS, MINUTE_MS, Clock
from plumbing.networks import caller_of, network_of

log = get_logger()

NETWORK_FAILURES_MAX = 10
WINDOW_MS = MINUTE_MS
REMEMBERED_MAX = 10_000
LOGIN_MAX = 80
"""Longer than any login is: what is remembered of a wrong one."""
_NOBODY = "0" * 64
CHALLENGE = 'Bearer realm="tollbridge", Basic realm="tollbridge", charset="UTF-8"'


class Failures:
    """When something failed last, by key; at most so many in a minute."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._times: OrderedDict[str, deque[int]] = OrderedDict()

    def add(self, key: str, now_ms: int) -> None:
        """One more failure. The keys that failed longest ago are forgotten first."""
        times = self._times.setdefault(key, deque(maxlen=self._limit))
        times.append(now_ms)
        self._times.move_to_end(key)
        if len(self._times) > REMEMBERED_MAX:
            self._times.popitem(last=False)

    def wait_ms(self, key: str, now_ms: int) -> int:
        """How long until the next try is heard; 0: now."""
        times = self._times.get(key)
        if times is None or len(times) < self._limit:
            return 0
        return max(0, times[0] + WINDOW_MS - now_ms)


class Guesses:
    """Whether who comes from a network for an account is heard, or has guessed too often."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._networks = Failures(NETWORK_FAILURES_MAX)
        self._good: OrderedDict[tuple[str, str], int] = OrderedDict()

    def judge(self, network: str, account: str, *, is_right: bool) -> None:
        """One try. Raises 429 after too many failures, 401 for a wrong key."""
        now_ms = self._clock.monotonic_ms()
        wait_ms = self._networks.wait_ms(network, now_ms)
        if wait_ms and not (is_right and self._good.get((network, account), -HOUR_MS) > now_ms - HOUR_MS):
            raise web.HTTPTooManyRequests(
                headers={"Retry-After": str(-(-wait_ms // 1000))}, reason="too many wrong keys; wait"
            )
        if not is_right:
            self._networks.add(network, now_ms)
            log.info("API key refused", network=network)
            raise web.HTTPUnauthorized(headers={"WWW-Authenticate": CHALLENGE}, reason="the login or the key is wrong")
        self._remember(network, account, now_ms)

    def _remember(self, network: str, account: str, now_ms: int) -> None:
        self._good[network, account] = now_ms
        self._good.move_to_end((network, account))
        if len(self._good) > REMEMBERED_MAX:
            self._good.popitem(last=False)


class Callers:
    """Knows the partners by their keys."""

    def __init__(self, catalogue: Callable[[], Catalogue], clock: Clock) -> None:
        self._catalogue = catalogue
        self._seen: Catalogue | None = None
        self._by_hash: dict[str, Partner] = {}
        self._guesses = Guesses(clock)

    def caller_of(self, request: web.Request) -> Partner:
        """The partner who asks. Raises 401, or 429 after too many failures."""
        login, key = credentials_of(request)
        partner = self._find(login, key)
        account = (login or (partner.login if partner is not None else ""))[:LOGIN_MAX]
        self._guesses.judge(caller_network(request), account, is_right=partner is not None)
        assert partner is not None, "judged"
        return partner

    def _find(self, login: str | None, key: bytes) -> Partner | None:
        """The active partner with this key (and this login, if one is named)."""
        catalogue = self._catalogue()
        if catalogue is not self._seen:
            self._by_hash = {p.api_key_hash: p for p in catalogue.partners.values() if p.api_key_hash}
            self._seen = catalogue
        digest = hashlib.sha256(key).hexdigest()
        partner = self._by_hash.get(digest) if login is None else catalogue.partners.get(login)
        known = partner.api_key_hash if partner is not None and partner.api_key_hash else _NOBODY
        is_right = hmac.compare_digest(digest, known)
        return partner if is_right and partner is not None and partner.active else None


class Administrators:
    """Knows who has the key of the configuration, api.admin_key: by Bearer alone."""

    def __init__(self, admin_key: str, clock: Clock) -> None:
        self._digest = hashlib.sha256(admin_key.encode()).digest()
        self._guesses = Guesses(clock)

    def let_in(self, request: web.Request) -> None:
        """Raises 401, or 429 after too many failures."""
        login, key = credentials_of(request)
        is_right = hmac.compare_digest(hashlib.sha256(key).digest(), self._digest) and login is None
        self._guesses.judge(caller_network(request), "admin", is_right=is_right)


def credentials_of(request: web.Request) -> tuple[str | None, bytes]:
    """(login or None, key) of a request. Raises 401 where it has none."""
    header = request.headers.get("Authorization", "")
    if not header:
        raise web.HTTPUnauthorized(headers={"WWW-Authenticate": CHALLENGE}, reason="an API key is needed")
    return read_credentials(header)


def read_credentials(header: str) -> tuple[str | None, bytes]:
    """(login or None, key) of an Authorization header; what cannot be read is nobody's key."""
    scheme, _, rest = header.partition(" ")
    value = rest.strip().encode("utf-8", "surrogateescape")
    if scheme.lower() == "bearer":
        return None, value
    if scheme.lower() == "basic":
        try:
            login, _, key = b64decode(value, validate=True).partition(b":")
        except (binascii.Error, ValueError):
            return None, b""
        return login.decode("utf-8", "replace"), key
    return None, b""


def caller_network(request: web.Request) -> str:
    """From where the request comes. Only a proxy on this machine or in our own network may speak for another."""
    forwarded = request.headers.getall("X-Forwarded-For", [])
    return network_of(caller_of(request.remote or "", forwarded, attrgetter("is_private")))
