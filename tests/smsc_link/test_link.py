"""A link's life against a pocket SMSC, in memory and in virtual time."""

import asyncio
import itertools
from random import Random

import pytest

from core.message import Heard, SubmitOutcome
from sim.quirks import Quirks
from smsc_link.link import pause_s
from tests.smsc_link.ends import Rig, a_link, an_mt
from tests.smsc_link.virtual import virtually
from wire.smpp import status as st


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


def test_a_half_open_link_is_noticed_and_made_anew() -> None:
    async def story() -> None:
        rig = Rig(a_link(options={"enquire_s": 10.0}, response_timeout_s=5))
        await rig.bound()
        began_ms = rig.clock.monotonic_ms()

        rig.network.pipes[0].freeze()
        await rig.intake.until(lambda: len(rig.intake.opened) == 2)

        assert rig.intake.ended == [("alpha-1", False)]
        assert 15_000 <= rig.clock.monotonic_ms() - began_ms <= 17_000
        assert "enquire_link" in rig.link.last_error

    virtually(story())


def test_pauses_between_tries_grow_to_half_a_minute() -> None:
    async def story() -> None:
        rig = Rig()
        rig.network.hang_up(rig.address)
        tries: list[float] = []
        connect = rig.network.connect

        async def counting(*args: object, **kwargs: object) -> object:
            tries.append(asyncio.get_running_loop().time())
            return await connect(*args, **kwargs)  # type: ignore[arg-type]

        rig.link._connect = counting  # type: ignore[assignment]
        rig.link.start()
        await asyncio.sleep(600)
        pauses = [later - earlier for earlier, later in itertools.pairwise(tries)]

        assert rig.link.state == "connecting"
        assert "refused" in rig.link.last_error
        for number, pause in enumerate(pauses):
            grown = min(30.0, 0.5 * 2**number)
            assert 0.5 * grown <= pause <= 1.5 * grown + 0.01
        assert len(set(pauses)) == len(pauses), "jittered"
        rig.listen()
        await rig.intake.until(lambda: bool(rig.intake.opened))
        await rig.link.stop()

    virtually(story())


@pytest.mark.parametrize("status", [st.RINVPASWD, st.RINVSYSID, st.RINVSYSTYP])
def test_a_refused_password_is_not_tried_again_for_minutes(status: int) -> None:
    async def story() -> None:
        rig = Rig(quirks=Quirks(bind_status=status))
        rig.link.start()
        await asyncio.sleep(100)

        assert rig.centre.counted.refused_binds == 1
        assert rig.link.state == "connecting"
        assert f"bind refused: 0x{status:02X}" in rig.link.last_error
        await asyncio.sleep(1000)
        assert 2 <= rig.centre.counted.refused_binds <= 4
        await rig.link.stop()
        assert rig.intake.ended == [], "there was no session"

    virtually(story())


def test_a_bind_that_failed_for_another_reason_is_tried_again_soon() -> None:
    async def story() -> None:
        rig = Rig(quirks=Quirks(bind_status=st.RBINDFAIL))
        rig.link.start()
        await asyncio.sleep(10)

        assert rig.centre.counted.refused_binds >= 3

    virtually(story())


def test_a_flapping_link_that_carries_traffic_comes_back_at_once() -> None:
    async def story() -> None:
        rig = Rig(quirks=Quirks(cut_every=1))
        await rig.bound()
        began_s = asyncio.get_running_loop().time()

        for number in range(20):
            rig.centre.write(f"7900111{number:04d}", "4446", "GAME 7")
        await rig.centre.until(lambda: len(rig.intake.deliveries) >= 20)

        assert asyncio.get_running_loop().time() - began_s < 40
        assert len(rig.intake.ended) >= 19

    virtually(story())


def test_a_stop_waits_for_what_is_under_way_and_unbinds() -> None:
    async def story() -> None:
        rig = Rig()
        rig.intake.says = None
        await rig.bound()
        mo = rig.centre.write("79001112233", "4446", "GAME 7")
        await rig.intake.until(lambda: bool(rig.intake.deliveries))

        stopping = asyncio.ensure_future(rig.link.stop(20))
        await asyncio.sleep(3)
        assert not stopping.done()
        assert not rig.link.is_open
        late = rig.centre.write("79001112299", "4446", "LATE")
        await rig.centre.until(lambda: rig.centre.counted.put_off == 1)
        rig.intake.deliveries[0].answer(Heard.TAKEN)
        await stopping

        assert mo.is_acknowledged
        assert not late.is_acknowledged, "put off: another session will take it"
        assert len(rig.intake.deliveries) == 1
        assert rig.intake.ended == [("alpha-1", True)]
        assert rig.link.state == "disabled"

    virtually(story())


def test_a_stop_does_not_wait_longer_than_it_is_told() -> None:
    async def story() -> None:
        rig = Rig()
        rig.intake.says = None
        await rig.bound()
        rig.centre.write("79001112233", "4446", "GAME 7")
        await rig.intake.until(lambda: bool(rig.intake.deliveries))
        began_ms = rig.clock.monotonic_ms()

        await rig.link.stop(20)

        assert 20_000 <= rig.clock.monotonic_ms() - began_ms <= 20_100
        assert rig.intake.ended == [("alpha-1", False)], "an answer is missing: the operator may send it again"
        assert rig.intake.deliveries[0].lost

    virtually(story())


def test_a_second_stop_closes_at_once() -> None:
    async def story() -> None:
        rig = Rig()
        rig.intake.says = None
        await rig.bound()
        rig.centre.write("79001112233", "4446", "GAME 7")
        await rig.intake.until(lambda: bool(rig.intake.deliveries))
        began_ms = rig.clock.monotonic_ms()

        first = asyncio.ensure_future(rig.link.stop(20))
        await asyncio.sleep(1)
        await rig.link.stop(0)
        await first

        assert rig.clock.monotonic_ms() - began_ms <= 1100

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


def test_a_link_that_is_not_enabled_stays_disabled() -> None:
    async def story() -> None:
        rig = Rig(a_link(enabled=False))
        rig.link.start()
        assert rig.link.state == "disabled"
        await rig.link.stop()

    virtually(story())


def test_pauses_are_jittered_around_what_they_grow_to() -> None:
    assert [pause_s(failures, _Middle()) for failures in (1, 2, 3, 9)] == [0.5, 1.0, 2.0, 30.0]
    assert [pause_s(failures, _Middle(), refused=True) for failures in (1, 2, 9)] == [300.0, 600.0, 3600.0]


class _Middle(Random):
    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2
