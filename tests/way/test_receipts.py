"""What became of an answer, whenever and however its receipt comes."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from core.message import MtState
from sim.esme import Job
from sim.quirks import Quirks
from store import schema
from store.standing import read_standing
from tests.makers import a_catalogue, a_link
from tests.way.office import ANNA, Office, story


@story
async def test_a_receipt_that_comes_before_the_answer_to_its_submission_is_not_lost() -> None:
    office = Office(quirks=Quirks(receipt_first=True))
    await office.opens()

    office.writes("GAME 7")
    await office.quiet()

    assert office.states() == [MtState.DELIVERED]
    assert office.rows(schema.Receipt) == []


@story
async def test_a_receipt_that_comes_twice_changes_nothing_the_second_time() -> None:
    office = Office()
    await office.opens()
    came: list[Job] = []
    office.centre.on_answered = lambda job, status: came.append(job) if job.mt else None
    office.writes("GAME 7")
    await office.quiet()
    (before,) = office.rows(schema.Mt)

    office.centre._again(came[0])
    await office.passes(1)

    assert len(came) == 2
    assert office.rows(schema.Mt) == [before]


@story
async def test_a_receipt_finds_its_answer_after_a_restart() -> None:
    office = Office(quirks=Quirks(receipt_delay_s=30))
    process = await office.opens()
    office.writes("GAME 7")
    await office.until(lambda: office.states() == [MtState.SUBMITTED], "the submission")

    await process.stops()
    await office.opens()
    await office.quiet()

    assert office.states() == [MtState.DELIVERED]


@pytest.mark.parametrize(
    ("ids", "base"),
    [
        ("string", "string"),
        ("padded", "string"),
        ("recased", "string"),
        ("hex_then_decimal", "resp_hex_receipt_dec"),
        ("decimal_then_hex", "resp_dec_receipt_hex"),
    ],
)
@pytest.mark.parametrize("form", ["both", "text", "tlv"])
@story
async def test_a_receipt_finds_its_answer_however_the_centre_spells_its_ids(ids: str, base: str, form: str) -> None:
    link = a_link(options={"message_id_base": base})
    office = Office(a_catalogue(links=[link]), quirks=Quirks(message_ids=ids, receipts=form))
    await office.opens()

    for number in range(20):
        office.writes(f"GAME {number}", source=f"790011122{number:02d}")
    await office.quiet()

    assert office.states() == [MtState.DELIVERED] * 20


@pytest.mark.parametrize("first", [True, False], ids=["before its answer", "after"])
@pytest.mark.parametrize(("ids", "base"), [("recased", "string"), ("hex_then_decimal", "resp_hex_receipt_dec")])
@story
async def test_so_it_does_over_another_link_of_the_operator(ids: str, base: str, first: bool) -> None:
    named = {"message_id_base": base}
    links = [a_link(bind="transmitter", options=named), a_link("alpha-2", id=2, bind="receiver", options=named)]
    office = Office(a_catalogue(links=links), quirks=Quirks(message_ids=ids, receipt_first=first))
    process = await office.opens()

    for number in range(20):
        office.writes(f"GAME {number}", source=f"790011122{number:02d}")
    await office.quiet()

    assert office.states() == [MtState.DELIVERED] * 20
    assert {row.link_id for row in office.rows(schema.Mt)} == {1}
    assert [link.counts.receipts for link in process.links.all()] == [0, 20]
    assert office.rows(schema.Receipt) == []


@pytest.mark.parametrize(("ids", "base"), [("recased", "string"), ("hex_then_decimal", "resp_hex_receipt_dec")])
@story
async def test_so_it_does_after_a_restart_when_only_another_link_of_the_operator_is_up(ids: str, base: str) -> None:
    named = {"message_id_base": base}
    links = [a_link(options=named), a_link("alpha-2", id=2, options=named)]
    office = Office(a_catalogue(links=links), quirks=Quirks(message_ids=ids, receipt_delay_s=30))
    process = await office.opens()
    office.writes("GAME 7")
    await office.until(lambda: office.states() == [MtState.SUBMITTED], "the submission")
    (mt,) = office.rows(schema.Mt)

    await process.stops()
    office.catalogue = a_catalogue(links=[replace(link, enabled=link.id != mt.link_id) for link in links])
    process = await office.opens()
    await office.quiet()

    assert office.states() == [MtState.DELIVERED]
    assert {link.link.id: link.counts.receipts for link in process.links.all()} == {mt.link_id: 0, 3 - mt.link_id: 1}


@story
async def test_a_receipt_of_nothing_that_is_known_is_taken_kept_and_counted() -> None:
    office = Office(quirks=Quirks(receipt_delay_s=1))
    process = await office.opens()
    office.writes("GAME 7")
    await office.until(lambda: office.states() == [MtState.SUBMITTED], "the submission")
    with office.database.write() as connection:
        connection.execute(sa.update(schema.Mt).values(key="another"))

    await office.until(lambda: office.centre.counted.receipts == 1, "the receipt's answer")

    (kept,) = office.rows(schema.Receipt)
    assert (kept.word, kept.source) == ("DELIVRD", ANNA)
    with office.database.read() as connection:
        assert read_standing(connection, office.clock.now()).queues["receipts_waiting"] == 1
    assert office.states() == [MtState.SUBMITTED]
    assert (process.way.accept.counted.receipts, process.way.accept.counted.receipts_unmatched) == (1, 1)


@story
async def test_what_the_network_could_not_deliver_failed_with_the_operators_words() -> None:
    office = Office(quirks=Quirks(delivered=0.0))
    await office.opens()

    office.writes("GAME 7")
    await office.quiet()

    (mt,) = office.rows(schema.Mt)
    assert (mt.state, mt.error) == (MtState.FAILED, "UNDELIV 001")


@story
async def test_what_no_phone_took_in_time_expired() -> None:
    office = Office(quirks=Quirks(delivered=0.0, expired=1.0))
    await office.opens()

    office.writes("GAME 7")
    await office.quiet()

    assert office.states() == [MtState.EXPIRED]


@story
async def test_an_answer_that_the_centre_refuses_for_good_failed_and_is_not_sent_again() -> None:
    office = Office(quirks=Quirks(refuse=1.0, refuse_status=0x0B))
    await office.opens()

    office.writes("GAME 7")
    await office.quiet()
    await office.passes(10)

    (mt,) = office.rows(schema.Mt)
    assert (mt.state, mt.error) == (MtState.FAILED, "0x0B ESME_RINVDSTADR: destination address invalid")
    assert office.centre.counted.submitted == 1


@story
async def test_an_answer_that_is_throttled_goes_again_until_it_is_taken_and_is_taken_once() -> None:
    office = Office(quirks=Quirks(throttle=0.5))
    await office.opens()

    for number in range(30):
        office.writes(f"GAME {number}", source=f"790011122{number:02d}")
    await office.quiet(within_s=600)

    assert office.states() == [MtState.DELIVERED] * 30
    assert office.centre.counted.submitted > 30 == office.centre.counted.accepted
    assert {row.maybe_twice for row in office.rows(schema.Mt)} == {0}
    assert {row.attempt for row in office.rows(schema.Mt)} == {0}, "throttling takes nothing of a message's patience"


@story
async def test_an_answer_that_meets_a_passing_error_goes_again_a_little_later() -> None:
    office = Office(quirks=Quirks(refuse=1.0, refuse_status=0x08))
    await office.opens()
    office.writes("GAME 7")
    await office.until(lambda: office.centre.counted.submitted == 3, "two retries")

    office.centre.quirks = Quirks()
    await office.quiet()

    (mt,) = office.rows(schema.Mt)
    assert mt.state == MtState.DELIVERED
    assert mt.attempt >= 3
    assert not mt.maybe_twice


@story
async def test_an_answer_whose_submission_got_no_answer_is_sent_again_and_marked() -> None:
    office = Office(a_catalogue(links=[a_link(response_timeout_s=4)]), quirks=Quirks(lose_answers=1.0))
    await office.opens()
    office.writes("GAME 7")
    await office.until(lambda: bool(office.centre.mts), "the submission")

    office.centre.quirks = Quirks()
    await office.quiet()

    (mt,) = office.rows(schema.Mt)
    assert office.texts() == ["thank you", "thank you"]
    assert mt.maybe_twice
