"""kill -9 of the real service under load, ten times, on each database."""

import pytest

from tests.case import AsyncioTestCase
from tests.fire.kills import kill_often

pytestmark = pytest.mark.campaign


class Kills(AsyncioTestCase):
    timeout = 300

    async def test_nothing_that_was_acknowledged_is_lost_or_charged_twice_by_kill_9_on_sqlite(self) -> None:
        killed = await kill_often("sqlite", 10)

        print(killed)
        assert killed.kills == 10
        assert killed.repeats > 0

    async def test_nothing_that_was_acknowledged_is_lost_or_charged_twice_by_kill_9_on_mariadb(self) -> None:
        killed = await kill_often("mariadb", 10)

        print(killed)
        assert killed.kills == 10
        assert killed.repeats > 0
