"""One side of one SMPP conversation: the state table at work, for an ESME or an SMSC.

SmppSession   receive, send, answer, tick, output, deadline_ms (the contract of wire/session.py), and
              room, room_at, room_at_ms, throttled, owes, state, ignored, refused

The session itself answers enquire_link, unbind, unknown and broken PDUs, requests in the wrong state and
those that its owner does not serve; it sends enquire_link on an idle link. All else are events. What it refused or
passed over it counts, and tells of the first that the peer should not have said, if Settings.complains.

Rule: enquire_link is answered in every state and never waits behind a window (sheet, pitfall 10). Nothing
that a peer sends makes receive() raise.

Source: SMPP 3.4, 2.2 and 2.7; sheet sections 10 and 11; reliability.md, section 5.
"""

from wire.errors import RemoteError
from wire.machine import Answering
from wire.session import Answered, Bound, Closed, Event, Role, Unanswered
from wire.smpp import status as st
from wire.smpp.codec import command_of, decode, encode, refusal_of, response_to
from wire.smpp.frames import FrameReader
from wire.smpp.operations import (
    COMMANDS,
    AlertNotification,
    Bind,
    EnquireLink,
    GenericNack,
    Operation,
    Outbind,
    Request,
    Response,
    Unbind,
)
from wire.smpp.settings import Settings
from wire.smpp.states import BOUND, BOUND_BY, RULES, UNBOUND, State, judge
from wire.window import Window

MAX_SEQUENCE = 0x7FFFFFFF

_REQUESTS: tuple[type[Request], ...] = tuple(command for command in COMMANDS.values() if issubclass(command, Request))
# What stands outside the window and the allowance: it makes, keeps or ends the link, or gets no answer.
_UNCOUNTED: frozenset[type[Operation]] = frozenset({*BOUND_BY, Unbind, EnquireLink, Outbind, AlertNotification})


