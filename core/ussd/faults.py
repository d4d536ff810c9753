"""What is wrong with a menu: all of it at once, each with its place and its remedy.

Fault     `screen meter, on.found: …; do this`
BadMenu   raised with all faults of a menu

Rule: a menu with a fault is never used, not even the part of it that is right.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from core.errors import ProvisioningError


@dataclass(frozen=True, slots=True)
class Fault:
    """`place` is a screen, a text or the menu itself."""

    place: str
    key: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.place}, {self.key}: {self.sentence}" if self.key else f"{self.place}: {self.sentence}"


class BadMenu(ProvisioningError):
    """A menu that cannot be used."""

    def __init__(self, menu: str, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(f"menu {menu}: {fault}" for fault in faults))
        self.faults = tuple(faults)


def nearest(name: str, known: Sequence[str] | frozenset[str]) -> str:
    """`did you mean meter?`, or what there is."""
    near = get_close_matches(name, sorted(known), 1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known)[:12]) or 'none'}"
