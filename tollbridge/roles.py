"""The composition: what each role needs, built and joined; start, life and stop (reliability.md, section 7).

Service   one process with some of the roles links, dispatch, api, smpp, site

Start: configuration → database reachable and migrated → catalogue → Redis → ports → recovery → links → /health 200.
Stop: links drained and unbound, calls ended, everything committed, by one deadline (tollbridge/stopping.py). A second
signal stops at once, safely by R1.

Rule: nothing is decided here; everything that decides is handed what it needs.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from random import Random, SystemRandom
from typing import Any, TypeVar

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from structlog import get_logger

from core.catalogue import Catalogue
from core.errors import ConfigError, StoreError
from core.ids import Ids
from core.message import Callback, Mt, TrafficClass
from fraud.counters import MemoryCounts
from partner_api.dispatch import METHODS, Means
from partner_api.dispatch.http import HttpCaller
from partner_api.http.ports import Ports
from partner_api.smpp_server import SmppServer
from plumbing import pump
from plumbing.clock import SystemClock
from plumbing.metrics import Metrics
from plumbing.threads import Readers, Writer
from smsc_link.adapters import Adapters
from smsc_link.links import Links
from store import processes, recovery
from store.database import Database, connect
from store.desk import Desk
from store.journal import Journal
from store.migrate import pending_migrations, unmigrated
from store.outbox import Outbox, place_of_mo
from store.recovery import WaitingPart
from store.secrets import Keyring, Sealed
from store.snapshot import read_catalogue
from tollbridge.config import Config
from tollbridge.contact import Patience
from tollbridge.counting import choose_counts, watch_counts
from tollbridge.descriptors import watch_descriptors
from tollbridge.dialogues import build_dialogues
from tollbridge.door import links_door, open_api
from tollbridge.figures import count_stations
from tollbridge.health import health_of
from tollbridge.keys import keyring_of
from tollbridge.link_desk import LinkDesk, message_orders_by, orders_by
from tollbridge.link_traces import Traces
from tollbridge.memory_watch import read_bounds, watch_memory
from tollbridge.pace import pace_of
from tollbridge.payments import Payments, provider_settings
from tollbridge.smpp_door import open_smpp
from tollbridge.stopping import STOP_S, Deadline, Stage, at_most, drain
from tollbridge.stragglers import Stragglers
from tollbridge.watch import Heartbeat, watch_catalogue, watch_writing
from tollbridge.works import Works
from traffic.asking import questions_of
from traffic.janitor import Janitor
from traffic.orders import orders_of
from traffic.settle import Book, Settler
from traffic.submit import ReplyPlace
from traffic.way import Pace, Way

log = get_logger()
T = TypeVar("T")

ROLES = ("links", "dispatch", "api", "smpp", "site")
DRAIN_S = 20.0
"""How long a link that is changed is drained."""
LOCK_WAIT_S = 2
"""How long a statement waits for another's lock: the operators' time-outs are not much longer."""
IDLE_S = 5
"""Who stands still in a transaction loses it and its locks, sooner than it is taken for dead: others wait for them."""
DIED_S = 6.0
"""How long a process whose work is another's takes to end: links are unbound, nothing is drained."""


