"""The month's end: how long a month of many charges takes to close, and how long intake waits for it.

bench_closing   a month on each database: closed, and looked at by the audit's L11 and L12 → Section

The month is made by the journal's own functions, in entries of 500 messages, so that the audit finds nothing in it: 200
partners of unequal size on graduated and on volume plans with three tiers, a tenth of them referred, a hold-back of 14
days, some messages held, some charged back. All postings are folded, as the background job has them after a minute.

Beside the closing a small transaction asks every few milliseconds which month is open, as every batch does: the longest
that it waited is what intake feels.
"""

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from bench.setting import DATABASES, fresh_database
from bench.table import Section
from core.catalogue import Catalogue, ReferralTerms, Service
from core.clock import DAY_MS, Instant, month_end, month_start
from core.ids import Ids
from core.ledger.corrections import Corrected
from core.message import Action, Mo, Route, Settlement, Verdict
from core.report import sums_of
from core.tariff.charge import ChargeState
from store import processes, schema
from store.accounts import Accounts
from store.audit import audit
from store.books import Act
from store.bulk import bulk_insert
from store.closing import MonthClosed, close
from store.corrections import Messages
from store.daily import write_sums
from store.database import Database
from store.desk import Desk
from store.folding import fold_some
from store.journal import MoFact
from store.journal.booking import first_open_month, rate_batch, write_entry
from store.journal.rows import CORRECTION_COLUMNS, MO_COLUMNS, charge_row, mo_row
from store.schema import Mo as MoTable
from tests.makers import a_catalogue, a_link, a_partner, a_plan, a_tariff, an_operator

MONTH = 202610
MESSAGES, QUICK = 1_000_000, 100_000
PARTNERS, OPERATORS, CODES = 200, 3, 5
BATCH = 500
AT_ONCE = 10
"""Batches in one transaction, while the month is made."""
HELD = Verdict(Action.HOLD)
PASSED = Verdict()
TIERS = (("0", "0.60"), ("2000", "0.65"), ("20000", "0.70"))


class StillClock:
    """A moment that is set by hand."""

    def __init__(self, now: Instant) -> None:
        self.moment = now

    def now(self) -> Instant:
        return self.moment

    def monotonic_ms(self) -> int:
        return self.moment


def a_market() -> Catalogue:
    """Partners on two plans, operators, short codes."""
    plans = []
    for number, mode in enumerate(("graduated", "volume"), 1):
        plan = a_plan(mode, id=number, mode=mode, tiers=TIERS)
        plans.append(replace(plan, versions=tuple(replace(one, hold_days=14) for one in plan.versions)))
    partners = []
    for number in range(1, PARTNERS + 1):
        terms = (ReferralTerms(number, "p1", 100_000, 0, 0, None),) if number % 10 == 0 else ()
        partners.append(a_partner(f"p{number}", id=number, plan=plans[number % 2].name, referral=terms))
    operators = [an_operator(f"op{number}", id=number) for number in range(1, OPERATORS + 1)]
    tariffs = [
        a_tariff(id=operator.id * 100 + code, short_code=str(4440 + code), operator=operator.code)
        for operator in operators
        for code in range(CODES)
    ]
    links = [a_link("l1", operator="op1")]
    return a_catalogue(operators=operators, links=links, tariffs=tariffs, plans=plans, partners=partners)


