"""One side of one UCP conversation: the state table at work, for an ESME or an SMSC.

UcpSession    receive, send, answer, tick, output, deadline_ms (the contract of wire/session.py), and
              room, room_at, room_at_ms, throttled, owes, in_flight, state, ignored, refused

The session itself answers 31, unknown and broken operations, requests in the wrong state and those that its owner does
not serve; an ESME's says 31 on an idle link. All else are events. What it refused or passed over it counts, and tells
of the first that the peer should not have said, if Settings.complains.

Rule: a TRN in flight is given to no other request, and one whose result did not come in time is parked: a late result
would be taken for that of another message (sheet, pitfall 7). Nothing that a peer sends makes receive() raise.

Source: sheet section 2; reliability.md, section 5.
"""

from wire.errors import RemoteError
from wire.machine import Answering
from wire.session import Answered, Bound, Closed, Event, Role, Unanswered
from wire.ucp.codec import command_of, decode, encode, refusal_of
from wire.ucp.codes import sentence
from wire.ucp.frames import Frames
from wire.ucp.operations import REQUESTS, Alert, Goodbye, OpenSession, Operation, Request, Result, result_to
from wire.ucp.settings import Settings
from wire.ucp.states import CALLED, CALLED_KNOWN, RULES, UNBOUND, State, judge
from wire.ucp.trns import Trns

_WAITING = "0000"  # R/31: how many messages wait; none, since they are sent at once
_SAYABLE: tuple[type[Request], ...] = (*REQUESTS, Goodbye)
# What stands outside the window and the allowance: it makes, keeps or ends the link.
_UNCOUNTED: frozenset[type[Operation]] = frozenset({OpenSession, Alert, Goodbye})


