"""What every session has, whatever it speaks: the trunk of the machines behind the contract of wire/session.py.

Machine     what is to be written, the events that wait, the time that it was told, the allowance per second
Owing       what it owes the peer, and counts of what it refused or passed over
Answering   a Machine that owes by itself, with which requests in flight are its own

A protocol adds its states, its frames and its numbers. It says when the peer was heard, and what `room_at` is.

Rule: nothing here knows a protocol.
"""

from typing import Any

from wire.errors import LocalError
from wire.session import Complaint, Event, Operation, Role
from wire.window import Allowance


class Machine:
    """Its timers begin with the first call that tells a time."""

    state: Any

    def __init__(self, role: Role, *, max_tps: int, bind_timeout_ms: int) -> None:
        self.role: Role = role
        self._output: list[bytes] = []
        self._pending: list[Event] = []  # events that came about outside receive() and tick()
        self.allowance = Allowance(max_tps)
        """May be that of the session before: what a peer found too fast does not end with the connection."""
        self._bind_timeout_ms = bind_timeout_ms
        self._bind_deadline_ms = 0
        self._now_ms = 0
        self._timed = False
        self._heard_ms = 0

    def output(self) -> bytes:
        """What is to be written now; empties."""
        if not self._output:
            return b""
        data = b"".join(self._output)
        self._output.clear()
        return data

    @property
    def unread(self) -> bytes:
        """Nothing, where a mark says at which octet the next frame begins."""
        return b""

    @property
    def room(self) -> int:
        """How many requests may be sent now, by the last time that the session was told."""
        return self.room_at(self._now_ms)

    def room_at(self, now_ms: int) -> int:
        """How many requests may be sent at this time."""
        raise NotImplementedError

    def room_at_ms(self, now_ms: int) -> int:
        """When the allowance lets the next request go: now_ms, or later."""
        return self.allowance.room_at_ms(now_ms)

    def throttled(self, now_ms: int) -> None:
        """The peer finds us too fast: halve the allowance; it grows back by itself."""
        self.allowance.throttled(now_ms)

    def _allowed(self, room: int, now_ms: int) -> int:
        """So much room, and no more than the allowance has."""
        allowed = self.allowance.room(now_ms)
        return room if allowed is None else min(room, allowed)

    def _see(self, now_ms: int) -> None:
        """It is so late now."""
        self._now_ms = now_ms
        if not self._timed:
            self._timed = True
            self._heard_ms = now_ms
            self._await_bind()

    def _await_bind(self) -> None:
        """The peer has from now on so long to bind."""
        self._bind_deadline_ms = self._now_ms + self._bind_timeout_ms

    def _take_pending(self) -> list[Event]:
        events, self._pending = self._pending, []
        return events

    def _mistake(self, operation: Operation, reason: str) -> LocalError:
        return LocalError(reason, role=self.role, operation=operation.name, state=self.state.value)


class Owing:
    """`ignored`: what could be neither used nor answered, above all late responses.

    `refused`: requests that never reached the owner.
    """

    def __init__(self, *, complains: bool) -> None:
        self.ignored = 0
        self.refused = 0
        self._complains = complains
        self._owed: dict[int, Operation] = {}  # by id(): a peer may use one number twice

    def owes(self, request: Operation) -> bool:
        """Whether this request of the peer still waits for our answer, and can get it."""
        return id(request) in self._owed

    def _complain(self, operation: str, status: int | None, reason: str, events: list[Event]) -> None:
        if self._complains:
            self._complains = False
            events.append(Complaint(operation, status, reason))


class Answering(Machine, Owing):
    """One whose owner answers each request once, and no more is to be kept of it."""

    def __init__(self, role: Role, *, max_tps: int, bind_timeout_ms: int, complains: bool) -> None:
        Machine.__init__(self, role, max_tps=max_tps, bind_timeout_ms=bind_timeout_ms)
        Owing.__init__(self, complains=complains)
        self._our_own: set[int] = set()  # numbers in flight that the owner knows nothing of

    def _owners(self, requests: list[Any]) -> list[Any]:
        """Those that the owner sent."""
        return [request for request in requests if request.sequence not in self._our_own]
