"""MT that a person takes back: out of the queue, or at the operator.

Canceller     of one process
  counted       for /metrics
  line_opened, line_has_room   as for who sends; what is to be taken back goes before what is to be sent
cancels_of    what people want, from the store: found on a reader's thread, taken on the writer's

What waits, in the database or in this process, is not sent any more. What was submitted is asked for over the link that
it went by, part by part, and over no other: another centre of the operator may have another message under that id.
While that link is down or has no room the order waits for it, for a day at most, and no such wait counts as asking.
What is just being submitted is looked at again.

Where the centre gave several parts one id (UCP and CIMD2 name a message by the second), it is asked once for each, and
what it took back of one of them it took back of all.

The word of a person: store/cancellations.py. What becomes of the message and its money: store/journal/cancelled.py.

Rule: who wants it is written down before it is asked, so what is lost with the process is asked again. And each link
has its own few orders, one after the other: a slow one keeps nobody else waiting.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from structlog import get_logger

from core.clock import MINUTE_MS, SECOND_MS, Clock
from core.errors import StoreError
from core.message import WITH_CENTRE, MtState
from core.question import Finding, Found, Withdrawal
from plumbing.threads import Runs
from store.cancellations import LEASE_MS, LINK_MAX, LINK_WAIT_MS, Cancellations, Due, Taken
from store.database import Database
from store.journal import CancelFact, CancelHow, Fact
from store.journal.cancelled import DONE
from traffic.asking import note_failure
from traffic.commit import Batcher
from traffic.ports import Cancels, Line
from traffic.send import Sender

log = get_logger()

LOOK_S = 0.5
"""How often orders are looked for."""
ROOM_LOOK_S = 0.2
ROOM_S = 30.0
"""A withdrawal waits so long for room on its link; then others of the link are tried, and later it again."""
TAKEN_S = LEASE_MS / 1000 / 5
"""So long orders that were taken are asked for; the others of them are taken anew."""
PAUSES_MS = (5 * SECOND_MS, 15 * SECOND_MS, MINUTE_MS, 5 * MINUTE_MS)
"""After no answer, or a temporary error."""
ASKED_MAX = len(PAUSES_MS) + 1
UNDER_WAY_MAX = 10_000
"""While so many orders are asked for, or written down, no others are looked for."""
NO_ID = "the operator gave it no id, so it cannot be asked to cancel it"
NO_LINK = "its link was not up for a day, or had no room, so its operator was not asked; order it again when it is"


class WantedBack(Protocol):
    """What people want taken back: store.cancellations, off the loop. Both raise StoreError."""

    def due(
        self, up: Collection[int], ready: Collection[int], under_way: Collection[int], /
    ) -> Awaitable[list[Due]]: ...

    def take(self, order_ids: Sequence[int], /) -> Awaitable[Mapping[int, Taken]]: ...


@dataclass(slots=True)
class Counted:
    """What came of orders and of what was asked, part by part, for /metrics."""

    done: int = 0
    """Orders whose message is taken back."""
    failed: int = 0
    asked: int = 0
    taken_back: int = 0
    kept: int = 0
    unanswered: int = 0
    refused: int = 0

    def said(self, found: Found) -> None:
        """An answer, or none."""
        self.asked += 1
        self.taken_back += found is Found.CANCELLED
        self.unanswered += found is Found.LATER
        self.refused += found is Found.REFUSED
        self.kept += found not in (Found.CANCELLED, Found.LATER, Found.REFUSED)


class _Place:
    """A line, and what waits for room on it."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.is_busy = False
        """Its orders are asked for, one after the other."""
        self._waiting: tuple[Withdrawal, asyncio.Future[Awaitable[Finding]]] | None = None

    def push(self) -> None:
        """Ask, if that may be now."""
        if self._waiting is None:
            return
        assert isinstance(self.line, Cancels)
        withdrawal, sent = self._waiting
        asked = self.line.cancel(withdrawal)
        if asked is not None:
            self._waiting = None
            sent.set_result(asked)

    async def ask(self, withdrawal: Withdrawal) -> Finding | None:
        """What its centre says; None: it was not asked, the link is down or has no room."""
        loop = asyncio.get_running_loop()
        sent: asyncio.Future[Awaitable[Finding]] = loop.create_future()
        self._waiting = withdrawal, sent
        end_s = loop.time() + ROOM_S
        try:
            while not sent.done():
                if not self.line.is_open or loop.time() >= end_s:
                    return None
                self.push()
                if not sent.done():
                    await asyncio.wait([sent], timeout=ROOM_LOOK_S)
        finally:
            self._waiting = None
        return await sent.result()


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
        self.counted = Counted()
        self._places: dict[int, _Place] = {}
        """By link."""
        self._asking: set[int] = set()
        self._writing: set[int] = set()
        """Orders: who asks for them has them, or the batcher."""
        self._held: dict[int, bool] = {}
        """MT that wait nowhere any more, as far as that is not written down; and whether they may have gone before."""
        self._bell = asyncio.Event()

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
            try:
                await asyncio.wait_for(self._bell.wait(), LOOK_S)
            except TimeoutError:
                pass
            self._bell.clear()
            if self._batcher.away or len(self._asking) + len(self._writing) >= UNDER_WAY_MAX:
                continue
            try:
                await self._look()
            except Exception as error:
                note_failure(error, "cancelling")

    async def _look(self) -> None:
        up = [link_id for link_id, place in self._places.items() if place.line.is_open]
        ready = [link_id for link_id in up if not self._places[link_id].is_busy]
        held: dict[int, list[Due]] = {}
        to_ask: dict[int, list[Due]] = {}
        for due in await self._wanted.due(up, ready, [*self._asking, *self._writing]):
            if due.state is MtState.SUBMITTING:
                held.setdefault(due.operator_id, []).append(due)
            elif due.state not in WITH_CENTRE:
                # It waits, or has its end: the journal says which.
                self._put(due, CancelHow.QUEUED)
            elif not due.has_id:
                self._put(due, CancelHow.NOT, sentence=NO_ID)
            elif due.link_id in ready:
                to_ask.setdefault(due.link_id, []).append(due)
            elif due.link_id not in up and self._is_too_long(due):
                self._put(due, CancelHow.NOT, sentence=NO_LINK)
        for operator_id, orders in held.items():
            self._let_go(operator_id, orders)
        for link_id, orders in to_ask.items():
            place = self._places[link_id]
            place.is_busy = True
            self._asking |= {due.order_id for due in orders}
            self._spawn(self._ask_for_some(place, orders))

    def _let_go(self, operator_id: int, orders: Sequence[Due]) -> None:
        """What waits in this process; what is under way is looked at again."""
        wanted = {due.mt_id for due in orders} - self._held.keys()
        for mt in self._sender.withdraw(operator_id, wanted) if wanted else ():
            self._held[mt.id] = mt.maybe_twice
        for due in orders:
            if due.mt_id in self._held:
                self._put(due, CancelHow.HELD, maybe_twice=self._held[due.mt_id])

    def _is_too_long(self, due: Due) -> bool:
        return self._clock.now() - due.at >= LINK_WAIT_MS

    # --- at the operator ---------------------------------------------------------------------------------

    async def _ask_for_some(self, place: _Place, orders: Sequence[Due]) -> None:
        """One after the other, over the link that all of them went by."""
        try:
            if not isinstance(place.line, Cancels) or not place.line.cancels:
                for due in orders:
                    self._put(due, CancelHow.NOT, sentence=_cannot(place.line))
            else:
                await self._ask_for_those_taken(place, orders)
            if len(orders) == LINK_MAX:
                self._bell.set()
        except Exception as error:
            # They stay due.
            note_failure(error, "cancelling")
        finally:
            place.is_busy = False
            self._asking -= {due.order_id for due in orders}

    async def _ask_for_those_taken(self, place: _Place, orders: Sequence[Due]) -> None:
        loop = asyncio.get_running_loop()
        end_s = loop.time() + TAKEN_S
        taken = await self._wanted.take([due.order_id for due in orders])
        for due in orders:
            if due.order_id not in taken:
                continue
            # The others of a link that is down or full wait for it as well.
            if loop.time() >= end_s or not await self._ask_for(place, due, taken[due.order_id]):
                return

    async def _ask_for(self, place: _Place, due: Due, taken: Taken) -> bool:
        """Every part that its centre has; False: the link went down, or has no room."""
        if not taken.parts:
            # The journal says so if it has its end meanwhile.
            self._put(due, CancelHow.NOT, sentence=taken.sentence or NO_ID)
            return True
        findings: list[Finding] = []
        for part in taken.parts:
            finding = await place.ask(part)
            if finding is None:
                self._tell_cut_off(place.line, due, taken.parts, findings)
                return False
            findings.append(finding)
            self.counted.said(finding.found)
            if finding.found is Found.REFUSED:
                break
        is_open = any(finding.found is Found.LATER for finding in findings) and due.asked + 1 < ASKED_MAX
        self._tell(place.line, due, taken.parts, findings, is_open=is_open)
        return True

    def _tell_cut_off(self, line: Line, due: Due, parts: Sequence[Withdrawal], findings: Sequence[Finding]) -> None:
        """Something of it was not asked for; where that is all of it, it does not count."""
        is_open = not self._is_too_long(due)
        if findings:
            why = Finding(Found.LATER, f"link {line.link.name} went down, or had no room")
            self._tell(line, due, parts, [*findings, why], is_open=is_open)
        elif is_open:
            sentence = f"link {line.link.name} went down, or has no room; its operator is asked when that is over"
            self._put(due, CancelHow.UNASKED, sentence=sentence, again_at=self._clock.now() + PAUSES_MS[0])
        else:
            self._put(due, CancelHow.NOT, sentence=NO_LINK)

    def _tell(
        self, line: Line, due: Due, parts: Sequence[Withdrawal], findings: Sequence[Finding], *, is_open: bool
    ) -> None:
        """Write down what was said."""
        done = {part.key for part, finding in zip(parts, findings, strict=False) if finding.found is Found.CANCELLED}
        is_taken = [(part.part, part.key in done) for part in parts]
        others = [(part, finding) for part, finding in zip(parts, findings, strict=False) if part.key not in done]
        again_at = self._clock.now() + PAUSES_MS[min(due.asked, len(PAUSES_MS) - 1)] if is_open else None
        said = _sentences(line, others)
        if is_open:
            said.append("it is asked again")
        self._put(due, CancelHow.ASKED, parts=is_taken, sentence="; ".join(said), again_at=again_at)

    def _put(
        self,
        due: Due,
        how: CancelHow,
        *,
        parts: Sequence[tuple[int, bool]] = (),
        sentence: str = "",
        again_at: int | None = None,
        maybe_twice: bool = False,
    ) -> None:
        fact = CancelFact(due.order_id, due.mt_id, self._clock.now(), how, parts, sentence, again_at, maybe_twice)
        self._writing.add(due.order_id)
        self._batcher.put(fact, self._written)

    def _written(self, fact: Fact, error: StoreError | None) -> None:
        assert isinstance(fact, CancelFact), fact
        self._writing.discard(fact.order_id)
        if error is not None:
            log.error("what came of a cancellation could not be written", message=fact.mt_id, error=str(error))
            return
        self._held.pop(fact.mt_id, None)
        if fact.outcome:
            self.counted.done += fact.outcome == DONE
            self.counted.failed += fact.outcome != DONE
            log.info(
                "an order to cancel a message is over", message=fact.mt_id, outcome=fact.outcome, result=fact.result
            )


