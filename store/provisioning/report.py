"""What a load did, for the person who asked for it.

Counts    of one kind: added, changed, unchanged
Report    counts by kind, and notes such as «plan standard changes on 2026-12-01»

Rule: a note says what begins later than now, or what now differs in money; nothing else.
"""

from dataclasses import dataclass, field
from enum import Enum


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
    version: int = 0

    @property
    def changed_anything(self) -> bool:
        """Whether the catalogue is another one now."""
        return any(counts.added or counts.changed for counts in self.counts.values())

    def lines(self) -> list[str]:
        """A line per kind, then the notes."""
        counted = [
            f"{kind}: {counts.added} added, {counts.changed} changed, {counts.unchanged} unchanged"
            for kind, counts in self.counts.items()
        ]
        return [*counted, *self.notes]
