"""A sender at its desk: a journal that keeps facts in a list, lines that say what they are told to.

Desk      a Sender with a batcher over such a journal; `flow` until nothing moves
Paper     the journal: what was written, in order; moves of MT are made
FakeLine  a link: open or not, with so much room, answering as `says` says; its operations name it

Rule: time stands still unless `clock.advance` moves it; nothing sleeps but the loop's own turns.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

from core.catalogue import Link
from core.clock import Instant
from core.message import Mt, MtState, SubmitAnswer, SubmitOutcome, TrafficClass
from plumbing.threads import InlineWriter
from store.journal import Fact, MtFact
from tests.makers import NOON, a_link
from traffic.commit import Batcher
from traffic.routes import Terms
from traffic.send import Sender

T = TypeVar("T")
ACCEPTED = SubmitAnswer(SubmitOutcome.ACCEPTED, "KEY")
THROTTLED = SubmitAnswer(SubmitOutcome.THROTTLED, code=0x58, sentence="0x58 ESME_RTHROTTLED: throttled")
TEMPORARY = SubmitAnswer(SubmitOutcome.TEMPORARY, code=0x08, sentence="0x08 ESME_RSYSERR: system error")
PERMANENT = SubmitAnswer(SubmitOutcome.PERMANENT, code=0x0B, sentence="0x0B ESME_RINVDSTADR: destination invalid")
UNANSWERED = SubmitAnswer(SubmitOutcome.UNANSWERED, sentence="no answer (timeout)")
UNSENT = SubmitAnswer(SubmitOutcome.UNSENT, sentence="no answer (lost)")


class HandClock:
    """Time that stands still unless it is moved."""

    def __init__(self, now: Instant = NOON) -> None:
        self._now = now
        self._monotonic_ms = 1_000_000

    def now(self) -> Instant:
        return self._now

    def monotonic_ms(self) -> int:
        return self._monotonic_ms

    def advance(self, ms: int) -> None:
        self._now += ms
        self._monotonic_ms += ms

    def set(self, by_ms: int) -> None:
        """Somebody sets the wall clock."""
        self._now += by_ms


@dataclass
class Paper:
    """What was made durable, in order."""

    facts: list[Fact] = field(default_factory=list)

    def write(self, facts: Sequence[Fact]) -> None:
        self.facts += facts
        for fact in facts:
            if isinstance(fact, MtFact):
                fact.mt.state = fact.new

    def resolve(self, doubtful: Sequence[Fact], refused: Sequence[Fact]) -> bool:
        return False

    @property
    def moves(self) -> list[MtFact]:
        """Those of MT."""
        return [fact for fact in self.facts if isinstance(fact, MtFact)]


@dataclass(frozen=True)
class Sent:
    """One part, as the line wrote it."""

    mt_id: int
    part: int
    line: str
    reference: int


class FakeLine:
    """A line over which a text takes as many parts as its MT says, or `parts`. What is sent takes room for good."""

    def __init__(self, link: Link | None = None, *, room: int = 100, parts: int = 0) -> None:
        self._link = link or a_link()
        self.terms = Terms()
        self.is_open = True
        self.only_answers = self.is_slowed = False
        self.awaited: set[int] = set()
        """Ids of the MO that wait for their reply on it."""
        self.free = room
        self.parts = parts
        self.sent: list[Sent] = []
        self.says: Callable[[Sent], SubmitAnswer] = lambda sent: ACCEPTED
        self.wrong = ""
        self.waiting: list[tuple[Sent, asyncio.Future[SubmitAnswer]]] = []
        self.holds_answers = False

    @property
    def link(self) -> Link:
        return self._link

    def awaits(self, mt: Mt) -> bool:
        return mt.reply_to in self.awaited

    def room(self) -> int:
        return self.free if self.is_open else 0

    def write(self, mt: Mt, *, reference: int) -> Sequence[object]:
        if self.wrong:
            raise ValueError(self.wrong)
        return [Sent(mt.id, part, self._link.name, reference) for part in range(self.parts or mt.parts)]

    def submit(self, operation: object) -> Awaitable[SubmitAnswer]:
        assert isinstance(operation, Sent)
        assert operation.line == self._link.name, "written for another line"
        assert self.is_open
        assert self.free > 0 or self.awaited, "an answer takes no room"
        self.sent.append(operation)
        self.free = max(0, self.free - 1)
        future: asyncio.Future[SubmitAnswer] = asyncio.get_running_loop().create_future()
        if self.holds_answers:
            self.waiting.append((operation, future))
        else:
            future.set_result(self.says(operation))
        return future

    def gets_room(self, desk: "Desk", room: int = 1) -> None:
        """Room appears, and the sender is told."""
        self.free = room
        desk.sender.line_has_room(self)

    def answers(self, *answers: SubmitAnswer) -> None:
        """To what was held, in order."""
        for answer in answers:
            self.waiting.pop(0)[1].set_result(answer)


class Desk:
    """To be made inside a story."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.paper = Paper()
        self.writer = InlineWriter()
        self.batcher = Batcher(self.paper, self.writer.run, self.clock, max_delay_ms=0)
        self.due: list[Mt] = []
        self.sender = Sender(self.batcher, self.clock, Random(1), due=self._due)
        self.sender.know({"alpha": 1})
        self.sender.serves([1])
        self._tasks = [asyncio.ensure_future(self.batcher.run())]

    async def _due(self, limit: int, wanted: Mapping[TrafficClass, Sequence[int]]) -> list[Mt]:
        taken, self.due = self.due[:limit], self.due[limit:]
        return taken

    async def flow(self) -> None:
        """Until nothing moves any more."""
        for _ in range(50):
            await asyncio.sleep(0)

    @property
    def states(self) -> list[MtState]:
        """What became of the MT, move by move."""
        return [move.new for move in self.paper.moves]


def an_mt(**values: Any) -> Mt:
    """A free reply that this process holds."""
    given: dict[str, Any] = {"id": 5 << 22, "link": "alpha-1", "link_id": 1, "operator_id": 1, "source": "4446"}
    given |= {"destination": "79001112233", "text": "hello", "parts": 1, "created_at": NOON, "reply_to": 7}
    given |= {"state": MtState.SUBMITTING, "valid_until": NOON + 86_400_000}
    return Mt(**given | values)


def run(story: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a story on a loop of its own; what it began ends with it."""

    async def whole() -> T:
        try:
            return await story()
        finally:
            me = asyncio.current_task()
            while tasks := asyncio.all_tasks() - {me}:
                # A caller that ends makes room for the next one.
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)

    with asyncio.Runner() as runner:
        return runner.run(whole())
