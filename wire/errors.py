"""What can go wrong between two peers: one of them breaks the protocol.

WireError      the base of both
├── LocalError     we did: an operation that may not be said now, or a value that has no form on the wire
└── RemoteError    they did: bytes that cannot be read; carries what to answer

Rule: a decoder raises RemoteError and nothing else, whatever the bytes; an encoder raises LocalError and
nothing else, whatever the values. A message never holds a password or a text.
"""


class WireError(Exception):
    """A protocol was broken, by us or by the peer."""


class LocalError(WireError):
    """We broke the protocol. Names the role, the operation and the state in which we tried."""

    def __init__(self, reason: str, *, role: str = "", operation: str = "", state: str = "") -> None:
        self.reason = reason
        self.role = role
        self.operation = operation
        self.state = state
        where = ", ".join(part for part in (role, operation, state) if part)
        super().__init__(f"{where}: {reason}" if where else reason)


class RemoteError(WireError):
    """They broke the protocol.

    answer    the status to answer with (SMPP: command_status); None: nothing may be answered
    fatal     the stream can no longer be cut into messages: answer, then close
    """

    def __init__(self, reason: str, *, answer: int | None, fatal: bool = False) -> None:
        self.reason = reason
        self.answer = answer
        self.fatal = fatal
        super().__init__(reason if answer is None else f"{reason} (answer 0x{answer:02X})")
