"""Links whose centre calls us, by UCP and by SMPP, with a pocket SMSC that does. In memory and virtual time."""

import asyncio
from random import Random

import pytest
from structlog.testing import capture_logs

from core.message import Heard
from sim.centre import PocketSmsc
from sim.quirks import Quirks
from smsc_link.mishaps import Told
from tests.smsc_link.calls import ACCOUNT, CENTRE, WAITING, Called, a_called_link, both
from tests.smsc_link.virtual import virtually
from wire.ucp import codes


@both
def test_an_mo_comes_over_a_call_of_the_centre(protocol: str) -> None:
    async def story() -> None:
        rig = Called(a_called_link(protocol))
        rig.link.start()
        await asyncio.sleep(1)
        assert (rig.link.state, rig.link.last_error, rig.link.last_error_at) == ("connecting", WAITING, 0)

        await rig.call()
        mo = rig.centre.write("79001112233", "4446", "GAME 7")
        await rig.centre.until(lambda: mo.is_acknowledged)

        [delivery] = rig.intake.deliveries
        assert (delivery.source, delivery.destination) == ("79001112233", "4446")
        assert delivery.coding.decode(delivery.octets) == "GAME 7"
        assert (rig.link.state, rig.link.last_error, rig.link.last_error_at) == ("bound", "", 0)
        assert (rig.link.is_open, rig.link.room(), rig.link.counts.sessions) == (False, 0, 1)
        await rig.link.stop()

    virtually(story())


def test_a_ucp_centre_that_is_known_by_its_address_need_not_log_in_and_may() -> None:
    async def story(accounts: dict[str, str] | None) -> None:
        rig = Called(a_called_link("ucp", system_id="", password=""), accounts=accounts)
        await rig.bound()
        mo = rig.centre.write("79001112233", "4446", "GAME 7")
        await rig.centre.until(lambda: mo.is_acknowledged)

        assert (rig.link.state, rig.link.counts.sessions) == ("bound", 1)
        await rig.link.stop()

    virtually(story(None))
    virtually(story({"any": "body"}))


@pytest.mark.parametrize("source", ["203.0.113.8:4711", "[2001:db8::1]:4711", "nowhere", "[::ffff:198.51.101.1]:1"])
@both
def test_a_stranger_is_closed_at_once_counted_and_told_of_once(protocol: str, source: str) -> None:
    async def story() -> None:
        rig = Called(a_called_link(protocol))
        rig.link.start()
        await asyncio.sleep(1)
        with capture_logs() as logs:
            for _ in range(3):
                stranger = await rig.call(source)
                assert await stranger.ended == "the peer closed the connection"

        assert (rig.link.counts.strangers, rig.link.counts.sessions, rig.link.last_error) == (3, 0, WAITING)
        assert [log["event"] for log in logs] == ["a stranger called"]
        assert rig.intake.ended == []
        await rig.link.stop()

    virtually(story())


@pytest.mark.parametrize("source", ["198.51.100.9:1", "[::ffff:203.0.113.7]:1"])
def test_a_network_may_call_and_an_ipv4_in_the_clothes_of_ipv6(source: str) -> None:
    async def story() -> None:
        rig = Called(a_called_link("ucp"))
        rig.link.start()
        await asyncio.sleep(1)
        callee = await rig.call(source)
        await rig.centre.until(lambda: callee.is_bound)
        await rig.link.stop()

    virtually(story())


def test_a_wrong_login_of_a_ucp_centre_is_refused_with_07_and_the_call_ends() -> None:
    async def story(account: dict[str, str]) -> None:
        rig = Called(a_called_link("ucp"), accounts=account)
        rig.link.start()
        await asyncio.sleep(1)
        callee = await rig.call()

        assert await callee.ended == f"login refused: {codes.sentence(7)}"
        await asyncio.sleep(1)
        assert rig.link.last_error.startswith("the centre's login was refused: ")
        assert rig.link.last_error.endswith(WAITING)
        assert (rig.link.state, rig.intake.ended) == ("connecting", [])
        rig.centre = PocketSmsc(rig.clock, Random(1), quirks=Quirks(accounts=ACCOUNT), protocol="ucp")
        callee = await rig.call()
        await rig.centre.until(lambda: callee.is_bound)
        await rig.link.stop()

    virtually(story({"tollbridge": "wrong"}))
    virtually(story({"somebody": "secret"}))


