"""Message ids: 63 bits that sort by time and never repeat.

    41 bits   milliseconds since 2020-01-01T00:00:00Z (lasts until 2089)
    10 bits   the process that made it (store: table `process`)
    12 bits   a sequence within the millisecond

Rule: an id is made only by an `Ids` whose process slot is held by a lease; two live processes never share a slot.
"""

from threading import Lock

from core.clock import Instant

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


def instant_of_id(message_id: int) -> Instant:
    """When the id was made, by the clock of its process."""
    return (message_id >> _SHIFT) + EPOCH_MS


def first_id_at(instant: Instant) -> int:
    """The smallest id that could have been made at that moment: the start of a range of the primary key."""
    return max(0, instant - EPOCH_MS) << _SHIFT
