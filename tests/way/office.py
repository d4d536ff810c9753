"""An office: links, stations, journal and a partner, from bind to receipt, in memory and in virtual time.

Office    the world: a database, a message centre per link, a partner, a clock; `opens` a process, `quiet` until nothing
          is left to do; `at` does something, or lets something fail, in the commit of a kind of fact
Process   one process of the service with some of its roles: stopped, or gone at once as by a loss of power
Partner   answers by a function of the callback, and keeps what it was asked
story     runs an `async def` test under virtual time

Rule: only what stands outside of the service is made up here; all that is between the two ends is the real thing.
"""

import asyncio
import inspect
import tempfile
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial, wraps
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import sqlalchemy as sa

from core.catalogue import Catalogue, Link
from core.ids import Ids
from core.ledger.audit import Finding
from core.message import Answer, Callback, MtState, Outcome
from fraud.counters import MemoryCounts
from plumbing.conversation import Address
from plumbing.pipe import Network
from sim.centre import PocketSmsc
from sim.esme import Job
from sim.quirks import Quirks
from sim.records import SentMo
from sim.subscribers import Written
from smsc_link.adapters import Adapters
from smsc_link.link import OperatorLink
from smsc_link.links import Links
from store import processes, recovery, schema
from store.audit import audit
from store.home import Home
from store.journal import Fact, Journal
from store.life import MoLife, MtLife
from store.messages import read_partner_message
from store.outbox import Outbox, place_of_mo
from tests import services
from tests.makers import NOON, a_catalogue
from tests.simulation.faults import Crash, Fault, FaultyDatabase, faulty_copy, template_of
from tests.simulation.loop import VirtualClock, VirtualLoop
from traffic.asking import questions_of
from traffic.orders import orders_of
from traffic.settle import Book, Settler
from traffic.submit import Replied, ReplyPlace
from traffic.way import Pace, Way

T = TypeVar("T")
Story = Callable[[], Coroutine[Any, Any, None]]
ALL = ("links", "dispatch", "api")
ANNA = "79001112233"
BORIS = "79001112244"


