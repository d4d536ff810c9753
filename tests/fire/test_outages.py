"""The database away under load: stopped, frozen, cut off in a COMMIT."""

import asyncio

import pytest

from tests import services
from tests.case import AsyncioTestCase
from tests.fire import outages
from tests.fire.outages import HEALTH_WITHIN_S, Outage
from tests.fire.redis_outages import HOWS, LIMIT, redis_away, redis_away_idle
from tests.fire.stage import Ask, Stage
from tests.fire.truth import end_faults, raise_for

pytestmark = pytest.mark.campaign


class DatabaseAway(AsyncioTestCase):
    timeout = 300

    async def test_a_database_that_is_stopped_for_5_s_loses_nothing_and_intake_resumes_by_itself(self) -> None:
        outage = await outages.stopped(5)

        print(outage)
        assert_told(outage)
        assert outage.put_off > 0, "nobody was given the temporary error"
        assert outage.binds == 1, "a link was lost"

    async def test_a_database_that_is_frozen_for_5_s_loses_nothing_and_intake_resumes_by_itself(self) -> None:
        outage = await outages.frozen(5)

        print(outage)
        assert_told(outage)
        assert outage.binds == 1, "a link was lost"

    async def test_health_says_so_within_3_s_when_nobody_writes_either(self) -> None:
        server = await asyncio.to_thread(services.mariadb)
        for what, take, give_back in (("stopped", server.stop, server.start), ("frozen", server.freeze, server.thaw)):
            seen = await outages.idle(take, give_back, Ask(database="mariadb"))

            print(
                f"MariaDB {what}, idle: 503 after {seen.unavailable_after_s:.2f} s, 200 after {seen.back_after_s:.2f} s"
            )
            assert seen.unavailable_after_s <= HEALTH_WITHIN_S

    async def test_a_connection_that_breaks_after_its_commit_arrived_charges_nothing_twice(self) -> None:
        outage = await outages.cut_in_commit(5, passes=True)

        print(outage)
        assert outage.noticed >= 5, "a cut went by unnoticed: the campaign proves too little"
        assert outage.repeats > 0
        assert outage.binds == 1, "a link was lost"

    async def test_a_connection_that_breaks_before_its_commit_arrived_loses_nothing(self) -> None:
        outage = await outages.cut_in_commit(5, passes=False)

        print(outage)
        assert outage.noticed >= 5, "a cut went by unnoticed: the campaign proves too little"
        assert outage.binds == 1, "a link was lost"


def assert_told(outage: Outage) -> None:
    """/health said so, in time, and never hung."""
    assert 0 < outage.unavailable_after_s <= HEALTH_WITHIN_S
    assert outage.health_latency_s < HEALTH_WITHIN_S
    assert not outage.notes


class RedisAway(AsyncioTestCase):
    timeout = 300

    async def test_a_redis_that_is_stopped_for_3_s_loses_nothing_and_intake_resumes_by_itself(self) -> None:
        outage = await redis_away("stopped", 3)

        print(outage)
        assert_told(outage)
        assert outage.noticed >= 1, "the log does not name Redis"
        assert outage.put_off > 0, "nobody was given the temporary error"
        assert outage.binds == 1, "a link was lost"

    async def test_a_redis_that_is_frozen_for_4_s_loses_nothing_and_intake_resumes_by_itself(self) -> None:
        outage = await redis_away("frozen", 4)

        print(outage)
        assert_told(outage)
        assert outage.binds == 1, "a link was lost"

    async def test_health_log_and_alert_name_redis_when_nobody_writes_either(self) -> None:
        for how in HOWS:
            seen = await redis_away_idle(how)

            print(f"Redis {how}, idle: 503 after {seen.unavailable_after_s:.2f} s ({seen.reason})")
            assert seen.unavailable_after_s <= HEALTH_WITHIN_S
            assert "Redis" in seen.reason
            assert seen.logged == [outages.REDIS_AWAY, "Redis is back"]
            assert [subject for subject, _ in seen.alerts] == ["Redis"]

    async def test_a_start_waits_for_redis_and_says_so(self) -> None:
        server = await asyncio.to_thread(services.redis)
        async with Stage(Ask(redis=server.url, limits=LIMIT)) as stage:
            await asyncio.to_thread(server.stop)
            try:
                (stage.service.folder / "log").touch()
                starting = asyncio.ensure_future(stage.service.up())
                await stage.service.until_said("waiting for Redis")
                said = await asyncio.to_thread(stage.service.health)
                events = [line["event"] for line in stage.service.log()]
                binds = stage.centre.counted.binds
            finally:
                await asyncio.to_thread(server.start)
            await starting
            stage.centre.flood(20)
            await stage.until_settled()

            raise_for(await asyncio.to_thread(end_faults, stage), "after a start without Redis")
            assert said.status == 503
            assert said.body["reason"].startswith("waiting for Redis: Redis gives no counts")
            assert "up" not in events
            assert not binds, "links were opened though nothing could be counted"
