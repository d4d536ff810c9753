"""Jobs that wait: how many in memory, for how long, and what becomes of those of an end point that is dead."""

import asyncio

import pytest

from core.clock import DAY_MS, HOUR_MS
from core.message import Answer, Callback, Outcome
from store.journal import AlertFact, CallbackState
from tests.makers import NOON
from tests.traffic.callers import FAILED, Office, a_fact, a_job
from tests.traffic.desk import run
from traffic.dispatch import look_again_s

FED, QUEUE_MAX = 500, 1000


def test_a_partner_with_enough_to_do_is_asked_for_no_more_and_others_are() -> None:
    async def story() -> None:
        office = Office()
        office.hangs = True
        for number in range(FED + office.concurrency):
            office.dispatcher.offer(a_fact(a_job(number)))
        await office.flow()
        office.due = [a_job(9_001), a_job(9_002, partner=2)]

        taken = await office.dispatcher._fetch()

        assert office.asked == [[1]]
        assert [job.mo_id for job in taken] == [9_002]

    run(story)


def test_many_partners_that_hang_with_full_queues_keep_no_other_from_its_due_jobs() -> None:
    async def story() -> None:
        office = Office(total_max=2)
        office.hangs = True
        for partner in range(1, 6):
            for number in range(QUEUE_MAX):
                office.dispatcher.offer(a_fact(a_job(1000 * partner + number, partner=partner)))
        office.due = [a_job(9_999, partner=77)]

        taken = await office.dispatcher._fetch()

        assert [job.mo_id for job in taken] == [9_999]
        assert office.dispatcher.waiting <= 5 * QUEUE_MAX

    run(story)


def test_a_partner_that_has_worked_off_its_queue_is_looked_for_at_once() -> None:
    async def story() -> None:
        office = Office()
        gate = asyncio.Event()

        async def gated(job: Callback) -> Answer:
            office.called.append(job)
            await gate.wait()
            return Answer(Outcome.ANSWERED, status=204)

        office.dispatcher._methods = {"http_get": gated}
        for number in range(FED + office.concurrency):
            office.dispatcher.offer(a_fact(a_job(number)))
        await office.flow()
        await office.dispatcher._fetch()
        office.dispatcher._bell.clear()

        gate.set()
        await office.flow()

        assert office.dispatcher._bell.is_set()

    run(story)


def test_jobs_of_a_dead_end_point_stay_where_they_are_and_one_is_the_probe() -> None:
    async def story() -> None:
        office = Office()
        office.answers = lambda job: FAILED
        for number in range(20):
            office.dispatcher.offer(a_fact(a_job(number)))
        await office.flow()
        results, calls = len(office.results), len(office.called)
        office.due = [a_job(1000 + number, at=NOON + 30_000) for number in range(500)]

        office.dispatcher.offer(a_fact(a_job(900)))
        await office.looks()
        office.clock.advance(29_999)
        await office.looks()
        assert len(office.due) == 500
        assert len(office.results) == results, "nothing is written of what nobody called"
        office.clock.advance(1)
        await office.looks()
        await office.looks()

        assert [job.mo_id for job in office.called[calls:]] == [1000], "the probe"
        assert len(office.due) == 499

    run(story)


def test_an_end_point_that_answers_its_probe_gets_all_that_waits_at_once() -> None:
    async def story() -> None:
        office = Office()
        office.answers = lambda job: FAILED
        for number in range(20):
            office.dispatcher.offer(a_fact(a_job(number)))
        await office.flow()
        calls = len(office.called)
        office.answers = lambda job: Answer(Outcome.ANSWERED, status=204)
        office.due = [a_job(1000 + number) for number in range(50)]

        office.clock.advance(30_000)
        await office.looks()

        assert [job.mo_id for job in office.called[calls:]] == list(range(1000, 1050)), "without waiting for the next"

    run(story)


def test_what_is_given_up_while_an_end_point_is_shut_does_not_put_off_its_probe() -> None:
    async def story() -> None:
        office = Office()
        office.answers = lambda job: FAILED
        for number in range(20):
            office.dispatcher.offer(a_fact(a_job(number)))
        await office.flow()
        calls = len(office.called)

        office.clock.advance(29_999)
        office.due = [a_job(500, at=NOON - DAY_MS)]
        await office.looks()
        office.clock.advance(1)
        office.due = [a_job(501)]
        await office.looks()

        assert [fact.state for fact in office.results if fact.callback.mo_id == 500] == [CallbackState.DEAD]
        assert [job.mo_id for job in office.called[calls:]] == [501], "the probe"
        breaker, dead_letter = [fact for fact in office.paper.facts if isinstance(fact, AlertFact)]
        assert (breaker.kind, dead_letter.kind) == ("breaker", "dead_letter")
        assert breaker.sentence == f"20 messages in a row failed, the last with: {FAILED.error}; probed every 30 s"

    run(story)


