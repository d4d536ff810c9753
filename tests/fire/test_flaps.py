"""Links of three protocols that flap under load for a while, on each database; and control runs, to be found out."""

import pytest

from tests.case import AsyncioTestCase
from tests.fire.flaps import Flaps, flap_often

pytestmark = pytest.mark.campaign

SECONDS = 12
SHORT_S = 6


class FlappingLinks(AsyncioTestCase):
    timeout = 240

    async def test_nothing_is_lost_and_what_goes_twice_is_marked_on_sqlite(self) -> None:
        check(await flap_often("sqlite", SECONDS))

    @pytest.mark.soak
    async def test_nothing_is_lost_and_what_goes_twice_is_marked_on_mariadb(self) -> None:
        check(await flap_often("mariadb", SECONDS, seed=1))

    async def test_a_service_that_does_not_mark_what_may_go_twice_is_found_out(self) -> None:
        with pytest.raises(AssertionError, match="is not marked"):
            await flap_often("sqlite", SHORT_S, fault="unmarked")

    async def test_a_service_that_sends_again_what_was_answered_is_found_out(self) -> None:
        with pytest.raises(AssertionError, match="was sent again"):
            await flap_often("sqlite", SHORT_S, fault="again")


def check(flaps: Flaps) -> None:
    """It was a campaign: links were lost, and answers too."""
    print(flaps)
    assert flaps.flaps >= 9
    assert flaps.binds >= 9
    assert 0 < flaps.twice <= flaps.marked
    assert flaps.stored == flaps.written
    assert set(flaps.answered) == {"smpp", "ucp", "cimd2"}
    assert all(flaps.answered.values()), "answers of every protocol are told from what passes"
    assert all(flaps.known[one] for one in flaps.answered), "and found to be of messages, which must not go again"
