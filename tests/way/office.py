"""An office: the whole way in one process on a real SQLite, its doors made of values.

Office       the stations of traffic, a journal, a catalogue; `receives` an MO, `flow` until all is quiet
FakeLine     a link that accepts, or does as it is told; what was submitted
FakePartner  answers by a function of the callback; the callbacks that came

Rule: time is `clock`; nothing sleeps but the loop's own turns.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

import sqlalchemy as sa

from core.catalogue import Catalogue, Link, Operator
from core.clock import Instant
from core.ids import Ids
from core.ledger.audit import Finding
from core.message import Answer, Callback, Heard, Mt, Outcome, Receipt, ReceiptState, SubmitAnswer, SubmitOutcome
from core.sms.alphabet import GSM7, Coding, encode_gsm
from core.sms.parts import Piece
from fraud.counters import MemoryCounts
from plumbing.threads import InlineWriter
from store import processes, schema
from store.audit import audit
from store.database import Database
from store.journal import Journal
from store.outbox import Outbox, place_of_mo
from tests.makers import NOON, a_catalogue
from traffic.ports import Delivery
from traffic.settle import Book, Settler
from traffic.submit import ReplyPlace
from traffic.way import Pace, Way

T = TypeVar("T")


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


@dataclass
class Submitted:
    """One part that went out."""

    mt: Mt
    part: int


class FakeLine:
    """A line that does as `says` says: a function of the submission, accepted by default."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.submitted: list[Submitted] = []
        self.is_up = True
        self.says: Callable[[Submitted], SubmitAnswer] = self.accept
        self.free = 1000

    @property
    def link(self) -> Link:
        return self._link

    @property
    def is_open(self) -> bool:
        return self.is_up

    def room(self) -> int:
        return self.free

    def accept(self, submitted: Submitted) -> SubmitAnswer:
        return SubmitAnswer(SubmitOutcome.ACCEPTED, f"{len(self.submitted)}A")

    def write(self, mt: Mt, *, reference: int) -> Sequence[object]:
        return [Submitted(mt, part) for part in range(mt.parts)]

    def submit(self, operation: object) -> Awaitable[SubmitAnswer]:
        assert isinstance(operation, Submitted)
        self.submitted.append(operation)
        future: asyncio.Future[SubmitAnswer] = asyncio.get_running_loop().create_future()
        future.set_result(self.says(operation))
        return future


class FakePartner:
    """Answers callbacks by `answers`; "thank you" by default."""

    def __init__(self) -> None:
        self.called: list[Callback] = []
        self.answers: Callable[[Callback], Answer] = lambda callback: Answer(Outcome.ANSWERED, "thank you", status=200)

    async def deliver(self, callback: Callback) -> Answer:
        self.called.append(callback)
        return self.answers(callback)


@dataclass
class Heards:
    """What the operator heard, by the text it sent."""

    by_text: dict[str, list[Heard]] = field(default_factory=dict)


