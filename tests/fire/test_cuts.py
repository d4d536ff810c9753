"""TCP cut in the middle of our answers, fifty times; and the control run, which must show doubles."""

import pytest

from tests.case import AsyncioTestCase
from tests.fire.cuts import cut_often

pytestmark = pytest.mark.campaign


class CutsInMidAnswer(AsyncioTestCase):
    timeout = 300

    async def test_an_answer_that_was_cut_off_never_charges_a_message_twice(self) -> None:
        cuts = await cut_often(50)

        print(cuts)
        assert cuts.cuts >= 50
        assert cuts.repeats > 0
        assert cuts.doubles == 0

    async def test_without_the_recognition_of_repeats_the_same_cuts_charge_twice(self) -> None:
        cuts = await cut_often(15, repeat="never")

        print(cuts)
        assert cuts.doubles > 0