class Service:
    """One process of the service."""

    def __init__(
        self, config: Config, roles: Sequence[str] = ROLES, *, random: Random | None = None, stop_s: float = STOP_S
    ) -> None:
        self.config = config
        self.roles = tuple(roles)
        self._stop_s = stop_s
        # Only who accepts MO counts.
        self._redis_url = config.redis.url if "links" in self.roles else ""
        self._random = random or SystemRandom()
        self._clock = SystemClock()
        self._keyring: Keyring = Sealed()
        self.database: Database = connect(config.database.url, lock_wait_s=LOCK_WAIT_S, idle_s=IDLE_S)
        self._writer = Writer()
        self._readers = Readers()
        self._registry = CollectorRegistry()
        self._metrics = Metrics(self._registry)
        self._works = Works(self._die)
        self._runner: web.AppRunner | None = None
        self._smpp: SmppServer | None = None
        self._catalogue = Catalogue()
        self._adapters = Adapters(lambda: self._catalogue)
        self._is_built = False
        self._patience = Patience(config.database.url)
        self._payments = Payments(provider_settings(config))
        self.process_id = 0
        self.is_up = False
        self.died = asyncio.Event()
        """It must end at once, as by a crash: its work is another's, or a station failed."""
        self.why_died = ""

    # --- start -----------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Open the doors. Raises ConfigError when the database is not migrated; waits for one that is away."""
        self._writer.start()
        if "api" in self.roles:
            section, is_up, why_short = self.config.api, lambda: self.is_up, lambda: self.way.batcher.why_short
            self._runner = await open_api(self._ports(), section, self._clock, is_up=is_up, why_short=why_short)
        await self._patience.ask(self._readers, self.database.ping)
        pending = await self._patience.ask(self._readers, partial(pending_migrations, self.database))
        if pending:
            raise ConfigError(unmigrated(pending))
        warning: str | None = await self._patience.ask(self._readers, self.database.durability_warning)
        if warning:
            log.warning("durability", warning=warning)
        enter = partial(processes.register, self.database, roles=",".join(self.roles), now=self._clock.now())
        me = await self._patience.ask(self._writer, enter)
        self.process_id = me.id
        self._keyring = await self._patience.ask(
            self._readers, partial(keyring_of, self.config, self.database, make=True)
        )
        self._catalogue = await self._patience.ask(self._readers, self._read_catalogue)
        if "smpp" in self.roles:  # Before anything works: a port that is taken ends the start.
            smpp, catalogue = self.config.smpp_server, lambda: self._catalogue
            self._smpp = await open_smpp(smpp, catalogue, self._readers.run, self._clock, self._metrics)
        self.counts, self._probe = choose_counts(self._redis_url)
        await self._patience.ask(self._writer, self._probe)
        self._build(Ids(me.slot, after=me.after))
        self._is_built = True
        self.way.start(dispatch="dispatch" in self.roles, links="links" in self.roles)
        await self._recover(self._begin_heartbeat(me))
        if self.died.is_set():
            return
        await self._open()
        self.is_up = True
        version = self._catalogue.version
        log.info("up", roles=",".join(self.roles), process=me.id, database=self.database.name, version=version)
        if not version:
            log.info("nothing is provisioned yet", remedy="tollbridge load FILE; conf/ has an example")

    def _read_catalogue(self) -> Catalogue:
        with self.database.read() as connection:
            return read_catalogue(connection, self._keyring, self._catalogue)

    def _build(self, ids: Ids) -> None:
        config, pace = self.config, pace_of(self.config)
        process = (self.database, lambda: self._catalogue, self._clock, ids, self.process_id)
        self._payments.open(*process, write=self._writer.run, read=self._run_read)
        self._stragglers = Stragglers(Desk(*process), process[1], self._clock, self._writer, self._run_read)
        self.settler = Settler(
            Book.of(self._catalogue),
            self.counts,
            ids,
            self._clock,
            holds=lambda operator_id: self.way.sender.holds(operator_id),
            is_crowded=lambda partner_id: self.way.dispatcher.is_crowded(partner_id),
            probe=self._probe,
        )
        self._caller = HttpCaller(
            clock=self._clock,
            timeout_s=config.dispatch.timeout_s,
            allow_private_addresses=config.dispatch.allow_private_addresses,
        )
        self._outbox = Outbox(
            self.database, lambda: self._catalogue, self._clock, process_id=self.process_id, lease_ms=pace.lease_ms
        )
        self.way: Way = self._build_way(ids, pace)
        self._links_door = links_door(config.links)
        threads = (self._writer, self._run_read, self._clock)
        means = (process[1], self._caller, pace.callbacks)
        self.dialogues = build_dialogues(self.database, *threads, means)
        self.links = Links(
            intake=self.way, connect=pump.connect, listen=pump.listen, clock=self._clock, random=self._random,
            metrics=self._metrics, door=self._links_door, turns=self.dialogues, rests=self.way.sender.rests,
            drain_s=DRAIN_S,
        )  # fmt: skip
        self._tell_stations()
        count_stations(self._metrics, self.way, self.dialogues)

    def _build_way(self, ids: Ids, pace: Pace) -> Way:
        journal = Journal(
            self.database, self.settler, process_id=self.process_id, ids=ids, clock=self._clock, lease_ms=pace.lease_ms
        )
        means = Means(http=self._caller)
        asked = (self.database, self._readers, self._writer, self._clock, self.process_id)
        return Way(
            journal=journal, run=self._writer.run, clock=self._clock, random=self._random, ids=ids,
            catalogue=lambda: self._catalogue, pace=pace,
            methods={name: method(means) for name, method in METHODS.items()},
            due_callbacks=self._due_callbacks, due_mts=self._due_mts,
            due_questions=questions_of(*asked), wanted_orders=orders_of(*asked),
            find_place=self._find_place, coding_of=self._adapters.coding_of,
            on_failed=lambda: self._die("a station of the message's way failed; the log says how"),
        )  # fmt: skip

    def _tell_stations(self) -> None:
        operators = {code: operator.id for code, operator in self._catalogue.operators.items()}
        enabled = [link for link in self._catalogue.links.values() if link.enabled]
        served = {operators[link.operator] for link in enabled}
        heard = {operators[link.operator] for link in enabled if not self._adapters.only_answers(link)}
        self.way.sender.know(operators, mute=served - heard)
        self.way.sender.serves(sorted(served) if "links" in self.roles else [])
        self.way.dispatcher.fuses.know(self._catalogue.services.values())

    def _begin_heartbeat(self, me: processes.Registered) -> Heartbeat:
        where = (self.database, self._writer, self._clock, self.links)
        heartbeat = Heartbeat(
            me,
            *where,
            catalogue=lambda: self._catalogue,
            doubt_from=self.way.accept.doubts.since,
            on_due=self.way.dispatcher.ring,
            on_parts=self._wait_for_parts if "links" in self.roles else None,
            on_death=self._die,
        )
        beating = self._works.begin(heartbeat.run(), "heartbeat")
        beating.add_done_callback(lambda _: heartbeat.is_clear.set())  # A start that waits for it waits no longer.
        return heartbeat

    def _wait_for_parts(self, parts: Sequence[WaitingPart]) -> None:
        catalogue = self._catalogue
        places = {link.id: (link, catalogue.operators[link.operator]) for link in catalogue.links.values()}
        self.way.accept.restore(parts, places)

    async def _recover(self, heartbeat: Heartbeat) -> None:
        """Before links open, the dead are buried: what they did not answer comes again. Then counts of open windows."""
        if "links" not in self.roles:
            return
        await heartbeat.is_clear.wait()
        if self.died.is_set():
            return
        longest_ms = max((limit.window_ms for limit in self._catalogue.limits), default=0)
        if longest_ms and isinstance(self.counts, MemoryCounts):
            now = self._clock.now()
            # On a reader's thread, message by message: nobody else counts before the links open.
            counted = partial(recovery.counted_messages, self.database, now - longest_ms, now)
            await self._patience.ask(self._readers, lambda: self.settler.restore(counted()))
        await heartbeat.inherit()

    async def _open(self) -> None:
        if "links" in self.roles:
            self._works.begin(self.dialogues.run(), "ussd")
            self._works.keep(await self._link_desk().open())
        batcher, threads = self.way.batcher, (self._readers, self._writer)
        janitor = Janitor(batcher, self.database, *threads, self._clock, ends_mts="links" in self.roles)
        begin = self._works.begin
        begin(watch_catalogue(self._stragglers.read_version, self._catalogue.version, self._swap), "catalogue")
        begin(janitor.run(), "janitor")
        begin(watch_counts(self._redis_url, self._readers, batcher.report), "counting")
        begin(watch_descriptors(batcher, self._clock), "descriptors")
        begin(watch_memory(batcher, self._clock, read_bounds), "memory")
        begin(watch_writing(batcher, self.database, self.process_id), "writing")
        if "site" in self.roles:
            log.info("this role serves nothing yet", role="site")

    def _link_desk(self) -> LinkDesk:
        return LinkDesk(
            self.process_id, self.database, self._writer, self._run_read, self._clock, lambda: self._catalogue,
            self.links, self.way.sender.rests, Traces(self.config.links.trace_folder),
        )  # fmt: skip

    def _ports(self) -> Ports:
        return Ports(
            catalogue=lambda: self._catalogue,
            run_read=self._run_read,
            reply=lambda *request: self.way.replies.reply(*request),
            health=self.health,
            metrics=lambda: generate_latest(self._registry),
            payments=self._payments,
            admin_key=self.config.api.admin_key,
            order_links=orders_by(self.database, self._readers, self._clock),
            order_message=message_orders_by(self.database, self._readers, self._clock),
        )

    # --- what the stations ask ---------------------------------------------------------------------------

    async def _run_read(self, function: Callable[[Any], T]) -> T:
        def read() -> T:
            with self.database.read() as connection:
                return function(connection)

        return await self._readers.run(read)

    def _due_callbacks(
        self, limit: int, crowded: Sequence[int], rationed: Mapping[int, int]
    ) -> Awaitable[list[Callback]]:
        return self._writer.run(self._outbox.callbacks, limit, crowded, rationed)

    def _due_mts(self, limit: int, wanted: Mapping[TrafficClass, Sequence[int]]) -> Awaitable[list[Mt]]:
        return self._writer.run(self._outbox.mts, limit, wanted)

    async def _find_place(self, mo_id: int, partner_id: int) -> ReplyPlace | None:
        found = await self._readers.run(place_of_mo, self.database, mo_id, partner_id)
        if found is None:
            return None
        link_id, operator_id, short_code, source = found
        name = next((link.name for link in self._catalogue.links.values() if link.id == link_id), "")
        return ReplyPlace(name, link_id, operator_id, short_code, source)

    # --- life --------------------------------------------------------------------------------------------

    def health(self) -> dict[str, Any]:
        """What GET /health says; `status` is ok once every role is up and while the database is there."""
        if not self._is_built:
            waits_for = self._patience.waits_for
            return {"status": "starting", "links": {}} | ({"reason": waits_for} if waits_for else {})
        smpp = None if self._smpp is None else self._smpp.totals()
        return health_of(self.way, is_up=self.is_up, links=self.links.states(), smpp=smpp)

    async def _swap(self) -> None:
        begun = time.monotonic()
        catalogue = await self._readers.run(self._read_catalogue)
        book = await self._readers.run(Book.of, catalogue, self.settler.book)
        self._catalogue = catalogue
        self.settler.book = book
        self._tell_stations()
        if self._smpp is not None:
            self._smpp.apply(catalogue)
        log.info("new catalogue", version=catalogue.version, ms=round(1000 * (time.monotonic() - begun)))
        if "links" in self.roles:  # Who decides about messages.
            self.links.follow(catalogue)
            await self._stragglers.rate()

    @property
    def is_busy(self) -> bool:
        """Something waits for a commit, a partner's answer or a link."""
        way = self.way
        under_way = (way.dispatcher.waiting, way.dispatcher.running, way.sender.waiting, self.dialogues.waiting)
        return bool(way.batcher.waiting or any(under_way))

    def _die(self, why: str = "another process took this one for dead and has its work") -> None:
        """What is not committed is lost, as by a crash: who starts next finds what was acknowledged."""
        self.why_died = why
        self.way.cancel()
        self.died.set()

    # --- stop --------------------------------------------------------------------------------------------

    async def stop(self) -> None:
        """Unbind after the windows drained, commit, end: all of it within `stop_s`. Also after a start that failed."""
        is_dead = self.died.is_set()
        deadline = Deadline(self._clock, self._clock.monotonic_ms(), DIED_S if is_dead else self._stop_s)
        log.info("stopping: draining links and calls", longest_s=deadline.whole_s)
        self.is_up = False
        self._works.let_go()
        _, is_durable = await asyncio.gather(self._stop_smpp(deadline), self._stop_traffic(deadline))
        self._works.cancel()
        await asyncio.gather(self._close_doors(deadline), self._sign_off(deadline, is_durable=is_durable))
        await at_most(deadline.left_s(Stage.END), self._writer.stop(), "the database does not answer; left as it is")
        self._readers.stop()
        self.database.close()
        log.info("stopped")

    async def _stop_smpp(self, deadline: Deadline) -> None:
        if self._smpp is not None:
            await at_most(deadline.left_s(Stage.CALLS), self._smpp.stop(), "smpp sessions were cut off by the stop")

    async def _stop_traffic(self, deadline: Deadline) -> bool:
        links = self.links if self._is_built and "links" in self.roles else None
        if not self.died.is_set():
            return not self._is_built or await drain(self.way, links, deadline, self.dialogues)
        if links is not None:  # Our work is another's already.
            await at_most(deadline.left_s(Stage.CALLS), links.stop(0), "links were cut off by the stop")
        return False

    async def _close_doors(self, deadline: Deadline) -> None:
        if self._runner is not None:
            await at_most(deadline.left_s(Stage.END), self._runner.cleanup(), "requests were cut off by the stop")
        if self._is_built:
            await at_most(deadline.left_s(Stage.END), self._links_door.close(), "operators' requests were cut off")
            await self._caller.close()

    async def _sign_off(self, deadline: Deadline, *, is_durable: bool) -> None:
        """Not where something is lost: then we are found dead, and what we answered last is in doubt."""
        if not self.process_id or not is_durable:
            return
        signed = self._writer.run(processes.retire, self.database, self.process_id, self._clock.now())
        try:
            await at_most(deadline.left_s(Stage.END), signed, "could not sign off: the database does not answer")
        except StoreError as error:
            log.warning("could not sign off", error=str(error))
