"""How long something pure takes.

nanoseconds   of CPU for one call, the best of five rounds
"""

import time
import timeit
from collections.abc import Callable

_ROUNDS = 5


def nanoseconds(act: Callable[[], object], number: int) -> int:
    """Of one call, where each round has so many."""
    best_s = min(timeit.repeat(act, timer=time.process_time, number=number, repeat=_ROUNDS))
    return int(best_s * 1_000_000_000) // number
