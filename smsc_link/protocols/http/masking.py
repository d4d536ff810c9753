"""Requests and answers for others' eyes: queries, forms, JSON, paths and header fields without what they may not show.

Secrets    what is never shown of a link, in the spellings that HTTP has for it
Veil       one exchange's: a value and its kind → what is shown of it
mask_pairs, mask_json, mask_path, mask_headers, mask_text   places of a message

What is hidden is stars, as many as there were octets, so that what remains is where it was; a number of JSON is a
string then. A field that stands twice is hidden: which of them is meant nobody knows.

Rule: bytes in, bytes out, no I/O. What a function here does not know, it hides; None: it cannot be masked for sure.
"""

import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import unescape
from itertools import islice
from urllib.parse import unquote_to_bytes

from smsc_link.protocols.http.fields import FIELDS_MAX
from smsc_link.protocols.http.kinds import Kind, Names
from wire import masking
from wire.masking import stars

Header = tuple[bytes, bytes]

DEPTH_MAX = 32
"""Of JSON: the mapping's paths have a few steps."""
TOKENS_MAX = 16_000
"""Of JSON: a thousand messages have fewer. Masking is work of the loop."""
PATH_MAX = 256
"""Of JSON, in letters: each token has its path."""
TAIL = 8
"""A number is known by so many of its last digits: one may have the country's code, another a zero in its place."""
CHARSETS = ("utf-8", "latin-1", "cp1251", "utf-16-be")
"""In which a link may write."""
SECRET_LEAST = 4
"""A secret of fewer octets is looked for as a whole value only: one digit stands everywhere."""

_CODE = re.compile(rb"[A-Za-z0-9_.:+/=@-]{0,80}")
_TECHNICAL = re.compile(
    rb"[0-9]{0,3}|true|false|yes|no|sms|text|json|xml|plain|unicode|binary|gsm-?7?|ucs-?2|ascii|"
    rb"utf-?(?:8|16|16be)|iso-8859-1|latin-?1|windows-1251|cp1251",
    re.IGNORECASE,
)
_NUMBER = re.compile(rb"((?:\+|%2[Bb]|%20| |tel:|tel%3[Aa])*)([0-9]{1,20})")
_RUN = re.compile(rb"[0-9]{7,}")
"""A subscriber's number may be in it; shorter ones are short codes, and shown."""
_NO_DIGITS = re.compile(rb"[^0-9]+")
_NAME = re.compile(rb"[A-Za-z0-9_.\[\]-]{1,40}")
# White space is passed over by the search itself: a pattern that began with it would try anew from each blank.
_TOKEN = re.compile(r'("(?:[^"\\]|\\.)*")|([^\s\[\]{},:"]+)|([\[\]{},:])')
_WORDS = frozenset(("true", "false", "null"))
_FIELD_VALUE = re.compile(rb"[ -~]{0,256}")
_FIELD_NAME = re.compile(rb"[A-Za-z0-9_-]{1,64}")
_SCHEMES = re.compile(rb"(?:basic|bearer|digest|token|hmac|signature) ", re.IGNORECASE)
# Those that say how a message goes, and nothing of what it is about.
_PLAIN_FIELDS = frozenset(
    ("host", "content-type", "accept", "accept-charset", "accept-encoding", "accept-language", "user-agent", "date",
     "server", "connection", "keep-alive", "retry-after", "allow", "cache-control", "via", "x-forwarded-for",
     "x-forwarded-proto", "expect", "freeflow", "charge", "amount")
)  # fmt: skip
# A body is written whole, as it was understood: what said how it came would not be true of it.
_OF_TRANSFER = frozenset(("content-length", "transfer-encoding", "content-encoding", "trailer", "te", "upgrade"))


