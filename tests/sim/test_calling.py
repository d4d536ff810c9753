"""The pocket SMSC that calls, as the command line has it, to a link of ours that is called. Over sockets."""

import asyncio
from random import Random

from plumbing.clock import SystemClock
from plumbing.loop import spawn
from plumbing.pump import connect, listen
from sim.pocket import PocketOptions, run_pocket
from sim.records import Counted
from smsc_link.keeping import Surroundings
from smsc_link.protocols import PROTOCOLS
from tests.case import AsyncioTestCase
from tests.ports import free_port
from tests.sim.test_pocket import Told
from tests.smsc_link.calls import a_called_link
from tests.smsc_link.ends import FakeIntake, a_link, an_mt, an_operator, keep
from traffic.ports import Delivery

CLOCK = SystemClock()


class PocketThatCalls(AsyncioTestCase):
    timeout = 30

    async def story(self, protocol: str) -> tuple[Counted, FakeIntake, FakeIntake, list[str]]:
        """MO by its call, replies and their receipts by a link that connects to it."""
        told, called, other = Told(), FakeIntake(), FakeIntake()
        port = free_port()
        link = a_called_link(protocol, host="127.0.0.1", port=port, options={"callers": ["127.0.0.1"]})
        around = Surroundings(called, connect, CLOCK, Random(1), listen=listen)
        mo_link = PROTOCOLS[protocol].keep(link, PROTOCOLS[protocol].adapter(link, an_operator()), around)
        options = PocketOptions(
            protocol=protocol,
            listen="127.0.0.1:0",
            calls=f"127.0.0.1:{port}",
            count=50,
            linger_s=0.3,
            system_id="tollbridge",
            password="secret",
        )
        running = spawn(run_pocket(options, told), name="pocket")
        mt_link = keep(a_link(protocol=protocol, port=await told.port), intake=other, connect=connect, clock=CLOCK)

        def reply(delivery: Delivery) -> None:
            mt_link.submit(mt_link.write(an_mt("Thanks", destination=delivery.source), reference=1)[0])

        called.on_delivery = reply
        mt_link.start()
        await other.until(lambda: bool(other.opened))
        mo_link.start()
        counted: Counted = await running
        await mt_link.stop(1)
        await mo_link.stop(1)
        for _ in range(5):
            await asyncio.sleep(0)
        return counted, called, other, told.lines

    async def test_who_only_calls_takes_no_port(self) -> None:
        told, called = Told(), FakeIntake()
        port = free_port()
        link = a_called_link("ucp", host="127.0.0.1", port=port, options={"callers": ["127.0.0.1"]})
        around = Surroundings(called, connect, CLOCK, Random(1), listen=listen)
        kept = PROTOCOLS["ucp"].keep(link, PROTOCOLS["ucp"].adapter(link, an_operator()), around)
        kept.start()
        options = PocketOptions(
            protocol="ucp", listen="", calls=f"127.0.0.1:{port}", count=5, linger_s=0.1,
            system_id="tollbridge", password="secret",
        )  # fmt: skip

        counted: Counted = await run_pocket(options, told)
        await kept.stop(1)

        assert counted.acknowledged == len(called.deliveries) == 5
        assert told.lines[0].startswith("listening nowhere; seed ")

    async def test_mo_go_over_its_call_and_receipts_to_whom_they_went_before(self) -> None:
        for protocol in ("ucp", "smpp"):
            counted, called, other, lines = await self.story(protocol)

            assert (counted.acknowledged, counted.replied) == (50, 50), protocol
            assert (len(called.deliveries), len(other.deliveries)) == (50, 0)
            assert len(called.receipts) + len(other.receipts) == counted.receipts > 0
            # UCP has no logout: whom the centre leaves can never be sure that it heard all.
            is_clean = protocol == "smpp"
            assert (called.ended, other.ended) == ([("alpha-1", is_clean)], [("alpha-1", is_clean)])
            assert any("50 acknowledged" in line for line in lines)
