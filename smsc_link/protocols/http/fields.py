"""What stands in a request or in an answer: a query, a form or JSON as names and values.

Fields       what a request holds: the value of a name, once
Once         the fields of one request, read when somebody first asks for them
read_fields  a query or a body → Fields; BadForm says in a sentence why it is none
find         what stands at a path of JSON, such as messages.0.id
plant        the other way round: a value at a path
identity     an id as it is stored

Rule: bounded, whatever a peer sends. Numbers of JSON stay as they were written: an id of 20 digits is no float.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from hashlib import blake2b
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

BODY_MAX = 64 * 1024
FIELDS_MAX = 200
VALUE_MAX = 32 * 1024
KEY_MAX = 64
EACH_MAX = 1000
"""Messages or receipts in one request."""

Json: TypeAlias = Any
_INDEX_MAX = 99


class BadForm(ValueError):
    """Why a request cannot be read, as a sentence. It repeats nothing of what the request holds."""


class Fields:
    """The names and values of one request. `where` they stand is for sentences.

    Of a query or a form the values are octets in latin-1's clothes, read by `charset` when they are asked for: in some
    operators' requests the text has another charset than the rest.
    """

    def __init__(
        self, values: Mapping[str, str] | Json, where: str, charset: str = "", twice: frozenset[str] = frozenset()
    ) -> None:
        self._values = values
        self._where = where
        self._charset = charset
        self._twice = twice

    def get(self, name: str, charset: str = "") -> str:
        """The value of a name, "" where there is none. Raises BadForm where there are two, or no plain value."""
        if not name:
            return ""
        if name in self._twice:
            raise BadForm(f"{name} stands twice in the {self._where}; send it once")
        value = find(self._values, name)
        if isinstance(value, dict | list):
            raise BadForm(f"{name} in the {self._where} is no text and no number; send a plain value")
        text = _plain(value)
        if len(text) > VALUE_MAX:
            raise BadForm(f"{name} in the {self._where} is longer than {VALUE_MAX // 1024} KiB; send less")
        if not self._charset or text.isascii():
            return text
        charset = charset or self._charset
        try:
            return text.encode("latin-1").decode(charset)
        except UnicodeDecodeError:
            raise BadForm(f"{name} in the {self._where} is not in {charset}; send it so") from None

    def octets(self, name: str) -> bytes | None:
        """The value of a name as it came; None in JSON, which has texts only. Raises BadForm."""
        return self.get(name, "latin-1").encode("latin-1") if self._charset else None

    def each(self, path: str) -> "Iterator[Fields]":
        """The entries of a list in JSON; with no path the one that this is."""
        if not path:
            yield self
            return
        entries = find(self._values, path)
        if not isinstance(entries, list) or not 0 < len(entries) <= EACH_MAX:
            raise BadForm(f"{path} in the {self._where} is not a list of 1 to {EACH_MAX} entries; send one")
        for entry in entries:
            yield Fields(entry, self._where)


class Once:
    """The fields of one request, read when they are first asked for. Raises BadForm, each time that they are."""

    def __init__(self, read: Callable[[], Fields]) -> None:
        self._read = read
        self._fields: Fields | None = None
        self._wrong = ""

    def __call__(self) -> Fields:
        if self._fields is None and not self._wrong:
            try:
                self._fields = self._read()
            except BadForm as error:
                self._wrong = str(error)
        if self._fields is None:
            raise BadForm(self._wrong)
        return self._fields


def read_fields(form: str, query: str, body: bytes, charset: str) -> Fields:
    """The fields of a request whose mapping says `query`, `form` or `json`. Raises BadForm.

    A query is in latin-1's clothes: a character is an octet, since not everybody escapes what is no ASCII.
    """
    if form == "json":
        return Fields(read_json(body), "JSON body")
    where = "query" if form == "query" else "form"
    text = query if form == "query" else body.decode("latin-1")
    values: dict[str, str] = {}
    twice = set()
    try:
        for name, value in parse_qsl(text, keep_blank_values=True, encoding="latin-1", max_num_fields=FIELDS_MAX):
            if name in values:
                twice.add(name)
            values[name] = value
    except ValueError:
        raise BadForm(f"the {where} has more than {FIELDS_MAX} fields; send fewer") from None
    return Fields(values, where, charset, frozenset(twice))


def read_json(body: bytes) -> Json:
    """JSON whose numbers are texts. Raises BadForm."""
    try:
        return json.loads(body.decode("utf-8-sig"), parse_int=str, parse_float=str, parse_constant=str)
    except UnicodeDecodeError:
        raise BadForm("the body is no UTF-8; send JSON in UTF-8") from None
    except (ValueError, RecursionError):
        raise BadForm("the body is no JSON; send a JSON object") from None


def find(values: Json, path: str) -> Json:
    """What stands at the path; None where nothing does. A name with dots in it comes before a path."""
    if isinstance(values, Mapping) and path in values:
        return values[path]
    for step in path.split("."):
        if isinstance(values, list):
            known = step.isascii() and step.isdigit() and len(step) <= 4 and int(step) < len(values)
            values = values[int(step)] if known else None
        elif isinstance(values, Mapping):
            values = values.get(step)
        else:
            return None
    return values


def plant(tree: Json, path: str, value: object) -> Json:
    """The tree with the value at the path; a step of digits is a place in a list. ValueError: where one stands."""
    step, _, rest = path.partition(".")
    if step.isascii() and step.isdigit():
        tree = [] if tree is None else tree
        place = int(step)
        if not isinstance(tree, list) or place > min(len(tree), _INDEX_MAX):
            raise ValueError(f"{step} is no next place of a list")
        if place == len(tree):
            tree.append(None)
        tree[place] = _planted(tree[place], rest, value)
        return tree
    tree = {} if tree is None else tree
    if not step or not isinstance(tree, dict):
        raise ValueError(f"there is no place for {path}")
    tree[step] = _planted(tree.get(step), rest, value)
    return tree


def identity(text: str) -> str:
    """An id as it is stored; a very long one, or one that is no plain text, by its hash."""
    if len(text) <= KEY_MAX and text.isascii() and text.isprintable():
        return text
    return blake2b(text.encode("utf-8", "replace"), digest_size=KEY_MAX // 2).hexdigest()


def _planted(there: Json, rest: str, value: object) -> Json:
    if rest:
        return plant(there, rest, value)
    if there is not None:
        raise ValueError("two values for one place")
    return value


def _plain(value: Json) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