def story(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """A test whose time is virtual: it waits for nothing, and an hour passes at once."""

    @wraps(test)
    def run(**fixtures: Any) -> None:
        _template()  # Django makes it, and refuses to where a loop runs.
        loop = VirtualLoop()
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(test(**fixtures))
        finally:
            while tasks := asyncio.all_tasks(loop):
                # A caller that ends makes room for the next one.
                for task in tasks:
                    task.cancel()
                loop.run_until_complete(asyncio.wait(tasks))
            loop.close()
            asyncio.set_event_loop(None)

    run.__signature__ = inspect.signature(test)  # type: ignore[attr-defined]
    return run


@cache
def _template() -> bytes:
    """A migrated database, as octets."""
    with tempfile.TemporaryDirectory() as folder:
        return template_of(services.fresh_sqlite(Path(folder)).removeprefix("sqlite:///"))


@dataclass
class Partner:
    """Answers by `answers`, "thank you" by default; hangs while `hangs` is set, or for the partner `hangs_for`."""

    called: list[Callback] = field(default_factory=list)
    answers: Callable[[Callback], Answer] = lambda callback: Answer(Outcome.ANSWERED, "thank you", status=200)
    hangs: bool = False
    hangs_for: str = ""
    timeout_s: float = 10
    takes_s: float = 0
    """How long it thinks before it answers."""

    async def deliver(self, callback: Callback) -> Answer:
        self.called.append(replace(callback))
        if self.hangs or callback.partner == self.hangs_for:
            await asyncio.sleep(self.timeout_s)
            return Answer(Outcome.AGAIN, error=f"no answer within {self.timeout_s:g} s")
        if self.takes_s:
            await asyncio.sleep(self.takes_s)
        return self.answers(callback)


class Office:
    """The world. To be made inside a story. `centre` makes what is no pocket SMSC."""

    def __init__(
        self,
        catalogue: Catalogue | None = None,
        *,
        quirks: Quirks | None = None,
        pace: Pace | None = None,
        database: FaultyDatabase | None = None,
        cancels: bool = False,
        centre: Callable[[Link, VirtualClock], Any] | None = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self.clock = VirtualClock(loop, NOON)
        self.database: FaultyDatabase = database or faulty_copy(_template())
        self.catalogue = catalogue or a_catalogue()
        self.partner = Partner()
        self.network = Network()
        self.pace, self.cancels = pace or Pace(max_delay_ms=0), cancels  # Looks twice in a second of virtual time.
        self.centres: dict[str, PocketSmsc] = {}
        known: dict[Address, PocketSmsc] = {}  # Links may be binds of one centre.
        manners = quirks or Quirks(retry_s=0.5)
        for link in self.catalogue.links.values():
            address = Address(link.host, link.port)
            made = known.get(address) or (centre(link, self.clock) if centre is not None else None)
            made = made or PocketSmsc(self.clock, Random(1), quirks=manners, protocol=link.protocol)
            self.network.listen(address, made.accept, self.clock)
            self.centres[link.name] = known[address] = made
        self._due: dict[type[Fact], Callable[[], Fault | None]] = {}
        self._references = 0
        self.living: list[bool] = []
        """Of every process that ever was, whether it runs."""
        self.processes: list[Process] = []

    @property
    def centre(self) -> PocketSmsc:
        """The first link's."""
        return next(iter(self.centres.values()))

    async def opens(self, *roles: str) -> "Process":
        """A process begins; with the role links, its links are bound when this returns."""
        process = Process(self, roles or ALL)
        self.processes.append(process)
        process.begin()
        if "links" in process.roles:
            await self.until(lambda: "connecting" not in process.links.states().values(), "every link bound")
        return process

    async def restarts(self, *roles: str) -> "Process":
        """What still runs dies, as by a loss of power; then a process begins."""
        for process in self.processes:
            if not process.is_dead:
                process.dies()
        return await self.opens(*roles)

    async def dies(self) -> None:
        """Until a fault has ended the process that is there."""
        await self.until(lambda: self.processes[-1].is_dead, "the end of the process")

    # --- subscribers ---------------------------------------------------------------------------------------

    def writes(self, text: str = "GAME 7", *, source: str = ANNA, to: str = "4446", link: str = "") -> SentMo:
        """A subscriber writes."""
        return (self.centres[link] if link else self.centre).write(source, to, text)

    def writes_pdus(self, *pdus: Any) -> SentMo:
        """What no text of ours says: the centre delivers these."""
        mo = SentMo(0, ANNA, "4446", "", len(pdus))
        self.centre.mos.append(mo)
        self.centre._queue.extend(Job(pdu, mo) for pdu in pdus)
        self.centre.stirred()
        return mo

    def writes_parts(self, text: str, order: Sequence[int], *, source: str = ANNA, way: str = "udh8") -> SentMo:
        """A long text whose parts come in this order: some twice, some never. Acknowledged when all of `order` are."""
        self._references += 1
        written, quirks, now = Written(source, "4446", text), Quirks(long_messages=way), self.clock.now()
        parts = self.centre.tongue.parts(written, quirks, number=0, reference=self._references, now=now)
        return self.writes_pdus(*(replace(parts[number - 1]) for number in order))

    # --- faults --------------------------------------------------------------------------------------------

    def at(self, kind: type[Fact], happens: Fault | Callable[[], None]) -> None:
        """In the next commit that has a fact of this kind: a fault of the database's, or something of the world's."""

        self._due[kind] = lambda: happens if isinstance(happens, Fault) else happens()

    def fault_of(self, facts: Sequence[Fact]) -> Fault:
        """What is to happen in this commit; once."""
        found = Fault.NONE
        for kind in [kind for kind in self._due if any(isinstance(fact, kind) for fact in facts)]:
            found = self._due.pop(kind)() or found
        return found

    def cuts_cables(self) -> None:
        """Every link loses its connection; what is under way is lost."""
        for pipe in self.network.pipes:
            pipe.sever()

    # --- time ----------------------------------------------------------------------------------------------

    async def passes(self, seconds: float) -> None:
        """Time passes."""
        await asyncio.sleep(seconds)

    def jumps(self, ms: int) -> None:
        """A long time passes at once; links notice nothing of it."""
        self.clock.set_back(-ms)

    async def until(self, holds: Callable[[], bool], what: str, within_s: float = 60) -> None:
        """Wait for something. Raises an AssertionError that says what did not come."""
        end = asyncio.get_running_loop().time() + within_s
        while not holds():
            assert asyncio.get_running_loop().time() < end, f"not within {within_s:g} s: {what}"
            await asyncio.sleep(0.02)

    async def quiet(self, within_s: float = 120) -> None:
        """Until everything is acknowledged, called, answered, sent and receipted."""
        await self.until(self._is_quiet, f"quiet; left is {self._left()}", within_s)
        await asyncio.sleep(0.1)

    def _is_quiet(self) -> bool:
        centres = self.centres.values()
        if any(centre.waiting or any(not (m.is_acknowledged or m.refused) for m in centre.mos) for centre in centres):
            return False
        return self._left() == (0, 0)

    def _left(self) -> tuple[int, int]:
        """Jobs that are to be done, MT without an end."""
        with self.database.read() as connection:
            jobs = connection.exec_driver_sql("SELECT COUNT(*) FROM callback WHERE due_at IS NOT NULL").scalar_one()
            mts = connection.exec_driver_sql("SELECT COUNT(*) FROM mt WHERE state IN (0, 1, 2)").scalar_one()
        return jobs, mts

    # --- what is seen --------------------------------------------------------------------------------------

    def rows(self, table: type[schema.Base]) -> list[sa.Row[Any]]:
        """All rows of a table, by id."""
        with self.database.read() as connection:
            return list(connection.execute(sa.select(table.__table__).order_by(*table.__table__.primary_key)).all())

    def postings(self) -> list[tuple[str, str, int]]:
        """(debit, credit, amount in micros), sorted."""
        names = {row.id: row.address for row in self.rows(schema.Account)}
        return sorted((names[row.debit_id], names[row.credit_id], row.amount) for row in self.rows(schema.Posting))

    def texts(self, link: str = "") -> list[str]:
        """What subscribers got, part by part."""
        return [mt.text for mt in (self.centres[link] if link else self.centre).mts if mt.status in (0, None)]

    def states(self) -> list[MtState]:
        """Of all MT, by id."""
        return [MtState(row.state) for row in self.rows(schema.Mt)]

    def seen_by_partner(self, message_id: int, partner: str = "acme") -> MoLife | MtLife | None:
        """What GET /v1/messages/{id} reads."""
        partner_id = self.catalogue.partners[partner].id
        with self.database.read() as connection:
            return read_partner_message(connection, partner_id, message_id)

    def audit(self) -> list[Finding]:
        """What `tollbridge check` finds."""
        with self.database.read() as connection:
            return [finding for _, findings in audit(connection, self.catalogue) for finding in findings]


class Process:
    """One process of the service. What it may not do any more when it is dead, it does not."""

    def __init__(self, office: Office, roles: Sequence[str]) -> None:
        self.office = office
        self.roles = tuple(roles)
        self.is_dead = False
        self.failed = asyncio.Event()
        """A station ended unasked."""
        self.calls = 0
        self._turn = asyncio.Lock()
        clock, database = office.clock, office.database
        pid = len(office.living) + 1
        office.living.append(True)
        home = Home("office", "office", pid, pid, is_gone=lambda pid, started: not office.living[pid - 1])
        me = processes.register(database, roles=",".join(roles), now=clock.now(), home=home)
        self.id = me.id
        self.neighbours = processes.Neighbours(database, me)
        ids = Ids(me.slot, after=me.after)
        adapters = Adapters(lambda: office.catalogue)
        self.settler = Settler(
            Book.of(office.catalogue), MemoryCounts(), ids, clock,
            holds=lambda operator_id: self.way.sender.holds(operator_id),
            is_crowded=lambda partner_id: self.way.dispatcher.is_crowded(partner_id),
            probe=lambda: None,
        )  # fmt: skip
        lease_ms, asked = office.pace.lease_ms, (database, self, self, clock, me.id)
        self.journal = Journal(database, self.settler, process_id=me.id, ids=ids, clock=clock, lease_ms=lease_ms)
        outbox = Outbox(database, lambda: office.catalogue, clock, process_id=me.id, lease_ms=lease_ms)
        self.way = Way(
            journal=self.journal, run=self.run, clock=clock, random=Random(1), catalogue=lambda: office.catalogue,
            ids=ids, methods=dict.fromkeys(("http_get", "http_post", "http_post_json"), self._call),
            due_mts=partial(self.run, outbox.mts), due_callbacks=partial(self.run, outbox.callbacks),
            due_questions=questions_of(*asked), wanted_orders=orders_of(*asked) if office.cancels else None,
            find_place=self._find_place, coding_of=adapters.coding_of, pace=office.pace, on_failed=self.failed.set,
        )  # fmt: skip
        self.links = Links(intake=self.way, connect=office.network.connect, clock=clock, random=Random(2))
        self._serve()

    def _serve(self) -> None:
        operators = {code: operator.id for code, operator in self.office.catalogue.operators.items()}
        self.way.sender.know(operators)
        self.way.sender.serves(list(operators.values()) if "links" in self.roles else [])

    def begin(self) -> None:
        """Open its doors; what an earlier process left is taken up."""
        office = self.office
        self.buries_the_dead()
        if "links" in self.roles:
            catalogue = office.catalogue
            places = {link.id: (link, catalogue.operators[link.operator]) for link in catalogue.links.values()}
            self.way.accept.restore(recovery.take_parts(office.database, self.id), places)
            self.links.start(catalogue)
        self.way.start(dispatch="dispatch" in self.roles, links="links" in self.roles)

    async def takes(self, catalogue: Catalogue) -> None:
        """A new catalogue, while everything goes on."""
        self.office.catalogue = catalogue
        self.settler.book = Book.of(catalogue)
        self._serve()
        await self.links.apply(catalogue)

    async def replies(self, mo_id: int, text: str, partner: str = "acme") -> Replied:
        """POST /v1/messages/{id}/reply."""
        return await self.way.replies.reply(self.office.catalogue.partners[partner], mo_id, text)

    async def stops(self) -> None:
        """SIGTERM."""
        await self.links.stop(20)
        await self.way.dispatcher.stop(20)
        await self.way.stop(20)
        await self.run(processes.retire, self.office.database, self.id, self.office.clock.now())
        self.is_dead = True

    def dies(self) -> None:
        """The power is gone: nothing is written any more, and every connection ends."""
        self.is_dead = True
        self.office.living[self.neighbours._me.home.pid - 1] = False
        self.way.cancel()
        if "links" in self.roles:
            self.office.cuts_cables()
        for link in self.links.all():
            assert isinstance(link, OperatorLink)
            if link._task is not None:
                link._task.cancel()

    def buries_the_dead(self) -> list[int]:
        """What every process does at its start and with its heartbeats."""
        return self.neighbours.look(self.office.clock.now(), self.office.clock.monotonic_ms())

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        """The writer's thread: one after the other, and perhaps the last thing that it does."""
        async with self._turn:
            await asyncio.sleep(0)
            if self.is_dead:
                await asyncio.Event().wait()
            database = self.office.database
            fault = self.office.fault_of(args[0]) if function == self.journal.write else Fault.NONE
            database.next_fault = lambda: fault
            try:
                return function(*args)
            except Crash:
                asyncio.get_running_loop().call_soon(self.dies)
            finally:
                database.next_fault = lambda: Fault.NONE
            await asyncio.Event().wait()
        raise AssertionError("unreachable")

    def _call(self, callback: Callback) -> Awaitable[Answer]:
        self.calls += 1
        return self.office.partner.deliver(callback)

    async def _find_place(self, mo_id: int, partner_id: int) -> ReplyPlace | None:
        found = place_of_mo(self.office.database, mo_id, partner_id)
        if found is None:
            return None
        names = {link.id: link.name for link in self.office.catalogue.links.values()}
        return ReplyPlace(names[found[0]], *found)
