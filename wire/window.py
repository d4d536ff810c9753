"""How much may be under way: requests in flight with their deadlines, and the allowance per second.

Window      sequence -> request and the moment when its answer is overdue
Allowance   a token bucket in whole numbers; halves when throttled, grows back by 5 % of its maximum per second

Rule: all requests of one Window have the same time-out, so their deadlines stand in the order in which they
were sent, and only the first need be looked at.

Source: reliability.md, section 5; sheet section 11.
"""

from typing import Any


class Window:
    """Requests in flight, at most `size` of them."""

    __slots__ = ("_flying", "_soonest_ms", "size")

    def __init__(self, size: int) -> None:
        assert size > 0, size
        self.size = size
        self._flying: dict[int, tuple[Any, int]] = {}
        self._soonest_ms: int | None = None  # never later than the first deadline

    def __len__(self) -> int:
        return len(self._flying)

    def __contains__(self, sequence: int) -> bool:
        return sequence in self._flying

    @property
    def room(self) -> int:
        """How many more may fly."""
        return self.size - len(self._flying)

    def add(self, sequence: int, request: Any, deadline_ms: int) -> None:
        """A request leaves; deadlines never run backwards."""
        if not self._flying:
            self._soonest_ms = deadline_ms
        self._flying[sequence] = (request, deadline_ms)

    def look(self, sequence: int) -> Any | None:
        """The request with this number, or None."""
        found = self._flying.get(sequence)
        return None if found is None else found[0]

    def take(self, sequence: int) -> Any | None:
        """The request with this number, which flies no more; None when there is none."""
        found = self._flying.pop(sequence, None)
        return None if found is None else found[0]

    def take_overdue(self, now_ms: int) -> list[Any]:
        """The requests whose time is over, which fly no more; in the order in which they left."""
        if self._soonest_ms is None or now_ms < self._soonest_ms:
            return []
        overdue: list[int] = []
        self._soonest_ms = None
        for sequence, (_, deadline_ms) in self._flying.items():
            if deadline_ms > now_ms:
                self._soonest_ms = deadline_ms
                break
            overdue.append(sequence)
        return [self._flying.pop(sequence)[0] for sequence in overdue]

    def take_all(self) -> list[Any]:
        """All that fly; none flies after it."""
        requests = [request for request, _ in self._flying.values()]
        self._flying.clear()
        self._soonest_ms = None
        return requests

    def deadline_ms(self) -> int | None:
        """When to look for overdue requests: at the first deadline, or a little too early."""
        return self._soonest_ms if self._flying else None


# One message, in the bucket's unit: small enough that every rate is whole per millisecond.
_MESSAGE = 1_000_000_000
_PER_MS = _MESSAGE // 1000  # a rate of one message per second
_GROWTH_PERCENT = 5
_HALVING_PAUSE_MS = 1000


class Allowance:
    """At most `per_second` messages a second (0: no limit), and fewer for a while after throttled().

    The bucket holds a tenth of a second's worth, one message at least: a link that was idle does not burst,
    since an operator who counts by the second would answer with throttling. Without a limit throttled() takes
    what was sent within the last second for the maximum, until the rate has grown back to it.
    """

    __slots__ = (
        *("_before", "_counted_from_ms", "_full", "_halved_ms", "_maximum", "_now_ms", "_rate", "_sent", "_tokens"),
    )

    def __init__(self, per_second: int) -> None:
        assert per_second >= 0, per_second
        self._full = per_second  # as configured; 0: no limit
        self._maximum = per_second  # 0: no limit at the moment
        self._rate = per_second * _PER_MS  # tokens per millisecond
        self._tokens = _depth(per_second)
        self._now_ms: int | None = None
        self._halved_ms: int | None = None
        self._counted_from_ms = 0
        self._sent = self._before = 0  # in the second from there on, and in the one before it

    @property
    def rate(self) -> int:
        """Messages per second at the moment, rounded down; 0: no limit."""
        return self._rate // _PER_MS

    @property
    def is_slowed(self) -> bool:
        """It was throttled, and has not grown back yet, as far as it was asked."""
        return self._rate < self._maximum * _PER_MS

    def room(self, now_ms: int) -> int | None:
        """How many messages may go now; None: no limit."""
        self._flow(now_ms)
        return self._tokens // _MESSAGE if self._maximum else None

    def take(self, now_ms: int) -> bool:
        """Spend one message's worth; False when there is none."""
        self._flow(now_ms)
        if self._maximum:
            if self._tokens < _MESSAGE:
                return False
            self._tokens -= _MESSAGE
        if not self._full:
            self._count(now_ms)
        return True

    def _count(self, now_ms: int) -> None:
        passed = now_ms - self._counted_from_ms
        if passed >= 1000:
            self._before = self._sent if passed < 2000 else 0
            self._counted_from_ms, self._sent = self._counted_from_ms + passed // 1000 * 1000, 0
        self._sent += 1

    def _lately(self, now_ms: int) -> int:
        """How many were sent within the last second, as if the earlier ones had been spread evenly over theirs."""
        passed = now_ms - self._counted_from_ms
        if passed < 1000:
            return self._sent + self._before * (1000 - passed) // 1000
        return self._sent * max(0, 2000 - passed) // 1000

    def room_at_ms(self, now_ms: int) -> int:
        """When the next message may go: now_ms, or later."""
        self._flow(now_ms)
        if not self._maximum or self._tokens >= _MESSAGE:
            return now_ms
        return now_ms - (self._tokens - _MESSAGE) // self._rate

    def throttled(self, now_ms: int) -> None:
        """The peer finds us too fast: half the rate, and nothing left in the bucket.

        What was in flight comes back throttled together, so a second call within a second does not halve again.
        """
        self._flow(now_ms)
        self._tokens = 0
        if self._halved_ms is not None and now_ms - self._halved_ms < _HALVING_PAUSE_MS:
            return
        if not self._maximum:
            self._maximum = max(self._lately(now_ms), 2)
            self._rate = self._maximum * _PER_MS
        self._halved_ms = now_ms
        self._rate = max(self._rate // 2, self._maximum * _PER_MS * _GROWTH_PERCENT // 100)

    def _flow(self, now_ms: int) -> None:
        """Let tokens run in, and the rate grow, for the time that passed."""
        before_ms, self._now_ms = self._now_ms, now_ms
        if not self._maximum or before_ms is None or now_ms <= before_ms:
            return
        passed = now_ms - before_ms
        depth = _depth(self._maximum)
        self._tokens = min(self._tokens + self._rate * passed, depth)
        most = self._maximum * _PER_MS
        if self._rate < most:
            self._rate = min(self._rate + most * _GROWTH_PERCENT * passed // 100_000, most)
        elif not self._full:
            self._maximum = self._rate = 0


def _depth(per_second: int) -> int:
    return max(_MESSAGE, per_second * _MESSAGE // 10)
