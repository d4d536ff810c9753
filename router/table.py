"""The catalogue's prefixes as an index: short code and folded prefix → the prefix.

Table          immutable; made by Table.build from a catalogue, refuses two prefixes that may not meet
OnShortCode    what one short code knows: its prefixes, how they go on, its default
Overlap        the refusal, with the two
first_overlap  the stricter question of provisioning: also refuses what only looks alike (router.fold.look)
fold           the form in which two prefixes may not meet (router.fold)

A prefix may have several words. `stems` holds where a longer prefix goes on: for GAME TOP the stem is «game». So a
text is read word by word only as far as prefixes go, and a look-up costs the same with ten and with a million.

Rule: only approved services of active partners are in the table. Nothing changes after it is built.
"""

import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field

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
    """Where texts go. `services` are those that the prefixes lead to, by id."""

    short_codes: Mapping[str, OnShortCode] = field(default_factory=dict)
    services: Mapping[int, Service] = field(default_factory=dict)

    @staticmethod
    def build(catalogue: Catalogue) -> "Table":
        """The index of a catalogue. Raises Overlap when the same short code and folded prefix occur twice."""
        open_services = {
            service.id: service
            for service in catalogue.services.values()
            if service.status == "approved" and catalogue.partners[service.partner].active
        }
        targets: dict[str, dict[str, Prefix]] = {number: {} for number in catalogue.short_codes}
        for prefix in catalogue.prefixes:
            if prefix.service in open_services:
                folded = fold(prefix.prefix)
                if targets[prefix.short_code].setdefault(folded, prefix) is not prefix:
                    raise Overlap(targets[prefix.short_code][folded], prefix)
        short_codes = {
            number: _on_short_code(targets[number], code.default_reply)
            for number, code in catalogue.short_codes.items()
        }
        return Table(short_codes, open_services)


def _on_short_code(targets: dict[str, Prefix], default_reply: str) -> OnShortCode:
    default = targets.pop("", None)
    stems = {stem for folded in targets if not folded.isalnum() for stem in stems_of(folded)}
    return OnShortCode(targets, stems, default, Unrouted(Missing.NO_PREFIX, default_reply))


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
