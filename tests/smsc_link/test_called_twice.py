"""A centre that calls while a call is up: which of the two is the one. In memory and virtual time."""

import asyncio

from structlog.testing import capture_logs

from plumbing.pipe import Network
from smsc_link.called import PROBE_MS
from tests.smsc_link.calls import CENTRE, Called, a_called_link, both
from tests.smsc_link.virtual import virtually


@both
def test_a_second_call_is_closed_while_the_first_is_there(protocol: str) -> None:
    async def story() -> None:
        rig = Called(a_called_link(protocol))
        first = await rig.bound()
        with capture_logs() as logs:
            for _ in range(3):
                assert await (await rig.call()).ended == "the peer closed the connection"
        await asyncio.sleep(PROBE_MS / 1000 + 5)

        assert [log["event"] for log in logs] == ["a second call"]
        assert first.is_bound
        mo = rig.centre.write("79001112233", "4446", "GAME 7")
        await rig.centre.until(lambda: mo.is_acknowledged)
        assert (rig.intake.ended, rig.link.counts.sessions) == ([], 1)
        await rig.link.stop()

    virtually(story())


@both
def test_a_first_call_that_is_dead_gives_way_and_what_it_said_last_is_in_doubt(protocol: str) -> None:
    async def story() -> None:
        # Neither silence nor a keep-alive of ours would find it dead within the time.
        name = {"ucp": "keepalive_s", "smpp": "enquire_s"}[protocol]
        rig = Called(a_called_link(protocol, options={name: 0, "inactivity_s": 0}))
        await rig.bound()
        rig.network.pipes[0].freeze()
        assert await (await rig.call()).ended == "the peer closed the connection"
        await rig.intake.until(lambda: bool(rig.intake.ended))
        assert rig.intake.ended == [("alpha-1", False)]

        again = await rig.call()
        await rig.centre.until(lambda: again.is_bound)
        assert rig.link.counts.sessions == 2
        await rig.link.stop()

    virtually(story())


@both
def test_a_call_that_is_not_bound_gives_way_at_once(protocol: str) -> None:
    async def story() -> None:
        rig = Called(a_called_link(protocol))
        rig.link.start()
        await asyncio.sleep(1)
        wire, silent = rig.centre.accept("silent")
        await rig.network.connect(rig.address, wire, silent, rig.clock, source=CENTRE)
        callee = await rig.call()
        await rig.centre.until(lambda: callee.is_bound)
        await asyncio.sleep(1)

        assert len(rig.network.pipes) == 1
        assert (rig.link.state, rig.intake.ended) == ("bound", [])
        await rig.link.stop()

    virtually(story())


def test_a_call_whose_tls_comes_up_after_the_next_one_is_bound_is_closed() -> None:
    async def story() -> None:
        rig = Called(a_called_link("ucp"))
        rig.link.start()
        await asyncio.sleep(1)
        late = rig.answering(CENTRE)
        callee = await rig.call()
        await rig.centre.until(lambda: callee.is_bound)

        slow = Network()
        slow.listen(rig.address, lambda peer: late, rig.clock)
        wire, behind = rig.centre.call("late")
        await slow.connect(rig.address, wire, behind, rig.clock)

        assert await behind.ended == "the peer closed the connection"
        assert (callee.is_bound, rig.link.state, rig.link.last_error) == (True, "bound", "")
        await rig.link.stop()

    virtually(story())
