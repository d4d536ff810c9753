"""Whose a number is: by the portability table where it stands in it, else by the operators' first digits.

Directory   of all operators; find()
Found       the operator's id, and by which rule

The portability table has millions of rows and lies in the database: what it says of some numbers is handed in
(store.numbers.operators_of asks for a batch at once).

Rule: for numbers that we send to. The operator of an MO is its link's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.msisdn import Prefixes


@dataclass(frozen=True, slots=True)
class Found:
    """Whose a number is. `prefix` is the operator's that decided, "" where the number is ported."""

    operator_id: int
    prefix: str = ""


class Directory:
    """The operators' first digits."""

    def __init__(self, prefixes: Mapping[str, int]) -> None:
        self._prefixes = Prefixes({prefix: Found(owner, prefix) for prefix, owner in prefixes.items()})

    @classmethod
    def of(cls, operators: Iterable[tuple[int, Iterable[str]]]) -> "Directory":
        """Of operators: id, and first digits."""
        return cls({prefix: id_ for id_, prefixes in operators for prefix in prefixes})

    def find(self, number: str, ported: Mapping[str, int]) -> Found | None:
        """Whose it is, by which rule; None: nobody's that we know."""
        owner = ported.get(number)
        return self._prefixes.find(number) if owner is None else Found(owner)
