"""MT over one SMPP link, with their receipts: out of the outbox, submitted, accepted, receipted, joined.

bench_outgoing   both databases → Section
run_outgoing     one database → Sent
python -m bench.outgoing   the message centre, in a process of its own: it tells its port, then takes one Order

The MT wait in the outbox when the service starts. The clock and its CPU are read when the warm-up's last submit_sm has
come, and when the last receipt is acknowledged: what is still on its way at the first edge counts as work of the rest.

Rule: no figure of a run whose counts or audit are wrong is shown: run_outgoing raises.
"""

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from random import Random
from typing import Any

import sqlalchemy as sa

from bench.load import tell
from bench.processes import Usage, piped, resident, usage_of, usage_of_all
from bench.setting import DATABASES, KEY, fresh_database, provisioning
from bench.table import Section
from bench.way import ServiceProcess
from core.message import MtState
from plumbing import loop
from plumbing.clock import SystemClock
from plumbing.conversation import Address
from plumbing.pump import listen
from sim.centre import PocketSmsc
from sim.esme import Job
from sim.quirks import Quirks
from sim.records import SeenMt
from sim.subscribers import Subscribers
from store import schema
from store.audit import audit
from store.database import Database
from store.provisioning import load
from store.secrets import Keyring
from store.snapshot import read_catalogue
from tests import services
from tests.fire.queued import queue_mts
from tollbridge import logs

