"""The contract of a session: one side of one conversation, as a machine without I/O.

Role          which of the two sides
Session       receive, send, answer, tick, output, deadline_ms
Bound         the peers know each other: traffic may begin
Answered      a response came to a request that we sent
Unanswered    no response will come to a request that we sent
Complaint     the peer said what cannot be used: the first time in a session, to an owner who wants to know
Closed        the end: write what output() still holds, then close the connection

A request of the peer arrives as the operation itself; the owner gives it back to answer().

Rule: every request handed to send() ends in exactly one Answered or Unanswered (a bind that succeeds: in
Bound), and exactly one Closed ends a session. After it receive() and tick() return [], send() and answer()
raise LocalError.
"""

from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

Operation: TypeAlias = Any
"""A message of the protocol, request or response: the protocol's own dataclasses."""

Event: TypeAlias = object
"""What receive() and tick() return: one of the five below, or an operation that the peer asks for."""

Loss: TypeAlias = Literal["timeout", "lost"]

Role: TypeAlias = Literal["esme", "smsc"]
"""Which side a session plays: of who asks for service, or of a message centre."""


@dataclass(slots=True)
class Bound:
    """The session is bound. `peer` is the bind request (SMSC side) or the bind response (ESME side)."""

    peer: Operation


@dataclass(slots=True)
class Answered:
    """The peer answered our request, well or ill; a generic_nack that names it counts too."""

    request: Operation
    response: Operation


@dataclass(slots=True)
class Unanswered:
    """Nobody answers our request: its time is over, or the session ended. Its outcome is unknown."""

    request: Operation
    reason: Loss


@dataclass(slots=True)
class Complaint:
    """The peer said what cannot be used. Nothing of its contents; `status` is what it was answered, None: nothing."""

    operation: str
    status: int | None
    reason: str


@dataclass(slots=True)
class Closed:
    """The session ended. Clean: after an unbind of either side, or before it was ever bound."""

    reason: str
    clean: bool


class Session(Protocol):
    """One side of one conversation. Times are milliseconds since any fixed moment.

    Receiving b"" says that the peer closed. What may not be said in a state raises LocalError,
    which names the role, the operation and the state.
    """

    @property
    def unread(self) -> bytes:
        """The beginning of a frame of which the rest has not come, as far as who listens in from now on needs it."""
        ...

    def receive(self, data: bytes, now_ms: int) -> list[Event]:
        """Take bytes of the peer; b"" says that it closed."""
        ...

    def send(self, operation: Operation, now_ms: int) -> int:
        """Say a request; its sequence number, which is also written into it."""
        ...

    def answer(self, request: Operation, operation: Operation) -> None:
        """Answer a request that came as an event, once."""
        ...

    def tick(self, now_ms: int) -> list[Event]:
        """Let time pass: time-outs, keep-alives, events that are due."""
        ...

    def output(self) -> bytes:
        """What is to be written now; empties."""
        ...

    def deadline_ms(self) -> int | None:
        """When to tick next, at the latest; a tick too early does no harm."""
        ...
