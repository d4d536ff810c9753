"""A link lost, refused, and stopped: when it comes back, and what it waits for. In memory and virtual time."""

import asyncio
import itertools
from random import Random

import pytest
from structlog.testing import capture_logs

from core.catalogue import Link
from core.message import Heard, SubmitOutcome
from sim.quirks import Quirks
from smsc_link.link import pause_s
from tests.smsc_link.ends import Rig, a_link, an_mt
from tests.smsc_link.protocols.cimd2_ends import a_cimd2_link
from tests.smsc_link.protocols.ucp_ends import a_ucp_link
from tests.smsc_link.virtual import virtually
from wire.smpp import status as st


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


@pytest.mark.parametrize(
    "link",
    [
        pytest.param(a_link(options={"enquire_s": 0, "inactivity_s": 30}, response_timeout_s=5), id="smpp"),
        pytest.param(a_ucp_link(options={"keepalive_s": 0, "inactivity_s": 30}, response_timeout_s=5), id="ucp"),
        pytest.param(a_cimd2_link(options={"keepalive_s": 0, "inactivity_s": 30}, response_timeout_s=5), id="cimd2"),
    ],
)
def test_a_centre_that_says_nothing_for_so_long_as_the_link_says_is_given_up(link: Link) -> None:
    async def story() -> None:
        rig = Rig(link)
        await rig.bound()
        began_ms = rig.clock.monotonic_ms()

        rig.network.pipes[0].freeze()
        await rig.intake.until(lambda: len(rig.intake.opened) == 2)

        assert 30_000 <= rig.clock.monotonic_ms() - began_ms <= 37_000
        assert rig.intake.ended == [("alpha-1", False)]
        await rig.link.stop()

    virtually(story())


def test_a_mistake_of_ours_between_two_sessions_does_not_end_a_link_for_ever() -> None:
    async def story() -> None:
        rig = Rig()
        await rig.bound()
        note, failures = rig.link._note, [RuntimeError("a mistake of ours")]

        def fails(*said: object) -> None:
            if failures:
                raise failures.pop()
            note(*said)  # type: ignore[arg-type]

        rig.link._note = fails  # type: ignore[assignment, method-assign]
        with capture_logs() as lines:
            rig.network.pipes[0].sever()
            await rig.intake.until(lambda: len(rig.intake.opened) == 2)

        (told,) = [line for line in lines if line["event"] == "a link failed; it begins anew"]
        assert (told["log_level"], told["link"]) == ("error", "alpha-1")
        assert 0.5 <= told["again_in_s"] <= 1.5
        assert rig.link.state == "bound"
        assert rig.link.last_error == "RuntimeError; see the log"
        await rig.link.stop()

    virtually(story())


def test_a_link_that_is_stopped_in_the_pause_after_a_mistake_stays_so() -> None:
    async def story() -> None:
        rig = Rig()
        await rig.bound()

        def fails(*said: object) -> None:
            raise RuntimeError("a mistake of ours")

        rig.link._note = fails  # type: ignore[assignment, method-assign]
        rig.network.pipes[0].sever()
        await asyncio.sleep(0.1)
        await rig.link.stop()
        await asyncio.sleep(600)

        assert rig.link.state == "disabled"
        assert len(rig.intake.opened) == 1

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


def test_a_stop_of_ours_is_told_as_one_and_not_as_a_link_that_is_down() -> None:
    async def story() -> None:
        rig = Rig()
        await rig.bound()

        await rig.link.stop()

    with capture_logs() as lines:
        virtually(story())

    assert [(line["event"], line["log_level"]) for line in lines] == [("link bound", "info"), ("link stopped", "info")]
    assert (lines[-1]["reason"], lines[-1]["unanswered"]) == ("unbound", 0)


def test_a_stop_whose_unbind_is_not_answered_says_so() -> None:
    async def story() -> None:
        rig = Rig()
        rig.intake.says = None
        await rig.bound()
        rig.centre.write("79001112233", "4446", "GAME 7")
        await rig.intake.until(lambda: bool(rig.intake.deliveries))
        rig.network.pipes[0].freeze()

        await rig.link.stop(1)

    with capture_logs() as lines:
        virtually(story())

    assert (lines[-1]["event"], lines[-1]["log_level"]) == ("link stopped", "info")
    assert lines[-1]["reason"] == "no answer to our unbind within 5 s"
    assert lines[-1]["unanswered"] == 1, "the operator delivers it again"


def test_an_end_whose_unbind_nobody_answered_is_not_clean_though_nothing_is_owed() -> None:
    """The answers before it may have gone the same way: what was accepted is in doubt, or a redelivery is charged."""

    async def story() -> None:
        rig = Rig()
        await rig.bound()
        mo = rig.centre.write("79001112233", "4446", "GAME 7")
        await rig.centre.until(lambda: mo.is_acknowledged)
        rig.network.pipes[0].freeze()

        await rig.link.stop(1, unbind_s=0.5)

        assert rig.intake.ended == [("alpha-1", False)]

    virtually(story())


def test_a_link_that_breaks_is_down_with_its_reason_and_when_it_is_tried_again() -> None:
    async def story() -> None:
        rig = Rig()
        await rig.bound()
        rig.network.pipes[0].sever()
        await rig.intake.until(lambda: len(rig.intake.opened) == 2)

    with capture_logs() as lines:
        virtually(story())

    down = next(line for line in lines if line["event"] == "link down")
    assert down["log_level"] == "warning"
    assert down["reason"] == "the peer closed the connection"
    assert 0.2 <= down["again_in_s"] <= 0.8


def test_what_an_operator_found_too_fast_is_not_forgotten_with_the_connection() -> None:
    async def story() -> None:
        rig = Rig(a_link(max_tps=100), quirks=Quirks(throttle=1.0))
        await rig.bound()
        [part] = rig.link.write(an_mt(), reference=1)
        assert (await rig.link.submit(part)).outcome is SubmitOutcome.THROTTLED
        before = rig.link._session

        rig.network.pipes[0].sever()
        await rig.intake.until(lambda: len(rig.intake.opened) == 2)

        after = rig.link._session
        assert before is not None
        assert after not in (None, before)
        assert 50 <= after.wire.allowance.rate < 60

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
