"""What we send: Mt → requests, and what the operator's answer to one means.

HttpWriter   one link's writer
Outgoing     one request of ours
PLACES       what a template may name; only what one does is worked out

Rule: parts_of() is what is counted, whichever way the operator wants a long text. An answer that says neither yes nor
no may have been a yes: a charged MT is not sent again.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial

from core.catalogue import Link
from core.clock import MINUTE_MS, SECOND_MS, Instant
from core.errors import ConfigError
from core.message import Mt, SubmitAnswer, SubmitOutcome
from core.msisdn import mask_within
from core.numbering import Numbers
from core.sms.alphabet import Alphabet, decode, encode
from core.sms.parts import count, split, with_header
from smsc_link.protocols.http.fields import BadForm, find, identity, plant, read_json
from smsc_link.protocols.http.options import AnswerTable, HttpOptions, SubmitTable
from smsc_link.protocols.http.signing import Signer
from smsc_link.protocols.http.templates import BadTemplate, Template, as_header, as_is, as_query
from wire.smpp.message_ids import message_id_key

_SHOWN_MAX = 60
_READ_MAX = 4 * _SHOWN_MAX
"""Of which so many are shown: masks shorten a text, but never to a quarter."""
_TYPES = {"form": "application/x-www-form-urlencoded", "json": "application/json"}
_ACCEPTED = SubmitOutcome.ACCEPTED


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One request. `target` is path and query as they are sent; `key` our own id of it."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    key: str


@dataclass(frozen=True)
class _Chunk:
    """What one request carries: a message, or of `parts` parts the one of this `number`."""

    mt: Mt
    now: Instant
    text: str
    own: str
    alphabet: Alphabet | None = None
    number: int = 0
    parts: int = 0
    reference: int = 0

    @cached_property
    def septets(self) -> bytes | None:
        """None: the text goes as UCS-2."""
        return encode_or_none(self.text) if self.alphabet is not Alphabet.UCS2 else None

    @property
    def ucs2(self) -> bytes:
        return encode(self.text, Alphabet.UCS2)

    @property
    def header(self) -> bytes:
        return with_header(b"", reference=self.reference, total=self.parts, sequence=self.number) if self.parts else b""

    def left(self, unit_ms: int) -> str:
        """How long it is worth to be sent; "": for ever."""
        left_s = max(1, (self.mt.valid_until - self.now) // SECOND_MS)
        return str(max(1, left_s * SECOND_MS // unit_ms)) if self.mt.valid_until else ""

    def of_parts(self, number: int) -> str:
        """A number that only parts have."""
        return str(number) if self.parts else ""


_VALUES: Mapping[str, Callable[["HttpWriter", _Chunk], str]] = {
    "source": lambda writer, chunk: chunk.mt.source,
    "destination": lambda writer, chunk: writer.numbers.outbound(chunk.mt.destination),
    "text": lambda writer, chunk: chunk.text,
    "text_hex": lambda writer, chunk: chunk.ucs2.hex(),
    "octets_hex": lambda writer, chunk: (chunk.ucs2 if chunk.septets is None else chunk.septets).hex(),
    "udh_hex": lambda writer, chunk: chunk.header.hex(),
    "id": lambda writer, chunk: chunk.own,
    "part": lambda writer, chunk: chunk.of_parts(chunk.number),
    "parts": lambda writer, chunk: chunk.of_parts(chunk.parts),
    "reference": lambda writer, chunk: chunk.of_parts(chunk.reference),
    "coding": lambda writer, chunk: writer.words[chunk.septets is None],
    "validity_s": lambda writer, chunk: chunk.left(SECOND_MS),
    "validity_min": lambda writer, chunk: chunk.left(MINUTE_MS),
    "receipt_url": lambda writer, chunk: writer.receipt_url,
    "timestamp": lambda writer, chunk: str(chunk.now // SECOND_MS),
    "user": lambda writer, chunk: writer.link.system_id,
    "password": lambda writer, chunk: writer.link.password,
    "link": lambda writer, chunk: writer.link.name,
}
PLACES = tuple(_VALUES)


class HttpWriter:
    """Writes what goes out of one link. Raises a ConfigError for a mapping that cannot be."""

    def __init__(self, link: Link, options: HttpOptions, numbers: Numbers) -> None:
        table = options.submit
        self.numbers: Numbers = numbers
        self.link: Link = link
        self._table = table
        path, _, query = table.path.partition("?")
        self._path = _template(link, "path", path)
        self._query = _template(link, "path", query)
        is_path = path.startswith("/") and path.isascii() and path.isprintable() and not set(path) & set(' #"<>')
        if table.path and not is_path:
            raise ConfigError(f"link {link.name}: option submit.path: {path!r} does not begin with / or is no path")
        self._parameters = [(name, _value(link, f"parameters.{name}", value)) for name, value in table.parameters]
        self._headers = [(name, _template(link, f"headers.{name}", str(value))) for name, value in table.headers]
        self.words: tuple[str, str] = (table.gsm_word, table.unicode_word)
        """{coding} of a text that GSM 03.38 has, and of any other."""
        url = options.public_url.rstrip("/")
        self.receipt_url: str = f"{url}/links/{link.name}/receipt" if url else ""
        used = self._used()
        self._values = [(name, value) for name, value in _VALUES.items() if name in used]
        self._check(link, options, used)
        self._signer = Signer(link, table.auth)
        self._reading = Reading(link, table.answer)

    def _used(self) -> frozenset[str]:
        """The places that a template names."""
        used = self._path.names | self._query.names
        for _, value in (*self._parameters, *self._headers):
            used |= value.names if isinstance(value, Template) else frozenset()
        return used

    def _check(self, link: Link, options: HttpOptions, used: frozenset[str]) -> None:
        table = self._table
        for name, _ in self._headers:
            if not name or not all(one.isascii() and (one.isalnum() or one in "-_.") for one in name):
                raise ConfigError(f"link {link.name}: option submit.headers: {name!r} is no name of a header field")
        if "receipt_url" in used and not options.public_url:
            raise ConfigError(f"link {link.name}: option public_url: it is missing, and {{receipt_url}} needs it")
        if table.long == "parts" and not used & {"udh_hex", "part"}:
            raise ConfigError(
                f"link {link.name}: option submit.long: parts need a parameter with {{udh_hex}}, or with {{part}}, "
                "{parts} and {reference}"
            )
        if table.format == "json":
            try:
                tree = None
                for name, _ in self._parameters:
                    tree = plant(tree, name, "")
            except ValueError as error:
                raise ConfigError(f"link {link.name}: option submit.parameters: {name}: {error}") from error
        if options.receipt.id and table.path and link.bind != "receiver":
            _check_ids(link, table, used)
        if table.method == "GET" and table.format != "query":
            raise ConfigError(f"link {link.name}: option submit.format: GET has no body; take query, or method POST")

    def parts_of(self, text: str) -> int:
        """How many SMS the text is. Raises TooLong."""
        return count(text)

    def write(self, mt: Mt, reference: int, now: Instant) -> list[Outgoing]:
        """The requests that carry a message. Raises ValueError for a text that has no form here."""
        if self._table.long == "whole" or (mt.parts == 1 and len(mt.text) <= 70):
            return [self._request(_Chunk(mt, now, mt.text, str(mt.id)))]
        cut = split(mt.text)
        if cut.parts == 1:
            return [self._request(_Chunk(mt, now, mt.text, str(mt.id)))]
        chunks = [(number, decode(octets, cut.alphabet)) for number, octets in enumerate(cut.chunks, 1)]
        return [
            self._request(_Chunk(mt, now, text, f"{mt.id}-{number}", cut.alphabet, number, cut.parts, reference & 0xFF))
            for number, text in chunks
        ]

    def submit_answer(self, request: Outgoing, status: int, body: bytes) -> SubmitAnswer:
        """What the operator says to a request."""
        return self._reading(request, status, body)

    def _request(self, chunk: _Chunk) -> Outgoing:
        table = self._table
        values = {name: value(self, chunk) for name, value in self._values}
        path, query, body = self._path.fill(values, as_query), self._query.fill(values, as_query), b""
        if table.format == "json":
            body = self._json(values)
        else:
            pairs = self._encoded(values)
            if table.format == "form":
                body = pairs.encode("ascii")
            else:
                query = "&".join(filter(None, (query, pairs)))
        headers = [(name, value.fill(values, as_header)) for name, value in self._headers]
        if table.format in _TYPES and not any(name.lower() == "content-type" for name, _ in headers):
            headers.append(("Content-Type", _TYPES[table.format]))
        headers += self._signer.headers(method=table.method, path=path, query=query, body=body, now=chunk.now)
        target = f"{path}?{query}" if query else path
        return Outgoing(table.method, target, tuple(headers), body, chunk.own)

    def _filled(self, values: Mapping[str, str]) -> list[tuple[str, str | int | float | bool]]:
        """Names and values. One that is nothing but a place with nothing in it is left out."""
        filled: list[tuple[str, str | int | float | bool]] = []
        for name, value in self._parameters:
            if isinstance(value, Template):
                text = value.fill(values, as_is)
                if text or not value.names:
                    filled.append((name, text))
            else:
                filled.append((name, value))
        return filled

    def _encoded(self, values: Mapping[str, str]) -> str:
        escape = partial(as_query, charset=self._table.charset)
        return "&".join(f"{as_query(name)}={escape(_plain(value))}" for name, value in self._filled(values))

    def _json(self, values: Mapping[str, str]) -> bytes:
        tree = None
        for name, value in self._filled(values):
            tree = plant(tree, name, value)
        return json.dumps(tree or {}, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


class Reading:
    """What an operator's answers mean, by submit.answer. Raises a ConfigError."""

    def __init__(self, link: Link, table: AnswerTable) -> None:
        self._table = table
        name = f"link {link.name}: option submit.answer"
        self._accepted, self._throttled, self._temporary, self._permanent = (
            _statuses(f"{name}.{one}", getattr(table, one))
            for one in ("accepted_status", "throttled_status", "temporary_status", "permanent_status")
        )
        for one in ("word", "id"):
            path = getattr(table, one)
            if table.separator and path and not (path.isascii() and path.isdigit() and len(path) <= 2):
                raise ConfigError(f"{name}.{one}: with a separator it is the number of a field, from 0, not {path!r}")
        if table.accepted_words and not table.word:
            raise ConfigError(f"{name}.accepted_words: it needs word, the place of the word in the answer")
        self._field_of: Callable[[bytes, str], str] = self._text_field if table.separator else self._json_field

    def __call__(self, request: Outgoing, status: int, body: bytes) -> SubmitAnswer:
        """The outcome."""
        if status in self._throttled:
            return _said(SubmitOutcome.THROTTLED, status)
        if status in self._temporary:
            return _said(SubmitOutcome.TEMPORARY, status)
        if status in self._accepted:
            return self._accepted_by(request, status, body)
        if status in self._permanent:
            return _said(SubmitOutcome.PERMANENT, status)
        return _said(SubmitOutcome.UNANSWERED, status, "the answer says neither yes nor no")

    def _accepted_by(self, request: Outgoing, status: int, body: bytes) -> SubmitAnswer:
        table = self._table
        if table.prefix and not body.lstrip().startswith(table.prefix.encode()):
            return _said(SubmitOutcome.PERMANENT, status, f"the answer does not begin with {table.prefix!r}")
        try:
            if table.word:
                word = self._field_of(body, table.word)
                outcome = self._outcome_of(word)
                if outcome is not _ACCEPTED:
                    return _said(outcome, status, f"its word is {_shown(word)!r}")
            key = request.key if table.own_id else self._field_of(body, table.id) if table.id else ""
        except BadForm as error:
            return _said(SubmitOutcome.UNANSWERED, status, str(error))
        return SubmitAnswer(_ACCEPTED, identity(message_id_key(key)) if key else "")

    def _outcome_of(self, word: str) -> SubmitOutcome:
        table = self._table
        if word in table.throttled_words:
            return SubmitOutcome.THROTTLED
        if word in table.temporary_words:
            return SubmitOutcome.TEMPORARY
        return _ACCEPTED if word in table.accepted_words or not table.accepted_words else SubmitOutcome.PERMANENT

    def _text_field(self, body: bytes, place: str) -> str:
        fields = body.decode("utf-8", "replace").strip().split(self._table.separator)
        return fields[int(place)].strip() if int(place) < len(fields) else ""

    def _json_field(self, body: bytes, path: str) -> str:
        found = find(read_json(body), path)
        if isinstance(found, dict | list) or found is None:
            return ""
        return _plain(found)


