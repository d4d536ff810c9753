"""The batcher tells a person about an outage: which one, once, and as soon as that can be written down."""

import asyncio

import pytest
import structlog

from core.clock import MINUTE_MS
from core.errors import StoreAway
from store.journal import NewMtFact
from tests.traffic.desk import an_mt
from tests.traffic.test_commit import Journal, Table, an_alert
from tests.way.office import story

pytestmark = pytest.mark.usefixtures("probes_at_once")

REDIS = "Redis gives no counts (refused)"


async def until_away(table: Table) -> None:
    while not table.batcher.away:
        await asyncio.sleep(0)


async def until_back(table: Table) -> None:
    while table.batcher.away:
        await asyncio.sleep(0)


def redis_away() -> StoreAway:
    return StoreAway(REDIS, what="Redis")


@story
async def test_an_outage_of_the_database_is_one_alert_that_is_written_when_it_is_back() -> None:
    full = StoreAway("sqlite:///x.db is away: database or disk is full")
    table = Table(Journal(says=[full], resolves=[full, full]))

    for _ in range(20):
        table.put(an_alert())
    await table.drained()

    (alert,) = table.journal.outages
    assert (alert.kind, alert.subject) == ("outage", "the database")
    assert "database or disk is full" in alert.sentence
    assert len(table.journal.written) == 20


@story
async def test_an_outage_that_a_question_finds_is_told_as_every_other_and_asked_about_no_more() -> None:
    asked: list[int] = []

    def may_write() -> None:
        asked.append(1)
        raise StoreAway("sqlite:///x.db is away: database is locked")

    table = Table(Journal(resolves=[StoreAway("database is locked")]))
    await table.batcher.probe(may_write)
    await until_away(table)
    await table.batcher.probe(may_write)
    why = table.batcher.why_away
    await until_back(table)
    await table.drained()

    assert (len(asked), "locked" in why, table.batcher.is_stuck) == (1, True, False)
    assert [alert.subject for alert in table.journal.outages] == ["the database"]


@story
async def test_what_comes_and_goes_is_one_alert_in_ten_minutes() -> None:
    table = Table(Journal())

    for _ in range(5):
        table.journal.says = [StoreAway("gone")]
        table.put(an_alert())
        await table.drained()
    few = len(table.journal.outages)
    table.clock.advance(10 * MINUTE_MS)
    table.journal.says = [StoreAway("gone")]
    table.put(an_alert())
    await table.drained()

    assert few == 1
    assert len(table.journal.outages) == 2


@story
async def test_an_outage_of_redis_that_nobody_ran_into_refuses_arrivals_and_is_an_alert_at_once() -> None:
    table = Table(Journal(resolves=[redis_away()] * 3))

    with structlog.testing.capture_logs() as logs:
        table.batcher.report(redis_away())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        refused_at_once = not table.batcher.takes_arrivals
        table.put(NewMtFact(an_mt()))
        while not table.journal.outages:
            await asyncio.sleep(0)
        told_while_away = table.batcher.away
        await until_back(table)

    assert refused_at_once
    assert [str(error) for error in table.told] == [REDIS]
    assert told_while_away, "the alert waited, though the database is there"
    assert table.journal.outages[0].subject == "Redis"
    events = [line["event"] for line in logs]
    assert events == ["Redis is away; new messages get the temporary error", "Redis is back"]
    assert table.batcher.takes_arrivals


@story
async def test_an_outage_that_is_reported_while_there_is_one_is_not_another() -> None:
    table = Table(Journal(says=[redis_away()], resolves=[redis_away(), redis_away()]))

    table.put(NewMtFact(an_mt()))
    await until_away(table)
    for _ in range(3):
        table.batcher.report(redis_away())
    await until_back(table)
    await table.drained()

    assert len(table.journal.outages) == 1
    assert table.batcher.takes_arrivals


@pytest.mark.parametrize("written", [True, False])
@story
async def test_an_alert_about_redis_does_not_come_between_a_batch_in_doubt_and_its_answer(written: bool) -> None:
    """The journal knows its last batch only: were the alert written first, the question would be about that."""
    table = Table(Journal(says=[StoreAway("lost in COMMIT", in_doubt=True)], resolves=[redis_away(), written]))
    fact = an_alert()

    table.put(fact)
    await until_away(table)
    assert table.journal.outages == []
    await until_back(table)
    await table.drained()

    assert table.journal.written == ([] if written else [fact])
    assert table.told == [None]
    assert [alert.subject for alert in table.journal.outages] == ["the database", "Redis"]
