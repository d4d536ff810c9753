"""Texts with places to fill: "{text}", and how what is filled in is escaped where it goes.

Template     a text with places; the names that it may use are checked when it is made
as_…         how a value is escaped: as_is, as_query, as_json, as_xml, as_header
escape_for   the one for an answer of this content type

Rule: everything that comes from a subscriber, a partner or an operator is escaped by where it goes. A brace that is
no place, as those of JSON, stays as it is.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping
from typing import TypeAlias
from urllib.parse import quote
from xml.sax.saxutils import escape as escape_xml

Escape: TypeAlias = Callable[[str], str]

_PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class BadTemplate(ValueError):
    """What is wrong with a template, as a sentence."""


class Template:
    """A text with places to fill."""

    __slots__ = ("names", "text")

    def __init__(self, text: str, known: Collection[str]) -> None:
        self.text = text
        self.names = frozenset(_PLACE.findall(text))
        unknown = sorted(self.names - set(known))
        if unknown:
            raise BadTemplate(f"there is no {{{unknown[0]}}} here; known are {', '.join(sorted(known))}")

    def fill(self, values: Mapping[str, str], escape: Escape) -> str:
        """The text with its places filled."""
        if not self.names:
            return self.text
        return _PLACE.sub(lambda place: escape(values[place[1]]), self.text)


def as_is(value: str) -> str:
    """Not at all: for what is escaped as a whole afterwards, and for plain text."""
    return value


def as_query(value: str, charset: str = "utf-8") -> str:
    """For a path, a query or a form. Raises ValueError where the charset lacks a letter of it."""
    return quote(value, safe="", encoding=charset, errors="strict")


def as_json(value: str) -> str:
    """For the inside of a string in JSON."""
    return json.dumps(value, ensure_ascii=False)[1:-1]


def as_xml(value: str) -> str:
    """For text and attributes in XML; what XML 1.0 cannot say is left out."""
    return escape_xml(_NOT_IN_XML.sub("", value), {'"': "&quot;", "'": "&apos;"})


def as_header(value: str) -> str:
    """For a header field. Raises ValueError for what would begin another one, or is no ASCII."""
    if not (value.isascii() and value.isprintable()):
        raise ValueError("a header field holds printable ASCII only")
    return value


def escape_for(content_type: str) -> Escape:
    """How a value is escaped in an answer of this type."""
    if "json" in content_type:
        return as_json
    return as_xml if "xml" in content_type or "html" in content_type else as_is
