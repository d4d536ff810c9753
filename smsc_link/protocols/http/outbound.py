"""What we send: Mt → requests, and what the operator's answer to one means.

HttpWriter   one link's writer
Outgoing     one request of ours

Rule: parts_of() is what is counted, whichever way the operator wants a long text. An answer that says neither yes nor
no may have been a yes: a charged MT is not sent again.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from core.catalogue import Link
from core.clock import SECOND_MS, Instant
from core.errors import ConfigError
from core.message import Mt, SubmitAnswer, SubmitOutcome
from core.numbering import Numbers
from core.sms.alphabet import Alphabet, decode, encode
from core.sms.parts import count, split, with_header
from smsc_link.protocols.http.fields import BadForm, find, identity, plant, read_json
from smsc_link.protocols.http.options import AnswerTable, HttpOptions
from smsc_link.protocols.http.signing import Signer
from smsc_link.protocols.http.templates import BadTemplate, Template, as_header, as_is, as_query
from wire.smpp.message_ids import message_id_key

PLACES = (
    "source", "destination", "text", "text_hex", "octets_hex", "udh_hex", "id", "part", "parts", "reference", "coding",
    "validity_s", "validity_min", "receipt_url", "timestamp", "user", "password", "link",
)  # fmt: skip
_SHOWN_MAX = 60
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


class HttpWriter:
    """Writes what goes out of one link. Raises a ConfigError for a mapping that cannot be."""

    def __init__(self, link: Link, options: HttpOptions, numbers: Numbers) -> None:
        table = options.submit
        self.numbers = numbers
        self.link = link
        self._table = table
        path, _, query = table.path.partition("?")
        self._path = _template(link, "path", path)
        self._query = _template(link, "path", query)
        is_path = path.startswith("/") and path.isascii() and path.isprintable() and not set(path) & set(' #"<>')
        if table.path and not is_path:
            raise ConfigError(f"link {link.name}: option submit.path: {path!r} does not begin with / or is no path")
        self._parameters = [(name, _value(link, f"parameters.{name}", value)) for name, value in table.parameters]
        self._headers = [(name, _template(link, f"headers.{name}", str(value))) for name, value in table.headers]
        self._check(link, options)
        self._signer = Signer(link, table.auth)
        self._reading = Reading(link, table.answer)
        self._receipt_url = f"{options.public_url.rstrip('/')}/links/{link.name}/receipt" if options.public_url else ""

    def _check(self, link: Link, options: HttpOptions) -> None:
        table = self._table
        for name, _ in self._headers:
            if not name or not all(one.isascii() and (one.isalnum() or one in "-_.") for one in name):
                raise ConfigError(f"link {link.name}: option submit.headers: {name!r} is no name of a header field")
        used = self._path.names | self._query.names
        for _, value in (*self._parameters, *self._headers):
            used |= value.names if isinstance(value, Template) else frozenset()
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
        if table.method == "GET" and table.format != "query":
            raise ConfigError(f"link {link.name}: option submit.format: GET has no body; take query, or method POST")

    def parts_of(self, text: str) -> int:
        """How many SMS the text is. Raises TooLong."""
        return count(text)

    def write(self, mt: Mt, reference: int, now: Instant) -> list[Outgoing]:
        """The requests that carry a message. Raises ValueError for a text that has no form here."""
        if self._table.long == "whole" or (mt.parts == 1 and len(mt.text) <= 70):
            return [self._request(self._values(mt, now, mt.text, str(mt.id)), now)]
        cut = split(mt.text)
        if cut.parts == 1:
            return [self._request(self._values(mt, now, mt.text, str(mt.id)), now)]
        reference &= 0xFF
        requests = []
        for number, chunk in enumerate(cut.chunks, 1):
            values = self._values(mt, now, decode(chunk, cut.alphabet), f"{mt.id}-{number}", cut.alphabet)
            header = with_header(b"", reference=reference, total=cut.parts, sequence=number)
            values |= {"udh_hex": header.hex(), "part": str(number), "parts": str(cut.parts)}
            values["reference"] = str(reference)
            requests.append(self._request(values, now))
        return requests

    def submit_answer(self, request: Outgoing, status: int, body: bytes) -> SubmitAnswer:
        """What the operator says to a request."""
        return self._reading(request, status, body)

    def _values(self, mt: Mt, now: Instant, text: str, own: str, alphabet: Alphabet | None = None) -> dict[str, str]:
        septets = encode_or_none(text) if alphabet is not Alphabet.UCS2 else None
        left_s = max(1, (mt.valid_until - now) // SECOND_MS) if mt.valid_until else 0
        octets = septets if septets is not None else encode(text, Alphabet.UCS2)
        return {
            "source": mt.source,
            "destination": self.numbers.outbound(mt.destination),
            "text": text,
            "text_hex": encode(text, Alphabet.UCS2).hex(),
            "octets_hex": octets.hex(),
            "udh_hex": "",
            "id": own,
            "part": "",
            "parts": "",
            "reference": "",
            "coding": self._table.unicode_word if septets is None else self._table.gsm_word,
            "validity_s": str(left_s) if left_s else "",
            "validity_min": str(max(1, left_s // 60)) if left_s else "",
            "receipt_url": self._receipt_url,
            "timestamp": str(now // SECOND_MS),
            "user": self.link.system_id,
            "password": self.link.password,
            "link": self.link.name,
        }

    def _request(self, values: Mapping[str, str], now: Instant) -> Outgoing:
        table = self._table
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
        headers += self._signer.headers(method=table.method, path=path, query=query, body=body, now=now)
        target = f"{path}?{query}" if query else path
        return Outgoing(table.method, target, tuple(headers), body, values["id"])

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
    return "".join(one if one.isprintable() else "?" for one in word[:_SHOWN_MAX])


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _template(link: Link, name: str, text: str) -> Template:
    try:
        return Template(text, PLACES)
    except BadTemplate as error:
        raise ConfigError(f"link {link.name}: option submit.{name}: {error}") from error


def _value(link: Link, name: str, value: str | int | float | bool) -> Template | int | float | bool:
    return _template(link, name, value) if isinstance(value, str) else value


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
