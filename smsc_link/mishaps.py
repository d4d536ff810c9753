"""Mistakes of ours on one thing that a link carries: it fails, a person is told, and the rest of the link goes on.

Mishaps   one link's: counted each time; the log and an alert tell of each place once in TOLD_MS
Told      what was told of within that time

What an operator handed in gets the temporary error and comes again: perhaps for ever, so it must neither end the
session, which would take the other messages with it, nor fill the log.

Rule: an exception's own words are never written down: they may repeat a subscriber's text.
"""

from collections.abc import Callable
from pathlib import PurePath
from traceback import extract_tb

from structlog import get_logger

from core.catalogue import Link
from core.clock import MINUTE_MS, Clock
from smsc_link.keeping import Counts
from traffic.ports import Intake

log = get_logger()

TOLD_MS = 10 * MINUTE_MS
TOLD_MAX = 1000
"""Of so many it is known that they were told of: the whole Internet may knock."""
AGAIN = "the operator got the temporary error and hands it in again"


class Mishaps:
    """Those of one link, over all its sessions."""

    def __init__(self, link: Link, intake: Intake, clock: Clock, counts: Counts) -> None:
        self._link = link
        self._intake = intake
        self._counts = counts
        self._told = Told(clock.monotonic_ms)

    def happened(self, error: Exception, what: str, *, became: str = AGAIN) -> None:
        """`what`: the kind of thing that it was about, as the protocol names it; `became`: what came of that."""
        self._counts.mishaps += 1
        name, place = type(error).__name__, _place_of(error)
        if not self._told.is_new(place):
            return
        wordless = Exception(f"{name}; its words are left out, they may repeat a text")
        log.error(
            "a mistake of ours", link=self._link.name, what=what, exc_info=(Exception, wordless, error.__traceback__)
        )
        self._intake.alarm(
            self._link,
            f"a mistake of ours on a {what} ({name} in {place}): {became}, the link goes on; look at the log and "
            "report it with the traceback",
        )


class Told:
    """What was told of within TOLD_MS."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._at_ms: dict[str, int] = {}

    def is_new(self, what: str) -> bool:
        """Whether to tell of it: not again so soon, and not where too many others were told of."""
        now_ms = self._now_ms()
        at_ms = self._at_ms.get(what)
        if at_ms is not None and now_ms - at_ms < TOLD_MS:
            return False
        if len(self._at_ms) >= TOLD_MAX:
            self._at_ms = {name: ms for name, ms in self._at_ms.items() if now_ms - ms < TOLD_MS}
        if len(self._at_ms) >= TOLD_MAX:
            return False
        self._at_ms[what] = now_ms
        return True


def _place_of(error: Exception) -> str:
    frames = extract_tb(error.__traceback__)
    return f"{PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "nowhere"
