"""MT without a receipt are asked for, where their operator tells what became of them (core/question.py).

Asker         of one process
  line_opened a link is bound: if it may ask, its operator's questions are looked for
Counted       what came of it
questions_of  what there is to ask, from the store: found on a reader's thread, taken on the writer's
note_failure  a look that failed, in the log

One question of an operator is under way at a time, over the link that the MT went by where that is up, else over
another of the operator that may ask; at most as many in a minute as the link is told, and only where MT leave room.

What a centre says of an MT's end is a receipt like any other. What it says else is a line in the MT's history. A link
whose operator refuses questions is left alone for a day; one that learns nothing from many in a row, for an hour.

Rule: a question is written down before it is asked, with the time of the next one (store/questions.py). So nothing here
has to be durable: what is lost with the process is asked then.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

from structlog import get_logger

from core.clock import DAY_MS, HOUR_MS, MINUTE_MS, Clock
from core.errors import StoreError
from core.message import Receipt
from core.question import Finding, Found, Question
from plumbing.threads import Runs
from store.database import Database, is_conflict
from store.journal import AskedFact, Fact, ReceiptFact
from store.questions import Questions
from traffic.commit import Batcher
from traffic.ports import Asks, Line

log = get_logger()

LOOK_S = 15.0
"""How often an operator's questions are looked for, where there were none."""
TAKE_MAX = 50
"""MT that are taken at once: about a minute's work, since what is held may get its receipt meanwhile."""
ROOM_S = 1.0
ROOM_TRIES = 60
"""A question waits so long for MT to leave it room; then it is asked at its next time."""
FRUITLESS_MAX = 20
"""Questions in a row that told nothing, after which the link rests for an hour."""


class DueQuestions(Protocol):
    """What to ask an operator now, about so many MT at most: store.questions, off the loop. Raises StoreError."""

    def __call__(self, operator_id: int, limit: int, /) -> Awaitable[list[Question]]: ...


@dataclass(slots=True)
class Counted:
    """What came of questions, for /metrics."""

    asked: int = 0
    told: int = 0
    """They told how it ended."""
    on_its_way: int = 0
    not_known: int = 0
    unanswered: int = 0
    refused: int = 0


@dataclass(slots=True)
class _Place:
    """A line, and when it may ask again."""

    line: Asks
    next_ms: int = 0
    fruitless: int = 0


