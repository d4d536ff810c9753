"""A station that ends by a mistake of ours: the process must end too, not stand there and take nothing.

A mistake on one message ends nothing.
"""

import asyncio

import pytest

from store import schema
from tests.way.office import Office, story
from traffic.ports import Delivery
from traffic.way import SWEEP_S


@story
async def test_who_runs_the_way_is_told_when_a_station_ended_unasked() -> None:
    office = Office()
    process = await office.opens()

    def fails() -> None:
        raise KeyError("a mistake of ours")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process.way.accept, "sweep", fails)
        await asyncio.wait_for(process.failed.wait(), 2 * SWEEP_S)


@story
async def test_a_mistake_of_ours_on_one_mo_is_an_alert_and_the_others_go_their_way() -> None:
    office = Office()
    process = await office.opens()
    deliver = process.way.accept.deliver

    def stumbles(delivery: Delivery) -> None:
        if delivery.octets == b"GAME 3":
            raise KeyError("a mistake of ours")
        deliver(delivery)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process.way.accept, "deliver", stumbles)
        mos = [office.writes(f"GAME {number}", source=f"7900111220{number}") for number in range(10)]
        await office.passes(60)
        alerts = [(row.kind, row.subject) for row in office.rows(schema.Alert)]
        taken = [mo.is_acknowledged for mo in mos]
        states = process.links.states()
    await office.quiet()

    assert taken == [True] * 3 + [False] + [True] * 6
    assert alerts == [("link", "alpha-1")]
    assert states == {"alpha-1": "bound"}
    assert mos[3].is_acknowledged, "it came again, and the mistake was mended"
    assert len(office.rows(schema.Mo)) == 10


@story
async def test_a_stop_is_no_failure() -> None:
    office = Office()
    process = await office.opens()

    await process.stops()

    assert not process.failed.is_set()
