"""What a transaction of the journal costs, by the number of facts in it: a fixed part, and one for each fact.

bench_commits   the three facts of a message, in batches of 1 to 100, in this thread → Section

CPU of this thread: waiting for the disk, and MariaDB's own work, are not in it. At fixed rates batches are small and
the fixed part is what is paid; on a flood they are large.
"""

import time
from collections.abc import Callable, Sequence

from bench.setting import DATABASES, KEY, fresh_database, provisioning
from bench.table import Section
from core.catalogue import Catalogue
from core.ids import Ids
from core.message import Answer, Mo, Mt, MtState, Outcome
from fraud.counters import MemoryCounts
from plumbing.clock import SystemClock
from store import processes
from store.database import Database
from store.journal import CallbackFact, CallbackState, Fact, Journal, MoFact, MtFact
from store.provisioning import load
from store.secrets import Keyring
from store.snapshot import read_catalogue
from traffic.settle import Book, Settler

SIZES = (1, 3, 10, 30, 100)
_DAY_MS = 86_400_000
_LEASE_MS = 30_000


class Desk:
    """A journal on a fresh database, and messages to write."""

    def __init__(self, database: Database, *, tiers: int = 2) -> None:
        self._clock = clock = SystemClock()
        text = provisioning(centre_port=1, partner_port=2, tiers=tiers)
        load(database, text, "bench", clock.now(), Keyring(KEY))
        with database.read() as connection:
            self._catalogue: Catalogue = read_catalogue(connection, Keyring(KEY))
        me = processes.register(database, roles="bench", now=clock.now())
        self._ids = Ids(me.slot, after=me.after)
        settler = Settler(
            Book.of(self._catalogue),
            MemoryCounts(),
            self._ids,
            clock,
            holds=lambda operator_id: True,
            is_crowded=lambda partner_id: False,
            probe=lambda: None,
        )
        self._journal = Journal(database, settler, process_id=me.id, ids=self._ids, clock=clock, lease_ms=_LEASE_MS)
        self._written = 0

    def microseconds(self, size: int, times: int) -> tuple[float, float, float]:
        """CPU of a transaction with so many arrivals, results of calls, submissions; the mean."""
        spent = [0.0, 0.0, 0.0]
        for _ in range(times):
            arrivals = [self._arrival() for _ in range(size)]
            spent[0] += self._write(arrivals)
            calls = [self._call(fact) for fact in arrivals]
            spent[1] += self._write(calls)
            spent[2] += self._write([self._move(fact) for fact in calls])
        arrival, call, move = (1e6 * one / times for one in spent)
        return arrival, call, move

    def arrive(self, size: int, times: int) -> tuple[float, float]:
        """(wall, CPU of this thread) in seconds of so many transactions with so many arrivals each."""
        batches = [[self._arrival() for _ in range(size)] for _ in range(times)]
        begun, cpu = time.monotonic(), time.thread_time()
        for batch in batches:
            self._journal.write(batch)
        return time.monotonic() - begun, time.thread_time() - cpu

    def whole(self, size: int, times: int) -> tuple[float, float]:
        """The same of messages from their arrival to the submission of their replies: three transactions for each."""
        wall, cpu = 0.0, 0.0
        for _ in range(times):
            arrivals = [self._arrival() for _ in range(size)]
            begun, own = time.monotonic(), time.thread_time()
            self._journal.write(arrivals)
            calls = [self._call(fact) for fact in arrivals]
            self._journal.write(calls)
            self._journal.write([self._move(fact) for fact in calls])
            wall += time.monotonic() - begun
            cpu += time.thread_time() - own
        return wall, cpu

    def _write(self, facts: Sequence[Fact]) -> float:
        begun = time.thread_time()
        self._journal.write(facts)
        return time.thread_time() - begun

    def _arrival(self) -> MoFact:
        self._written += 1
        now, number = self._clock.now(), self._written
        link = self._catalogue.links["alpha-1"]
        operator = self._catalogue.operators["alpha"]
        source = f"7900{number:07d}"
        mo = Mo(self._ids.next(now), link.name, link.id, operator, source, "4446", "GAME 7", 1, now, number)
        return MoFact(mo, link)

    def _call(self, fact: MoFact) -> CallbackFact:
        now, mo, job = self._clock.now(), fact.mo, fact.job
        assert job is not None, fact
        job.attempt = 1
        reply = Mt(
            self._ids.next(now), mo.link, mo.link_id, mo.operator.id, mo.short_code, mo.source, "thank you", 1, now,
            mo.id, job.partner_id, MtState.SUBMITTING, now + _DAY_MS,
        )  # fmt: skip
        answer = Answer(Outcome.ANSWERED, "thank you", status=200)
        return CallbackFact(job, answer, CallbackState.ANSWERED, now, None, reply)

    def _move(self, fact: CallbackFact) -> MtFact:
        assert fact.reply is not None, fact
        fact.reply.keys = [str(fact.reply.id)]
        return MtFact(fact.reply, MtState.SUBMITTED, self._clock.now())


def bench_commits(say: Callable[[str], None], *, quick: bool) -> Section:
    """Microseconds of CPU by batch size, on both databases."""
    rows: list[tuple[str, ...]] = []
    for kind in DATABASES:
        with fresh_database(kind) as (_, database):
            desk = Desk(database)
            desk.microseconds(10, 20)
            for size in SIZES:
                say(f"{kind}: transactions of {size}")
                spent = desk.microseconds(size, (300 if quick else 1500) // (size + 4))
                rows.append((kind, str(size), *(f"{one:.0f}" for one in spent), f"{sum(spent) / size:.0f}"))
    return Section(
        "journal",
        "Journal: CPU of a transaction by the number of facts in it (the client's side)",
        ("database", "facts", "arrivals µs", "results of calls µs", "submissions µs", "three, a message µs"),
        tuple(rows),
        ("A message is one of each. SQLite works in this thread, so its own work is in; MariaDB's is not.",),
    )
