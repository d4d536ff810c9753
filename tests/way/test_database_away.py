"""The database goes away: operators keep their messages, nothing that was promised is lost, work resumes by itself."""

import pytest

from core.errors import StoreAway
from core.message import Answer, MtState, Outcome
from store import schema
from store.journal import CallbackFact, MoFact, MtFact, ReceiptFact
from tests.simulation.faults import Fault
from tests.way.office import Office, story


@story
async def test_a_message_that_cannot_be_stored_gets_the_temporary_error_and_comes_again() -> None:
    office = Office()
    await office.opens()
    said: list[int] = []
    office.centre.on_answered = lambda job, status: said.append(status) if job.mo else None

    office.database.is_away = True
    mo = office.writes("GAME 7")
    await office.passes(3)
    assert not mo.is_acknowledged
    office.database.is_away = False
    await office.quiet()

    assert set(said[:-1]) == {0x58}
    assert said[-1] == 0
    assert [row.price for row in office.rows(schema.Mo)] == [12_000_000]
    assert len(office.partner.called) == 1


@story
async def test_links_stay_bound_while_the_database_is_away() -> None:
    office = Office()
    process = await office.opens()

    office.database.is_away = True
    await office.passes(300)

    assert process.links.states() == {"alpha-1": "bound"}
    assert office.centre.counted.binds == 1
    office.database.is_away = False
    office.writes("GAME 7")
    await office.quiet()


@pytest.mark.parametrize("fault", [Fault.DOUBT_WRITTEN, Fault.DOUBT_LOST])
@story
async def test_a_commit_of_which_nobody_knows_whether_it_happened_charges_once(fault: Fault) -> None:
    office = Office()
    await office.opens()

    office.at(MoFact, fault)
    office.writes("GAME 7")
    await office.quiet()

    assert len(office.rows(schema.Mo)) == 1
    assert len(office.partner.called) == 1
    assert office.texts() == ["thank you"]
    assert office.audit() == []


@pytest.mark.parametrize("fault", [Fault.AWAY, Fault.DOUBT_WRITTEN, Fault.DOUBT_LOST])
@pytest.mark.parametrize("kind", [CallbackFact, MtFact, ReceiptFact])
@story
async def test_what_came_back_from_a_partner_or_a_link_waits_for_the_database_and_is_not_done_again(
    kind: type[CallbackFact] | type[MtFact] | type[ReceiptFact], fault: Fault
) -> None:
    office = Office()
    await office.opens()

    office.at(kind, fault)
    office.writes("GAME 7")
    await office.quiet()

    assert len(office.partner.called) == 1
    assert office.texts() == ["thank you"]
    assert office.states() == [MtState.DELIVERED]


@story
async def test_a_reply_through_the_api_is_refused_while_it_cannot_be_stored() -> None:
    office = Office()
    office.partner.answers = lambda callback: Answer(Outcome.LATER, status=202)
    process = await office.opens()
    office.writes("GAME 7")
    await office.quiet()
    (mo,) = office.rows(schema.Mo)

    office.database.is_away = True
    with pytest.raises(StoreAway):
        await process.replies(mo.id, "too early")
    office.database.is_away = False
    await office.until(lambda: not process.way.batcher.away, "the database")
    replied = await process.replies(mo.id, "in time")

    await office.quiet()
    assert replied.mt_id
    assert office.texts() == ["in time"]
