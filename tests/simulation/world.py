"""The world of one seed: two operators, three partners, subscribers, and a service that may die at any commit.

World     begins the service, the centres and the traffic; faults for a while, then calm until all is quiet
Service   one incarnation of the process: the real way, links and journal; killed as `kill -9` kills

Rule: everything random comes from `Random(seed)`, all time from the virtual loop; the same seed is the same run.
"""

import asyncio
from collections.abc import Sequence
from random import Random
from typing import Any, TypeVar

import structlog

from core.clock import DAY_MS, Instant
from core.errors import StoreError
from core.ids import Ids
from core.message import Answer, Callback, Mt, Outcome
from core.sms.alphabet import GSM7
from fraud.counters import MemoryCounts
from plumbing.conversation import Address
from plumbing.pipe import Network, Wire
from sim.centre import PocketSmsc
from sim.quirks import Quirks
from smsc_link.links import Links
from store import processes, recovery
from store.journal import Journal
from store.outbox import Outbox
from tests.makers import NOON
from tests.simulation.faults import Crash, Fault, faulty_copy
from tests.simulation.loop import VirtualClock, VirtualLoop
from tests.simulation.plans import Plans, Seen, catalogue_of
from traffic.settle import Book, Settler
from traffic.submit import ReplyPlace
from traffic.way import Pace, Way

T = TypeVar("T")

FAULTY_S = 40.0
CALM_S = 1200.0
PACE = Pace(max_delay_ms=1, timeout_s=10, parts_timeout_s=60)