class Office:
    """All of it. Use inside `run(...)`; the database is migrated and belongs to the test."""

    def __init__(self, database: Database, catalogue: Catalogue | None = None, *, seed: int = 1) -> None:
        self.database = database
        self.catalogue = catalogue or a_catalogue()
        self.clock = HandClock()
        self.partner = FakePartner()
        self.lines = {link.name: FakeLine(link) for link in self.catalogue.links.values()}
        self.heard: list[tuple[str, Heard]] = []
        self.random = Random(seed)
        self.hears = True
        self.process = processes.register(database, roles="test", now=self.clock.now())
        self._begin()

    def _begin(self) -> None:
        pace = Pace(max_delay_ms=0)
        ids = Ids(self.process.slot, after=self.process.after)
        self.settler = Settler(
            Book.of(self.catalogue),
            MemoryCounts(),
            ids,
            self.clock,
            holds=lambda operator_id: self.way.sender.holds(operator_id),
            is_crowded=lambda partner_id: self.way.dispatcher.is_crowded(partner_id),
            probe=lambda: None,
        )
        self.journal = Journal(
            self.database,
            self.settler,
            process_id=self.process.id,
            ids=ids,
            clock=self.clock,
            lease_ms=pace.lease_ms,
        )
        self.writer = InlineWriter()
        self.outbox = Outbox(
            self.database, lambda: self.catalogue, self.clock, process_id=self.process.id, lease_ms=pace.lease_ms
        )
        methods = dict.fromkeys(("http_get", "http_post", "http_post_json"), self.partner.deliver)
        self.way = Way(
            journal=self.journal,
            run=self.writer.run,
            clock=self.clock,
            random=self.random,
            ids=ids,
            catalogue=lambda: self.catalogue,
            methods=methods,
            due_callbacks=self._due_callbacks,
            due_mts=self._due_mts,
            find_place=self._find_place,
            coding_of=lambda link, data_coding: GSM7,
            pace=pace,
        )
        operators = {code: operator.id for code, operator in self.catalogue.operators.items()}
        self.way.sender.know(operators)
        self.way.sender.serves(list(operators.values()))

    async def _due_callbacks(self, limit: int, crowded: Sequence[int]) -> list[Callback]:
        return self.outbox.callbacks(limit, crowded)

    async def _due_mts(self, limit: int, operator_ids: Sequence[int]) -> list[Mt]:
        return self.outbox.mts(limit, operator_ids)

    async def _find_place(self, mo_id: int, partner_id: int) -> ReplyPlace | None:
        found = place_of_mo(self.database, mo_id, partner_id)
        return ReplyPlace("alpha-1", *found) if found else None

    # --- what a test does ------------------------------------------------------------------------------

    def open(self) -> None:
        """Begin the stations and bind the lines."""
        self.way.start()
        for line in self.lines.values():
            self.way.line_opened(line)

    def receives(
        self,
        text: str = "GAME 7",
        *,
        source: str = "79001112233",
        short_code: str = "4446",
        link: str = "alpha-1",
        key: str = "",
        piece: Piece | None = None,
        coding: Coding = GSM7,
        octets: bytes | None = None,
    ) -> Delivery:
        """A deliver_sm comes in."""
        its_link = self.catalogue.links[link]
        operator: Operator = self.catalogue.operators[its_link.operator]
        octets = octets if octets is not None else encode_gsm(text) or text.encode("utf-16-be")
        place = f"{source}/{short_code}/{text}/{piece}"

        def answer(heard: Heard) -> bool:
            self.heard.append((text, heard))
            return self.hears

        delivery = Delivery(
            its_link, operator, source, short_code, octets, coding, 0, piece, hash(place), key, self.clock.now(),
            self.clock.monotonic_ms(), answer,
        )  # fmt: skip
        self.way.deliver(delivery)
        return delivery

    def receipt(self, key: str, state: ReceiptState = ReceiptState.DELIVERED, word: str = "DELIVRD") -> None:
        """A receipt comes in."""
        receipt = Receipt("alpha-1", 1, 1, (key,), state, word, "000", "79001112233", "4446", self.clock.now())
        self.way.receipt(receipt, lambda heard: True)

    async def flow(self, *, turns: int = 200) -> None:
        """Let everything run until nothing moves any more (the clock stands)."""
        still = 0
        for _ in range(turns):
            await asyncio.sleep(0)
            busy = self.way.batcher.waiting or self.way.dispatcher.running or self.writer.waiting
            still = 0 if busy else still + 1
            if still > 10:
                return

    async def fetch(self) -> None:
        """Look into the outbox now, as the polls do."""
        for job in await self._due_callbacks(100, ()):
            job.attempt += 1
            self.way.dispatcher._enqueue(job)
        for mt in await self._due_mts(100, list({o.id for o in self.catalogue.operators.values()})):
            self.way.sender.offer(mt)
        await self.flow()

    def audit(self) -> list[Finding]:
        """What the audit finds."""
        with self.database.read() as connection:
            return [finding for _, findings in audit(connection, self.catalogue) for finding in findings]

    def rows(self, table: type[schema.Base]) -> list[sa.Row[Any]]:
        """All rows of a table, by id."""
        with self.database.read() as connection:
            return list(connection.execute(sa.select(table.__table__).order_by(*table.__table__.primary_key)).all())


def run(story: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a story on a loop of its own."""
    with asyncio.Runner() as runner:
        return runner.run(story())
