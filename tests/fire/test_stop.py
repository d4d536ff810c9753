"""SIGTERM under load, a second one, beside what hangs or is away; and what the next start finds."""

import asyncio
import signal
from collections.abc import Callable
from typing import Any

import pytest

from store.pulse import STOPPED
from tests import services
from tests.case import AsyncioTestCase
from tests.fire.proxy import open_gate, swallow
from tests.fire.redis_outages import LIMIT
from tests.fire.service import HASTY_S
from tests.fire.stage import Ask, Stage
from tests.fire.truth import end_faults, kept_faults, raise_for
from tollbridge.stopping import STOP_S

pytestmark = pytest.mark.campaign

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
                assert seconds < STOP_S
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


class StopBesideWhatHangs(AsyncioTestCase):
    timeout = 240

    async def test_a_partner_that_hangs_does_not_hold_up_the_end(self) -> None:
        async with Stage(hasty(timeout_s=60)) as stage:
            hanging = asyncio.Event()

            def take() -> None:
                stage.book.pause = hanging

            await ends_in_time(stage, "a partner hangs", HASTY_S, take, hanging.set)

            assert stage.service.said("calls to partners were cut off by the stop")

    async def test_a_centre_that_answers_nothing_does_not_hold_up_the_end(self) -> None:
        async with Stage(hasty(proxied=True)) as stage:
            (proxy,) = stage.proxies

            def take() -> None:
                proxy.up = swallow

            def give_back() -> None:
                proxy.up = open_gate

            await ends_in_time(stage, "a centre hangs", HASTY_S, take, give_back)

    async def test_a_database_that_is_stopped_does_not_hold_up_the_end(self) -> None:
        server = await asyncio.to_thread(services.mariadb)
        async with Stage(hasty(database="mariadb")) as stage:
            await ends_in_time(stage, "MariaDB is stopped", HASTY_S, server.stop, server.start)

    async def test_a_database_that_is_frozen_does_not_hold_up_the_end(self) -> None:
        server = await asyncio.to_thread(services.mariadb)
        async with Stage(hasty(database="mariadb")) as stage:
            await ends_in_time(stage, "MariaDB is frozen", HASTY_S, server.freeze, server.thaw)

    async def test_a_redis_that_is_stopped_does_not_hold_up_the_end(self) -> None:
        server = await asyncio.to_thread(services.redis)
        async with Stage(hasty(redis=server.url, limits=LIMIT)) as stage:
            await ends_in_time(stage, "Redis is stopped", HASTY_S, server.stop, server.start)

    async def test_a_redis_that_is_frozen_does_not_hold_up_the_end(self) -> None:
        server = await asyncio.to_thread(services.redis)
        async with Stage(hasty(redis=server.url, limits=LIMIT)) as stage:
            await ends_in_time(stage, "Redis is frozen", HASTY_S, server.freeze, server.thaw)

    async def test_who_could_not_write_down_what_is_in_doubt_does_not_sign_off(self) -> None:
        """Answers are lost on their way, and Redis is away: nobody could note that the session broke."""
        server = await asyncio.to_thread(services.redis)
        async with Stage(hasty(proxied=True, redis=server.url, limits=LIMIT)) as stage:
            (proxy,) = stage.proxies

            def take() -> None:
                proxy.up = swallow
                server.stop()

            def give_back() -> None:
                server.start()
                proxy.up = open_gate

            await ends_in_time(stage, "answers are lost and Redis is away", HASTY_S, take, give_back)

            assert stage.service.said("stopped with work that is not committed")

    async def test_everything_at_once_and_the_real_deadline(self) -> None:
        """As it is run: partner, database and Redis all hang, and it has its 20 s."""
        server, redis = await asyncio.gather(asyncio.to_thread(services.mariadb), asyncio.to_thread(services.redis))
        async with Stage(Ask(database="mariadb", timeout_s=60, redis=redis.url, limits=LIMIT)) as stage:
            hanging = asyncio.Event()

            def take() -> None:
                stage.book.pause = hanging
                server.freeze()
                redis.freeze()

            def give_back() -> None:
                server.thaw()
                redis.thaw()
                hanging.set()

            await ends_in_time(stage, "partner, MariaDB and Redis hang", STOP_S, take, give_back)


async def ends_in_time(
    stage: Stage, what: str, within_s: float, take: Callable[[], None], give_back: Callable[[], None]
) -> None:
    """Under load something hangs or goes away, then comes SIGTERM: exit 0 in time, and nothing is lost."""
    await stage.service.up()
    await stage.until_bound()
    async with stage.under_load(150):
        await stage.until_acknowledged(100)
        await asyncio.to_thread(take)
        try:
            # More is written than is answered: something is under way.
            written = stage.written
            await stage.until(lambda: stage.written >= written + 30, "MO while it lasts")
            code, seconds = await stage.service.end(signal.SIGTERM)
        finally:
            await asyncio.to_thread(give_back)
        print(f"SIGTERM while {what}: exit {code} after {seconds:.2f} s of {within_s:g}")
        assert code == 0
        assert seconds <= within_s
        raise_for(await asyncio.to_thread(kept_faults, stage), f"stopped while {what}")
        await stage.service.up()
        await stage.until_acknowledged(50)
    await stage.until_settled(120)
    raise_for(await asyncio.to_thread(end_faults, stage), f"stopped while {what}, and started again")


def hasty(**wanted: Any) -> Ask:
    """A stage whose service has HASTY_S for a stop."""
    return Ask(module="tests.fire.service", arguments=("hasty",), **wanted)


def held(stage: Stage) -> tuple[int, int, int]:
    """Jobs leased, MT submitting, processes that did not sign off."""
    row: tuple[int, int, int] = stage.row(_HELD.format(now=stage.clock.now(), stopped=STOPPED))
    return row
