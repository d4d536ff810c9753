"""The batcher: what happens to facts while the database is away, refuses, hangs, or was written in doubt."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from core.errors import StoreAway, StoreError
from core.message import Receipt, ReceiptState
from plumbing.threads import InlineWriter
from store.journal import AlertFact, Fact, NewMtFact, OverdueFact, ReceiptFact
from tests.makers import NOON
from tests.traffic.desk import HandClock, an_mt
from tests.way.office import story
from traffic.commit import STUCK_MS, Batcher
from traffic.gather import RECEIPTS_MAX

pytestmark = pytest.mark.usefixtures("probes_at_once")


@dataclass
class Journal:
    """Says what it is told to, in order; then writes."""

    says: list[Exception] = field(default_factory=list)
    resolves: list[Exception | bool] = field(default_factory=list)
    written: list[Fact] = field(default_factory=list)
    batches: list[list[Fact]] = field(default_factory=list)
    outages: list[AlertFact] = field(default_factory=list)
    """Alerts of the batcher's own."""
    asked: int = 0

    def write(self, facts: Sequence[Fact]) -> None:
        if self.says:
            raise self.says.pop(0)
        self.batches.append(list(facts))
        for fact in facts:
            if isinstance(fact, AlertFact) and fact.kind == "outage":
                self.outages.append(fact)
            else:
                self.written.append(fact)

    def resolve(self, doubtful: Sequence[Fact], refused: Sequence[Fact]) -> bool:
        self.asked += 1
        said = self.resolves.pop(0) if self.resolves else False
        if isinstance(said, Exception):
            raise said
        return said


class Table:
    """A batcher and what it told."""

    def __init__(self, journal: Journal, run: Any = None) -> None:
        self.journal = journal
        self.clock = HandClock()
        self.batcher = Batcher(journal, run or InlineWriter().run, self.clock, max_delay_ms=0)
        self.told: list[StoreError | None] = []
        self._task = asyncio.ensure_future(self.batcher.run())

    def put(self, fact: Fact) -> None:
        self.batcher.put(fact, lambda _, error: self.told.append(error))

    async def drained(self) -> None:
        await asyncio.wait_for(self.batcher.drained(), 5)


def an_alert() -> AlertFact:
    return AlertFact("breaker", "acme", "it failed", NOON)


def a_receipt() -> ReceiptFact:
    return ReceiptFact(Receipt("alpha-1", 1, 1, ("12",), ReceiptState.DELIVERED, "DELIVRD", "000", "", "4446", NOON))


@story
async def test_what_nobody_else_has_waits_for_the_database_and_is_written_when_it_is_back() -> None:
    table = Table(Journal(says=[StoreAway("gone")], resolves=[StoreAway("still gone"), False]))
    fact = an_alert()

    table.put(fact)
    await table.drained()

    assert table.journal.written == [fact]
    assert table.told == [None]
    assert not table.batcher.away


@story
async def test_a_database_that_refuses_to_be_asked_does_not_end_the_batcher() -> None:
    """A restore in progress: the server is there, and says what nobody expects."""
    table = Table(
        Journal(says=[StoreAway("gone")], resolves=[ValueError("no such table: process"), KeyError(1), False])
    )
    fact = an_alert()

    table.put(fact)
    await table.drained()

    assert table.journal.asked == 3
    assert table.told == [None]
    assert table.batcher.takes_arrivals


@story
async def test_a_caller_who_can_be_told_is_told_at_once_that_the_database_is_away() -> None:
    table = Table(Journal(says=[StoreAway("gone")]))

    table.put(NewMtFact(an_mt()))
    await table.drained()

    assert [str(error) for error in table.told] == ["gone"]
    assert table.journal.written == []


@story
async def test_a_batch_whose_commit_was_written_after_all_is_not_written_again() -> None:
    table = Table(Journal(says=[StoreAway("lost in COMMIT", in_doubt=True)], resolves=[True]))

    table.put(an_alert())
    await table.drained()

    assert table.journal.written == []
    assert table.told == [None]


