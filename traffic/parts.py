"""Long MO: parts wait for each other (reliability.md, section 3; smpp.md, section 9). No I/O.

Assemblies   open groups by (operator, source, destination, reference, bits, total); so much fits in memory
Group        the parts of one message that came so far
parts_of     how many a long text was that came as one

A part may come out of order, twice, or never. A reference is used again after 256 messages: a part that contradicts
one that is here begins a new group, and the old one is accepted with what came.

Rule: a part is in a group from its arrival on, but counts as durable only when its commit is done.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import TypeAlias

from core.catalogue import Link, Operator
from core.sms.alphabet import Alphabet, Coding
from core.sms.parts import MESSAGE_OCTETS, count, cut

GroupKey: TypeAlias = tuple[int, str, str, int, int, int]
GROUPS_MAX = 100_000
OPEN_PARTS_MAX = 250_000
OPEN_OCTETS_MAX = 64 * 1024 * 1024
"""So many groups, parts and octets wait in memory; beyond, what completes no message gets the temporary error."""


@dataclass(slots=True)
class Part:
    """One part: its row's id and whether that row is committed. Phones change the alphabet within a message."""

    id: int
    octets: bytes
    coding: Coding
    data_coding: int
    fingerprint: int
    durable: bool = False


@dataclass(slots=True)
class Group:
    """The parts of one long message. `closing`: its message is being written."""

    key: GroupKey
    link: Link
    operator: Operator
    first_ms: int
    """When the first part came, by the monotonic clock."""
    parts: dict[int, Part] = field(default_factory=dict)
    closing: bool = False
    counted: tuple[int, int] = (0, 0)
    """Parts and octets, as `Assemblies` has them in its sums."""

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
    def data_coding(self) -> int:
        """That of the first part in order."""
        return self.parts[min(self.parts)].data_coding

    @property
    def is_complete(self) -> bool:
        """All parts have come."""
        return len(self.parts) == self.total

    @property
    def lacks_one(self) -> bool:
        """The next part completes it."""
        return len(self.parts) == self.total - 1

    def all_durable(self, *, but: int = 0) -> bool:
        """Every part is committed; the one with the id `but` need not be."""
        return all(part.durable or part.id == but for part in self.parts.values())

    def text(self) -> str:
        """The whole text. Neighbours of one alphabet are joined, then decoded: a character may lie across two parts."""
        ordered = [self.parts[sequence] for sequence in sorted(self.parts)]
        runs = groupby(ordered, lambda part: part.coding)
        return "".join(coding.decode(b"".join(part.octets for part in run)) for coding, run in runs)

    def has(self, part_id: int) -> bool:
        """Whether the part with this row is here."""
        return any(part.id == part_id for part in self.parts.values())

    def contradicts(self, group: "Group") -> bool:
        """Whether a part of another message stands in the place of one of its durable parts. The same part may."""
        here = self.parts
        return any(
            part.durable and sequence in here and here[sequence].id != part.id for sequence, part in group.parts.items()
        )

    def is_older_than(self, group: "Group") -> bool:
        """Whether all its parts came before those of the other."""
        return max(part.id for part in self.parts.values()) < min(part.id for part in group.parts.values())

    def drop(self, part_id: int) -> None:
        """Forget a part: it was refused, or it was a repeat."""
        self.parts = {sequence: part for sequence, part in self.parts.items() if part.id != part_id}


class Assemblies:
    """All groups that wait for parts."""

    def __init__(self) -> None:
        self._open: dict[GroupKey, Group] = {}
        self._parts = self._octets = 0

    def __len__(self) -> int:
        return len(self._open)

    def has_room(self, group: Group | None, octets: int) -> bool:
        """Whether a part of so many octets fits: into this group, or with None into a new one.

        What completes a message always does: it ends the waiting of all its parts.
        """
        if group is not None and group.lacks_one:
            return True
        if self._parts >= OPEN_PARTS_MAX or self._octets + octets > OPEN_OCTETS_MAX:
            return False
        return group is not None or len(self._open) < GROUPS_MAX

    def find(self, key: GroupKey) -> Group | None:
        """The open group of that key."""
        return self._open.get(key)

    def open(self, group: Group) -> None:
        """A new group; one that was open under the key is replaced (the caller has finished it)."""
        replaced = self._open.get(group.key)
        if replaced is not None:
            self._count(replaced, 0, 0)
        self._open[group.key] = group
        self.count(group)

    def count(self, group: Group) -> None:
        """Parts came to an open group, or left it."""
        if self._open.get(group.key) is group:
            self._count(group, len(group.parts), sum(len(part.octets) for part in group.parts.values()))

    def _count(self, group: Group, parts: int, octets: int) -> None:
        parts_before, octets_before = group.counted
        group.counted = (parts, octets)
        self._parts += parts - parts_before
        self._octets += octets - octets_before

    def close(self, group: Group) -> None:
        """The group's message is being written: parts that come now belong to another."""
        if self._open.get(group.key) is group:
            del self._open[group.key]
            self._count(group, 0, 0)

    def __iter__(self) -> Iterator[Group]:
        return iter(list(self._open.values()))


def parts_of(octets: bytes, text: str, coding: Coding) -> int:
    """How many SMS came as one: a centre that joins or splits them does not say (the sheet, section 9). Raises TooLong.

    Where the centre has translated the text, it was GSM if it can be.
    """
    if len(octets) <= MESSAGE_OCTETS:
        return 1
    if coding.alphabet is Alphabet.LATIN1 or coding.codec:
        return count(text)
    return len(cut(octets, coding.alphabet))
