"""Who is who between an operator and a link, on the operator's side. No I/O.

Showing      what the operator adds to a call of its own: login, token, signature
is_same      whether two secrets are one
is_link      whether a request is the link's, or what is wrong with what it shows

Rule: secrets are compared in constant time, and stand in no sentence.
"""

import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence

from core.clock import SECOND_MS, Instant
from sim.aggregator.exchange import Asked, Call
from sim.aggregator.mapping import Mapping, ProofTable
from sim.aggregator.names import Named, named, write_pairs

_FIELD = "field:"


class Showing:
    """What the operator shows, by the link's table `auth`."""

    def __init__(self, mapping: Mapping) -> None:
        self._table = mapping.auth
        self._secret = mapping.auth.secret or mapping.password
        self._user = mapping.auth.user or mapping.system_id

    def fields(self, now: Instant) -> list[Named]:
        """What stands among the fields of a call: a token, the time."""
        table, found = self._table, []
        if table.kind == "token" and table.parameter:
            found.append(named(table.parameter, self._secret))
        if self._has_stamp and (table.parameter or self._is_field):
            found.append(named(table.timestamp.removeprefix(_FIELD), _stamp(now)))
        return found

    def add(self, call: Call, fields: Sequence[Named], now: Instant) -> Call:
        """The call with what shows who it is; `fields` are those that it holds."""
        table = self._table
        if table.kind == "basic":
            login = b64encode(f"{self._user}:{self._secret}".encode()).decode()
            return call.with_headers(("Authorization", f"Basic {login}"))
        if table.kind == "token" and table.header:
            return call.with_headers((table.header, self._prefixed(self._secret)))
        return self._sign(call, fields, now) if table.kind == "hmac" else call

    @property
    def _has_stamp(self) -> bool:
        return self._table.kind == "hmac" and bool(self._table.timestamp)

    @property
    def _is_field(self) -> bool:
        return self._table.timestamp.startswith(_FIELD)

    def _sign(self, call: Call, fields: Sequence[Named], now: Instant) -> Call:
        table = self._table
        values = {one.name: one.text for one in fields}
        known = {"method": call.method, "path": call.path, "query": call.query, "timestamp": _stamp(now)}
        pieces = [
            call.body
            if one == "body"
            else values.get(one.removeprefix(_FIELD), "").encode()
            if one.startswith(_FIELD)
            else known[one].encode()
            for one in table.signed
        ]
        signature = _signature(self._secret, table.joiner.encode().join(pieces), table)
        if table.parameter:
            # The link leaves it out of the query that it checks.
            query = "&".join(filter(None, (call.query, write_pairs([named(table.parameter, signature)]))))
            return call.with_query(query)
        stamp = ((table.timestamp, _stamp(now)),) if self._has_stamp and not self._is_field else ()
        return call.with_headers((table.header, self._prefixed(signature)), *stamp)

    def _prefixed(self, shown: str) -> str:
        prefix = self._table.prefix
        return f"{prefix} {shown}" if prefix[-1:].isalnum() else prefix + shown


def is_link(mapping: Mapping, asked: Asked) -> str:
    """What is wrong with what a request shows; "" where it is the link's."""
    table = mapping.submit.auth
    if table.kind == "none":
        return ""
    shown = asked.headers.get("authorization" if table.kind == "basic" else table.header.lower(), "")
    if not shown:
        return f"submit.auth: the header field {table.header if table.kind != 'basic' else 'Authorization'} is missing"
    if table.kind == "basic":
        known = is_same(_decoded(shown), f"{mapping.system_id}:{mapping.password}")
        return "" if known else "submit.auth: this is not the link's system_id and password"
    if not shown.startswith(table.prefix):
        return f"submit.auth: {table.header} does not begin with {table.prefix!r}"
    shown = shown[len(table.prefix) :]
    if table.kind == "token":
        return "" if is_same(shown, mapping.password) else "submit.auth: this is not the link's password"
    stamp = asked.headers.get(table.timestamp.lower(), "") if table.timestamp else ""
    known_pieces = {"method": asked.method, "path": asked.path, "query": asked.query, "timestamp": stamp}
    pieces = [asked.body if one == "body" else known_pieces[one].encode("latin-1") for one in table.signed]
    wanted = _signature(mapping.password, table.joiner.encode().join(pieces), table)
    return "" if is_same(shown, wanted) else "submit.auth: the signature is not one by the link's password"


def _signature(secret: str, content: bytes, table: ProofTable) -> str:
    digest = hmac.new(secret.encode(), content, getattr(hashlib, table.algorithm)).digest()
    return digest.hex() if table.encoding == "hex" else b64encode(digest).decode()


def _decoded(shown: str) -> str:
    try:
        return b64decode(shown.partition(" ")[2].strip(), validate=True).decode("utf-8", "replace")
    except ValueError:
        return ""


def is_same(one: str, other: str) -> bool:
    """In constant time."""
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def _stamp(now: Instant) -> str:
    return str(now // SECOND_MS)
