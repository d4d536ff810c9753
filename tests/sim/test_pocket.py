"""The pocket SMSC of the command line, over sockets."""

import asyncio
import re
from random import Random

from plumbing.clock import SystemClock
from plumbing.loop import spawn
from plumbing.pump import connect
from sim.pocket import PocketOptions, run_pocket
from sim.quirks import Quirks
from sim.records import Counted
from smsc_link.link import OperatorLink
from tests.case import AsyncioTestCase
from tests.smsc_link.ends import FakeIntake, a_link, an_mt, an_operator

CLOCK = SystemClock()


class Told:
    """Lines, and the port that the first one names."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.port: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def __call__(self, line: str) -> None:
        self.lines.append(line)
        found = re.match(r"listening at port (\d+)", line)
        if found:
            self.port.set_result(int(found[1]))


class Pocket(AsyncioTestCase):
    timeout = 30

    async def tearDown(self) -> None:
        await self.link.stop(1)
        for _ in range(5):
            await asyncio.sleep(0)

    async def replying(self, port: int, **values: object) -> FakeIntake:
        """A link that answers every MO with an MT."""
        intake = FakeIntake()
        self.link = OperatorLink(
            a_link(port=port, **values), an_operator(), intake=intake, connect=connect, clock=CLOCK, random=Random(1)
        )
        intake.on_delivery = lambda delivery: self.reply(delivery.source)
        self.link.start()
        return intake

    def reply(self, destination: str) -> None:
        self.link.submit(self.link.write(an_mt("Thanks", destination=destination), reference=1)[0])

    async def test_a_flood_ends_with_a_summary(self) -> None:
        told = Told()
        options = PocketOptions(
            listen="127.0.0.1:0",
            count=200,
            linger_s=0.5,
            texts=("GAME {n}",),
            system_id="tollbridge",
            password="secret",
            quirks=Quirks(window=20),
        )
        running = spawn(run_pocket(options, told), name="pocket")
        intake = await self.replying(await told.port)

        counted: Counted = await running

        assert (counted.acknowledged, counted.replied, counted.receipts) == (200, 200, 200)
        assert {delivery.octets for delivery in intake.deliveries} >= {b"GAME 1", b"GAME 200"}
        assert any("200 acknowledged" in line for line in told.lines)
        assert any("reply ms" in line for line in told.lines)

    async def test_at_a_rate_it_tells_a_line_each_second(self) -> None:
        told = Told()
        running = spawn(run_pocket(PocketOptions(listen="127.0.0.1:0", rate=100), told), name="pocket")
        await self.replying(await told.port)
        while not any(re.search(r"1 s  binds 1  MO \d+", line) for line in told.lines):
            await asyncio.sleep(0.01)

        running.cancel()
        counted: Counted = await running

        assert counted.acknowledged > 0
        assert any("MO/s acknowledged" in line for line in told.lines)

    async def test_a_wrong_password_is_refused(self) -> None:
        told = Told()
        options = PocketOptions(listen="127.0.0.1:0", count=1, system_id="tollbridge", password="other")
        running = spawn(run_pocket(options, told), name="pocket")
        await self.replying(await told.port)
        while not self.link.last_error:
            await asyncio.sleep(0.01)

        running.cancel()
        counted: Counted = await running

        assert counted.refused_binds == 1
        assert "0x0E" in self.link.last_error
