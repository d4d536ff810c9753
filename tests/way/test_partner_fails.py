"""Partners that hang, fail, refuse: called again with growing pauses, given up after a day, and only they wait."""

from dataclasses import replace

from core.catalogue import Prefix
from core.clock import DAY_MS, HOUR_MS
from core.message import Answer, MtState, Outcome
from store import schema
from store.journal import CallbackState
from store.life import MoLife, MtLife
from tests.makers import a_catalogue, a_partner, a_service
from tests.way.office import Office, story
from traffic.way import Pace

FAILED = Answer(Outcome.AGAIN, status=500, error="the partner answered with status 500")


@story
async def test_a_partner_that_hangs_is_called_again_with_the_same_id_and_growing_pauses() -> None:
    office = Office()
    await office.opens()

    office.partner.hangs = True
    mo = office.writes("GAME 7")
    await office.passes(90)

    assert mo.is_acknowledged
    called = office.partner.called
    assert [job.attempt for job in called] == list(range(1, len(called) + 1))
    assert len({job.mo_id for job in called}) == 1
    assert 4 <= len(called) <= 7


@story
async def test_a_partner_that_recovers_gets_the_message_and_its_answer_goes_out() -> None:
    office = Office()
    answers = [FAILED, FAILED, Answer(Outcome.ANSWERED, "at last", status=200)]
    office.partner.answers = lambda callback: answers[callback.attempt - 1]
    await office.opens()

    office.writes("GAME 7")
    await office.quiet()

    assert office.texts() == ["at last"]
    assert [row.attempt for row in office.rows(schema.CallbackAttempt)] == [1, 2]


@story
async def test_a_partner_that_asks_for_time_is_given_it() -> None:
    office = Office()
    office.partner.answers = lambda callback: (
        Answer(Outcome.AGAIN, status=503, error="busy", retry_after_s=60)
        if callback.attempt == 1
        else Answer(Outcome.ANSWERED, "thank you", status=200)
    )
    await office.opens()

    office.writes("GAME 7")
    await office.passes(55)
    assert len(office.partner.called) == 1
    await office.quiet()

    assert len(office.partner.called) == 2


@story
async def test_what_was_not_delivered_within_a_day_is_a_dead_letter_that_a_person_is_told_of() -> None:
    office = Office()
    office.partner.answers = lambda callback: FAILED
    await office.opens()
    office.writes("GAME 7")
    await office.passes(5)

    office.jumps(DAY_MS)
    await office.passes(5)

    (mo,), (job,) = office.rows(schema.Mo), office.rows(schema.Callback)
    assert (job.state, job.due_at) == (CallbackState.DEAD, None)
    (alert,) = office.rows(schema.Alert)
    assert (alert.kind, alert.subject, alert.message_id) == ("dead_letter", "acme", mo.id)
    assert "acme/game within 24 h: the partner answered with status 500" in alert.sentence
    assert office.audit() == [], "the subscriber has paid, and the charge stays"


@story
async def test_a_dead_letter_can_still_be_read_and_answered_by_its_partner() -> None:
    office = Office()
    office.partner.answers = lambda callback: FAILED
    process = await office.opens()
    office.writes("GAME 7")
    await office.passes(5)
    office.jumps(DAY_MS)
    await office.passes(5)
    (mo,) = office.rows(schema.Mo)

    replied = await process.replies(mo.id, "sorry, we were away")
    await office.quiet()

    assert office.texts() == ["sorry, we were away"]
    seen = office.seen_by_partner(replied.mt_id)
    assert isinstance(seen, MtLife)
    assert seen.state == "delivered"


@story
async def test_a_message_that_its_partner_refuses_for_good_gets_the_services_own_reply() -> None:
    office = Office(a_catalogue(services=[a_service(default_reply="Sorry, the game is over")]))
    office.partner.answers = lambda callback: Answer(Outcome.REFUSED, status=404, error="refused")
    await office.opens()

    office.writes("GAME 7")
    await office.quiet()

    assert office.texts() == ["Sorry, the game is over"]
    assert len(office.partner.called) == 1


