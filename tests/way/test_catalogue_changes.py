"""The catalogue changes while traffic flows: every message is decided by one version, and none is lost."""

from dataclasses import replace

from core.catalogue import Prefix
from core.message import Answer, MtState, Outcome
from store import schema
from tests.makers import a_catalogue, a_link, a_partner, a_service, a_tariff
from tests.way.office import Office, story

PARTNERS = [a_partner(), a_partner("bolt", id=2)]
SERVICES = [a_service(), a_service("game", id=2, partner="bolt")]


@story
async def test_a_prefix_that_changes_hands_while_traffic_flows_loses_and_doubles_nothing() -> None:
    before = a_catalogue(partners=PARTNERS, services=SERVICES, prefixes=[Prefix(1, "4446", "GAME", 1)])
    after = replace(before, version=2, prefixes={2: Prefix(2, "4446", "GAME", 2)})
    office = Office(before)
    process = await office.opens()

    for number in range(200):
        office.writes(f"GAME {number}", source=f"79001{number:06d}")
        if number == 100:
            await process.takes(after)
        await office.passes(0.01)
    await office.quiet()

    called = office.partner.called
    assert sorted(int(job.body) for job in called) == list(range(200))
    by_body = {int(job.body): job.partner for job in called}
    hands = [by_body[number] for number in range(200)]
    assert hands == sorted(hands), "acme's, then bolt's"
    assert set(hands) == {"acme", "bolt"}
    earned = {row.id: row.partner_id for row in office.rows(schema.Mo)}
    assert earned == {job.mo_id: job.partner_id for job in called}, "who is called is who earns"
    assert office.audit() == []


@story
async def test_a_new_price_holds_for_messages_that_come_after_it() -> None:
    office = Office()
    process = await office.opens()
    office.writes("GAME 1")
    await office.quiet()
    dear = replace(a_tariff(id=2, price="24.00"), valid_from=office.clock.now())

    tariffs = {("4446", "alpha"): (*office.catalogue.tariffs["4446", "alpha"], dear)}
    await process.takes(replace(office.catalogue, version=2, tariffs=tariffs))
    office.writes("GAME 2")
    await office.quiet()

    assert [row.price for row in office.rows(schema.Mo)] == [12_000_000, 24_000_000]
    assert office.audit() == []


@story
async def test_a_link_that_is_told_something_else_is_bound_anew_and_what_waited_goes_as_it_is_told_now() -> None:
    office = Office()
    office.partner.answers = lambda callback: Answer(Outcome.LATER, status=202)
    process = await office.opens()
    office.writes("GAME 7")
    await office.quiet()
    (mo,) = office.rows(schema.Mo)
    link = office.catalogue.links["alpha-1"]
    await process.takes(replace(office.catalogue, version=2, links={"alpha-1": replace(link, enabled=False)}))
    await process.replies(mo.id, "x" * 306)
    await office.passes(5)
    assert office.texts() == []

    wide = a_link(options={"long_messages": "udh16"})
    await process.takes(replace(office.catalogue, version=3, links={"alpha-1": wide}))
    await office.quiet()

    assert [mt.piece.bits for mt in office.centre.mts if mt.piece] == [16, 16, 16]
    assert office.states() == [MtState.DELIVERED]


@story
async def test_a_partner_that_may_be_called_more_often_at_once_is_so_from_now_on() -> None:
    office = Office(a_catalogue(partners=[a_partner(concurrency=1)]))
    process = await office.opens()
    office.partner.hangs = True
    office.writes("GAME 1")
    office.writes("GAME 2")
    await office.passes(1)
    assert len(office.partner.called) == 1

    await process.takes(replace(office.catalogue, version=2, partners={"acme": a_partner(concurrency=4)}))
    office.writes("GAME 3")
    await office.passes(1)

    assert sorted(job.body for job in office.partner.called) == ["1", "2", "3"]
