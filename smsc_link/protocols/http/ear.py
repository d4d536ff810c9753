"""A trace's ear at a link over HTTP: each request and its answer → two messages for others' eyes, of one connection.

HttpEar    one link's, for one trace: calls, a request of the operator (smsc_link/visits.py, Ear); sends, one of ours
Hearing    a request of the operator, until our answer has left
Sending    a request of ours, until its answer is whole

A message is written as it was understood: a body in pieces is whole, its length is what is written here. A body that
cannot be masked for sure, or that no dissector would take for what its Content-Type says, is left out and counted. So
is a long one of a caller who was refused: masking is work of the loop, which a stranger could ask for.

Rule: nothing here raises, and nothing of a message is logged: what fails is left out.
"""

import json
from collections.abc import Callable, Iterable
from functools import partial
from http import HTTPStatus
from typing import Any, Concatenate, ParamSpec, TypeVar

from structlog import get_logger

from core.catalogue import Link
from smsc_link.keeping import Ends, Notes
from smsc_link.protocols.http.adapter import RECEIPT
from smsc_link.protocols.http.dialogue import TAIL as USSD
from smsc_link.protocols.http.inbound import Filled
from smsc_link.protocols.http.kinds import Kind, Mapped, Names
from smsc_link.protocols.http.masking import (
    Header,
    Secrets,
    Veil,
    mask_headers,
    mask_json,
    mask_pairs,
    mask_path,
    mask_text,
)
from smsc_link.protocols.http.options import HttpOptions
from smsc_link.protocols.http.outbound import Outgoing
from smsc_link.visits import Asked, VisitAnswer

log = get_logger()

