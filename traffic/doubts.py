"""Answers that may not have arrived: what an operator perhaps delivers again (reliability.md, section 3).

Doubts       of one process's links
  new_id     an id for what came in, remembered with the moment by the clock that never jumps
  answered   an answer was written, or could not be: noted when nobody may have heard it in time
  unheard    the answer to one delivery did not leave, where each is one by itself
  ended      a session is over: what it accepted lately is in doubt, unless it ended cleanly
  is_stale   what waited unread while this process stood still has been given up by its operator
  turn       this process is awake

Rule: a doubt is written down behind the commit of what it is about, by the same batcher.
"""

from structlog import get_logger

from core.catalogue import Link
from core.clock import HOUR_MS, SECOND_MS, Clock, Instant
from core.errors import StoreError
from core.ids import Ids, Trail
from store.journal import DoubtFact, Fact, MoFact, PartFact, SessionFact
from traffic.commit import Batcher
from traffic.ports import Delivery

log = get_logger()

DOUBT_FOR_MS = 60 * SECOND_MS
"""An answer written within this time before a session broke may not have arrived (reliability.md, section 3)."""
TRAIL_MS = HOUR_MS + 2 * DOUBT_FOR_MS
"""An operator believes in an answer for an hour at most: the longest `response_timeout_s`."""
STANDSTILL_MS = 1500
"""Who was not swept for so long stood still: it was stopped, or something blocked it."""
AFTERMATH_MS = SECOND_MS
"""So long after a standstill, what is read may have come during it."""


class Doubts:
    """What may come again over this process's links."""

    def __init__(self, batcher: Batcher, ids: Ids, clock: Clock) -> None:
        self._batcher = batcher
        self._ids = ids
        self._clock = clock
        self._trail = Trail(TRAIL_MS, ids.next(clock.now()))
        self._begun: dict[int, int] = {}
        """By link: ids from here on are of its present session."""
        self._ended_clean: set[int] = set()
        self._turn_ms = clock.monotonic_ms()
        """When this process last swept: it did not stand still before."""
        self._stood_ms = (0, -AFTERMATH_MS)
        """From when until when it last stood still."""

    def new_id(self, delivery: Delivery) -> int:
        """An id for what came in."""
        message_id = self._ids.next(delivery.arrived_at)
        self._trail.mark(message_id, self._clock.monotonic_ms())
        return message_id

    def since(self, for_ms: int) -> int:
        """The first id of what came within so long, by the clock that never jumps."""
        return self._trail.since(self._clock.monotonic_ms() - for_ms)

    def answered(self, delivery: Delivery, fact: MoFact | PartFact, *, heard: bool) -> None:
        """It was told that it is taken; note it when that did not leave, or too late to be believed."""
        if fact.doubted or delivery.link.repeat != "doubt" or delivery.key:
            return
        if not heard:
            # A session that broke has its SessionFact behind this commit, which finds the message by its id.
            if delivery.link.id in self._ended_clean:
                self._doubt(delivery, "session")
        elif self._clock.monotonic_ms() - delivery.arrived_ms > delivery.link.response_timeout_s * SECOND_MS:
            self._doubt(delivery, "late")

    def unheard(self, delivery: Delivery) -> None:
        """It was to be told that it is taken, and that did not leave."""
        if delivery.link.repeat == "doubt" and not delivery.key and delivery.stored_as:
            self._doubt(delivery, "session")

    def _doubt(self, delivery: Delivery, reason: str) -> None:
        messages = [(delivery.operator.id, delivery.fingerprint, delivery.stored_as)]
        # What comes again may wait for its commit already.
        self._batcher.put_first(DoubtFact(messages, reason, self._clock.now()), _must_not_fail)

    def ended(self, link: Link, *, clean: bool, at: Instant) -> None:
        """Not clean: what the link accepted in this session's last 60 s is in doubt."""
        begun = self._begun.get(link.id, 0)
        self._begun[link.id] = self._trail.last + 1
        if clean:
            self._ended_clean.add(link.id)
        else:
            self._ended_clean.discard(link.id)
        if clean or link.repeat != "doubt":
            return
        # Answers leave a little after the id was made: as late as the operator still believes in them.
        first = max(begun, self.since(DOUBT_FOR_MS + link.response_timeout_s * SECOND_MS))
        self._batcher.put(SessionFact(link.id, first, at), _must_not_fail)

    def is_stale(self, delivery: Delivery) -> bool:
        """Whether its operator may have given it up: it waited unread while we stood still, and comes again."""
        now_ms = self._clock.monotonic_ms()
        if now_ms - self._turn_ms > STANDSTILL_MS:
            delivery.arrived_ms = self._turn_ms
        elif now_ms - self._stood_ms[1] < AFTERMATH_MS:
            delivery.arrived_ms = self._stood_ms[0]
        return now_ms - delivery.arrived_ms >= delivery.link.response_timeout_s * SECOND_MS

    def turn(self) -> None:
        """We are awake. Call every second."""
        now_ms = self._clock.monotonic_ms()
        if now_ms - self._turn_ms > STANDSTILL_MS:
            self._stood_ms = (self._turn_ms, now_ms)
        self._turn_ms = now_ms


def _must_not_fail(fact: Fact, error: StoreError | None) -> None:
    if error is not None:
        log.error("a doubt could not be written down", fact=type(fact).__name__, error=str(error))
