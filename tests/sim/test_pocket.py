"""The pocket SMSC of the command line, over sockets."""

import asyncio
import re

from core.message import Heard
from plumbing.clock import SystemClock
from plumbing.loop import spawn
from plumbing.pump import connect
from sim.pocket import PocketOptions, run_pocket
from sim.quirks import Quirks
from sim.records import Counted
from tests.case import AsyncioTestCase
from tests.smsc_link.ends import FakeIntake, a_link, an_mt, keep

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
        self.link = keep(a_link(port=port, **values), intake=intake, connect=connect, clock=CLOCK)
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

    async def test_a_flood_over_ucp_ends_with_a_summary_in_its_words(self) -> None:
        told = Told()
        options = PocketOptions(
            protocol="ucp",
            listen="127.0.0.1:0",
            count=300,
            linger_s=0.5,
            system_id="tollbridge",
            password="secret",
            quirks=Quirks(window=100, throttle_above=10_000),
        )
        running = spawn(run_pocket(options, told), name="pocket")
        intake = await self.replying(await told.port, protocol="ucp")
        intake.says = Heard.LATER
        await intake.until(lambda: len(intake.deliveries) > 50)
        intake.says = Heard.TAKEN

        counted: Counted = await running

        assert (counted.acknowledged, counted.replied, counted.receipts) == (300, 300, counted.submitted)
        assert counted.put_off > 50 - 1
        assert f"{counted.put_off} refused ({counted.put_off} × EC 04: operation not allowed)" in told.lines[-1]

    async def test_a_flood_over_cimd2_waits_for_its_answers_and_ends_with_a_summary(self) -> None:
        told = Told()
        options = PocketOptions(
            protocol="cimd2",
            listen="127.0.0.1:0",
            count=300,
            linger_s=0.5,
            system_id="tollbridge",
            password="secret",
            quirks=Quirks(window=128),
        )
        running = spawn(run_pocket(options, told), name="pocket")
        intake = await self.replying(await told.port, protocol="cimd2")

        counted: Counted = await running

        assert (counted.acknowledged, counted.replied, counted.receipts) == (300, 300, 300)
        assert (counted.unanswered, counted.binds) == (0, 1)
        assert len(intake.deliveries) == 300
        assert "300 acknowledged, 0 refused" in told.lines[-1]

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

    async def test_stopped_in_full_flood_it_waits_for_the_answers_and_unbinds(self) -> None:
        told = Told()
        running = spawn(run_pocket(PocketOptions(listen="127.0.0.1:0", count=1_000_000), told), name="pocket")
        intake = await self.replying(await told.port)
        await intake.until(lambda: len(intake.deliveries) > 500)

        running.cancel()
        counted: Counted = await running

        await intake.until(lambda: bool(intake.ended))
        assert intake.ended[0] == ("alpha-1", True)
        assert counted.unanswered == 0
        assert counted.sent == counted.acknowledged == len(intake.deliveries)

    async def test_it_ends_after_the_seconds_that_were_asked(self) -> None:
        told = Told()
        running = spawn(run_pocket(PocketOptions(listen="127.0.0.1:0", rate=100, seconds=0.5), told), name="pocket")
        intake = await self.replying(await told.port)

        await running

        await intake.until(lambda: bool(intake.ended))
        assert intake.ended[0] == ("alpha-1", True)

    async def test_two_runs_write_no_text_twice(self) -> None:
        texts = []
        for seed in (1, 17):
            told = Told()
            options = PocketOptions(listen="127.0.0.1:0", count=30, seed=seed, linger_s=0.1)
            running = spawn(run_pocket(options, told), name="pocket")
            intake = await self.replying(await told.port)
            await running
            await self.link.stop(1)
            texts += [delivery.octets for delivery in intake.deliveries]

        assert len(texts) == len(set(texts)) == 60
        assert all(text.startswith(b"GAME ") for text in texts)

    async def test_the_last_line_counts_what_was_sent_and_by_which_status_it_was_refused(self) -> None:
        told = Told()
        options = PocketOptions(listen="127.0.0.1:0", rate=200, seconds=0.5, quirks=Quirks(redelivers=False))
        running = spawn(run_pocket(options, told), name="pocket")
        intake = await self.replying(await told.port)
        intake.says = Heard.LATER

        counted: Counted = await running

        assert counted.put_off > 0
        assert told.lines[-1] == (
            f"in all: {counted.sent} sent, 0 acknowledged, {counted.sent} refused "
            f"({counted.sent} × 0x58 ESME_RTHROTTLED: throttled), {counted.submitted} MT seen, "
            f"{counted.receipts} receipts"
        )

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
