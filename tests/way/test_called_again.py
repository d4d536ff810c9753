"""A dead letter that a person has called again: from its partner's end point back to the subscriber."""

from core.clock import DAY_MS, HOUR_MS, MINUTE_MS
from core.message import Answer, MtState, Outcome
from store import schema
from store.dead_letters import Judged, call_again
from store.journal import CallbackState
from tests.partner_api.rows import add
from tests.way.office import Office, story

FAILED = Answer(Outcome.AGAIN, status=500, error="the partner answered with status 500")
SOUND = Answer(Outcome.ANSWERED, "at last", status=200)


async def an_office_with_dead_letters(count: int = 1) -> tuple[Office, list[int]]:
    """Their partner has answered 500 for a day."""
    office = Office()
    with office.database.write() as connection:
        add(connection, schema.Partner, id=1, login="acme", currency="RUB", active=True)
        add(connection, schema.Service, id=1, partner_id=1, name="game", method="http_get", status="approved")
    office.partner.answers = lambda callback: FAILED
    await office.opens()
    for number in range(count):
        office.writes(f"GAME {number}", source=f"790011122{number:02d}")
    await office.passes(5)
    office.jumps(DAY_MS)
    await office.until(lambda: all(state is CallbackState.DEAD for state in states(office)), "all dead", 120)
    return office, [row.id for row in office.rows(schema.Mo)]


def states(office: Office) -> list[CallbackState]:
    return [CallbackState(row.state) for row in office.rows(schema.Callback)]


def again(office: Office, ids: list[int]) -> Judged:
    """What `tollbridge again` does in a process of its own."""
    with office.database.write() as connection:
        return call_again(connection, ids, author="olga", note="", now=office.clock.now())


@story
async def test_the_partner_is_called_with_the_same_id_and_its_reply_goes_out() -> None:
    office, (id_,) = await an_office_with_dead_letters()
    before = len(office.partner.called)
    entries = len(office.rows(schema.Entry))

    office.partner.answers = lambda callback: SOUND
    again(office, [id_])
    await office.quiet(within_s=10)

    called = office.partner.called
    assert [job.mo_id for job in called] == [id_] * (before + 1)
    assert [job.attempt for job in called] == list(range(1, before + 2)), "attempts go on counting"
    assert office.texts() == ["at last"]
    assert office.states() == [MtState.DELIVERED]
    assert len(office.rows(schema.Entry)) == entries, "nothing is charged for it"
    assert office.audit() == []
    assert [row.resolved_by for row in office.rows(schema.Alert)] == ["olga"]


@story
async def test_it_has_pauses_and_a_day_of_its_own_and_is_then_a_dead_letter_again() -> None:
    office, (id_,) = await an_office_with_dead_letters()
    before = len(office.partner.called)

    again(office, [id_])
    await office.passes(60)
    assert len(office.partner.called) - before >= 4, "pauses begin with a second, not with a quarter of an hour"
    office.jumps(DAY_MS - 40 * MINUTE_MS)
    await office.passes(60)
    assert states(office) == [CallbackState.WAITING], "its day is not over"
    office.jumps(HOUR_MS)
    await office.passes(60)

    assert states(office) == [CallbackState.DEAD]
    first, second = office.rows(schema.Alert)
    assert (first.resolved_by, second.resolved_at) == ("olga", None)
    assert "within 24 h after it was called again: the partner answered with status 500" in second.sentence
    office.partner.answers = lambda callback: SOUND
    again(office, [id_])
    await office.quiet(within_s=10)
    assert office.texts() == ["at last"]


@story
async def test_a_partner_that_has_replied_meanwhile_is_not_called_and_sends_one_reply() -> None:
    office, (first, second) = await an_office_with_dead_letters(2)
    before = len(office.partner.called)
    office.partner.answers = lambda callback: SOUND
    await office.processes[0].replies(first, "by the API")

    judged = again(office, [first, second])
    await office.processes[0].replies(second, "too late")
    await office.quiet()

    assert list(judged.refused) == [first]
    assert [job.mo_id for job in office.partner.called[before:]] == [second]
    assert len(office.texts()) == 2
    assert office.audit() == []


@story
async def test_many_of_an_end_point_that_is_still_dead_wait_for_its_probes() -> None:
    office, ids = await an_office_with_dead_letters(60)
    await office.restarts()  # It does not know yet that the end point is dead, and takes them all.
    again(office, ids)
    await office.passes(20)
    before, rows = len(office.partner.called), {row.mo_id: row.due_at for row in office.rows(schema.Callback)}

    await office.passes(300)

    assert len(office.partner.called) - before <= 12, "a probe every 30 s"
    changed = [row for row in office.rows(schema.Callback) if rows[row.mo_id] != row.due_at]
    assert len(changed) <= 12, "no other row is touched"
    assert set(states(office)) == {CallbackState.WAITING}
    office.partner.answers = lambda callback: SOUND
    await office.quiet(within_s=600)
    assert len(office.texts()) == 60
