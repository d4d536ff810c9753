"""What is due to partners: whose jobs are taken, how many, and where a reply goes."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from core.catalogue import Catalogue
from core.clock import DAY_MS, HOUR_MS
from core.ids import first_id_at
from core.message import Answer, Callback, Outcome
from store import processes, schema
from store.database import Database
from store.journal import CallbackFact, CallbackState
from store.journal.outgoing import write_callbacks
from store.outbox import Outbox, place_of_mo
from tests.makers import NOON, a_catalogue, a_partner, a_service
from tests.store.mt_desk import HandClock

ME = 1
LEASE_MS = 30_000
DEAD_END, OTHER = 1, 2


def a_world() -> Catalogue:
    return a_catalogue(
        partners=[a_partner(), a_partner("bolt", id=2)],
        services=[a_service(), a_service("chat", id=2, partner="bolt")],
    )


def an_id(number: int, at: int = NOON) -> int:
    return first_id_at(at) + number


def insert(database: Database, ids: Sequence[int], service_id: int, *, partner_id: int = 1, **mo: object) -> None:
    """MO with a job that is due."""
    row = {column.name: _blank(column) for column in schema.Mo.__table__.columns}
    row |= {"source": "79001112233", "short_code": "4446", "text": "GAME 7", "parts": 1, "operator_id": 1, "link_id": 1}
    row |= {"accepted_at": NOON, "service_id": service_id, "partner_id": partner_id, "entry_id": None} | mo
    job = {column.name: _blank(column) for column in schema.Callback.__table__.columns}
    job |= {"service_id": service_id, "partner_id": partner_id, "due_at": NOON}
    with database.write() as connection:
        connection.execute(sa.insert(schema.Mo), [row | {"id": mo_id} for mo_id in ids])
        connection.execute(sa.insert(schema.Callback), [job | {"mo_id": mo_id} for mo_id in ids])


def _blank(column: Any) -> object:
    return "" if isinstance(column.type, sa.String) else 0


def an_outbox(database: Database) -> Outbox:
    clock = HandClock()
    me = processes.register(database, roles="test", now=clock.now())
    return Outbox(database, a_world, clock, process_id=me.id, lease_ms=LEASE_MS)


def test_jobs_of_an_end_point_that_is_shut_are_not_taken_and_one_is_for_its_probe(database: Database) -> None:
    insert(database, [an_id(n) for n in range(5)], DEAD_END)
    insert(database, [an_id(n) for n in range(10, 13)], OTHER, partner_id=2)
    outbox = an_outbox(database)

    shut = outbox.callbacks(100, (), {DEAD_END: 0})
    probing = outbox.callbacks(100, (), {DEAD_END: 1})

    assert [job.mo_id for job in shut] == [an_id(n) for n in range(10, 13)]
    assert len(probing) == 1
    assert probing[0].service.id == DEAD_END
    assert len(outbox.callbacks(100, ())) == 4, "the others were not touched"


def test_a_probe_is_rather_one_that_was_never_tried(database: Database) -> None:
    insert(database, [an_id(n) for n in range(3)], DEAD_END)
    with database.write() as connection:
        tried = sa.update(schema.Callback).where(schema.Callback.mo_id != an_id(2))
        connection.execute(tried.values(attempt=3, due_at=NOON - HOUR_MS))

    (probe,) = an_outbox(database).callbacks(100, (), {DEAD_END: 1})

    assert probe.mo_id == an_id(2)


def test_what_is_a_day_old_is_taken_to_be_given_up_though_its_end_point_is_shut(database: Database) -> None:
    old = an_id(1, NOON - DAY_MS - HOUR_MS)
    insert(database, [old, an_id(2)], DEAD_END)
    outbox = an_outbox(database)

    taken = outbox.callbacks(100, (), {DEAD_END: 0})

    assert [job.mo_id for job in taken] == [old]


def call_again(database: Database, mo_id: int, at: int) -> None:
    with database.write() as connection:
        values = {"mo_id": mo_id, "at": at, "author": "olga", "note": "", "attempts": 40}
        connection.execute(sa.insert(schema.CalledAgain).values(**values))


def test_what_was_called_again_lately_waits_for_its_probe_however_old_it_is(database: Database) -> None:
    old = [an_id(n, NOON - 3 * DAY_MS) for n in range(1, 4)]
    insert(database, old, DEAD_END)
    for mo_id, at in ((old[0], NOON - DAY_MS), (old[1], NOON - HOUR_MS), (old[2], NOON - 2 * DAY_MS)):
        call_again(database, mo_id, at)
    call_again(database, old[2], NOON - 2 * HOUR_MS)
    outbox = an_outbox(database)

    shut = outbox.callbacks(100, (), {DEAD_END: 0})
    probing = outbox.callbacks(100, (), {DEAD_END: 1})

    assert [job.mo_id for job in shut] == [old[0]], "its day is over"
    assert [job.mo_id for job in probing] in ([old[1]], [old[2]])
    (job,) = [job for job in outbox.callbacks(100, ()) if job.mo_id != probing[0].mo_id]
    last = {old[1]: NOON - HOUR_MS, old[2]: NOON - 2 * HOUR_MS}
    assert (job.tried_since, job.attempts_before) == (last[job.mo_id], 40)
    assert probing[0].tried_since == last[probing[0].mo_id]


@pytest.mark.parametrize("reason", ["", "no_tariff", "no_plan"])
def test_whom_we_called_may_answer_though_the_charge_still_waits(database: Database, reason: str) -> None:
    insert(database, [7], DEAD_END, reason=reason)
    with database.write() as connection:
        connection.execute(sa.update(schema.Mo).values(partner_id=0 if reason else 1))

    assert place_of_mo(database, 7, 1) == (1, 1, "4446", "79001112233")
    assert place_of_mo(database, 7, 2) is None, "another's message"
    assert [job.partner_id for job in an_outbox(database).callbacks(1, ())] == [1]


def test_a_message_that_went_to_nobody_is_answered_by_nobody(database: Database) -> None:
    insert(database, [7], DEAD_END, reason="refused")
    with database.write() as connection:
        connection.execute(sa.delete(schema.Callback))

    assert place_of_mo(database, 7, 1) is None


@pytest.mark.parametrize("failed", [CallbackState.WAITING, CallbackState.DEAD])
@pytest.mark.parametrize("together", [True, False])
def test_a_second_call_that_fails_does_not_open_a_job_that_was_answered(
    database: Database, failed: CallbackState, together: bool
) -> None:
    insert(database, [7], DEAD_END)
    (job,) = an_outbox(database).callbacks(1, ())
    answered = CallbackFact(job, Answer(Outcome.ANSWERED, status=200), CallbackState.ANSWERED, NOON)
    due_at = NOON + 1000 if failed is CallbackState.WAITING else None
    again = CallbackFact(_as_second(job), Answer(Outcome.AGAIN, error="no answer"), failed, NOON, due_at)

    for facts in [[answered, again]] if together else [[answered], [again]]:
        with database.write() as connection:
            write_callbacks(connection, facts, ME)

    with database.read() as connection:
        row = connection.execute(sa.select(schema.Callback.state, schema.Callback.due_at, schema.Callback.status)).one()
    assert tuple(row) == (CallbackState.ANSWERED, None, 200)


def test_an_answer_counts_though_another_call_had_given_up(database: Database) -> None:
    insert(database, [7], DEAD_END)
    (job,) = an_outbox(database).callbacks(1, ())
    dead = CallbackFact(job, Answer(Outcome.AGAIN, error="no answer"), CallbackState.DEAD, NOON)
    answered = CallbackFact(job, Answer(Outcome.ANSWERED, status=200), CallbackState.ANSWERED, NOON)

    for fact in (dead, answered):
        with database.write() as connection:
            write_callbacks(connection, [fact], ME)

    with database.read() as connection:
        assert connection.execute(sa.select(schema.Callback.state)).scalar_one() == CallbackState.ANSWERED


def _as_second(job: Callback) -> Callback:
    return replace(job, attempt=2)
