"""Subscribers' numbers in a document, however people wrote them, as we keep them: international, digits only.

read_world     the countries of all operators, and whether one of their links hides its subscribers
with_numbers   a document → the same with its numbers read; raises Mistakes

A number without its country's code is read as one of the operators' country where they have one between them. Where a
link's number_form is as_is, a subscriber may be behind any digits, and those stay as they are.

Rule: what is read once is read the same again, so a dump loads without a change.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from core.msisdn import BadNumber, read_msisdn, read_number, read_prefix
from store.provisioning.elements import Document, Mistakes
from store.provisioning.lines import Path
from store.schema import Link, Operator

_HIDDEN = "as_is"


@dataclass(frozen=True, slots=True)
class World:
    """What numbers are read by."""

    countries: frozenset[str] = frozenset()
    hides: bool = False

    @property
    def country(self) -> str:
        """The country of all operators; "" where there are several, or none."""
        return min(self.countries) if len(self.countries) == 1 else ""


def read_world(connection: sa.Connection, document: Document) -> World:
    """Of the database, with what the document brings. Asks nothing where no number stands in it."""
    if not (document.blacklist or document.limit):
        return World()
    named = {operator.code: operator.country for operator in document.operator}
    stored: dict[str, str] = {code: country for code, country in connection.execute(_OPERATORS)}
    hides = any((options or {}).get("number_form") == _HIDDEN for (options,) in connection.execute(_LINKS))
    return _world({**stored, **named}, document, hides=hides)


_OPERATORS = sa.select(Operator.code, Operator.country)
_LINKS = sa.select(Link.options)


def world_of(document: Document) -> World:
    """Of a document by itself."""
    return _world({operator.code: operator.country for operator in document.operator}, document, hides=False)


def _world(countries: dict[str, str], document: Document, *, hides: bool) -> World:
    hides = hides or any(link.options.get("number_form") == _HIDDEN for link in document.link)
    return World(frozenset(countries.values()), hides)


def with_numbers(document: Document, world: World) -> Document:
    """The document with its numbers international. Raises Mistakes."""
    reading = _Reading(world)
    changed: dict[str, Any] = {
        "operator": [
            one.model_copy(update={"msisdn_prefixes": reading.prefixes(index, one.msisdn_prefixes, one.country)})
            for index, one in enumerate(document.operator)
        ],
        "limit": [
            one.model_copy(update={"key": reading.number(("limit", index, "key"), one.key, ', or "*" for each')})
            if one.scope == "subscriber" and one.key != "*"
            else one
            for index, one in enumerate(document.limit)
        ],
        "blacklist": [
            one.model_copy(update={"msisdn": reading.number(("blacklist", index, "msisdn"), one.msisdn)})
            for index, one in enumerate(document.blacklist)
        ],
    }
    if reading.mistakes:
        raise Mistakes(reading.mistakes)
    # What the file gave, and only that, stays marked as given.
    return document.model_copy(update={kind: values for kind, values in changed.items() if values})


class _Reading:
    """Reads, and gathers what is wrong."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.mistakes: list[tuple[Path, str]] = []

    def number(self, path: Path, text: str, more: str = "") -> str:
        return self._try(path, text, self._number, more)

    def prefixes(self, index: int, texts: Sequence[str], country: str) -> list[str]:
        return [
            self._try(("operator", index, "msisdn_prefixes", place), text, lambda one: read_prefix(one, country))
            for place, text in enumerate(texts)
        ]

    def _number(self, text: str) -> str:
        hidden = read_msisdn(text) if self._world.hides and not text.startswith("+") else None
        return hidden or read_number(text, self._world.country)

    def _try(self, path: Path, text: str, read: Callable[[str], str], more: str = "") -> str:
        try:
            return read(text)
        except BadNumber as error:
            self.mistakes.append((path, f"{error}{more}"))
            return text