def test_a_failure_within_a_day_is_tried_again_and_one_at_its_end_is_a_dead_letter() -> None:
    async def story() -> None:
        office = Office()
        office.answers = lambda job: FAILED

        office.due = [a_job(1, at=NOON - 23 * 3_600_000), a_job(2, at=NOON - 24 * 3_600_000)]
        await office.looks()

        assert [(fact.callback.mo_id, fact.state) for fact in office.results] == [
            (1, CallbackState.WAITING), (2, CallbackState.DEAD)
        ]  # fmt: skip

    run(story)


@pytest.mark.parametrize(("took_ms", "pause_s"), [(0, 0.5), (20, 0.5), (400, 4.0), (30_000, 5.0)])
def test_looking_is_a_small_part_of_the_databases_work(took_ms: int, pause_s: float) -> None:
    assert look_again_s(took_ms) == pause_s


def test_a_job_is_not_called_any_more_when_its_lease_may_end_before_the_call() -> None:
    async def story() -> None:
        office = Office()
        office.concurrency = 1
        gate = asyncio.Event()
        office.gate = gate
        for number in range(3):
            office.dispatcher.offer(a_fact(a_job(number)))
        await office.flow()

        office.clock.advance(20_001)
        gate.set()
        await office.flow()

        assert [job.mo_id for job in office.called] == [0], "the others are due in ten seconds, for whoever looks then"
        assert office.dispatcher.waiting == 0

    run(story)


def test_a_job_that_is_read_while_it_is_held_is_called_once() -> None:
    async def story() -> None:
        office = Office()
        office.concurrency = 1
        office.gate = asyncio.Event()
        office.dispatcher.offer(a_fact(a_job(1)))
        office.dispatcher.offer(a_fact(a_job(2)))
        await office.flow()

        office.clock.advance(25_000)
        office.due = [a_job(1), a_job(2)]
        await office.looks()
        office.gate.set()
        await office.flow()

        assert [job.mo_id for job in office.called] == [1, 2], "its lease was renewed"

    run(story)


def test_a_slow_partner_has_no_more_jobs_in_memory_than_it_can_be_called_with_in_time() -> None:
    async def story() -> None:
        office = Office()
        office.gate = asyncio.Event()
        for number in range(4):
            office.dispatcher.offer(a_fact(a_job(number)))
        await office.flow()
        office.clock.advance(9_000)
        office.gate.set()
        await office.flow()
        office.gate.clear()

        for number in range(100, 200):
            office.dispatcher.offer(a_fact(a_job(number, at=office.clock.now())))
            await office.flow()

        assert office.dispatcher.running == 4
        assert office.dispatcher.waiting == 8, "two rounds of nine seconds in twenty"
        assert office.dispatcher.is_crowded(1), "what comes now stays in the database"

    run(story)


def test_a_partner_has_a_thousand_jobs_in_memory_and_the_rest_stays_in_the_database() -> None:
    async def story() -> None:
        office = Office()
        office.hangs = True

        for number in range(1003):
            office.dispatcher.offer(a_fact(a_job(number)))
            if number == 0:
                await office.flow()
        assert not office.dispatcher.is_crowded(2)
        crowded_before = office.dispatcher.is_crowded(1)
        for number in range(1003, 1100):
            office.dispatcher.offer(a_fact(a_job(number)))
        await office.flow()

        assert crowded_before
        assert office.dispatcher.waiting + office.dispatcher.running <= 1004

    run(story)


@pytest.mark.parametrize("by_ms", [HOUR_MS, -HOUR_MS])
def test_a_clock_that_is_set_during_a_call_does_not_make_the_next_attempt_late(by_ms: int) -> None:
    """It may be set right again before anybody has looked at it."""

    async def story() -> None:
        office = Office()

        def fails(job: Callback) -> Answer:
            office.clock.advance(100)
            office.clock.set(by_ms)
            return FAILED

        office.answers = fails
        office.dispatcher.offer(a_fact(a_job(1)))
        await office.flow()

        (fact,) = office.results
        assert fact.due_at is not None
        right = NOON + 100 + min(0, by_ms)
        assert right < fact.due_at <= right + 2_000

    run(story)
