"""One link over HTTP, from start() to stop(): the Line that traffic sends over, and its state for /health.

HttpLink   a link that is kept up (smsc_link/keeping.py); what the operator calls is its Reception

It has no session that could break: each request is one by itself. So the link tells intake that its sessions have
ended well, and then a message whose request was gone before its answer is the only one in doubt. Where an answer that
had been promised did not leave, nobody can tell which others did not: what was accepted lately is in doubt.

Rule: only the door and the caller touch the network; here is what may go, and when.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from structlog import get_logger

from core.catalogue import Link, Operator
from core.clock import Instant
from core.message import Mt, SubmitAnswer, SubmitOutcome
from plumbing.loop import spawn
from smsc_link.keeping import UNBIND_S, Counts, LinkState, Notes, Surroundings
from smsc_link.link import pause_s
from smsc_link.protocols.http.adapter import HttpAdapter
from smsc_link.protocols.http.caller import Caller
from smsc_link.protocols.http.dialogue import UssdReception
from smsc_link.protocols.http.ear import HttpEar
from smsc_link.protocols.http.held import Waiting
from smsc_link.protocols.http.outbound import Outgoing
from smsc_link.protocols.http.outward import Outward
from smsc_link.protocols.http.reception import Reception
from smsc_link.visits import Door
from traffic.routes import Terms

log = get_logger()


@dataclass(frozen=True, slots=True)
class InAnswer:
    """A reply that goes in the answer to its MO's request."""

    waiting: Waiting
    text: str


Operation: TypeAlias = Outgoing | InAnswer


