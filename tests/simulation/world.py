"""The world of one seed: two operators, three partners, subscribers, one or two processes that may die at any commit.

World   begins the processes, the centres and the traffic; faults for a while, then calm until all is quiet

What goes wrong: commits fail or are the last thing that a process does; cables are cut, the database goes away, for
all or for one; processes are stopped, killed, frozen; wall clocks jump. And people want messages back, or changed.

Rule: everything random comes from `Random(seed)`, all time from the virtual loop; the same seed is the same run.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextvars import copy_context
from random import Random
from typing import Any

import structlog

from core.clock import DAY_MS, MINUTE_MS
from core.message import Answer, Callback, Outcome
from plumbing.conversation import Address
from plumbing.pipe import Wire
from sim.centre import PocketSmsc
from sim.quirks import Quirks
from store import cancellations, replacements
from tests.simulation.faults import Fault, faulty_copy
from tests.simulation.loop import VirtualClock, VirtualLoop
from tests.simulation.network import LivingNetwork
from tests.simulation.plans import CLOCKS_AGREE_MS, JUMPS_MS, LAYOUTS, Seen, catalogue_of, orders_of, plans_of, start_of
from tests.simulation.service import Host, Place, Service
from traffic.submit import ReplyOutcome

FAULTY_S = 40.0
CALM_S = 2400.0


class World:
    """One run."""

    def __init__(self, seed: int, template: bytes, *, calm_s: float = CALM_S) -> None:
        """In the end all must be quiet within `calm_s`."""
        self.seed = seed
        self._calm_s = calm_s
        random = self.random = Random(seed)
        self.plans = plans_of(random)
        self._people = Random(f"people of {seed}")
        self.plans.orders = orders_of(self._people)
        self.loop = VirtualLoop()
        self._outside = copy_context()
        start = start_of(random)
        self.clock = VirtualClock(self.loop, start)
        self.database = faulty_copy(template)
        self.is_away = False
        self.catalogue = catalogue_of(random, numbered=self.plans.layout == "pair")
        self.network = LivingNetwork(Wire(delay_s=self._delay_s, cut=self._cut_bytes))
        self.centres = [self._centre(2775 + place) for place in range(3)]
        self.seen = Seen()
        self.faulty = True
        self.log: list[str] = []
        self.failures: list[str] = []
        self.pids: set[int] = set()
        """Of the processes that run."""
        self.lives: list[Service] = []
        """Every process that ever was."""
        self._tasks: set[asyncio.Task[Any]] = set()
        one = Host("host-1", VirtualClock(self.loop, start))
        roles = LAYOUTS[self.plans.layout]
        hosts = [
            one if self.plans.one_host else Host(f"host-{n + 1}", self._clock_near(start)) for n in range(len(roles))
        ]
        self.places = [Place(f"place-{n + 1}", roles[n], hosts[n]) for n in range(len(roles))]

    # --- chance ----------------------------------------------------------------------------------------

    def _clock_near(self, start: int) -> VirtualClock:
        """Clocks of hosts agree within seconds."""
        return VirtualClock(self.loop, start + self.random.randrange(-CLOCKS_AGREE_MS, CLOCKS_AGREE_MS))

    def _delay_s(self) -> float:
        return self.random.choice((0.001, 0.003, 0.02, 0.3 if self.faulty else 0.02))

    def _cut_bytes(self, octets: bytes) -> Sequence[bytes]:
        if len(octets) < 2 or self.random.random() < 0.7:
            return (octets,)
        place = self.random.randrange(1, len(octets))
        return octets[:place], octets[place:]

    def next_fault(self) -> Fault:
        """What becomes of the next transaction that writes."""
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
            id_tlv=0x1400 if port == 2777 or self.plans.layout == "pair" else 0,
            window=random.choice([1, 10, 50]),
            long_messages=random.choice(["udh8", "udh16", "sar", "payload"]),
            receipts=random.choice(["both", "text", "tlv"]),
            receipt_first=random.random() < 0.3,
            receipt_delay_s=random.choice([0.0, 0.5, 5.0]),
            delivered=random.choice([1.0, 0.8]),
            lose_answers=random.choice([0.0, 0.1]),
            throttle=random.choice([0.0, 0.3]),
            # Of what a jump of a clock has dated, nobody knows when its validity ends.
            lose_receipts=0.0 if self.plans.jump else random.choice([0.0, 0.0, 0.2, 1.0]),
            changes=self._people.choice(("made", "made", "made", "failed", "unknown")),
        )
        centre = PocketSmsc(self.clock, random, quirks=quirks)
        # Two centres of one operator give their numbers from different ranges; and it is the subscriber's handset that
        # counts the references of long texts, whatever centre they go to.
        centre.counted.written = (port - 2775) * 1_000_000
        centre._references = (port - 2775) * 80
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
        if callback.partner == "bolt" and self.plans.later:
            self.later(self._begin, self._reply_later(callback.mo_id), "world-reply")
            if self.random.random() < 0.7:
                return Answer(Outcome.LATER, status=202)
        return Answer(Outcome.ANSWERED, _reply_to(callback.mo_id), status=200)

    async def _reply_later(self, mo_id: int) -> None:
        """POST /v1/messages/{id}/reply, again and again until an answer comes back."""
        partner = self.catalogue.partners["bolt"]
        while True:
            await asyncio.sleep(self.random.uniform(0.1, 3.0))
            places = [place for place in self.places if "api" in place.roles]
            service = self.random.choice(places).service
            if service is None or not service.is_up:
                continue
            asked = service.spawn(service.way.replies.reply(partner, mo_id, _reply_to(mo_id)), "reply")
            await asyncio.wait([asked], timeout=8)
            if not asked.done() or asked.exception() is not None:
                continue
            outcome = asked.result().outcome
            assert outcome in (ReplyOutcome.QUEUED, ReplyOutcome.ANSWERED_BEFORE), outcome
            return

    # --- the run -----------------------------------------------------------------------------------------

    def later(self, function: Callable[..., Any], *args: Any) -> None:
        """Something that happens outside of every process."""
        self.loop.call_soon(function, *args, context=self._outside.copy())

    def _begin(self, work: Any, name: str) -> None:
        task = self.loop.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failures.append(f"{task.get_name()} failed: {error!r}")

    def run(self) -> None:
        """The whole run on the virtual loop."""
        asyncio.set_event_loop(self.loop)
        with structlog.testing.capture_logs() as lines:
            try:
                self.loop.run_until_complete(self.loop.create_task(self._run(), name="world"))
            finally:
                self._clear_away()
                self.loop.close()
                asyncio.set_event_loop(None)
                self.log = [str(line) for line in lines]

    def close(self) -> None:
        """Let database and loop go, also of a world that never ran."""
        self.database.close()
        self.loop.close()

    def _clear_away(self) -> None:
        """Let every task end, those of the dead too: nothing is checked of what they still say."""
        self.is_away = True
        for service in self.lives:
            if hasattr(service, "way"):
                service.way.cancel()
            service.life.clear_away(self.loop)
        while tasks := asyncio.all_tasks(self.loop):
            for task in tasks:
                task.cancel()
            self.loop.run_until_complete(self.loop.create_task(asyncio.sleep(0)))

    async def _run(self) -> None:
        for place in self.places:
            self._begin_service(place)
        chaos = [asyncio.create_task(work, name="world-chaos") for work in (self._chaos(), self._clocks())]
        chaos += [asyncio.create_task(self._freezes(place), name="world-freezes") for place in self.places]
        if self.plans.orders:
            chaos.append(asyncio.create_task(self._orders(), name="world-orders"))
        await self._traffic()
        await asyncio.sleep(max(0.0, FAULTY_S - self.loop.time()))
        self.faulty = False
        await asyncio.gather(*chaos)
        for place in self.places:
            if place.service is None:
                self._begin_service(place)
        if any(centre.quirks.lose_receipts for centre in self.centres):
            await self._calm("0, 1")
            # The validity of all is over: the centres are asked what became of it.
            for host in {place.host.name: place.host for place in self.places}.values():
                self._set_clock(host, DAY_MS + 5 * MINUTE_MS)
        await self._calm()

    async def _traffic(self) -> None:
        """Subscribers write; most texts are unique, some are votes."""
        random = self.random
        for number in range(self.plans.messages):
            await asyncio.sleep(random.expovariate(self.plans.messages / 30))
            centre = random.choice(self.centres)
            source = f"7900000{random.choice((13, *range(20, 20 + self.plans.subscribers))):04d}"
            word = random.choice(("GAME", "game", "CHAT", "HELLO"))
            long = f" n{number}" * 80 if random.random() < self.plans.long_share else ""
            code = "4446" if random.random() < 0.95 else "9999"
            centre.write(source, code, f"{word} n{number}{long}")
        for _ in range(self.plans.votes):
            await asyncio.sleep(random.random())
            self.centres[0].write("79000099999", "4446", "GAME vote")

    async def _chaos(self) -> None:
        """Cables are cut, the database goes away for a while, a process is stopped and begun."""
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
                self.is_away = True
                await asyncio.sleep(random.uniform(0.1, 5.0))
                self.is_away = False
            service = random.choice(self.places).service
            if throw < self.plans.crash / 2 and service is not None and service.is_up and not service.life.is_frozen:
                self.seen.stops += 1
                await service.stop_or_die()

    async def _clocks(self) -> None:
        """Wall clocks jump."""
        random = self.random
        while self.faulty:
            await asyncio.sleep(random.uniform(0.5, 8.0))
            if random.random() < self.plans.jump:
                self._set_clock(random.choice(self.places).host, random.choice(JUMPS_MS))
        if self.seen.jumps and (len(self.places) > 1 or random.random() < 0.5):
            # Somebody looks after the clocks at last: hosts that share a database have to agree.
            for place in self.places:
                self._set_clock(place.host, self.clock.now() - place.host.clock.now())

    def _set_clock(self, host: Host, by_ms: int) -> None:
        self.seen.jumps.append((self.clock.monotonic_ms(), by_ms))
        host.clock.set_back(-by_ms)

    async def _freezes(self, place: Place) -> None:
        """A process stands still for a while, or cannot reach the database, and then goes on."""
        random = self.random
        while self.faulty:
            await asyncio.sleep(random.uniform(0.5, 8.0))
            service = place.service
            if service is not None and random.random() < self.plans.freeze:
                self.seen.freezes += 1
                service.life.freeze()
                await asyncio.sleep(random.choice((0.5, 3.0, 7.0, 9.0, 12.0, 25.0)) * random.uniform(0.8, 1.2))
                service.life.thaw()
            if random.random() < self.plans.apart:
                place.is_apart = True
                await asyncio.sleep(random.choice((1.0, 6.0, 15.0)) * random.uniform(0.8, 1.2))
                place.is_apart = False

    async def _orders(self) -> None:
        """People want one of the latest messages back, or changed; they reach the database when processes do not."""
        people = self._people
        while self.faulty:
            await asyncio.sleep(people.expovariate(self.plans.orders))
            with self.database.read() as connection:
                latest = connection.exec_driver_sql("SELECT id, reply_to FROM mt ORDER BY id DESC LIMIT 12").all()
            if not latest:
                continue
            mt_id, reply_to = people.choice(latest)
            word: dict[str, Any] = {
                "author": "olga",
                "note": "wrong",
                "now": people.choice(self.places).host.clock.now(),
            }
            if people.random() < 0.5:
                (given,) = cancellations.give(self.database, [mt_id], **word)
            else:
                given = replacements.give(self.database, mt_id, f"reply {reply_to} anew {self.seen.orders}", **word)
            self.seen.orders += bool(given.order_id)

    async def _calm(self, ends: str = "0, 1, 2") -> None:
        """Until nothing is left to do, or too long has passed: then the truth will say what is missing. `ends`: states
        of an MT that are none.
        """
        end = self.loop.time() + self._calm_s
        quiet = 0
        while self.loop.time() < end and quiet < 3:
            await asyncio.sleep(5.0)
            quiet = quiet + 1 if self._is_quiet(ends) else 0

    def _is_quiet(self, ends: str) -> bool:
        if self._tasks or any(centre.waiting for centre in self.centres):
            return False
        if any(not mo.is_acknowledged for centre in self.centres for mo in centre.mos):
            return False
        with self.database.read() as connection:
            for question in (
                "SELECT 1 FROM callback WHERE due_at IS NOT NULL LIMIT 1",
                f"SELECT 1 FROM mt WHERE state IN ({ends}) LIMIT 1",
                "SELECT 1 FROM mo_part WHERE mo_id = 0 LIMIT 1",
                "SELECT 1 FROM mt_order WHERE due_at IS NOT NULL LIMIT 1",
            ):
                if connection.exec_driver_sql(question).first() is not None:
                    return False
        return True

    # --- the processes' lives ------------------------------------------------------------------------------

    def _begin_service(self, place: Place) -> None:
        pid = len(self.lives) + 1
        self.pids.add(pid)
        place.service = Service(self, place, pid)
        self.lives.append(place.service)
        place.service.begin()

    def died(self, service: Service) -> None:
        """A process is gone; another one begins a little later."""
        if service.place.service is service:
            self.seen.crashes += 1
            service.place.service = None
            self.loop.call_later(self.random.uniform(0.2, 3.0), self._again, service.place)

    def stopped(self, service: Service) -> None:
        """A process ended in good order; another one begins at once."""
        if service.place.service is service:
            service.place.service = None
            self._again(service.place)

    def _again(self, place: Place) -> None:
        if place.service is None:
            self._begin_service(place)


def _reply_to(mo_id: int) -> str:
    return f"reply {mo_id} {'x' * 200 if mo_id % 5 == 0 else ''}"
