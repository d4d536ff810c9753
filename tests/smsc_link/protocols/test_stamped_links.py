"""Traffic of UCP and CIMD2 links with a pocket SMSC: what both have alike. In memory and in virtual time."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from structlog.testing import capture_logs

from core.message import Heard, ReceiptState, SubmitOutcome
from sim.quirks import Quirks
from tests.smsc_link.ends import Rig, a_link, an_mt
from tests.smsc_link.virtual import virtually


@dataclass(frozen=True)
class Spoken:
    """A protocol: how it says no to a login, for good and for now, and a frame that cannot be used."""

    protocol: str
    wrong_password: str
    busy: int
    busy_sentence: str
    window_max: int
    broken: bytes
    complaint: tuple[str, str, str]

    def rig(self, quirks: Quirks | None = None, **values: Any) -> Rig:
        return Rig(a_link(protocol=self.protocol, **values), quirks=quirks)


UCP = Spoken(
    "ucp", "login refused: EC 07: authentication failure", 4, "EC 04", 100,
    b"\x0200/00022/O/52/A/04//0B\x03", ("O/52", "EC 01", "the checksum is wrong"),
)  # fmt: skip
CIMD2 = Spoken(
    "cimd2", "login refused: 100: invalid login", 102, "102: too many users", 128,
    b"\x0220:000\t021:4446\t033:GAME 7\tFF\x03", ("deliver", "NACK", "wrong checksum"),
)  # fmt: skip


def name_of(value: object) -> str | None:
    return value.protocol if isinstance(value, Spoken) else None


both = pytest.mark.parametrize("spoken", [UCP, CIMD2], ids=name_of)


@pytest.mark.parametrize(
    ("spoken", "banner", "keys"), [(UCP, False, 1), (CIMD2, False, 2), (CIMD2, True, 2)], ids=name_of
)
def test_an_mo_is_taken_answered_and_replied_to(spoken: Spoken, banner: bool, keys: int) -> None:
    async def story() -> None:
        rig = spoken.rig(Quirks(banner=banner))
        await rig.bound()
        mo = rig.centre.write("79001112233", "4446", "GAME 7")
        await rig.centre.until(lambda: mo.is_acknowledged)
        [part] = rig.link.write(an_mt("Level 7", source="Alpha"), reference=1)
        answer = await rig.link.submit(part)

        [delivery] = rig.intake.deliveries
        assert (delivery.source, delivery.destination) == ("79001112233", "4446")
        assert [(mt.text, mt.source, mt.system_id) for mt in rig.centre.mts] == [("Level 7", "Alpha", "tollbridge")]
        await rig.intake.until(lambda: bool(rig.intake.receipts))
        [receipt] = rig.intake.receipts
        assert (answer.key in receipt.keys, len(receipt.keys)) == (True, keys)
        assert receipt.state is ReceiptState.DELIVERED
        await rig.link.stop()
        assert rig.intake.ended == [("alpha-1", True)], "all that was said was heard"

    virtually(story())


@both
def test_a_wrong_password_is_our_own_fault_and_not_tried_again_soon(spoken: Spoken) -> None:
    async def story() -> None:
        rig = spoken.rig(Quirks(accounts={"tollbridge": "other"}))
        rig.link.start()
        await rig.centre.until(lambda: rig.centre.counted.refused_binds == 1)
        await asyncio.sleep(100)

        assert rig.centre.counted.refused_binds == 1
        assert rig.link.last_error == spoken.wrong_password
        await rig.centre.until(lambda: rig.centre.counted.refused_binds == 2)

    virtually(story())


@both
def test_a_login_that_may_be_taken_later_is_tried_again_soon(spoken: Spoken) -> None:
    async def story() -> None:
        rig = spoken.rig(Quirks(bind_status=spoken.busy))
        rig.link.start()
        await rig.centre.until(lambda: rig.centre.counted.refused_binds == 3)

        assert spoken.busy_sentence in rig.link.last_error

    virtually(story())


@pytest.mark.parametrize(
    ("spoken", "window"),
    [(one, width) for one in (UCP, CIMD2) for width in (1, 7, one.window_max)],
    ids=name_of,
)
def test_the_window_is_kept_and_tells_when_there_is_room(spoken: Spoken, window: int) -> None:
    async def story() -> None:
        rig = spoken.rig(Quirks(window=max(window, Quirks().window)), window=window)
        await rig.bound()
        parts = [rig.link.write(an_mt(), reference=1)[0] for _ in range(window + 1)]
        answers = [rig.link.submit(part) for part in parts[:window]]
        assert rig.link.room() == 0
        assert (await rig.link.submit(parts[window])).outcome is SubmitOutcome.UNSENT
        await rig.intake.until(lambda: bool(rig.intake.roomy))

        assert {(await answer).outcome for answer in answers} == {SubmitOutcome.ACCEPTED}
        assert (await rig.link.submit(parts[window])).outcome is SubmitOutcome.ACCEPTED

    virtually(story())


@both
def test_too_many_in_a_second_are_throttled_and_the_link_slows_down(spoken: Spoken) -> None:
    async def story() -> None:
        rig = spoken.rig(Quirks(throttle_above=3))
        await rig.bound()
        parts = [rig.link.write(an_mt(), reference=1)[0] for _ in range(5)]
        outcomes = [(await answer).outcome for answer in [rig.link.submit(part) for part in parts]]

        assert outcomes == [SubmitOutcome.ACCEPTED] * 3 + [SubmitOutcome.THROTTLED] * 2
        assert rig.link.counts.throttled == 2
        assert rig.link.room() == 0
        await rig.intake.until(lambda: bool(rig.intake.roomy))

    virtually(story())


@both
def test_a_receipt_that_cannot_be_written_now_comes_again(spoken: Spoken) -> None:
    async def story() -> None:
        rig = spoken.rig()
        await rig.bound()
        rig.intake.says = Heard.LATER
        for part in rig.link.write(an_mt(), reference=1):
            await rig.link.submit(part)
        await rig.intake.until(lambda: len(rig.intake.receipts) == 2)
        rig.intake.says = Heard.TAKEN
        await rig.centre.until(lambda: rig.centre.counted.receipts == 1)

        assert len({receipt.keys for receipt in rig.intake.receipts}) == 1

    virtually(story())


@both
def test_a_centre_that_begins_anew_is_bound_to_again(spoken: Spoken) -> None:
    async def story() -> None:
        rig = spoken.rig(Quirks(window=1, cut_every=3))
        await rig.bound()
        rig.centre.flood(10)
        await rig.centre.until(lambda: rig.centre.counted.acknowledged == 10)

        assert rig.centre.counted.binds >= 4
        assert rig.intake.ended == [("alpha-1", False)] * (rig.centre.counted.binds - 1)

    virtually(story())


@both
def test_what_cannot_be_used_is_told_in_the_protocols_own_words(spoken: Spoken) -> None:
    async def story() -> None:
        rig = spoken.rig()
        await rig.bound()
        with capture_logs() as logs:
            rig.network.pipes[0]._coming.append(spoken.broken)
            rig.network.pipes[0]._arrive()

        [told] = [line for line in logs if line["event"] == "pdu refused"]
        assert (told["command"], told["status"], told["reason"]) == spoken.complaint
        assert rig.link.unused("refused") == 1

    virtually(story())


@both
@pytest.mark.parametrize(("keepalive_s", "stays"), [(7, True), (0, False)])
def test_a_centre_that_gives_silent_sessions_up_is_told_soon_enough_that_we_are_there(
    spoken: Spoken, keepalive_s: int, stays: bool
) -> None:
    async def story() -> None:
        # By default we would say that after 30 s.
        rig = spoken.rig(Quirks(inactivity_s=20, enquire_s=0), options={"keepalive_s": keepalive_s})
        await rig.bound()
        await asyncio.sleep(300)

        assert (rig.centre.counted.binds == 1, rig.intake.ended == []) == (stays, stays)

    virtually(story())


@both
def test_no_more_is_submitted_in_a_second_than_the_link_may(spoken: Spoken) -> None:
    async def story() -> None:
        rig = spoken.rig(max_tps=5, window=50)
        await rig.bound()
        began_ms = rig.clock.monotonic_ms()
        while rig.clock.monotonic_ms() < began_ms + 10_000:
            while rig.link.room():
                rig.link.submit(rig.link.write(an_mt(), reference=1)[0])
            await asyncio.sleep(0.01)

        assert 49 <= rig.centre.counted.submitted <= 56

    virtually(story())