@story
async def test_a_partner_sees_every_reply_to_its_messages_whoever_wrote_it() -> None:
    office = Office(a_catalogue(services=[a_service(default_reply="Sorry")]))
    answers = {
        "1": Answer(Outcome.ANSWERED, "thank you", status=200),
        "2": Answer(Outcome.REFUSED, status=404),
        "3": Answer(Outcome.LATER, status=202),
    }
    office.partner.answers = lambda callback: answers[callback.body]
    process = await office.opens()
    for body in answers:
        office.writes(f"GAME {body}")
        await office.quiet()
    await process.replies(office.rows(schema.Mo)[2].id, "by the API")
    await office.quiet()

    replies = [office.seen_by_partner(row.id) for row in office.rows(schema.Mt)]
    messages = [office.seen_by_partner(row.id) for row in office.rows(schema.Mo)]

    assert [reply.text for reply in replies if isinstance(reply, MtLife)] == ["thank you", "Sorry", "by the API"]
    assert [message.reply for message in messages if isinstance(message, MoLife)] == replies


@story
async def test_a_partner_that_wants_no_reply_sends_none() -> None:
    office = Office()
    office.partner.answers = lambda callback: Answer(Outcome.ANSWERED, status=204)
    await office.opens()

    office.writes("GAME 7")
    await office.quiet()

    assert office.texts() == []
    assert [row.state for row in office.rows(schema.Callback)] == [CallbackState.ANSWERED]


@story
async def test_an_end_point_that_fails_twenty_times_is_only_probed_and_a_person_is_told() -> None:
    office = Office()
    office.partner.answers = lambda callback: FAILED
    await office.opens()

    for number in range(60):
        office.writes(f"GAME {number}", source=f"790011122{number:02d}")
    await office.passes(10)
    after_ten_s = len(office.partner.called)
    await office.passes(120)

    assert after_ten_s <= 60
    assert len(office.partner.called) - after_ten_s <= 5, "a probe every 30 s"
    assert [alert.kind for alert in office.rows(schema.Alert)] == ["breaker"]
    office.partner.answers = lambda callback: Answer(Outcome.ANSWERED, "thank you", status=200)
    await office.quiet(within_s=600)
    assert len(office.texts()) == 60


@story
async def test_jobs_of_a_dead_end_point_are_neither_read_nor_written_again_and_again() -> None:
    office = Office()
    office.partner.answers = lambda callback: FAILED
    await office.opens()
    for number in range(100):
        office.writes(f"GAME {number}", source=f"79001112{number:03d}")
    await office.passes(60)
    before = {row.mo_id: (row.due_at, row.attempt) for row in office.rows(schema.Callback)}

    await office.passes(300)

    changed = [row for row in office.rows(schema.Callback) if before[row.mo_id] != (row.due_at, row.attempt)]
    assert len(changed) <= 12, "a probe every 30 s, and no other row is touched"
    assert len(office.partner.called) <= 40


@story
async def test_probes_go_on_while_old_messages_are_given_up() -> None:
    office = Office()
    office.partner.answers = lambda callback: FAILED
    await office.opens()
    for number in range(60):
        office.writes(f"GAME {number}", source=f"790011122{number:02d}")
    await office.passes(10)

    office.jumps(DAY_MS - HOUR_MS)
    office.writes("GAME last")
    await office.passes(5)
    office.jumps(HOUR_MS + HOUR_MS)
    office.partner.answers = lambda callback: Answer(Outcome.ANSWERED, "thank you", status=200)
    await office.quiet(within_s=600)

    states = [CallbackState(row.state) for row in office.rows(schema.Callback)]
    assert states[-1] is CallbackState.ANSWERED
    assert CallbackState.DEAD in states
    assert len([alert for alert in office.rows(schema.Alert) if alert.kind == "dead_letter"]) == states.count(
        CallbackState.DEAD
    )


@story
async def test_a_partner_that_hangs_delays_only_itself() -> None:
    catalogue = a_catalogue(
        partners=[a_partner(), a_partner("bolt", id=2)],
        services=[a_service(), a_service("chat", id=2, partner="bolt")],
        prefixes=[Prefix(1, "4446", "GAME", 1), Prefix(2, "4446", "CHAT", 2)],
    )
    office = Office(catalogue)
    office.partner.hangs_for = "acme"
    await office.opens()

    for number in range(50):
        office.writes(f"GAME {number}", source=f"790011122{number:02d}")
    office.writes("CHAT hello", source="79001119999")
    await office.passes(2)

    answered = [mt for mt in office.centre.mts if mt.destination == "79001119999"]
    assert len(answered) == 1
    assert len([job for job in office.partner.called if job.partner == "acme"]) == 32, "its calls at once, no more"


