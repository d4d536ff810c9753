"""Five thousand receipts at once while MO flow: what matters here is that each finds its MT."""

import pytest

from tests.case import AsyncioTestCase
from tests.fire.storm import storm

pytestmark = pytest.mark.campaign

COUNT = 5_000
CALM_S = 1.0


class StormOfReceipts(AsyncioTestCase):
    timeout = 240

    async def test_every_receipt_of_a_storm_finds_its_message_on_sqlite(self) -> None:
        await self.check("sqlite")

    @pytest.mark.soak
    async def test_every_receipt_of_a_storm_finds_its_message_on_mariadb(self) -> None:
        await self.check("mariadb")

    async def check(self, database: str) -> None:
        seen = await storm(database, COUNT, calm_s=CALM_S)

        print(seen)
        assert seen.receipts == COUNT
        assert seen.storm_mos > 0, "nobody wrote in the storm"
