"""Names and values as calls hold them: written into a query, a form or JSON, and read out of one.

Named          a name, its value as text, and the octets that stand for it in a query or a form
Places         a text with places like {id}, read backwards: what stands in them
write_pairs, write_json, read_pairs, read_json
plant, find    a value at a path of JSON, such as messages.0.id

Rule: written by itself, not with the link's own pen, so that the two check each other. Whatever cannot be read is a
ValueError, as a sentence that repeats nothing of what came.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, quote, quote_from_bytes

Json: TypeAlias = Any

FIELDS_MAX = 200
_PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_INDEX_MAX = 99


@dataclass(frozen=True, slots=True)
class Named:
    """One field."""

    name: str
    text: str
    octets: bytes


def named(name: str, text: str, charset: str = "utf-8") -> Named:
    """In a charset, with "?" for letters that it lacks."""
    return Named(name, text, text.encode(charset, "replace"))


def write_pairs(fields: Iterable[Named]) -> str:
    """A query or a form."""
    return "&".join(f"{quote(one.name, safe='')}={quote_from_bytes(one.octets, safe='')}" for one in fields)


def write_json(fields: Iterable[Named]) -> bytes:
    """An object, each name a path in it."""
    tree: Json = {}
    for one in fields:
        plant(tree, one.name, one.text)
    return json.dumps(tree, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def read_pairs(text: str, charset: str, where: str) -> dict[str, str]:
    """A query or a form. Raises ValueError."""
    try:
        read = parse_qsl(text, keep_blank_values=True, encoding=charset, errors="strict", max_num_fields=FIELDS_MAX)
    except UnicodeDecodeError:
        raise ValueError(f"the {where} is not in {charset}") from None
    except ValueError:
        raise ValueError(f"the {where} has more than {FIELDS_MAX} fields") from None
    values = dict(read)
    if len(values) != len(read):
        raise ValueError(f"a name stands twice in the {where}")
    return values


def read_json(body: bytes) -> Json:
    """Raises ValueError."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("the body is no JSON") from None


def plant(tree: dict[str, Json], path: str, value: object) -> None:
    """Put a value at a path; a step of digits is a place in a list. Raises ValueError where something else stands."""
    _planted(tree, path.split("."), value)


def _planted(there: Json, steps: Sequence[str], value: object) -> Json:
    if not steps:
        if there is not None:
            raise ValueError("two values for one place")
        return value
    step, *rest = steps
    if step.isascii() and step.isdigit() and int(step) <= _INDEX_MAX:
        row = [] if there is None else there
        if not isinstance(row, list):
            raise ValueError(f"there is no place for {step}")
        row += [None] * (int(step) + 1 - len(row))
        row[int(step)] = _planted(row[int(step)], rest, value)
        return row
    inside = {} if there is None else there
    if not isinstance(inside, dict):
        raise ValueError(f"there is no place for {step}")
    inside[step] = _planted(inside.get(step), rest, value)
    return inside


def find(tree: Json, path: str) -> Json:
    """What stands at a path; None where nothing does. A name with dots in it comes before a path."""
    if isinstance(tree, Mapping) and path in tree:
        return tree[path]
    for step in path.split("."):
        if isinstance(tree, list) and step.isascii() and step.isdigit() and len(step) <= 4:
            tree = tree[int(step)] if int(step) < len(tree) else None
        else:
            tree = tree.get(step) if isinstance(tree, Mapping) else None
    return tree


class Places:
    """A text with places. A place that stands twice holds the same both times."""

    def __init__(self, text: str) -> None:
        pattern, seen = "", set()
        # split() gives what is plain at the even places, names at the odd ones.
        for number, piece in enumerate(_PLACE.split(text)):
            if number % 2 == 0:
                pattern += re.escape(piece)
            else:
                pattern += f"(?P={piece})" if piece in seen else f"(?P<{piece}>.*?)"
                seen.add(piece)
        self.names = frozenset(seen)
        self.is_one = bool(_PLACE.fullmatch(text))
        """It is nothing but a place."""
        self._pattern = re.compile(pattern, re.DOTALL)

    def read(self, text: str) -> dict[str, str] | None:
        """What stands in the places; None where the text is another one."""
        found = self._pattern.fullmatch(text)
        return found.groupdict() if found else None


def unescaped(text: str, content_type: str) -> str:
    """What stood in a place of a body of this type."""
    if "json" in content_type:
        try:
            return str(json.loads(f'"{text}"'))
        except ValueError:
            return text
    return unescape(text) if "xml" in content_type or "html" in content_type else text
