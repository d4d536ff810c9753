"""What a pocket SMSC remembers of what it took, for clients that ask what became of it, take it back or change it.

Remembered   one submission; its fate is None while its receipt is still to come
Fates        those of late, as their tongue files them
TAKEN_BACK   the fate of what its sender took back

Rule: it forgets the oldest, as centres do. What is open gets one fate, and by that at most one receipt.
"""

from collections import deque
from dataclasses import dataclass

from core.clock import Instant
from sim.records import SeenMt
from sim.subscribers import DELETED, Fate
from wire.session import Operation

REMEMBERED_MAX = 100_000
TAKEN_BACK = Fate(DELETED, "000")


@dataclass(slots=True)
class Remembered:
    """A submission that was taken."""

    submit: Operation
    answer_id: str
    at: Instant
    is_open: bool
    """It is still under way. Where it is not, and has no fate, that is whatever is drawn when somebody asks."""
    fate: Fate | None = None
    wants_receipt: bool = False
    receipt_id: str = ""
    mt: SeenMt | None = None


class Fates:
    """By the name under which a tongue files a submission; several may have the same."""

    def __init__(self, most: int = REMEMBERED_MAX) -> None:
        self._most = most
        self._filed: dict[str, deque[Remembered]] = {}
        self._names: deque[str] = deque()

    def remember(self, name: str, one: Remembered) -> None:
        """One more; the oldest goes where there are too many."""
        self._filed.setdefault(name, deque()).append(one)
        self._names.append(name)
        if len(self._names) > self._most:
            oldest = self._names.popleft()
            same = self._filed[oldest]
            same.popleft()
            if not same:
                del self._filed[oldest]

    def of(self, name: str) -> list[Remembered]:
        """Those of this name, the oldest first."""
        return list(self._filed.get(name, ()))

    def all(self) -> list[Remembered]:
        """Those of every name."""
        return [one for same in self._filed.values() for one in same]