def cancels_of(database: Database, readers: Runs, writer: Runs, clock: Clock, process_id: int) -> WantedBack:
    """Those of one process."""
    return _OffTheLoop(Cancellations(database, clock, process_id=process_id), readers, writer)


@dataclass(frozen=True, slots=True)
class _OffTheLoop:
    """Asked by the loop, answered by threads."""

    cancellations: Cancellations
    readers: Runs
    writer: Runs

    async def due(self, up: Collection[int], ready: Collection[int], under_way: Collection[int], /) -> list[Due]:
        return await self.readers.run(self.cancellations.due, up, ready, under_way)

    async def take(self, order_ids: Sequence[int], /) -> Mapping[int, Taken]:
        return await self.writer.run(self.cancellations.take, order_ids)


def _cannot(line: Line) -> str:
    link = line.link
    if isinstance(line, Cancels):
        return f"link {link.name} only receives, so its operator cannot be asked over it"
    return f"link {link.name} speaks {link.protocol}, which has no way to take a message back"


def _sentences(line: Line, said: Sequence[tuple[Withdrawal, Finding]]) -> list[str]:
    """What was said, of which parts."""
    parts: dict[str, list[str]] = {}
    for part, finding in said:
        of_part = part.part and finding.found is not Found.REFUSED
        parts.setdefault(_sentence(line, finding), []).extend([str(part.part)] if of_part else [])
    return [
        f"part{'s' if len(its) > 1 else ''} {', '.join(its)}: {sentence}" if its else sentence
        for sentence, its in parts.items()
    ]


def _sentence(line: Line, finding: Finding) -> str:
    word = finding.word or finding.found.value
    if finding.found is Found.REFUSED:
        return f"the operator of {line.link.name} takes no messages back: {word}"
    return word if finding.found is Found.LATER else f"the operator keeps it: {word}"
