"""A link's traffic with a pocket SMSC, in memory and in virtual time."""

import pytest

from core.message import Heard, SubmitOutcome
from sim.quirks import Quirks
from tests.smsc_link.ends import Rig, a_link, an_mt
from tests.smsc_link.virtual import virtually


def test_an_mo_is_taken_answered_and_replied_to() -> None:
    async def story() -> None:
        rig = Rig()
        await rig.bound()
        assert (rig.link.state, rig.link.is_open) == ("bound", True)

        mo = rig.centre.write("79001112233", "4446", "GAME 7")
        await rig.centre.until(lambda: mo.is_acknowledged)
        [part] = rig.link.write(an_mt("Level 7"), reference=1)
        answer = await rig.link.submit(part)

        [delivery] = rig.intake.deliveries
        assert (delivery.source, delivery.destination) == ("79001112233", "4446")
        assert delivery.coding.decode(delivery.octets) == "GAME 7"
        assert (answer.outcome, answer.key) == (SubmitOutcome.ACCEPTED, "1")
        assert [mt.text for mt in rig.centre.mts] == ["Level 7"]
        await rig.intake.until(lambda: bool(rig.intake.receipts))
        assert rig.intake.receipts[0].keys == ("1",)
        await rig.link.stop()

    virtually(story())


def test_an_mo_that_waits_for_its_answer_does_not_hold_up_the_next() -> None:
    async def story() -> None:
        rig = Rig()
        rig.intake.says = None
        await rig.bound()
        first = rig.centre.write("79001112233", "4446", "ONE")
        second = rig.centre.write("79001112234", "4446", "TWO")
        await rig.intake.until(lambda: len(rig.intake.deliveries) == 2)

        assert rig.intake.deliveries[1].answer(Heard.TAKEN)
        await rig.centre.until(lambda: second.is_acknowledged)

        assert not first.is_acknowledged
        assert rig.intake.deliveries[0].answer(Heard.TAKEN)
        assert not rig.intake.deliveries[0].answer(Heard.TAKEN), "a second answer says so"
        await rig.centre.until(lambda: first.is_acknowledged)

    virtually(story())


@pytest.mark.parametrize(
    ("word", "status"),
    [("throttled", 0x58), ("queue_full", 0x14), ("system_error", 0x08), ("delivery_failure", 0x64)],
)
def test_what_cannot_be_taken_now_is_put_off_in_the_operators_words(word: str, status: int) -> None:
    async def story() -> None:
        rig = Rig(a_link(temporary_error=word))
        rig.intake.says = Heard.LATER
        await rig.bound()
        seen: list[int] = []
        rig.centre.on_answered = lambda job, code: seen.append(code)

        mo = rig.centre.write("79001112233", "4446", "GAME 7")
        await rig.intake.until(lambda: len(rig.intake.deliveries) == 2)
        rig.intake.says = Heard.TAKEN
        await rig.centre.until(lambda: mo.is_acknowledged)

        assert seen == [status, status, 0]

    virtually(story())


def test_when_the_connection_is_cut_what_is_owed_is_lost_before_the_repeat_comes() -> None:
    async def story() -> None:
        rig = Rig()
        rig.intake.says = None
        await rig.bound()
        mo = rig.centre.write("79001112233", "4446", "GAME 7")
        await rig.intake.until(lambda: len(rig.intake.deliveries) == 1)
        lost_when_repeated: list[bool] = []
        rig.intake.on_delivery = lambda _: lost_when_repeated.append(rig.intake.deliveries[0].lost)

        rig.network.pipes[0].sever()
        await rig.intake.until(lambda: len(rig.intake.deliveries) == 2)

        assert rig.intake.ended == [("alpha-1", False)]
        assert lost_when_repeated == [True]
        assert not rig.intake.deliveries[0].answer(Heard.TAKEN), "its session is over"
        assert rig.intake.deliveries[0].fingerprint == rig.intake.deliveries[1].fingerprint
        rig.intake.deliveries[1].answer(Heard.TAKEN)
        await rig.centre.until(lambda: mo.is_acknowledged)

    virtually(story())


def test_a_submission_that_was_written_when_the_connection_broke_may_have_been_accepted() -> None:
    async def story() -> None:
        rig = Rig(quirks=Quirks(lose_answers=1.0))
        await rig.bound()
        [part] = rig.link.write(an_mt(), reference=1)
        answer = rig.link.submit(part)
        await rig.centre.until(lambda: bool(rig.centre.mts))

        rig.network.pipes[0].sever()

        assert (await answer).outcome is SubmitOutcome.UNANSWERED

    virtually(story())