class UcpSession(Answering):
    """A session that plays `role`. Its timers begin at `now_ms`, or with the first call that tells a time."""

    def __init__(
        self,
        role: Role,
        settings: Settings | None = None,
        *,
        now_ms: int | None = None,
        first_sequence: int = 0,
    ) -> None:
        self.settings = settings or Settings()
        super().__init__(
            role,
            max_tps=self.settings.max_tps,
            bind_timeout_ms=self.settings.login_timeout_ms,
            complains=self.settings.complains,
        )
        self._frames = Frames(self.settings.max_frame)
        self._trns = Trns(window=self.settings.window, parked_ms=self.settings.parked_ms, first=first_sequence)
        self._farewell: Request | None = None  # the 31 behind the last that we said
        self._proved = False  # its result came: the peer heard all before it
        known = CALLED if self.settings.login else CALLED_KNOWN
        self._rules = known if self.settings.called else RULES
        self._enter(State.OPEN if self.settings.login else State.BOUND)
        if not self.settings.login:
            self._pending.append(Bound(None))
        if now_ms is not None:
            self._see(now_ms)

    # --- the contract ---

    def receive(self, data: bytes, now_ms: int) -> list[Event]:
        """Take bytes of the peer; b"" says that it closed."""
        events = self._take_pending()
        if self.state is State.CLOSED:
            return events
        self._see(now_ms)
        if not data:
            self._close("the peer closed the connection", self._may_leave(), events)
            return events
        overlong = self._frames.overlong
        frames = self._frames.read(data)
        if frames:
            self._heard_ms = now_ms
        if self._frames.overlong > overlong:
            self.ignored += self._frames.overlong - overlong
            self._complain("no operation", None, f"a frame of more than {self.settings.max_frame} octets", events)
        for frame in frames:
            try:
                operation = decode(frame, tolerant_length=self.settings.tolerant_length)
            except RemoteError as error:
                self._refuse_frame(frame, error, events)
                continue
            if type(operation) is Result:
                self._hear_result(operation, events)
            else:
                self._hear(operation, events)  # type: ignore[arg-type]  # all else are requests
            if events and type(events[-1]) is Closed:
                return events
        return events

    def send(self, operation: Request, now_ms: int) -> int:
        """Say a request; its TRN, which is also written into it. A Goodbye has none."""
        if self.state is not State.CLOSED:
            self._see(now_ms)
        kind = type(operation)
        if kind not in self._sayable:
            raise self._mistake(operation, "this may not be said now")
        if kind is Goodbye:
            self._enter(State.CLOSING)
            self._finish_closing(self._pending)
            return operation.sequence
        if kind in _UNCOUNTED:
            return self._send_uncounted(operation)
        if self._trns.window.room <= 0:
            raise self._mistake(operation, f"the window of {self._trns.window.size} is full")
        self._need_trn(operation)
        if not self.allowance.take(now_ms):
            raise self._mistake(operation, "the allowance per second is spent")
        sequence = self._put(operation)
        self._trns.window.add(sequence, operation, now_ms + self.settings.response_timeout_ms)
        return sequence

    def answer(self, request: Request, operation: Result) -> None:
        """Answer a request that came as an event, once. Raises LocalError when nobody waits for it any more."""
        if id(request) not in self._owed:
            raise self._mistake(operation, "no request waits for this answer")
        if type(operation) is not Result or operation.ot != request.ot:
            raise self._mistake(operation, f"this does not answer {request.name}")
        operation.sequence = request.sequence
        self._output.append(encode(operation))
        del self._owed[id(request)]
        self._farewell = None  # it was said before this
        if self.state is State.LOGGING_IN:
            self._answer_login(request, operation)

    def tick(self, now_ms: int) -> list[Event]:
        """Let time pass: time-outs, keep-alives, events that are due."""
        events = self._take_pending()
        if self.state is State.CLOSED:
            return events
        self._see(now_ms)
        for request in self._trns.window.take_overdue(now_ms):
            self._trns.park(request, now_ms)
            events.append(Unanswered(request, "timeout"))
        overdue = self._trns.link.take_overdue(now_ms)
        if overdue:
            self._give_up(overdue, events)
        elif self.state in UNBOUND:
            if now_ms >= self._bind_deadline_ms:
                self._close("no login in time", True, events)
        elif self.state is State.CLOSING:
            self._finish_closing(events)
        else:
            self._keep_alive(events)
        return events

    def deadline_ms(self) -> int | None:
        """When to tick next, at the latest. None: never again."""
        if self._pending or not self._timed:
            return self._now_ms
        if self.state is State.CLOSED:
            return None
        moments = [self._trns.deadline_ms()]
        if self.state in UNBOUND:
            moments.append(self._bind_deadline_ms)
        elif self.state is State.BOUND:
            if self._keeps_alive:
                moments.append(self._heard_ms + self.settings.keepalive_ms)
            if self.settings.inactivity_ms:
                moments.append(self._heard_ms + self.settings.inactivity_ms)
        return min((moment for moment in moments if moment is not None), default=None)

    # --- what an owner asks besides ---

    def room_at(self, now_ms: int) -> int:
        """How many requests may be sent at this time: by the state, the window, the free TRNs and the allowance."""
        if self.state is not State.BOUND:
            return 0
        self._trns.parked.take_overdue(now_ms)
        return self._allowed(max(0, min(self._trns.window.room, self._trns.free)), now_ms)

    def room_at_ms(self, now_ms: int) -> int:
        """When the allowance and the parked TRNs let the next request go: now_ms, or later."""
        allowed_ms = super().room_at_ms(now_ms)
        freed_ms = None if self._trns.free else self._trns.parked.deadline_ms()
        return allowed_ms if freed_ms is None else max(allowed_ms, freed_ms)

    @property
    def in_flight(self) -> int:
        """Requests of ours without a result."""
        return len(self._trns.window)

    # --- hearing ---

    def _hear(self, request: Request, events: list[Event]) -> None:
        kind = type(request)
        verdict = self._verdicts[kind]
        if verdict:
            if self.state is not State.CLOSING:
                self._complain(request.name, verdict, f"not served, or not in state {self.state.value}", events)
            self._refuse(request, verdict)
        elif kind is Alert:
            self._output.append(encode(result_to(request, sm=_WAITING)))
        elif len(self._owed) >= self.settings.window_in:
            self._refuse(request, self.settings.busy_ec)
        else:
            if kind is OpenSession:
                if self.state is State.BOUND:
                    self._output.append(encode(result_to(request)))  # nobody asked for it, so there is nothing to judge
                    return
                self._enter(State.LOGGING_IN)
            self._owed[id(request)] = request
            events.append(request)

    def _hear_result(self, result: Result, events: list[Event]) -> None:
        window = self._trns.window_of(result)
        request = None if window is None else window.take(result.sequence)
        if request is None or window is self._trns.parked:
            self.ignored += 1  # late, perhaps: its request was given up, but its TRN is free again
        elif window is self._trns.link:
            self._hear_link_result(request, result, events)
        else:
            events.append(Answered(request, result))
            if self.state is State.CLOSING:
                self._finish_closing(events)

    def _hear_link_result(self, request: Request, result: Result, events: list[Event]) -> None:
        if type(request) is OpenSession:
            if not result.ec:
                self._enter(State.BOUND)
                events.append(Bound(result))
                return
            events.append(Answered(request, result))
            self._close(f"login refused: {sentence(result.ec)}", True, events)
            return
        # An Alert. A or N: both prove the link (sheet, section 2).
        if request.sequence in self._our_own:
            self._our_own.discard(request.sequence)
            self._proved = request is self._farewell
        else:
            events.append(Answered(request, result))
        if self.state is State.CLOSING:
            self._finish_closing(events)

    def _refuse(self, request: Request, ec: int) -> None:
        self.refused += 1
        self._output.append(encode(result_to(request, ec)))

    def _refuse_frame(self, frame: bytes, error: RemoteError, events: list[Event]) -> None:
        self._complain(command_of(frame), error.answer, error.reason, events)
        refusal = None if error.answer is None else refusal_of(frame, error.answer)
        if refusal is None:
            self.ignored += 1
            return
        self.refused += 1
        self._output.append(refusal)

    # --- saying ---

    def _put(self, operation: Request) -> int:
        operation.sequence = self._trns.after_last()
        self._output.append(encode(operation))
        self._trns.given(operation.sequence)
        return operation.sequence

    def _need_trn(self, operation: Request) -> None:
        if not self._trns.free:
            raise self._mistake(operation, "every TRN is in flight, or waits for a late result")

    def _send_uncounted(self, operation: Request) -> int:
        self._need_trn(operation)
        sequence = self._put(operation)
        settings = self.settings
        login = type(operation) is OpenSession
        timeout_ms = settings.login_timeout_ms if login else settings.keepalive_timeout_ms
        self._trns.link.add(sequence, operation, self._now_ms + timeout_ms)
        if login:
            self._enter(State.LOGGING_IN)
        return sequence

    def _say_alert(self) -> Request:
        alert = Alert(adc=self.settings.address)
        self._our_own.add(self._send_uncounted(alert))
        return alert

    def _answer_login(self, request: Request, result: Result) -> None:
        if result.ec:
            self._close(f"login refused by us: {sentence(result.ec)}", True, self._pending)
            return
        self._heard_ms = self._now_ms
        self._enter(State.BOUND)
        self._pending.append(Bound(request))

    # --- time ---

    def _see(self, now_ms: int) -> None:
        super()._see(now_ms)
        self._trns.parked.take_overdue(now_ms)

    @property
    def _keeps_alive(self) -> bool:
        """Whether a 31 is to be said after some silence. The centre says none: its clients need not know it."""
        return self.role == "esme" and self.settings.keepalive_ms > 0 and not self._our_own and self._trns.free > 0

    def _keep_alive(self, events: list[Event]) -> None:
        settings = self.settings
        quiet_ms = self._now_ms - self._heard_ms
        if settings.inactivity_ms and quiet_ms >= settings.inactivity_ms:
            self._close(f"nothing received for {quiet_ms} ms", self._may_leave(), events)
        elif self._keeps_alive and quiet_ms >= settings.keepalive_ms:
            self._say_alert()

    def _give_up(self, overdue: list[Request], events: list[Event]) -> None:
        events += [Unanswered(request, "timeout") for request in self._owners(overdue)]
        self._close(f"no answer to {overdue[0].name}", type(overdue[0]) is OpenSession, events)

    # --- moves ---

    def _enter(self, state: State) -> None:
        self.state = state
        serves, busy = self.settings.serves, self.settings.busy_ec
        self._verdicts: dict[type[Request], int] = {
            request: judge(self.role, state, request, serves, busy, rules=self._rules) for request in REQUESTS
        }
        self._sayable = frozenset(request for request in _SAYABLE if self._rules.may_say(self.role, state, request))
        if state in UNBOUND:
            self._await_bind()

    def _may_leave(self) -> bool:
        """Whether the end of the connection is a clean one: there is no logout, so a client just goes."""
        if self.state in UNBOUND:
            return True
        return self.role == "smsc" and not self._trns.window and not self._owed

    def _finish_closing(self, events: list[Event]) -> None:
        """Nothing is in flight any more: an ESME says 31 once more, and its result proves that all was heard."""
        if self._trns.window or self._trns.link:
            return
        if self.role == "esme" and self.settings.keepalive_ms and self._trns.free and not self._proved:
            self._farewell = self._say_alert()
            return
        self._close("closed by us", self._proved or self._may_leave(), events)

    def _close(self, reason: str, clean: bool, events: list[Event]) -> None:
        lost = self._owners(self._trns.take_all())
        events += [Unanswered(request, "lost") for request in lost]
        events.append(Closed(reason, clean))
        self._owed.clear()
        self._enter(State.CLOSED)