@story
async def test_a_partner_that_hangs_leaves_half_of_all_calls_to_others_whatever_its_concurrency() -> None:
    catalogue = a_catalogue(
        partners=[a_partner(concurrency=1000), a_partner("bolt", id=2)],
        services=[a_service(), a_service("chat", id=2, partner="bolt")],
        prefixes=[Prefix(1, "4446", "GAME", 1), Prefix(2, "4446", "CHAT", 2)],
    )
    office = Office(catalogue, pace=Pace(max_delay_ms=0, callbacks=10))
    office.partner.hangs_for = "acme"
    await office.opens()

    for number in range(50):
        office.writes(f"GAME {number}", source=f"790011122{number:02d}")
    office.writes("CHAT hello", source="79001119999")
    await office.passes(2)

    answered = [mt for mt in office.centre.mts if mt.destination == "79001119999"]
    assert len(answered) == 1
    assert len([job for job in office.partner.called if job.partner == "acme"]) == 5


@story
async def test_a_partner_that_answers_later_does_so_by_the_api_and_once() -> None:
    office = Office()
    office.partner.answers = lambda callback: Answer(Outcome.LATER, status=202)
    process = await office.opens()
    office.writes("GAME 7")
    await office.quiet()
    assert office.texts() == []
    (mo,) = office.rows(schema.Mo)

    first = await process.replies(mo.id, "your level is 7")
    second = await process.replies(mo.id, "again")
    await office.quiet()

    assert (first.outcome, second.outcome, second.mt_id) == ("queued", "already_answered", first.mt_id)
    assert office.texts() == ["your level is 7"]
    assert office.states() == [MtState.DELIVERED]


@story
async def test_a_slow_but_sound_partner_is_called_once_for_each_message() -> None:
    office = Office(a_catalogue(partners=[a_partner(concurrency=4)]))
    office.partner.takes_s = 9
    await office.opens()

    for number in range(60):
        office.writes(f"GAME {number}", source=f"790011122{number:02d}")
    await office.quiet(within_s=600)

    assert len(office.partner.called) == 60
    assert len(office.texts()) == 60


@story
async def test_two_processes_call_a_slow_partner_once_for_each_message() -> None:
    office = Office(a_catalogue(partners=[a_partner(concurrency=4)]))
    office.partner.takes_s = 9
    await office.opens()
    await office.opens("dispatch")

    for number in range(60):
        office.writes(f"GAME {number}", source=f"790011122{number:02d}")
    await office.quiet(within_s=600)

    assert len(office.partner.called) == 60


@story
async def test_a_partner_may_answer_a_message_whose_charge_waits_for_a_plan() -> None:
    office = Office(a_catalogue(partners=[replace(a_partner(), plans=())]))
    office.partner.answers = lambda callback: Answer(Outcome.LATER, status=202)
    process = await office.opens()
    office.writes("GAME 7")
    await office.quiet()
    (mo,) = office.rows(schema.Mo)
    assert (mo.reason, len(office.partner.called)) == ("no_plan", 1)

    replied = await process.replies(mo.id, "your level is 7")
    await office.quiet()

    assert replied.outcome == "queued"
    assert office.texts() == ["your level is 7"]


@story
async def test_nobody_answers_anothers_message() -> None:
    office = Office(a_catalogue(partners=[a_partner(), a_partner("bolt", id=2)]))
    office.partner.answers = lambda callback: Answer(Outcome.LATER, status=202)
    process = await office.opens()
    office.writes("GAME 7")
    await office.quiet()
    (mo,) = office.rows(schema.Mo)

    assert (await process.replies(mo.id, "mine", partner="bolt")).outcome == "not_found"
    assert (await process.replies(mo.id + 1, "mine")).outcome == "not_found"
    assert (await process.replies(mo.id, "x" * 20 * 153)).outcome == "queued"
    assert (await process.replies(mo.id, "x" * (20 * 153 + 1))).outcome == "too_long"
