"""Packet numbers: the application's are odd, 001 to 255, the centre's even, 000 to 254; 128 each, round and round.

after, FIRST    the number that follows; where each side begins
Heard           the peer's requests by number: which is next, which is said again, which is wrong

A peer that lost an answer says its request again, under the same number: it gets the same answer again, and nothing
happens a second time. So the last requests are kept with their answers, at most half of all numbers: an older number
can only be one that runs ahead.

Rule: a request that has the number of a kept one, but other octets, is no repetition. It is a wrong number, since the
answer of another message would be taken for its own.

Source: sheet section 2; pitfall 3.
"""

from typing import Literal, TypeAlias

FIRST: dict[str, int] = {"esme": 1, "smsc": 0}
COUNT = 128
KEPT_MAX = COUNT // 2

Verdict: TypeAlias = Literal["next", "again", "wrong"]


def after(number: int) -> int:
    """The number that follows: 255 by 001, 254 by 000."""
    return (number + 2) & 0xFF


class Heard:
    """The peer's requests, of which at most so many are kept besides those that wait for their answer."""

    __slots__ = ("_answers", "_kept_max", "_packets", "expected")

    def __init__(self, first: int, kept_max: int = KEPT_MAX) -> None:
        self.expected = first
        self._kept_max = max(1, min(kept_max, KEPT_MAX))
        self._packets: dict[int, bytes] = {}  # in the order in which they came
        self._answers: dict[int, bytes] = {}

    def __len__(self) -> int:
        return len(self._packets)

    def judge(self, number: int, packet: bytes) -> Verdict:
        """What to make of a request with this number."""
        waits = number in self._packets and number not in self._answers
        if number == self.expected and not waits:
            return "next"
        return "again" if self._packets.get(number) == packet else "wrong"

    def take(self, number: int, packet: bytes) -> None:
        """A request with the next number is taken: it will be answered, or passed over for good."""
        assert number == self.expected, (number, self.expected)
        self.expected = after(number)
        self._packets.pop(number, None)
        self._answers.pop(number, None)
        self._packets[number] = packet
        while len(self._packets) > self._kept_max:
            oldest = next(iter(self._packets))
            if oldest not in self._answers:
                break
            del self._packets[oldest], self._answers[oldest]

    def answered(self, number: int, answer: bytes) -> None:
        """Keep what was answered."""
        if number in self._packets:
            self._answers[number] = answer

    def answer_of(self, number: int) -> bytes | None:
        """What was answered to it; None: nothing yet."""
        return self._answers.get(number)
