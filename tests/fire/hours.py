"""Hour after hour: what is to happen once in each, and faults in any order until the next.

hourly   hours → the runs, one after the other, as time passes; the caller runs each before it asks for the next

Rule: the seed decides the order, the clock only how many there are.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")

HOUR_S = 3600.0
ROUND_MIN_S = 20.0
"""A round of all faults that is over sooner has not happened: something is missing, and more of it tells nothing."""
SEED_MAX = 2**31


def hourly(
    hours: int,
    first: Callable[[], Iterable[T]],
    between: Sequence[Callable[[int], T]],
    *,
    seed: int,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[T]:
    """Each hour begins with `first`; then `between` by turns, each once in a round, with a seed of its own."""
    random = Random(seed)
    begun = clock()
    for hour in range(1, hours + 1):
        yield from first()
        while clock() - begun < hour * HOUR_S:
            round_begun = clock()
            for make in random.sample(between, len(between)):
                if clock() - begun >= hour * HOUR_S:
                    break
                yield make(random.randrange(SEED_MAX))
            else:
                if clock() - round_begun < ROUND_MIN_S:
                    return
