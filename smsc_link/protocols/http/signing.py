"""Who is who: how an operator shows that it is the operator, and we that it is us. No I/O.

Gate      one link's: who may call
Guesses   one link's: which networks guess, and wait for a minute
Signer    one link's: what is added to a request of ours

Rule: secrets are compared in constant time, and appear in no sentence. Who is refused does not learn what was wrong.
"""

import hashlib
import hmac
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from core.catalogue import Link
from core.clock import SECOND_MS, Instant
from core.errors import ConfigError
from plumbing.networks import is_within
from smsc_link.options import network_named
from smsc_link.protocols.http.coverage import FIELD
from smsc_link.protocols.http.fields import FIELDS_MAX, BadForm, Fields
from smsc_link.protocols.http.options import GateTable, SignTable
from smsc_link.visits import Visit

GUESSES_MAX, GUESS_MS, GUESSERS_MAX = 30, 60_000, 10_000
"""Wrong ones of a network within a minute, before it waits for the next."""
_MS_FROM = 100_000_000_000
"""A Unix time beyond the year 5000 is one in milliseconds."""
_IN = ("body", "query", "method", "path", "timestamp")


class Gate:
    """Who may call. Raises a ConfigError for what makes no sense together."""

    def __init__(self, link: Link, table: GateTable, allowed: tuple[str, ...]) -> None:
        self._table = table
        self._secret = (table.secret or link.password).encode()
        self._user = (table.user or link.system_id).encode()
        self._networks = [network_named(link, "allowed", one) for one in allowed]
        self._knows: Callable[[Visit, Callable[[], Fields], Instant], bool] = getattr(self, f"_by_{table.kind}")
        is_timed = table.kind == "hmac" and bool(table.timestamp)
        self.recalls_ms = 2 * table.tolerance_s * SECOND_MS if is_timed else 0
        """For how long a signed request could come again: its time may be ahead of us as far as behind; 0: for ever."""
        fault = self._fault()
        if fault:
            raise ConfigError(f"link {link.name}: option auth: {fault}")

    def admits(self, address: str) -> bool:
        """Whether the address is one of the operator's."""
        return not self._networks or is_within(address, self._networks)

    def knows(self, visit: Visit, fields: Callable[[], Fields], now: Instant) -> bool:
        """Whether the request is the operator's. `fields` may raise BadForm; then it is not."""
        try:
            return self._knows(visit, fields, now)
        except BadForm:
            return False

    def mark_of(self, visit: Visit, fields: Callable[[], Fields]) -> str:
        """The signature of a request that is known, by which it is known again; "" where that says nothing."""
        return self._signature_of(visit, fields) if self.recalls_ms else ""

    def _fault(self) -> str:
        table = self._table
        if table.kind in ("basic", "token", "hmac") and not self._secret:
            return f"{table.kind} needs a secret; give auth.secret, or a password of the link"
        if table.kind in ("token", "hmac") and bool(table.header) == bool(table.parameter):
            return f"{table.kind} needs to know where it is; give header or parameter, one of the two"
        if table.kind == "certificate" and not table.certificate:
            return "certificate needs a name in it or its SHA-256; give auth.certificate"
        if table.kind == "hmac":
            wrong = [one for one in table.signed if one not in _IN and not one.startswith(FIELD)]
            if wrong or not table.signed:
                what = wrong[0] if wrong else "an empty list"
                return f"signed: {what} cannot be signed; known are {', '.join(_IN)}, field:NAME"
            if "timestamp" in table.signed and not table.timestamp:
                return "a timestamp is signed; give the name of its field, auth.timestamp"
        return ""

    # --- the ways -----------------------------------------------------------------------------------------------------

    def _by_none(self, visit: Visit, fields: Callable[[], Fields], now: Instant) -> bool:
        return True

    def _by_basic(self, visit: Visit, fields: Callable[[], Fields], now: Instant) -> bool:
        scheme, _, rest = visit.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            user, _, password = b64decode(rest.strip(), validate=True).partition(b":")
        except (NotBase64, ValueError):
            return False
        known = hmac.compare_digest(user, self._user)
        return hmac.compare_digest(password, self._secret) and known

    def _by_token(self, visit: Visit, fields: Callable[[], Fields], now: Instant) -> bool:
        return hmac.compare_digest(_octets(self._shown(visit, fields)), self._secret)

    def _by_certificate(self, visit: Visit, fields: Callable[[], Fields], now: Instant) -> bool:
        wanted = self._table.certificate
        if not visit.certificate:
            return False
        plain = wanted.replace(":", "").lower()
        return hmac.compare_digest(_octets(plain), _octets(visit.fingerprint)) or wanted in _names(visit.certificate)

    def _by_hmac(self, visit: Visit, fields: Callable[[], Fields], now: Instant) -> bool:
        table = self._table
        stamp = ""
        if table.timestamp:
            stamp = self._stamp_of(visit, fields)
            if not self._is_timely(stamp, now):
                return False
        pieces = [
            _octets(fields().get(one[len(FIELD) :])) if one.startswith(FIELD) else self._piece(one, visit, stamp)
            for one in table.signed
        ]
        wanted = _signature(self._secret, _octets(table.joiner).join(pieces), table)
        return hmac.compare_digest(_octets(self._signature_of(visit, fields)), wanted)

    def _signature_of(self, visit: Visit, fields: Callable[[], Fields]) -> str:
        """As it is shown. Hex is written in small letters or in capitals."""
        shown = self._shown(visit, fields)
        return shown.lower() if self._table.encoding == "hex" else shown

    def _stamp_of(self, visit: Visit, fields: Callable[[], Fields]) -> str:
        """A time that is signed as a field is never taken from a header field, which anybody may add."""
        name = self._table.timestamp
        if name.startswith(FIELD):
            return fields().get(name[len(FIELD) :])
        return visit.headers.get(name.lower(), "") or fields().get(name)

    def _piece(self, name: str, visit: Visit, stamp: str) -> bytes:
        if name == "body":
            return visit.body
        if name == "query":
            return self._query_without(visit.query).encode("latin-1")
        return visit.path.encode("latin-1") if name == "path" else _octets({"method": visit.method}.get(name, stamp))

    def _query_without(self, query: str) -> str:
        """The query as it came, without the signature's own parameter."""
        own = self._table.parameter
        if not own:
            return query
        return "&".join(one for one in query.split("&") if one.partition("=")[0] != own)

    def _is_timely(self, stamp: str, now: Instant) -> bool:
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 14):
            return False
        at = int(stamp)
        at_ms = at if at >= _MS_FROM else at * SECOND_MS
        return not self._table.tolerance_s or abs(now - at_ms) <= self._table.tolerance_s * SECOND_MS

    def _shown(self, visit: Visit, fields: Callable[[], Fields]) -> str:
        table = self._table
        if table.parameter:
            return _of_query(visit.query, table.parameter) or fields().get(table.parameter)
        shown = visit.headers.get(table.header.lower(), "").strip()
        if not shown.startswith(table.prefix):
            return ""
        return shown[len(table.prefix) :].strip()