class HttpLink:
    """A link that is kept up."""

    def __init__(self, link: Link, adapter: HttpAdapter, around: Surroundings) -> None:
        self.link = link
        self.counts = Counts()
        self.last_error = ""
        self.last_error_at: Instant = 0
        self._adapter = adapter
        self._around = around
        self._intake = around.intake
        self._clock = around.clock
        self._door: Door | None = around.door
        self._reception = Reception(link, adapter, around.intake, around.clock, self.counts)
        if around.turns is not None and adapter.options.ussd_shape:
            self._reception.ussd = UssdReception(link, adapter, around.turns, around.clock, self.counts)
        self._outward: Outward | None = None
        self._caller: Caller | None = None
        self._ear: HttpEar | None = None
        self._task: asyncio.Task[None] | None = None
        self._stands_since: Instant = 0
        self._sends_since: Instant = 0

    # --- State --------------------------------------------------------------------------------------------------------

    @property
    def state(self) -> LinkState:
        """For /health."""
        if self._task is None:
            return "disabled"
        return "bound" if self.bound_at else "connecting"

    @property
    def bound_at(self) -> Instant:
        """Since when the door is open for it and, where it sends by requests, the operator is there; 0: not."""
        if not self._stands_since or self._reception.is_draining:
            return 0
        if self._outward is not None and not self._outward.is_open:
            return 0
        return max(self._stands_since, self._sends_since)

    @property
    def operator(self) -> Operator:
        """Whose link it is; may be exchanged for a newer version of the same."""
        return self._adapter.operator

    @operator.setter
    def operator(self, operator: Operator) -> None:
        self._adapter.operator = operator

    def unused(self, what: str) -> int:
        """Requests that were `refused` or `ignored` since the link was made."""
        so_far: int = getattr(self.counts, what)
        return so_far

    def note_in(self, notes: Notes | None) -> None:
        """smsc_link.keeping.Notable."""
        self._ear = HttpEar(self.link, self._adapter.options, notes) if notes is not None else None
        self._reception.ear = self._ear
        if self._caller is not None:
            self._caller.ear = self._ear

    # --- Line ---------------------------------------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """MT may go over it."""
        return self._adapter.sends and bool(self.bound_at)

    @property
    def only_answers(self) -> bool:
        """It has no requests of its own: replies go in the answers to the requests of their MO."""
        return self._adapter.only_answers

    def awaits(self, mt: Mt) -> bool:
        """Whether the request of its MO is still open, and no other reply is on its way to it."""
        return self._reception.held.find(mt) is not None

    @property
    def terms(self) -> Terms:
        """Its priority and weight."""
        return self._adapter.terms

    def room(self) -> int:
        """How many parts may be submitted right now. After a 0, intake.line_has_room tells."""
        if not self.is_open:
            return 0
        # Those that wait for a reply have room for one each, and what has none there fails at once.
        return self._outward.room() if self._outward is not None else self.link.window

    @property
    def is_slowed(self) -> bool:
        """The operator found it too fast, and its rate has not grown back; as of the last room()."""
        return self._outward is not None and self._outward.is_slowed

    def write(self, mt: Mt, *, reference: int) -> Sequence[object]:
        """The operations that carry the message. Raises ValueError where it has no form here."""
        waiting = self._reception.held.find(mt) if self._adapter.holds_s else None
        if waiting is not None:
            waiting.is_claimed = True
            return [InAnswer(waiting, mt.text)]
        if not self._adapter.requests:
            raise ValueError(
                "the request of its MO is answered already, and the link sends none of its own; give submit.path, or a "
                "longer hold_s"
                if mt.reply_to
                else "the link answers MO only and sends no requests; give submit.path, or the operator another link"
            )
        return self._adapter.write(mt, reference, self._clock.now())

    def submit(self, operation: object) -> "asyncio.Future[SubmitAnswer]":
        """Send one part; never raises."""
        if isinstance(operation, InAnswer):
            return self._submit_in_answer(operation)
        if self._outward is not None and isinstance(operation, Outgoing) and self.is_open:
            return self._outward.submit(operation)
        return _landed(SubmitAnswer(SubmitOutcome.UNSENT, sentence="the link is not open"))

    def _submit_in_answer(self, operation: InAnswer) -> "asyncio.Future[SubmitAnswer]":
        waiting = operation.waiting
        if waiting.text.done():
            return _landed(SubmitAnswer(SubmitOutcome.UNSENT, sentence="the request of its MO was answered without it"))
        self.counts.submits += 1
        waiting.text.set_result(operation.text)
        future: asyncio.Future[SubmitAnswer] = asyncio.get_running_loop().create_future()

        def left(has_left: "asyncio.Future[bool]") -> None:
            if future.done():
                return
            if not has_left.cancelled() and has_left.result():
                self.counts.accepted += 1
                future.set_result(SubmitAnswer(SubmitOutcome.ACCEPTED))
            else:
                self.counts.unanswered += 1
                lost = "the connection was lost while the answer with the reply was written"
                future.set_result(SubmitAnswer(SubmitOutcome.UNANSWERED, sentence=lost))

        waiting.left.add_done_callback(left)
        return future

    # --- Watcher: what the outward side tells -------------------------------------------------------------------------

    def outward_opened(self) -> None:
        """Requests may go again."""
        self._sends_since = max(1, self._clock.now())
        log.info("link bound", link=self.link.name)
        self.counts.sessions += 1
        if self.is_open:
            self._intake.line_opened(self)

    def outward_closed(self, reason: str) -> None:
        """None may go: what waits for this link may go over another."""
        self._note(reason)
        self._intake.session_ended(self.link, clean=True, at=self._clock.now())

    def outward_refused(self, reason: str) -> None:
        """The operator does not know us: its messages wait, and a person must look."""
        self.last_error, self.last_error_at = reason, self._clock.now()
        self._reception.say("link not known to its operator", reason)

    def outward_has_room(self) -> None:
        """There is room, after there was none."""
        if self.is_open:
            self._intake.line_has_room(self)

    # --- Life ---------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to keep it up, where it is enabled."""
        if self._task is None and self.link.enabled:
            self._reception.is_draining = False
            self._task = spawn(self._live(), name=f"link {self.link.name}")

    async def stop(self, timeout_s: float = 20.0, unbind_s: float = UNBIND_S) -> None:
        """Take and send nothing new, answer what is owed, wait for what is under way. A second stop() ends at once."""
        task = self._task
        if task is None:
            return
        if self._reception.is_draining:
            timeout_s = 0
        outward, stood = self._outward, bool(self._stands_since)
        task.cancel()
        waits = [self._reception.drain(timeout_s), *([outward.stop(timeout_s)] if outward is not None else [])]
        is_clean, *_ = await asyncio.gather(*waits)
        if self._door is not None:
            await self._door.leave(self.link.name, self._reception)
        await asyncio.wait([task])
        if self._task is not task:
            return  # A second stop() was quicker.
        self._task = self._outward = self._caller = None
        self._stands_since = 0
        if stood:
            self._intake.session_ended(self.link, clean=bool(is_clean), at=self._clock.now())
        log.info("link stopped", link=self.link.name, unanswered=0 if is_clean else 1)

    async def _live(self) -> None:
        failures = 0
        while not await self._stand():
            failures += 1
            await asyncio.sleep(pause_s(failures, self._around.random))
        now = self._clock.now()
        self._stands_since = max(1, now)
        self.counts.sessions += 1
        # Each request is one by itself: there is no session that could break.
        self._intake.session_ended(self.link, clean=True, at=now)
        log.info("link bound", link=self.link.name, bind=self.link.bind)
        if self.is_open:
            self._intake.line_opened(self)

    async def _stand(self) -> bool:
        """Open the door and the way out; whether both are."""
        adapter, link = self._adapter, self.link
        try:
            if adapter.requests and self._outward is None:
                caller = Caller(link, adapter.options.tls_of(link), connect_timeout_s=adapter.options.connect_timeout_s)
                caller.ear, self._caller = self._ear, caller
                self._outward = Outward(
                    adapter.writer, caller, self, clock=self._clock, random=self._around.random, counts=self.counts
                )
            if adapter.receives:
                if self._door is None:
                    raise ValueError("this process has no address for operators to call; see links.http_listen")
                await self._door.enter(link.name, self._reception)
        except (OSError, ValueError) as error:
            self._note(f"cannot be opened: {error}")
            return False
        except Exception as error:
            # A mistake of ours: it is tried again all the same, or nobody would ever open the link.
            log.exception("a link failed; it begins anew", link=link.name)
            self._note(f"{type(error).__name__}; see the log")
            return False
        return True

    def _note(self, reason: str) -> None:
        self.last_error = reason
        self.last_error_at = self._clock.now()
        log.warning("link down", link=self.link.name, reason=reason)


def _landed(answer: SubmitAnswer) -> "asyncio.Future[SubmitAnswer]":
    future: asyncio.Future[SubmitAnswer] = asyncio.get_running_loop().create_future()
    future.set_result(answer)
    return future
