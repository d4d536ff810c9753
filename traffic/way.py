"""The stations joined: what a link hands in on one side, what partners and links are asked for on the other.

Way   traffic.ports.Intake; begun and stopped by the roof, and by the simulation, in the same way

Rule: no station makes another; they meet here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from structlog import get_logger

from core.catalogue import Catalogue, Link
from core.clock import Clock, Instant
from core.ids import Ids
from core.message import Callback, Heard, Mt, MtState, Receipt
from core.sms.alphabet import Coding
from traffic.accept import Accept
from traffic.asking import Asker, DueQuestions
from traffic.commit import Batcher, Run, Writes
from traffic.dispatch import LEASE_MARGIN_S, Dispatcher, Due
from traffic.fetch import DueMts
from traffic.orders import Orders, WantedOrders
from traffic.ports import Deliver, Delivery, Line
from traffic.queues import most_of_one
from traffic.send import Sender
from traffic.submit import VALID_MS, FindPlace, Replies, cut_to_fit

log = get_logger()

SWEEP_S = 1.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How much at once (interfaces.md, section 2: journal and dispatch)."""

    max_batch: int = 500
    max_delay_ms: int = 1
    backlog: int = 5000
    callbacks: int = 500
    timeout_s: float = 10
    parts_timeout_s: int = 3600

    @property
    def lease_ms(self) -> int:
        """How long a job that was handed out is ours (reliability.md, section 4)."""
        return int((self.timeout_s + LEASE_MARGIN_S) * 1000)


class Way:
    """The whole way of a message, from a link's delivery to its reply's receipt."""

    def __init__(
        self,
        *,
        journal: Writes,
        run: Run,
        clock: Clock,
        random: Random,
        ids: Ids,
        catalogue: Callable[[], Catalogue],
        methods: Mapping[str, Deliver],
        due_callbacks: Due,
        due_mts: DueMts,
        find_place: FindPlace,
        coding_of: Callable[[Link, int], Coding],
        pace: Pace,
        due_questions: DueQuestions,
        wanted_orders: WantedOrders | None = None,
        on_failed: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_failed` is called when a station ended unasked: nothing can go on without it."""
        self._clock = clock
        self._ids = ids
        self._catalogue = catalogue
        self._on_failed = on_failed
        self._most_of_one = most_of_one(pace.callbacks)
        self._tasks: set[asyncio.Task[None]] = set()
        self.batcher = Batcher(
            journal, run, clock, max_batch=pace.max_batch, max_delay_ms=pace.max_delay_ms, backlog=pace.backlog
        )
        self.sender = Sender(self.batcher, clock, random, due=due_mts)
        self.asker = Asker(self.batcher, clock, due=due_questions, spawn=self._spawn)
        self.orders = (
            None
            if wanted_orders is None
            else Orders(self.batcher, self.sender, clock, wanted=wanted_orders, spawn=self._spawn)
        )
        offer = self.sender.offer
        self.dispatcher = Dispatcher(
            methods, self.batcher, clock, random, due=due_callbacks, reply=self._reply_mt, on_reply=offer,
            concurrency_of=self._concurrency_of, spawn=self._spawn, total_max=pace.callbacks,
            timeout_s=pace.timeout_s,
        )  # fmt: skip
        self.accept = Accept(
            self.batcher, ids, clock, on_job=self.dispatcher.offer, on_reply=offer, coding_of=coding_of,
            parts_timeout_s=pace.parts_timeout_s,
        )  # fmt: skip
        self.replies = Replies(
            self.batcher, ids, clock, find_place=find_place, holds=self.sender.holds, on_reply=offer
        )  # fmt: skip

    # --- what links call (traffic.ports.Intake) --------------------------------------------------------

    def deliver(self, delivery: Delivery) -> None:
        """An MO."""
        self.accept.deliver(delivery)

    def receipt(self, receipt: Receipt, answer: Callable[[Heard], bool]) -> None:
        """A receipt."""
        self.accept.receipt(receipt, answer)

    def session_ended(self, link: Link, *, clean: bool, at: Instant) -> None:
        """A session is over."""
        self.accept.doubts.ended(link, clean=clean, at=at)
        self.sender.line_closed(link)

    def unheard(self, delivery: Delivery) -> None:
        """An answer did not leave."""
        self.accept.doubts.unheard(delivery)

    def alarm(self, link: Link, sentence: str) -> None:
        """An alert about a link."""
        self.batcher.alert("link", link.name, sentence)

    def line_opened(self, line: Line) -> None:
        """A link is bound for sending."""
        if self.orders is not None:
            self.orders.line_opened(line)
        self.sender.line_opened(line)
        operator = self._catalogue().operators.get(line.link.operator)
        if operator is not None:
            self.asker.line_opened(operator.id, line)

    def line_has_room(self, line: Line) -> None:
        """Room in a window."""
        if self.orders is not None:
            self.orders.line_has_room(line)
        self.sender.line_has_room(line)

    # --- life ------------------------------------------------------------------------------------------

    def start(self, *, dispatch: bool = True, links: bool = True) -> None:
        """Begin: commits always; calls to partners and sending as the roles say.

        What another role is to do waits as a row in the database: a job that is due, a queued MT.
        """
        self._station(self.batcher.run())
        if dispatch:
            self._station(self.dispatcher.poll())
        else:
            self.dispatcher.rest()
        if links:
            self._station(self.sender.fetcher.run())
            self._station(self._sweep())
            if self.orders is not None:
                self._station(self.orders.run())

    async def stop(self, timeout_s: float) -> None:
        """Make all that is on its way durable, however long that takes; wait so long for what is being submitted.

        Links are to be drained, and calls to partners ended (`dispatcher.stop`), before.
        """
        await self.batcher.drained()
        await self.sender.stop(timeout_s)
        self.batcher.stop()
        if not self.batcher.away:
            await self.batcher.drained()
        self.cancel()

    def cancel(self) -> None:
        """End every task at once, as a crash would; what is not committed is lost."""
        self.dispatcher.halt()
        self.sender.halt()
        for task in list(self._tasks):
            task.cancel()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            self.accept.sweep()
            self.sender.sweep()

    def _spawn(self, work: Awaitable[None]) -> None:
        assert isinstance(work, Coroutine)
        coroutine: Coroutine[Any, Any, None] = work
        task = asyncio.get_running_loop().create_task(coroutine)
        # The loop holds tasks weakly (stack.md, section 2).
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a station's task failed", error=repr(error), exc_info=error)

    def _station(self, work: Coroutine[Any, Any, None]) -> None:
        async def live() -> None:
            try:
                await work
            except Exception:
                self._on_failed()
                raise

        self._spawn(live())

    # --- small decisions that need the catalogue -------------------------------------------------------

    def _concurrency_of(self, login: str) -> int:
        partner = self._catalogue().partners.get(login)
        return min(partner.concurrency, self._most_of_one) if partner is not None else 1

    def _reply_mt(self, job: Callback, text: str, sender: str) -> Mt | None:
        """The MT of a partner's answer; None where nobody knows its operator."""
        operator = self._catalogue().operators.get(job.operator)
        if operator is None:
            log.error("a reply cannot be sent: its operator is gone", message=job.mo_id, operator=job.operator)
            return None
        now = self._clock.now()
        text, parts = cut_to_fit(text)
        held = self.sender.holds(operator.id)
        state = MtState.SUBMITTING if held else MtState.QUEUED
        return Mt(
            self._ids.next(now), job.link, job.link_id, operator.id, sender or job.short_code, job.source, text, parts,
            now, job.mo_id, job.partner_id, state, now + VALID_MS,
        )  # fmt: skip
