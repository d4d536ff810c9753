"""The composition: what each role needs, built and joined; start, life and stop (reliability.md, section 7).

Service   one process with some of the roles links, dispatch, api, smpp, site

Start: configuration → database reachable and migrated → catalogue → recovery → doors open → /health 200.
Stop: links drained and unbound, calls ended, everything committed. A second signal stops at once, safely by R1.

Rule: nothing is decided here; everything that decides is handed what it needs.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from random import Random, SystemRandom
from typing import Any, TypeVar

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from structlog import get_logger

from core.catalogue import Catalogue, Link
from core.clock import DAY_MS
from core.errors import ConfigError, StoreError
from core.ids import Ids
from core.message import Callback, Mt
from core.sms.alphabet import Coding
from fraud.counters import Counts, MemoryCounts
from partner_api.dispatch import METHODS, Means
from partner_api.dispatch.http import HttpCaller
from partner_api.http.app import build_app, build_runner
from partner_api.http.ports import Ports
from plumbing.clock import SystemClock
from plumbing.loop import spawn
from plumbing.metrics import Metrics
from plumbing.pump import connect as connect_link
from plumbing.threads import Readers, Writer
from smsc_link.links import Links
from smsc_link.protocols import PROTOCOLS
from store import processes, recovery
from store.counters import RedisCounts
from store.database import Database, connect
from store.journal import Journal
from store.migrate import pending_migrations
from store.outbox import Outbox, place_of_mo
from store.secrets import Keyring
from store.snapshot import read_catalogue, read_version
from tollbridge.config import Config, security_key, split_listen
from traffic.settle import Book, Settler
from traffic.submit import ReplyPlace
from traffic.way import Pace, Way

log = get_logger()
T = TypeVar("T")

ROLES = ("links", "dispatch", "api", "smpp", "site")
WATCH_S = 0.5
"""How often a new version of the catalogue is looked for: it must be in force within 1 s."""
BEAT_S = 2.0
DRAIN_S = 20.0
PRUNE_S = 600.0
START_PAUSE_S = 1.0


class Service:
    """One process of the service."""

    def __init__(self, config: Config, roles: Sequence[str] = ROLES, *, random: Random | None = None) -> None:
        self.config = config
        self.roles = tuple(roles)
        self._random = random or SystemRandom()
        self._clock = SystemClock()
        self._keyring = Keyring(security_key(config))
        self.database: Database = connect(config.database.url)
        self._writer = Writer()
        self._readers = Readers()
        self._registry = CollectorRegistry()
        self._metrics = Metrics(self._registry)
        self._tasks: list[asyncio.Task[Any]] = []
        self._runner: web.AppRunner | None = None
        self._catalogue = Catalogue()
        self.is_up = False
        self.warning = ""
        self.taken_for_dead = asyncio.Event()
        """Another process took over our work: this one must end at once."""

    # --- start -----------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Open the doors. Raises ConfigError when the database is not migrated; waits for one that is away."""
        self._writer.start()
        await self._wait_for_database()
        pending = await self._readers.run(pending_migrations, self.database)
        if pending:
            raise ConfigError(f"the database lacks {len(pending)} migrations ({pending[0]} …); run: tollbridge migrate")
        warning: str | None = await self._readers.run(self.database.durability_warning)
        self.warning = warning or ""
        if self.warning:
            log.warning("durability", warning=self.warning)
        now = self._clock.now()
        me = await self._writer.run(partial(processes.register, self.database, roles=",".join(self.roles), now=now))
        self.process_id: int = me.id
        buried = await self._writer.run(partial(processes.bury_dead, self.database, self_id=me.id, now=now))
        if buried:
            log.warning("took over the work of dead processes", processes=buried)
        self._catalogue = await self._readers.run(self._read_catalogue)
        self._build(Ids(me.slot, after=me.after))
        await self._recover()
        self._open()
        self._tasks += [
            spawn(self._watch_catalogue(), name="catalogue"),
            spawn(self._beat(), name="heartbeat"),
            spawn(self._prune(), name="prune"),
        ]
        if "api" in self.roles:
            await self._open_api()
        self.is_up = True
        log.info(
            "up",
            roles=",".join(self.roles),
            process=me.id,
            database=self.database.name,
            version=self._catalogue.version,
        )

    async def _wait_for_database(self) -> None:
        said = False
        while True:
            try:
                await self._readers.run(self.database.ping)
                return
            except StoreError as error:
                if not said:
                    log.error("waiting for the database", error=str(error))
                    said = True
                await asyncio.sleep(START_PAUSE_S)

    def _read_catalogue(self) -> Catalogue:
        with self.database.read() as connection:
            return read_catalogue(connection, self._keyring)

    def _build(self, ids: Ids) -> None:
        config = self.config
        pace = Pace(
            max_batch=config.journal.max_batch,
            max_delay_ms=config.journal.max_delay_ms,
            backlog=config.journal.backlog,
            callbacks=config.dispatch.concurrency_total,
            timeout_s=config.dispatch.timeout_s,
            parts_timeout_s=config.links.reassembly_timeout_s,
        )
        self.counts: Counts
        probe: Callable[[], None] = _nothing
        if config.redis.url:
            # Until the fraud issue its loss is an outage like the database's.
            redis = RedisCounts(config.redis.url)
            self.counts, probe = redis, redis.ping
        else:
            self.counts = MemoryCounts()
        self.settler = Settler(
            Book.of(self._catalogue),
            self.counts,
            ids,
            self._clock,
            holds=lambda operator_id: self.way.sender.holds(operator_id),
            is_crowded=lambda partner_id: self.way.dispatcher.is_crowded(partner_id),
            probe=probe,
        )
        journal = Journal(
            self.database, self.settler, process_id=self.process_id, ids=ids, clock=self._clock, lease_ms=pace.lease_ms
        )
        self._caller = HttpCaller(
            clock=self._clock,
            timeout_s=config.dispatch.timeout_s,
            allow_private_addresses=config.dispatch.allow_private_addresses,
        )
        means = Means(http=self._caller)
        self._outbox = Outbox(
            self.database,
            lambda: self._catalogue,
            self._clock,
            process_id=self.process_id,
            lease_ms=pace.lease_ms,
        )
        self.way = Way(
            journal=journal,
            run=self._writer.run,
            clock=self._clock,
            random=self._random,
            ids=ids,
            catalogue=lambda: self._catalogue,
            methods={name: method(means) for name, method in METHODS.items()},
            due_callbacks=self._due_callbacks,
            due_mts=self._due_mts,
            find_place=self._find_place,
            coding_of=self._coding_of,
            pace=pace,
        )
        self.links = Links(
            intake=self.way,
            connect=connect_link,
            clock=self._clock,
            random=self._random,
            metrics=self._metrics,
            drain_s=DRAIN_S,
        )
        self._tell_sender()
        self._count_stations()

    def _tell_sender(self) -> None:
        operators = {code: operator.id for code, operator in self._catalogue.operators.items()}
        self.way.sender.know(operators)
        served = {operators[link.operator] for link in self._catalogue.links.values() if link.enabled}
        self.way.sender.serves(sorted(served) if "links" in self.roles else [])

    async def _recover(self) -> None:
        """What an earlier process left: parts of long messages, counts of the last day."""
        if "links" not in self.roles:
            return
        catalogue = self._catalogue
        if isinstance(self.counts, MemoryCounts):
            since = self._clock.now() - DAY_MS
            messages = await self._readers.run(lambda: list(recovery.counted_messages(self.database, since)))
            self.settler.restore(messages)
        operators = [operator.id for operator in catalogue.operators.values()]
        parts = await self._readers.run(recovery.waiting_parts, self.database, operators)
        places = {link.id: (link, catalogue.operators[link.operator]) for link in catalogue.links.values()}
        self.way.accept.restore(parts, places)

    def _open(self) -> None:
        self.way.start(dispatch="dispatch" in self.roles, links="links" in self.roles)
        if "links" in self.roles:
            self.links.start(self._catalogue)
        if "site" in self.roles:
            log.info("the role site serves nothing yet: the portal comes with its own issue")

    async def _open_api(self) -> None:
        ports = Ports(
            catalogue=lambda: self._catalogue,
            run_read=self._run_read,
            reply=self.way.replies.reply,
            health=self.health,
            metrics=self._read_metrics,
        )
        self._runner = build_runner(build_app(ports, clock=self._clock))
        await self._runner.setup()
        host, port = split_listen(self.config.api.listen)
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            raise ConfigError(
                f"api.listen {self.config.api.listen}: {error.strerror}; choose another address"
            ) from error

    def _read_metrics(self) -> bytes:
        """GET /metrics: what the links count, and what the stations do."""
        return generate_latest(self._registry)

    def _count_stations(self) -> None:
        """What the stations count, read when it is scraped."""
        counter = self._metrics.counter
        way = self.way
        for station, counted in (
            ("mo", way.accept.counted),
            ("callback", way.dispatcher.counted),
            ("mt", way.sender.counted),
        ):
            for name in counted.__slots__:
                counter(f"tollbridge_{station}_{name}", f"{station}: {name}", ask=partial(getattr, counted, name))
        counter("tollbridge_commits", "transactions of the journal", ask=lambda: way.batcher.batches)
        counter("tollbridge_facts", "facts made durable", ask=lambda: way.batcher.facts)
        gauge = self._metrics.gauge
        gauge("tollbridge_commit_waiting", "facts that wait for a commit", ask=lambda: float(way.batcher.waiting))
        gauge("tollbridge_callbacks_waiting", "calls that wait", ask=lambda: float(way.dispatcher.waiting))
        gauge("tollbridge_callbacks_running", "calls on their way", ask=lambda: float(way.dispatcher.running))
        gauge("tollbridge_replies_waiting", "MT that wait for a link", ask=lambda: float(way.sender.waiting))
        gauge("tollbridge_database_away", "1: the database cannot be reached", ask=lambda: float(way.batcher.away))

    # --- what the stations ask ---------------------------------------------------------------------------

    async def _run_read(self, function: Callable[[Any], T]) -> T:
        def read() -> T:
            with self.database.read() as connection:
                return function(connection)

        return await self._readers.run(read)

    def _due_callbacks(self, limit: int, crowded: Sequence[int]) -> Awaitable[list[Callback]]:
        return self._writer.run(self._outbox.callbacks, limit, crowded)

    def _due_mts(self, limit: int, operator_ids: Sequence[int]) -> Awaitable[list[Mt]]:
        return self._writer.run(self._outbox.mts, limit, operator_ids)

    def _coding_of(self, link: Link, data_coding: int) -> Coding:
        """How a part of a long message that an earlier process stored is to be read."""
        return PROTOCOLS[link.protocol](link, self._catalogue.operators[link.operator]).coding_of(data_coding)

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
        batcher = self.way.batcher
        ok = self.is_up and not batcher.away
        body: dict[str, Any] = {"status": "ok" if ok else "unavailable", "links": dict(self.links.states())}
        if batcher.away:
            body["reason"] = batcher.why_away
        body["queues"] = {
            "commit": batcher.waiting,
            "callbacks": self.way.dispatcher.waiting + self.way.dispatcher.running,
            "replies": self.way.sender.waiting,
        }
        return body

    async def _watch_catalogue(self) -> None:
        """A new version is in force within 1 s, without a restart."""
        while True:
            await asyncio.sleep(WATCH_S)
            try:
                version = await self._run_read(read_version)
                if version != self._catalogue.version:
                    await self._swap()
            except StoreError as error:
                log.debug("the catalogue cannot be read", error=str(error))

    async def _swap(self) -> None:
        begun = time.monotonic()
        catalogue = await self._readers.run(self._read_catalogue)
        book = await self._readers.run(Book.of, catalogue)
        self._catalogue = catalogue
        self.settler.book = book
        self._tell_sender()
        log.info("new catalogue", version=catalogue.version, ms=round(1000 * (time.monotonic() - begun)))
        if "links" in self.roles:
            await self.links.apply(catalogue)

    async def _beat(self) -> None:
        """Heartbeat, takeover of the dead, link states."""
        written: dict[str, str] = {}
        while True:
            await asyncio.sleep(BEAT_S)
            now = self._clock.now()
            try:
                alive = await self._writer.run(processes.beat, self.database, self.process_id, now)
                if not alive:
                    log.error("another process took us for dead; stopping at once")
                    self.way.cancel()
                    self.taken_for_dead.set()
                    return
                bury = partial(processes.bury_dead, self.database, self_id=self.process_id, now=now)
                buried = await self._writer.run(bury)
                if buried:
                    log.warning("took over the work of dead processes", processes=buried)
                    self.way.dispatcher.ring()
                written = await self._write_link_states(written, now)
            except StoreError as error:
                log.debug("no heartbeat", error=str(error))

    async def _write_link_states(self, written: dict[str, str], now: int) -> dict[str, str]:
        states: dict[str, str] = {name: str(state) for name, state in self.links.states().items()}
        if states == written:
            return written
        errors = self.links.errors()
        rows = [
            (self._catalogue.links[name].id, state, now, errors.get(name, "") if state != "bound" else "")
            for name, state in states.items()
            if name in self._catalogue.links and state != written.get(name)
        ]
        await self._writer.run(processes.write_link_states, self.database, self.process_id, rows)
        return states

    async def _prune(self) -> None:
        while True:
            try:
                await self._writer.run(processes.prune, self.database, self._clock.now())
            except StoreError as error:
                log.debug("nothing pruned", error=str(error))
            await asyncio.sleep(PRUNE_S)

    # --- stop --------------------------------------------------------------------------------------------

    async def stop(self) -> None:
        """Unbind after the windows drained, commit, end."""
        self.is_up = False
        log.info("stopping: draining links and calls")
        if "links" in self.roles:
            await self.links.stop(DRAIN_S)
        await self.way.stop(DRAIN_S)
        for task in self._tasks:
            task.cancel()
        if self._runner is not None:
            await self._runner.cleanup()
        await self._caller.close()
        try:
            await asyncio.wait_for(
                self._writer.run(processes.retire, self.database, self.process_id, self._clock.now()), 5
            )
        except (StoreError, TimeoutError) as error:
            log.warning("could not sign off", error=str(error))
        await self._writer.stop()
        self._readers.stop()
        self.database.close()
        log.info("stopped")


def _nothing() -> None:
    """Counts in this process are always there."""
