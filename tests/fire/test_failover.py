"""Two links of one operator, one killed, frozen or throttled: replies go on within a second by the other one."""

import pytest

from tests.case import AsyncioTestCase
from tests.fire.failover import BEFORE, Failover, Way, after, fail_over, frozen, killed, slowed, throttled

pytestmark = pytest.mark.campaign

WITHIN_MS = 1000


class FailingOver(AsyncioTestCase):
    timeout = 120

    async def test_replies_go_on_within_a_second_when_one_of_two_links_is_killed(self) -> None:
        await self.check("smpp", killed)

    async def test_so_they_do_when_the_other_one_speaks_another_protocol_and_when_the_one_is_throttled(self) -> None:
        # In this order: a link that was throttled wholly sends too little for ten seconds to be slowed by half.
        _, *found = await self.check("ucp", killed, slowed, throttled)

        for seen in found:
            assert seen.thrown_back > 0
            assert (seen.late, seen.twice) == (0, 0), "what was refused was surely not taken, and goes at once"

    async def test_replies_go_on_within_a_second_when_one_of_two_links_says_nothing_any_more(self) -> None:
        for second in ("smpp", "ucp"):
            await self.check(second, frozen)

    async def check(self, second: str, *ways: Way) -> list[Failover]:
        found = await fail_over(*ways, second=second)

        for way, seen in zip(ways, found):
            print(seen)
            assert seen.replies >= BEFORE + after(way)
            assert seen.gap_ms <= WITHIN_MS
            assert seen.stuck_for_ms <= WITHIN_MS, "a message that came a second later waited"
        return found
