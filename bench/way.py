"""The whole way: MO accepted durably, routed, charged, dispatched by HTTP, answered by MT. One service process.

bench_way   floods, fixed rates, a flood with receipts on one database → Section, and the flood
run_way     any stages → Run
running     service, load and partner for the time of a block, on a fresh database → Rig
check       after the service has stopped: every count, and the audit

The service, the load and the partner are three processes. Every MO is of another subscriber ("GAME 7"), so its fraud
limit is asked each time; each call is signed; each reply is one submit_sm.

Rule: no figure of a run whose counts or audit are wrong is shown: check() raises.
"""

import contextlib
import sys
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace

import sqlalchemy as sa

from bench.load import Measured, Stage
from bench.processes import Piped, piped, resident
from bench.setting import KEY, fresh_database, provisioning, write_configuration
from bench.table import Section, middle
from core.message import MtState
from plumbing.clock import SystemClock
from store import schema
from store.audit import audit
from store.database import Database
from store.provisioning import load
from store.secrets import Keyring
from store.snapshot import read_catalogue
from tests import services

Say = Callable[[str], None]
RATES = (200, 500, 1000)
AIM_US = 300


@dataclass(frozen=True, slots=True)
class Run:
    """The stages of one run, and the most memory that the service had."""

    database: str
    stages: tuple[Measured, ...]
    peak: int
    batches: tuple[float, ...]
    """Facts a commit, of each stage."""