LEFT_OUT = b"X-Trace-Left-Out"
"""Not of the message: how many octets of a body are not in the trace."""
AT_ONCE_MAX = 4096
"""A request with a longer body is noted when it is answered: by then it is known whose it is."""
_REFUSALS = (401, 404, 405, 429)
"""Statuses with which a link refuses a caller (reception.py)."""
_METHODS = frozenset(("GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "PATCH"))
_FORM, _JSON, _PLAIN, _HTML = "application/x-www-form-urlencoded", "json", "text/plain", "text/html"
_NO_BODY = (204, 304)
_PLACES = {"text": Kind.TEXT, "source": Kind.NUMBER, "destination": Kind.NUMBER, "id": Kind.CODE}
P = ParamSpec("P")
Of = TypeVar("Of", "Hearing", "Sending")


def _harmless(does: Callable[Concatenate[Of, P], None]) -> Callable[Concatenate[Of, P], None]:
    """What fails in a trace must not hurt the link."""

    def tried(self: Of, /, *given: P.args, **named: P.kwargs) -> None:
        if self.notes.is_over:
            return
        try:
            does(self, *given, **named)
        except Exception as error:
            # Without the traceback's frames: they hold the message.
            log.error("message not traced", reason=type(error).__name__)
            self.notes.leave_out()

    return tried


class HttpEar:
    """One link's."""

    def __init__(self, link: Link, options: HttpOptions, notes: Notes) -> None:
        self.name = link.name
        self.notes = notes
        self.mapped = Mapped(link, options)
        values = (link.password, options.auth.secret, options.ussd_gateway.secret, *self.mapped.keys)
        self._secrets = Secrets(values, (link.system_id, options.auth.user))
        self._words = self.mapped.words

    def calls(self, asked: Asked) -> "Hearing":
        """A request of the operator begins."""
        return Hearing(self, asked)

    def sends(self, request: Outgoing) -> "Sending":
        """A request of ours begins."""
        return Sending(self, request)

    def veil(self) -> Veil:
        """For a request and its answer: a number of the one is hidden in the other too."""
        return Veil(self._secrets, self._words, texts=self.notes.texts)


class Message:
    """One message on its way into the trace."""

    def __init__(self, ear: HttpEar, first: bytes, headers: Iterable[Header], veil: Veil) -> None:
        self._notes = ear.notes
        self._first = first
        self._headers = mask_headers(headers, ear.mapped.headers, veil)
        given = [value for name, value in self._headers if name.lower() == b"content-type"]
        self.media = given[0].decode("latin-1").partition(";")[0].strip().lower() if len(given) == 1 else ""
        """Of its Content-Type; "" where it has none, or two."""
        self._is_told = len(given) <= 1

    def write(self, body: bytes, masked: bytes | None) -> bytes:
        """The whole of it. `masked` None: it could not be masked for sure."""
        if body and (masked is None or not self._is_told):
            self._notes.leave_out()
            self._headers.append((LEFT_OUT, b"%d" % len(body)))
            masked = b""
        masked = masked or b""
        if masked or not self._first.startswith((b"GET ", b"HEAD ")):
            self._headers.append((b"Content-Length", b"%d" % len(masked)))
        return self._first + b"".join(b"\r\n%s: %s" % one for one in self._headers) + b"\r\n\r\n" + masked

    def form(self, body: bytes, names: Names, veil: Veil) -> bytes | None:
        """A body with names and values."""
        return mask_pairs(body, names, veil) if self.media in ("", _FORM, _PLAIN) else None

    def json(self, body: bytes, names: Names, veil: Veil) -> bytes | None:
        """A body of JSON."""
        is_its = self.media in ("", _FORM, _PLAIN) or _JSON in self.media
        return mask_json(body, names, veil) if is_its else None

    def text(self, body: bytes, masked: bytes) -> bytes | None:
        """A body of text: stars are no JSON, and no XML."""
        return masked if self.media in ("", _PLAIN, _HTML) or masked == body else None


class Hearing:
    """One request of the operator."""

    def __init__(self, ear: HttpEar, asked: Asked) -> None:
        self.notes = ear.notes
        self._ear = ear
        self._asked = asked
        self._veil = ear.veil()
        self._tail = ""
        self._body = b""
        self._is_noted = False

    @_harmless
    def asked(self, body: bytes) -> None:
        """It is whole."""
        self._body = body
        if len(body) <= AT_ONCE_MAX:
            self._note_request()

    @_harmless
    def answered(self, answer: VisitAnswer, *, has_left: bool) -> None:
        """What we said; a request whose body nobody read is there without it."""
        if not self._is_noted:
            self._note_request(is_refused=not isinstance(answer, Filled) and answer.status in _REFUSALS)
        if not has_left:
            self.notes.end(self._asked.ends)
            return
        headers = [(name.encode(), value.encode("latin-1", "replace")) for name, value in answer.headers]
        kind = (b"Content-Type", answer.content_type.encode("latin-1", "replace"))
        fields = [(b"Server", b"Tollbridge"), kind, *headers]
        message = Message(self._ear, _status(answer.status), fields, self._veil)
        has_body = self._asked.method != "HEAD" and answer.status not in _NO_BODY
        body = answer.body if has_body else b""
        written = message.write(body, self._masked(message, answer, self._veil) if body else b"")
        self.notes.note(self._asked.ends, written, ours=True, by_peer=True)

    def _note_request(self, *, is_refused: bool = False) -> None:
        self._is_noted = True
        asked, veil, mapped, body = self._asked, self._veil, self._ear.mapped, self._body
        path, mark, query = asked.target.partition(b"?")
        self._tail = _tail_of(path)
        shown = mask_path(path, self._segments(path), veil) if path.startswith(b"/") else b"/" + b"*" * len(path)
        target = shown + mark + mask_pairs(query, mapped.asked(self._tail, "query"), veil)
        message = Message(self._ear, _line(asked.method, target), asked.headers, veil)
        written = message.write(body, None if is_refused else self._masked_request(message, body, veil))
        self.notes.note(asked.ends, written, ours=False, by_peer=True)

    def _segments(self, path: bytes) -> list[Kind]:
        """«/links/NAME/receipt»: what is shown of it."""
        known = (b"", b"links", self._ear.name.encode(), self._tail.partition("/")[0].encode())
        tails = (b"", RECEIPT.encode(), USSD.encode())
        parts = path.split(b"/")[: len(known)]
        is_known = [part == one for part, one in zip(parts, known, strict=False)]
        if len(parts) == len(known):
            is_known[-1] = parts[-1] in tails
        return [Kind.CODE if one else Kind.UNKNOWN for one in is_known]

    def _masked_request(self, message: Message, body: bytes, veil: Veil) -> bytes | None:
        mapped = self._ear.mapped
        for form, mask in ((_JSON, message.json), ("form", message.form)):
            names = mapped.asked(self._tail, form)
            if names and (masked := mask(body, names, veil)) is not None:
                return masked
        return None

    def _masked(self, message: Message, answer: VisitAnswer, veil: Veil) -> bytes | None:
        mapped, body = self._ear.mapped, answer.body
        if isinstance(answer, Filled) and answer.said is not None:
            shown = answer.said.shown(answer.values, partial(_place, veil))
            if veil.secrets.are_in(shown) or (_JSON in message.media and not _is_json(shown)):
                return None
            return shown
        if self._tail.partition("/")[0] == USSD and answer.status == HTTPStatus.OK:
            if _JSON in message.media:
                return mask_json(body, mapped.screens, veil)
            return message.text(body, mask_text(body, "", (), veil))
        return body  # A sentence of ours, which repeats nothing.


class Sending:
    """One request of ours."""

    def __init__(self, ear: HttpEar, request: Outgoing) -> None:
        self.notes = ear.notes
        self._ear = ear
        self._request = request
        self._veil = ear.veil()
        self._ends: Ends | None = None
        self._is_answered = False

    @_harmless
    def leaves(self, transport: Any, headers: Iterable[tuple[str, str]]) -> None:
        """It goes over this connection."""
        ours, theirs = (transport.get_extra_info(name) or ("", 0) for name in ("sockname", "peername"))
        self._ends = (ours[:2], theirs[:2])
        request, veil, mapped = self._request, self._veil, self._ear.mapped
        # Who is asked may repeat what it was asked with, a signature too.
        veil.secrets = veil.secrets.and_of(Secrets(mapped.secrets_of(request.headers)))
        path, mark, query = request.target.encode("utf-8", "replace").partition(b"?")
        target = mask_path(path, mapped.segments, veil) + mark + mask_pairs(query, mapped.sent_query, veil)
        fields = [(name.encode(), value.encode("utf-8", "replace")) for name, value in headers]
        message = Message(self._ear, _line(request.method, target), fields, veil)
        mask = message.json if mapped.form == _JSON else message.form
        written = message.write(request.body, mask(request.body, mapped.sent_body, veil))
        self.notes.note(self._ends, written, ours=True, by_peer=False)

    @_harmless
    def answered(self, status: int, headers: Iterable[Header], body: bytes) -> None:
        """What the operator said, whole."""
        self._is_answered = True
        if self._ends is None:
            return
        veil, table = self._veil, self._ear.mapped.answer
        message = Message(self._ear, _status(status), headers, veil)
        masked = None if table.separator else message.json(body, self._ear.mapped.told, veil)
        if masked is None:
            masked = message.text(body, mask_text(body, table.separator, (table.word, table.id), veil))
        written = message.write(b"" if status in _NO_BODY else body, masked)
        self.notes.note(self._ends, written, ours=False, by_peer=False)

    @_harmless
    def over(self) -> None:
        """Nothing more comes."""
        if self._ends is not None and not self._is_answered:
            self.notes.end(self._ends)


def _line(method: str, target: bytes) -> bytes:
    shown = method if method in _METHODS else "*" * len(method)
    return b"%s %s HTTP/1.1" % (shown.encode(), target)


def _status(status: int) -> bytes:
    """In our own words: those that came may repeat something."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Other"
    return f"HTTP/1.1 {status} {phrase}".encode()


def _tail_of(path: bytes) -> str:
    """What stands behind the link's name."""
    return "/".join(path.decode("latin-1").split("/")[3:])


def _place(veil: Veil, name: str, raw: bytes, plain: bytes) -> bytes:
    """What is shown of a place in an answer of ours. A reason repeats nothing of what came."""
    return raw if name == "reason" else veil(_PLACES.get(name, Kind.TEXT), raw, plain)


def _is_json(octets: bytes) -> bool:
    try:
        json.loads(octets)
    except (ValueError, RecursionError):
        return False
    return True
