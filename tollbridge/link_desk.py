"""Orders to the links of this process: looked for, carried out, answered (store/link_orders.py).

LinkDesk    open: links, with what is in force before; run: what comes later
orders_by   how the API gives orders; message_orders_by, those to messages

Each order is a task of its own: a link that takes its time holds up no other, and none holds up the looking.

Rule: an order is answered by what the link does, not by what it was told.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, TypeVar

from structlog import get_logger

from core.catalogue import Catalogue
from core.clock import SECOND_MS, Clock
from core.errors import StoreError
from core.question import CANCEL, REPLACE
from partner_api.http.ports import OrderLinks, OrderMessage
from plumbing.loop import spawn
from plumbing.threads import Runs
from smsc_link.keeping import Kept
from smsc_link.links import Links
from store import cancellations, replacements
from store import link_orders as orders
from store.database import Database
from store.link_orders import DISABLE, DONE, DRAIN, ENABLE, FAILED, RECONNECT, TRACE, Order
from store.messages import Reader
from store.mt_orders import Given
from tollbridge.link_traces import CannotTrace, Traces, Wanted, name_of
from traffic.rests import Rests

log = get_logger()
T = TypeVar("T")

LOOK_S = 0.4
"""How often orders are looked for: they reach the link within a second."""
LINK_LOOK_S = 0.05
LONGEST_S = 28.0
"""How long an order may take; who gave it waits for 30 s."""


class Answer(NamedTuple):
    """Outcome and sentence; the file that was made, if any."""

    outcome: str
    result: str
    path: str = ""


@dataclass
class LinkDesk:
    """The orders of one process."""

    process_id: int
    database: Database
    writer: Runs
    read: Callable[[Reader[Any]], Awaitable[Any]]
    clock: Clock
    catalogue: Callable[[], Catalogue]
    links: Links
    rests: Rests
    traces: Traces
    _under_way: dict[int, "asyncio.Task[None]"] = field(default_factory=dict)
    _drained: Collection[int] = ()

    async def open(self) -> "asyncio.Task[None]":
        """Begin to keep the links up, what is in force being so before; the task of `run`. Raises StoreAway."""
        await self.begin()
        self.links.start(self.catalogue())
        return spawn(self.run(), name="orders to links")

    async def begin(self) -> None:
        """What is in force holds. Raises StoreAway."""
        self._drained = await self.read(orders.read_drained)
        self.rests.hold(self._drained)

    async def run(self) -> None:
        """Look for orders, and carry them out, until cancelled."""
        try:
            while True:
                await asyncio.sleep(LOOK_S)
                try:
                    await self._look()
                except StoreError as error:
                    log.debug("orders cannot be read", error=str(error))
                except Exception:
                    log.exception("orders were not looked for")
        finally:
            for task in list(self._under_way.values()):
                task.cancel()

    async def _look(self) -> None:
        # As of before the question: one that ends while it is asked is told as open, and done.
        under_way = set(self._under_way)
        drained, found = await self.read(lambda one: (orders.read_drained(one), orders.read_open(one, self.process_id)))
        if drained != self._drained:
            self._drained = drained
            self.rests.hold(drained)
        new = [order for order in found if order.id not in under_way]
        if not new:
            return
        await self.writer.run(orders.take, self.database, [order.id for order in new], self.clock.now())
        for order in new:
            log.info("order to a link", link=order.link, order=order.kind, author=order.author)
            task = spawn(self._carry_out(order), name=f"{order.kind} link {order.link}")
            self._under_way[order.id] = task

    async def _carry_out(self, order: Order) -> None:
        try:
            await self._finish(order, await self._answer(order))
        finally:
            self._under_way.pop(order.id, None)

    async def _answer(self, order: Order) -> Answer:
        try:
            return await _WORK[order.kind](self, order)
        except CannotTrace as error:
            return Answer(FAILED, str(error))
        except Exception:
            log.exception("order to a link failed", link=order.link, order=order.kind)
            return Answer(FAILED, "a mistake of ours; it is in the log")

    async def _finish(self, order: Order, answer: Answer) -> None:
        """Until it is written: an order without an answer would be carried out again."""
        log.info("order to a link is done", link=order.link, order=order.kind, **answer._asdict())
        write = partial(orders.finish, self.database, order.id, answer.outcome, answer.result, path=answer.path)
        while True:
            try:
                return await self.writer.run(write, self.clock.now())
            except StoreError:
                await asyncio.sleep(LOOK_S)
            except Exception:
                log.exception("the answer to an order cannot be written", link=order.link, order=order.kind)
                await asyncio.sleep(LONGEST_S)

    # --- what is done -------------------------------------------------------------------------------------

    async def _enable(self, order: Order) -> Answer:
        began = self.clock.now()
        if not await self._until(lambda: self._is_wanted(order, enabled=True)):
            return Answer(FAILED, "somebody disabled it meanwhile, or its options are wrong; see the log")
        return await self._bound(order, began)

    async def _disable(self, order: Order) -> Answer:
        def is_down() -> bool:
            kept = self.links.named(order.link)
            return kept is None or (not kept.link.enabled and kept.state == "disabled")

        if not await self._until(lambda: self._is_wanted(order, enabled=False) and is_down()):
            return Answer(FAILED, "it is not down yet; see: tollbridge link list")
        return Answer(DONE, "unbound; it stays down until it is enabled")

    async def _drain(self, order: Order) -> Answer:
        kept = self.links.named(order.link)
        if kept is not None and not kept.link.enabled:
            return Answer(DONE, "it is disabled, and will be drained when it is enabled by `load`")
        if not await self.rests.quiet(order.link_id, LONGEST_S):
            left = self.rests.under_way(order.link_id)
            return Answer(FAILED, f"no new MT goes over it, but {left} that had begun are not done yet")
        if order.link_id not in self.rests.held:
            return Answer(FAILED, "somebody enabled it meanwhile")
        return Answer(DONE, "no MT goes over it, and none is in flight; MO and receipts still come")

    async def _reconnect(self, order: Order) -> Answer:
        kept = self.links.named(order.link)
        if kept is None:
            return Answer(FAILED, self.links.errors().get(order.link, "this process does not know it"))
        if not kept.link.enabled:
            return Answer(FAILED, "it is disabled; enable it")
        await self.links.reconnect(order.link)
        return await self._bound(order, self.clock.now())

    async def _trace(self, order: Order) -> Answer:
        kept = self.links.named(order.link)
        if kept is None or not kept.link.enabled:
            return Answer(FAILED, "it is disabled, or its options are wrong: there is nothing to trace")
        tell = partial(self._tell, order.id)
        name = name_of(order.link, order.id, self.clock.now())
        said, path = await self.traces.take(kept, Wanted.of(order.options), name, tell)
        return Answer(DONE, said, str(path))

    async def _tell(self, id_: int, sentence: str) -> bool:
        try:
            return await self.writer.run(orders.tell, self.database, id_, sentence)
        except StoreError:
            return True

    # --- what a link does ---------------------------------------------------------------------------------

    def _is_wanted(self, order: Order, *, enabled: bool) -> bool:
        """The catalogue of this process has it so."""
        link = self.catalogue().links.get(order.link)
        return link is not None and link.enabled == enabled

    async def _bound(self, order: Order, began: int) -> Answer:
        """Wait until it is bound, or it is known why it is not."""
        found = partial(self._became, order.link, began)
        await self._until(lambda: bool(found()))
        kept = self.links.named(order.link)
        why = f": {kept.last_error}" if kept is not None and kept.last_error else ""
        return found() or Answer(FAILED, f"not bound yet{why}; it goes on trying")

    def _became(self, name: str, began: int) -> Answer | None:
        kept: Kept | None = self.links.named(name)
        if kept is None:
            reason = self.links.errors().get(name)
            return None if reason is None else Answer(FAILED, reason)
        if kept.link.enabled and kept.bound_at:
            return Answer(DONE, "bound")
        if kept.last_error and kept.last_error_at >= began:
            return Answer(FAILED, f"not bound: {kept.last_error}; it goes on trying")
        return None

    async def _until(self, holds: Callable[[], bool]) -> bool:
        """Whether it came to hold within the time."""
        end_ms = self.clock.monotonic_ms() + int(LONGEST_S * SECOND_MS)
        while not holds():
            if self.clock.monotonic_ms() >= end_ms:
                return False
            await asyncio.sleep(LINK_LOOK_S)
        return True


_WORK: dict[str, Callable[[LinkDesk, Order], Awaitable[Answer]]] = {
    ENABLE: LinkDesk._enable,
    DISABLE: LinkDesk._disable,
    DRAIN: LinkDesk._drain,
    RECONNECT: LinkDesk._reconnect,
    TRACE: LinkDesk._trace,
}


def orders_by(database: Database, readers: Runs, clock: Clock) -> OrderLinks:
    """Not on the writer's thread: it may wait for somebody who loads a catalogue, and commits must not."""

    async def order(name: str, kind: str, author: str) -> list[int]:
        return await readers.run(partial(orders.give, database, [name], kind, author=author, now=clock.now()))

    return order


def message_orders_by(database: Database, readers: Runs, clock: Clock) -> OrderMessage:
    """Nor this: it waits for the lock of a message."""

    async def order(kind: str, mt_id: int, author: str, note: str, text: str) -> Given:
        word = {"author": author, "note": note, "now": clock.now()}
        return await readers.run(partial(_GIVE[kind], database, mt_id, text, **word))

    return order


def _give_cancel(database: Database, mt_id: int, text: str, **word: Any) -> Given:
    (given,) = cancellations.give(database, [mt_id], **word)
    return given


_GIVE: dict[str, Callable[..., Given]] = {CANCEL: _give_cancel, REPLACE: replacements.give}
