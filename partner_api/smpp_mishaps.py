"""Mistakes of ours on one operation of a partner: it fails, a person is told, and the session goes on.

Mishaps   counted each time; the log tells of each place once in TOLD_MS

A session that ended by it would take the partner's other messages with it, and be bound again to meet the same.

Rule: an exception's own words are never written down: they may repeat a subscriber's text.
"""

from pathlib import PurePath
from traceback import extract_tb

from structlog import get_logger

from core.clock import MINUTE_MS, Clock
from plumbing.metrics import Metrics

log = get_logger()

TOLD_MS = 10 * MINUTE_MS


class Mishaps:
    """Those of all sessions."""

    def __init__(self, clock: Clock, metrics: Metrics) -> None:
        self._clock = clock
        self._counter = metrics.counter(
            "tollbridge_smpp_mishaps", "operations of SMPP partners that failed by a mistake of ours; look at the log"
        )
        self._told_ms: dict[str, int] = {}
        """By place in our code, so there are not many."""

    def happened(self, error: Exception, *, partner: str, peer: str, what: str) -> None:
        """`what`: the operation, or what became of one of ours."""
        self._counter.value += 1
        name, place, now_ms = type(error).__name__, _place_of(error), self._clock.monotonic_ms()
        told_ms = self._told_ms.get(place)
        if told_ms is not None and now_ms - told_ms < TOLD_MS:
            return
        self._told_ms[place] = now_ms
        wordless = Exception(f"{name}; its words are left out, they may repeat a text")
        log.error(
            "a mistake of ours on an operation of a partner",
            partner=partner,
            peer=peer,
            operation=what,
            exc_info=(Exception, wordless, error.__traceback__),
        )


def _place_of(error: Exception) -> str:
    frames = extract_tb(error.__traceback__)
    return f"{PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "nowhere"
