"""The processes of a world: each is the real way, links, journal and heartbeat, and dies as `kill -9` kills.

Host      a machine with a wall clock of its own
Place     what runs on a host, one process after the other, as a supervisor would start it again
Service   one incarnation: begun, stopped in good order, killed, frozen

Rule: nothing of the service is made up here but its two ends and its writer, which may be the last that it does.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.catalogue import Catalogue
from core.clock import DAY_MS
from core.errors import StoreError
from core.ids import Ids
from core.message import Callback, Mt, TrafficClass
from core.sms.alphabet import GSM7
from fraud.counters import MemoryCounts
from smsc_link.links import Links
from store import processes, recovery
from store.home import Home
from store.journal import Journal, MoFact
from store.outbox import Outbox, place_of_mo
from store.recovery import WaitingPart
from tests.simulation.faults import Crash, FaultyDatabase
from tests.simulation.loop import Life, VirtualClock
from tollbridge.watch import Heartbeat
from traffic.asking import questions_of
from traffic.janitor import Janitor
from traffic.orders import orders_of
from traffic.ports import Delivery
from traffic.settle import Book, Settler
from traffic.submit import ReplyPlace
from traffic.way import Pace, Way

if TYPE_CHECKING:
    from tests.simulation.world import World

PACE = Pace(max_delay_ms=1, timeout_s=10, parts_timeout_s=60)


@dataclass(slots=True)
class Host:
    """A machine."""

    name: str
    clock: VirtualClock


@dataclass(slots=True)
class Place:
    """Where a process runs, and its next incarnation after it."""

    name: str
    roles: tuple[str, ...]
    host: Host
    service: "Service | None" = None
    is_apart: bool = False
    """Its connection to the database is broken."""
    pids: list[int] = field(default_factory=list)


class _Database(FaultyDatabase):
    """The world's database, as one place reaches it."""

    def __init__(self, world: "World", place: Place) -> None:
        super().__init__(world.database.engine)
        self._world = world
        self._place = place
        self.next_fault = world.next_fault

    @property
    def is_away(self) -> bool:  # type: ignore[override]
        return self._world.is_away or self._place.is_apart


class _Way(Way):
    """Notes when each delivery was read."""

    read_ms: dict[int, int]

    def deliver(self, delivery: Delivery) -> None:
        self.read_ms[id(delivery)] = delivery.arrived_ms
        super().deliver(delivery)


class _Settler(Settler):
    """Tells the world what was accepted, and when it was read."""

    world: "World"
    read_ms: dict[int, int]

    def decide(self, facts: Sequence[MoFact]) -> Catalogue:
        for fact in facts:
            seen, now_ms = self.world.seen, self.world.clock.monotonic_ms()
            if fact.delivery is None:
                seen.joined.add(fact.mo.id)
                waited_ms = self._clock.now() - fact.mo.accepted_at
                # A process may be frozen in between; but where clocks jump, nobody waits for so long.
                most_ms = 10_000 if self.world.plans.jump else 120_000
                now_ms -= waited_ms if 0 <= waited_ms < most_ms else 0
            seen.accepted_ms[fact.mo.id] = self.read_ms.get(id(fact.delivery), now_ms)
        return super().decide(facts)


