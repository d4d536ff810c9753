"""The play: message centres, partners and the service begin, subscribers write, everything ends well, the books are
audited.

Demo.play    until cancelled or `seconds` are over; 0 when `tollbridge check` passes, else 1

Rule: at the end the subscribers fall silent first, then the service drains while its peers are still there.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random

from rich.console import Console
from rich.live import Live

from core.errors import StoreError, TollbridgeError
from plumbing.clock import SystemClock
from plumbing.conversation import read_address
from plumbing.loop import spawn
from plumbing.pump import Listener, listen
from sim.centre import PocketSmsc
from sim.playing import ids_of
from sim.subscribers import Subscribers
from store.database import connect
from tollbridge.commands.check import lines_of, run_checks
from tollbridge.demo.cast import OPERATORS, USSD_CODE, USSD_OPERATOR
from tollbridge.demo.crowd import NUMBERS, Crowd
from tollbridge.demo.lines import Events, line_of, summary
from tollbridge.demo.partners import PartnerSide
from tollbridge.demo.picture import Painter, Picture
from tollbridge.demo.screen import draw
from tollbridge.demo.stage import Stage
from tollbridge.roles import Service

LINE_S = 2.0
FRAME_S = 0.5
DIAL_S, THINK_S = 5.0, 1.2
DIALOGUES = (("1", "0"), ("1", "1", "0"), ("3", "2", "1", "0"), ("2", "100"), ("7", "1", "0"))
"""What those answer who dial."""
SETTLE_S = 3.0
"""How long the last messages get for their replies, before the service is told to stop."""


class Demo:
    """One showing."""

    def __init__(self, stage: Stage, *, rate: float, seconds: float, seed: int, screen: Console | None) -> None:
        """`screen` is the terminal to draw on; None: lines on stdout."""
        self._stage = stage
        self._rate = rate
        self._seconds = seconds
        self._screen = screen
        self._clock = SystemClock()
        self._crowd = Crowd(seed)
        self._service = Service(stage.config)
        self._partners = PartnerSide(Random(seed))
        self._centres = {
            operator.code: PocketSmsc(
                self._clock,
                Random(seed),
                quirks=operator.quirks,
                subscribers=Subscribers(seed, delivered=operator.quirks.delivered, expired=operator.quirks.expired),
                keep=False,
                ids_after=ids_of(self._clock.now()),
            )
            for operator in OPERATORS
        }
        self._listeners: list[Listener] = []

    async def play(self, tell: Callable[[str], None]) -> int:
        """The whole of it. Raises TollbridgeError, OSError when it cannot begin."""
        database = connect(self._stage.config.database.url)
        try:
            async with self._peers():
                painter = Painter(self._service, database, list(self._centres.values()), self._partners, self._clock)
                try:
                    picture = await self._perform(painter, tell)
                finally:
                    await self._service.stop()
                    painter.close()
            for line in summary(picture):
                tell(line)
            return self._audit(tell)
        finally:
            database.close()

    @asynccontextmanager
    async def _peers(self) -> AsyncIterator[None]:
        """Operators and partners, there before the service and after it."""
        self._stage.ports.give_up()
        self._partners.api = self._stage.api
        try:
            for code, centre in self._centres.items():
                address = read_address(f"127.0.0.1:{self._stage.smsc_ports[code]}")
                self._listeners.append(listen(address, centre.accept, self._clock))
            await self._partners.open(self._stage.partners_port)
            yield
        finally:
            for listener in self._listeners:
                await listener.close(abort=True)
            await self._partners.close()

    async def _perform(self, painter: Painter, tell: Callable[[str], None]) -> Picture:
        """From the start of the service to the last reply; the last picture."""
        await self._service.start()
        writing = spawn(self._write(painter), name="demo crowd")
        dialling = spawn(self._dial(painter), name="demo phones")
        try:
            async with asyncio.timeout(self._seconds or None):
                await (self._draw(painter) if self._screen else self._say(painter, tell))
        except TimeoutError:
            pass
        except asyncio.CancelledError:
            # Ctrl-C: the first signal ends the play, the second the process (plumbing.loop).
            asyncio.current_task().uncancel()  # type: ignore[union-attr]
        finally:
            writing.cancel()
            dialling.cancel()
        tell("ending: waiting for the last replies …")
        await self._settle()
        return await painter.paint()

    async def _write(self, painter: Painter) -> None:
        """Subscribers write at the rate, at the moments of a Poisson process: in life they do not keep step."""
        random = Random()
        due_s = asyncio.get_running_loop().time()
        while True:
            due_s += random.expovariate(self._rate)
            await asyncio.sleep(max(0.0, due_s - asyncio.get_running_loop().time()))
            written = self._crowd.next()
            centre = self._centres[written.operator.code]
            # The first client with room gets the MO; in turn, all links of an operator have something to do.
            centre.esmes[:] = centre.esmes[1:] + centre.esmes[:1]
            painter.wrote(centre.write(written.source, written.short_code, written.text))

    async def _dial(self, painter: Painter) -> None:
        """Now and then somebody dials, and looks at the balance."""
        random = Random()
        operator = next(one for one in OPERATORS if one.code == USSD_OPERATOR)
        while True:
            msisdn = f"{operator.prefix}{random.randrange(10, NUMBERS):07d}"
            answers = random.choice(DIALOGUES)
            phones = self._centres[operator.code].phones
            painter.dialled = phones.dial(msisdn, USSD_CODE, answers, think_s=THINK_S)
            await asyncio.sleep(DIAL_S)

    async def _draw(self, painter: Painter) -> None:
        assert self._screen is not None
        with Live(console=self._screen, screen=True, auto_refresh=False) as live:
            while True:
                try:
                    picture = await painter.paint()
                except StoreError:
                    await asyncio.sleep(FRAME_S)
                    continue
                live.update(draw(picture, self._stage, self._screen.width, self._screen.height), refresh=True)
                await asyncio.sleep(FRAME_S)

    async def _say(self, painter: Painter, tell: Callable[[str], None]) -> None:
        events = Events()
        while True:
            await asyncio.sleep(LINE_S)
            try:
                picture = await painter.paint()
            except StoreError as error:
                tell(str(error))
                continue
            for event in events.since(picture):
                tell(event)
            tell(line_of(picture))

    async def _settle(self) -> None:
        """Until every MO is acknowledged and nothing is under way, at most SETTLE_S."""
        try:
            async with asyncio.timeout(SETTLE_S):
                while any(centre.waiting for centre in self._centres.values()) or self._service.is_busy:
                    await asyncio.sleep(0.05)
        except TimeoutError:
            pass

    def _audit(self, tell: Callable[[str], None]) -> int:
        tell("tollbridge check:")
        failed = False
        database = connect(self._stage.config.database.url)
        try:
            for outcome in run_checks(database):
                failed = failed or bool(outcome.findings)
                for line in lines_of(outcome):
                    tell("  " + line)
        except TollbridgeError as error:
            tell(f"  ✗ {error}")
            failed = True
        finally:
            database.close()
        tell("its books stay until the next demo; what they say:")
        for words in ("report partners", "report tiers", "report receivables", "message --parked"):
            tell(f"  {self._stage.command(words)}")
        return int(failed)