class Secrets:
    """What is never shown: passwords, tokens, keys, and logins made of them."""

    def __init__(self, values: Iterable[str], users: Iterable[str] = ()) -> None:
        plain = {octets for one in values if one for octets in _in_charsets(one)}
        logins = {octets + b":" + one for user in users for octets in _in_charsets(user) for one in plain}
        spelled = set(plain)
        for encode in (b64encode, urlsafe_b64encode):
            spelled |= {encode(one).rstrip(b"=") for one in plain | logins}
        spelled |= {one.hex().encode() for one in plain} | {one.hex().upper().encode() for one in plain}
        self._long = tuple(sorted((one for one in spelled if len(one) >= SECRET_LEAST), key=len))
        self._short = frozenset(plain)

    def and_of(self, others: "Secrets") -> "Secrets":
        """Both."""
        both = Secrets(())
        both._long = tuple(sorted({*self._long, *others._long}, key=len))
        both._short = self._short | others._short
        return both

    def are_in(self, *forms: bytes) -> bool:
        """Whether one of them is in one of the forms of a value."""
        return any(self._is_in(one) for form in forms for one in _spellings(form))

    def _is_in(self, octets: bytes) -> bool:
        if octets in self._short:
            return True
        for one in self._long:
            if len(one) > len(octets):
                return False  # Nor any that is longer still.
            if one in octets:
                return True
        return False


def _in_charsets(text: str) -> set[bytes]:
    """As it is written in each charset that has its letters."""
    found = {text.encode("utf-8", "replace")}
    for charset in CHARSETS:
        try:
            found.add(text.encode(charset))
        except UnicodeEncodeError:
            continue
    return found


def _spellings(octets: bytes) -> set[bytes]:
    """As it is, and as it is once what may be escaped in it is not."""
    found = {octets}
    if b"%" in octets or b"+" in octets:
        found |= {unquote_to_bytes(octets), _unescaped(octets)}
    if b"&" in octets:
        found.add(unescape(octets.decode("latin-1")).encode("utf-8", "replace"))
        found.add(unescape(octets.decode("utf-8", "replace")).encode("utf-8", "replace"))
    if b"\\" in octets:
        found.add(_UNICODE.sub(_letter, octets.replace(b"\\/", b"/")))
    return found


_UNICODE = re.compile(rb"\\u([0-9a-fA-F]{4})")


def _letter(found: "re.Match[bytes]") -> bytes:
    return chr(int(found[1], 16)).encode("utf-8", "replace")


class Veil:
    """What is shown of the values of a request and of its answer. `words` are the mapping's own: shown as they are."""

    def __init__(self, secrets: Secrets, words: frozenset[str] = frozenset(), *, texts: bool) -> None:
        self.texts = texts
        self.secrets = secrets
        self._words = {one.encode() for one in words}
        self._tails: set[bytes] = set()

    def knows(self, kind: Kind, plain: bytes) -> None:
        """A number of the exchange is not shown in its other fields either."""
        if kind in (Kind.NUMBER, Kind.NAME):
            # People write blanks and dashes into a number, and ids have none.
            runs = [*_RUN.findall(plain), _NO_DIGITS.sub(b"", plain)]
            self._tails.update(run[-TAIL:] for run in runs if len(run) >= TAIL - 1)

    def __call__(self, kind: Kind, raw: bytes, plain: bytes) -> bytes:
        """The octets of a value as they are written, and what they say → those that are shown."""
        if kind >= Kind.UNKNOWN or (kind is Kind.TEXT and not self.texts) or self.secrets.are_in(raw, plain):
            return stars(raw)
        if kind is Kind.CONSTANT:
            return raw if _TECHNICAL.fullmatch(plain) else stars(raw)
        if self.texts:
            return raw
        if kind is Kind.HEADER:
            return _header(raw, plain)
        if kind in (Kind.NUMBER, Kind.NAME):
            found = _NUMBER.fullmatch(raw)
            if found is not None:
                return found[1] + masking.number(found[2])
        return raw if kind in (Kind.CODE, Kind.NAME) and self._is_code(plain) else stars(raw)

    def _is_code(self, plain: bytes) -> bool:
        if _CODE.fullmatch(plain) is None:
            return plain in self._words
        # Numbers are many in a list, so they are looked up: a code has a few places where one may stand.
        runs = _RUN.findall(plain) if self._tails else ()
        return not any(
            run[at : at + length] in self._tails
            for run in runs
            for length in (TAIL - 1, TAIL)
            for at in range(len(run) - length + 1)
        )

    def name(self, raw: bytes) -> bytes:
        """A name that the mapping has not: with texts, for who looks for the right one."""
        is_shown = self.texts and _NAME.fullmatch(raw) and not self.secrets.are_in(raw)
        return raw if is_shown else stars(raw)


