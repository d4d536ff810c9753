"""The power goes, at every station of a message's way: what was acknowledged is there, and nothing is done twice
but what is said to be (ARCHITECTURE.md, section 5)."""

from core.message import MtState
from sim.quirks import Quirks
from store import schema
from store.journal import CallbackFact, MoFact, MtFact, PartFact, ReceiptFact
from tests.simulation.faults import Fault
from tests.way.office import Office, story


def all_is_well(office: Office, *, calls: int = 1, texts: int = 1, repeats: int = 0) -> None:
    (mo,) = office.rows(schema.Mo)
    assert len(office.rows(schema.MoRepeat)) == repeats
    assert [job.mo_id for job in office.partner.called] == [mo.id] * calls
    assert office.texts() == ["thank you"] * texts
    assert office.states() == [MtState.DELIVERED]
    assert office.audit() == []


@story
async def test_before_the_commit_the_operator_delivers_again_and_it_is_a_new_message() -> None:
    office = Office()
    await office.opens()

    office.at(MoFact, Fault.CRASH_BEFORE)
    mo = office.writes("GAME 7")
    await office.dies()
    assert mo.acknowledged == 0
    await office.restarts()
    await office.quiet()

    all_is_well(office)


@story
async def test_after_the_commit_and_before_the_answer_the_redelivery_is_known_and_charged_nothing() -> None:
    office = Office()
    await office.opens()

    office.at(MoFact, Fault.CRASH_AFTER)
    mo = office.writes("GAME 7")
    await office.dies()
    assert mo.acknowledged == 0
    await office.restarts()
    await office.quiet()

    assert mo.is_acknowledged
    all_is_well(office, repeats=1)


@story
async def test_during_the_callback_the_partner_is_called_again_with_the_same_id() -> None:
    office = Office()
    await office.opens()

    office.partner.hangs = True
    office.writes("GAME 7")
    await office.until(lambda: bool(office.partner.called), "the call")
    await office.passes(1)
    office.partner.hangs = False
    await office.restarts()
    await office.quiet()

    all_is_well(office, calls=2)


@story
async def test_after_the_callback_and_before_the_reply_is_stored_there_is_one_reply() -> None:
    office = Office()
    await office.opens()

    office.at(CallbackFact, Fault.CRASH_BEFORE)
    office.writes("GAME 7")
    await office.dies()
    await office.restarts()
    await office.quiet()

    all_is_well(office, calls=2)


@story
async def test_after_the_reply_is_stored_it_is_sent_by_who_comes_next() -> None:
    office = Office()
    await office.opens()

    office.at(CallbackFact, Fault.CRASH_AFTER)
    office.writes("GAME 7")
    await office.dies()
    await office.restarts()
    await office.quiet()

    all_is_well(office)


@story
async def test_after_the_submission_and_before_its_answer_a_free_reply_is_sent_again_and_marked() -> None:
    office = Office(quirks=Quirks(lose_answers=1.0))
    await office.opens()

    office.writes("GAME 7")
    await office.until(lambda: bool(office.centre.mts), "the submission")
    office.centre.quirks = Quirks()
    await office.restarts()
    await office.quiet()

    all_is_well(office, texts=2)
    assert [bool(mt.maybe_twice) for mt in office.rows(schema.Mt)] == [True]


@story
async def test_after_the_answer_to_the_submission_and_before_it_is_stored_it_is_the_same() -> None:
    office = Office()
    await office.opens()

    office.at(MtFact, Fault.CRASH_BEFORE)
    office.writes("GAME 7")
    await office.dies()
    await office.restarts()
    await office.quiet()

    all_is_well(office, texts=2)
    assert [bool(mt.maybe_twice) for mt in office.rows(schema.Mt)] == [True]


@story
async def test_after_the_submission_is_stored_nothing_is_sent_again_and_the_receipt_finds_it() -> None:
    office = Office(quirks=Quirks(receipt_delay_s=1.0))
    await office.opens()

    office.at(MtFact, Fault.CRASH_AFTER)
    office.writes("GAME 7")
    await office.dies()
    await office.restarts()
    await office.quiet()

    all_is_well(office)


@story
async def test_before_a_receipt_is_stored_the_centre_brings_it_again() -> None:
    office = Office(quirks=Quirks(receipt_delay_s=1.0))
    await office.opens()

    office.at(ReceiptFact, Fault.CRASH_BEFORE)
    office.writes("GAME 7")
    await office.dies()
    await office.restarts()
    await office.quiet()

    all_is_well(office)


@story
async def test_after_a_receipt_is_stored_the_second_one_changes_nothing() -> None:
    office = Office(quirks=Quirks(receipt_delay_s=1.0))
    await office.opens()

    office.at(ReceiptFact, Fault.CRASH_AFTER)
    office.writes("GAME 7")
    await office.dies()
    await office.restarts()
    await office.quiet()

    all_is_well(office)


@story
async def test_between_the_parts_of_a_long_message_those_that_were_acknowledged_are_kept() -> None:
    office = Office(quirks=Quirks(window=1))
    await office.opens()

    office.at(PartFact, Fault.CRASH_AFTER)
    mo = office.writes("GAME " + "x" * 400)
    await office.dies()
    await office.restarts()
    await office.quiet()

    assert mo.is_acknowledged
    (row,) = office.rows(schema.Mo)
    assert (row.text, row.price) == (mo.text, 36_000_000)


@story
async def test_a_message_of_which_the_last_part_was_stored_and_not_acknowledged_is_charged_once() -> None:
    office = Office(quirks=Quirks(window=1))
    await office.opens()

    office.at(MoFact, Fault.CRASH_AFTER)
    mo = office.writes("GAME " + "x" * 400)
    await office.dies()
    await office.restarts()
    await office.quiet()

    assert mo.is_acknowledged
    assert [row.price for row in office.rows(schema.Mo)] == [36_000_000]
    assert len(office.partner.called) == 1
