"""A campaign and replies to subscribers over one link with a rate: what the centre got, in which order, and when."""

from itertools import pairwise

from core.clock import HOUR_MS, SECOND_MS
from core.message import Mt, MtState, TrafficClass
from store import schema
from store.journal import NewMtFact
from tests.makers import a_catalogue, a_link
from tests.way.office import Office, Process, story
from traffic.classes import FLOORS

TPS = 10
CAMPAIGN, VOTES = 100, 60
EACH = FLOORS[TrafficClass.BULK]
SALE = "sale"


def begin_campaign(office: Office, process: Process) -> None:
    """Nothing of the product makes one yet: its messages are in the outbox."""
    now, ids = office.clock.now(), process.journal._ids
    process.journal.write(
        [
            NewMtFact(
                Mt(
                    ids.next(now), "alpha-1", 1, 1, "4446", f"7900222{number:04d}", SALE, 1, now,
                    valid_until=now + HOUR_MS, traffic=TrafficClass.BULK,
                )
            )
            for number in range(CAMPAIGN)
        ]
    )  # fmt: skip


@story
async def test_replies_go_before_a_campaign_which_keeps_its_floor_and_never_faster_than_the_rate() -> None:
    office = Office(a_catalogue(links=[a_link(max_tps=TPS)]))
    process = await office.opens()
    got = office.centre.mts
    begin_campaign(office, process)
    await office.until(lambda: len(got) == 5, "the campaign under way")

    for number in range(VOTES):
        office.writes(f"GAME {number}", source=f"790011122{number:02d}")
    await office.quiet()

    assert len(got) == CAMPAIGN + VOTES
    assert office.states() == [MtState.DELIVERED] * len(got)
    assert {row.attempt for row in office.rows(schema.Mt)} == {0}, "nothing was thrown back by anybody"
    in_order = [mt.text == SALE for mt in got]
    first = in_order.index(False)
    last = len(in_order) - in_order[::-1].index(False)
    assert first <= 6, "a reply goes next"
    assert in_order[first:last] == [(place + 1) % EACH == 0 for place in range(last - first)], "each twentieth"
    at_ms = [mt.at_ms for mt in got]
    assert min(after - before for before, after in zip(at_ms, at_ms[TPS:])) >= SECOND_MS, "a second has so many"
    assert max(after - before for before, after in pairwise(at_ms)) <= 2 * SECOND_MS // TPS, "and no less"
