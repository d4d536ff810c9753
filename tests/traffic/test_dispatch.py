"""Calls to partners: who is called when, and what must never keep others waiting."""

import asyncio
from collections.abc import Mapping, Sequence

from core.message import Answer, Callback, Mt, Outcome
from store.journal import CallbackState
from tests.makers import NOON
from tests.traffic.callers import Office, a_fact, a_job
from tests.traffic.desk import run
from traffic.dispatch import FETCH_MAX


def test_a_job_is_called_straight_from_its_commit_as_the_first_attempt() -> None:
    async def story() -> None:
        office = Office()

        office.dispatcher.offer(a_fact(a_job(1)))
        await office.flow()

        assert [(job.mo_id, job.attempt) for job in office.called] == [(1, 1)]
        assert [fact.state for fact in office.results] == [CallbackState.ANSWERED]

    run(story)


def test_a_process_that_rests_takes_no_job() -> None:
    async def story() -> None:
        office = Office()
        office.dispatcher.rest()

        office.dispatcher.offer(a_fact(a_job(1)))
        await office.flow()

        assert office.called == []
        assert office.dispatcher.is_crowded(1), "so its jobs are due in the database at once"

    run(story)


def test_a_process_that_stops_leaves_new_jobs_to_others() -> None:
    async def story() -> None:
        office = Office()

        await office.dispatcher.stop(1)

        assert office.dispatcher.is_crowded(1)

    run(story)


def test_a_method_that_breaks_is_a_failed_attempt_and_holds_up_nobody() -> None:
    async def story() -> None:
        async def broken(job: Callback) -> Answer:
            raise ZeroDivisionError

        office = Office(broken)

        for number in range(10):
            office.dispatcher.offer(a_fact(a_job(number)))
        await office.flow()

        assert [fact.state for fact in office.results] == [CallbackState.WAITING] * 10
        assert {fact.answer.error for fact in office.results} == {"ZeroDivisionError in our own method; see the log"}
        assert office.dispatcher.running == 0

    run(story)


def test_an_error_of_the_database_that_nobody_foresaw_does_not_end_the_looking() -> None:
    async def story() -> None:
        office = Office()

        async def deadlock(limit: int, crowded: Sequence[int], rationed: Mapping[int, int]) -> list[Callback]:
            raise RuntimeError("deadlock found when trying to get lock")

        office.dispatcher._due = deadlock

        assert await office.dispatcher._fetch() == []

    run(story)


def test_a_partners_answer_that_is_cut_says_so_in_its_attempt() -> None:
    async def story() -> None:
        office = Office()
        office.answers = lambda job: Answer(Outcome.ANSWERED, "x" * 4000, status=200, error="a slip")
        reply = Mt(9, "alpha-1", 1, 1, "4446", "79001112233", "x" * 3060, 20, NOON)
        office.dispatcher._reply = lambda job, text, sender: reply

        office.dispatcher.offer(a_fact(a_job(1)))
        await office.flow()

        assert [fact.answer.error for fact in office.results] == ["a slip; the reply was cut after 20 parts"]

    run(story)


def test_a_partner_is_called_as_often_at_once_as_it_may_be_by_now() -> None:
    async def story() -> None:
        office = Office()
        office.hangs, office.concurrency = True, 1
        for number in range(6):
            office.dispatcher.offer(a_fact(a_job(number)))
        await office.flow()
        assert len(office.called) == 1

        office.concurrency = 3
        office.dispatcher.offer(a_fact(a_job(6)))
        await office.flow()

        assert len(office.called) == 3

    run(story)


def test_a_full_look_is_followed_by_another_at_once() -> None:
    async def story() -> None:
        office = Office(total_max=1000)
        office.concurrency = 1000
        office.due = [a_job(number) for number in range(3 * FETCH_MAX)]
        polling = asyncio.ensure_future(office.dispatcher.poll())

        for _ in range(20):
            await office.flow()
        polling.cancel()

        assert len(office.called) == 3 * FETCH_MAX

    run(story)


def test_a_reply_is_handed_on_only_when_it_was_stored() -> None:
    async def story() -> None:
        handed: list[Mt] = []
        office = Office()
        office.answers = lambda job: Answer(Outcome.ANSWERED, "hello", status=200)
        reply = Mt(9, "alpha-1", 1, 1, "4446", "79001112233", "hello", 1, NOON)
        office.dispatcher._reply = lambda job, text, sender: reply
        office.dispatcher._on_reply = handed.append

        office.dispatcher.offer(a_fact(a_job(1)))
        await office.flow()

        assert handed == [], "the paper says of no reply that it is the first one"

    run(story)