class World:
    """One run."""

    def __init__(self, seed: int, template: bytes) -> None:
        self.seed = seed
        self.random = Random(seed)
        random = self.random
        wild = random.random() < 0.85

        def chance(most: float) -> float:
            return random.choice([0.0, most * random.random()]) if wild else 0.0

        self.plans = Plans(
            crash=chance(0.06),
            away=chance(0.06),
            doubt=chance(0.05),
            cut=chance(0.5),
            partner_fails=random.choice([0.0, 0.2, 0.7]),
            messages=random.randrange(15, 60),
            long_share=random.choice([0.0, 0.3]),
            votes=random.randrange(0, 6),
        )
        self.loop = VirtualLoop()
        start = random.choice([NOON, NOON + random.randrange(30 * DAY_MS), 1_798_761_595_000])
        self.clock = VirtualClock(self.loop, start)
        self.database = faulty_copy(template)
        self.database.next_fault = self._next_fault
        self.catalogue = catalogue_of(random)
        wire = Wire(delay_s=self._delay_s, cut=self._cut_bytes)
        self.network = Network(wire)
        self.centres = [self._centre(2775 + place) for place in range(3)]
        self.seen = Seen()
        self.service: Service | None = None
        self.faulty = True
        self.log: list[str] = []

    # --- chance ----------------------------------------------------------------------------------------

    def _delay_s(self) -> float:
        return self.random.choice((0.001, 0.003, 0.02, 0.3 if self.faulty else 0.02))

    def _cut_bytes(self, octets: bytes) -> Sequence[bytes]:
        if len(octets) < 2 or self.random.random() < 0.7:
            return (octets,)
        place = self.random.randrange(1, len(octets))
        return octets[:place], octets[place:]

    def _next_fault(self) -> Fault:
        if not self.faulty:
            return Fault.NONE
        plans, throw = self.plans, self.random.random()
        if throw < plans.crash:
            return self.random.choice((Fault.CRASH_BEFORE, Fault.CRASH_AFTER))
        throw -= plans.crash
        if throw < plans.away:
            return Fault.AWAY
        throw -= plans.away
        if throw < plans.doubt:
            return self.random.choice((Fault.DOUBT_WRITTEN, Fault.DOUBT_LOST))
        return Fault.NONE

    def _centre(self, port: int) -> PocketSmsc:
        random = self.random
        quirks = Quirks(
            response_timeout_s=8.0,
            retry_s=random.choice([0.5, 2.0]),
            id_tlv=0x1400 if port == 2777 else 0,
            window=random.choice([1, 10, 50]),
            long_messages=random.choice(["udh8", "udh16", "sar", "payload"]),
            receipts=random.choice(["both", "text", "tlv"]),
            receipt_first=random.random() < 0.3,
            receipt_delay_s=random.choice([0.0, 0.5, 5.0]),
            delivered=random.choice([1.0, 0.8]),
            lose_answers=random.choice([0.0, 0.1]),
            throttle=random.choice([0.0, 0.3]),
        )
        centre = PocketSmsc(self.clock, random, quirks=quirks)
        self.network.listen(Address("127.0.0.1", port), centre.accept, self.clock)
        return centre

    # --- partners ----------------------------------------------------------------------------------------

    async def deliver(self, callback: Callback) -> Answer:
        """A partner: slow, failing, or well; its reply names the message."""
        self.seen.calls[callback.mo_id] += 1
        await asyncio.sleep(self.random.choice((0.001, 0.05, 1.0)))
        if self.faulty and self.random.random() < self.plans.partner_fails:
            return self.random.choice(
                (
                    Answer(Outcome.AGAIN, status=500, error="500"),
                    Answer(Outcome.AGAIN, error="timed out"),
                    Answer(Outcome.AGAIN, status=503, retry_after_s=3),
                )
            )
        if callback.partner == "core":
            return Answer(Outcome.REFUSED, status=404)
        long = "x" * 200 if callback.mo_id % 5 == 0 else ""
        return Answer(Outcome.ANSWERED, f"reply {callback.mo_id} {long}", status=200)

    # --- the run -----------------------------------------------------------------------------------------

    def run(self) -> None:
        """The whole run on the virtual loop."""
        asyncio.set_event_loop(self.loop)
        with structlog.testing.capture_logs() as lines:
            try:
                self.loop.run_until_complete(self.loop.create_task(self._run(), name="world"))
            finally:
                for task in sorted(asyncio.all_tasks(self.loop), key=lambda task: task.get_name()):
                    task.cancel()
                self.loop.run_until_complete(asyncio.sleep(0))
                self.loop.close()
                asyncio.set_event_loop(None)
                self.log = [str(line) for line in lines]

    async def _run(self) -> None:
        self._begin_service()
        chaos = asyncio.create_task(self._chaos(), name="world-chaos")
        await self._traffic()
        await asyncio.sleep(max(0.0, FAULTY_S - self.loop.time()))
        self.faulty = False
        await chaos
        self.database.is_away = False
        if self.service is None:
            self._begin_service()
        await self._calm()

    async def _traffic(self) -> None:
        """Subscribers write; most texts are unique, some are votes."""
        random = self.random
        for number in range(self.plans.messages):
            await asyncio.sleep(random.expovariate(self.plans.messages / 30))
            centre = random.choice(self.centres)
            source = f"7900000{random.choice((13, *range(20, 40))):04d}"
            word = random.choice(("GAME", "game", "CHAT", "HELLO"))
            long = " long" * 60 if random.random() < self.plans.long_share else ""
            code = "4446" if random.random() < 0.95 else "9999"
            centre.write(source, code, f"{word} n{number}{long}")
        for _ in range(self.plans.votes):
            await asyncio.sleep(random.random())
            self.centres[0].write("79000099999", "4446", "GAME vote")

    async def _chaos(self) -> None:
        """Cables are cut, the database goes away for a while, the service is stopped and begun."""
        random = self.random
        while self.faulty:
            await asyncio.sleep(random.uniform(0.5, 6.0))
            throw = random.random()
            if throw < self.plans.cut:
                for pipe in self.network.pipes:
                    if random.random() < 0.5:
                        self.seen.cuts += 1
                        pipe.sever()
            if throw < self.plans.away:
                self.seen.outages += 1
                self.database.is_away = True
                await asyncio.sleep(random.uniform(0.1, 5.0))
                self.database.is_away = False
            if throw < self.plans.crash / 2 and self.service is not None:
                self.seen.stops += 1
                await self.service.stop_or_die()

    async def _calm(self) -> None:
        """Until nothing is left to do, or CALM_S have passed: then the truth will say what is missing."""
        end = self.loop.time() + CALM_S
        quiet = 0
        while self.loop.time() < end and quiet < 3:
            await asyncio.sleep(5.0)
            quiet = quiet + 1 if self._is_quiet() else 0

    def _is_quiet(self) -> bool:
        if any(centre.waiting or any(not mo.is_acknowledged for mo in centre.mos) for centre in self.centres):
            return False
        with self.database.read() as connection:
            for question in (
                "SELECT 1 FROM callback WHERE due_at IS NOT NULL LIMIT 1",
                "SELECT 1 FROM mt WHERE state IN (0, 1, 2) LIMIT 1",
                "SELECT 1 FROM mo_part WHERE mo_id = 0 LIMIT 1",
            ):
                if connection.exec_driver_sql(question).first() is not None:
                    return False
        return True

    # --- the service's lives -------------------------------------------------------------------------------

    def _begin_service(self) -> None:
        self.service = Service(self)
        self.service.begin()

    def died(self, service: "Service") -> None:
        """A crash: the process is gone, another one begins a little later."""
        if service is not self.service:
            return
        self.seen.crashes += 1
        self.service = None
        service.kill()
        self.loop.call_later(self.random.uniform(0.2, 3.0), self._again)

    def _again(self) -> None:
        if self.service is None:
            self._begin_service()


