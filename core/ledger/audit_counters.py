"""The audit of counters that make prices: parts of outgoing SMS, and what referrers were given under a cap.

Counted   is shown every charge and every outgoing SMS, then gives the findings; volumes are L6's

Each counter is a walk from 0: a charge or an SMS says where it stood before it (`referral_before`, `parts_before`: L7
believes them) and moves it on. The steps of a walk sum to where it stands; and so do those of its square,
(before + change)² − before², in whatever order they are added. One that says a place which is not its own breaks that.

Rule: it streams, in any order; what is kept is two sums for each counter.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from core.ledger.rows import ChargeRow, Finding
from core.money import format_micros
from core.tariff.charge import ChargeState
from core.tariff.rate import ReferralKey, VolumeKey

CHECK = "counters"

K = TypeVar("K", VolumeKey, ReferralKey)


@dataclass(slots=True)
class _Walk:
    """The steps of one counter, in any order."""

    end: int = 0
    square: int = 0

    def step(self, before: int, change: int) -> None:
        """One more."""
        self.end += change
        self.square += (2 * before + change) * change


class Counted:
    """What the counters should say."""

    def __init__(self) -> None:
        self._parts: dict[VolumeKey, _Walk] = {}
        self._given: dict[ReferralKey, _Walk] = {}

    def add(self, charges: Iterable[ChargeRow]) -> None:
        """Some more charges; those that asked for a cap have moved its counter."""
        for row in charges:
            charge = row.charge
            if charge.referral_before is not None and charge.state == ChargeState.POSTED:
                walk = self._given.setdefault((charge.referral_id, charge.currency), _Walk())
                walk.step(charge.referral_before, charge.referral_part)

    def add_sent(self, key: VolumeKey, before: int, parts: int) -> None:
        """One more outgoing SMS that its partner was to pay for, whatever became of it."""
        self._parts.setdefault(key, _Walk()).step(before, parts)

    def parts(self, counters: Iterable[tuple[VolumeKey, int]]) -> Iterator[Finding]:
        """What does not hold of parts, after every outgoing SMS was added."""
        return _findings("volume", counters, self._parts, "parts of outgoing SMS", str)

    def given(self, counters: Iterable[tuple[ReferralKey, int]]) -> Iterator[Finding]:
        """What does not hold of referrals under a cap, after every charge was added."""
        return _findings("referral_given", counters, self._given, "what its charges gave", format_micros)


def _findings(
    table: str, counters: Iterable[tuple[K, int]], walks: Mapping[K, _Walk], what: str, say: Callable[[int], str]
) -> Iterator[Finding]:
    left = dict(walks)
    for key, stands in counters:
        walk = left.pop(key, _Walk())
        if stands != walk.end:
            sentence = f"the counter says {say(stands)}, {what} sum to {say(walk.end)}"
            yield Finding(CHECK, table, _row(key), sentence)
        elif walk.square != walk.end * walk.end:
            yield Finding(CHECK, table, _row(key), f"{what} sum to {say(walk.end)}, but do not follow one another")
    for key, walk in sorted(left.items(), key=lambda pair: _row(pair[0])):
        if walk.end or walk.square:
            yield Finding(CHECK, table, _row(key), f"no counter; {what} sum to {say(walk.end)}")


def _row(key: VolumeKey | ReferralKey) -> str:
    return "/".join(str(part) for part in key)
