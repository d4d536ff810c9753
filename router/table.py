"""The catalogue's prefixes as an index: short code and folded prefix → the prefix.

Table          immutable; made by Table.build from a catalogue and the table before; refuses two prefixes that may
               not meet
OnShortCode    what one short code knows: its prefixes, how they go on, its default
Overlap        the refusal, with the two
first_overlap  the stricter question of provisioning: also refuses what only looks alike (router.fold.look)
fold           the form in which two prefixes may not meet (router.fold)

A prefix may have several words. `stems` holds where a longer prefix goes on: for GAME TOP the stem is «game». So a
text is read word by word only as far as prefixes go, and a look-up costs the same with ten and with a million.

Rule: only approved services of active partners are in the table. Nothing changes after it is built.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import TypeAlias

from core.catalogue import Catalogue, Prefix, Service
from core.errors import ProvisioningError
from core.message import Missing, Unrouted
from router.fold import fold, look, word_ends

__all__ = ["OnShortCode", "Overlap", "Table", "first_overlap", "fold"]


class Overlap(ProvisioningError):
    """Two prefixes of one short code that a subscriber cannot tell apart; `only_looks`: they are spelt differently."""

    def __init__(self, first: Prefix, second: Prefix, *, only_looks: bool = False) -> None:
        how = "only look alike" if only_looks else "are the same to a subscriber"
        super().__init__(
            f"short code {second.short_code}: the prefixes {first.prefix!r} and {second.prefix!r} {how}; "
            f"choose another word for one of them"
        )
        self.first = first
        self.second = second
        self.only_looks = only_looks


@dataclass(frozen=True, slots=True)
class OnShortCode:
    """The prefixes of one short code, folded; `default` is the one without a word, `missing` the answer to no match."""

    targets: Mapping[str, Prefix]
    stems: Set[str]
    default: Prefix | None
    missing: Unrouted


@dataclass(frozen=True, slots=True)
class Table:
    """Where texts go. `services` are those that the prefixes lead to, by id; `prefixes` all that the catalogue has."""

    short_codes: Mapping[str, OnShortCode] = field(default_factory=dict)
    services: Mapping[int, Service] = field(default_factory=dict)
    prefixes: Mapping[int, Prefix] = field(default_factory=dict)

    @staticmethod
    def build(catalogue: Catalogue, before: "Table | None" = None) -> "Table":
        """The index of a catalogue. Raises Overlap when the same short code and folded prefix occur twice.

        `before`: the table of the catalogue before. It stays as it is; the new one shares with it all that is the
        same, so a word among a million is there in a tenth of the time that they all would take.
        """
        before = before or Table()
        services = {
            service.id: service
            for service in catalogue.services.values()
            if service.status == "approved" and catalogue.partners[service.partner].active
        }
        gone, come = _changes(before, services, catalogue.prefixes)
        short_codes = {
            number: _changed(
                before.short_codes.get(number, _EMPTY),
                gone.get(number, ()),
                come.get(number, ()),
                Unrouted(Missing.NO_PREFIX, code.default_reply),
            )
            for number, code in catalogue.short_codes.items()
        }
        return Table(short_codes, services, catalogue.prefixes)


_EMPTY = OnShortCode({}, frozenset(), None, Unrouted(Missing.NO_PREFIX))
_ByShortCode: TypeAlias = dict[str, list[Prefix]]


def _changes(
    before: Table, services: Mapping[int, Service], prefixes: Mapping[int, Prefix]
) -> tuple[_ByShortCode, _ByShortCode]:
    """The prefixes that leave the index and those that come into it, by short code."""
    was_open, was = before.services, before.prefixes
    turned = was_open.keys() ^ services.keys()
    gone: _ByShortCode = defaultdict(list)
    come: _ByShortCode = defaultdict(list)
    for number, prefix in was.items():
        if (prefixes.get(number) is not prefix or prefix.service in turned) and prefix.service in was_open:
            gone[prefix.short_code].append(prefix)
    for number, prefix in prefixes.items():
        if (was.get(number) is not prefix or prefix.service in turned) and prefix.service in services:
            come[prefix.short_code].append(prefix)
    return gone, come


def _changed(known: OnShortCode, gone: Sequence[Prefix], come: Sequence[Prefix], missing: Unrouted) -> OnShortCode:
    """A short code without some prefixes and with some others.

    Where a word is gone, what it was a stem of may stay: a text is then read a word further, and finds nothing there.
    """
    if not gone and not come:
        return OnShortCode(known.targets, known.stems, known.default, missing)
    targets = dict(known.targets)
    if known.default is not None:
        targets[""] = known.default
    for prefix in gone:
        del targets[fold(prefix.prefix)]
    stems: set[str] = set()
    for prefix in come:
        folded = fold(prefix.prefix)
        if targets.setdefault(folded, prefix) is not prefix:
            raise Overlap(targets[folded], prefix)
        if not folded.isalnum():
            stems.update(stems_of(folded))
    default = targets.pop("", None)
    return OnShortCode(targets, known.stems | stems if stems else known.stems, default, missing)


# What word_ends() says of ASCII; ten times as fast, for a million prefixes.
_ASCII_WORD = re.compile(r"[a-z0-9]+|[^a-z0-9\s]")


def stems_of(folded: str) -> list[str]:
    """The beginnings of a folded prefix that end where a word ends: "game top 3" → "game", "game top"."""
    ends = [mark.end() for mark in _ASCII_WORD.finditer(folded)] if folded.isascii() else word_ends(folded)
    return [folded[:end] for end in ends if end < len(folded)]


def first_overlap(prefixes: Iterable[Prefix]) -> Overlap | None:
    """The first prefix that is the same as an earlier one of its short code, or only looks like it."""
    seen: dict[tuple[str, str], Prefix] = {}
    for prefix in prefixes:
        first = seen.setdefault((prefix.short_code, look(prefix.prefix)), prefix)
        if first is not prefix:
            return Overlap(first, prefix, only_looks=fold(first.prefix) != fold(prefix.prefix))
    return None
