"""What an operator delivers again is acknowledged again and charged once; what a subscriber says twice costs twice."""

from sim.quirks import Quirks
from store import schema
from store.journal import MoFact
from tests.makers import a_catalogue, a_link
from tests.way.office import Office, story


@story
async def test_a_message_delivered_twice_is_charged_called_and_answered_once() -> None:
    office = Office()
    await office.opens()

    office.at(MoFact, office.cuts_cables)
    mo = office.writes("GAME 7")
    await office.quiet()

    assert mo.deliveries == 2
    assert len(office.rows(schema.Mo)) == 1
    assert len(office.partner.called) == 1
    assert office.texts() == ["thank you"]
    assert office.audit() == []


@story
async def test_a_redelivery_is_kept_with_the_reason_why_it_was_taken_for_one() -> None:
    office = Office()
    await office.opens()

    office.at(MoFact, office.cuts_cables)
    office.writes("GAME 7")
    await office.quiet()

    (mo,), (repeat,) = office.rows(schema.Mo), office.rows(schema.MoRepeat)
    assert repeat.mo_id == mo.id
    assert "session broke before our answer" in repeat.reason


@story
async def test_what_the_operator_numbers_is_known_again_by_its_number() -> None:
    link = a_link(id_tlv="1400")
    office = Office(a_catalogue(links=[link]), quirks=Quirks(id_tlv=0x1400))
    await office.opens()

    office.at(MoFact, office.cuts_cables)
    office.writes("GAME 7")
    await office.quiet()

    assert len(office.rows(schema.Mo)) == 1
    assert [row.reason for row in office.rows(schema.MoRepeat)] == ["the operator gave it the same id as the first"]


@story
async def test_a_link_may_say_for_how_long_the_same_text_is_the_same_message() -> None:
    office = Office(a_catalogue(links=[a_link(repeat="window:60")]))
    await office.opens()

    office.writes("GAME 7")
    await office.passes(30)
    office.writes("GAME 7")
    await office.passes(25)
    office.writes("GAME 7")
    office.writes("GAME 8")
    await office.passes(10)
    office.writes("GAME 7")
    await office.quiet()

    assert [row.text for row in office.rows(schema.Mo)] == ["GAME 7", "GAME 8", "GAME 7"]
    assert {row.reason for row in office.rows(schema.MoRepeat)} == {
        "the same came within the link's window for repeats"
    }
    assert len(office.partner.called) == 3


@story
async def test_two_votes_of_one_subscriber_are_two_messages() -> None:
    office = Office()
    await office.opens()

    office.writes("GAME vote")
    office.writes("GAME vote")
    await office.quiet()

    assert [row.price for row in office.rows(schema.Mo)] == [12_000_000, 12_000_000]
    assert office.rows(schema.MoRepeat) == []
    assert len(office.partner.called) == 2


@story
async def test_a_vote_after_a_broken_session_is_a_new_one_when_nothing_was_in_doubt() -> None:
    office = Office()
    await office.opens()
    office.writes("GAME vote")
    await office.quiet()

    await office.passes(120)
    office.cuts_cables()
    office.writes("GAME vote")
    await office.quiet()

    assert len(office.rows(schema.Mo)) == 2
