"""Lines that are up and silent: what was submitted has no answer, while another line of the operator could send.

Silences   told of every part that is sent and answered; looks at a line while something is under way over it

A centre that hangs keeps its connection for as long as nobody asks whether it is there (enquire_s), and its window
fills with messages that wait for their time-out. So a line that has said nothing for a while gets nothing new but one
message now and then, when nothing is under way over it any more: the first answer brings it back.

Rule: what is under way over a silent line stays there: it may have been taken, and only its time-out says more. A line
that is the only one is never silent.
"""

import asyncio
from collections.abc import Callable

from structlog import get_logger

from core.message import SubmitOutcome
from traffic.lanes import Lane, Lanes
from traffic.ports import Line

log = get_logger()

LOOK_S = 0.35
"""A line is silent that said nothing between two looks: for once to twice as long."""
ASK_S, ASK_MAX_S = 10.0, 60.0
"""A silent line gets one message after so long, and the log tells of it; each time it waits twice as long."""
_NO_ANSWERS = (SubmitOutcome.UNANSWERED, SubmitOutcome.UNSENT)


class Silences:
    """Which lines say nothing. `go_on` is told of a line that is silent from now on, or may have messages again."""

    def __init__(self, lanes: Lanes, go_on: Callable[[Line], None]) -> None:
        self._lanes = lanes
        self._go_on = go_on
        self._watched: set[Lane] = set()
        self._asks: dict[Lane, tuple[float, float]] = {}
        """Silent lines: when the next message may ask, and the pause before it."""
        self._told: set[Lane] = set()

    def sent(self, lane: Lane, operator_id: int) -> None:
        """A part goes over it."""
        lane.may_ask = False
        if lane not in self._watched:
            self._watched.add(lane)
            self._look_later(lane, operator_id)

    def answered(self, lane: Lane, outcome: SubmitOutcome) -> None:
        """What became of a part that went over it."""
        if outcome in _NO_ANSWERS:
            return
        lane.heard += 1
        if lane.is_silent:
            self._end(lane)

    def opened(self, operator_id: int, link_id: int) -> None:
        """A link is bound anew: what was silent was the session before."""
        lane = self._lanes.of_link(operator_id, link_id)
        if lane is not None:
            self._forget(lane)

    def _forget(self, lane: Lane) -> None:
        lane.is_silent = lane.may_ask = False
        self._asks.pop(lane, None)
        self._told.discard(lane)

    def _look_later(self, lane: Lane, operator_id: int) -> None:
        asyncio.get_running_loop().call_later(LOOK_S, self._look, lane, operator_id, lane.heard)

    def _look(self, lane: Lane, operator_id: int, heard: int) -> None:
        others = any(other.is_open for other in self._lanes.of(operator_id) if other is not lane)
        may_be = others and lane.line.is_open
        if lane.is_silent and may_be:
            self._let_ask(lane)
        elif lane.is_silent:
            self._end(lane)
        elif may_be and lane.in_flight and lane.heard == heard:
            self._begin(lane)
        if lane.in_flight or lane.is_silent:
            self._look_later(lane, operator_id)
        else:
            self._watched.discard(lane)

    def _begin(self, lane: Lane) -> None:
        """What waits for it goes another way."""
        lane.is_silent = True
        self._asks[lane] = asyncio.get_running_loop().time() + ASK_S, ASK_S
        self._told.discard(lane)
        self._go_on(lane.line)

    def _let_ask(self, lane: Lane) -> None:
        """One message, when nothing is under way any more: it waits for its time-out, perhaps."""
        now = asyncio.get_running_loop().time()
        due, pause_s = self._asks[lane]
        if now < due:
            return
        if lane not in self._told:
            # Not before: a centre may be slow with each message.
            self._told.add(lane)
            log.warning("link does not answer", link=lane.name, for_s=pause_s, unanswered=lane.in_flight)
        if not lane.in_flight:
            pause_s = min(2 * pause_s, ASK_MAX_S)
            self._asks[lane] = now + pause_s, pause_s
            lane.may_ask = True
            self._go_on(lane.line)

    def _end(self, lane: Lane) -> None:
        """What waits may go over it again."""
        if lane in self._told:
            log.info("link is no longer waited for", link=lane.name, answers=lane.line.is_open)
        self._forget(lane)
        self._go_on(lane.line)
