"""Long texts both ways: parts out of order, twice or never; answers that are cut, and receipted part by part."""

from collections.abc import Sequence

from core.catalogue import Catalogue, OutgoingCost
from core.message import Answer, MtState, Outcome
from core.sms.parts import with_header
from core.tariff.charge import ChargeKind
from sim.quirks import Quirks
from sim.subscribers import DELIVERED, UNDELIVERABLE, Fate, Subscribers
from store import schema
from store.journal import MoFact, PartFact
from tests.makers import a_catalogue, a_link, an_operator_with_cost
from tests.way.office import ANNA, Office, story
from traffic.way import Pace
from wire.smpp.operations import DeliverSm

TEXT = "GAME " + "abcdefghij" * 40
"""405 characters: three parts."""
ANSWER = "0123456789" * 40
BORDER = "x" * 306
"""Two parts, of which a link with references of 16 bits makes three."""


class Fated(Subscribers):
    """Phones with fates of their own, one after the other."""

    def __init__(self, *states: int) -> None:
        super().__init__()
        self._fates = [Fate(state, "000") for state in states]

    def fate(self) -> Fate:
        return self._fates.pop(0)


async def whole_text_of(office: Office, order: Sequence[int]) -> str:
    await office.opens()
    office.writes_parts(TEXT, order)
    await office.quiet()
    (row,) = office.rows(schema.Mo)
    assert (row.parts, bool(row.complete), row.price) == (3, True, 36_000_000)
    assert [job.text for job in office.partner.called] == [row.text]
    text: str = row.text
    return text


@story
async def test_the_parts_of_a_long_message_are_joined_and_each_is_paid() -> None:
    assert await whole_text_of(Office(), [1, 2, 3]) == TEXT


@story
async def test_a_long_message_that_comes_in_one_piece_is_paid_for_as_its_parts() -> None:
    office = Office()
    await office.opens()

    office.writes_parts("GAME " + "x" * 300, [1], way="payload")
    await office.quiet()

    assert [(row.parts, row.price) for row in office.rows(schema.Mo)] == [(2, 24_000_000)]
    assert [job.parts for job in office.partner.called] == [2]
    assert office.audit() == []


@story
async def test_parts_that_come_out_of_order_are_put_in_order() -> None:
    assert await whole_text_of(Office(), [3, 1, 2]) == TEXT


@story
async def test_parts_that_come_twice_count_once() -> None:
    assert await whole_text_of(Office(quirks=Quirks(window=1)), [2, 2, 1, 2, 3]) == TEXT


@story
async def test_a_part_that_never_comes_is_not_waited_for_without_end() -> None:
    office = Office(pace=Pace(max_delay_ms=0, parts_timeout_s=60))
    await office.opens()

    mo = office.writes_parts(TEXT, [1, 3])
    await office.passes(50)
    assert mo.is_acknowledged
    assert office.rows(schema.Mo) == []
    await office.passes(15)
    await office.quiet()

    (row,) = office.rows(schema.Mo)
    assert (row.parts, bool(row.complete), row.price) == (2, False, 24_000_000)
    assert row.text == TEXT[:153] + TEXT[306:]
    assert len(office.partner.called) == 1


@story
async def test_a_link_may_wait_for_parts_longer_than_others_and_zero_means_as_long_as_all() -> None:
    for options, waits_s in (({"parts_timeout_s": 20}, 20), ({"parts_timeout_s": 0}, 60), ({}, 60)):
        link = a_link(options=options)
        office = Office(a_catalogue(links=[link]), pace=Pace(max_delay_ms=0, parts_timeout_s=60))
        await office.opens()

        office.writes_parts(TEXT, [1, 2])
        await office.passes(waits_s - 5)
        assert office.rows(schema.Mo) == []
        await office.passes(8)

        assert [row.parts for row in office.rows(schema.Mo)] == [2], options


