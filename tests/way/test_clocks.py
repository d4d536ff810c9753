"""Somebody sets the wall clock while messages pass: none is charged twice, none is lost, none waits for the old time.

Durations are told by the clock that never jumps; the wall clock says what is written down, the month above all.
"""

from datetime import datetime

import pytest

from core.catalogue import Catalogue, Prefix
from core.clock import DAY_MS, HOUR_MS, MINUTE_MS, Instant, instant_of
from core.message import MtState
from sim.quirks import Quirks
from store import schema
from store.journal import MoFact
from tests.makers import a_catalogue, a_link, a_partner, a_plan, a_service
from tests.simulation.loop import VirtualLoop
from tests.way.office import Office, story
from traffic.way import Pace

BACK_AN_HOUR, FORWARD_A_DAY = -HOUR_MS, DAY_MS
JUMPS = [BACK_AN_HOUR, -DAY_MS, FORWARD_A_DAY, 30 * DAY_MS]


def once(office: Office) -> None:
    """One message, one charge, one call; the redelivery is known."""
    assert len(office.rows(schema.Mo)) == 1
    assert len(office.rows(schema.MoRepeat)) == 1
    assert len(office.partner.called) == 1
    assert office.audit() == []


# --- what may come again ---------------------------------------------------------------------------------


@story
async def test_a_session_that_breaks_as_the_clock_jumps_leaves_its_last_messages_in_doubt() -> None:
    for jump_ms in JUMPS:
        office = Office()
        process = await office.opens()

        def cut_and_jump(office: Office = office, jump_ms: int = jump_ms) -> None:
            office.jumps(jump_ms)
            office.cuts_cables()

        office.at(MoFact, cut_and_jump)
        office.writes("GAME 7")
        await office.quiet()

        once(office)
        await process.stops()


@story
async def test_a_session_after_the_clock_was_set_back_is_doubted_like_any() -> None:
    """By the wall clock it would have ended before it began."""
    office = Office()
    await office.opens()
    office.cuts_cables()
    office.jumps(BACK_AN_HOUR)
    await office.passes(5)

    office.at(MoFact, office.cuts_cables)
    office.writes("GAME 7")
    await office.quiet()

    once(office)


@story
async def test_the_clock_set_back_does_not_put_the_messages_of_an_hour_in_doubt() -> None:
    """A vote that was answered minutes ago and one after the session broke are two."""
    office = Office()
    await office.opens()
    office.writes("GAME first")
    await office.quiet()
    office.jumps(BACK_AN_HOUR)
    office.writes("GAME vote")
    await office.quiet()
    await office.passes(120)

    office.cuts_cables()
    office.writes("GAME vote")
    await office.quiet()

    assert [row.text for row in office.rows(schema.Mo)] == ["GAME first", "GAME vote", "GAME vote"]
    assert office.rows(schema.MoRepeat) == []


@story
async def test_a_doubt_is_believed_whatever_the_clock_says_since() -> None:
    office = Office()
    await office.opens()
    office.at(MoFact, office.cuts_cables)
    office.writes("GAME 7")
    await office.until(lambda: bool(office.rows(schema.InDoubt)), "the doubt")

    office.jumps(FORWARD_A_DAY)
    await office.quiet()

    once(office)


@story
async def test_a_window_for_repeats_lasts_no_longer_after_the_clock_was_set_back() -> None:
    office = Office(a_catalogue(links=[a_link(repeat="window:60")]))
    await office.opens()
    office.writes("GAME vote")
    await office.quiet()

    office.jumps(BACK_AN_HOUR)
    await office.passes(5)
    office.writes("GAME vote")
    await office.quiet()

    assert len(office.rows(schema.Mo)) == 2


@story
async def test_what_waited_unread_while_the_process_stood_still_is_charged_once() -> None:
    """The operator gave it up and sends it again: both lie in the socket when the process goes on."""
    office = Office(quirks=Quirks(retry_s=0.5, response_timeout_s=5.0))
    await office.opens()
    loop = office.clock._loop
    assert isinstance(loop, VirtualLoop)

    def stand_still() -> None:
        office.writes("GAME 7", source="79001112299")
        loop.jump(20)

    office.at(MoFact, stand_still)
    office.writes("GAME 8")
    await office.quiet()

    assert sorted(row.text for row in office.rows(schema.Mo)) == ["GAME 7", "GAME 8"]
    assert office.audit() == []


# --- durations -------------------------------------------------------------------------------------------


@story
async def test_the_parts_of_a_long_message_wait_for_each_other_though_the_clock_jumps_a_day() -> None:
    office = Office()
    await office.opens()
    text = "GAME " + "long " * 60

    first = office.writes_parts(text, [1])
    await office.until(lambda: first.is_acknowledged, "the first part")
    await office.passes(5)
    office.jumps(FORWARD_A_DAY)
    await office.passes(5)
    office._references -= 1
    office.writes_parts(text, [2])
    await office.quiet()

    (mo,) = office.rows(schema.Mo)
    assert mo.text == text
    assert mo.complete


