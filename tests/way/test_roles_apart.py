"""Roles in several processes meet only in the database: each does its own part, whoever made it due."""

from core.message import Answer, MtState, Outcome
from store import schema
from tests.makers import a_catalogue, a_service
from tests.way.office import Office, story


@story
async def test_a_process_with_links_alone_calls_no_partner_and_its_job_is_due_for_another() -> None:
    office = Office()
    links = await office.opens("links")

    mo = office.writes("GAME 7")
    await office.passes(5)

    assert mo.is_acknowledged
    assert links.calls == 0
    (job,) = office.rows(schema.Callback)
    assert (job.state, job.attempt) == (0, 0)
    assert job.due_at <= office.clock.now(), "nobody holds it"


@story
async def test_who_accepts_does_not_call_and_who_calls_does_not_send() -> None:
    office = Office()
    links = await office.opens("links")
    dispatch = await office.opens("dispatch")

    office.writes("GAME 7")
    await office.quiet()

    assert (links.calls, dispatch.calls) == (0, 1)
    assert (links.way.sender.counted.submitted, dispatch.way.sender.counted.submitted) == (1, 0)
    assert office.texts() == ["thank you"]
    assert office.states() == [MtState.DELIVERED]
    assert office.audit() == []


@story
async def test_a_job_waits_for_the_first_process_that_calls() -> None:
    office = Office()
    await office.opens("links")
    office.writes("GAME 7")
    await office.passes(60)

    dispatch = await office.opens("dispatch")
    await office.quiet()

    assert dispatch.calls == 1
    assert [job.attempt for job in office.partner.called] == [1]
    assert office.texts() == ["thank you"]


@story
async def test_the_reply_of_a_process_without_links_waits_for_one_that_has_them() -> None:
    office = Office(a_catalogue(services=[a_service(default_reply="Sorry")]))
    office.partner.answers = lambda callback: Answer(Outcome.REFUSED, status=404)
    links = await office.opens("links")
    await office.opens("dispatch")
    office.writes("GAME 7")
    await office.until(lambda: bool(office.rows(schema.Callback)), "the job")
    await links.stops()
    await office.until(lambda: office.states() == [MtState.QUEUED], "the reply")
    await office.passes(30)
    assert office.texts() == []

    await office.opens("links")
    await office.quiet()

    assert office.texts() == ["Sorry"]
    assert [bool(mt.maybe_twice) for mt in office.rows(schema.Mt)] == [False]


@story
async def test_a_reply_through_the_api_of_one_process_goes_out_by_another() -> None:
    office = Office()
    office.partner.answers = lambda callback: Answer(Outcome.LATER, status=202)
    links = await office.opens("links", "dispatch")
    api = await office.opens("api")
    office.writes("GAME 7")
    await office.quiet()
    (mo,) = office.rows(schema.Mo)

    await api.replies(mo.id, "by the API")
    await office.quiet()

    assert office.texts() == ["by the API"]
    assert (links.way.sender.counted.submitted, api.way.sender.counted.submitted) == (1, 0)


@story
async def test_two_processes_that_call_share_the_work_and_call_nobody_twice() -> None:
    office = Office()
    await office.opens("links")
    callers = [await office.opens("dispatch"), await office.opens("dispatch")]

    for number in range(300):
        office.writes(f"GAME {number}", source=f"79001{number:06d}")
    await office.quiet()

    assert sorted(int(job.body) for job in office.partner.called) == list(range(300))
    assert sum(caller.calls for caller in callers) == 300
    assert len(office.texts()) == 300


@story
async def test_what_a_dead_caller_held_is_called_by_another() -> None:
    office = Office()
    await office.opens("links")
    first = await office.opens("dispatch")
    office.partner.hangs = True
    office.writes("GAME 7")
    await office.until(lambda: bool(office.partner.called), "the call")

    first.dies()
    office.partner.hangs = False
    second = await office.opens("dispatch")
    await office.quiet()

    assert (first.calls, second.calls) == (1, 1)
    assert office.texts() == ["thank you"]


@story
async def test_in_one_process_a_job_goes_to_its_partner_without_being_read_back() -> None:
    office = Office()
    process = await office.opens()
    asked: list[int] = []
    due = process.way.dispatcher._due

    async def counting(limit: int, crowded: object, rationed: object) -> list[object]:
        jobs = await due(limit, crowded, rationed)  # type: ignore[arg-type]
        asked.append(len(jobs))
        return jobs  # type: ignore[return-value]

    process.way.dispatcher._due = counting  # type: ignore[assignment]

    office.writes("GAME 7")
    await office.quiet()

    assert len(office.partner.called) == 1
    assert sum(asked) == 0
