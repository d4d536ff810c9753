"""MT that a person takes back: out of the queue, or at the operator.

Canceller     of one process
  line_opened, line_has_room   as for who sends; what is to be taken back goes before what is to be sent
cancels_of    what people want, from the store: found on a reader's thread, taken on the writer's

What waits, in the database or in this process, is not sent any more. What was submitted is asked for over the link that
it went by, part by part, and over no other: another centre of the operator may have another message under that id.
While that link is down the order waits for it, for a day at most. What is just being submitted is looked at again.

Where the centre gave several parts one id (UCP and CIMD2 name a message by the second), it is asked once for each, and
what it took back of one of them it took back of all.

The word of a person: store/cancellations.py. What becomes of the message and its money: store/journal/cancelled.py.

Rule: who wants it, and that it was asked, is written down before it is asked. So what is lost with the process is asked
again.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from structlog import get_logger

from core.clock import MINUTE_MS, SECOND_MS, Clock
from core.errors import StoreError
from core.message import MtState
from core.question import Finding, Found, Withdrawal
from plumbing.threads import Runs
from store.cancellations import LINK_WAIT_MS, Cancellations, Due
from store.database import Database, is_conflict
from store.journal import CancelFact, CancelHow, Fact
from traffic.commit import Batcher
from traffic.ports import Cancels, Line
from traffic.send import Sender

log = get_logger()

LOOK_S = 0.5
"""How often orders are looked for."""
ROOM_LOOK_S = 0.2
ROOM_S = 30.0
"""A withdrawal waits so long for room on its link; then it is looked at again."""
PAUSES_MS = (5 * SECOND_MS, 15 * SECOND_MS, MINUTE_MS, 5 * MINUTE_MS)
"""After no answer, or a temporary error."""
ASKED_MAX = len(PAUSES_MS) + 1
NO_ID = "the operator gave it no id, so it cannot be asked to cancel it"
NO_LINK = "its link was not up for a day, so its operator was not asked; order it again when it is"


class WantedBack(Protocol):
    """What people want taken back: store.cancellations, off the loop. Both raise StoreError."""

    def due(self, link_ids: Collection[int], /) -> Awaitable[list[Due]]: ...

    def take(self, order_ids: Sequence[int], /) -> Awaitable[Mapping[int, list[Withdrawal]]]: ...


class _Place:
    """A line, and what is to be asked over it, in order."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.waiting: deque[tuple[Withdrawal, asyncio.Future[Finding]]] = deque()

    def push(self) -> None:
        """Ask the next one, if that may be now."""
        if not self.waiting:
            return
        assert isinstance(self.line, Cancels)
        asked = self.line.cancel(self.waiting[0][0])
        if asked is not None:
            _, told = self.waiting.popleft()
            asyncio.ensure_future(asked).add_done_callback(lambda said: self._heard(said, told))

    def _heard(self, said: "asyncio.Future[Finding]", told: "asyncio.Future[Finding]") -> None:
        if not (said.cancelled() or told.done()):
            told.set_result(said.result())
        self.push()

    async def ask(self, withdrawal: Withdrawal) -> Finding | None:
        """What its centre says; None: it was not asked, the link is down or has no room."""
        loop = asyncio.get_running_loop()
        told: asyncio.Future[Finding] = loop.create_future()
        one = withdrawal, told
        self.waiting.append(one)
        self.push()
        end = loop.time() + ROOM_S
        while not told.done():
            await asyncio.wait([told], timeout=ROOM_LOOK_S)
            if one in self.waiting:
                if not self.line.is_open or loop.time() >= end:
                    self.waiting.remove(one)
                    return None
                self.push()
        return told.result()


