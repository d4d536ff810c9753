"""What a UCP link does that others do not, with a pocket SMSC, in memory and in virtual time."""

import asyncio
from typing import Any

from core.message import Heard, SubmitOutcome
from sim.quirks import Quirks
from tests.smsc_link.ends import Rig, an_mt
from tests.smsc_link.protocols.ucp_ends import a_ucp_link
from tests.smsc_link.virtual import virtually


def a_rig(quirks: Quirks | None = None, **values: Any) -> Rig:
    return Rig(a_ucp_link(**values), quirks=quirks)


async def submitted(rig: Rig, text: str = "Level 7", **values: Any) -> list[Any]:
    return [await rig.link.submit(part) for part in rig.link.write(an_mt(text, **values), reference=1)]


def test_an_old_centre_speaks_01_both_ways_and_knows_no_receipts() -> None:
    async def story() -> None:
        rig = a_rig(Quirks(mo_operation="01"), options={"operation": "01"})
        await rig.bound()
        mo = rig.centre.write("79001112233", "4446", "GAME ж")
        await rig.centre.until(lambda: mo.is_acknowledged)
        [answer] = await submitted(rig)
        await asyncio.sleep(60)

        assert [delivery.octets for delivery in rig.intake.deliveries] == [b"GAME ?"]
        assert (answer.outcome, bool(answer.key)) == (SubmitOutcome.ACCEPTED, True)
        assert [mt.text for mt in rig.centre.mts] == ["Level 7"]
        assert rig.intake.receipts == []

    virtually(story())


def test_a_centre_that_knows_us_by_our_address_asks_for_no_login() -> None:
    async def story() -> None:
        rig = a_rig(Quirks(login=False), system_id="", options={"my_number": "4446"})
        await rig.bound()
        mo = rig.centre.write("79001112233", "4446", "GAME 7")
        await rig.centre.until(lambda: mo.is_acknowledged)
        [answer] = await submitted(rig)
        await asyncio.sleep(300)

        assert answer.outcome is SubmitOutcome.ACCEPTED
        assert rig.intake.opened == ["alpha-1"], "31 keeps it up"
        assert rig.link.state == "bound"

    virtually(story())


def test_what_cannot_be_taken_now_comes_again() -> None:
    async def story() -> None:
        rig = a_rig(options={"later_ec": 50})
        rig.intake.says = Heard.LATER
        await rig.bound()
        seen: list[int] = []
        rig.centre.on_answered = lambda job, status: seen.append(status)
        mo = rig.centre.write("79001112233", "4446", "GAME 7")
        await rig.intake.until(lambda: len(rig.intake.deliveries) == 2)
        rig.intake.says = Heard.TAKEN
        await rig.centre.until(lambda: mo.is_acknowledged)

        assert seen == [50, 50, 0]

    virtually(story())
