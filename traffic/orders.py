"""Orders to messages: a person's word on MT, carried out by the process that holds them or has their link.

Orders       of one process
  counted    for /metrics, by kind
  line_opened, line_has_room   as for who sends; what people ordered goes before what is to be sent
KINDS        the kinds there are: traffic/cancelling.py, traffic/replacing.py
orders_of    what people want, from the store: found on a reader's thread, taken on the writer's

What was submitted is asked for over the link that it went by, and over no other: another centre of the operator may
have another message under that id. While that link is down or has no room the order waits for it, for a day at most,
and no such wait counts as asking. What is just being submitted is looked at again.

Rule: who wants it is written down before it is asked, so what is lost with the process is asked again. And each link
has its own few orders, one after the other: a slow one keeps nobody else waiting.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from structlog import get_logger

from core.clock import MINUTE_MS, SECOND_MS, Clock
from core.errors import StoreError
from core.message import WITH_CENTRE, MtState
from core.question import Finding, Found, Ordered
from plumbing.threads import Runs
from store.database import Database
from store.due_orders import LINK_MAX, LINK_WAIT_MS, Due, DueOrders, Taken
from store.journal import Fact, OrderFact, OrderHow
from traffic.asking import note_failure
from traffic.cancelling import Cancelling
from traffic.commit import Batcher
from traffic.order_kind import NO_LINK, Counted, OrderKind
from traffic.ports import Line, Obeys
from traffic.replacing import Replacing
from traffic.send import Sender

log = get_logger()

LOOK_S = 0.5
"""How often orders are looked for."""
ROOM_LOOK_S = 0.2
ROOM_S = 30.0
"""A part behind the first waits so long for room; then others of the link are tried, and later it again."""
FRESH_S = 5.0
"""So long after it was taken an order is asked for: nobody else can have it yet, however long this process slept."""
PAUSES_MS = (5 * SECOND_MS, 15 * SECOND_MS, MINUTE_MS, 5 * MINUTE_MS)
"""After no answer, or a temporary error."""
ASKED_MAX = len(PAUSES_MS) + 1
UNDER_WAY_MAX = 10_000
"""While so many orders are asked for, or written down, no others are looked for."""
KINDS: dict[str, type[OrderKind]] = {kind.name: kind for kind in (Cancelling, Replacing)}


class WantedOrders(Protocol):
    """What people want: store.due_orders, off the loop. Both raise StoreError."""

    def due(
        self, up: Collection[int], ready: Collection[int], under_way: Collection[int], /
    ) -> Awaitable[list[Due]]: ...

    def take(self, order_id: int, /) -> Awaitable[Taken | None]: ...


class _Place:
    """A line, and what waits for room on it."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.is_busy = False
        """Its orders are asked for, one after the other."""
        self._waiting: tuple[Ordered, asyncio.Future[Awaitable[Finding]]] | None = None
        self._end_s = 0.0

    def push(self) -> None:
        """Ask, if that may be now."""
        if self._waiting is None:
            return
        assert isinstance(self.line, Obeys)
        ordered, sent = self._waiting
        if asyncio.get_running_loop().time() >= self._end_s:
            return
        asked = self.line.order(ordered)
        if asked is not None:
            self._waiting = None
            sent.set_result(asked)

    async def ask(self, ordered: Ordered, end_s: float) -> Finding | None:
        """What its centre says; None: it was not asked, the link is down or has no room until then."""
        loop = asyncio.get_running_loop()
        sent: asyncio.Future[Awaitable[Finding]] = loop.create_future()
        self._waiting, self._end_s = (ordered, sent), end_s
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