class Service:
    """One incarnation."""

    def __init__(self, world: "World", place: Place, pid: int) -> None:
        self.world = world
        self.place = place
        self.life = Life()
        self.dead = asyncio.Event()
        self.is_up = False
        space = f"{place.host.name}, {pid}" if world.plans.containers else place.host.name
        self._home = Home(place.host.name, space, pid, pid, is_gone=lambda pid, started: pid not in world.pids)
        self._clock = place.host.clock
        self._turn = asyncio.Lock()
        self._tasks: list[asyncio.Task[Any]] = []
        """Kept after its end, too: what the loop does not hold would be cleared away at any moment."""
        self._database = _Database(world, place)
        self.process_id = 0
        self.way: _Way
        self.links: Links

    def spawn(self, work: Any, name: str) -> "asyncio.Task[Any]":
        """Something that this process does."""
        task: asyncio.Task[Any] = self.world.loop.create_task(work, name=name, context=self.life.context())
        self._tasks.append(task)
        # Who asks it may have gone meanwhile.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return task

    def begin(self) -> None:
        """Start as the real service does, retrying while the database is away."""
        self.spawn(self._start(), f"{self.place.name} start")

    async def _start(self) -> None:
        roles = self.place.roles
        me = await self._patiently(
            lambda: processes.register(self._database, roles=",".join(roles), now=self._clock.now(), home=self._home)
        )
        self.process_id = me.id
        self._build(me)
        heartbeat = Heartbeat(
            me, self._database, self, self._clock, self.links, catalogue=lambda: self.world.catalogue,
            doubt_from=self.way.accept.doubts.since, on_due=self._due,
            on_parts=self._wait_for_parts if "links" in roles else None, on_death=self._die,
        )  # fmt: skip
        self.spawn(heartbeat.run(), f"{self.place.name} heartbeat")
        self.way.start(dispatch="dispatch" in roles, links="links" in roles)
        if "links" in roles:
            await heartbeat.is_clear.wait()
            now = self._clock.now()
            counted = await self._patiently(lambda: list(recovery.counted_messages(self._database, now - DAY_MS, now)))
            self.settler.restore(counted)
            await heartbeat.inherit()
            self.links.start(self.world.catalogue)
        janitor = Janitor(self.way.batcher, self._database, self, self, self._clock, ends_mts="links" in roles)
        self.spawn(janitor.run(), f"{self.place.name} janitor")
        self.is_up = True

    async def _patiently(self, function: Any) -> Any:
        while True:
            try:
                return await self.run(function)
            except StoreError:
                await asyncio.sleep(0.5)

    def _build(self, me: processes.Registered) -> None:
        world, clock, database = self.world, self._clock, self._database
        catalogue = world.catalogue
        ids = Ids(me.slot, after=me.after)
        self.settler = _Settler(
            Book.of(catalogue), MemoryCounts(), ids, clock,
            holds=lambda operator_id: self.way.sender.holds(operator_id),
            is_crowded=lambda partner_id: self.way.dispatcher.is_crowded(partner_id),
            probe=lambda: None,
        )  # fmt: skip
        self.settler.world, self.settler.read_ms = world, {}
        lease_ms = PACE.lease_ms
        journal = Journal(database, self.settler, process_id=me.id, ids=ids, clock=clock, lease_ms=lease_ms)
        self._outbox = Outbox(database, lambda: catalogue, clock, process_id=me.id, lease_ms=lease_ms)
        self.way = _Way(
            journal=journal, run=self.run, clock=clock, random=world.random, ids=ids,
            catalogue=lambda: catalogue,
            methods=dict.fromkeys(("http_get", "http_post", "http_post_json"), world.deliver),
            due_callbacks=self._due_callbacks, due_mts=self._due_mts,
            due_questions=questions_of(database, self, self, clock, me.id), find_place=self._find_place,
            coding_of=lambda link, data_coding: GSM7, pace=PACE,
            wanted_orders=orders_of(database, self, self, clock, me.id) if world.plans.orders else None,
        )  # fmt: skip
        self.way.read_ms = self.settler.read_ms
        operators = {code: operator.id for code, operator in catalogue.operators.items()}
        self.way.sender.know(operators)
        self.way.sender.serves(list(operators.values()) if "links" in self.place.roles else [])
        connect = world.network.connect_of(self.life)
        self.links = Links(intake=self.way, connect=connect, clock=clock, random=world.random)

    async def run(self, function: Any, *args: Any) -> Any:
        """The writer's thread, inline: a while later, in order, and perhaps the last thing that it does."""
        async with self._turn:
            await asyncio.sleep(self.world.random.choice((0.0, 0.001, 0.01)))
            try:
                return function(*args)
            except Crash:
                self.kill()
                self.world.later(self.world.died, self)
        return await asyncio.Event().wait()

    # --- what the stations ask ---------------------------------------------------------------------------

    async def _due_callbacks(self, limit: int, crowded: Sequence[int], rationed: Mapping[int, int]) -> list[Callback]:
        found: list[Callback] = await self.run(self._outbox.callbacks, limit, crowded, rationed)
        return found

    async def _due_mts(self, limit: int, wanted: Mapping[TrafficClass, Sequence[int]]) -> list[Mt]:
        found: list[Mt] = await self.run(self._outbox.mts, limit, wanted)
        return found

    async def _find_place(self, mo_id: int, partner_id: int) -> ReplyPlace | None:
        found = await self.run(place_of_mo, self._database, mo_id, partner_id)
        if found is None:
            return None
        names = {link.id: link.name for link in self.world.catalogue.links.values()}
        return ReplyPlace(names[found[0]], *found)

    def _due(self) -> None:
        self.world.seen.buried += 1
        self.way.dispatcher.ring()

    def _wait_for_parts(self, parts: list[WaitingPart]) -> None:
        catalogue = self.world.catalogue
        places = {link.id: (link, catalogue.operators[link.operator]) for link in catalogue.links.values()}
        self.way.accept.restore(parts, places)

    # --- ends --------------------------------------------------------------------------------------------

    def _die(self) -> None:
        """Another process took us for dead: this one ends at once, and its supervisor begins it again."""
        self.kill()
        self.world.later(self.world.died, self)

    def kill(self) -> None:
        """kill -9: every connection is cut, and not one line runs any more."""
        self.life.end()
        self.dead.set()
        self.world.pids.discard(self._home.pid)
        for pipe in self.world.network.of(self.life):
            pipe.sever()

    async def stop_or_die(self) -> None:
        """SIGTERM; a crash on the way ends it too."""
        stopping = self.spawn(self._stop(), f"{self.place.name} stop")
        dying = asyncio.create_task(self.dead.wait(), name="world-dead")
        await asyncio.wait({stopping, dying}, return_when=asyncio.FIRST_COMPLETED)
        dying.cancel()

    async def _stop(self) -> None:
        await self.links.stop(20)
        await self.way.dispatcher.stop(20)
        await self.way.stop(20)
        try:
            await self.run(processes.retire, self._database, self.process_id, self._clock.now())
        except StoreError:
            pass
        self.kill()
        self.world.later(self.world.stopped, self)
