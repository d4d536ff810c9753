"""What a field of a request or an answer is, by a link's declared mapping: what a trace may show of it. No I/O.

Kind       what it is; of one name with two the stronger holds
Names      the fields of one place (query, form, JSON) → their kinds
Mapped     one link's: what comes in, what goes out, what is answered, which header fields are what

Rule: what the mapping does not name is UNKNOWN. A constant of the mapping may be a key of the operator's.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import IntEnum
from urllib.parse import unquote_plus

from core.catalogue import Link
from smsc_link.protocols.http.adapter import RECEIPT
from smsc_link.protocols.http.dialogue import TAIL as USSD
from smsc_link.protocols.http.options import AnswerTable, HttpOptions, MoTable, ReceiptTable
from smsc_link.protocols.http.outbound import PLACES
from smsc_link.protocols.http.templates import Template

KEY_LEAST = 8
"""A constant, or a piece of a header field, of fewer letters is looked for nowhere else: it may be any word."""


class Kind(IntEnum):
    """From what is shown to what never is."""

    CODE = 1
    """An id, a word, a number that counts."""
    CONSTANT = 2
    """Stands so in the mapping: shown where it is plainly technical, and hidden with texts too where not."""
    HEADER = 3
    """A user data header in hex."""
    NAME = 4
    """A subscriber's number, or a name in its place."""
    NUMBER = 5
    TEXT = 6
    UNKNOWN = 7
    """Hidden, with texts too."""
    SECRET = 8


class Names:
    """The fields of one place. `other` is what those are that nothing names."""

    def __init__(self, *tables: tuple[str, Mapping[str, Kind]], other: Kind = Kind.UNKNOWN) -> None:
        self._tables = [(each, kinds, _steps_to(*kinds)) for each, kinds in tables]
        self._lists = _steps_to(*filter(None, (each for each, _ in tables)))
        self._other = other

    def __bool__(self) -> bool:
        return bool(self._tables)

    def of(self, path: str) -> Kind:
        """What the field is; of JSON by its path, steps joined by dots."""
        found = [kinds[name] for each, kinds, _ in self._tables if (name := _within(each, path)) in kinds]
        if found:
            return max(found)
        is_hidden = self._other is Kind.UNKNOWN or _LIKE_SECRETS.search(path)
        return Kind.UNKNOWN if is_hidden else self._other

    def knows(self, path: str) -> bool:
        """Whether the mapping names it, or something inside it."""
        return path in self._lists or any(_within(each, path) in steps for each, _, steps in self._tables)


def _steps_to(*paths: str) -> frozenset[str]:
    """The paths, and what is on the way to them: for «user.from» «user» too."""
    steps = [path.split(".") for path in paths]
    return frozenset(".".join(one[: count + 1]) for one in steps for count in range(len(one)))


def _within(each: str, path: str) -> str:
    """The path inside an entry of a list; "" where it is not in one."""
    if not each:
        return path
    head, rest = path[: len(each) + 1], path[len(each) + 1 :]
    number, _, inner = rest.partition(".")
    return inner if head == f"{each}." and number.isdigit() else ""


_PLACES: Mapping[str, Kind] = {
    "text": Kind.TEXT,
    "text_hex": Kind.TEXT,
    "octets_hex": Kind.TEXT,
    "udh_hex": Kind.HEADER,
    "source": Kind.NAME,
    "destination": Kind.NUMBER,
    "password": Kind.SECRET,
}
_LIKE_SECRETS = re.compile("pass|pwd|token|secret|key|sign|auth|hmac|cred", re.IGNORECASE)
# Of a path: words, versions, short numbers. What is longer, or mixes letters and digits, may be a key.
_SEGMENT = re.compile(r"[A-Za-z]{0,16}(?:[-_.][A-Za-z]{1,16}){0,3}|[vV]?[0-9]{1,3}(?:\.[0-9]{1,2}){0,2}")
_BEFORE_NUMBERS = ("", "+", "00", "tel:", "tel:+")
# What gateways call these; their shapes are code, not a mapping (smsc_link/ussd_shapes/).
_USSD: Mapping[str, Kind] = {
    **dict.fromkeys(
        ("sessionId", "SESSIONID", "SessionId", "sessionID", "SessionID", "transactionId", "Type", "Sequence",
         "MSGTYPE", "opCode", "ABORT", "response", "status", "clean", "DataType", "FieldType"),
        Kind.CODE,
    ),
    **dict.fromkeys(("phoneNumber", "MSISDN", "Mobile", "msisdn"), Kind.NUMBER),
    **dict.fromkeys(
        ("text", "input", "INPUT", "Message", "USERDATA", "MSG", "ussdRequestString", "serviceCode", "ServiceCode",
         "USSDCODE", "ussdServiceCode", "networkCode"),
        Kind.TEXT,
    ),
}  # fmt: skip


def kind_of(value: str | float | bool) -> Kind:
    """What stands where the mapping has this."""
    template = Template(str(value), PLACES)
    if not template.names:
        return Kind.CONSTANT
    kinds = {_PLACES.get(name, Kind.CODE) for name in template.names}
    if len(template.names) == 1:
        (name,), (kind,) = template.names, kinds
        before, found, after = template.text.partition(f"{{{name}}}")
        if found and not after and before in (_BEFORE_NUMBERS if kind is Kind.NUMBER else ("",)):
            return kind
    # More than a place: what stands around it may be a key, as in a URL with one.
    return Kind.TEXT if Kind.TEXT in kinds and Kind.SECRET not in kinds else Kind.SECRET