class ServiceProcess(services.Server):
    """`python -m bench.service`, in a folder of its own."""

    def __init__(self, database_url: str) -> None:
        super().__init__("service")
        self._configuration = self.folder / "tollbridge.toml"
        write_configuration(self._configuration, database_url=database_url, api_port=self.port)
        self.start()

    def command(self) -> list[str]:
        return [sys.executable, "-m", "bench.service", str(self._configuration)]

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def metric(self, name: str) -> float:
        """One of its counters."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        return next(float(line.split()[1]) for line in lines if line.split()[0] in {name, f"{name}_total"})

    def log(self) -> str:
        """What it wrote."""
        return (self.folder / "log").read_text(errors="replace")


@dataclass(slots=True)
class Rig:
    """What runs, and how much was sent."""

    kind: str
    database: Database
    service: ServiceProcess
    load: Piped
    partner: Piped
    receipts: bool
    sent: int = 0
    batches: list[float] = field(default_factory=list)

    def run(self, stage: Stage, say: Say) -> Measured:
        """Run a stage; the service's CPU is read, and MariaDB's."""
        watched = {"service": [self.service.pid], "load": [self.load.pid], "partner": [self.partner.pid]}
        if self.kind == "mariadb":
            process = services.mariadb().process
            assert process is not None
            watched["database"] = [process.pid]
        facts, commits = self._journal()
        measured = Measured.of(self.load.ask(asdict(replace(stage, watched=watched)), say))
        facts_now, commits_now = self._journal()
        self.batches.append((facts_now - facts) / (commits_now - commits))
        self.sent += measured.total
        return measured

    def _journal(self) -> tuple[float, float]:
        return self.service.metric("tollbridge_facts"), self.service.metric("tollbridge_commits")


@contextlib.contextmanager
def running(kind: str, *, receipts: bool = False, limited: bool = True) -> Iterator[Rig]:
    """Everything that a measurement needs, on a fresh database; nothing is left behind."""
    with contextlib.ExitStack() as stack:
        url, database = stack.enter_context(fresh_database(kind))
        partner = stack.enter_context(piped("bench.partner"))
        centre = stack.enter_context(piped("bench.load"))
        ports = {"centre_port": centre.port, "partner_port": partner.port}
        text = provisioning(**ports, receipts=receipts, limited=limited)
        load(database, text, "bench", SystemClock().now(), Keyring(KEY))
        service = ServiceProcess(url)
        stack.callback(service.stop)
        yield Rig(kind, database, service, centre, partner, receipts)


def run_way(kind: str, stages: Sequence[Stage], say: Say, *, receipts: bool = False) -> Run:
    """Run the stages one after the other, stop the service, check its work."""
    with running(kind, receipts=receipts) as rig:
        measured = tuple(rig.run(stage, say) for stage in stages)
        peak = resident(rig.service.pid, "VmHWM")
        rig.service.stop()
        say(f"{kind}: checking the counts and the ledger")
        check(rig)
    return Run(kind, measured, peak, tuple(rig.batches))


def floods(*, quick: bool) -> list[Stage]:
    """The flood, three times; the first warms up."""
    count = 3_000 if quick else 10_000
    return [Stage(name="flood", warm=500 if place else count // 2, count=count, tail=500) for place in range(3)]


def rates(*, quick: bool) -> list[Stage]:
    """The fixed rates."""
    seconds, warm_s = (4, 1) if quick else (12, 2)
    return [Stage(name=f"{rate}/s", rate=rate, warm=rate * warm_s, count=rate * seconds) for rate in RATES]


def bench_way(kind: str, say: Say, *, quick: bool) -> tuple[Section, Measured]:
    """The floods, the fixed rates, a flood with receipts; the middle flood, for who compares."""
    run = run_way(kind, [*floods(quick=quick), *rates(quick=quick)], say)
    receipts = run_way(kind, [replace(stage, receipts=True) for stage in floods(quick=quick)], say, receipts=True)
    flood, more = middle(run.stages[:3]), middle(receipts.stages)
    batch_of = dict(zip(map(id, run.stages + receipts.stages), run.batches + receipts.batches))
    shown = [("flood, window 100", flood), *((one.name, one) for one in run.stages[3:]), ("flood, with receipts", more)]
    names = {"sqlite": "SQLite (WAL, synchronous=FULL)", "mariadb": "MariaDB (default durability)"}
    sent = sum(one.total for one in run.stages + receipts.stages)
    columns, rows = [*COLUMNS, "facts a commit"], []
    for name, one in shown:
        rows.append([*row_of(name, one), f"{batch_of[id(one)]:.1f}"])
        if kind == "mariadb":
            rows[-1].append(f"{one.cpu_us('database'):.0f}")
    section = Section(
        f"way-{kind}",
        f"The whole way on {names[kind]}: accepted durably, routed, charged, dispatched by HTTP, answered by MT",
        (*columns, "server's CPU µs") if kind == "mariadb" else tuple(columns),
        tuple(map(tuple, rows)),
        (
            f"CPU of the service per message. Aims: {AIM_US} µs on the flood; at 500/s p50 < 5 ms, p99 < 50 ms.",
            "Others' CPU is what else ran on this machine: where it is much, the latencies are mostly its doing.",
            f"A message is three facts, with a receipt four. The service had {run.peak / 2**20:.0f} MiB at most.",
            f"Checked: {sent:,} messages charged, called and answered once each; the ledger's audit found nothing.",
        ),
    )
    return section, flood


COLUMNS = ("", "messages/s", "CPU µs", "user", "system", "p50 ms", "p99 ms", "worst ms", "others' CPU")


def row_of(name: str, one: Measured) -> tuple[str, ...]:
    """A load, by COLUMNS."""
    usage = one.usage["service"]
    return (
        name, f"{one.per_second:.0f}", f"{one.cpu_us('service'):.0f}", f"{usage.user_s / one.count * 1e6:.0f}",
        f"{usage.system_s / one.count * 1e6:.0f}", f"{one.p50_ms:.1f}", f"{one.p99_ms:.1f}", f"{one.worst_ms:.0f}",
        f"{100 * one.others:.0f} %",
    )  # fmt: skip


def check(rig: Rig) -> None:
    """Every message once, charged, called and answered; the audit finds nothing. Raises RuntimeError."""
    wanted = MtState.DELIVERED if rig.receipts else MtState.SUBMITTED
    mo, mt, job = schema.Mo, schema.Mt, schema.Callback
    with rig.database.read() as connection:
        counts = {
            "MO": _count(connection, mo),
            "charged MO": _count(connection, mo, mo.entry_id != 0),
            "calls answered": _count(connection, job, job.state == 1),
            f"MT {wanted.public}": _count(connection, mt, mt.state == int(wanted)),
            "MT": _count(connection, mt),
        }
        findings = [
            finding for _, found in audit(connection, read_catalogue(connection, Keyring(KEY))) for finding in found
        ]
    wrong = [f"{name}: {count} for {rig.sent} sent" for name, count in counts.items() if count != rig.sent]
    if wrong or findings:
        lines = [*wrong, *map(str, findings[:5]), rig.service.log()[-2000:]]
        raise RuntimeError(f"{rig.kind}: wrong work was measured\n" + "\n".join(lines))


def _count(connection: sa.Connection, table: type[schema.Base], *where: sa.ColumnElement[bool]) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(table).where(*where)).scalar_one())