@story
async def test_parts_that_never_come_are_waited_for_no_longer_though_the_clock_was_set_back() -> None:
    office = Office(pace=Pace(max_delay_ms=0, parts_timeout_s=60))
    await office.opens()
    first = office.writes_parts("GAME " + "long " * 60, [1])
    await office.until(lambda: first.is_acknowledged, "the first part")
    await office.passes(5)

    office.jumps(-DAY_MS)
    await office.passes(57)

    (mo,) = office.rows(schema.Mo)
    assert not mo.complete


# --- the calendar ----------------------------------------------------------------------------------------


def at(text: str) -> Instant:
    return instant_of(datetime.fromisoformat(text))


def a_catalogue_of_zones() -> Catalogue:
    """GAME is settled by UTC, CHAT by New York, REST by Kiritimati, which is 14 hours ahead."""
    zones = ("UTC", "America/New_York", "Pacific/Kiritimati")
    scale = (("0", "0.50"), ("10", "0.65"))
    return a_catalogue(
        plans=[
            a_plan(f"plan-{n}", id=n, mode="volume", tiers=scale, time_zone=zone) for n, zone in enumerate(zones, 1)
        ],
        partners=[a_partner(f"partner-{n}", id=n, plan=f"plan-{n}") for n in (1, 2, 3)],
        services=[a_service(f"service-{n}", id=n, partner=f"partner-{n}") for n in (1, 2, 3)],
        prefixes=[Prefix(n, "4446", word, n) for n, word in enumerate(("GAME", "CHAT", "REST"), 1)],
    )


@pytest.mark.parametrize(
    ("moment", "months"),
    [
        ("2027-02-28T23:59:58Z", [202702, 202702, 202703]),
        ("2028-02-28T23:59:58Z", [202802, 202802, 202802]),
        ("2028-02-29T09:59:58Z", [202802, 202802, 202802]),
        ("2028-02-29T10:00:00Z", [202802, 202802, 202803]),
        ("2028-03-01T00:00:00Z", [202803, 202802, 202803]),
        ("2028-03-01T05:00:00Z", [202803, 202803, 202803]),
        ("2026-11-01T03:59:58Z", [202611, 202610, 202611]),
        ("2026-11-01T05:30:00Z", [202611, 202611, 202611]),  # New York: half past one, summer time
        ("2026-11-01T06:30:00Z", [202611, 202611, 202611]),  # and once more, winter time
        ("2026-12-31T10:00:00Z", [202612, 202612, 202701]),
    ],
)
@story
async def test_a_message_is_booked_in_the_month_of_its_acceptance_in_the_zone_of_its_plan(
    moment: str, months: list[int]
) -> None:
    office = Office(a_catalogue_of_zones())
    await office.opens()
    office.jumps(at(moment) - office.clock.now())

    for word in ("GAME", "CHAT", "REST"):
        office.writes(f"{word} 7")
    await office.quiet()

    assert [row.month for row in office.rows(schema.Mo)] == months
    assert office.audit() == []


@story
async def test_a_clock_that_goes_back_over_a_months_end_counts_each_charge_in_one_month() -> None:
    """Each month has its own volume; what comes to the old one again moves that one on."""
    office = Office(a_catalogue_of_zones())
    await office.opens()
    office.jumps(at("2026-12-01T00:20:00Z") - office.clock.now())

    for jump_ms in (0, 0, BACK_AN_HOUR, 0, HOUR_MS, BACK_AN_HOUR):
        office.jumps(jump_ms)
        office.writes("GAME 7")
        await office.quiet()

    rows = office.rows(schema.Mo)
    assert [row.month for row in rows] == [202612, 202612, 202611, 202611, 202612, 202611]
    assert {(row.month, row.volume) for row in office.rows(schema.Volume)} == {
        (202611, 15_000_000),
        (202612, 15_000_000),
    }
    assert [row.partner_part for row in office.rows(schema.Charge)] == [750_000, 750_000]
    assert office.audit() == []


@story
async def test_ids_rise_in_the_order_of_acceptance_whatever_the_clock_does() -> None:
    office = Office()
    await office.opens()

    for number, jump_ms in enumerate((0, BACK_AN_HOUR, 0, FORWARD_A_DAY, -DAY_MS, -30 * DAY_MS, MINUTE_MS)):
        office.jumps(jump_ms)
        office.writes(f"GAME {number}")
        await office.quiet()

    rows = office.rows(schema.Mo)
    assert [row.text for row in rows] == [f"GAME {number}" for number in range(7)]
    assert rows[1].accepted_at < rows[0].accepted_at
    assert office.states() == [MtState.DELIVERED] * 7
