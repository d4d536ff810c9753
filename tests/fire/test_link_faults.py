"""Links that flap, hang, talk nonsense, exceed the window or never answer: the service survives, the log says why."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from sim.centre import PocketSmsc
from sim.quirks import Quirks
from tests.case import AsyncioTestCase
from tests.fire.proxy import open_gate, swallow
from tests.fire.stage import Ask, Stage
from tests.fire.truth import end_faults, raise_for

pytestmark = pytest.mark.campaign

# Long enough that a full machine does not look like a fault; SILENT is waited for that long.
LINK = """
response_timeout_s = 10
options = { enquire_s = 1.0, window_in = 20 }
"""
NARROW = "options = { window_in = 20 }"
FLAPS = 4
SOUND, FLAPPING, HALF_OPEN, GARBAGE, SILENT = range(5)


class LinkFaults(AsyncioTestCase):
    timeout = 240

    async def test_every_fault_ends_its_own_link_only_and_the_log_says_why(self) -> None:
        quirks = Quirks(retry_s=0.2, window=20)
        async with Stage(Ask(operators=5, proxied=True, link=LINK, quirks=quirks)) as stage:
            await stage.service.up()
            await stage.until_bound()
            async with stage.under_load(150):
                await stage.until_acknowledged(50)
                await asyncio.gather(flap(stage), half_open(stage), garbage(stage), no_answers(stage))
                await stage.until_acknowledged(50)
            await stage.until_settled()

            raise_for(await asyncio.to_thread(end_faults, stage), "after faults of links")
            assert stage.centres[SOUND].counted.binds == 1, "the sound link was lost with the others"
            reasons = reasons_of(stage)
            for place, all_of_it in sorted(reasons.items()):
                print(f"link-{place:02d}: {all_of_it}")
            assert len(reasons[FLAPPING]) >= FLAPS
            assert reasons[HALF_OPEN]
            assert reasons[GARBAGE]
            assert all(reason for all_of_it in reasons.values() for reason in all_of_it)
            assert stage.row("SELECT COUNT(*) FROM mt WHERE maybe_twice")[0] > 0, "no submission went unanswered"

    async def test_a_centre_that_exceeds_the_window_gets_the_temporary_error_and_loses_nothing(self) -> None:
        async with Stage(Ask(link=NARROW, quirks=Quirks(retry_s=0.2, window=400))) as stage:
            await stage.service.up()
            await stage.until_bound()

            stage.centre.flood(1000)
            await stage.until_settled()

            print(f"window exceeded: {stage.centre.counted.put_off} put off of 1000")
            raise_for(await asyncio.to_thread(end_faults, stage), "after a flood beyond the window")
            assert stage.centre.counted.put_off > 0
            assert stage.centre.counted.binds == 1


async def flap(stage: Stage) -> None:
    """It goes as soon as it has come."""
    centre = stage.centres[FLAPPING]
    for _ in range(FLAPS):
        binds = centre.counted.binds
        await centre.until(lambda: bool(centre.esmes))
        centre.cut()
        await centre.until(partial(_has_bound_since, centre, binds))


def _has_bound_since(centre: PocketSmsc, binds: int) -> bool:
    return centre.counted.binds > binds


async def half_open(stage: Stage) -> None:
    """Its connection is up, and nothing goes through."""
    await _until_lost(stage, HALF_OPEN, lambda: _gates(stage, HALF_OPEN, shut=True))
    _gates(stage, HALF_OPEN, shut=False)


async def garbage(stage: Stage) -> None:
    """It says what is no PDU."""
    await _until_lost(stage, GARBAGE, lambda: stage.proxies[GARBAGE].inject(b"\xff" * 64))


async def no_answers(stage: Stage) -> None:
    """It takes what is submitted, and says nothing."""
    centre = stage.centres[SILENT]
    centre.quirks = replace(centre.quirks, lose_answers=1.0)
    submitted = centre.counted.submitted
    await centre.until(lambda: centre.counted.submitted >= submitted + 20)
    centre.quirks = replace(centre.quirks, lose_answers=0.0)


def _gates(stage: Stage, place: int, *, shut: bool) -> None:
    proxy = stage.proxies[place]
    proxy.up = proxy.down = swallow if shut else open_gate


async def _until_lost(stage: Stage, place: int, begin: Callable[[], None]) -> None:
    """Begin, and wait until the log says that the link is down."""
    begin()
    async with asyncio.timeout(30):
        while not (await asyncio.to_thread(reasons_of, stage)).get(place):
            await asyncio.sleep(0.05)


def reasons_of(stage: Stage) -> dict[int, list[str]]:
    """Why each link went down, as the log says."""
    found: dict[int, list[str]] = {}
    for line in stage.service.said("link down"):
        found.setdefault(int(line["link"].removeprefix("link-")), []).append(line["reason"])
    return found