def _header(raw: bytes, plain: bytes) -> bytes:
    try:
        kept = masking.header(bytes.fromhex(plain.decode("ascii")))
    except ValueError:
        kept = None
    return stars(raw) if kept is None or len(raw) != len(plain) else kept.hex().encode()


# --- queries and forms ------------------------------------------------------------------------------------------------


def mask_pairs(octets: bytes, names: Names, veil: Veil) -> bytes:
    """A query, or a form: names and values as they are written; all of one with too many is hidden."""
    if octets.count(b"&") >= FIELDS_MAX:
        return stars(octets)
    pairs = [one.partition(b"=") for one in octets.split(b"&")]
    known = [_unescaped(name).decode("latin-1") for name, _, _ in pairs]
    often = Counter(known)
    kinds = [names.of(name) if often[name] == 1 else Kind.UNKNOWN for name in known]
    for kind, (_, _, value) in zip(kinds, pairs, strict=True):
        veil.knows(kind, _unescaped(value))
    shown = []
    for name, kind, (raw, mark, value) in zip(known, kinds, pairs, strict=True):
        # What has no value may be the rest of a text whose & was not escaped.
        if not names.knows(name):
            raw = veil.name(raw) if mark else stars(raw)
        shown.append(raw + mark + veil(kind, value, _unescaped(value)))
    return b"&".join(shown)


def _unescaped(octets: bytes) -> bytes:
    return unquote_to_bytes(octets.replace(b"+", b" "))


def mask_path(octets: bytes, kinds: Sequence[Kind], veil: Veil) -> bytes:
    """A path by its segments; those that are too many are hidden."""
    parts = [(part, unquote_to_bytes(part)) for part in octets.split(b"/")]
    known = [*kinds, *([Kind.UNKNOWN] * len(parts))][: len(parts)]
    for kind, (_, plain) in zip(known, parts, strict=True):
        veil.knows(kind, plain)
    return b"/".join(veil(kind, part, plain) for kind, (part, plain) in zip(known, parts, strict=True))


# --- JSON -------------------------------------------------------------------------------------------------------------


def mask_json(octets: bytes, names: Names, veil: Veil) -> bytes | None:
    """JSON as it is written, its strings and numbers masked; None: it is none."""
    try:
        text = octets.decode("utf-8-sig")
        json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
        tokens = list(islice(_tokens(text), TOKENS_MAX + 1))
    except (ValueError, RecursionError):
        return None
    if len(tokens) > TOKENS_MAX:
        return None
    often = Counter(path for _, path, is_key in tokens if is_key)
    kinds = [_kind_in(names, path, often) for _, path, _ in tokens]
    for kind, (span, _, is_key) in zip(kinds, tokens, strict=True):
        if not is_key:
            veil.knows(kind, _said(text[slice(*span)]))
    shown, at = [], 0
    for kind, ((start, end), path, is_key) in zip(kinds, tokens, strict=True):
        shown.append(text[at:start].encode())
        shown.append(_shown(text[start:end], path, kind, names, veil, is_key=is_key))
        at = end
    return b"".join((*shown, text[at:].encode()))