def test_a_submission_that_never_left_is_unsent() -> None:
    async def story() -> None:
        rig = Rig()
        await rig.bound()
        [part] = rig.link.write(an_mt(), reference=1)

        rig.network.pipes[0].sever()
        answer = await rig.link.submit(part)

        assert answer.outcome is SubmitOutcome.UNSENT
        assert (await rig.link.submit(part)).outcome is SubmitOutcome.UNSENT, "and so is one without a session"

    virtually(story())


def test_a_submission_without_an_answer_is_given_up_after_the_time_out() -> None:
    async def story() -> None:
        rig = Rig(a_link(response_timeout_s=4), quirks=Quirks(lose_answers=1.0))
        await rig.bound()
        began_ms = rig.clock.monotonic_ms()
        [part] = rig.link.write(an_mt(), reference=1)

        answer = await rig.link.submit(part)

        assert answer.outcome is SubmitOutcome.UNANSWERED
        assert 4000 <= rig.clock.monotonic_ms() - began_ms <= 4100
        assert rig.link.state == "bound", "the link itself is fine"

    virtually(story())


def test_a_full_window_tells_when_there_is_room_again() -> None:
    async def story() -> None:
        rig = Rig(a_link(window=2), quirks=Quirks(receipts="text"))
        await rig.bound()
        parts = [rig.link.write(an_mt(), reference=1)[0] for _ in range(3)]
        answers = [rig.link.submit(parts[0]), rig.link.submit(parts[1])]
        assert rig.link.room() == 0
        assert (await rig.link.submit(parts[2])).outcome is SubmitOutcome.UNSENT

        await rig.intake.until(lambda: bool(rig.intake.roomy))

        assert rig.link.room() > 0
        assert {(await answer).outcome for answer in answers} == {SubmitOutcome.ACCEPTED}

    virtually(story())


def test_a_rate_that_is_spent_tells_when_more_may_go() -> None:
    async def story() -> None:
        rig = Rig(a_link(max_tps=1))
        await rig.bound()
        began_ms = rig.clock.monotonic_ms()
        [first] = rig.link.write(an_mt(), reference=1)
        await rig.link.submit(first)
        assert rig.link.room() == 0

        await rig.intake.until(lambda: bool(rig.intake.roomy))

        assert 990 <= rig.clock.monotonic_ms() - began_ms <= 1100

    virtually(story())


def test_a_throttled_link_slows_down_and_says_so() -> None:
    async def story() -> None:
        rig = Rig(quirks=Quirks(throttle=1.0))
        await rig.bound()
        [part] = rig.link.write(an_mt(), reference=1)

        answer = await rig.link.submit(part)

        assert (answer.outcome, answer.code) == (SubmitOutcome.THROTTLED, 0x58)
        assert rig.link.room() == 0
        await rig.intake.until(lambda: bool(rig.intake.roomy))

    virtually(story())


def test_a_receiver_takes_mo_and_sends_nothing() -> None:
    async def story() -> None:
        rig = Rig(a_link(bind="receiver"))
        rig.link.start()
        mo = rig.centre.write("79001112233", "4446", "GAME 7")
        await rig.centre.until(lambda: mo.is_acknowledged)

        assert rig.link.state == "bound"
        assert not rig.link.is_open
        assert rig.intake.opened == []
        [part] = rig.link.write(an_mt(), reference=1)
        assert (await rig.link.submit(part)).outcome is SubmitOutcome.UNSENT

    virtually(story())


def test_a_transmitter_sends_and_gets_no_mo() -> None:
    async def story() -> None:
        rig = Rig(a_link(bind="transmitter"))
        await rig.bound()
        rig.centre.write("79001112233", "4446", "GAME 7")
        [part] = rig.link.write(an_mt(), reference=1)

        assert (await rig.link.submit(part)).outcome is SubmitOutcome.ACCEPTED
        assert rig.intake.deliveries == []

    virtually(story())


def test_a_message_with_no_form_on_the_wire_fails_for_good() -> None:
    async def story() -> None:
        rig = Rig()
        await rig.bound()
        [part] = rig.link.write(an_mt(destination="7" * 30), reference=1)

        answer = await rig.link.submit(part)

        assert answer.outcome is SubmitOutcome.PERMANENT
        assert "at most 20" in answer.sentence
        assert rig.link.state == "bound"

    virtually(story())
