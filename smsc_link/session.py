"""One session of a link: from connected to closed, and what was promised in it and not yet kept.

LinkSession   owns the conversation: binds, hands MO and receipts in, submits MT, drains, unbinds
Ended         how it ended

A delivery is owed its answer from when it is handed in; a submission flies from when it is sent. Both lists are
empty when the session is over: deliveries are marked lost, submissions resolved.

A mistake of ours on one operation is that one's: it is answered LATER and told of (mishaps.py); the session goes on.

Rule: nothing is written to the operator but what intake answered, and nothing is answered twice.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

from structlog import get_logger

from core.clock import Clock, Instant
from core.message import Heard, Receipt, SubmitAnswer, SubmitOutcome
from core.question import Finding, Ordered, Question
from plumbing.conversation import Conversation
from smsc_link.adapter import Adapter, Dialogue, Fault, Ignored, Session, Unreadable
from smsc_link.inquiry import Asking
from smsc_link.keeping import UNBIND_S, Counts, Listens
from smsc_link.mishaps import Mishaps
from smsc_link.room import Room
from smsc_link.screens import Screens
from traffic.ports import Delivery, Intake, Line
from wire.errors import LocalError
from wire.session import Answered, Bound, Closed, Complaint, Event, Operation, Unanswered

log = get_logger()

STEADY_MS = 10_000
"""A session that stayed up so long was a good one, even if nothing came."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a session ended. `worked`: it carried something or stayed up, so the next may begin soon.

    `unanswered`: what the operator had handed to us, and we could not answer any more.
    """

    reason: str
    bound: bool = False
    worked: bool = False
    refused_for_good: bool = False
    unanswered: int = 0


class LinkSession:
    """One session. Its owner waits for `ended`."""

    def __init__(
        self,
        line: Line,
        adapter: Adapter,
        intake: Intake,
        clock: Clock,
        counts: Counts,
        *,
        mishaps: Mishaps,
        screens: Screens | None = None,
    ) -> None:
        self.wire: Session = adapter.session(clock.monotonic_ms())
        self.ended: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        self.bound_at: Instant = 0
        self.is_over = False
        self.is_draining = False
        self._line = line
        self._link = line.link
        self._adapter = adapter
        self._intake = intake
        self._clock = clock
        self._counts = counts
        self._mishaps = mishaps
        self._mishaps_before = counts.mishaps
        self._screens = screens if adapter.ussd is not None else None
        self._asking = Asking(adapter.inquiry, adapter.errands, self._link.name, mishaps)
        self._conversation: Conversation | None = None
        self._listens: Listens | None = None
        self._owed: dict[int, Delivery | None] = {}
        self._flying: dict[int, tuple[asyncio.Future[SubmitAnswer], int]] = {}
        self._room = Room(self.wire, clock, self._tell_of_room)
        self._drained = asyncio.Event()
        self._worked = False
        self._bound_ms = 0
        self._refusal = ""
        self._refused_for_good = False
        self._given_up = ""

    # --- Owner: what the conversation calls -----------------------------------------------------------

    def opened(self, conversation: Conversation) -> None:
        """Connected: bind, where the operator asks for it; else it is bound by itself."""
        self._conversation = conversation
        if self._listens is not None:
            conversation.tap = self._listens(conversation, True)
        bind = self._adapter.bind()
        if bind is not None:
            conversation.send(bind)

    def listen_in(self, listens: Listens | None) -> None:
        """A trace begins, or is over."""
        self._listens = listens
        if self._conversation is not None:
            self._conversation.tap = None if listens is None else listens(self._conversation, False)

    def heard(self, events: list[Event]) -> None:
        """What came, in order."""
        now, now_ms = self._clock.now(), self._clock.monotonic_ms()
        for event in events:
            kind = type(event)
            if kind is Answered:
                self._answered(event, now_ms)  # type: ignore[arg-type]
            elif kind is Unanswered:
                self._unanswered(event)  # type: ignore[arg-type]
            elif kind is Bound:
                self._bound(now)
            elif kind is Closed:
                self._closed(event, now)  # type: ignore[arg-type]
            elif kind is Complaint:
                self._complain(event)  # type: ignore[arg-type]
            else:
                self._take(event, now, now_ms)
        self._room.appeared()

    # --- What comes in --------------------------------------------------------------------------------

    def _take(self, operation: Operation, now: Instant, now_ms: int) -> None:
        self._owed[id(operation)] = None
        try:
            self._hand_in(operation, now, now_ms)
        except Exception as error:
            # The edge of a door: ended, the session would be bound again, and this be the first that comes.
            self._mishaps.happened(error, type(operation).__name__)
            self._answer(operation, Heard.LATER)

    def _hand_in(self, operation: Operation, now: Instant, now_ms: int) -> None:
        answer = partial(self._answer, operation)
        if self._asking.overhears(operation):
            answer(Heard.TAKEN)
            return
        inbound = self._adapter.read(operation, now, now_ms, answer)
        self._worked = True
        if type(inbound) is Delivery:
            self._counts.deliveries += 1
            self._owed[id(operation)] = inbound
            if self.is_draining:
                answer(Heard.LATER)
            else:
                self._intake.deliver(inbound)
        elif type(inbound) is Receipt:
            self._counts.receipts += 1
            if self.is_draining:
                answer(Heard.LATER)
            else:
                self._intake.receipt(inbound, answer)
        elif type(inbound) is Dialogue:
            self._take_turn(inbound, answer)
        elif type(inbound) is Unreadable:
            self._counts.unreadable += 1
            log.warning("message refused", link=self._link.name, reason=inbound.reason)
            self._answer(operation, Heard.NEVER, inbound.fault)
        else:
            assert type(inbound) is Ignored, inbound
            self._counts.ignored += 1
            log.debug("message ignored", link=self._link.name, reason=inbound.reason)
            answer(Heard.TAKEN)

    def _take_turn(self, dialogue: Dialogue, answer: Callable[[Heard], bool]) -> None:
        """Answered before anything else is done: its gateway would send it again."""
        self._counts.turns += 1
        if self._screens is None or self.is_draining:
            answer(Heard.LATER)
        else:
            answer(Heard.TAKEN)
            self._screens.heard(self._line, dialogue)

    def _answer(self, operation: Operation, heard: Heard, fault: Fault = Fault.MESSAGE) -> bool:
        """Write the response; False when nothing can be written any more, or was already."""
        if id(operation) not in self._owed:
            return False
        response = self._adapter.answer(operation, heard, fault)
        if response is not None:
            assert self._conversation is not None
            try:
                self._conversation.answer(operation, response)
            except LocalError:
                return False  # The session ended in the same bytes: Closed is the next event, and marks it lost.
        del self._owed[id(operation)]
        if self.is_draining:
            self._see_drained()
        return True

    def _complain(self, event: Complaint) -> None:
        """The first that cannot be used of what the operator says; the others are counted (refused, ignored)."""
        status = None if event.status is None else self._adapter.spelled(event.status)
        log.warning("pdu refused", link=self._link.name, command=event.operation, status=status, reason=event.reason)

    # --- What goes out --------------------------------------------------------------------------------

    def room(self) -> int:
        """How many may be submitted now. Asked in vain, it tells when there is room again."""
        return 0 if self.is_over or self.is_draining or not self.bound_at else self._room.look()

    def submit(self, operation: Operation) -> "asyncio.Future[SubmitAnswer]":
        """Send one part."""
        future: asyncio.Future[SubmitAnswer] = asyncio.get_running_loop().create_future()
        conversation = self._conversation
        if conversation is None or not self.room():
            future.set_result(
                SubmitAnswer(SubmitOutcome.UNSENT, sentence="the link is not open, or its window is full")
            )
            return future
        try:
            conversation.send(operation)
        except LocalError as error:
            log.warning("message not written", link=self._link.name, reason=error.reason)
            future.set_result(SubmitAnswer(SubmitOutcome.PERMANENT, sentence=error.reason))
            return future
        self._counts.submits += 1
        self._flying[id(operation)] = future, conversation.writes
        return future

    def ask(self, question: Question) -> "asyncio.Future[Finding] | None":
        """Send a question where no MT waits for the room, and one more would have some; None: not now.

        What a person ordered goes before others: asked in vain, it tells when there is room again, as `room` does.
        """
        asking, conversation, is_urgent = self._asking, self._conversation, isinstance(question, Ordered)
        is_up = bool(self.bound_at) and not (self.is_over or self.is_draining)
        if conversation is None or not is_up or not asking.is_free or (self._room.is_awaited and not is_urgent):
            return None
        room = self._room.look() if is_urgent else self._room.now()
        if room < (2 if self._flying and not is_urgent else 1):
            return None
        self._counts.questions += 1
        return asking.ask(question, conversation)

    def _answered(self, event: Answered, now_ms: int) -> None:
        flown = self._flying.pop(id(event.request), None)
        if flown is None:
            if not (self._asking.answered(event) or self.bound_at):
                self._not_bound(event.response)
            return
        self._worked = True
        try:
            answer = self._judged(event.response, now_ms)
        except Exception as error:
            self._mishaps.happened(error, type(event.response).__name__, became="its MT is in doubt")
            answer = SubmitAnswer(SubmitOutcome.UNANSWERED, sentence="a mistake of ours on the answer; see the log")
        self._land(flown[0], answer)

    def _not_bound(self, response: Operation) -> None:
        try:
            refusal = self._adapter.refusal(response)
            self._refusal, self._refused_for_good = refusal.sentence, refusal.for_good
        except Exception as error:
            self._mishaps.happened(error, type(response).__name__, became="the bind was refused")

    def _judged(self, response: Operation, now_ms: int) -> SubmitAnswer:
        answer = self._adapter.submit_answer(response)
        if answer.outcome is SubmitOutcome.ACCEPTED:
            self._counts.accepted += 1
        elif answer.outcome is SubmitOutcome.THROTTLED:
            self._counts.throttled += 1
            self.wire.throttled(now_ms)
        if self._adapter.is_congested(response):
            self.wire.throttled(now_ms)
        return answer

    def _unanswered(self, event: Unanswered) -> None:
        flown = self._flying.pop(id(event.request), None)
        if flown is None:
            self._asking.unanswered(event)
            return
        future, writes = flown
        self._counts.unanswered += 1
        # Nothing was written since it was said, and what could leave at the end has left before we heard of it: it is
        # still here, and goes with us.
        unsent = event.reason == "lost" and self._conversation is not None and self._conversation.writes == writes
        outcome = SubmitOutcome.UNSENT if unsent else SubmitOutcome.UNANSWERED
        self._land(future, SubmitAnswer(outcome, sentence=f"no answer ({event.reason})"))

    def _land(self, future: "asyncio.Future[SubmitAnswer]", answer: SubmitAnswer) -> None:
        if not future.done():
            future.set_result(answer)
        if self.is_draining:
            self._see_drained()

    def _tell_of_room(self) -> None:
        if self._screens is not None and self.room():
            self._screens.has_room(self._line)
        if self.room():
            self._intake.line_has_room(self._line)

    # --- The session's own ----------------------------------------------------------------------------

    def _bound(self, now: Instant) -> None:
        self.bound_at = max(1, now)
        self._bound_ms = self._clock.monotonic_ms()
        self._counts.sessions += 1
        log.info("link bound", link=self._link.name, bind=self._link.bind)
        if self._adapter.sends:
            if self._screens is not None:
                self._screens.opened(self._line)
            self._intake.line_opened(self._line)

    def _closed(self, event: Closed, now: Instant) -> None:
        self.is_over = True
        # An unbind with answers missing is no clean end: they were perhaps durable, and the operator never knew. Nor is
        # one that was not answered until we closed: what we had said before it may not have arrived either.
        unanswered = len(self._owed)
        clean = event.clean and not unanswered and not self._given_up
        for delivery in self._owed.values():
            if delivery is not None:
                delivery.lost = True
        self._owed.clear()
        bound = bool(self.bound_at)
        worked = self._worked or (bound and self._clock.monotonic_ms() - self._bound_ms >= STEADY_MS)
        reason = self._refusal or self._given_up or event.reason
        if self._counts.mishaps > self._mishaps_before:
            reason += "; before it a mistake of ours, see the log"
        self.ended.set_result(Ended(reason, bound, worked, self._refused_for_good, unanswered))
        for future, _ in self._flying.values():
            # A session answers for all that it sent; but what ended it may have been a mistake of ours on the answer.
            self._land(future, SubmitAnswer(SubmitOutcome.UNANSWERED, sentence="no answer (lost)"))
        self._flying.clear()
        self._room.closed()
        self._drained.set()
        self._asking.closed()
        if self._screens is not None:
            self._screens.closed(self._line)
        if bound:
            self._intake.session_ended(self._link, clean=clean, at=now)

    async def drain(self, timeout_s: float, unbind_s: float = UNBIND_S) -> None:
        """Take nothing more, let what is under way end, unbind. Asked a second time, just close."""
        conversation = self._conversation
        if conversation is None or self.is_over:
            return
        if self.bound_at and not self.is_draining:
            self.is_draining = True
            self._see_drained()
            await _at_most(timeout_s, self._drained.wait())
            await _at_most(unbind_s, self._unbind(conversation))
            self._given_up = f"no answer to our unbind within {unbind_s:g} s"
        else:
            self._given_up = "closed without an unbind"
        if not self.is_over:
            conversation.close()
            await asyncio.wait([self.ended])

    async def _unbind(self, conversation: Conversation) -> None:
        if self.is_over:
            return
        try:
            conversation.send(self._adapter.unbind())
        except LocalError:
            pass  # The wire session is unbinding by itself.
        await asyncio.wait([self.ended])

    def _see_drained(self) -> None:
        if not self._owed and not self._flying:
            self._drained.set()


async def _at_most(timeout_s: float, work: Coroutine[Any, Any, Any]) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            await work
    except TimeoutError:
        pass
