"""COMMITs that are done after the service has given them up: nothing is charged twice, nothing is lost."""

import pytest

from tests.case import AsyncioTestCase
from tests.fire.held_commits import frozen_in_commit, held_commit

pytestmark = pytest.mark.campaign


class GivenUp(AsyncioTestCase):
    timeout = 300

    async def test_a_server_that_freezes_in_a_commit_for_longer_than_we_wait_charges_nothing_twice(self) -> None:
        outage = await frozen_in_commit()

        # Thawed, the server reads the COMMIT first, or first finds that the transaction stood still for too long.
        print(outage)
        assert outage.noticed > 0
        assert outage.binds == 1, "a link was lost"

    async def test_a_commit_that_arrives_after_it_was_given_up_charges_nothing_twice(self) -> None:
        outage = await held_commit()

        print(outage)
        assert outage.repeats > 0, "the commit was not done after all: the campaign proves too little"
        assert outage.binds == 1, "a link was lost"

    async def test_a_commit_that_is_held_up_in_silence_loses_nothing_and_charges_nothing_twice(self) -> None:
        """The server may have ended the transaction by then, or not: either is told from the other."""
        outage = await held_commit(silent=True)

        print(outage)
        assert outage.noticed > 0
        assert outage.binds == 1, "a link was lost"