@story
async def test_a_fact_that_cannot_be_written_does_not_take_the_others_with_it() -> None:
    good, bad = an_alert(), NewMtFact(an_mt())
    journal = Journal(says=[ValueError("the batch"), ValueError("the one of 79001112233")])
    table = Table(journal)

    table.put(bad)
    table.put(good)
    await table.drained()

    assert [type(error) for error in table.told] == [StoreError, type(None)]
    assert good in journal.written
    [alert] = [fact for fact in journal.written if fact is not good and isinstance(fact, AlertFact)]
    assert (alert.kind, alert.sentence) == ("store", "NewMtFact could not be written: the one of 7900***33")


@story
async def test_a_batch_that_is_long_with_the_database_is_told_as_stuck_until_it_is_done() -> None:
    let_go = asyncio.Event()

    async def run(function: Any, *args: Any) -> Any:
        await let_go.wait()
        return function(*args)

    table = Table(Journal(), run)
    table.put(an_alert())
    await asyncio.sleep(0)
    at_first = table.batcher.is_stuck
    table.clock.advance(STUCK_MS + 1)
    later = table.batcher.is_stuck

    let_go.set()
    await table.drained()

    assert (at_first, later, table.batcher.is_stuck) == (False, True, False)


@story
async def test_a_question_that_the_database_does_not_answer_is_told_as_stuck_until_one_is_answered() -> None:
    says: list[Exception] = [RuntimeError("a lock"), RuntimeError("a lock")]

    def may_write() -> None:
        if says:
            raise says.pop()

    table = Table(Journal())
    stuck = [table.batcher.is_stuck]
    for _ in range(2):
        with pytest.raises(RuntimeError):
            await table.batcher.probe(may_write)
        stuck.append(table.batcher.is_stuck)
        table.clock.advance(STUCK_MS)
    stuck.append(table.batcher.is_stuck)
    await table.batcher.probe(may_write)

    assert (stuck, table.batcher.is_stuck) == ([False, False, False, True], False)


@story
async def test_only_what_was_in_the_commit_is_in_doubt_when_facts_are_written_singly() -> None:
    """The batch fails, then the COMMIT of its first fact: nobody else's fact is there, whatever became of that one."""
    first, second = an_alert(), an_alert()
    journal = Journal(says=[ValueError("the batch"), StoreAway("lost", in_doubt=True)], resolves=[True])
    table = Table(journal)

    table.put(first)
    table.put(second)
    await table.drained()

    assert [fact is second for fact in journal.written] == [True]
    assert table.told == [None, None]


@story
async def test_what_is_put_first_is_written_before_what_waits() -> None:
    table = Table(Journal())
    early, urgent = an_alert(), an_alert()

    table.put(early)
    table.batcher.put_first(urgent, lambda *_: None)
    await table.drained()

    assert [fact is urgent for fact in table.journal.written] == [True, False]


@story
async def test_in_a_storm_of_receipts_a_message_waits_for_a_hundred_of_them_only() -> None:
    table = Table(Journal())
    storm, late = [a_receipt() for _ in range(3 * RECEIPTS_MAX)], OverdueFact([], NOON)
    message = an_alert()

    waiting: list[Fact] = [*storm, late, message]
    for fact in waiting:
        table.put(fact)
    await table.drained()

    assert table.journal.written == [message, *storm, late]
    assert [len(batch) for batch in table.journal.batches] == [1 + RECEIPTS_MAX, RECEIPTS_MAX, RECEIPTS_MAX, 1]
    assert table.told == [None] * (len(storm) + 2)


@story
async def test_a_storm_of_receipts_does_not_fill_the_backlog_of_messages() -> None:
    gate = asyncio.Event()

    async def later(function: Any, *args: Any) -> Any:
        await gate.wait()
        return function(*args)

    table = Table(Journal(), later)
    for _ in range(6_000):
        table.put(a_receipt())
    seen = [(table.batcher.waiting, table.batcher.takes_arrivals)]
    for _ in range(5_000):
        table.put(an_alert())
    seen.append((table.batcher.waiting, table.batcher.takes_arrivals))
    gate.set()
    await table.drained()
    assert seen == [(6_000, True), (11_000, False)]
    assert table.told == [None] * 11_000