def encode_or_none(text: str) -> bytes | None:
    """GSM septets; None where it lacks a character."""
    try:
        return encode(text, Alphabet.GSM7)
    except UnicodeEncodeError:
        return None


def _said(outcome: SubmitOutcome, status: int, why: str = "") -> SubmitAnswer:
    return SubmitAnswer(outcome, "", status, f"HTTP {status}" + (f": {why}" if why else ""))


def _shown(word: str) -> str:
    """Masked before it is cut: half a number would be none that could be told from others."""
    printable = "".join(one if one.isprintable() else "?" for one in word[:_READ_MAX])
    return mask_within(printable)[:_SHOWN_MAX]


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _template(link: Link, name: str, text: str) -> Template:
    try:
        return Template(text, PLACES)
    except BadTemplate as error:
        raise ConfigError(f"link {link.name}: option submit.{name}: {error}") from error


def _value(link: Link, name: str, value: str | int | float | bool) -> Template | int | float | bool:
    return _template(link, name, value) if isinstance(value, str) else value


def _check_ids(link: Link, table: SubmitTable, used: frozenset[str]) -> None:
    """Receipts are matched by an id alone: without one, all of them would wait for their messages in vain."""
    name = f"link {link.name}: option submit.answer"
    if table.answer.own_id:
        if "id" not in used:
            raise ConfigError(
                f"{name}.own_id: receipts are to bring back our id, and nothing that we send holds it; put {{id}} into "
                "submit.parameters, submit.headers or submit.path"
            )
    elif not table.answer.id:
        raise ConfigError(
            f"{name}.id: is missing: no receipt (receipt.id) would find its message; say where the operator's answer "
            "has the id, or set submit.answer.own_id = true where receipts bring back the {id} that we gave"
        )


def _statuses(name: str, text: str) -> frozenset[int]:
    """«200-299,302» as numbers."""
    found: set[int] = set()
    for one in filter(None, (one.strip() for one in text.split(","))):
        first, _, last = one.partition("-")
        try:
            low, high = int(first), int(last or first)
        except ValueError:
            low, high = 0, 0
        if not 100 <= low <= high <= 599:
            raise ConfigError(f"{name}: {one!r} is no status; write them like 200-299,302")
        found |= set(range(low, high + 1))
    return frozenset(found)
