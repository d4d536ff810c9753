"""One reply per MO, whoever gives it; a request twice is one; a job's row is its last attempt."""

import json

import pytest

from core.message import Answer, MtState, Outcome
from store.database import Database
from store.journal import AlertFact, CallbackFact, CallbackState, MtFact, NewMtFact
from store.life import Idempotency, Remembered
from store.schema import Alert, Callback, CallbackAttempt, Mt, MtMove, MtPart
from store.schema import Idempotency as Kept
from tests.makers import NOON
from tests.store.journal.desk import MoDesk


def answered(desk: MoDesk, mo: object, text: str = "thank you", *, at: int = NOON) -> CallbackFact:
    """A partner's answer with a reply."""
    job = desk.job_of(mo)  # type: ignore[arg-type]
    answer = Answer(Outcome.ANSWERED, text, status=200, url="http://partner.example/mo")
    return CallbackFact(job, answer, CallbackState.ANSWERED, at, None, desk.reply_to(job.mo_id, text))


def test_the_reply_to_an_mo_is_stored_with_its_answer(database: Database) -> None:
    desk = MoDesk(database)
    mo = desk.mo()
    desk.take(mo)
    fact = answered(desk, mo)

    desk.write(fact)

    assert fact.stored
    assert [(row.reply_to, row.text, row.state) for row in desk.rows(Mt)] == [(mo.id, "thank you", 1)]
    assert [(row.state, row.due_at, row.status) for row in desk.rows(Callback)] == [(1, None, 200)]
    assert desk.audit() == []


@pytest.mark.parametrize("together", [True, False])
def test_a_second_answer_to_one_mo_sends_no_second_reply(database: Database, *, together: bool) -> None:
    desk = MoDesk(database)
    mo = desk.mo()
    desk.take(mo)
    first, second = answered(desk, mo, "first"), answered(desk, mo, "second", at=NOON + 1)

    for batch in [(first, second)] if together else [(first,), (second,)]:
        desk.write(*batch)

    assert (first.stored, second.stored) == (True, False)
    assert [row.text for row in desk.rows(Mt)] == ["first"]
    assert [row.tried_at for row in desk.rows(Callback)] == [NOON + 1]


def test_a_reply_by_the_api_and_one_by_an_answer_are_one(database: Database) -> None:
    desk = MoDesk(database)
    mo = desk.mo()
    desk.take(mo)
    by_api = NewMtFact(desk.reply_to(mo.id, "by api"))
    late = answered(desk, mo, "by answer")

    desk.write(by_api)
    desk.write(late)

    assert not late.stored
    assert [row.text for row in desk.rows(Mt)] == ["by api"]


@pytest.mark.parametrize("together", [True, False])
def test_of_two_replies_by_the_api_the_second_learns_of_the_first(database: Database, *, together: bool) -> None:
    desk = MoDesk(database)
    mo = desk.mo()
    desk.take(mo)
    first, second = NewMtFact(desk.reply_to(mo.id, "first")), NewMtFact(desk.reply_to(mo.id, "second"))

    for batch in [(first, second)] if together else [(first,), (second,)]:
        desk.write(*batch)

    assert (first.existing, second.existing) == (0, first.mt.id)
    assert [row.id for row in desk.rows(Mt)] == [first.mt.id]


def test_mts_that_reply_to_nothing_do_not_stand_in_each_others_way(database: Database) -> None:
    desk = MoDesk(database)

    desk.write(NewMtFact(desk.reply_to(0)), NewMtFact(desk.reply_to(0)))

    assert [row.reply_to for row in desk.rows(Mt)] == [None, None]


def under_a_key(desk: MoDesk, mo_id: int, digest: str = "d1") -> NewMtFact:
    """A request with an Idempotency-Key."""

    def answer(mt_id: int, parts: int) -> Remembered:
        return Remembered(digest, 202, json.dumps({"id": mt_id, "parts": parts}))

    return NewMtFact(desk.reply_to(mo_id), Idempotency("key-1", digest, answer))


def test_a_requests_answer_is_durable_with_its_effect(database: Database) -> None:
    desk = MoDesk(database)
    mo = desk.mo()
    desk.take(mo)
    fact = under_a_key(desk, mo.id)

    desk.write(fact)

    (kept,) = desk.rows(Kept)
    assert (kept.partner_id, kept.key, kept.digest, kept.status) == (1, "key-1", "d1", 202)
    assert json.loads(kept.body) == {"id": fact.mt.id, "parts": 1}


def test_the_first_answer_under_a_key_stays_and_a_request_without_effect_leaves_none(database: Database) -> None:
    desk = MoDesk(database)
    one, other = desk.mo("GAME 1"), desk.mo("GAME 2")
    desk.take(one, other)
    desk.write(under_a_key(desk, one.id))

    desk.write(under_a_key(desk, one.id, "d2"))
    desk.write(under_a_key(desk, other.id, "d3"))

    assert [row.digest for row in desk.rows(Kept)] == ["d1"]


def test_an_attempt_that_another_one_follows_is_kept(database: Database) -> None:
    desk = MoDesk(database)
    mo = desk.mo()
    desk.take(mo)
    job = desk.job_of(mo)
    failed = Answer(Outcome.AGAIN, status=500, error="x" * 300, excerpt="y" * 3000, key_id="5ec4e7a1")

    desk.write(CallbackFact(job, failed, CallbackState.WAITING, NOON, NOON + 1000))

    (attempt,) = desk.rows(CallbackAttempt)
    assert (attempt.status, len(attempt.error), len(attempt.answer)) == (500, 200, 2048)
    assert [row.due_at for row in desk.rows(Callback)] == [NOON + 1000]
    assert [row.key_id for row in (attempt, *desk.rows(Callback))] == ["5ec4e7a1", "5ec4e7a1"]


def test_the_jobs_of_a_crowded_partner_are_due_for_whoever_has_room(database: Database) -> None:
    desk = MoDesk(database)
    desk.take(desk.mo())
    desk.decider.is_full = True
    desk.take(desk.mo("GAME 8"))

    assert [row.due_at for row in desk.rows(Callback)] == [NOON + 30_000, NOON]


def test_a_second_submission_of_a_long_mt_has_parts_of_its_own(database: Database) -> None:
    desk = MoDesk(database)
    mt = desk.reply_to(0)
    mt.parts = 2
    desk.write(NewMtFact(mt))
    parts = [(1, "a", MtState.SUBMITTED), (2, "b", MtState.SUBMITTED)]
    desk.write(MtFact(mt, MtState.QUEUED, NOON, NOON, "throttled", parts=parts))
    mt.state = MtState.SUBMITTING

    again = [(1, "c", MtState.SUBMITTED), (2, "d", MtState.SUBMITTED)]
    desk.write(MtFact(mt, MtState.SUBMITTED, NOON, parts=again))

    assert [row.key for row in desk.rows(MtPart)] == ["c", "d"]
    assert [(row.old, row.new, row.reason) for row in desk.rows(MtMove)] == [(1, 0, "throttled")]


def test_what_a_person_should_see_is_written_in_full_length_of_the_column(database: Database) -> None:
    desk = MoDesk(database)

    desk.write(AlertFact("link", "alpha-1", "z" * 999, NOON))

    assert [(row.kind, len(row.sentence), row.resolved_at) for row in desk.rows(Alert)] == [("link", 300, None)]
