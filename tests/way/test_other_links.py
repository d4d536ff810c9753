"""Several links of one operator: an answer goes the way that its message came, or another when that one is gone."""

from typing import Any

import pytest

from core.clock import DAY_MS, HOUR_MS
from core.message import Answer, MtState, Outcome
from plumbing.conversation import Address
from sim.quirks import Quirks
from store import schema
from tests.makers import a_catalogue, a_link
from tests.way.office import Office, Process, story

TEXT = "0123456789" * 31
"""310 characters: three parts, whatever the numbers are."""
SECOND = a_link("alpha-2", id=2, port=2776, options={"long_messages": "udh16", "registered_delivery": 17})


def hang_up(office: Office, link: str) -> None:
    """Its centre is gone: the connection too, and nobody answers there any more."""
    place = office.catalogue.links[link]
    office.network.hang_up(Address(place.host, place.port))
    for pipe in office.network.pipes:
        if pipe.peer == f"{place.host}:{place.port}":
            pipe.sever()


def answer_again(office: Office, link: str) -> None:
    place = office.catalogue.links[link]
    office.network.listen(Address(place.host, place.port), office.centres[link].accept, office.clock)


async def with_an_open_question(office: Office) -> tuple[Process, int]:
    """A message came by alpha-1, and its partner said that the reply comes later."""
    office.partner.answers = lambda callback: Answer(Outcome.LATER, status=202)
    process = await office.opens()
    office.writes("GAME 7", link="alpha-1")
    await office.quiet()
    (mo,) = office.rows(schema.Mo)
    return process, mo.id


@story
async def test_an_answer_goes_by_the_link_of_its_message() -> None:
    office = Office(a_catalogue(links=[a_link(), SECOND]))
    await office.opens()

    office.writes("GAME 7", link="alpha-2")
    await office.quiet()

    assert office.texts("alpha-1") == []
    assert office.texts("alpha-2") == ["thank you"]


@story
async def test_an_answer_whose_link_is_down_goes_by_another_as_that_one_wants_it() -> None:
    office = Office(a_catalogue(links=[a_link(), SECOND]))
    process, mo_id = await with_an_open_question(office)

    hang_up(office, "alpha-1")
    await office.passes(1)
    await process.replies(mo_id, TEXT)
    await office.quiet()

    assert [mt.piece.bits for mt in office.centres["alpha-2"].mts if mt.piece] == [16, 16, 16]
    (mt,) = office.rows(schema.Mt)
    assert (mt.link_id, mt.state) == (2, MtState.DELIVERED)


@story
async def test_an_answer_that_was_throttled_goes_by_a_link_that_has_room_written_anew() -> None:
    office = Office(a_catalogue(links=[a_link(), SECOND]))
    process, mo_id = await with_an_open_question(office)
    office.centres["alpha-1"].quirks = Quirks(throttle=1.0)

    await process.replies(mo_id, TEXT)
    await office.quiet()

    assert [mt.piece.bits for mt in office.centres["alpha-2"].mts if mt.piece] == [16, 16, 16]
    assert [bool(mt.maybe_twice) for mt in office.rows(schema.Mt)] == [False], "no part was accepted before"


@story
async def test_a_link_that_is_full_does_not_hold_up_what_another_could_send() -> None:
    first = a_link(window=1, response_timeout_s=60)
    office = Office(a_catalogue(links=[first, SECOND]))
    office.centres["alpha-1"].quirks = Quirks(lose_answers=1.0)
    await office.opens()

    office.writes("GAME 1", source="79001110001", link="alpha-1")
    await office.until(lambda: bool(office.centres["alpha-1"].mts), "the first answer")
    office.writes("GAME 2", source="79001110002", link="alpha-1")
    office.writes("GAME 3", source="79001110003", link="alpha-2")
    await office.passes(2)

    assert sorted(mt.destination for mt in office.centres["alpha-2"].mts) == ["79001110002", "79001110003"]


@story
async def test_a_long_answer_of_which_parts_were_accepted_waits_for_its_link() -> None:
    office = Office(a_catalogue(links=[a_link(max_tps=1), SECOND]))
    process, mo_id = await with_an_open_question(office)
    await process.replies(mo_id, TEXT)
    await office.until(lambda: len(office.centres["alpha-1"].mts) == 1, "the first part")

    hang_up(office, "alpha-1")
    await office.passes(5)
    assert office.texts("alpha-2") == []
    answer_again(office, "alpha-1")
    await office.quiet()

    assert [mt.piece.sequence for mt in office.centres["alpha-1"].mts if mt.piece] == [1, 2, 3]
    assert [bool(mt.maybe_twice) for mt in office.rows(schema.Mt)] == [False]


