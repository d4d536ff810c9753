"""The journal: one transaction for a batch of facts of any kind.

facts     what can be made durable
rows      facts → rows
repeats   telling a redelivery from a new message
booking   counters locked, charges rated, one entry
outgoing  calls to partners, MT and their moves
charging  outgoing SMS and money; premium, those that the subscriber pays
receipts  receipts find their MT
asked     what else a centre said that was asked
ordered   a person's word on an MT: cancelled, taken back; replaced, with another text; became, what is judged
overdue   MT whose time is over
alerts    limits that ask a person to look, once in a window

The order inside the transaction is billing.md 12: doubts; repeats; decide; lock and rate; insert; counters; the rest.

Rule: nothing is acknowledged before `Journal.write` has returned. A batch is written whole or not at all.
"""

from collections.abc import Sequence
from functools import partial
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import Clock, Instant
from core.errors import StoreAway
from core.ids import Ids
from core.ledger.entry import ChargeState
from core.message import Mt, MtKind
from core.report import Sums, sums_of
from store import schema
from store.accounts import Accounts
from store.bulk import bulk_insert, insert_ignore
from store.daily import slot_of, write_sums
from store.database import Database, is_conflict
from store.journal import asked, booking, ordered, outgoing, overdue, receipts, repeats, waiting
from store.journal.alerts import LimitAlerts
from store.journal.charging import Charging
from store.journal.facts import (
    AlertFact,
    AskedFact,
    CallbackFact,
    CallbackState,
    Decider,
    DoubtFact,
    Fact,
    MoFact,
    Moved,
    MtFact,
    NewMtFact,
    OrderFact,
    OrderHow,
    OverdueFact,
    PartFact,
    ReceiptFact,
    RepeatFact,
    SessionFact,
    StrandedFact,
)
from store.journal.rows import (
    ALERT_COLUMNS,
    CALLBACK_COLUMNS,
    CORRECTION_COLUMNS,
    MO_COLUMNS,
    PART_COLUMNS,
    REPEAT_COLUMNS,
    alert_row,
    charge_row,
    job_row,
    mo_row,
    part_row,
    placed_charges,
    repeat_row,
)
from store.pulse import show_life
from store.schema import Alert, Callback, InDoubt, Mo, MoPart, MoRepeat

__all__ = [
    "AlertFact",
    "AskedFact",
    "CallbackFact",
    "CallbackState",
    "Decider",
    "DoubtFact",
    "Fact",
    "Journal",
    "MoFact",
    "MtFact",
    "NewMtFact",
    "OrderFact",
    "OrderHow",
    "OverdueFact",
    "PartFact",
    "ReceiptFact",
    "RepeatFact",
    "SessionFact",
    "StrandedFact",
]

F = TypeVar("F")
CONFLICTS_MAX = 8
CONFLICTS_MS = 3_000
"""How often, and for how long, a batch is repeated that others stand in the way of, before it counts as an outage: the
operators' time-outs are not much longer."""


