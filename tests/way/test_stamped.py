"""The whole way over UCP and CIMD2, where number and second name a message: MO, partner, reply, receipt, faults."""

from dataclasses import replace
from typing import Any

import pytest

from core.catalogue import Link
from core.message import Answer, MtState, Outcome
from sim.quirks import Quirks
from sim.subscribers import DELIVERED, UNDELIVERABLE
from store import schema
from store.journal import MoFact
from tests.makers import a_catalogue, a_link
from tests.way.office import Office, Process, story
from tests.way.test_long_messages import Fated

LONG = "GAME " + "длинный текст " * 15
"""215 characters in UCS-2: four parts."""
FAILED = {"ucp": "failed Rsn 101: unknown subscriber", "cimd2": "delivery failed error 1: unknown subscriber"}
REFUSED = {"ucp": "login refused: EC 07: authentication failure", "cimd2": "login refused: 100: invalid login"}

pytestmark = pytest.mark.parametrize("protocol", FAILED)


def an_office(protocol: str, quirks: Quirks | None = None, **values: object) -> Office:
    link = replace(a_link(system_id="tollbridge", password="secret"), protocol=protocol, **values)  # type: ignore[arg-type]
    return Office(a_catalogue(links=[link]), quirks=quirks)


@story
async def test_an_mo_is_charged_once_answered_and_its_reply_delivered(protocol: str) -> None:
    office = an_office(protocol)
    await office.opens()

    mo = office.writes("GAME 7")
    await office.quiet()

    assert mo.is_acknowledged
    assert [job.text for job in office.partner.called] == ["GAME 7"]
    assert office.texts() == ["thank you"]
    assert office.states() == [MtState.DELIVERED]
    assert office.rows(schema.Receipt) == []
    assert office.audit() == []


@pytest.mark.parametrize("order", [(1, 2, 3, 4), (4, 3, 2, 1), (2, 4, 1, 3), (1, 1, 2, 3, 3, 4)])
@pytest.mark.parametrize("way", ["udh8", "udh16"])
@story
async def test_a_long_mo_is_whole_in_whatever_order_its_parts_come(
    protocol: str, order: tuple[int, ...], way: str
) -> None:
    office = an_office(protocol)
    await office.opens()

    office.writes_parts(LONG, order, way=way)
    await office.quiet()

    (row,) = office.rows(schema.Mo)
    assert (row.text, row.parts, bool(row.complete)) == (LONG, 4, True)


@story
async def test_a_long_answer_is_delivered_when_all_its_parts_are_though_they_share_their_key(protocol: str) -> None:
    office = an_office(protocol)
    office.centre._subscribers = Fated(DELIVERED, DELIVERED, UNDELIVERABLE)
    office.partner.answers = lambda callback: Answer(Outcome.ANSWERED, "0123456789" * 40, status=200)
    await office.opens()

    office.writes("GAME 7")
    await office.quiet()

    (mt,) = office.rows(schema.Mt)
    parts = office.rows(schema.MtPart)
    assert len({part.key for part in parts}) == 1
    assert [MtState(part.state) for part in parts] == [MtState.DELIVERED, MtState.DELIVERED, MtState.FAILED]
    assert (mt.state, mt.error) == (MtState.FAILED, FAILED[protocol])


@story
async def test_two_answers_to_one_handset_within_a_second_get_their_receipts_in_their_order(protocol: str) -> None:
    office = an_office(protocol, Quirks(receipt_delay_s=2))
    office.centre._subscribers = Fated(UNDELIVERABLE, DELIVERED)
    await office.opens()

    office.writes("GAME 1")
    office.writes("GAME 2")
    await office.quiet()

    first, second = office.rows(schema.Mt)
    assert first.key == second.key
    assert (first.state, second.state) == (MtState.FAILED, MtState.DELIVERED)


@story
async def test_a_receipt_that_comes_before_the_answer_to_its_submission_is_not_lost(protocol: str) -> None:
    office = an_office(protocol, Quirks(receipt_first=True))
    await office.opens()

    office.writes("GAME 7")
    await office.quiet()

    assert office.states() == [MtState.DELIVERED]
    assert office.rows(schema.Receipt) == []


@story
async def test_a_receipt_finds_its_answer_after_a_restart(protocol: str) -> None:
    office = an_office(protocol, Quirks(receipt_delay_s=30))
    process = await office.opens()
    office.writes("GAME 7")
    await office.until(lambda: office.states() == [MtState.SUBMITTED], "the submission")

    await process.stops()
    await office.opens()
    await office.quiet()

    assert office.states() == [MtState.DELIVERED]


def two_links(protocol: str, *, second: str = "transceiver", **values: object) -> list[Link]:
    """Of one operator, to one centre."""
    first = replace(a_link(system_id="tollbridge", password="secret"), protocol=protocol, **values)  # type: ignore[arg-type]
    return [first, replace(first, name="alpha-2", id=2, bind=second)]


