"""Whose a number is: by the portability table where it stands in it, else by the operators' first digits.

Directory   of one catalogue; find() and operators()
Found       the operator's id, and by which rule

The portability table has millions of rows and lies in the database: what it says of some numbers is handed in
(store.numbers.operators_of asks for a batch at once).

Rule: for numbers that we send to. The operator of an MO is its link's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.catalogue import Catalogue
from core.msisdn import Prefixes


@dataclass(frozen=True, slots=True)
class Found:
    """Whose a number is. `prefix` is the operator's that decided, "" where the number is ported."""

    operator_id: int
    prefix: str = ""


class Directory:
    """The operators' first digits; made once per catalogue."""

    def __init__(self, prefixes: Mapping[str, int]) -> None:
        self._prefixes = Prefixes({prefix: Found(owner, prefix) for prefix, owner in prefixes.items()})

    @classmethod
    def of(cls, catalogue: Catalogue) -> "Directory":
        """Of all operators provisioned."""
        return cls({prefix: one.id for one in catalogue.operators.values() for prefix in one.msisdn_prefixes})

    def find(self, number: str, ported: Mapping[str, int]) -> Found | None:
        """Whose it is, by which rule; None: nobody's that we know."""
        owner = ported.get(number)
        return self._prefixes.find(number) if owner is None else Found(owner)

    def operators(self, numbers: Iterable[str], ported: Mapping[str, int]) -> dict[str, int]:
        """The operator of each number that has one."""
        found: dict[str, int] = {}
        for number in numbers:
            owner = self.find(number, ported)
            if owner is not None:
                found[number] = owner.operator_id
        return found
