"""What a load did, for the person who asked for it.

Counts    of one kind: added, changed, unchanged
Report    counts by kind, notes such as «plan standard changes on 2026-12-01», and remarks (remarks.py)

Rule: a note says what begins later than now, or what now differs in money; nothing else. Of remarks that are alike the
first few are told and the others counted, so that a file of thousands of services does not hide its notes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

REMARKS_TOLD = 3


class Outcome(Enum):
    """What became of an element."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass
class Counts:
    """How many elements of one kind."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0

    def count(self, outcome: Outcome) -> None:
        """One more."""
        setattr(self, outcome.value, getattr(self, outcome.value) + 1)


@dataclass
class Report:
    """What a load did. `version` is the catalogue's version after it."""

    counts: dict[str, Counts] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    remarks: dict[str, list[str]] = field(default_factory=dict)
    """What is remarkable → of what: `has no secret: …` → `service acme/game`, …"""
    version: int = 0

    def remark(self, name: str, sentence: str) -> None:
        """Something that is allowed, and perhaps was not meant."""
        self.remarks.setdefault(sentence, []).append(name)

    @property
    def changed_anything(self) -> bool:
        """Whether the catalogue is another one now."""
        return any(counts.added or counts.changed for counts in self.counts.values())

    def lines(self) -> list[str]:
        """A line per kind, then the notes, then the remarks."""
        counted = [
            f"{kind}: {counts.added} added, {counts.changed} changed, {counts.unchanged} unchanged"
            for kind, counts in self.counts.items()
        ]
        return [*counted, *self.notes, *self._remark_lines()]

    def _remark_lines(self) -> Iterator[str]:
        for sentence, names in self.remarks.items():
            yield from (f"remark: {name} {sentence}" for name in names[:REMARKS_TOLD])
            more = len(names) - REMARKS_TOLD
            if more > 0:
                yield f"remark: and {more} more: {sentence.partition(':')[0].partition(';')[0]}"
