"""What becomes of an MT by what its message centre said, or when its time is over; written down as a move.

Endings   judge, by the answers to all its parts; expire, fail, in_doubt, give_back
is_free   whether one may go twice, marked

A free one whose submission got no answer is sent again, marked `maybe_twice`; one that its partner or the subscriber
pays never (R5).

Rule: what a message centre said is committed before it is forgotten.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from structlog import get_logger

from core.clock import Clock, Instant
from core.errors import StoreError
from core.message import Mt, MtKind, MtState, SubmitOutcome
from store.journal import Fact, MtFact
from traffic.commit import Batcher
from traffic.lanes import Sending
from traffic.retry import pause_ms

log = get_logger()

_ACCEPTED, _UNANSWERED = SubmitOutcome.ACCEPTED, SubmitOutcome.UNANSWERED


@dataclass(slots=True)
class Counted:
    """What went out, for /metrics and status."""

    submitted: int = 0
    failed: int = 0
    put_back: int = 0


class Endings:
    """Of what one sender sends."""

    def __init__(self, batcher: Batcher, clock: Clock, random: Random) -> None:
        self._batcher = batcher
        self._clock = clock
        self._random = random
        self.counted = Counted()

    def judge(self, sending: Sending) -> None:
        """Every part has its answer, or no more is sent: what does that make of the message?"""
        mt = sending.mt
        outcomes = {answer.outcome for answer in sending.answers.values()}
        if outcomes == {_ACCEPTED}:
            self._submitted(sending)
        elif SubmitOutcome.PERMANENT in outcomes:
            self.counted.failed += 1
            self._move(mt, MtState.FAILED, error=sending.why(SubmitOutcome.PERMANENT), parts=sending.parts())
        elif not is_free(mt) and outcomes & {_UNANSWERED, _ACCEPTED}:
            # Somebody pays for it, and perhaps the subscriber has it.
            self.in_doubt(sending, sending.why())
        else:
            self._later(mt, sending.why(), outcomes)

    def expire(self, sending: Sending) -> None:
        """Its validity is over, and something of it was not sent."""
        all_or_some = "all of it" if sending.answers else "it"
        error = f"its validity was over before {all_or_some} could be sent"
        self._move(sending.mt, MtState.EXPIRED, error=error, parts=sending.parts() if sending.answers else ())

    def fail(self, mt: Mt, error: str) -> None:
        """For good: it cannot be written for the line that it was to go by."""
        self.counted.failed += 1
        self._move(mt, MtState.FAILED, error=error)

    def in_doubt(self, sending: Sending, why: str) -> None:
        """Some of it may have arrived, and it must not go twice."""
        self._move(sending.mt, MtState.UNKNOWN, error=why, parts=sending.parts())

    def give_back(self, sending: Sending) -> None:
        """To the database, for whoever sends it next. Who does would send the whole of it: some of it may have gone."""
        mt = sending.mt
        if sending.answers and not is_free(mt):
            self.in_doubt(sending, "some of its parts were accepted before the stop")
            return
        mt.maybe_twice = mt.maybe_twice or bool(sending.answers)
        self._move(mt, MtState.QUEUED, due_at=self._clock.now(), error="given back at the stop")

    def _submitted(self, sending: Sending) -> None:
        self.counted.submitted += 1
        mt = sending.mt
        parts: Sequence[tuple[int, str, MtState]] = ()
        if mt.parts == 1 == len(sending.operations):
            mt.keys = [sending.answers[0].key]
        else:
            # The operator's id stands in the message's own row where there is one part, else with the parts.
            mt.keys = []
            parts = [(i + 1, answer.key, MtState.SUBMITTED) for i, answer in sorted(sending.answers.items())]
        self._move(mt, MtState.SUBMITTED, parts=parts)

    def _later(self, mt: Mt, why: str, outcomes: set[SubmitOutcome]) -> None:
        """Back into the database with a pause: a temporary error, or no answer at all."""
        self.counted.put_back += 1
        mt.maybe_twice = mt.maybe_twice or bool({_UNANSWERED, _ACCEPTED} & outcomes)
        due = self._clock.now() + pause_ms(mt.attempt, self._random)
        mt.attempt += 1
        if not mt.is_over(due):
            self._move(mt, MtState.QUEUED, due_at=due, error=why)
        elif _UNANSWERED in outcomes:
            self._move(mt, MtState.UNKNOWN, error=f"its validity is over: {why}")
        else:
            self._move(mt, MtState.EXPIRED, error=f"not accepted while it was valid: {why}")

    def _move(
        self,
        mt: Mt,
        new: MtState,
        *,
        due_at: Instant | None = None,
        error: str = "",
        parts: Sequence[tuple[int, str, MtState]] = (),
    ) -> None:
        self._batcher.put(MtFact(mt, new, self._clock.now(), due_at, error, parts), _written)


def is_free(mt: Mt) -> bool:
    """Nobody pays for it: twice is better than not at all."""
    return mt.kind is MtKind.FREE


def _written(fact: Fact, error: StoreError | None) -> None:
    if error is not None:
        assert isinstance(fact, MtFact), fact
        log.error("a move could not be written", message=fact.mt.id, new=fact.new.name, error=str(error))
