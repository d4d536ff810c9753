"""What CIMD2 clients take back (06) at a pocket SMSC. In memory and virtual time."""

import asyncio

import pytest

from tests.sim.clients import MSISDN, OTHER, Client, a_centre, submit_03
from tests.smsc_link.virtual import virtually
from wire.cimd2 import Cancel, Enquire, StatusReport


@pytest.mark.parametrize(("asked", "told"), [(62, [7]), (16, [7]), (14, []), (None, [])])
def test_what_cimd2_took_back_is_told_to_whoever_asked_for_that(asked: int | None, told: list[int]) -> None:
    async def story() -> None:
        centre = a_centre("cimd2")
        client = await Client("cimd2").bind(centre)
        taken = (await client.ask(submit_03(status_report_request=asked))).submitted[0].time_stamp

        first = await client.ask(Cancel(cancel_mode=2, destination=MSISDN, time_stamp=taken))
        again = await client.ask(Cancel(destination=MSISDN, time_stamp=taken))
        found = await client.ask(Enquire(destination=MSISDN, time_stamp=taken))
        await asyncio.sleep(200)

        assert (first.error, again.error, found.status_code) == (0, 7, 7)
        assert [one.status_code for one in client.of(StatusReport)] == told
        assert (centre.counted.cancels, centre.counted.taken_back) == (2, 1)

    virtually(story())


@pytest.mark.parametrize(
    ("mode", "destination", "taken_back"),
    [(0, MSISDN, {MSISDN}), (1, "", {MSISDN, OTHER}), (1, MSISDN, {MSISDN, OTHER})],
)
def test_the_wider_modes_of_cimd2_take_all_back_to_one_or_to_everybody(
    mode: int, destination: str, taken_back: set[str]
) -> None:
    async def story() -> None:
        centre = a_centre("cimd2")
        client = await Client("cimd2").bind(centre)
        stranger = await Client("cimd2").bind(centre, "stranger")
        for one in (MSISDN, OTHER, MSISDN):
            await client.ask(submit_03(destinations=(one,)))
        await stranger.ask(submit_03())

        answer = await client.ask(Cancel(cancel_mode=mode, destination=destination))
        again = await client.ask(Cancel(cancel_mode=mode, destination=destination))
        await asyncio.sleep(200)

        assert (answer.error, again.error) == (0, 7)
        reports = client.of(StatusReport)
        assert {one.destination for one in reports if one.status_code == 7} == taken_back
        assert len(reports) == 3
        assert [one.status_code for one in stranger.of(StatusReport)] == [4]

    virtually(story())


def test_cimd2_says_what_is_missing_in_a_cancel_and_finds_nothing_that_is_over() -> None:
    async def story() -> None:
        client = await Client("cimd2").bind(a_centre("cimd2"))
        taken = (await client.ask(submit_03())).submitted[0].time_stamp
        await asyncio.sleep(100)

        errors = [
            (await client.ask(Cancel(cancel_mode=mode, destination=destination, time_stamp=stamp))).error
            for mode, destination, stamp in (
                (2, MSISDN, ""),
                (None, "", taken),
                (0, "", ""),
                (2, OTHER, taken),
                (2, MSISDN, taken),
                (0, MSISDN, ""),
                (1, "", ""),
            )
        ]

        assert errors == [603, 603, 603, 7, 7, 7, 7]
        assert [one.status_code for one in client.of(StatusReport)] == [4]

    virtually(story())
