"""Requests taken apart and answers put together, for all shapes: forms, queries, JSON, XML.

query_of, form_of, json_of, xml_of   a request → its fields, or Wrong
key_of        a session's id, or Wrong: what a shape cannot do without
text_of, grown_of   a field as a cleaned text; one that holds all inputs so far
lines_of      a screen with the link's line ends
plain, json_answer, xml_answer       answers

Rule: nothing here raises, and nothing is longer than BODY_MAX: a request comes from anybody who knows the address.
"""

import json
from collections.abc import Mapping
from typing import Any, TypeAlias
from urllib.parse import parse_qsl
from xml.etree.ElementTree import Element, ParseError, tostring

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from core.ussd.turn import GROWN_MAX, KEY_MAX, clean, clean_raw
from smsc_link.ussd_shapes.contract import BODY_MAX, HttpAnswer, HttpRequest, ShapeOptions, Wrong

Fields: TypeAlias = Mapping[str, str]

FIELDS_MAX = 50
_LINE_ENDS = {"lf": "\n", "crlf": "\r\n", "pipe": "|"}
_XML_DEPTH = 20


def query_of(request: HttpRequest) -> Fields | Wrong:
    """What stands behind the question mark."""
    return _pairs(request.query)


def form_of(request: HttpRequest) -> Fields | Wrong:
    """A form in the body, whatever its Content-Type says; gateways are careless with it."""
    if len(request.body) > BODY_MAX:
        return _too_long()
    return _pairs(request.body.decode("utf-8", "replace"))


def json_of(request: HttpRequest) -> Fields | Wrong:
    """An object in the body. Numbers and truth values are taken as their texts (pitfall 9)."""
    if len(request.body) > BODY_MAX:
        return _too_long()
    try:
        content = json.loads(request.body.decode("utf-8-sig"), parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return Wrong("the body is no JSON in UTF-8")
    if not isinstance(content, dict) or len(content) > FIELDS_MAX:
        return Wrong("the body is no JSON object, or has too many names")
    return {name: _scalar(value) for name, value in content.items()}


def xml_of(request: HttpRequest) -> Element | Wrong:
    """An XML document without document types and entities."""
    if len(request.body) > BODY_MAX:
        return _too_long()
    try:
        root: Element = fromstring(request.body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError):
        return Wrong("the body is no XML, or has a document type or entities")
    return root if _depth(root) <= _XML_DEPTH else Wrong("the XML is nested too deeply")


def key_of(fields: Fields, name: str) -> str | Wrong:
    """The session's id: printable, not too long."""
    key = fields.get(name, "").strip()
    if not key:
        return Wrong(f"no {name}")
    if len(key) > KEY_MAX or not key.isprintable():
        return Wrong(f"{name} is longer than {KEY_MAX} characters, or not printable")
    return key


def text_of(fields: Fields, name: str) -> str:
    """A field, cleaned; "" where it is missing."""
    return clean(fields.get(name, ""))


def grown_of(fields: Fields, name: str) -> str:
    """All inputs so far: spaces count, for the next request begins with the same."""
    return clean_raw(fields.get(name, ""), GROWN_MAX)


def lines_of(text: str, options: ShapeOptions) -> str:
    """A screen as this gateway wants its lines."""
    return text if options.line_end == "lf" else text.replace("\n", _LINE_ENDS[options.line_end])


def plain(text: str, headers: tuple[tuple[str, str], ...] = ()) -> HttpAnswer:
    """200 with a text."""
    return HttpAnswer(200, "text/plain", text.encode("utf-8", "replace"), headers)


def json_answer(content: Mapping[str, Any]) -> HttpAnswer:
    """200 with a JSON object."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return HttpAnswer(200, "application/json", body.encode("utf-8", "replace"))


def xml_answer(root: Element, headers: tuple[tuple[str, str], ...] = ()) -> HttpAnswer:
    """200 with an XML document."""
    return HttpAnswer(200, "application/xml", tostring(root, encoding="utf-8", xml_declaration=False), headers)


def local_name(tag: str) -> str:
    """An element's name without its namespace."""
    return tag.rpartition("}")[2]


def _pairs(text: str) -> Fields | Wrong:
    if len(text) > BODY_MAX:
        return _too_long()
    try:
        # The first of two wins: what is put behind a request by somebody else changes nothing in it.
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="replace")
    except ValueError:
        return Wrong(f"more than {FIELDS_MAX} fields")
    return dict(reversed(pairs))


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else ""


def _depth(root: Element) -> int:
    depth, level = 0, [root]
    while level:
        depth += 1
        level = [child for one in level for child in one]
    return depth


def _too_long() -> Wrong:
    return Wrong(f"longer than {BODY_MAX >> 10} KiB")