class Orders:
    """Carries them out; everything here runs on the event loop. `spawn` runs a task."""

    def __init__(
        self,
        batcher: Batcher,
        sender: Sender,
        clock: Clock,
        *,
        wanted: WantedOrders,
        spawn: Callable[[Coroutine[None, None, None]], None],
    ) -> None:
        self._batcher = batcher
        self._sender = sender
        self._clock = clock
        self._wanted = wanted
        self._spawn = spawn
        self._kinds = {name: kind() for name, kind in KINDS.items()}
        self._places: dict[int, _Place] = {}
        """By link."""
        self._asking: set[int] = set()
        self._writing: dict[int, OrderKind] = {}
        """Orders: who asks for them has them, or the batcher."""
        self._unwritten: set[int] = set()
        """Orders of which the database has not what their centre said."""
        self._held: dict[int, bool] = {}
        """MT that wait nowhere any more, as far as that is not written down; and whether they may have gone before."""
        self._bell = asyncio.Event()

    @property
    def counted(self) -> Mapping[str, Counted]:
        """By kind."""
        return {name: kind.counted for name, kind in self._kinds.items()}

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
                note_failure(error, "orders to messages")

    async def _look(self) -> None:
        up = [link_id for link_id, place in self._places.items() if place.line.is_open]
        ready = [link_id for link_id in up if not self._places[link_id].is_busy]
        held: dict[int, list[Due]] = {}
        to_ask: dict[int, list[Due]] = {}
        for due in await self._wanted.due(up, ready, [*self._asking, *self._writing]):
            kind = self._kinds[due.kind]
            if due.state is MtState.SUBMITTING and kind.is_for_queued:
                held.setdefault(due.operator_id, []).append(due)
            elif due.state not in WITH_CENTRE:
                # It waits, or has its end: the journal says which.
                self._put(due, OrderHow.QUEUED)
            elif not due.has_id:
                self._put(due, OrderHow.NOT, sentence=kind.no_id)
            elif due.link_id in ready:
                to_ask.setdefault(due.link_id, []).append(due)
            elif due.link_id not in up and self._is_too_long(due):
                self._put(due, OrderHow.NOT, sentence=NO_LINK)
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
                self._put(due, OrderHow.HELD, maybe_twice=self._held[due.mt_id])

    def _is_too_long(self, due: Due) -> bool:
        return self._clock.now() - due.at >= LINK_WAIT_MS

    # --- at the operator ---------------------------------------------------------------------------------

    async def _ask_for_some(self, place: _Place, orders: Sequence[Due]) -> None:
        """One after the other, over the link that all of them went by."""
        try:
            able = []
            for due in orders:
                if why_not := self._kinds[due.kind].cannot(place.line):
                    self._put(due, OrderHow.NOT, sentence=why_not)
                else:
                    able.append(due)
            if able:
                await self._ask_for_those_taken(place, able)
            if len(orders) == LINK_MAX:
                self._bell.set()
        except Exception as error:
            # They stay due.
            note_failure(error, "orders to messages")
        finally:
            place.is_busy = False
            self._asking -= {due.order_id for due in orders}

    async def _ask_for_those_taken(self, place: _Place, orders: Sequence[Due]) -> None:
        loop = asyncio.get_running_loop()
        for due in orders:
            # One at a time: of what was taken the next process cannot know whether it was asked for.
            end_s = loop.time() + FRESH_S
            taken = await self._wanted.take(due.order_id)
            # The others of a link that is down or full wait for it as well.
            if taken is not None and not await self._ask_for(place, due, taken, end_s):
                return

    async def _ask_for(self, place: _Place, due: Due, taken: Taken, end_s: float) -> bool:
        """Every part that its centre has, the first until `end_s`; False: the link went down, or has no room."""
        kind = self._kinds[due.kind]
        if not taken.parts:
            # The journal says so if it has its end meanwhile.
            self._put(due, OrderHow.NOT, sentence=taken.sentence or kind.no_id)
            return True
        findings: list[Finding] = []
        for part in taken.parts:
            finding = await place.ask(part, asyncio.get_running_loop().time() + ROOM_S if findings else end_s)
            if finding is None:
                self._tell_cut_off(place.line, due, taken.parts, findings)
                return False
            findings.append(finding)
            kind.said(finding.found)
            if finding.found is Found.REFUSED:
                break
        is_open = any(finding.found is Found.LATER for finding in findings) and due.asked + 1 < ASKED_MAX
        self._tell(place.line, due, taken.parts, findings, is_open=is_open)
        return True

    def _tell_cut_off(self, line: Line, due: Due, parts: Sequence[Ordered], findings: Sequence[Finding]) -> None:
        """Something of it was not asked for; where that is all of it, it does not count."""
        is_open = not self._is_too_long(due)
        if findings:
            why = Finding(Found.LATER, f"link {line.link.name} went down, or had no room")
            # What was answered cannot go on for ever; what was not asked for at all is asked for.
            is_open &= due.asked + 1 < ASKED_MAX or all(one.found is not Found.LATER for one in findings)
            self._tell(line, due, parts, [*findings, why], is_open=is_open)
        elif is_open:
            sentence = f"link {line.link.name} went down, or has no room; its operator is asked when that is over"
            self._put(due, OrderHow.UNASKED, sentence=sentence, again_at=self._clock.now() + PAUSES_MS[0])
        else:
            self._put(due, OrderHow.NOT, sentence=NO_LINK)

    def _tell(
        self, line: Line, due: Due, parts: Sequence[Ordered], findings: Sequence[Finding], *, is_open: bool
    ) -> None:
        """Write down what was said."""
        kind = self._kinds[due.kind]
        told = list(zip(parts, findings, strict=False))
        done = {part.key for part, finding in told if finding.found is kind.yes}
        again_at = self._clock.now() + PAUSES_MS[min(due.asked, len(PAUSES_MS) - 1)] if is_open else None
        said = kind.sentences(line, [(part, finding) for part, finding in told if part.key not in done])
        self._put(
            due, OrderHow.ASKED, parts=[(part.part, part.key in done) for part in parts], again_at=again_at,
            sentence="; ".join([*said, *(["it is asked again"] if is_open else [])]),
            in_doubt=any(finding.in_doubt for _, finding in told),
        )  # fmt: skip

    def _put(self, due: Due, how: OrderHow, **more: Any) -> None:
        fact = OrderFact(due.order_id, due.mt_id, self._clock.now(), how, **more)
        fact.in_doubt |= due.order_id in self._unwritten
        self._writing[due.order_id] = self._kinds[due.kind]
        self._batcher.put(fact, self._written)

    def _written(self, fact: Fact, error: StoreError | None) -> None:
        assert isinstance(fact, OrderFact), fact
        kind = self._writing.pop(fact.order_id)
        if error is not None:
            self._unwritten.add(fact.order_id)
            log.error("what came of an order could not be written", message=fact.mt_id, error=str(error))
            return
        self._held.pop(fact.mt_id, None)
        self._unwritten.discard(fact.order_id)
        if fact.outcome:
            kind.over(fact.outcome)
            event = f"an order to {kind.name} a message is over"
            log.info(event, message=fact.mt_id, outcome=fact.outcome, result=fact.result)


def orders_of(database: Database, readers: Runs, writer: Runs, clock: Clock, process_id: int) -> WantedOrders:
    """Those of one process."""
    return _OffTheLoop(DueOrders(database, clock, process_id=process_id), readers, writer)


@dataclass(frozen=True, slots=True)
class _OffTheLoop:
    """Asked by the loop, answered by threads."""

    orders: DueOrders
    readers: Runs
    writer: Runs

    async def due(self, up: Collection[int], ready: Collection[int], under_way: Collection[int], /) -> list[Due]:
        return await self.readers.run(self.orders.due, up, ready, under_way)

    async def take(self, order_id: int, /) -> Taken | None:
        return await self.writer.run(self.orders.take, order_id)
