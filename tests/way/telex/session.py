"""The machine of telex: a line per message, `WORD NUMBER` and its fields, with tabs between them.

Telex          a message: hello, note, done and bye are requests, yes and no answer them
Lines          a stream into lines;  hide, a line without what people wrote
TelexSession   one side of one conversation (wire/session.py)
"""

from dataclasses import dataclass
from enum import Enum

from smsc_link.adapter import Session
from wire.machine import Answering
from wire.session import Answered, Bound, Closed, Event, Role, Unanswered
from wire.window import Window

HELLO, NOTE, DONE, BYE, YES, NO = "hello", "note", "done", "bye", "yes", "no"
TIMEOUT_MS = 10_000


@dataclass(slots=True, eq=False)
class Telex:
    """One message of either side."""

    word: str
    fields: tuple[str, ...] = ()
    sequence: int = 0

    @property
    def name(self) -> str:
        return self.word

    def written(self) -> bytes:
        """As a line."""
        return "\t".join((self.word, str(self.sequence), *self.fields)).encode() + b"\n"

    @staticmethod
    def of(line: bytes) -> "Telex":
        """What a line says."""
        word, sequence, *fields = line.decode().rstrip("\n").split("\t")
        return Telex(word, tuple(fields), int(sequence))


class Lines:
    """Cuts a stream."""

    def __init__(self) -> None:
        self._rest = b""

    def read(self, data: bytes, /) -> list[bytes]:
        """The lines that are complete now, each with its end."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [line + b"\n" for line in lines]


def hide(frame: bytes, /, *, texts: bool = False) -> bytes | None:
    """A line of a trace: wire.masking.Mask."""
    telex = Telex.of(frame)
    return frame if texts else Telex(telex.word, ("***",) * len(telex.fields), telex.sequence).written()


class State(Enum):
    """Of a session."""

    OPEN = "open"
    BOUND = "bound"
    OVER = "over"


class TelexSession(Answering):
    """One side."""

    def __init__(self, role: Role, now_ms: int) -> None:
        super().__init__(role, max_tps=0, bind_timeout_ms=TIMEOUT_MS, complains=False)
        self.state = State.OPEN
        self._window = Window(10)
        self._lines = Lines()
        self._numbers = 0
        self._see(now_ms)

    def receive(self, data: bytes, now_ms: int) -> list[Event]:
        """Lines of the peer."""
        self._see(now_ms)
        if not data:
            return self._end("the peer closed", clean=False)
        return [event for line in self._lines.read(data) for event in self._heard(Telex.of(line))]

    def _heard(self, telex: Telex) -> list[Event]:
        if self.state is State.OVER:
            return []
        if telex.word in {YES, NO}:
            return self._heard_answer(telex)
        if telex.word in {HELLO, BYE}:
            self._output.append(Telex(YES, ("",), telex.sequence).written())
            return self._begin(telex) if telex.word == HELLO else self._end("bye", clean=True)
        self._owed[id(telex)] = telex
        return [telex]

    def _heard_answer(self, telex: Telex) -> list[Event]:
        request = self._window.take(telex.sequence)
        if request is None:
            self.ignored += 1
            return []
        if request.word == BYE:
            return self._end("bye", clean=True)
        return self._begin(telex) if (request.word, telex.word) == (HELLO, YES) else [Answered(request, telex)]

    def _begin(self, peer: Telex) -> list[Event]:
        self.state = State.BOUND
        return [Bound(peer)]

    def _end(self, reason: str, *, clean: bool) -> list[Event]:
        if self.state is State.OVER:
            return []
        self.state = State.OVER
        self._owed.clear()
        return [*(Unanswered(request, "lost") for request in self._window.take_all()), Closed(reason, clean)]

    def send(self, operation: Telex, now_ms: int) -> int:
        """A request of ours."""
        if self.state is State.OVER:
            raise self._mistake(operation, "the session is over")
        self._numbers += 1
        operation.sequence = self._numbers
        self._window.add(operation.sequence, operation, now_ms + TIMEOUT_MS)
        self._output.append(operation.written())
        return operation.sequence

    def answer(self, request: Telex, operation: Telex) -> None:
        """The answer to one of the peer's."""
        if self._owed.pop(id(request), None) is None:
            raise self._mistake(operation, "nothing is owed")
        operation.sequence = request.sequence
        self._output.append(operation.written())

    def tick(self, now_ms: int) -> list[Event]:
        """Requests whose time is over."""
        self._see(now_ms)
        return [Unanswered(request, "timeout") for request in self._window.take_overdue(now_ms)]

    def deadline_ms(self) -> int | None:
        """When the first one's is."""
        return self._window.deadline_ms()

    def room_at(self, now_ms: int) -> int:
        """Requests that may be sent."""
        return self._allowed(self._window.room, now_ms) if self.state is State.BOUND else 0


_: type[Session] = TelexSession