class Canceller:
    """Takes MT back; everything here runs on the event loop. `spawn` runs a task."""

    def __init__(
        self,
        batcher: Batcher,
        sender: Sender,
        clock: Clock,
        *,
        wanted: WantedBack,
        spawn: Callable[[Coroutine[None, None, None]], None],
    ) -> None:
        self._batcher = batcher
        self._sender = sender
        self._clock = clock
        self._wanted = wanted
        self._spawn = spawn
        self._places: dict[int, _Place] = {}
        """By link."""
        self._under_way: set[int] = set()
        """Orders."""
        self._held: set[int] = set()
        """Orders whose MT waits nowhere any more, as far as that is not written down."""

    def line_opened(self, line: Line) -> None:
        """A link is bound for sending."""
        known = self._places.get(line.link.id)
        if known is None or known.line is not line:
            self._places[line.link.id] = _Place(line)

    def line_has_room(self, line: Line) -> None:
        """Room appeared in a window that was full."""
        place = self._places.get(line.link.id)
        if place is not None and place.line is line:
            place.push()

    async def run(self) -> None:
        """Look for ever; cancel to end."""
        while True:
            await asyncio.sleep(LOOK_S)
            if self._batcher.away:
                continue
            try:
                await self._look()
            except Exception as error:
                _note(error)

    async def _look(self) -> None:
        up = [link_id for link_id, place in self._places.items() if place.line.is_open]
        before = set(self._under_way)
        found = [due for due in await self._wanted.due(up) if due.order_id not in before]
        to_ask: dict[int, list[Due]] = {}
        for due in found:
            if due.state not in (MtState.SUBMITTED, MtState.UNKNOWN):
                self._withdraw(due)
            elif due.link_id in up:
                to_ask.setdefault(due.link_id, []).append(due)
            elif self._clock.now() - due.at >= LINK_WAIT_MS:
                self._put(due, CancelHow.NOT, sentence=NO_LINK)
        for link_id, orders in to_ask.items():
            self._under_way |= {due.order_id for due in orders}
            self._spawn(self._ask_for_all(self._places[link_id], orders))

    def _withdraw(self, due: Due) -> None:
        """It waits, or has its end: the journal says which."""
        if due.state is not MtState.SUBMITTING:
            self._put(due, CancelHow.QUEUED)
        elif due.order_id in self._held or self._sender.withdraw(due.operator_id, due.mt_id):
            self._held.add(due.order_id)
            self._put(due, CancelHow.HELD)

    # --- at the operator ---------------------------------------------------------------------------------

    async def _ask_for_all(self, place: _Place, orders: Sequence[Due]) -> None:
        """One after the other, over the link that all of them went by."""
        try:
            if not isinstance(place.line, Cancels) or not place.line.cancels:
                for due in orders:
                    self._put(due, CancelHow.NOT, sentence=_cannot(place.line))
                return
            taken = await self._wanted.take([due.order_id for due in orders])
            for due in orders:
                if due.order_id in taken:
                    await self._ask_for(place, due, taken[due.order_id])
        except Exception as error:
            # They stay due.
            _note(error)
        finally:
            self._under_way -= {due.order_id for due in orders}

    async def _ask_for(self, place: _Place, due: Due, parts: Sequence[Withdrawal]) -> None:
        """Every part that its centre has."""
        if not parts:
            # The journal says so if it has its end meanwhile.
            self._put(due, CancelHow.NOT, sentence=NO_ID)
            return
        findings: list[Finding] = []
        for part in parts:
            finding = await place.ask(part)
            if finding is None:
                finding = Finding(Found.LATER, f"link {place.line.link.name} went down, or had no room")
            findings.append(finding)
            if finding.found is Found.REFUSED:
                break
        self._tell(place.line, due, parts, findings)

    def _tell(self, line: Line, due: Due, parts: Sequence[Withdrawal], findings: Sequence[Finding]) -> None:
        """Write down what was said."""
        done = {part.key for part, finding in zip(parts, findings, strict=False) if finding.found is Found.CANCELLED}
        is_taken = [(part.part, part.key in done) for part in parts]
        others = [(part, finding) for part, finding in zip(parts, findings, strict=False) if part.key not in done]
        is_open = any(finding.found is Found.LATER for _, finding in others) and due.asked + 1 < ASKED_MAX
        again_at = self._clock.now() + PAUSES_MS[min(due.asked, len(PAUSES_MS) - 1)] if is_open else None
        said = "; ".join(dict.fromkeys(_sentence(line, part, finding) for part, finding in others))
        if is_open:
            said += "; it is asked again"
        self._put(due, CancelHow.ASKED, parts=is_taken, sentence=said, again_at=again_at)

    def _put(
        self,
        due: Due,
        how: CancelHow,
        *,
        parts: Sequence[tuple[int, bool]] = (),
        sentence: str = "",
        again_at: int | None = None,
    ) -> None:
        fact = CancelFact(due.order_id, due.mt_id, self._clock.now(), how, parts, sentence, again_at)
        self._under_way.add(due.order_id)
        self._batcher.put(fact, self._written)

    def _written(self, fact: Fact, error: StoreError | None) -> None:
        assert isinstance(fact, CancelFact), fact
        self._under_way.discard(fact.order_id)
        if error is not None:
            log.error("what came of a cancellation could not be written", message=fact.mt_id, error=str(error))
            return
        self._held.discard(fact.order_id)
        if fact.outcome:
            log.info("cancelling a message", message=fact.mt_id, outcome=fact.outcome, result=fact.result)


def cancels_of(database: Database, readers: Runs, writer: Runs, clock: Clock, process_id: int) -> WantedBack:
    """Those of one process."""
    return _OffTheLoop(Cancellations(database, clock, process_id=process_id), readers, writer)


@dataclass(frozen=True, slots=True)
class _OffTheLoop:
    """Asked by the loop, answered by threads."""

    cancellations: Cancellations
    readers: Runs
    writer: Runs

    async def due(self, link_ids: Collection[int], /) -> list[Due]:
        return await self.readers.run(self.cancellations.due, link_ids)

    async def take(self, order_ids: Sequence[int], /) -> Mapping[int, list[Withdrawal]]:
        return await self.writer.run(self.cancellations.take, order_ids)


def _note(error: Exception) -> None:
    if isinstance(error, StoreError):
        log.debug("the database is away", error=str(error))
    elif is_conflict(error):
        log.debug("another transaction stood in the way of cancelling")
    else:
        log.error("cancelling failed; it is tried again", exc_info=error)


def _cannot(line: Line) -> str:
    link = line.link
    if isinstance(line, Cancels):
        return f"link {link.name} only receives, so its operator cannot be asked over it"
    return f"link {link.name} speaks {link.protocol}, which has no way to take a message back"


def _sentence(line: Line, part: Withdrawal, finding: Finding) -> str:
    of_part = f"part {part.part}: " if part.part else ""
    word = finding.word or finding.found.value
    if finding.found is Found.REFUSED:
        return f"the operator of {line.link.name} takes no messages back: {word}"
    return f"{of_part}{word}" if finding.found is Found.LATER else f"{of_part}the operator keeps it: {word}"
