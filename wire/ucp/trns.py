"""The hundred transaction numbers of one direction: which are in flight, which are parked, which is next.

Trns    window (the owner's requests), link (login and keep-alive), parked (given up, a late result may still come)

Rule: a TRN is given out again only when its result has come, or its parking time is over (sheet, pitfall 7).
"""

from wire.ucp.frames import TRNS
from wire.ucp.operations import Request, Result
from wire.window import Window


class Trns:
    """All numbers of our requests. `first` is given out first."""

    __slots__ = ("_last", "_parked_ms", "link", "parked", "window")

    def __init__(self, *, window: int, parked_ms: int, first: int = 0) -> None:
        self.window = Window(window)
        self.link = Window(TRNS)
        self.parked = Window(TRNS)
        self._parked_ms = parked_ms
        self._last = first - 1

    @property
    def free(self) -> int:
        """How many numbers may be given out."""
        return TRNS - len(self.window) - len(self.link) - len(self.parked)

    def after_last(self) -> int:
        """The next number; there must be a free one."""
        assert self.free > 0, self.free
        number = (self._last + 1) % TRNS
        while number in self.window or number in self.link or number in self.parked:
            number = (number + 1) % TRNS
        return number

    def given(self, number: int) -> None:
        """This number was written."""
        self._last = number

    def window_of(self, result: Result) -> Window | None:
        """Where the request of this result is: TRN and OT must both be its own."""
        for window in (self.window, self.link, self.parked):
            request: Request | None = window.look(result.sequence)
            if request is not None:
                return window if request.ot == result.ot else None
        return None

    def park(self, request: Request, now_ms: int) -> None:
        """No result came in time."""
        self.parked.add(request.sequence, request, now_ms + self._parked_ms)

    def take_all(self) -> list[Request]:
        """All that are in flight; nothing is after it."""
        self.parked.take_all()
        return self.window.take_all() + self.link.take_all()

    def deadline_ms(self) -> int | None:
        """When a request is overdue, or a parked number free again."""
        moments = (self.window.deadline_ms(), self.link.deadline_ms(), self.parked.deadline_ms())
        return min((moment for moment in moments if moment is not None), default=None)
