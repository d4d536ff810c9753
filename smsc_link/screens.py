"""USSD over links of sessions: turns handed in, screens on their way out before anything else.

Screens   of one process: heard() takes a turn of a link, has_room() sends what waits

A screen goes over the link that its turn came by, or over another of the operator's that carries USSD: a receiver has
no way out, and a session may have broken meanwhile. What finds no room waits, at most 5 s from the turn's answer; what
is throttled goes once more. Of a screen that is refused, or gets no answer in that time, its session is told.

Rule: a screen waits for nobody's bulk, and nothing is shown twice that a gateway may have taken.
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from functools import partial

from structlog import get_logger

from core.clock import Clock
from core.message import SubmitAnswer, SubmitOutcome
from core.ussd.turn import Reply
from smsc_link.adapter import Dialogue
from traffic.ports import Line, TakeTurns
from wire.session import Operation

log = get_logger()

WAIT_MS = 5_000
"""From here on nobody looks at the phone any more (ussd.md, sections 5 and 6)."""
AGAIN_S = 0.5
WAITING_MAX = 1_000


@dataclass(slots=True, eq=False)
class _Screen:
    """One screen on its way. `tries` left where it surely was not taken."""

    dialogue: Dialogue
    operation: Operation
    line: Line
    tries: int = 2
    is_over: bool = False
    """Its session has been told."""


class Screens:
    """Those of one process; everything here runs on the event loop."""

    def __init__(self, turns: TakeTurns, clock: Clock) -> None:
        self._turns = turns
        self._clock = clock
        self._lines: dict[str, list[Line]] = {}
        self._waiting: dict[str, deque[_Screen]] = {}

    # --- what links tell ----------------------------------------------------------------------------------------------

    def opened(self, line: Line) -> None:
        """A link that carries USSD is bound for sending."""
        lines = self._lines.setdefault(line.link.operator, [])
        if line not in lines:
            lines.append(line)
        self.has_room(line)

    def closed(self, line: Line) -> None:
        """It is so no more."""
        lines = self._lines.get(line.link.operator, [])
        if line in lines:
            lines.remove(line)

    def heard(self, line: Line, dialogue: Dialogue) -> None:
        """A turn, which has been answered."""
        self._turns.take(dialogue.turn, dialogue.gateway.ways, partial(self._show, line, dialogue))

    def has_room(self, line: Line) -> None:
        """Send what waits, as far as the room goes."""
        waiting = self._waiting.get(line.link.operator)
        while waiting and line.room() > 0:
            screen = waiting.popleft()
            if not screen.is_over:
                self._submit(screen, line)

    # --- out ----------------------------------------------------------------------------------------------------------

    def _show(self, line: Line, dialogue: Dialogue, reply: Reply | None) -> None:
        if reply is None:
            return
        operation = dialogue.gateway.write(dialogue.turn, reply)
        screen = _Screen(dialogue, operation, line)
        asyncio.get_running_loop().call_later(WAIT_MS / 1000, self._give_up, screen)
        self._send(screen)

    def _send(self, screen: _Screen) -> None:
        """Over the first link with room; its own is asked first."""
        if screen.is_over:
            return
        operator = screen.line.link.operator
        others = [line for line in self._lines.get(operator, ()) if line is not screen.line]
        is_open = False
        for line in (screen.line, *others):
            if line.is_open:
                is_open = True
                if line.room() > 0:
                    self._submit(screen, line)
                    return
        waiting = self._waiting.setdefault(operator, deque())
        if not is_open or len(waiting) >= WAITING_MAX:
            self._refused(screen, "no link is open" if not is_open else "too many screens wait for room")
            return
        waiting.append(screen)

    def _submit(self, screen: _Screen, line: Line) -> None:
        screen.tries -= 1
        answer = asyncio.ensure_future(line.submit(screen.operation))
        answer.add_done_callback(partial(self._answered, screen))

    def _answered(self, screen: _Screen, future: "asyncio.Future[SubmitAnswer]") -> None:
        if screen.is_over or future.cancelled():
            return
        answer = future.result()
        if answer.outcome is SubmitOutcome.ACCEPTED:
            screen.is_over = True
        elif answer.outcome is SubmitOutcome.THROTTLED and screen.tries:
            asyncio.get_running_loop().call_later(AGAIN_S, self._send, screen)
        elif answer.outcome is SubmitOutcome.UNSENT and screen.tries:
            self._send(screen)
        else:
            self._refused(screen, answer.sentence or answer.outcome.value)

    def _give_up(self, screen: _Screen) -> None:
        if not screen.is_over:
            self._refused(screen, f"no answer within {WAIT_MS / 1000:g} s")
            waiting = self._waiting.get(screen.line.link.operator)
            if waiting and screen in waiting:
                waiting.remove(screen)

    def _refused(self, screen: _Screen, reason: str) -> None:
        """The session is gone; no other screen takes the place of this one."""
        screen.is_over = True
        log.info("ussd screen refused", link=screen.line.link.name, reason=reason)
        gateway = screen.dialogue.gateway
        gone = gateway.refused(screen.dialogue.turn, self._clock.now())
        self._turns.take(gone, gateway.ways, _show_nothing)


def _show_nothing(reply: Reply | None) -> None:
    assert reply is None, reply
