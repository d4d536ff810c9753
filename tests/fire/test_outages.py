"""The database away under load: stopped, frozen, cut off in a COMMIT."""

import asyncio

import pytest

from tests import services
from tests.case import AsyncioTestCase
from tests.fire import outages
from tests.fire.outages import HEALTH_WITHIN_S, Outage
from tests.fire.redis_outages import redis_away
from tests.fire.stage import Ask

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
            unavailable, back = await outages.idle(take, give_back, Ask(database="mariadb"))

            print(f"MariaDB {what}, idle: 503 after {unavailable:.2f} s, 200 after {back:.2f} s")
            assert unavailable <= HEALTH_WITHIN_S

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
        assert outage.put_off > 0, "nobody was given the temporary error"
        assert outage.binds == 1, "a link was lost"

    async def test_a_redis_that_is_frozen_for_4_s_loses_nothing_and_intake_resumes_by_itself(self) -> None:
        outage = await redis_away("frozen", 4)

        print(outage)
        assert_told(outage)
        assert outage.binds == 1, "a link was lost"
