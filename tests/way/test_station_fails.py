"""A station that ends by a mistake of ours: the process must end too, not stand there and take nothing."""

import asyncio

import pytest

from tests.way.office import Office, story
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
async def test_a_stop_is_no_failure() -> None:
    office = Office()
    process = await office.opens()

    await process.stops()

    assert not process.failed.is_set()