@story
async def test_a_long_answer_whose_link_does_not_come_back_is_sent_whole_by_another_and_marked() -> None:
    office = Office(a_catalogue(links=[a_link(max_tps=1), SECOND]))
    process, mo_id = await with_an_open_question(office)
    await process.replies(mo_id, TEXT)
    await office.until(lambda: len(office.centres["alpha-1"].mts) == 1, "the first part")

    hang_up(office, "alpha-1")
    await office.quiet()

    pieces = [mt.piece for mt in office.centres["alpha-2"].mts]
    assert [(piece.sequence, piece.bits) for piece in pieces if piece] == [(1, 16), (2, 16), (3, 16)]
    (mt,) = office.rows(schema.Mt)
    assert (mt.state, bool(mt.maybe_twice)) == (MtState.DELIVERED, True)


@story
async def test_what_expired_while_no_link_was_there_is_not_sent_any_more() -> None:
    office = Office()
    process, mo_id = await with_an_open_question(office)
    hang_up(office, "alpha-1")
    await office.passes(1)
    await process.replies(mo_id, "too late")

    office.jumps(DAY_MS + HOUR_MS)
    await office.passes(2)
    assert office.states() == [MtState.EXPIRED]
    answer_again(office, "alpha-1")
    await office.passes(60)

    assert office.texts() == []
    (mt,) = office.rows(schema.Mt)
    assert mt.error == "its validity was over before it could be sent"


@story
async def test_a_stop_gives_back_what_waits_for_a_link_and_the_next_process_sends_it_once() -> None:
    office = Office()
    process, mo_id = await with_an_open_question(office)
    hang_up(office, "alpha-1")
    await office.passes(1)
    await process.replies(mo_id, "patience")

    await process.stops()
    assert office.states() == [MtState.QUEUED]
    answer_again(office, "alpha-1")
    await office.opens()
    await office.quiet()

    assert office.texts() == ["patience"]
    assert [bool(mt.maybe_twice) for mt in office.rows(schema.Mt)] == [False]


@story
async def test_a_flapping_link_loses_no_answer() -> None:
    office = Office(quirks=Quirks(cut_every=3, window=2, retry_s=0.2))
    await office.opens()

    for number in range(20):
        office.writes(f"GAME {number}", source=f"790011122{number:02d}")
    await office.quiet(within_s=600)

    assert len(office.rows(schema.Mo)) == 20
    assert sorted(mt.destination for mt in office.centre.mts) == [f"790011122{number:02d}" for number in range(20)]
    assert office.audit() == []


@pytest.mark.parametrize(
    ("second", "third", "shares"),
    [
        ({"priority": 2}, {"priority": 1}, (0, 24)),
        ({"weight": 3}, {"weight": 1}, (18, 6)),
        ({}, {}, (12, 12)),
    ],
)
@story
async def test_which_other_link_is_next_stands_in_the_options_of_the_links(
    second: dict[str, int], third: dict[str, int], shares: tuple[int, int]
) -> None:
    office = await answered_over_others(second, third)

    assert (len(office.texts("alpha-2")), len(office.texts("alpha-3"))) == shares


@pytest.mark.parametrize(("sticky", "links_of_a_number"), [(True, 1), (False, 2)])
@story
async def test_a_number_stays_on_one_of_the_other_links_where_their_options_say_so(
    sticky: bool, links_of_a_number: int
) -> None:
    office = await answered_over_others({"sticky": sticky}, {"sticky": sticky})

    ways: dict[str, set[str]] = {}
    for link in ("alpha-2", "alpha-3"):
        for mt in office.centres[link].mts:
            ways.setdefault(mt.destination, set()).add(link)
    assert [len(links) for links in ways.values()] == [links_of_a_number] * 8


async def answered_over_others(second: dict[str, Any], third: dict[str, Any]) -> Office:
    """24 replies to 8 subscribers, whose own link is down when they come; two others are up."""
    others = [
        a_link(f"alpha-{id_}", id=id_, port=2774 + id_, options=options) for id_, options in ((2, second), (3, third))
    ]
    office = Office(a_catalogue(links=[a_link(), *others]))
    office.partner.answers = lambda callback: Answer(Outcome.LATER, status=202)
    process = await office.opens()
    for turn in range(3):
        for number in range(8):
            office.writes(f"GAME {turn}", link="alpha-1", source=f"7900111220{number}")
    await office.quiet()
    hang_up(office, "alpha-1")
    await office.passes(1)
    for mo in sorted(office.rows(schema.Mo), key=lambda mo: mo.source):
        await process.replies(mo.id, "thank you")
    await office.quiet()
    return office


@story
async def test_what_is_over_does_not_go_over_a_link_on_which_numbers_stay() -> None:
    office = Office(a_catalogue(links=[a_link(max_tps=1, options={"sticky": True})]))
    office.partner.answers = lambda callback: Answer(Outcome.LATER, status=202)
    process = await office.opens()
    for number in range(6):
        office.writes(f"GAME {number}", link="alpha-1")
    await office.quiet()
    for mo in office.rows(schema.Mo):
        await process.replies(mo.id, "a reply")
    sent = len(office.texts())

    office.jumps(DAY_MS + HOUR_MS)
    await office.passes(30)

    assert 0 < sent < 6
    assert len(office.texts()) == sent
    assert office.states().count(MtState.EXPIRED) == 6 - sent
