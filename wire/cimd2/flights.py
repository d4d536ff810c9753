"""Our own requests under way: their numbers, the window, and what a NACK means for them.

Flights     add, release, answered, overdue, nacked, all; room, next_number
Nacked      what a NACK comes to: say these again, give them up, nobody can tell which, or pass it over

A request is in flight from the moment when its owner has sent it. It is on the wire at once, unless as many are as the
window lets: then it is held, in order, until an answer makes room. Only an alive or a logout can come to that, or
what is sent while one of these is on its way, since an owner has no more room than the window: so a peer that takes
one request at a time gets one at a time.

Rule: a number is used again only when its answer came. That of a request which timed out stays taken, for its answer
may still come and would be taken for another's. When the next number is such a one and nothing else is under way,
the session is stuck and has to end: a new one has fresh numbers.

Source: sheet section 2.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from wire.cimd2.numbers import COUNT, after
from wire.cimd2.packet import GeneralError, Request, Response
from wire.cimd2.states import LINK
from wire.window import Window


@dataclass(frozen=True, slots=True)
class Nacked:
    """What a NACK comes to, and for which requests."""

    what: Literal["again", "given up", "unclear", "passed over"]
    requests: tuple[Request, ...] = ()


_PASSED_OVER = Nacked("passed over")


class Flights:
    """Requests of ours; `size` of them may be on the wire at once, and be counted by the owner."""

    __slots__ = ("_echoes", "_held", "_links", "_nacks", "_taken", "_tries", "_window", "next_number", "size")

    def __init__(self, first: int, size: int, tries: int = 3) -> None:
        self.size = size
        self._tries = tries
        self._nacks = 0  # since the last answer
        self._echoes = (-1, 0)  # the number of the last NACK, and how many more like it are to be expected
        self.next_number = first
        self._window = Window(COUNT)
        self._taken: dict[int, type[Response]] = {}  # in the order of sending; what would answer each
        self._held: deque[int] = deque()
        self._links = 0

    def __len__(self) -> int:
        """All in flight, those that the session sent of its own accord too."""
        return len(self._window)

    @property
    def counted(self) -> int:
        """Those that take the owner's room."""
        return len(self._window) - self._links

    @property
    def numbers_left(self) -> int:
        """How many numbers may be used in a row."""
        if not self._taken:
            return COUNT
        return ((next(iter(self._taken)) - self.next_number) & 0xFF) >> 1

    @property
    def room(self) -> int:
        """How many requests an owner may send."""
        return max(0, min(self.size - self.counted, self.numbers_left))

    @property
    def is_stuck(self) -> bool:
        """No number is left, and none will be."""
        return not len(self._window) and not self.numbers_left

    def add(self, request: Request, deadline_ms: int) -> bool:
        """A request leaves, under the next number, which it bears already; whether it is said now, not held."""
        number = request.sequence
        assert number == self.next_number, (number, self.next_number)
        self._put(request, deadline_ms)
        if len(self._window) - len(self._held) <= self.size:
            return True
        self._held.append(number)
        return False

    def release(self) -> list[Request]:
        """Those held that may be said now."""
        released: list[Request] = []
        while self._held and len(self._window) - len(self._held) < self.size:
            released.append(self._window.look(self._held.popleft()))  # type: ignore[arg-type]  # is in flight
        return released

    def answered(self, response: Response) -> Request | None:
        """The request that this answers, which flies no more; None: none does, and it may be passed over."""
        number = response.sequence
        request: Request | None = self._window.look(number)
        if request is None or number in self._held:
            if self._taken.get(number) is type(response) and request is None:
                del self._taken[number]  # too late, but the number is free
            return None
        if type(response) is not request.response_type and type(response) is not GeneralError:
            return None
        self._window.take(number)
        self._landed((request,))
        del self._taken[number]
        self._nacks, self._echoes = 0, (-1, 0)
        return request

    def overdue(self, now_ms: int) -> list[Request]:
        """Those whose time is over, which fly no more; their numbers stay taken."""
        late: list[Request] = self._window.take_overdue(now_ms)
        if late:
            self._landed(late)
        return late

    def all(self) -> list[Request]:
        """All that fly; none flies after it."""
        requests: list[Request] = self._window.take_all()
        self._held.clear()
        self._links = 0
        return requests

    def deadline_ms(self) -> int | None:
        """When to look for overdue requests, at the latest."""
        return self._window.deadline_ms()

    # --- NACKs ---

    def nacked(self, number: int, deadline_ms: int) -> Nacked:
        """The peer says that it expects this number. What is to be said again is numbered anew from there on.

        All that was sent behind a refused request has been refused too, and each draws a NACK of its own: these
        echoes are passed over.
        """
        echoed, left = self._echoes
        if echoed == number and left:
            self._echoes = (number, left - 1)
            return _PASSED_OVER
        if number == self.next_number or number in self._held or (number ^ self.next_number) & 1:
            # The peer has taken all that we said; it was disturbed by something else, perhaps by an answer of ours.
            return _PASSED_OVER
        on_the_wire = [one for one in self._taken if one in self._window and one not in self._held]
        if not on_the_wire:
            return _PASSED_OVER
        if number in on_the_wire:
            first = on_the_wire.index(number)
        elif number in self._taken or len(on_the_wire) > 1:
            # It waits for what timed out, or counts otherwise than we. What is on the wire may have been taken by it
            # all the same, so nothing may be said again under another number.
            return Nacked("unclear")
        else:
            first = 0
        return self._say_again(on_the_wire[first:], number, deadline_ms)

    def _say_again(self, numbers: list[int], expected: int, deadline_ms: int) -> Nacked:
        requests: list[Request] = [self._window.take(number) for number in numbers]  # type: ignore[misc]
        self._nacks += 1
        if self._nacks >= self._tries:
            self._landed(requests)
            return Nacked("given up", tuple(requests))
        held: list[Request] = [self._window.take(number) for number in self._held]  # type: ignore[misc]
        if expected != numbers[0]:
            self._renumber([*requests, *held], expected)
            self._held = deque(request.sequence for request in held)
        for request in (*requests, *held):
            self._window.add(request.sequence, request, deadline_ms)
        self._echoes = (expected, len(requests) - 1)
        return Nacked("again", tuple(requests))

    def _renumber(self, requests: list[Request], first: int) -> None:
        """The only one on the wire gets another number, and so does what is held behind it."""
        for request in requests:
            del self._taken[request.sequence]
        self.next_number = first
        for request in requests:
            request.sequence = self.next_number
            self._taken[request.sequence] = request.response_type
            self.next_number = after(request.sequence)

    # --- bookkeeping ---

    def _put(self, request: Request, deadline_ms: int) -> None:
        number = request.sequence
        self._window.add(number, request, deadline_ms)
        self._taken[number] = request.response_type
        self._links += type(request) in LINK
        self.next_number = after(number)

    def _landed(self, requests: Iterable[Request]) -> None:
        for request in requests:
            self._links -= type(request) in LINK
            if self._held and request.sequence in self._held:
                self._held.remove(request.sequence)
