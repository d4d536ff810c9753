"""Limits that count in Redis, above their class: the real service, and two of them over one window."""

import asyncio
import signal
from typing import Any

import pytest

from core.message import Action
from tests import partners, services
from tests.case import AsyncioTestCase
from tests.fire.process import ServiceProcess
from tests.fire.stage import Ask, Stage
from tests.fire.truth import audit_faults, raise_for

pytestmark = pytest.mark.campaign

LIMIT = """
[[limit]]
scope = "short_code"
key = "4446"
metric = "count"
window = "1d"
threshold = "{most}"
action = "reject"
"""
MOST = 120
_VERDICTS = "SELECT verdict, COUNT(*) FROM mo GROUP BY verdict ORDER BY verdict"
_ORDER = "SELECT verdict FROM mo ORDER BY id"
_TAKEN_BY = "SELECT process_id, COUNT(*) FROM mo GROUP BY process_id"


def an_ask(redis: services.Redis, **wanted: Any) -> Ask:
    redis.flush()
    return Ask(redis=redis.url, limits=LIMIT.format(most=MOST), **wanted)


class LimitsInRedis(AsyncioTestCase):
    timeout = 240

    async def test_the_message_after_the_last_one_that_is_allowed_is_refused_also_after_a_kill(self) -> None:
        redis = await asyncio.to_thread(services.redis)
        async with Stage(an_ask(redis)) as stage:
            await stage.service.up()
            stage.centre.flood(MOST - 1)
            await stage.until_settled()
            before = await asyncio.to_thread(stage.rows, _VERDICTS)
            stage.centre.flood(1)
            await stage.until_settled()
            last = await asyncio.to_thread(stage.rows, _VERDICTS)

            stage.centre.flood(1)
            await stage.until_settled()
            beyond = await asyncio.to_thread(stage.rows, _ORDER)
            await stage.service.down(signal.SIGKILL)
            await stage.service.up()
            stage.centre.flood(30)
            await stage.until_settled()

            assert before == [(Action.PASS, MOST - 1)]
            assert last == [(Action.PASS, MOST)]
            assert [verdict for (verdict,) in beyond] == [Action.PASS] * MOST + [Action.REJECT]
            assert await asyncio.to_thread(stage.rows, _VERDICTS) == [(Action.PASS, MOST), (Action.REJECT, 31)]
            assert len(stage.book.calls) == MOST, "what was refused went to the partner, or what was not did not"
            raise_for(await asyncio.to_thread(audit_faults, stage), "with a limit in Redis")

    async def test_two_processes_that_share_a_window_admit_together_as_many_as_it_allows(self) -> None:
        redis = await asyncio.to_thread(services.redis)
        async with Stage(an_ask(redis, database="mariadb", operators=2)) as stage:
            other = ServiceProcess(stage._config())
            try:
                # No replies: a receipt may come to one process in the moment in which the other writes down its MT.
                stage.book.reply = lambda id_: partners.response(204, b"")
                await asyncio.gather(stage.service.up(), other.up())
                await stage.until(lambda: all(len(centre.esmes) == 2 for centre in stage.centres), "both bound to both")
                for centre in stage.centres:
                    centre.flood(3 * MOST)
                await stage.until_settled()

                verdicts = dict(await asyncio.to_thread(stage.rows, _VERDICTS))
                shares = await asyncio.to_thread(stage.rows, _TAKEN_BY)
                print(f"two processes, one window: {verdicts}, taken by {shares}")
                assert len(shares) == 2, "one process took everything: this proves nothing"
                assert min(count for _, count in shares) > MOST, "alone, one of them would not have reached the limit"
                assert verdicts == {Action.PASS: MOST, Action.REJECT: 5 * MOST}
                assert len(stage.book.calls) == MOST
                raise_for(await asyncio.to_thread(audit_faults, stage), "with one window for two")
            finally:
                await asyncio.to_thread(other.remove)
