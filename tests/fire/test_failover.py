"""Two links of one operator, one killed or frozen: replies go on within a second by the other one."""

import pytest

from tests.case import AsyncioTestCase
from tests.fire.failover import AFTER, BEFORE, fail_over, frozen, killed

pytestmark = pytest.mark.campaign

WITHIN_MS = 1000


class Failover(AsyncioTestCase):
    timeout = 120

    async def test_replies_go_on_within_a_second_when_one_of_two_links_is_killed(self) -> None:
        await self.check_killed("smpp")

    async def test_so_they_do_when_the_other_one_speaks_another_protocol(self) -> None:
        await self.check_killed("ucp")

    async def check_killed(self, second: str) -> None:
        seen = await fail_over(killed, second=second)

        print(seen)
        assert seen.replies >= BEFORE + AFTER
        assert seen.gap_ms <= WITHIN_MS
        assert seen.stuck_for_ms <= WITHIN_MS, "a message that came a second later waited"

    async def test_replies_go_on_within_a_second_when_one_of_two_links_says_nothing_any_more(self) -> None:
        for second in ("smpp", "ucp"):
            seen = await fail_over(frozen, second=second)

            print(seen)
            assert seen.replies >= BEFORE + AFTER
            assert seen.gap_ms <= WITHIN_MS
            assert seen.stuck_for_ms <= WITHIN_MS, "a message that came a second later waited"
