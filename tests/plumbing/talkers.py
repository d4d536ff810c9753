"""Sessions and owners for tests of the plumbing: lines of text instead of PDUs.

LineSession   a wire session: a request is a line, its answer is the line in capitals; BYE ends it with a last word
Recorder      an owner that keeps what it heard; until() waits for it
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from plumbing.conversation import Conversation
from wire.errors import LocalError
from wire.session import Answered, Closed, Event


@dataclass(slots=True)
class Said:
    """A line."""

    text: str


class LineSession:
    """Every line that is not in capitals asks for itself in capitals."""

    unread = b""

    def __init__(self) -> None:
        self.deadline: int | None = None
        self.ticks: list[int] = []
        self.closed = False
        self._rest = b""
        self._output = b""
        self._asked: list[Said] = []

    def receive(self, data: bytes, now_ms: int) -> list[Event]:
        if self.closed:
            return []
        if not data:
            self.closed = True
            return [Closed("the peer closed the connection", False)]
        *lines, self._rest = (self._rest + data).split(b"\n")
        events: list[Event] = []
        for line in lines:
            text = line.decode()
            if text == "BYE":
                self.closed = True
                self._output += b"FAREWELL\n"
                events.append(Closed("bye", True))
                break
            events.append(Answered(self._asked.pop(0), Said(text)) if text.isupper() else Said(text))
        return events

    def send(self, operation: Said, now_ms: int) -> int:
        if self.closed:
            raise LocalError("closed")
        self._asked.append(operation)
        self._output += operation.text.encode() + b"\n"
        return len(self._asked)

    def answer(self, request: Event, operation: Said) -> None:
        if self.closed:
            raise LocalError("closed")
        self._output += operation.text.encode() + b"\n"

    def tick(self, now_ms: int) -> list[Event]:
        self.ticks.append(now_ms)
        self.deadline = None
        return []

    def output(self) -> bytes:
        output, self._output = self._output, b""
        return output

    def deadline_ms(self) -> int | None:
        return self.deadline


class Recorder:
    """Keeps what it heard; answers requests unless told not to."""

    def __init__(self, *, answers: bool = True) -> None:
        self.conversation: Conversation | None = None
        self.heard_events: list[Event] = []
        self.batches = 0
        self._answers = answers
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    def opened(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self._stir()

    def heard(self, events: list[Event]) -> None:
        self.batches += 1
        self.heard_events += events
        for event in events:
            if isinstance(event, Said) and self._answers and self.conversation is not None:
                self.conversation.answer(event, Said(event.text.upper()))
        self._stir()

    @property
    def answers_heard(self) -> list[str]:
        return [event.response.text for event in self.heard_events if isinstance(event, Answered)]

    @property
    def closed(self) -> Closed | None:
        return next((event for event in self.heard_events if isinstance(event, Closed)), None)

    async def until(self, predicate: Callable[[], object]) -> None:
        if not predicate():
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append((lambda: bool(predicate()), future))
            await future

    def _stir(self) -> None:
        for waiting in list(self._waiting):
            if waiting[0]():
                self._waiting.remove(waiting)
                waiting[1].set_result(None)
