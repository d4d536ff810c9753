"""What waits for the writer: facts in the order in which they came, receipts in a line of their own.

Waiting   a fact, and whom to tell when it is durable
Gather    add, take the next batch, put back what could not be written

Receipts may come in storms, from every link at once. An MO must not wait behind all of them, nor be refused because
they fill the backlog; so of a batch they are RECEIPTS_MAX at most, and only the others count as the backlog.

A message is not overdue while its receipt waits here, so who looks for overdue ones stands in the receipts' line. A
receipt that overtakes the submission of its MT by that is an early one, which the journal knows.

Rule: no I/O, no clock.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from core.errors import StoreError
from store.journal import Fact, OverdueFact, ReceiptFact, StrandedFact

Settled: TypeAlias = Callable[[Fact, StoreError | None], None]

_OF_RECEIPTS = frozenset((ReceiptFact, OverdueFact, StrandedFact))
RECEIPTS_MAX = 100
"""Of one batch: its time, and half of the one before, is what an MO waits in a storm."""


@dataclass(slots=True)
class Waiting:
    """A fact that is not durable yet."""

    fact: Fact
    settled: Settled


class Gather:
    """Two lines, in order each."""

    def __init__(self, waiting: Iterable[Waiting] = ()) -> None:
        self._main: deque[Waiting] = deque()
        self._receipts: deque[Waiting] = deque()
        for one in waiting:
            self.add(one)

    def __len__(self) -> int:
        return len(self._main) + len(self._receipts)

    def __iter__(self) -> Iterator[Waiting]:
        """All, the receipts last."""
        yield from self._main
        yield from self._receipts

    @property
    def backlog(self) -> int:
        """How many wait, without receipts."""
        return len(self._main)

    def add(self, one: Waiting) -> None:
        """Behind all that waits."""
        self._line(one).append(one)

    def put_back(self, some: Iterable[Waiting]) -> None:
        """Before all that waits, in their order."""
        for one in reversed(list(some)):
            self._line(one).appendleft(one)

    def take(self, most: int) -> list[Waiting]:
        """The next batch."""
        main, receipts = self._main, self._receipts
        share = min(RECEIPTS_MAX, len(receipts), most - 1 if main else most)
        batch = [main.popleft() for _ in range(min(len(main), most - share))]
        share = min(RECEIPTS_MAX, len(receipts), most - len(batch))
        batch += [receipts.popleft() for _ in range(share)]
        return batch

    def clear(self) -> None:
        """Nothing waits any more."""
        self._main.clear()
        self._receipts.clear()

    def _line(self, one: Waiting) -> deque[Waiting]:
        kind = type(one.fact)
        return self._receipts if kind in _OF_RECEIPTS else self._main