def hands_nothing_to(process: Process, name: str) -> None:
    """Neither protocol says at its login what a client wants: it is the centre that is set up so."""
    link: Any = process.links.named(name)
    link._session._conversation.other._owner.receives = False


@pytest.mark.parametrize("first", [True, False], ids=["before its answer", "after"])
@story
async def test_a_receipt_finds_its_answer_over_another_link_of_the_operator(protocol: str, first: bool) -> None:
    office = Office(a_catalogue(links=two_links(protocol, second="receiver")), quirks=Quirks(receipt_first=first))
    process = await office.opens()
    hands_nothing_to(process, "alpha-1")

    for number in range(20):
        office.writes(f"GAME {number}", source=f"790011122{number:02d}")
    await office.quiet()

    assert office.states() == [MtState.DELIVERED] * 20
    assert {row.link_id for row in office.rows(schema.Mt)} == {1}
    assert [link.counts.receipts for link in process.links.all()] == [0, 20]
    assert office.rows(schema.Receipt) == []


@story
async def test_so_it_does_after_a_restart_when_only_that_other_link_is_up(protocol: str) -> None:
    links = two_links(protocol)
    office = Office(a_catalogue(links=links), quirks=Quirks(receipt_delay_s=30))
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
async def test_a_login_that_is_refused_leaves_the_messages_with_the_operator(protocol: str) -> None:
    office = an_office(protocol, Quirks(accounts={"tollbridge": "other"}))
    error = await _opened_in_vain(office)

    mo = office.writes("GAME 7")
    await office.passes(60)

    assert error == REFUSED[protocol]
    assert (mo.deliveries, office.rows(schema.Mo)) == (0, [])


async def _opened_in_vain(office: Office) -> str:
    """A process whose link cannot be bound; its error."""
    with pytest.raises(AssertionError, match="every link bound"):
        await office.opens()
    return office.processes[0].links.errors()["alpha-1"]


@story
async def test_answers_beyond_what_the_centre_takes_in_a_second_go_later_and_each_once(protocol: str) -> None:
    office = an_office(protocol, Quirks(throttle_above=5))
    await office.opens()

    for number in range(30):
        office.writes(f"GAME {number}", source=f"790011122{number:02d}")
    await office.quiet(within_s=600)

    assert office.states() == [MtState.DELIVERED] * 30
    assert office.centre.counted.submitted > 30 == office.centre.counted.accepted
    assert {row.maybe_twice for row in office.rows(schema.Mt)} == {0}


@story
async def test_a_narrow_window_lets_all_through(protocol: str) -> None:
    office = an_office(protocol, window=1)
    await office.opens()

    for number in range(20):
        office.writes(f"GAME {number}", source=f"790011122{number:02d}")
    await office.quiet()

    assert office.states() == [MtState.DELIVERED] * 20


@story
async def test_a_centre_that_restarts_in_full_traffic_loses_nothing_and_charges_nothing_twice(protocol: str) -> None:
    office = an_office(protocol, Quirks(window=2, cut_every=7, retry_s=0.5))
    await office.opens()

    for number in range(40):
        office.writes(f"GAME {number}", source=f"790011122{number:02d}")
    await office.quiet(within_s=900)

    assert office.centre.counted.binds > 3
    assert sorted(row.text for row in office.rows(schema.Mo)) == sorted(f"GAME {number}" for number in range(40))
    assert office.audit() == []


@story
async def test_what_the_centre_sends_again_after_a_cut_is_known_by_its_stamp(protocol: str) -> None:
    office = an_office(protocol)
    await office.opens()

    office.at(MoFact, office.cuts_cables)
    mo = office.writes("GAME 7")
    await office.quiet()

    assert mo.deliveries == 2
    assert len(office.rows(schema.Mo)) == len(office.rows(schema.MoRepeat)) == 1
    assert office.rows(schema.MoRepeat)[0].reason == "the operator gave it the same id as the first"
    assert office.texts() == ["thank you"]


@story
async def test_what_a_centre_stamps_anew_is_known_by_the_doubt(protocol: str) -> None:
    office = an_office(protocol, options={"time_stamp_tells": False})
    await office.opens()

    office.at(MoFact, office.cuts_cables)
    mo = office.writes("GAME 7")
    await office.quiet()

    assert mo.deliveries == 2
    assert len(office.rows(schema.Mo)) == len(office.rows(schema.MoRepeat)) == 1
    assert office.texts() == ["thank you"]


@story
async def test_the_same_vote_written_twice_is_two_votes_even_where_a_session_broke_between_them(protocol: str) -> None:
    office = an_office(protocol)
    await office.opens()

    office.at(MoFact, office.cuts_cables)
    office.writes("VOTE")
    await office.passes(1)
    office.writes("VOTE")
    await office.quiet()

    assert [row.text for row in office.rows(schema.Mo)] == ["VOTE", "VOTE"]
    assert len(office.rows(schema.MoRepeat)) == 1
    assert office.audit() == []
