"""A UCP link's traffic with a pocket SMSC, in memory and in virtual time."""

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from core.message import Heard, ReceiptState, SubmitOutcome
from sim.quirks import Quirks
from tests.smsc_link.ends import Rig, an_mt
from tests.smsc_link.protocols.ucp_ends import a_ucp_link
from tests.smsc_link.virtual import virtually


def a_rig(quirks: Quirks | None = None, **values: Any) -> Rig:
    return Rig(a_ucp_link(**values), quirks=quirks)


async def submitted(rig: Rig, text: str = "Level 7", **values: Any) -> list[Any]:
    return [await rig.link.submit(part) for part in rig.link.write(an_mt(text, **values), reference=1)]


def test_an_mo_is_taken_answered_and_replied_to() -> None:
    async def story() -> None:
        rig = a_rig()
        await rig.bound()
        mo = rig.centre.write("79001112233", "4446", "GAME 7")
        await rig.centre.until(lambda: mo.is_acknowledged)
        [answer] = await submitted(rig, source="Alpha")

        [delivery] = rig.intake.deliveries
        assert (delivery.source, delivery.destination) == ("79001112233", "4446")
        assert [(mt.text, mt.source, mt.system_id) for mt in rig.centre.mts] == [("Level 7", "Alpha", "tollbridge")]
        await rig.intake.until(lambda: bool(rig.intake.receipts))
        [receipt] = rig.intake.receipts
        assert (receipt.keys, receipt.state) == ((answer.key,), ReceiptState.DELIVERED)
        await rig.link.stop()
        assert rig.intake.ended == [("alpha-1", True)], "31 at the end proves that all was heard"

    virtually(story())


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


def test_a_wrong_password_is_our_own_fault_and_not_tried_again_soon() -> None:
    async def story() -> None:
        rig = a_rig(Quirks(accounts={"tollbridge": "other"}))
        rig.link.start()
        await rig.centre.until(lambda: rig.centre.counted.refused_binds == 1)
        await asyncio.sleep(100)

        assert rig.centre.counted.refused_binds == 1
        assert rig.link.last_error == "login refused: EC 07: authentication failure"
        await rig.centre.until(lambda: rig.centre.counted.refused_binds == 2)

    virtually(story())


def test_a_login_that_may_be_taken_later_is_tried_again_soon() -> None:
    async def story() -> None:
        rig = a_rig(Quirks(bind_status=4))
        rig.link.start()
        await rig.centre.until(lambda: rig.centre.counted.refused_binds == 3)

        assert "EC 04" in rig.link.last_error

    virtually(story())


@pytest.mark.parametrize("window", [1, 7, 100])
def test_the_window_is_kept_and_tells_when_there_is_room(window: int) -> None:
    async def story() -> None:
        rig = a_rig(window=window)
        await rig.bound()
        parts = [rig.link.write(an_mt(), reference=1)[0] for _ in range(window + 1)]
        answers = [rig.link.submit(part) for part in parts[:window]]
        assert rig.link.room() == 0
        assert (await rig.link.submit(parts[window])).outcome is SubmitOutcome.UNSENT
        await rig.intake.until(lambda: bool(rig.intake.roomy))

        assert {(await answer).outcome for answer in answers} == {SubmitOutcome.ACCEPTED}
        assert (await rig.link.submit(parts[window])).outcome is SubmitOutcome.ACCEPTED

    virtually(story())


def test_too_many_in_a_second_are_throttled_and_the_link_slows_down() -> None:
    async def story() -> None:
        rig = a_rig(Quirks(throttle_above=3))
        await rig.bound()
        parts = [rig.link.write(an_mt(), reference=1)[0] for _ in range(5)]
        outcomes = [(await answer).outcome for answer in [rig.link.submit(part) for part in parts]]

        assert outcomes == [SubmitOutcome.ACCEPTED] * 3 + [SubmitOutcome.THROTTLED] * 2
        assert rig.link.counts.throttled == 2
        assert rig.link.room() == 0
        await rig.intake.until(lambda: bool(rig.intake.roomy))

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


def test_a_receipt_that_cannot_be_written_now_comes_again() -> None:
    async def story() -> None:
        rig = a_rig()
        await rig.bound()
        rig.intake.says = Heard.LATER
        await submitted(rig)
        await rig.intake.until(lambda: len(rig.intake.receipts) == 2)
        rig.intake.says = Heard.TAKEN
        await rig.centre.until(lambda: rig.centre.counted.receipts == 1)

        assert len({receipt.keys for receipt in rig.intake.receipts}) == 1

    virtually(story())


def test_a_centre_that_begins_anew_is_bound_to_again() -> None:
    async def story() -> None:
        rig = a_rig(Quirks(window=1, cut_every=3))
        await rig.bound()
        rig.centre.flood(10)
        await rig.centre.until(lambda: rig.centre.counted.acknowledged == 10)

        assert rig.centre.counted.binds >= 4
        assert rig.intake.ended == [("alpha-1", False)] * (rig.centre.counted.binds - 1)

    virtually(story())


def test_what_cannot_be_used_is_told_in_the_protocols_own_words() -> None:
    async def story() -> None:
        rig = a_rig()
        await rig.bound()
        with capture_logs() as logs:
            rig.network.pipes[0]._coming.append(b"\x0200/00022/O/52/A/04//0B\x03")
            rig.network.pipes[0]._arrive()

        [told] = [line for line in logs if line["event"] == "pdu refused"]
        assert (told["command"], told["status"]) == ("O/52", "EC 01")
        assert rig.link.unused("refused") == 1

    virtually(story())
