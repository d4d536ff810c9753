"""SIGTERM under load, a second one, and what the next start finds."""

import asyncio
import signal

import pytest

from store.pulse import STOPPED
from tests.case import AsyncioTestCase
from tests.fire.stage import Ask, Stage
from tests.fire.truth import end_faults, raise_for

pytestmark = pytest.mark.campaign

STOP_WITHIN_S = 20.0
AT_ONCE_S = 2.0
_HELD = """
SELECT (SELECT COUNT(*) FROM callback WHERE due_at > {now}), (SELECT COUNT(*) FROM mt WHERE state = 1),
       (SELECT COUNT(*) FROM process WHERE state <> {stopped})
"""


class Stop(AsyncioTestCase):
    timeout = 240

    async def test_sigterm_under_load_drains_unbinds_and_leaves_nothing_held(self) -> None:
        async with Stage(Ask()) as stage:
            await stage.service.up()
            async with stage.under_load(200):
                await stage.until_acknowledged(200)

                code, seconds = await stage.service.end(signal.SIGTERM)

                # Those that crossed our unbind on the way are unanswered, and come again.
                unanswered = stage.centre.counted.unanswered
                print(f"SIGTERM under load: exit {code} after {seconds:.2f} s, {unanswered} unanswered")
                assert code == 0
                assert seconds < STOP_WITHIN_S
                assert held(stage) == (0, 0, 0)

                await stage.service.up()
                await stage.until_acknowledged(50)
            await stage.until_settled()
            raise_for(await asyncio.to_thread(end_faults, stage), "after SIGTERM and a restart")
            assert stage.row("SELECT COUNT(*) FROM mt WHERE maybe_twice")[0] == 0, "a clean stop left a doubt"

    async def test_a_second_sigterm_ends_at_once_and_the_restart_finds_everything(self) -> None:
        async with Stage(Ask(timeout_s=15)) as stage:
            await stage.service.up()
            stage.book.pause = asyncio.Event()
            async with stage.under_load(200):
                await stage.until_acknowledged(200)

                code, seconds = await stage.service.end(signal.SIGTERM, signal.SIGTERM)

                print(f"second SIGTERM: exit {code} after {seconds:.2f} s")
                assert code == -signal.SIGTERM
                assert seconds < AT_ONCE_S
                stage.book.pause.set()
                await stage.service.up()
            await stage.until_settled()
            raise_for(await asyncio.to_thread(end_faults, stage), "after two SIGTERM and a restart")


def held(stage: Stage) -> tuple[int, int, int]:
    """Jobs leased, MT submitting, processes that did not sign off."""
    row: tuple[int, int, int] = stage.row(_HELD.format(now=stage.clock.now(), stopped=STOPPED))
    return row