@story
async def test_a_number_that_is_used_again_before_its_message_was_whole_begins_another() -> None:
    office = Office(pace=Pace(max_delay_ms=0, parts_timeout_s=60))
    await office.opens()

    office.writes_parts(TEXT, [1, 2])
    await office.passes(1)
    office._references -= 1
    office.writes_parts("GAME " + "z" * 400, [1, 2, 3])
    await office.passes(1)
    await office.quiet()

    assert [(row.parts, bool(row.complete)) for row in office.rows(schema.Mo)] == [(2, False), (3, True)]
    assert [job.text[5] for job in office.partner.called] == ["a", "z"]


@story
async def test_parts_wait_on_through_a_restart() -> None:
    office = Office()
    process = await office.opens()
    office.writes_parts(TEXT, [1, 3])
    await office.passes(1)

    await process.stops()
    await office.opens()
    office._references -= 1
    office.writes_parts(TEXT, [2])
    await office.quiet()

    assert [row.text for row in office.rows(schema.Mo)] == [TEXT]


@story
async def test_parts_of_several_alphabets_are_read_each_in_its_own_through_a_restart() -> None:
    office = Office()
    process = await office.opens()
    smile = "я😀".encode("utf-16-be")
    parts = [(b"GAME mx ", 0), (smile[:4], 8), (smile[4:], 8), (b"!\x1b", 0), (b"\x65", 0)]
    pdus = [
        DeliverSm(
            source_addr=ANNA, destination_addr="4446", esm_class=0x40, data_coding=data_coding,
            short_message=with_header(octets, reference=7, total=5, sequence=number, bits=8),
        )
        for number, (octets, data_coding) in enumerate(parts, 1)
    ]  # fmt: skip
    office.writes_pdus(pdus[1], pdus[3])
    await office.passes(1)

    await process.stops()
    await office.opens()
    office.writes_pdus(pdus[4], pdus[0], pdus[2])
    await office.quiet()

    assert [(row.text, row.parts, row.data_coding) for row in office.rows(schema.Mo)] == [("GAME mx я😀!€", 5, 0)]


@story
async def test_a_part_whose_answer_was_lost_is_a_repeat_when_it_comes_again() -> None:
    office = Office()
    await office.opens()

    office.at(PartFact, office.cuts_cables)
    office.writes_parts(TEXT, [1, 2, 3])
    await office.quiet()

    assert [row.text for row in office.rows(schema.Mo)] == [TEXT]
    assert office.audit() == []


@story
async def test_the_last_part_delivered_twice_is_charged_once() -> None:
    office = Office()
    await office.opens()

    office.at(MoFact, office.cuts_cables)
    office.writes_parts(TEXT, [1, 2, 3])
    await office.quiet()

    assert [row.price for row in office.rows(schema.Mo)] == [36_000_000]
    assert len(office.partner.called) == 1


def answering(text: str) -> Office:
    office = Office()
    office.partner.answers = lambda callback: Answer(Outcome.ANSWERED, text, status=200)
    return office


@story
async def test_a_long_answer_goes_in_parts_in_order_under_one_number() -> None:
    office = answering(ANSWER)
    await office.opens()

    office.writes("GAME 7")
    await office.quiet()

    pieces = [mt.piece for mt in office.centre.mts]
    assert [(piece.sequence, piece.total) for piece in pieces if piece] == [(1, 3), (2, 3), (3, 3)]
    assert len({piece.reference for piece in pieces if piece}) == 1
    assert "".join(office.texts()) == ANSWER
    (mt,) = office.rows(schema.Mt)
    assert (mt.parts, mt.state) == (3, MtState.DELIVERED)


@story
async def test_a_long_answer_is_delivered_only_when_each_part_is() -> None:
    office = answering(ANSWER)
    office.centre._subscribers = Fated(DELIVERED, UNDELIVERABLE, DELIVERED)
    await office.opens()

    office.writes("GAME 7")
    await office.quiet()

    assert office.states() == [MtState.FAILED]
    assert [MtState(part.state) for part in office.rows(schema.MtPart)] == [
        MtState.DELIVERED,
        MtState.FAILED,
        MtState.DELIVERED,
    ]


@story
async def test_an_answer_without_end_is_cut_to_twenty_parts() -> None:
    office = answering("y" * 10_000)
    await office.opens()

    office.writes("GAME 7")
    await office.quiet()

    (mt,) = office.rows(schema.Mt)
    assert mt.parts == 20 == len(office.texts())
    assert [row.error for row in office.rows(schema.Callback)] == ["the reply was cut after 20 parts"]


