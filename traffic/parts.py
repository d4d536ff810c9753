"""Long MO: parts wait for each other (reliability.md, section 3; smpp.md, section 9). No I/O.

Assemblies   open groups by (operator, source, destination, reference, bits, total)
Group        the parts of one message that came so far

A part may come out of order, twice, or never. A reference is used again after 256 messages: a part that contradicts
one that is here begins a new group, and the old one is accepted with what came.

Rule: a part is in a group from its arrival on, but counts as durable only when its commit is done.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from core.catalogue import Link, Operator
from core.sms.alphabet import Coding

GroupKey: TypeAlias = tuple[int, str, str, int, int, int]
GROUPS_MAX = 100_000
"""Open groups that fit in memory; beyond it a new one gets the temporary error."""


@dataclass(slots=True)
class Part:
    """One part: its row's id and whether that row is committed."""

    id: int
    octets: bytes
    fingerprint: int
    durable: bool = False


@dataclass(slots=True)
class Group:
    """The parts of one long message. `closing`: its message is being written."""

    key: GroupKey
    link: Link
    operator: Operator
    coding: Coding
    data_coding: int
    first_ms: int
    """When the first part came, by the monotonic clock."""
    parts: dict[int, Part] = field(default_factory=dict)
    closing: bool = False

    @property
    def total(self) -> int:
        """How many parts the message has."""
        return self.key[5]

    @property
    def source(self) -> str:
        """Who wrote it."""
        return self.key[1]

    @property
    def destination(self) -> str:
        """The short code."""
        return self.key[2]

    @property
    def is_complete(self) -> bool:
        """All parts have come."""
        return len(self.parts) == self.total

    def all_durable(self, *, but: int = 0) -> bool:
        """Every part is committed; the one with the id `but` need not be."""
        return all(part.durable or part.id == but for part in self.parts.values())

    def joined(self) -> bytes:
        """What came, in order."""
        return b"".join(self.parts[sequence].octets for sequence in sorted(self.parts))

    def text(self) -> str:
        """The whole text: decoded after joining, since a character may lie across two parts."""
        return self.coding.decode(self.joined())

    def has(self, part_id: int) -> bool:
        """Whether the part with this row is here."""
        return any(part.id == part_id for part in self.parts.values())

    def drop(self, part_id: int) -> None:
        """Forget a part: it was refused, or it was a repeat."""
        self.parts = {sequence: part for sequence, part in self.parts.items() if part.id != part_id}


class Assemblies:
    """All groups that wait for parts."""

    def __init__(self) -> None:
        self._open: dict[GroupKey, Group] = {}

    def __len__(self) -> int:
        return len(self._open)

    @property
    def is_full(self) -> bool:
        """No new group fits."""
        return len(self._open) >= GROUPS_MAX

    def find(self, key: GroupKey) -> Group | None:
        """The open group of that key."""
        return self._open.get(key)

    def open(self, group: Group) -> None:
        """A new group; one that was open under the key is replaced (the caller has finished it)."""
        self._open[group.key] = group

    def close(self, group: Group) -> None:
        """The group's message is being written: parts that come now belong to another."""
        if self._open.get(group.key) is group:
            del self._open[group.key]

    def __iter__(self) -> Iterator[Group]:
        return iter(list(self._open.values()))
