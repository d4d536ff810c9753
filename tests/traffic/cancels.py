"""Orders to messages at their desk: what people want, a sender that holds messages, lines that say what they should.

Office        Orders with a batcher that keeps what it is given; story_of tells what is written
Wanted        orders that are due once; Shelf, those that stay until something comes of them
PlainLine     a line that cannot; CancellingLine, one that can; SlowLine, one that takes its time

Rule: time is virtual, so nothing waits.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.catalogue import Link
from core.errors import StoreError
from core.message import Mt, MtState
from core.question import CANCEL, Finding, Found, Ordered, Withdrawal
from store.due_orders import LINK_MAX, Due, Taken
from store.journal import Fact, OrderFact
from tests.makers import NOON, a_link
from tests.smsc_link.virtual import VirtualClock, virtually
from traffic.orders import LOOK_S, Orders
from traffic.routes import Terms

OPERATOR = 7
TAKEN = Finding(Found.CANCELLED)
KEPT = Finding(Found.KEPT, "0x11 ESME_RCANCELFAIL: cancel failed")


@dataclass
class PlainLine:
    """A line whose protocol has no word for it."""

    link: Link = field(default_factory=lambda: replace(a_link(), protocol="http"))
    is_open: bool = True
    only_answers: bool = False
    is_slowed: bool = False
    terms: Terms = field(default_factory=lambda: Terms(1, 1, False))

    def awaits(self, mt: Mt) -> bool:
        return False

    def room(self) -> int:
        return 1

    def write(self, mt: object, *, reference: int) -> list[object]:
        return []

    def submit(self, operation: object) -> Any:
        raise NotImplementedError


@dataclass
class CancellingLine(PlainLine):
    """One that says what it is told to, one at a time; without room where it has none."""

    link: Link = field(default_factory=a_link)
    can: tuple[type[Ordered], ...] = (Withdrawal,)
    has_room: bool = True
    says: Callable[[Ordered], Finding] = lambda ordered: TAKEN
    asked: list[int] = field(default_factory=list)
    """Parts."""

    def obeys(self, order: type[Ordered]) -> bool:
        return order in self.can

    def order(self, ordered: Ordered) -> Awaitable[Finding] | None:
        if not self.has_room:
            return None
        self.asked.append(ordered.part)
        future: asyncio.Future[Finding] = asyncio.get_running_loop().create_future()
        future.set_result(self.says(ordered))
        return future


@dataclass
class Paper:
    """A batcher that keeps what it is given, and settles it."""

    away: bool = False
    facts: list[OrderFact] = field(default_factory=list)
    wrote: Callable[[OrderFact], None] = lambda fact: None
    errors: list[StoreError] = field(default_factory=list)
    """What keeps the next ones from being written."""

    def put(self, fact: Fact, settled: Callable[[Fact, StoreError | None], None]) -> None:
        assert isinstance(fact, OrderFact)
        self.facts.append(fact)
        error = self.errors.pop(0) if self.errors else None
        fact.outcome = "" if error else "done"
        self.wrote(fact)
        settled(fact, error)


class Holder:
    """A sender that lets go of what it holds."""

    def __init__(self, *held: Mt) -> None:
        self.held = {mt.id: mt for mt in held}
        self.asked: list[set[int]] = []

    def withdraw(self, operator_id: int, mt_ids: Collection[int]) -> list[Mt]:
        assert operator_id == OPERATOR
        self.asked.append(set(mt_ids))
        gone = [self.held.pop(mt_id) for mt_id in mt_ids if mt_id in self.held]
        return gone


class Wanted:
    """What people want, and what there is to ask for of each."""

    def __init__(self, *due: Due, parts: Mapping[int, Sequence[Ordered]] | None = None) -> None:
        self.all = list(due)
        self.parts = parts or {}
        self.up: list[list[int]] = []
        self.fails: list[Exception] = []
        self.cannot_take: list[Exception] = []

    async def due(self, up: Collection[int], ready: Collection[int], under_way: Collection[int], /) -> list[Due]:
        self.up.append(list(up))
        if self.fails:
            raise self.fails.pop(0)
        found, self.all = self.all, []
        return found

    async def take(self, order_id: int, /) -> Taken | None:
        if self.cannot_take:
            self.all = [a_due(order_id)]
            raise self.cannot_take.pop(0)
        return Taken(self.parts.get(order_id, ()))


class Shelf(Wanted):
    """Orders stay until something comes of them; of each link that is ready so many are due as in the store."""

    def __init__(self, *due: Due) -> None:
        super().__init__(*due)
        self.taken: list[int] = []

    async def due(self, up: Collection[int], ready: Collection[int], under_way: Collection[int], /) -> list[Due]:
        free = [due for due in self.all if due.order_id not in under_way]
        return [due for link in ready for due in [due for due in free if due.link_id == link][:LINK_MAX]]

    async def take(self, order_id: int, /) -> Taken | None:
        self.taken.append(order_id)
        return Taken([replace(a_part(), mt_id=100 + order_id)])

    def wrote(self, fact: OrderFact) -> None:
        self.all = [due for due in self.all if due.order_id != fact.order_id]


@dataclass
class SlowLine(CancellingLine):
    """One that takes its time; asked meanwhile it says «not now», and tells nobody when it can."""

    seconds: float = 3.0
    mt_ids: list[int] = field(default_factory=list)

    def order(self, ordered: Ordered) -> Awaitable[Finding] | None:
        asked = super().order(ordered)
        if asked is None:
            return None
        self.has_room = False
        self.mt_ids.append(ordered.mt_id)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Finding] = loop.create_future()
        loop.call_later(self.seconds, self._says, future)
        return future

    def _says(self, future: "asyncio.Future[Finding]") -> None:
        self.has_room = True
        future.set_result(TAKEN)


class Office:
    """Orders at work. To be made inside a story."""

    def __init__(self, wanted: Wanted, *lines: PlainLine, held: Sequence[Mt] = ()) -> None:
        self.paper, self.holder, self.clock = Paper(), Holder(*held), VirtualClock()
        self.tasks: list[asyncio.Task[None]] = []
        self.orders = Orders(self.paper, self.holder, self.clock, wanted=wanted, spawn=self._spawn)  # type: ignore[arg-type]
        for line in lines:
            self.orders.line_opened(line)
        self._spawn(self.orders.run())

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        self.tasks.append(asyncio.get_running_loop().create_task(work))

    async def looks(self, times: int = 1) -> list[OrderFact]:
        await asyncio.sleep(times * LOOK_S + 0.1)
        return self.paper.facts

    async def ends(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.wait(self.tasks)


def a_due(
    order: int = 1, state: MtState = MtState.SUBMITTED, *, asked: int = 0, at: int = NOON, link: int = 1, **more: Any
) -> Due:
    return Due(order, CANCEL, 100 + order, asked, at, state, OPERATOR, link, **more)


def a_part(part: int = 0, key: str = "") -> Withdrawal:
    return Withdrawal(101, part, OPERATOR, 1, key or f"k{part}", "4446", "79001112233", 0)


def story_of(wanted: Wanted, *lines: PlainLine, held: Sequence[Mt] = (), looks: int = 1) -> list[OrderFact]:
    """What is written of these."""
    found: list[OrderFact] = []

    async def story() -> None:
        office = Office(wanted, *lines, held=held)
        found.extend(await office.looks(looks))
        await office.ends()

    virtually(story())
    return found