class Asker:
    """Asks over lines; everything here runs on the event loop. `spawn` runs a task."""

    def __init__(
        self,
        batcher: Batcher,
        clock: Clock,
        *,
        due: DueQuestions,
        spawn: Callable[[Coroutine[None, None, None]], None],
    ) -> None:
        self._batcher = batcher
        self._clock = clock
        self._due = due
        self._spawn = spawn
        self._places: dict[int, dict[int, _Place]] = {}
        """By operator and link."""
        self._busy: set[int] = set()
        """Operators whose questions are looked for."""
        self.counted = Counted()

    def line_opened(self, operator_id: int, line: Line) -> None:
        """A link is bound for sending."""
        if not isinstance(line, Asks) or not line.asks_per_minute:
            return
        places = self._places.setdefault(operator_id, {})
        known = places.get(line.link.id)
        if known is None or known.line is not line:
            # A link that was changed is another one: it may be told now what it was not before.
            places[line.link.id] = _Place(line)
        if operator_id not in self._busy:
            self._busy.add(operator_id)
            self._spawn(self._keep_asking(operator_id))

    async def _keep_asking(self, operator_id: int) -> None:
        """As long as a link of the operator that may ask is up."""
        places = self._places[operator_id]
        try:
            while any(place.line.is_open for place in places.values()):
                if not await self._ask_some(operator_id):
                    await asyncio.sleep(LOOK_S)
        finally:
            self._busy.discard(operator_id)

    async def _ask_some(self, operator_id: int) -> bool:
        """Look, and ask what is due; whether there was anything."""
        ready = [place for place in self._open(operator_id) if place.next_ms - self._clock.monotonic_ms() < MINUTE_MS]
        if not ready or self._batcher.away:
            return False
        limit = min(TAKE_MAX, max(place.line.asks_per_minute for place in ready))
        try:
            questions = await self._due(operator_id, limit)
        except Exception as error:
            note_failure(error, "questions")
            return False
        for _, parts in groupby(questions, key=lambda question: question.mt_id):
            if not await self._ask_for(list(parts)):
                break
        return bool(questions)

    async def _ask_for(self, parts: Sequence[Question]) -> bool:
        """Ask for an MT, part by part; False: nobody may ask any more."""
        findings: list[Finding] = []
        for question in parts:
            finding = await self._ask(question)
            if finding is None or finding.found is Found.REFUSED:
                break
            findings.append(finding)
        self._tell(parts, findings)
        return len(findings) == len(parts)

    async def _ask(self, question: Question) -> Finding | None:
        """Over the best link, when it has room; None: there is none, or MT need all the room."""
        for _ in range(ROOM_TRIES):
            place = self._choose(question)
            if place is None:
                return None
            wait_ms = place.next_ms - self._clock.monotonic_ms()
            if wait_ms > 0:
                await asyncio.sleep(wait_ms / 1000)
            asked = place.line.ask(question)
            if asked is None:
                await asyncio.sleep(ROOM_S)
                continue
            self.counted.asked += 1
            place.next_ms = self._clock.monotonic_ms() + MINUTE_MS // place.line.asks_per_minute
            finding = await asked
            self._learn(place, finding)
            if finding.found is Found.NOT_KNOWN and place.line.link.id != question.link_id:
                # Another centre of the operator need not know it.
                return Finding(Found.LATER, f"{finding.word}, by {place.line.link.name}")
            return finding
        return None

    def _open(self, operator_id: int) -> list[_Place]:
        return [place for place in self._places[operator_id].values() if place.line.is_open]

    def _choose(self, question: Question) -> _Place | None:
        """Its own link where that is up; of the others the one that may ask first. None: all of them rest."""
        soon_ms = self._clock.monotonic_ms() + MINUTE_MS
        ready = [place for place in self._open(question.operator_id) if place.next_ms <= soon_ms]
        return min(ready, key=lambda place: (place.line.link.id != question.link_id, place.next_ms), default=None)

    def _learn(self, place: _Place, finding: Finding) -> None:
        """What an answer says of the link, not of the MT."""
        counted, found = self.counted, finding.found
        name = place.line.link.name
        now_ms = self._clock.monotonic_ms()
        if found is Found.REFUSED:
            counted.refused += 1
            place.next_ms = now_ms + DAY_MS
            remedy = f"set asks = false for link {name}"
            log.warning("the operator refuses our questions", link=name, reason=finding.word, remedy=remedy)
            return
        counted.told += found.state is not None
        counted.on_its_way += found is Found.ON_ITS_WAY
        counted.not_known += found is Found.NOT_KNOWN
        counted.unanswered += found is Found.LATER
        place.fruitless = place.fruitless + 1 if found in (Found.NOT_KNOWN, Found.LATER) else 0
        if place.fruitless >= FRUITLESS_MAX:
            place.fruitless = 0
            place.next_ms = now_ms + HOUR_MS
            remedy = "see docs/operators.md, messages without a receipt; or set asks = false"
            log.warning("our questions tell us nothing", link=name, last=finding.word, remedy=remedy)

    def _tell(self, parts: Sequence[Question], findings: Sequence[Finding]) -> None:
        """Write down what was said: ends as receipts, the rest as a line of the MT's history."""
        now = self._clock.now()
        rest = []
        for question, finding in zip(parts, findings, strict=False):
            state = finding.found.state
            if state is None:
                of_part = f"part {question.part}: " if question.part else ""
                rest.append(f"{of_part}{finding.word or finding.found.value}")
                continue
            receipt = Receipt(
                "", question.link_id, question.operator_id, (question.key,), state, finding.word, finding.error,
                question.destination, question.source, now,
            )  # fmt: skip
            self._batcher.put(ReceiptFact(receipt, asked=question.mt_id), _written)
        if rest:
            is_last = len(findings) == len(parts) and all(finding.found.ends for finding in findings)
            self._batcher.put(AskedFact(parts[0].mt_id, "; ".join(rest), now, is_last), _written)


def questions_of(database: Database, readers: Runs, writer: Runs, clock: Clock, process_id: int) -> DueQuestions:
    """Those of one process."""
    questions = Questions(database, clock, process_id=process_id)

    async def due(operator_id: int, limit: int) -> list[Question]:
        found = await readers.run(questions.find, operator_id, limit)
        return await writer.run(questions.take, operator_id, found) if found else []

    return due


def note_failure(error: Exception, what: str) -> None:
    """A look failed, or what it began; there is another one soon."""
    if isinstance(error, StoreError):
        log.debug("the database is away", error=str(error))
    elif is_conflict(error):
        log.debug("another transaction stood in the way", of=what)
    else:
        log.error("it failed, and is tried again", what=what, exc_info=error)


def _written(fact: Fact, error: StoreError | None) -> None:
    if error is not None:
        log.error("what a centre told us could not be written", fact=type(fact).__name__, error=str(error))