class Guesses:
    """Failures by network, by the minute; of so many networks at most."""

    def __init__(self) -> None:
        self._failures: dict[str, int] = {}
        self._since_ms = 0

    def too_many(self, network: str, now_ms: int) -> bool:
        """Whether it is not even looked at any more."""
        if now_ms - self._since_ms >= GUESS_MS:
            self._failures.clear()
            self._since_ms = now_ms
        return self._failures.get(network, 0) >= GUESSES_MAX

    def failed(self, network: str, now_ms: int) -> None:
        """It guessed wrong."""
        if network in self._failures or len(self._failures) < GUESSERS_MAX:
            self._failures[network] = self._failures.get(network, 0) + 1


class Signer:
    """What is added to a request of ours. Raises a ConfigError for what makes no sense together."""

    def __init__(self, link: Link, table: SignTable) -> None:
        self._table = table
        self._secret = link.password.encode()
        self._user = link.system_id
        if table.kind != "none" and not self._secret:
            raise ConfigError(f"link {link.name}: option submit.auth: {table.kind} needs a password of the link")
        wrong = [one for one in table.signed if one not in _IN]
        if table.kind == "hmac" and (wrong or not table.signed):
            raise ConfigError(
                f"link {link.name}: option submit.auth.signed: {wrong[0] if wrong else 'an empty list'} cannot be "
                f"signed; known are {', '.join(_IN)}"
            )

    def headers(self, *, method: str, path: str, query: str, body: bytes, now: Instant) -> list[tuple[str, str]]:
        """Header fields."""
        table = self._table
        if table.kind == "none":
            return []
        if table.kind == "basic":
            login = f"{self._user}:".encode() + self._secret
            return [("Authorization", f"Basic {b64encode(login).decode()}")]
        if table.kind == "token":
            return [(table.header, table.prefix + self._secret.decode())]
        stamp = str(now // SECOND_MS)
        known = {"query": query, "method": method, "path": path, "timestamp": stamp}
        pieces = [body if one == "body" else known[one].encode() for one in table.signed]
        signature = _signature(self._secret, table.joiner.encode().join(pieces), table)
        signed = [(table.header, table.prefix + signature.decode())]
        return [*signed, (table.timestamp, stamp)] if table.timestamp else signed


def _signature(secret: bytes, content: bytes, table: GateTable | SignTable) -> bytes:
    digest = hmac.new(secret, content, getattr(hashlib, table.algorithm)).digest()
    return digest.hex().encode() if table.encoding == "hex" else b64encode(digest)


def _of_query(query: str, name: str) -> str:
    """A parameter of the query, where the other fields are in a body."""
    try:
        found = parse_qs(query, max_num_fields=FIELDS_MAX, encoding="latin-1").get(name, [""])
    except ValueError:
        return ""
    return found[0].encode("latin-1").decode("utf-8", "replace") if len(found) == 1 else ""


def _names(certificate: Mapping[str, Any]) -> set[str]:
    """The names in a certificate, as ssl.getpeercert() gives it."""
    names = {value for kind, value in certificate.get("subjectAltName", ()) if kind in ("DNS", "IP Address", "URI")}
    for part in certificate.get("subject", ()):
        names |= {value for key, value in part if key == "commonName"}
    return names


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "replace")
