"""What waits for one operator's lines, by class of traffic: replies before messages, messages before campaigns.

Waiting   first() tells who is next, take() takes him; back() is for who was taken and could not go

Strict priority, with a floor: while campaigns wait, each twentieth message is one of theirs, so that a flood of replies
does not stop them for ever, and each tenth of the others is a partner's single message.

Rule: no I/O, no clock; within a class the order is that of arrival.
"""

from collections import deque
from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

from core.message import TrafficClass

FLOORS = {TrafficClass.MESSAGE: 10, TrafficClass.BULK: 20}
"""Each so-manieth is of this class, while any of it waits."""


class Classed(Protocol):
    """What waits."""

    @property
    def traffic(self) -> TrafficClass: ...


C = TypeVar("C", bound=Classed)


class Waiting(Generic[C]):
    """Of one operator."""

    def __init__(self) -> None:
        self._classes: tuple[deque[C], ...] = tuple(deque() for _ in TrafficClass)
        self._passed_over = dict.fromkeys(FLOORS, 0)
        """How many of other classes were taken since the last of this one, while any of it waited."""

    def __len__(self) -> int:
        return sum(map(len, self._classes))

    def __iter__(self) -> Iterator[C]:
        """All, class by class."""
        for waiting in self._classes:
            yield from waiting

    def count(self, traffic: TrafficClass) -> int:
        """How many of a class wait."""
        return len(self._classes[traffic])

    def add(self, one: C) -> None:
        """Behind those of its class."""
        self._classes[one.traffic].append(one)

    def back(self, one: C) -> None:
        """Before those of its class: it was taken, and could not go."""
        self._classes[one.traffic].appendleft(one)

    def first(self) -> C | None:
        """Who is next; None: nobody waits."""
        waiting = self._classes[self._turn()] if self._has_others() else self._classes[TrafficClass.REPLY]
        return waiting[0] if waiting else None

    def take(self) -> C:
        """Take who is next. Raises an IndexError where nobody waits."""
        if not self._has_others():
            return self._classes[TrafficClass.REPLY].popleft()
        turn = self._turn()
        for traffic in FLOORS:
            self._passed_over[traffic] = (
                0 if traffic is turn or not self._classes[traffic] else self._passed_over[traffic] + 1
            )
        return self._classes[turn].popleft()

    def replace(self, rest: Iterator[C] | list[C]) -> None:
        """Let only these wait, in this order."""
        rest = list(rest)
        self.clear()
        for one in rest:
            self.add(one)

    def clear(self) -> None:
        """Nobody waits any more."""
        for waiting in self._classes:
            waiting.clear()

    def _has_others(self) -> bool:
        """Something but replies waits: only then is there a turn to be told."""
        _, messages, campaigns = self._classes
        return bool(messages or campaigns)

    def _turn(self) -> TrafficClass:
        """Whose turn it is: a class that was passed over for as long as its floor allows, else the first that waits."""
        for traffic in reversed(FLOORS):
            if self._classes[traffic] and self._passed_over[traffic] >= FLOORS[traffic] - 1:
                return traffic
        return next((traffic for traffic in TrafficClass if self._classes[traffic]), TrafficClass.REPLY)