def _kind_in(names: Names, path: str, often: Mapping[str, int]) -> Kind:
    return names.of(path) if often.get(path, 0) <= 1 else Kind.UNKNOWN


def _shown(token: str, path: str, kind: Kind, names: Names, veil: Veil, *, is_key: bool) -> bytes:
    is_text = token[0] == '"'
    raw = (token[1:-1] if is_text else token).encode("utf-8", "replace")
    if is_key:
        return token.encode() if names.knows(path) else b'"%s"' % veil.name(raw)
    if token in _WORDS:
        return raw
    found = veil(kind, raw, _said(token))
    return found if found == raw and not is_text else b'"%s"' % found


def _said(token: str) -> bytes:
    """What a token says."""
    said = json.loads(token) if token[0] == '"' else token
    return str(said).encode("utf-8", "replace")


def _tokens(text: str) -> Iterator[tuple[tuple[int, int], str, bool]]:
    """Strings, numbers and words of JSON that was found sound: from where to where, at which path, whether a name.

    Raises ValueError where it is too deep, or its names are too long.
    """
    steps: list[str] = []
    marks: list[str] = []
    is_key = False
    for found in _TOKEN.finditer(text):
        string, plain, mark = found.groups()
        if mark is None:
            if is_key:
                steps[-1] = json.loads(string)
                if sum(map(len, steps)) > PATH_MAX:
                    raise ValueError("too long names")
            yield found.span(1 if plain is None else 2), ".".join(steps), is_key
            is_key = False
        elif mark in "{[":
            marks.append(mark)
            steps.append("" if mark == "{" else "0")
            is_key = mark == "{"
            if len(marks) > DEPTH_MAX:
                raise ValueError("too deep")
        elif mark in "}]":
            marks.pop()
            steps.pop()
            is_key = False
        elif mark == "," and marks[-1] == "[":
            steps[-1] = str(int(steps[-1]) + 1)
        elif mark == ",":
            is_key = True


# --- answers in text, header fields -----------------------------------------------------------------------------------


def mask_text(octets: bytes, separator: str, places: Iterable[str], veil: Veil) -> bytes:
    """An answer in text: the fields at these places, cut by the separator, are codes, all else is a text."""
    if veil.secrets.are_in(octets):
        return stars(octets)
    if not separator:
        return octets if veil.texts else stars(octets)
    cut = separator.encode()
    wanted = {int(one) for one in places if one.isascii() and one.isdigit()}
    shown = []
    for place, field in enumerate(octets.split(cut)):
        kind = Kind.CODE if place in wanted else Kind.TEXT
        shown.append(veil(kind, field, field.strip()))
    return cut.join(shown)


def mask_headers(fields: Iterable[Header], kinds: Mapping[str, Kind], veil: Veil) -> list[Header]:
    """Header fields but for those of the transfer. What is not known to be plain is hidden, with texts too."""
    shown = []
    for name, value in fields:
        lower = name.decode("latin-1").lower()
        if lower not in _OF_TRANSFER:
            shown.append((name if _FIELD_NAME.fullmatch(name) else stars(name), _field(lower, value, kinds, veil)))
    return shown


def _field(name: str, value: bytes, kinds: Mapping[str, Kind], veil: Veil) -> bytes:
    kind = kinds.get(name)
    is_plain = name in _PLAIN_FIELDS and kind in (None, Kind.CONSTANT)
    if is_plain:
        is_shown = _FIELD_VALUE.fullmatch(value) and not veil.secrets.are_in(value)
        return value if is_shown else stars(value)
    if kind is not None and kind < Kind.UNKNOWN:
        veil.knows(kind, value)
        return veil(kind, value, value) if _FIELD_VALUE.fullmatch(value) else stars(value)
    scheme = _SCHEMES.match(value)
    kept = scheme[0] if scheme is not None and name in ("authorization", "proxy-authorization") else b""
    return kept + stars(value[len(kept) :])
