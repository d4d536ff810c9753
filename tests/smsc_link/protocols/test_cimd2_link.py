"""What a CIMD2 link does that others do not, with a pocket SMSC, in memory and in virtual time."""

import asyncio
from typing import Any

from structlog.testing import capture_logs

from core.message import Heard, SubmitOutcome
from sim.quirks import Quirks
from tests.smsc_link.ends import Rig, an_mt
from tests.smsc_link.protocols.cimd2_ends import a_cimd2_link
from tests.smsc_link.virtual import virtually


def a_rig(quirks: Quirks | None = None, **values: Any) -> Rig:
    return Rig(a_cimd2_link(**values), quirks=quirks)


async def submitted(rig: Rig, text: str = "Level 7", **values: Any) -> list[Any]:
    return [await rig.link.submit(part) for part in rig.link.write(an_mt(text, **values), reference=1)]


def test_a_quiet_link_is_kept_up_by_either_side() -> None:
    async def story() -> None:
        rig = a_rig(Quirks(enquire_s=7.0))
        await rig.bound()
        await asyncio.sleep(600)

        assert rig.link.state == "bound"
        assert rig.intake.opened == ["alpha-1"]

    virtually(story())


def test_a_link_without_checksums_is_understood() -> None:
    async def story() -> None:
        rig = a_rig(options={"checksum": False})
        await rig.bound()

        [answer] = await submitted(rig)

        assert answer.outcome is SubmitOutcome.ACCEPTED

    virtually(story())


def test_what_cannot_be_taken_now_is_taken_a_little_later_in_the_same_session() -> None:
    async def story() -> None:
        rig = a_rig()
        rig.intake.says = Heard.LATER
        await rig.bound()
        mo = rig.centre.write("79001112233", "4446", "GAME 7")
        await rig.intake.until(lambda: len(rig.intake.deliveries) == 3)
        rig.intake.says = Heard.TAKEN
        await rig.centre.until(lambda: mo.is_acknowledged)

        assert rig.intake.ended == []
        assert mo.deliveries == 1, "the centre only waited"
        assert len({delivery.key for delivery in rig.intake.deliveries}) == 1

    virtually(story())


def test_what_cannot_be_taken_for_long_ends_the_session_and_the_centre_brings_it_again() -> None:
    async def story() -> None:
        rig = a_rig()
        rig.intake.says = Heard.LATER
        await rig.bound()
        mo = rig.centre.write("79001112233", "4446", "GAME 7")
        await rig.intake.until(lambda: len(rig.intake.opened) == 2)
        error = rig.link.last_error
        rig.intake.says = Heard.TAKEN
        await rig.centre.until(lambda: mo.is_acknowledged)

        assert mo.deliveries == 2
        assert rig.intake.ended == [("alpha-1", False)]
        assert error == "deliver could not be taken: 10: temporary congestion"

    virtually(story())


def test_submissions_under_way_are_not_lost_when_an_mo_cannot_be_taken() -> None:
    async def story() -> None:
        rig = a_rig()
        rig.intake.says = Heard.LATER
        await rig.bound()
        rig.centre.write("79001112233", "4446", "GAME 7")
        answers: list[Any] = []
        while not rig.intake.ended:
            answers += await submitted(rig) if rig.link.room() else []
            await asyncio.sleep(0.1)

        assert len(answers) > 20
        assert {answer.outcome for answer in answers} == {SubmitOutcome.ACCEPTED}

    virtually(story())


def test_what_can_never_be_taken_is_told_and_does_not_come_again() -> None:
    async def story() -> None:
        rig = a_rig()
        await rig.bound()
        with capture_logs() as logs:
            rig.network.pipes[0]._coming.append(b"\x0223:000\t021:79001112233\t061:4\t\x03")
            rig.network.pipes[0]._arrive()

        [told] = [line for line in logs if line["event"] == "message refused"]
        assert told["reason"] == "a status report that does not say of what, or what became of it"
        assert rig.link.counts.unreadable == 1
        assert rig.link._session is not None
        assert len(rig.link._session.wire._duties) == 0, "it has its answer"  # type: ignore[attr-defined]

    virtually(story())


def test_a_link_that_stops_takes_nothing_more_and_logs_out_cleanly() -> None:
    async def story() -> None:
        rig = a_rig()
        rig.intake.says = None
        await rig.bound()
        rig.centre.write("79001112233", "4446", "GAME 7")
        await rig.intake.until(lambda: bool(rig.intake.deliveries))
        stopping = asyncio.ensure_future(rig.link.stop())
        await asyncio.sleep(0)
        late = rig.centre.write("79001112233", "4446", "GAME 8")
        await asyncio.sleep(2)
        assert rig.intake.deliveries[0].answer(Heard.TAKEN)
        await stopping

        assert rig.intake.ended == [("alpha-1", True)]
        assert (late.deliveries, late.is_acknowledged) == (1, False), "the centre keeps it"
        assert len(rig.intake.deliveries) == 1

    virtually(story())