class SmppSession(Answering):
    """A session that plays `role`. Its timers begin at `now_ms`, or with the first call that tells a time."""

    def __init__(
        self,
        role: Role,
        settings: Settings | None = None,
        *,
        now_ms: int | None = None,
        first_sequence: int = 1,
    ) -> None:
        self.settings = settings or Settings()
        super().__init__(
            role,
            max_tps=self.settings.max_tps,
            bind_timeout_ms=self.settings.bind_timeout_ms,
            complains=self.settings.complains,
        )
        self._reader = FrameReader(self.settings.max_pdu)
        self._window = Window(self.settings.window)
        self._link_window = Window(MAX_SEQUENCE)
        self._owed_max = self.settings.window_in
        self._unbind_answered = False
        self._last_sequence = first_sequence - 1
        self._end_reason = "unbound"
        self._enter(State.OPEN)
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
            # An unbind was under way, or there was never a bind: nobody expected more of this connection.
            self._close("the peer closed the connection", self.state not in BOUND, events)
            return events
        frames = self._reader.read(data)
        if frames:
            self._heard_ms = now_ms
        for frame in frames:
            try:
                operation = decode(frame)
            except RemoteError as error:
                self._refuse_frame(frame, error, events)
                continue
            self._hear(operation, events)
            if events and type(events[-1]) is Closed:
                return events
        lost = self._reader.error
        if lost is not None:
            self.refused += 1
            self._complain("no PDU", lost.answer, lost.reason, events)
            self._output.append(encode(GenericNack(0, lost.answer or st.RINVCMDLEN)))
            self._close(lost.reason, self.state in UNBOUND, events)
        return events

    def send(self, operation: Request, now_ms: int) -> int:
        """Say a request; its sequence number, which is also written into it."""
        if self.state is not State.CLOSED:
            self._see(now_ms)
        kind = type(operation)
        if kind not in self._sayable:
            raise self._mistake(operation, "this may not be said now")
        if kind in _UNCOUNTED:
            return self._send_uncounted(operation)
        if self._window.room <= 0:
            raise self._mistake(operation, f"the window of {self._window.size} is full")
        if not self.allowance.take(now_ms):
            raise self._mistake(operation, "the allowance per second is spent")
        sequence = self._put(operation)
        self._window.add(sequence, operation, now_ms + self.settings.response_timeout_ms)
        return sequence

    @property
    def unread(self) -> bytes:
        """The beginning of a PDU of which the rest has not come: who listens in from now on needs it."""
        return self._reader.rest

    def answer(self, request: Request, operation: Response) -> None:
        """Answer a request that came as an event, once. Raises LocalError when nobody waits for it any more."""
        if id(request) not in self._owed:
            raise self._mistake(operation, "no request waits for this answer")
        if type(operation) is not request.response_type and not isinstance(operation, GenericNack):
            raise self._mistake(operation, f"this does not answer {request.name}")
        operation.sequence = request.sequence
        self._output.append(encode(operation))
        del self._owed[id(request)]
        if self.state is State.BINDING:
            self._answer_bind(request, operation)

    def tick(self, now_ms: int) -> list[Event]:
        """Let time pass: time-outs, keep-alives, events that are due."""
        events = self._take_pending()
        if self.state is State.CLOSED:
            return events
        self._see(now_ms)
        events += [Unanswered(request, "timeout") for request in self._window.take_overdue(now_ms)]
        overdue = self._link_window.take_overdue(now_ms)
        if overdue:
            self._give_up(overdue, events)
        elif self.state in BOUND:
            self._keep_alive()
        elif self.state is State.UNBINDING:
            self._finish_unbinding(events)
        elif self.state in UNBOUND and now_ms >= self._bind_deadline_ms:
            # An ESME that says no bind waits for the word to (SMPP 3.4, 2.2.1).
            missing = "outbind" if self.role == "esme" else "bind"
            self._close(f"no {missing} in time", True, events)
        return events

    def deadline_ms(self) -> int | None:
        """When to tick next, at the latest. None: never again."""
        if self._pending or not self._timed:
            return self._now_ms
        if self.state is State.CLOSED:
            return None
        moments = [self._window.deadline_ms(), self._link_window.deadline_ms()]
        if self.state in UNBOUND:
            moments.append(self._bind_deadline_ms)
        elif self.state in BOUND:
            settings = self.settings
            if settings.enquire_ms and not self._our_own:
                moments.append(self._heard_ms + settings.enquire_ms)
            if settings.inactivity_ms:
                moments.append(self._heard_ms + settings.inactivity_ms)
        return min((moment for moment in moments if moment is not None), default=None)

    # --- what an owner asks besides ---

    def room_at(self, now_ms: int) -> int:
        """How many requests may be sent at this time: by the state, the window and the allowance."""
        if not self._may_talk:
            return 0
        return self._allowed(max(0, self._window.room), now_ms)

    @property
    def in_flight(self) -> int:
        """Requests of ours without an answer."""
        return len(self._window)

    # --- hearing ---

    def _hear(self, operation: Operation, events: list[Event]) -> None:
        verdict = self._verdicts.get(type(operation))
        if verdict is None:
            self._hear_response(operation, events)
        elif verdict:
            if self.state is not State.UNBINDING:
                self._complain(operation.name, verdict, f"not served, or not in state {self.state.value}", events)
            self._refuse(operation, verdict)
        elif type(operation) in _UNCOUNTED:
            self._hear_uncounted(operation, events)
        elif len(self._owed) >= self._owed_max:
            self._refuse(operation, self.settings.busy_status)
        else:
            self._owed[id(operation)] = operation
            events.append(operation)

    def _hear_uncounted(self, operation: Operation, events: list[Event]) -> None:
        if isinstance(operation, EnquireLink):
            self._output.append(encode(response_to(operation)))
            return
        if isinstance(operation, Unbind):
            self._output.append(encode(response_to(operation)))
            self._close("the peer unbound", True, events)
            return
        if isinstance(operation, Bind):
            self._owed[id(operation)] = operation
            self._enter(State.BINDING)
        elif isinstance(operation, Outbind):
            self._enter(State.OUTBOUND)
        events.append(operation)

    def _hear_response(self, response: Operation, events: list[Event]) -> None:
        sequence = response.sequence
        window = self._window
        request: Request | None = window.look(sequence)
        if request is None:
            window = self._link_window
            request = window.look(sequence)
        if request is None or type(response) not in (request.response_type, GenericNack):
            self.ignored += 1
            return
        window.take(sequence)
        if window is self._link_window:
            self._hear_link_response(request, response, events)
            return
        events.append(Answered(request, response))
        if self.state is State.UNBINDING:
            self._finish_unbinding(events)

    def _hear_link_response(self, request: Request, response: Operation, events: list[Event]) -> None:
        sequence = request.sequence
        if isinstance(request, Bind) and response.status == 0 and not isinstance(response, GenericNack):
            self._enter(BOUND_BY[type(request)])
            events.append(Bound(response))
            return
        if sequence in self._our_own:
            self._our_own.discard(sequence)
        else:
            events.append(Answered(request, response))
        if isinstance(request, Bind):
            self._close(f"bind refused: {st.sentence(response.status)}", True, events)
        elif isinstance(request, Unbind):
            self._unbind_answered = True
            self._finish_unbinding(events)

    def _refuse(self, request: Operation, status: int) -> None:
        assert isinstance(request, Request), request
        if request.response_type is None:
            self.ignored += 1
            return
        self.refused += 1
        self._output.append(encode(response_to(request, status)))

    def _refuse_frame(self, frame: bytes, error: RemoteError, events: list[Event]) -> None:
        self._complain(command_of(frame), error.answer, error.reason, events)
        refusal = None if error.answer is None else refusal_of(frame, error.answer)
        if refusal is None:
            self.ignored += 1
            return
        self.refused += 1
        self._output.append(encode(refusal))

    # --- saying ---

    def _put(self, operation: Request) -> int:
        sequence = self._last_sequence
        while True:
            sequence = 1 if sequence >= MAX_SEQUENCE else sequence + 1
            if sequence not in self._window and sequence not in self._link_window:
                break
        operation.sequence = sequence
        self._output.append(encode(operation))
        self._last_sequence = sequence
        return sequence

    def _send_uncounted(self, operation: Request) -> int:
        sequence = self._put(operation)
        settings = self.settings
        if operation.response_type is not None:
            binding = isinstance(operation, Bind)
            timeout_ms = settings.bind_timeout_ms if binding else settings.response_timeout_ms
            self._link_window.add(sequence, operation, self._now_ms + timeout_ms)
        if isinstance(operation, Bind):
            self._enter(State.BINDING)
        elif isinstance(operation, Unbind):
            self._enter(State.UNBINDING)
        elif isinstance(operation, Outbind):
            self._enter(State.OUTBOUND)
        return sequence

    def _answer_bind(self, request: Request, response: Response) -> None:
        if response.status == 0 and not isinstance(response, GenericNack):
            self._heard_ms = self._now_ms
            self._enter(BOUND_BY[type(request)])
            self._pending.append(Bound(request))
        else:
            self._close(f"bind refused by us: {st.sentence(response.status)}", True, self._pending)

    # --- time ---

    def _keep_alive(self) -> None:
        settings = self.settings
        quiet_ms = self._now_ms - self._heard_ms
        if settings.inactivity_ms and quiet_ms >= settings.inactivity_ms:
            self._end_reason = f"nothing received for {quiet_ms} ms"
            self._our_own.add(self._send_uncounted(Unbind()))
        elif settings.enquire_ms and quiet_ms >= settings.enquire_ms and not self._our_own:
            self._our_own.add(self._send_uncounted(EnquireLink()))

    def _give_up(self, overdue: list[Request], events: list[Event]) -> None:
        events += [Unanswered(request, "timeout") for request in self._owners(overdue)]
        self._close(f"no answer to {overdue[0].name}", isinstance(overdue[0], Bind), events)

    # --- moves ---

    def _enter(self, state: State) -> None:
        self.state = state
        serves, busy = self.settings.serves, self.settings.busy_status
        self._verdicts: dict[type[Operation], int] = {
            request: judge(self.role, state, request, serves, busy) for request in _REQUESTS
        }
        self._sayable = frozenset(request for request in _REQUESTS if RULES.may_say(self.role, state, request))
        self._may_talk = bool(self._sayable - _UNCOUNTED)
        if state in UNBOUND:
            self._await_bind()

    def _finish_unbinding(self, events: list[Event]) -> None:
        if self._unbind_answered and not len(self._window):
            self._close(self._end_reason, True, events)

    def _close(self, reason: str, clean: bool, events: list[Event]) -> None:
        lost = self._owners(self._window.take_all() + self._link_window.take_all())
        events += [Unanswered(request, "lost") for request in lost]
        events.append(Closed(reason, clean))
        self._owed.clear()
        self._enter(State.CLOSED)
