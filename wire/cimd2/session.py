"""One side of one CIMD2 conversation: the state table at work, for an application ("esme") or a centre ("smsc").

Cimd2Session  receive, send, answer, tick, output, deadline_ms (the contract of wire/session.py), and
              room, room_at, room_at_ms, throttled, owes, in_flight, state, ignored, refused, repeated

The session itself answers alive, logout, repetitions, broken and unknown packets, requests in the wrong state and those
that its owner does not serve; it asks alive on an idle link, and says again what a NACK refused. All else are events.

Deliver and status report have no negative answer: an owner who cannot store one gives a response with an error to
answer(), which is not said. He gets the request again after a while; when he cannot take it for too long, the session
logs out, after what is under way, and the centre brings the message again.

A NACK is no answer: what it names is said again, a few times. In the end the request is Answered with the Nack, since
nothing was accepted. After a general error the session ends (sheet, section 7).

Rule: nothing that a peer sends makes receive() raise, and nothing is answered with a NACK that may be an answer itself:
two peers that find each other's packets damaged would never end.

Source: sheet sections 1 to 3 and 7; reliability.md, section 5.
"""

from wire.cimd2 import codes
from wire.cimd2.codec import decode, encode, response_to
from wire.cimd2.duties import Duties
from wire.cimd2.flights import Flights
from wire.cimd2.frames import FrameReader
from wire.cimd2.numbers import FIRST
from wire.cimd2.operations import NO_NEGATIVE, Alive, GeneralError, Goodbye, Login, Logout, Nack
from wire.cimd2.packet import Operation, Request, Response
from wire.cimd2.settings import Settings
from wire.cimd2.states import LINK, RULES, UNBOUND, State
from wire.errors import RemoteError
from wire.machine import Machine
from wire.session import Answered, Bound, Closed, Event, Loss, Role, Unanswered


