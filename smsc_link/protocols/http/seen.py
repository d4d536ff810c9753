"""Signed requests that were taken, known again by their signatures. No I/O.

Seen   one link's;  Met, what it says of a request

A signature over a time is that of one request. One that comes again is a redelivery, or somebody who saw it: either
hears the same answer, and no second message is made of it. Where our answer to the first may not have arrived, the
journal doubts it, and tells the next by its content; so that one goes there, and uses the doubt up.

Rule: bounded. Only what the operator has signed is ever remembered, so that nobody else can fill it.
"""

from collections import OrderedDict
from enum import Enum
from hashlib import blake2b

from core.clock import Instant

SEEN_MAX = 100_000
"""200 in a second for eight minutes; some 20 MB."""


class Met(Enum):
    """What is known of a request."""

    NEW = "new"
    UNDER_WAY = "under way"
    ANSWERED = "answered"


class Seen:
    """Those of the last `keep_ms`; 0: nothing is remembered."""

    def __init__(self, keep_ms: int) -> None:
        self._keep_ms = keep_ms
        self._under_way: set[bytes] = set()
        self._answered: OrderedDict[bytes, Instant] = OrderedDict()

    def __len__(self) -> int:
        return len(self._under_way) + len(self._answered)

    def begin(self, mark: str, now: Instant) -> Met:
        """A request with this signature is here. A NEW one is under way until end()."""
        if not mark or not self._keep_ms:
            return Met.NEW
        self._prune(now)
        digest = _digest(mark)
        if digest in self._answered:
            return Met.ANSWERED
        if digest in self._under_way:
            return Met.UNDER_WAY
        self._under_way.add(digest)
        return Met.NEW

    def end(self, mark: str, now: Instant, *, answered: bool) -> None:
        """It is over; `answered`: its message is taken, and who sent it knows."""
        digest = _digest(mark)
        if digest not in self._under_way:
            return
        self._under_way.discard(digest)
        if answered:
            self._answered[digest] = now
            if len(self._answered) > SEEN_MAX:
                self._answered.popitem(last=False)

    def _prune(self, now: Instant) -> None:
        answered = self._answered
        while answered and now - next(iter(answered.values())) > self._keep_ms:
            answered.popitem(last=False)


def _digest(mark: str) -> bytes:
    return blake2b(mark.encode("utf-8", "replace"), digest_size=16).digest()
