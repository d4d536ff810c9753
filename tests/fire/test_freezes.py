"""SIGSTOP of a service under load with a second one beside it, until it is buried; SIGCONT. On MariaDB."""

import pytest

from tests.case import AsyncioTestCase
from tests.fire.freezes import APART, TWINS, freeze_often

pytestmark = pytest.mark.campaign


class Freezes(AsyncioTestCase):
    timeout = 300

    async def test_a_process_that_was_buried_alive_loses_nothing_and_does_nothing_twice(self) -> None:
        frozen = await freeze_often(TWINS, 2)

        print(frozen)
        assert frozen.freezes == 2
        assert frozen.unanswered > 0

    async def test_links_and_dispatch_apart_outlive_each_other(self) -> None:
        frozen = await freeze_often(APART, 2)

        print(frozen)
        assert frozen.freezes == 2