Say = Callable[[str], None]
AIM = 3000
COUNT, QUICK = 30_000, 6_000
WARM = 3_000
WINDOW = 100
STALL_S = 60.0
RUNS = 3
_NO_PORT = 9
"""Nobody is called here."""
_LINK = "window = 100\n"
"""The line of bench.setting's link that the centre is behind; disabled until all is ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to come: `warm` + `count` MT, each with its receipt. `watched` are process ids by name."""

    warm: int
    count: int
    watched: Mapping[str, list[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What came of the measured MT."""

    count: int
    seconds: float
    usage: Mapping[str, Usage]
    submitted: int
    receipts: int
    busy: float
    """Share of this machine's processors that was used meanwhile, by whomever."""
    batch: float = 0.0
    """Facts a commit."""
    peak: int = 0

    @property
    def per_second(self) -> float:
        """MT with their receipts."""
        return self.count / self.seconds

    @property
    def others(self) -> float:
        """Share of the processors that went to none of ours: with much of it, the speed is not ours either."""
        ours = sum(usage.cpu_s for usage in self.usage.values())
        return max(0.0, self.busy - ours / self.seconds / (os.cpu_count() or 1))

    def cpu_us(self, name: str) -> float:
        """CPU of one of the watched, per MT."""
        return self.usage[name].cpu_s / self.count * 1e6


def bench_outgoing(say: Say, *, quick: bool) -> Section:
    """Both databases, of several runs the one with the median CPU."""
    count, runs = (QUICK, 1) if quick else (COUNT, RUNS)
    rows = []
    for kind in DATABASES:
        several = [run_outgoing(kind, count, say) for _ in range(runs)]
        one = sorted(several, key=lambda sent: sent.cpu_us("service"))[len(several) // 2]
        server = f"{one.cpu_us('database'):.0f}" if kind == "mariadb" else ""
        fastest = max(sent.per_second for sent in several)
        rows.append(
            (
                kind, f"{one.per_second:,.0f}", f"{fastest:,.0f}", f"{one.cpu_us('service'):.0f}", server,
                f"{one.cpu_us('centre'):.0f}", f"{one.batch:.0f}",
                f"{one.peak / 2**20:.0f}", f"{100 * one.others:.0f} %",
            )
        )  # fmt: skip
    columns = (
        "database", "MT/s", "fastest run", "CPU µs an MT", "server's CPU µs", "centre's CPU µs", "facts a commit",
        "MiB", "others' CPU",
    )  # fmt: skip
    return Section(
        "outgoing",
        f"MT from the outbox through one SMPP link with window {WINDOW}, each with its receipt",
        columns,
        tuple(rows),
        (
            f"Aim: {AIM:,} a second. From a submit_sm to the last receipt's deliver_sm_resp; service and centre share "
            "this machine's processors.",
            f"Checked: {count + WARM:,} a run, each submitted once and delivered; the ledger's audit found nothing.",
        ),
    )


def run_outgoing(kind: str, count: int, say: Say) -> Sent:
    """Fill an outbox, let it go, check the work. Raises RuntimeError."""
    total = WARM + count
    with contextlib.ExitStack() as stack:
        url, database = stack.enter_context(fresh_database(kind))
        centre = stack.enter_context(piped("bench.outgoing"))
        text = provisioning(centre_port=centre.port, partner_port=_NO_PORT, receipts=True)
        _provision(database, text.replace(_LINK, f"{_LINK}enabled = false\n"))
        say(f"outgoing, {kind}: {total:,} MT into the outbox")
        queue_mts(database, total)
        service = ServiceProcess(url)
        stack.callback(service.stop)
        watched = {"service": [service.pid], "centre": [centre.pid]}
        if kind == "mariadb":
            process = services.mariadb().process
            assert process is not None
            watched["database"] = [process.pid]
        _provision(database, text.replace(_LINK, f"{_LINK}enabled = true\n"))
        answer = centre.ask(asdict(Order(warm=WARM, count=count, watched=watched)), say)
        facts, commits = service.metric("tollbridge_facts"), service.metric("tollbridge_commits")
        peak = resident(service.pid, "VmHWM")
        service.stop()
        if answer["submitted"] != total:
            raise RuntimeError(f"{kind}: {answer['submitted']} were submitted of {total}")
        _check(kind, database, total, service)
        usage = {name: Usage(**one) for name, one in answer["usage"].items()}
        return Sent(**{**answer, "usage": usage}, batch=facts / commits, peak=peak)


def _provision(database: Database, text: str) -> None:
    load(database, text, "bench", SystemClock().now(), Keyring(KEY))


def _check(kind: str, database: Database, total: int, service: ServiceProcess) -> None:
    """Every MT once at the operator, every receipt joined. Raises RuntimeError."""
    mt, kept = schema.Mt, schema.Receipt
    with database.read() as connection:
        states = connection.execute(sa.select(mt.state, sa.func.count()).group_by(mt.state)).all()
        twice = connection.execute(sa.select(sa.func.count()).select_from(mt).where(mt.maybe_twice)).scalar_one()
        unknown = connection.execute(sa.select(sa.func.count()).select_from(kept)).scalar_one()
        catalogue = read_catalogue(connection, Keyring(KEY))
        findings = [finding for _, found in audit(connection, catalogue) for finding in found]
    counts = {MtState(state).name: count for state, count in states}
    if counts.get("DELIVERED", 0) != total or unknown or findings or twice:
        lines = [
            f"{counts}; {unknown} receipts kept; {twice} perhaps twice",
            *map(str, findings[:5]),
            service.log()[-2000:],
        ]
        raise RuntimeError(f"{kind}: wrong work was measured\n" + "\n".join(lines))


# --- the message centre ---------------------------------------------------------------------------------------


class _Meter:
    """Reads clock and CPU at both edges."""

    def __init__(self, centre: PocketSmsc) -> None:
        self.centre = centre
        self.submitted = self.receipts = 0
        self.seconds = self.busy = 0.0
        self.usage: dict[str, Usage] = {}
        self._order = Order(warm=0, count=0, watched={})
        self._began = 0.0
        self._before: dict[str, Usage] = {}
        self._all_before = Usage()
        centre.on_submitted = self._on_submitted
        centre.on_answered = self._on_answered

    async def run(self, order: Order) -> Sent:
        """Until every receipt is acknowledged."""
        if self.submitted >= order.warm:
            raise RuntimeError("they came before the order did")
        self._order = order
        total = order.warm + order.count
        while self.receipts < total:
            goal = min(total, self.receipts + max(1, total // 20))
            try:
                async with asyncio.timeout(STALL_S):
                    await self.centre.until(partial(self._has, goal))
            except TimeoutError:
                raise RuntimeError(f"{self.receipts} of {total} receipts, not {goal} in {STALL_S:.0f} s") from None
            tell({"progress": f"outgoing: {self.receipts:,} of {total:,}"})
        return Sent(
            count=order.count,
            seconds=self.seconds,
            usage=self.usage,
            submitted=self.submitted,
            receipts=self.receipts,
            busy=self.busy,
        )

    def _has(self, goal: int) -> bool:
        return self.receipts >= goal

    def _on_submitted(self, mt: SeenMt) -> None:
        self.submitted += 1
        if self.submitted == self._order.warm:
            self._before, self._all_before = self._read(), usage_of_all()
            self._began = time.perf_counter()

    def _on_answered(self, job: Job, status: int) -> None:
        self.receipts += job.mt is not None and not status
        if self.receipts == self._order.warm + self._order.count and not self.seconds:
            self.seconds = time.perf_counter() - self._began
            self.usage = {name: after - self._before[name] for name, after in self._read().items()}
            self.busy = (usage_of_all() - self._all_before).cpu_s / self.seconds / (os.cpu_count() or 1)

    def _read(self) -> dict[str, Usage]:
        return {name: usage_of(*pids) for name, pids in self._order.watched.items()}


async def _serve() -> None:
    logs.set_up(level="error")
    clock = SystemClock()
    centre = PocketSmsc(clock, Random(0), quirks=Quirks(window=WINDOW), subscribers=Subscribers(), keep=False)
    meter = _Meter(centre)
    listener = listen(Address("127.0.0.1", 0), centre.accept, clock)
    tell({"port": listener.port})
    order: dict[str, Any] = json.loads(await asyncio.to_thread(sys.stdin.readline))
    sent = asdict(await meter.run(Order(**order)))
    tell({name: sent[name] for name in ("count", "seconds", "usage", "submitted", "receipts", "busy")})
    await asyncio.to_thread(sys.stdin.readline)
    await listener.close(abort=True)


if __name__ == "__main__":
    loop.run(_serve)