class Mapped:
    """One link's mapping, as its traces see it."""

    def __init__(self, link: Link, options: HttpOptions) -> None:
        self._options = options
        self._mo, self._receipt = _mo_of(options.mo), _receipt_of(options.receipt)
        auth = options.auth
        of_auth = {auth.parameter: Kind.SECRET, auth.timestamp: Kind.CODE}
        self._auth = {name: kind for name, kind in of_auth.items() if name}
        self.answer: AnswerTable = options.submit.answer
        self.words: frozenset[str] = frozenset(
            (*self.answer.accepted_words, *self.answer.throttled_words, *self.answer.temporary_words)
        )
        """Words of answers that the mapping itself has."""
        told = {name: Kind.CODE for name in (self.answer.word, self.answer.id) if name}
        self.told = Names(("", told), other=Kind.TEXT)
        """An answer in JSON. What else it holds is no secret but an echo of ours, which is looked for."""
        self.ussd = Names(("", {**_USSD, **self._auth}))
        self.screens = Names(("", _USSD), other=Kind.TEXT)
        self.headers: Mapping[str, Kind] = {
            **{name.lower(): kind_of(value) for name, value in options.submit.headers},
            **{one.timestamp.lower(): Kind.CODE for one in (auth, options.submit.auth) if one.timestamp},
            **{one.header.lower(): Kind.SECRET for one in (auth, options.submit.auth) if one.header},
        }
        """By name in small letters."""
        self._submit()

    def asked(self, tail: str, form: str) -> Names:
        """The fields that an operator's request has there: `query`, `form` or `json`. Nothing: it has none there."""
        if tail.partition("/")[0] == USSD:
            return self.ussd
        tables = [one for one in self._tables_of(tail) if one[0] == form]
        given = [(each, {**kinds, **self._auth}) for _, each, kinds in tables]
        if form == "query":
            given.append(("", self._auth))
        return Names(*given)

    def secrets_of(self, headers: Iterable[tuple[str, str]]) -> Iterator[str]:
        """The secrets in header fields of ours: whole, and behind what stands before them."""
        for name, value in headers:
            if self.headers.get(name.lower()) is Kind.SECRET:
                pieces = {value, value.removeprefix(self._options.submit.auth.prefix), value.rpartition(" ")[2]}
                yield from (one for one in pieces if len(one) >= KEY_LEAST)

    def _tables_of(self, tail: str) -> list[tuple[str, str, Mapping[str, Kind]]]:
        mo, receipt = self._options.mo, self._options.receipt
        receipts = [(receipt.format, receipt.each, self._receipt)] if receipt.id else []
        if tail == RECEIPT:
            return receipts
        return [(mo.format, mo.each, self._mo), *(receipts if receipt.mark else [])] if tail == "" else []

    def _submit(self) -> None:
        """What we send: where its parameters are, its query, its path by segments."""
        table = self._options.submit
        given = {name: kind_of(value) for name, value in table.parameters}
        path, _, query = table.path.partition("?")
        in_query = {name: kind_of(value) for name, value in _pairs(query)}
        self.form: str = table.format
        self.sent_query = Names(("", {**in_query, **(given if table.format == "query" else {})}))
        self.sent_body = Names(("", given if table.format != "query" else {}))
        # A place is escaped with its slashes, so segments stay segments.
        self.segments = tuple(_segment_kind(one) for one in path.split("/"))
        named = [*table.parameters, *table.headers, *((name, unquote_plus(value)) for name, value in _pairs(query))]
        self.keys: tuple[str, ...] = tuple(
            key for name, value in named if _LIKE_SECRETS.search(name) for key in _keys_of(str(value))
        )
        """Of constants whose names say that they are secrets."""


def _segment_kind(segment: str) -> Kind:
    """What a segment of our own path is; of one without a place, whether it is plainly technical."""
    if "{" in segment:
        return kind_of(segment)
    return Kind.CODE if _SEGMENT.fullmatch(segment) else Kind.UNKNOWN


def _pairs(query: str) -> list[tuple[str, str]]:
    """Of a query of the mapping's: names that are plain, and their values."""
    pairs = [one.partition("=") for one in query.split("&")]
    return [(unquote_plus(name), value) for name, _, value in pairs if "{" not in name]


def _keys_of(value: str) -> Iterator[str]:
    """The constant, and what stands behind a word like Bearer. Short ones and plain words are no keys."""
    pieces = {value, value.rpartition(" ")[2]} if "{" not in value else set()
    yield from (one for one in pieces if len(one) >= KEY_LEAST and not _SEGMENT.fullmatch(one))


def _mo_of(table: MoTable) -> Mapping[str, Kind]:
    codes = (table.id, table.coding, table.reference, table.part, table.parts)
    return _strongest(
        *((name, Kind.CODE) for name in codes),
        (table.source, Kind.NUMBER),
        (table.destination, Kind.NUMBER),
        (table.udh, Kind.HEADER),
        (table.text, Kind.TEXT),
    )


def _receipt_of(table: ReceiptTable) -> Mapping[str, Kind]:
    codes = (table.id, table.state, table.error, table.mark)
    return _strongest(*((name, Kind.CODE) for name in codes), (table.number, Kind.NUMBER))


def _strongest(*given: tuple[str, Kind]) -> dict[str, Kind]:
    found: dict[str, Kind] = {}
    for name, kind in given:
        if name:
            found[name] = max(kind, found.get(name, kind))
    return found