@story
async def test_a_window_of_one_carries_a_long_answer_part_by_part() -> None:
    office = Office(a_catalogue(links=[a_link(window=1)]))
    office.partner.answers = lambda callback: Answer(Outcome.ANSWERED, ANSWER, status=200)
    await office.opens()

    office.writes("GAME 7")
    office.writes("GAME 8", source="79001112299")
    await office.quiet()

    assert [mt.piece.sequence for mt in office.centre.mts if mt.piece] == [1, 2, 3, 1, 2, 3]
    assert office.states() == [MtState.DELIVERED, MtState.DELIVERED]


@story
async def test_a_link_with_wide_numbers_sends_more_parts_than_the_text_counts() -> None:
    office = Office(a_catalogue(links=[a_link(options={"long_messages": "udh16"})]))
    office.partner.answers = lambda callback: Answer(Outcome.ANSWERED, "x" * 306, status=200)
    await office.opens()

    office.writes("GAME 7")
    await office.quiet()

    assert [mt.piece.bits for mt in office.centre.mts if mt.piece] == [16, 16, 16]
    (mt,) = office.rows(schema.Mt)
    assert (mt.parts, mt.state) == (2, MtState.DELIVERED)
    assert [part.state for part in office.rows(schema.MtPart)] == [MtState.DELIVERED] * 3


@story
async def test_a_centre_that_cuts_texts_itself_gets_one_and_its_receipt_counts_for_all() -> None:
    office = Office(a_catalogue(links=[a_link(options={"long_messages": "payload"})]))
    office.partner.answers = lambda callback: Answer(Outcome.ANSWERED, ANSWER, status=200)
    await office.opens()

    office.writes("GAME 7")
    await office.quiet()

    assert office.texts() == [ANSWER]
    (mt,) = office.rows(schema.Mt)
    assert (mt.parts, mt.state) == (3, MtState.DELIVERED)


def two_links() -> Catalogue:
    """Of one operator, which takes 0.40 for each SMS that it gets."""
    wide = a_link("alpha-2", id=2, port=2776, options={"long_messages": "udh16"})
    return a_catalogue(
        operators=[an_operator_with_cost(OutgoingCost(1, 0, 400_000, "submitted"))],
        links=[a_link(options={"long_messages": "udh8"}), wide],
    )


@story
async def test_a_reply_has_the_parts_of_its_text_whichever_door_and_link_it_takes() -> None:
    """By the callback's answer and by the API, over a link that sends two parts and over one that sends three."""
    office = Office(two_links())
    process = await office.opens()
    office.partner.answers = lambda callback: Answer(Outcome.ANSWERED, BORDER, status=200)
    for link in ("alpha-1", "alpha-2"):
        office.writes("GAME 1", link=link)
    await office.quiet()

    office.partner.answers = lambda callback: Answer(Outcome.ANSWERED, "", status=200)
    for link in ("alpha-1", "alpha-2"):
        office.writes("GAME 2", link=link)
    await office.quiet()
    open_ = [row.id for row in office.rows(schema.Mo) if row.text == "GAME 2"]
    told = [await process.replies(mo_id, BORDER) for mo_id in open_]
    await office.quiet()

    assert [replied.parts for replied in told] == [2, 2]
    assert [row.parts for row in office.rows(schema.Mt)] == [2, 2, 2, 2]
    assert (len(office.texts("alpha-1")), len(office.texts("alpha-2"))) == (4, 6)


@story
async def test_the_operator_takes_what_was_sent_over_the_link_and_not_what_the_text_counts() -> None:
    office = Office(two_links())
    await office.opens()
    office.partner.answers = lambda callback: Answer(Outcome.ANSWERED, BORDER, status=200)

    office.writes(link="alpha-1")
    await office.quiet()
    office.writes(link="alpha-2")
    await office.quiet()

    costs = [row.operator_part for row in office.rows(schema.Charge) if row.kind == ChargeKind.MT_COST]
    assert costs == [800_000, 1_200_000]
    assert office.audit() == []