class Journal:
    """Writes batches; used by one thread. `lease_ms` is how long a job that it hands out is ours."""

    def __init__(
        self, database: Database, decider: Decider, *, process_id: int, ids: Ids, clock: Clock, lease_ms: int
    ) -> None:
        self._database = database
        self._decider = decider
        self._process_id = process_id
        self._ids = ids
        self._clock = clock
        self._lease_ms = lease_ms
        self._accounts = Accounts()
        self._charging = Charging(self._accounts, ids.next)
        self._alerts = LimitAlerts()
        self._batch = 0
        self._counted: list[int] = []
        self._sums: Sums = {}

    def write(self, facts: Sequence[Fact]) -> None:
        """Make a batch durable. Raises StoreAway when the database is away; with `in_doubt`, ask `resolve`.

        Raises Buried when another process took us for dead: nothing of ours is written any more.
        """
        until_ms = self._clock.monotonic_ms() + CONFLICTS_MS
        for attempt in range(1, CONFLICTS_MAX + 1):
            self._counted = []
            for fact in facts:
                _forget(fact)
            self._batch += 1
            try:
                with self._database.write() as connection:
                    self._write(connection, facts)
                    # The batch's number, in the same transaction: it tells the outcome of a COMMIT that ended in doubt.
                    # No id in it is ahead of the heartbeat: the next process goes on from there.
                    latest = max(self._clock.now(), self._ids.latest)
                    show_life(connection, self._process_id, latest, batch=self._batch)
                self._accounts.keep()
                self._alerts.keep()
                self._decider.keep(self._counted)
                return
            except BaseException as error:
                self._accounts.forget()
                self._alerts.forget()
                if not (isinstance(error, StoreAway) and error.in_doubt):
                    self._decider.take_back(self._counted)
                if not is_conflict(error):
                    raise
                if attempt == CONFLICTS_MAX or self._clock.monotonic_ms() >= until_ms:
                    raise StoreAway(
                        f"{self._database.name}: others hold locks, or a backup does; we try again"
                    ) from error

    def _write(self, connection: Connection, facts: Sequence[Fact]) -> None:
        now = self._clock.now()
        self._sums = {}
        for fact in facts:
            if isinstance(fact, SessionFact):
                repeats.doubt_session(connection, fact, self._process_id)
            elif isinstance(fact, DoubtFact):
                repeats.doubt_messages(connection, fact)
        arrivals = [fact for fact in facts if isinstance(fact, MoFact | PartFact)]
        if arrivals:
            self._write_arrivals(connection, arrivals, now)
        if calls := _of(facts, CallbackFact):
            outgoing.write_callbacks(connection, calls, self._process_id)
        if new := _of(facts, NewMtFact):
            outgoing.write_new_mts(connection, new, self._process_id, partial(self._begin, connection))
        told: list[Moved] = []
        if moves := _of(facts, MtFact):
            told += outgoing.write_moves(connection, moves, self._process_id)
        if came := _of(facts, ReceiptFact):
            told += receipts.write_receipts(connection, came)
        for stranded in _of(facts, StrandedFact):
            told += waiting.write_stranded(connection, stranded.ids)
        if said := _of(facts, AskedFact):
            asked.write_asked(connection, said)
        if orders := _of(facts, OrderFact):
            told += ordered.write_ordered(connection, orders, self._process_id)
        if over := _of(facts, OverdueFact):
            # Behind the receipts: one that comes in the same batch was in time.
            told += overdue.end_overdue(connection, over)
        if told:
            self._charging.settle(connection, told, self._decider.catalogue(), self._sums)
        known = [repeat_row(fact, self._process_id) for fact in _of(facts, RepeatFact)]
        if known:
            bulk_insert(connection, MoRepeat, REPEAT_COLUMNS, known)
        alerts = _of(facts, AlertFact)
        if alerts:
            bulk_insert(connection, Alert, ALERT_COLUMNS, [alert_row(alert) for alert in alerts])
        # Last: other processes may wait for these rows.
        write_sums(connection, self._sums, slot_of(self._process_id))

    def _begin(self, connection: Connection, new: Sequence[NewMtFact]) -> None:
        if any(fact.mt.kind is not MtKind.FREE for fact in new):
            self._charging.begin(connection, new, self._decider.catalogue(), self._sums)

    def _write_arrivals(self, connection: Connection, arrivals: Sequence[MoFact | PartFact], now: Instant) -> None:
        repeats.tell(connection, arrivals, now, self._clock.monotonic_ms())
        came_again = [
            repeat_row(fact, self._process_id) for fact in arrivals if fact.repeat_of and fact.delivery is not None
        ]
        if came_again:
            bulk_insert(connection, MoRepeat, REPEAT_COLUMNS, came_again)
        parts = [part_row(fact, self._process_id) for fact in _of(arrivals, PartFact) if not fact.repeat_of]
        if parts:
            bulk_insert(connection, MoPart, PART_COLUMNS, parts)
        new = [fact for fact in _of(arrivals, MoFact) if not fact.repeat_of]
        if new:
            self._counted = [fact.mo.id for fact in new]
            self._write_new(connection, new, now)

    def _write_new(self, connection: Connection, new: Sequence[MoFact], now: Instant) -> None:
        catalogue = self._decider.decide(new)
        charges = booking.rate_batch(connection, self._accounts, new, catalogue)
        entry_id = self._ids.next(now)
        if any(charge.state == ChargeState.POSTED for charge in charges):
            booking.write_entry(connection, self._accounts, charges, entry_id=entry_id, at=now)
        process_id = self._process_id
        bulk_insert(connection, Mo, MO_COLUMNS, [mo_row(fact, process_id, entry_id) for fact in new])
        self._write_corrections(connection, new, entry_id, now)
        sums_of(placed_charges(new), entry_id, self._sums)
        jobs = []
        replies: list[Mt] = []
        spoken = []
        for fact in new:
            job = fact.job = self._decider.job(fact)
            if job is not None:
                is_left = self._decider.is_crowded(job.partner_id)
                jobs.append(job_row(fact, process_id, fact.mo.accepted_at if is_left else now + self._lease_ms))
            if fact.reply is not None:
                replies.append(fact.reply)
            settlement = fact.settlement
            if settlement is not None and settlement.verdict.alerts:
                spoken += [(alert, fact.mo) for alert in settlement.verdict.alerts]
            if fact.joined:
                connection.execute(sa.update(MoPart).where(MoPart.id.in_(fact.joined)).values(mo_id=fact.mo.id))
        if jobs:
            bulk_insert(connection, Callback, CALLBACK_COLUMNS, jobs)
        outgoing.insert_mts(connection, replies, process_id)
        if spoken:
            self._alerts.write(connection, spoken, now)

    def _write_corrections(self, connection: Connection, new: Sequence[MoFact], entry_id: int, now: Instant) -> None:
        rows = []
        for fact in new:
            for charge in fact.charges[1:]:
                own = charge_row(charge, entry_id)
                rows.append(
                    (self._ids.next(now), fact.mo.id, int(charge.kind), fact.mo.operator.id, fact.mo.accepted_at, *own)
                )
        if rows:
            bulk_insert(connection, schema.Charge, CORRECTION_COLUMNS, rows)

    def resolve(self, doubtful: Sequence[Fact], refused: Sequence[Fact]) -> bool:
        """Whether the last batch, whose commit ended in doubt, is there after all.

        `refused` are those of its facts whose bringers got a temporary error: the operators will send theirs again, so
        they are in doubt; and their work is in nobody's memory, so it is due in the database. With no facts it only
        asks whether the database, and the counts, are there. Raises StoreAway when they are not; Buried as `write`.
        """
        self._decider.probe()
        now = self._clock.now()
        with self._database.write() as connection:
            # A change, though of nothing: a database that may only be read is still away.
            show_life(connection, self._process_id, now)
            last = connection.execute(
                sa.select(schema.Process.last_batch).where(schema.Process.id == self._process_id)
            ).scalar()
            written = bool(doubtful) and last == self._batch
            if written:
                arrivals = [fact for fact in refused if isinstance(fact, MoFact | PartFact)]
                rows = [
                    (fact.operator_id, fact.fingerprint, fact.repeat_of or fact.id, "commit", now)
                    for fact in arrivals
                    if fact.fingerprint and not fact.key
                ]
                insert_ignore(connection, InDoubt, repeats.IN_DOUBT_COLUMNS, rows)
                ids = {fact.id for fact in arrivals} | {fact.mt.id for fact in _of(refused, NewMtFact)}
                outgoing.let_go(connection, ids, now, self._process_id)
        if written:
            self._decider.keep(self._counted)
        elif doubtful:
            self._decider.take_back(self._counted)
        return written


def _of(facts: Sequence[object], kind: type[F]) -> list[F]:
    return [fact for fact in facts if isinstance(fact, kind)]


def _forget(fact: Fact) -> None:
    """What a batch that was rolled back had filled in."""
    if isinstance(fact, MoFact | PartFact):
        fact.repeat_of = 0
        fact.why = ""
        fact.doubted = False
        fact.original_waits = False
    if isinstance(fact, MoFact):
        fact.settlement = None
        fact.charges = []
        fact.job = fact.reply = None
    elif isinstance(fact, NewMtFact):
        fact.refused = ""
    elif isinstance(fact, CallbackFact):
        fact.stored = False
    elif isinstance(fact, OrderFact):
        fact.outcome = fact.result = ""