class Month:
    """A month of messages, written in batches."""

    def __init__(self, database: Database, messages: int) -> None:
        self.database = database
        self.catalogue = a_market()
        self.clock = StillClock(month_start(MONTH))
        self._messages = messages
        self._accounts = Accounts()
        self._random = random.Random(7)
        me = processes.register(database, roles="bench", now=self.clock.now())
        self._ids, self._process_id = Ids(me.slot, after=me.after), me.id
        self._partners = [f"p{number}" for number in range(1, PARTNERS + 1)]
        self._weights = [1 / number for number in range(1, PARTNERS + 1)]
        self._operators = list(self.catalogue.operators.values())

    def make(self, say: Callable[[str], None]) -> None:
        """All of it, charge-backs and folding too."""
        step = (month_end(MONTH) - month_start(MONTH)) // (self._messages // BATCH + 1)
        some: list[int] = []
        for done in range(0, self._messages, BATCH * AT_ONCE):
            say(f"{self.database.dialect}: {done} messages of {self._messages}")
            with self.database.write() as connection:
                for _ in range(min(AT_ONCE, (self._messages - done) // BATCH)):
                    self.clock.moment += step
                    some.append(self._write(connection))
            self._accounts.keep()
        self._charge_back(some)
        self.clock.moment = month_end(MONTH) + 2 * DAY_MS
        while fold_some(self.database, self.clock.now()):
            say(f"{self.database.dialect}: folding")

    def desk(self) -> Desk:
        """A desk of people's."""
        me = processes.register(self.database, roles="desk", now=self.clock.now())
        return Desk(self.database, lambda: self.catalogue, self.clock, Ids(me.slot, after=me.after), me.id)

    def _write(self, connection: sa.Connection) -> int:
        """One batch, as the journal writes it; the id of one of its messages."""
        now = self.clock.now()
        facts = [self._fact(partner, now) for partner in self._random.choices(self._partners, self._weights, k=BATCH)]
        charges = rate_batch(connection, self._accounts, facts, self.catalogue)
        entry_id = self._ids.next(now)
        write_entry(connection, self._accounts, charges, entry_id=entry_id, at=now)
        bulk_insert(connection, MoTable, MO_COLUMNS, [mo_row(fact, self._process_id, entry_id) for fact in facts])
        placed = []
        jumps = []
        for fact in facts:
            mo = fact.mo
            place = (mo.operator.id, mo.short_code, 0, mo.parts)
            placed += [(place, charge, mo.id) for charge in fact.charges]
            for charge in fact.charges[1:]:
                own = charge_row(charge, entry_id)
                jumps.append((self._ids.next(now), mo.id, int(charge.kind), mo.operator.id, now, *own))
        if jumps:
            bulk_insert(connection, schema.Charge, CORRECTION_COLUMNS, jumps)
        write_sums(connection, sums_of(placed, entry_id), 0)
        return facts[0].mo.id

    def _fact(self, partner: str, now: Instant) -> MoFact:
        chance = self._random.random()
        operator = self._operators[int(chance * 1000) % OPERATORS]
        code = str(4440 + int(chance * 10_000) % CODES)
        mo = Mo(self._ids.next(now), "l1", 1, operator, "79001112233", code, "GAME 7", 1, now, 0)
        fact = MoFact(mo, self.catalogue.links["l1"])
        route = Route(Service(0, partner, "game", "http_get"), self.catalogue.prefixes[1], "7")
        fact.settlement = Settlement(mo, route, HELD if chance < 0.005 else PASSED, "")
        return fact

    def _charge_back(self, ids: list[int]) -> None:
        """A message of every batch is taken back, in acts of 500."""
        desk = self.desk()
        for start in range(0, len(ids), BATCH):
            some = ids[start : start + BATCH]

            def act(connection: sa.Connection, some: list[int] = some) -> None:
                messages = Messages(connection, desk.books.accounts, self.catalogue, at=desk.now())
                messages.load(some)
                messages.lock(some)
                done = [messages.charge_back(id_) for id_ in some]
                charges = [one for found in done if isinstance(found, Corrected) for one in found.charges]
                details = [one for found in done if isinstance(found, Corrected) for one in found.details]
                what = Act(f"back:{some[0]}", "charge_back", f"{some}", desk.now())
                desk.books.book(connection, what, charges=charges, details=details)
                messages.close()

            desk.run(act)


def bench_closing(say: Callable[[str], None], *, quick: bool) -> Section:
    """A month on both databases."""
    messages = QUICK if quick else MESSAGES
    rows: list[tuple[str, ...]] = []
    for kind in DATABASES:
        with fresh_database(kind) as (_, database):
            month = Month(database, messages)
            month.make(say)
            say(f"{kind}: closing")
            rows.append((kind, *_measured(month)))
    return Section(
        "closing",
        f"Closing a month of {messages:,} messages of {PARTNERS} partners".replace(",", " "),
        (
            "database",
            "charges",
            "close s",
            "of it alone s",
            "longest wait of a batch s",
            "statements",
            "lines",
            "audit s",
        ),
        tuple(rows),
        (
            "«Of it alone» is the one transaction that nobody books beside; the rest is read beside the service.",
            "«Audit» is what `tollbridge check` asks of such a database: L1 to L12 and more, every row made again.",
            "Aims for 1 000 000 messages: closed in 60 s, audited in 60 s.",
        ),
    )


def _measured(month: Month) -> tuple[str, ...]:
    desk = month.desk()
    alone = [0.0]
    run = desk.run

    def timed(work: Callable[[sa.Connection], Any]) -> Any:
        begun = time.perf_counter()
        try:
            return run(work)
        finally:
            alone[0] += time.perf_counter() - begun

    desk.run = timed  # type: ignore[method-assign]
    with _asking(month.database) as waits:
        begun = time.perf_counter()
        closed: MonthClosed = close(desk, MONTH, "bench")
        took = time.perf_counter() - begun
    with month.database.read() as connection:
        posted = int(ChargeState.POSTED)
        charges = sum(
            connection.execute(
                sa.select(sa.func.count()).select_from(table).where(table.charge_state == posted)
            ).scalar_one()
            for table in (schema.Mo, schema.Charge)
        )
    lines = sum(len(one.lines) for one in closed.statements)
    return (
        str(charges), f"{took:.1f}", f"{alone[0]:.2f}", f"{max(waits):.2f}", str(len(closed.statements)), str(lines),
        f"{_audited(month):.1f}",
    )  # fmt: skip


def _audited(month: Month) -> float:
    """How long the audit takes. Raises when it finds what is not of a month without jobs: they are not made here."""
    begun = time.perf_counter()
    with month.database.read() as connection:
        found = [one for _, findings in audit(connection, month.catalogue) for one in findings]
    took = time.perf_counter() - begun
    if found:
        raise RuntimeError(f"the books are wrong: {found[0]}")
    return took


@contextlib.contextmanager
def _asking(database: Database) -> Iterator[list[float]]:
    """Who asks which month is open, again and again; how long each took, to its commit."""
    waits: list[float] = []
    ends = threading.Event()

    def ask() -> None:
        while not ends.wait(0.01):
            begun = time.perf_counter()
            with database.write() as connection:
                first_open_month(connection)
            waits.append(time.perf_counter() - begun)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield waits
    finally:
        ends.set()
        thread.join()