class Service:
    """One incarnation."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.is_dead = False
        self.dead = asyncio.Event()
        self._turn = asyncio.Lock()
        self.tasks: set[asyncio.Task[Any]] = set()
        self.way: Way
        self.links: Links

    def begin(self) -> None:
        """Start as the real service does, retrying while the database is away."""
        self._spawn(self._start(), "service-start")

    async def _start(self) -> None:
        world = self.world
        while True:
            try:
                self._build()
                break
            except StoreError:
                await asyncio.sleep(0.5)
            except Crash:
                world.loop.call_soon(world.died, self)
                return
        self.way.start()
        self.links.start(world.catalogue)
        self._spawn(self._beat(), "service-beat")

    def _build(self) -> None:
        world = self.world
        clock, database, catalogue = world.clock, world.database, world.catalogue
        now = clock.now()
        me = processes.register(database, roles="all", now=now)
        self.process_id = me.id
        # The number of the process is always ours here, so every other one is gone.
        processes.bury_dead(database, self_id=me.id, now=now)
        ids = Ids(me.slot, after=me.after)
        self.settler = Settler(
            Book.of(catalogue),
            MemoryCounts(),
            ids,
            clock,
            holds=lambda operator_id: self.way.sender.holds(operator_id),
            is_crowded=lambda partner_id: self.way.dispatcher.is_crowded(partner_id),
            probe=lambda: None,
        )
        journal = Journal(database, self.settler, process_id=me.id, ids=ids, clock=clock, lease_ms=PACE.lease_ms)
        self.outbox = Outbox(database, lambda: catalogue, clock, process_id=me.id, lease_ms=PACE.lease_ms)
        self.way = Way(
            journal=journal,
            run=self._write,
            clock=clock,
            random=world.random,
            ids=ids,
            catalogue=lambda: catalogue,
            methods=dict.fromkeys(("http_get", "http_post", "http_post_json"), world.deliver),
            due_callbacks=self._due_callbacks,
            due_mts=self._due_mts,
            find_place=self._find_place,
            coding_of=lambda link, data_coding: GSM7,
            pace=PACE,
        )
        operators = {code: operator.id for code, operator in catalogue.operators.items()}
        self.way.sender.know(operators)
        self.way.sender.serves(list(operators.values()))
        self.settler.restore(recovery.counted_messages(database, now - DAY_MS))
        places = {link.id: (link, catalogue.operators[link.operator]) for link in catalogue.links.values()}
        self.way.accept.restore(recovery.waiting_parts(database, list(operators.values())), places)
        self.links = Links(intake=self.way, connect=world.network.connect, clock=clock, random=world.random)

    async def _write(self, function: Any, *args: Any) -> Any:
        """The writer's thread, inline: a while later, in order, and perhaps the last thing that it does."""
        if self.is_dead:
            await asyncio.Event().wait()
        async with self._turn:
            await asyncio.sleep(self.world.random.choice((0.0, 0.001, 0.01)))
            if self.is_dead:
                await asyncio.Event().wait()
            try:
                return function(*args)
            except Crash:
                self.is_dead = True
                self.world.loop.call_soon(self.world.died, self)
        return await asyncio.Event().wait()

    async def _due_callbacks(self, limit: int, crowded: Sequence[int]) -> list[Callback]:
        found: list[Callback] = await self._write(self.outbox.callbacks, limit, crowded)
        return found

    async def _due_mts(self, limit: int, operator_ids: Sequence[int]) -> list[Mt]:
        found: list[Mt] = await self._write(self.outbox.mts, limit, operator_ids)
        return found

    async def _find_place(self, mo_id: int, partner_id: int) -> ReplyPlace | None:
        return None

    def _now(self) -> Instant:
        return self.world.clock.now()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(2.0)
            try:
                await self._write(processes.beat, self.world.database, self.process_id, self._now())
            except StoreError:
                continue

    def kill(self) -> None:
        """kill -9: every connection is cut, every task ends, nothing is written any more."""
        self.is_dead = True
        self.dead.set()
        for pipe in self.world.network.pipes:
            pipe.sever()
        if hasattr(self, "way"):
            self.way.cancel()
        current = asyncio.current_task()
        for task in sorted(asyncio.all_tasks(), key=lambda task: task.get_name()):
            if task is not current and task.get_name().startswith(("service", "link ", "Task-")):
                task.cancel()

    async def stop_or_die(self) -> None:
        """SIGTERM; a crash on the way ends it too."""
        stopping = asyncio.create_task(self._stop(), name="world-stop")
        dying = asyncio.create_task(self.dead.wait(), name="world-dead")
        await asyncio.wait({stopping, dying}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        dying.cancel()

    async def _stop(self) -> None:
        """SIGTERM, then a new process."""
        world = self.world
        if world.service is not self or not hasattr(self, "links"):
            return
        await self.links.stop(20)
        await self.way.stop(20)
        if world.service is self and not self.is_dead:
            try:
                await self._write(processes.retire, world.database, self.process_id, self._now())
            except StoreError:
                pass
            if world.service is self:
                world.service = None
                self.kill()
                world._again()

    def _spawn(self, work: Any, name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