def test_nothing_is_taken_of_a_ucp_centre_that_has_to_log_in_and_does_not() -> None:
    async def story() -> None:
        rig = Called(a_called_link("ucp", response_timeout_s=5), accounts=None, redelivers=False)
        seen: list[int] = []
        rig.centre.on_answered = lambda job, status: seen.append(status)
        rig.centre.write("79001112233", "4446", "GAME 7")
        callee = await rig.bound()
        assert seen == [4], "not now"

        await callee.ended
        await asyncio.sleep(1)
        assert (rig.intake.deliveries, rig.link.state) == ([], "connecting")
        assert rig.link.last_error == f"no login in time; {WAITING}"
        await rig.link.stop()

    virtually(story())


@pytest.mark.parametrize(
    ("outbind", "is_taken"),
    [
        ({}, True),
        ({"system_id": "pocket", "secret": "secret"}, True),
        ({"system_id": "pocket", "secret": "other"}, False),
        ({"system_id": "another"}, False),
    ],
)
def test_an_outbind_says_what_it_has_to_or_the_call_ends(outbind: dict[str, str], is_taken: bool) -> None:
    async def story() -> None:
        rig = Called(a_called_link("smpp", options={"outbind": outbind}))
        rig.link.start()
        await asyncio.sleep(1)
        callee = await rig.call()
        await asyncio.sleep(1)

        assert callee.is_bound is is_taken
        assert ("the centre's outbind was refused" in rig.link.last_error) is not is_taken
        assert "secret" not in rig.link.last_error
        await rig.link.stop()

    virtually(story())


def test_a_call_without_an_outbind_is_ended_after_the_time_out() -> None:
    async def story() -> None:
        rig = Called(a_called_link("smpp", options={"connect_timeout_s": 4}))
        rig.link.start()
        await asyncio.sleep(1)
        wire, silent = rig.centre.accept("silent")
        began_ms = rig.clock.monotonic_ms()
        await rig.network.connect(rig.address, wire, silent, rig.clock, source=CENTRE)
        await asyncio.sleep(3.9)
        assert rig.network.pipes
        await asyncio.sleep(0.2)

        assert not rig.network.pipes
        assert rig.clock.monotonic_ms() - began_ms <= 4200
        assert rig.link.last_error == f"no outbind in time; {WAITING}"
        await rig.link.stop()

    virtually(story())


@both
def test_a_port_that_is_taken_is_told_and_tried_again(protocol: str) -> None:
    async def story() -> None:
        rig = Called(a_called_link(protocol))
        rig.refusals = 3
        rig.link.start()
        await asyncio.sleep(0.01)
        assert rig.link.last_error == "0.0.0.0:5002: cannot listen: [Errno 98] Address already in use"
        assert rig.link.state == "connecting"

        await asyncio.sleep(30)
        assert (rig.refusals, rig.link.last_error) == (0, WAITING)
        callee = await rig.call()
        await rig.centre.until(lambda: callee.is_bound)
        await rig.link.stop()

    virtually(story())


@both
def test_a_mistake_of_ours_while_it_begins_to_listen_does_not_end_the_link(protocol: str) -> None:
    async def story() -> None:
        rig = Called(a_called_link(protocol))
        rig.refusals, rig.refusal = 2, KeyError("ours")
        with capture_logs() as logs:
            rig.link.start()
            await asyncio.sleep(0.01)
            assert rig.link.last_error == "KeyError; see the log"
            await asyncio.sleep(30)
        assert [log["event"] for log in logs] == ["link failed", "link down"] * 2
        assert rig.link.last_error == WAITING
        await rig.link.stop()

    virtually(story())


@both
def test_a_stop_while_nobody_calls_closes_the_port_at_once(protocol: str) -> None:
    async def story() -> None:
        rig = Called(a_called_link(protocol))
        rig.link.start()
        await asyncio.sleep(1)
        began_ms = rig.clock.monotonic_ms()
        await rig.link.stop()

        assert (rig.clock.monotonic_ms(), rig.link.state) == (began_ms, "disabled")
        with pytest.raises(ConnectionError, match="refused"):
            await rig.call()

    virtually(story())


