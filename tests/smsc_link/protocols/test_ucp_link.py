"""What a UCP link does that others do not, with a pocket SMSC, in memory and in virtual time."""

import asyncio
from typing import Any

import pytest

from core.message import Heard, SubmitOutcome
from sim.quirks import Quirks
from tests.smsc_link.ends import Rig, an_mt
from tests.smsc_link.protocols.ucp_ends import a_ucp_link
from tests.smsc_link.virtual import virtually


def a_rig(quirks: Quirks | None = None, **values: Any) -> Rig:
    return Rig(a_ucp_link(**values), quirks=quirks)


async def submitted(rig: Rig, text: str = "Level 7", **values: Any) -> list[Any]:
    return [await rig.link.submit(part) for part in rig.link.write(an_mt(text, **values), reference=1)]


@pytest.mark.parametrize("operation", ["01", "02"])
def test_an_old_centre_speaks_01_or_02_and_knows_no_receipts(operation: str) -> None:
    async def story() -> None:
        rig = a_rig(Quirks(mo_operation="01"), options={"operation": operation})
        await rig.bound()
        mo = rig.centre.write("79001112233", "4446", "GAME ж")
        await rig.centre.until(lambda: mo.is_acknowledged)
        [answer] = await submitted(rig)
        rig.centre.quirks = Quirks(refuse=1.0)
        [refused] = await submitted(rig, "Level 8")
        await asyncio.sleep(60)

        assert (refused.outcome, refused.code) == (SubmitOutcome.PERMANENT, 54)
        assert [delivery.octets for delivery in rig.intake.deliveries] == [b"GAME ?"]
        assert (answer.outcome, bool(answer.key)) == (SubmitOutcome.ACCEPTED, True)
        assert [(mt.destination, mt.text) for mt in rig.centre.mts if not mt.status] == [("79001112233", "Level 7")]
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


def test_a_trn_without_an_answer_is_used_again_when_the_link_says_and_no_earlier() -> None:
    async def story() -> None:
        options = {"parked_s": 40, "keepalive_s": 0, "inactivity_s": 0}
        rig = a_rig(Quirks(lose_answers=1.0), window=100, response_timeout_s=5, options=options)
        await rig.bound()
        answers = [rig.link.submit(rig.link.write(an_mt(), reference=1)[0]) for _ in range(100)]
        outcomes = {(await answer).outcome for answer in answers}
        given_up_ms = rig.clock.monotonic_ms()

        assert outcomes == {SubmitOutcome.UNANSWERED}
        assert rig.link.room() == 0, "every TRN waits for a late result"
        rig.intake.roomy.clear()
        await rig.intake.until(lambda: bool(rig.intake.roomy) and rig.link.room() > 0)
        assert 39_900 <= rig.clock.monotonic_ms() - given_up_ms <= 41_000
        assert rig.intake.opened == ["alpha-1"]

    virtually(story())
