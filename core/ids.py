"""Message ids: 63 bits that sort by time and never repeat.

Ids              makes them, for one process
Trail            which of them are of late, whatever the wall clock did meanwhile
instant_of_id    when one was made, by the wall clock of its process

    41 bits   milliseconds since 2020-01-01T00:00:00Z (lasts until 2089)
    10 bits   the process that made it (store: table `process`)
    12 bits   a sequence within the millisecond

Rule: an id is made only by an `Ids` whose process slot is held by a lease; two live processes never share a slot.
"""

from collections import deque
from threading import Lock

from core.clock import SECOND_MS, Instant

EPOCH_MS = 1_577_836_800_000
SLOT_BITS = 10
SEQUENCE_BITS = 12
SLOTS = 1 << SLOT_BITS
_SEQUENCES = 1 << SEQUENCE_BITS
_SHIFT = SLOT_BITS + SEQUENCE_BITS


class Ids:
    """Makes ids for one process slot.

    A wall clock that jumps back does not make an id repeat or an order turn: we go on from the last
    millisecond that was used.
    """

    def __init__(self, slot: int, *, after: int = 0) -> None:
        """`after`: the largest id that this slot may have made before (0: none)."""
        assert 0 <= slot < SLOTS, slot
        self._slot = slot << SEQUENCE_BITS
        self._tick = (after >> _SHIFT) + 1 if after else 0
        self._sequence = 0
        self._lock = Lock()

    def next(self, now: Instant) -> int:
        """The next id; larger than every one before. May be called by any thread."""
        tick = now - EPOCH_MS
        with self._lock:
            if tick > self._tick:
                self._tick = tick
                self._sequence = 0
            else:
                self._sequence += 1
                if self._sequence == _SEQUENCES:
                    self._tick += 1
                    self._sequence = 0
            return (self._tick << _SHIFT) | self._slot | self._sequence

    @property
    def latest(self) -> Instant:
        """The moment that the last id bears: no id that was made bears a later one."""
        return self._tick + EPOCH_MS


class Trail:
    """The ids of late, by a monotonic clock: a mark a second, each the first id of its second.

    A wall clock that jumps takes its moments along: «the ids since a minute ago» would be none after a jump forward,
    and those of an hour after one back.
    """

    def __init__(self, keep_ms: int, last: int) -> None:
        """Marks are kept for so long; all that are marked are larger than `last`."""
        self._keep_ms = keep_ms
        self._marks: deque[tuple[int, int]] = deque()
        self.last = last
        """The largest id that was marked."""

    def mark(self, message_id: int, ms: int) -> None:
        """An id was made just now; they rise."""
        self.last = message_id
        marks = self._marks
        if marks and ms - marks[-1][0] < SECOND_MS:
            return
        marks.append((ms, message_id))
        while marks[0][0] < ms - self._keep_ms - SECOND_MS:
            marks.popleft()

    def since(self, ms: int) -> int:
        """Not larger than any id that was marked from that moment on; older ones are left out but for a second's."""
        for marked_ms, message_id in self._marks:
            if marked_ms > ms - SECOND_MS:
                return message_id
        return self.last + 1


def instant_of_id(message_id: int) -> Instant:
    """When the id was made, by the clock of its process."""
    return (message_id >> _SHIFT) + EPOCH_MS


def first_id_at(instant: Instant) -> int:
    """The smallest id that could have been made at that moment: the start of a range of the primary key."""
    return max(0, instant - EPOCH_MS) << _SHIFT