@both
def test_a_stop_while_a_port_is_taken_does_not_wait(protocol: str) -> None:
    async def story() -> None:
        rig = Called(a_called_link(protocol))
        rig.refusals = 1000
        rig.link.start()
        await asyncio.sleep(100)
        await rig.link.stop()
        assert rig.link.state == "disabled"

    virtually(story())


@both
def test_a_stop_while_called_answers_what_is_owed_and_ends_well(protocol: str) -> None:
    async def story() -> None:
        rig = Called(a_called_link(protocol))
        rig.intake.says = None
        callee = await rig.bound()
        mo = rig.centre.write("79001112233", "4446", "GAME 7")
        await rig.intake.until(lambda: bool(rig.intake.deliveries))
        stopping = asyncio.ensure_future(rig.link.stop())
        await asyncio.sleep(1)
        assert not stopping.done()
        with capture_logs() as logs:
            assert await (await rig.call()).ended == "the peer closed the connection"
        assert logs == [], "nobody new while it stops, which is no news"

        rig.intake.deliveries[0].answer(Heard.TAKEN)
        await stopping

        assert mo.is_acknowledged
        assert callee.ended.done()
        assert (rig.intake.ended, rig.link.state) == ([("alpha-1", True)], "disabled")

    virtually(story())


@both
def test_a_stop_ends_a_call_that_is_not_bound_yet(protocol: str) -> None:
    async def story() -> None:
        rig = Called(a_called_link(protocol))
        rig.link.start()
        await asyncio.sleep(1)
        wire, silent = rig.centre.accept("silent")
        await rig.network.connect(rig.address, wire, silent, rig.clock, source=CENTRE)
        await rig.link.stop()
        await asyncio.sleep(1)

        assert (rig.network.pipes, rig.link.state, rig.intake.ended) == ([], "disabled", [])

    virtually(story())


@both
def test_a_link_that_is_started_again_listens_again(protocol: str) -> None:
    async def story() -> None:
        rig = Called(a_called_link(protocol))
        await rig.bound()
        await rig.link.stop()
        callee = await rig.bound()
        mo = rig.centre.write("79001112233", "4446", "GAME 7")
        await rig.centre.until(lambda: mo.is_acknowledged)
        assert (callee.is_bound, rig.link.counts.sessions) == (True, 2)
        await rig.link.stop()

    virtually(story())


@both
def test_a_centre_that_hangs_up_may_call_again_at_once(protocol: str) -> None:
    async def story() -> None:
        rig = Called(a_called_link(protocol))
        for number in (1, 2, 3):
            callee = await (rig.bound() if number == 1 else rig.call())
            await rig.centre.until(lambda callee=callee: callee.is_bound)  # type: ignore[misc]
            await asyncio.sleep(0.01)
            callee.cut()
            await rig.intake.until(lambda number=number: len(rig.intake.ended) == number)  # type: ignore[misc]
            await asyncio.sleep(0)
        assert rig.link.counts.sessions == 3
        assert rig.link.last_error == f"the peer closed the connection; {WAITING}"
        await rig.link.stop()

    virtually(story())


def test_a_centre_that_asks_whether_we_are_there_is_answered_and_so_are_we() -> None:
    async def story() -> None:
        rig = Called(a_called_link("ucp"), inactivity_s=60)
        callee = await rig.bound()
        await asyncio.sleep(600)
        assert callee.is_bound, "our 31 keep it up"
        assert rig.intake.ended == []
        await rig.link.stop()

    virtually(story())


def test_what_is_told_is_told_again_later_and_of_not_too_many() -> None:
    now_ms = 0
    told = Told(lambda: now_ms)

    assert [told.is_new("a"), told.is_new("a"), told.is_new("b")] == [True, False, True]
    assert [told.is_new(str(number)) for number in range(2000)].count(True) == 998
    now_ms = 600_000
    assert told.is_new("a")
    assert told.is_new("1999")