class Cimd2Session(Machine):
    """A session that plays `role`. Its timers begin at `now_ms`, or with the first call that tells a time."""

    def __init__(self, role: Role, settings: Settings | None = None, *, now_ms: int | None = None) -> None:
        self.settings = settings or Settings()
        super().__init__(role, max_tps=self.settings.max_tps, bind_timeout_ms=self.settings.bind_timeout_ms)
        self._reader = FrameReader(self.settings.max_packet)
        self._flights = Flights(FIRST[role], self.settings.window, self.settings.tries)
        self._duties = Duties(role, self.settings, self._output)
        self._own: set[int] = set()  # ids of requests in flight that the owner knows nothing of
        self._logout_answered = False
        self._end = "logged out", True
        self._enter(State.OPEN)
        if role == "smsc" and self.settings.banner:
            self._output.append(self.settings.banner.encode("latin-1", "replace").replace(b"\2", b"") + b"\r\n")
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
            # A logout was under way, or there was never a login: nobody expected more of this connection.
            self._close("the peer closed the connection", self.state is not State.BOUND, events)
            return events
        packets = self._reader.read(data)
        if packets:
            self._heard_ms = now_ms
        for packet in packets:
            try:
                operation = decode(packet)
            except RemoteError as error:
                self._duties.refuse(packet, error, events)
                continue
            if isinstance(operation, Response):
                self._hear_response(operation, events)
            else:
                self._hear(packet, operation, events)  # type: ignore[arg-type]  # what is no response is a request
            if events and type(events[-1]) is Closed:
                return events
        if self._reader.dropped:
            self._duties.pass_over(self._reader.dropped, events)
            self._reader.dropped = 0
        return events

    def send(self, operation: Request, now_ms: int) -> int:
        """Say a request; its packet number, which is also written into it."""
        if self.state is not State.CLOSED:
            self._see(now_ms)
        kind = type(operation)
        if kind not in self._sayable:
            raise self._mistake(operation, "this may not be said now")
        if not self._flights.numbers_left:
            raise self._mistake(operation, "every packet number is in flight")
        if kind in LINK:
            return self._send_link(operation)
        if not self._flights.room:
            raise self._mistake(operation, f"the window of {self._flights.size} is full")
        if not self.allowance.take(now_ms):
            raise self._mistake(operation, "the allowance per second is spent")
        return self._put(operation, self.settings.response_timeout_ms)

    def answer(self, request: Request, operation: Response) -> None:
        """Answer a request that came as an event, once. Raises LocalError when nobody waits for it any more.

        With an error where there is no negative answer nothing is said: the request is an event once more, later.
        """
        if not self._duties.owes(request):
            raise self._mistake(operation, "no request waits for this answer")
        if type(operation) is not request.response_type:
            raise self._mistake(operation, f"this does not answer {request.name}")
        if operation.error and type(operation) in NO_NEGATIVE:
            self._duties.put_off(request, operation.error, self._now_ms)
            return
        operation.sequence = request.sequence
        self._duties.say(operation)
        self._duties.settle(request)
        if type(request) is Login:
            self._answer_login(request, operation)

    def tick(self, now_ms: int) -> list[Event]:
        """Let time pass: time-outs, keep-alives, events that are due."""
        events = self._take_pending()
        if self.state is State.CLOSED:
            return events
        self._see(now_ms)
        overdue = self._flights.overdue(now_ms)
        if overdue:
            self._lose(overdue, "timeout", events)
            self._release()
        gone = next((request for request in overdue if type(request) in LINK), None)
        if gone is not None:
            self._close(f"no answer to {gone.name}", type(gone) is Login, events)
        elif self.state is State.UNBINDING:
            self._finish_logout(events)
        elif self.state in UNBOUND:
            if now_ms >= self._bind_deadline_ms:
                self._close("no login in time", True, events)
        elif self._flights.is_stuck:
            number = self._flights.next_number
            self._close(f"packet {number:03} was never answered, and its number would be the next", False, events)
        else:
            self._go_on(events)
        return events

    def deadline_ms(self) -> int | None:
        """When to tick next, at the latest. None: never again."""
        if self._pending or not self._timed:
            return self._now_ms
        if self.state is State.CLOSED:
            return None
        if self.state is State.BOUND and self._flights.is_stuck:
            return self._now_ms
        moments = [self._flights.deadline_ms()]
        if self.state in UNBOUND:
            moments.append(self._bind_deadline_ms)
        elif self.state is State.BOUND:
            settings = self.settings
            if settings.enquire_ms and not len(self._flights):
                moments.append(self._heard_ms + settings.enquire_ms)
            if settings.inactivity_ms:
                moments.append(self._heard_ms + settings.inactivity_ms)
            moments.append(self._duties.deadline_ms())
        return min((moment for moment in moments if moment is not None), default=None)

    # --- what an owner asks besides ---

    def room_at(self, now_ms: int) -> int:
        """How many requests may be sent at this time: by the state, the window, the numbers and the allowance."""
        if self.state is not State.BOUND:
            return 0
        return self._allowed(self._flights.room, now_ms)

    def owes(self, request: Operation) -> bool:
        """Whether this request of the peer still waits for our answer, and can get it."""
        return self._duties.owes(request)

    @property
    def in_flight(self) -> int:
        """Requests of ours without an answer."""
        return self._flights.counted

    @property
    def ignored(self) -> int:
        """Packets that could be neither used nor answered: above all late responses."""
        return self._duties.ignored

    @property
    def refused(self) -> int:
        """Requests that never reached the owner."""
        return self._duties.refused

    @property
    def repeated(self) -> int:
        """Requests that came a second time."""
        return self._duties.repeated

    # --- hearing ---

    def _hear(self, packet: bytes, request: Request, events: list[Event]) -> None:
        if not self._duties.take(packet, request, events):
            return
        if type(request) is Alive:
            self._duties.say(response_to(request))
        elif type(request) is Logout:
            self._duties.say(response_to(request))
            self._close("the peer logged out", True, events)
        else:
            self._duties.owe(request)
            events.append(request)
            if type(request) is Login:
                self._enter(State.BINDING)

    def _hear_response(self, response: Response, events: list[Event]) -> None:
        if type(response) is Nack:
            self._hear_nack(response, events)
            return
        if type(response) is GeneralError and self.role == "smsc":
            self._duties.ignored += 1
            return
        request = self._flights.answered(response)
        if type(response) is GeneralError:
            if request is not None:
                self._tell(request, response, events)
            self._close(f"general error: {codes.sentence(response.error)}", self.state in UNBOUND, events)
        elif request is None:
            self._duties.ignored += 1
        elif type(request) is Login and not response.error:
            self._bind(request)
            events.append(Bound(response))
        else:
            self._tell(request, response, events)
            if type(request) is Login:
                self._close(f"login refused: {codes.sentence(response.error)}", True, events)
                return
            self._logout_answered |= type(request) is Logout
            self._release()
            if self.state is State.UNBINDING:
                self._finish_logout(events)

    def _hear_nack(self, nack: Nack, events: list[Event]) -> None:
        timeout_ms = self.settings.bind_timeout_ms if self.state in UNBOUND else self.settings.response_timeout_ms
        nacked = self._flights.nacked(nack.sequence, self._now_ms + timeout_ms)
        if nacked.what == "again":
            self._output += [self._encode(request) for request in nacked.requests]
        elif nacked.what == "given up":
            for request in nacked.requests:
                self._tell(request, nack, events)
            self._close(f"packet {nack.sequence:03} was refused again and again", self.state in UNBOUND, events)
        elif nacked.what == "unclear":
            reason = f"the peer expects packet {nack.sequence:03}, which is none of ours"
            self._close(reason, self.state in UNBOUND, events)
        else:
            self._duties.ignored += 1

    def _tell(self, request: Request, response: Response, events: list[Event]) -> None:
        if id(request) in self._own:
            self._own.discard(id(request))
        else:
            events.append(Answered(request, response))

    # --- saying ---

    def _encode(self, operation: Operation) -> bytes:
        return encode(operation, checksum=self.settings.checksum)

    def _put(self, request: Request, timeout_ms: int) -> int:
        request.sequence = self._flights.next_number
        octets = self._encode(request)
        if self._flights.add(request, self._now_ms + timeout_ms):
            self._output.append(octets)
        return request.sequence

    def _release(self) -> None:
        for request in self._flights.release():
            self._output.append(self._encode(request))

    def _send_link(self, request: Request) -> int:
        if type(request) is Goodbye:
            self._end, self._logout_answered = ("we said goodbye", True), True
            self._enter(State.UNBINDING)
            self._finish_logout(self._pending)
            return request.sequence
        login = type(request) is Login
        number = self._put(request, self.settings.bind_timeout_ms if login else self.settings.response_timeout_ms)
        if login:
            self._enter(State.BINDING)
        elif type(request) is Logout:
            self._enter(State.UNBINDING)
        return number

    def _answer_login(self, login: Login, response: Response) -> None:
        if response.error:
            self._close(f"login refused by us: {codes.sentence(response.error)}", True, self._pending)
            return
        self._heard_ms = self._now_ms
        self._bind(login)
        self._pending.append(Bound(login))

    # --- time ---

    def _go_on(self, events: list[Event]) -> None:
        settings = self.settings
        given_up = self._duties.given_up(self._now_ms)
        if given_up:
            # Not clean: what is answered behind our logout may not be heard.
            self._log_out(given_up, False, events)
            return
        events += self._duties.again(self._now_ms)
        quiet_ms = self._now_ms - self._heard_ms
        if settings.inactivity_ms and quiet_ms >= settings.inactivity_ms:
            self._log_out(f"nothing received for {quiet_ms} ms", True, events)
        elif settings.enquire_ms and quiet_ms >= settings.enquire_ms and not len(self._flights):
            # With something under way its own time-out tells as much, and the peer may take one at a time only.
            self._send_own(Alive())

    def _log_out(self, reason: str, clean: bool, events: list[Event]) -> None:
        """End the session of our own accord: in words, where there are words for it."""
        if self.role == "smsc" or not self._flights.numbers_left:
            self._close(reason, False, events)
            return
        self._end = reason, clean
        self._send_own(Logout())

    def _send_own(self, request: Request) -> None:
        self._own.add(id(request))
        self._send_link(request)

    # --- moves ---

    def _enter(self, state: State) -> None:
        self.state = state
        self._duties.enter(state)
        self._sayable = frozenset(kind for kind in RULES if RULES.may_say(self.role, state, kind))
        if state in UNBOUND:
            self._await_bind()

    def _bind(self, login: Login) -> None:
        """The window is what both want: the sheet knows one only, so it is that of either side."""
        self._flights.size = min(self.settings.window, login.window_size or 1)
        self._enter(State.BOUND)

    def _finish_logout(self, events: list[Event]) -> None:
        if self._logout_answered and not len(self._flights):
            self._close(*self._end, events)

    def _lose(self, requests: list[Request], reason: Loss, events: list[Event]) -> None:
        events += [Unanswered(request, reason) for request in requests if id(request) not in self._own]

    def _close(self, reason: str, clean: bool, events: list[Event]) -> None:
        self._lose(self._flights.all(), "lost", events)
        events.append(Closed(reason, clean))
        self._enter(State.CLOSED)
