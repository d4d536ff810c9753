"""Links and a pocket SMSC over real sockets: TCP, IPv6, TLS; a listener that goes away and comes back."""

import asyncio
import tempfile
from pathlib import Path
from random import Random

from core.message import SubmitOutcome
from plumbing.clock import SystemClock
from plumbing.conversation import Address, Tls
from plumbing.pump import Listener, connect, listen
from sim.centre import PocketSmsc
from sim.quirks import Quirks
from smsc_link.link import OperatorLink
from tests.case import AsyncioTestCase
from tests.plumbing.certificates import write_certificates
from tests.smsc_link.ends import FakeIntake, a_link, an_mt, keep

CLOCK = SystemClock()


class OverSockets(AsyncioTestCase):
    timeout = 30

    def setUp(self) -> None:
        self.listeners: list[Listener] = []
        self.links: list[OperatorLink] = []
        self.intake = FakeIntake()
        self.centre = PocketSmsc(CLOCK, Random(1), quirks=Quirks(accounts={"tollbridge": "secret"}))

    async def tearDown(self) -> None:
        for link in self.links:
            await link.stop(1)
        for listener in self.listeners:
            await listener.close(abort=True)
        for _ in range(5):
            await asyncio.sleep(0)

    def listening(self, host: str = "127.0.0.1", port: int = 0, tls: Tls | None = None) -> Listener:
        self.listeners.append(listen(Address(host, port, tls), self.centre.accept, CLOCK))
        return self.listeners[-1]

    async def bound(self, **values: object) -> OperatorLink:
        link = keep(a_link(**values), intake=self.intake, connect=connect, clock=CLOCK)
        self.links.append(link)
        link.start()
        await self.intake.until(lambda: bool(self.intake.opened))
        return link

    async def carries_traffic(self, link: OperatorLink) -> None:
        mo = self.centre.write("79001112233", "4446", "GAME 7 " * 40)
        await self.centre.until(lambda: mo.is_acknowledged)
        [part] = link.write(an_mt("Level 7"), reference=1)
        assert (await link.submit(part)).outcome is SubmitOutcome.ACCEPTED
        await self.intake.until(lambda: bool(self.intake.receipts))

    async def test_tcp(self) -> None:
        await self.carries_traffic(await self.bound(port=self.listening().port))

    async def test_ipv6(self) -> None:
        await self.carries_traffic(await self.bound(host="::1", port=self.listening("::1").port))

    async def test_a_name_is_resolved(self) -> None:
        await self.carries_traffic(await self.bound(host="localhost", port=self.listening().port))

    def certificates(self) -> Path:
        """A folder of them, for as long as the test."""
        folder = tempfile.TemporaryDirectory(prefix="tollbridge-tls-")
        self.addCleanup(folder.cleanup)
        write_certificates(Path(folder.name))
        return Path(folder.name)

    async def test_tls_with_a_known_authority(self) -> None:
        folder = self.certificates()
        port = self.listening(tls=Tls(certificate=str(folder / "server.pem"))).port

        link = await self.bound(port=port, tls=True, options={"tls_authority": str(folder / "authority.pem")})

        await self.carries_traffic(link)
        self.centre.flood(1000)
        await self.centre.until(lambda: self.centre.counted.acknowledged == 1001)

    async def test_tls_with_a_stranger_says_why_and_goes_on_trying(self) -> None:
        folder = self.certificates()
        port = self.listening(tls=Tls(certificate=str(folder / "stranger.pem"))).port
        link = keep(
            a_link(port=port, tls=True),
            intake=self.intake,
            connect=connect,
            clock=CLOCK,
        )
        self.links.append(link)
        link.start()
        while not link.last_error:
            await asyncio.sleep(0.01)

        assert link.last_error.endswith("TLS: certificate verify failed: unknown issuer: stranger has signed it itself")
        assert link.state == "connecting"

    async def test_a_stop_does_not_wait_for_a_connection_that_is_being_made(self) -> None:
        silent = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
        port = silent.sockets[0].getsockname()[1]
        link = keep(
            a_link(port=port, tls=True, options={"connect_timeout_s": 100}),
            intake=self.intake,
            connect=connect,
            clock=CLOCK,
        )
        link.start()
        await asyncio.sleep(0.05)
        began_ms = CLOCK.monotonic_ms()

        await link.stop(20)

        assert CLOCK.monotonic_ms() - began_ms < 2000
        assert link.state == "disabled"
        silent.close()

    async def test_many_mo_at_once_are_all_answered(self) -> None:
        await self.bound(port=self.listening().port)

        self.centre.flood(3000)
        await self.centre.until(lambda: self.centre.counted.acknowledged == 3000)

        assert len(self.intake.deliveries) == 3000
        assert all(mo.deliveries == 1 for mo in self.centre.mos)

    async def test_a_centre_that_cuts_connections_gets_every_mo_through(self) -> None:
        self.centre = PocketSmsc(CLOCK, Random(1), quirks=Quirks(cut_every=40, window=10))
        await self.bound(port=self.listening().port)

        self.centre.flood(200)
        await self.centre.until(lambda: self.centre.counted.acknowledged == 200)

        assert self.centre.counted.binds >= 5
        assert len(self.intake.deliveries) >= 200

    async def test_a_centre_that_restarts_is_found_again(self) -> None:
        listener = self.listening()
        port = listener.port
        link = await self.bound(port=port)

        await listener.close(abort=True)
        self.listeners.remove(listener)
        await self.intake.until(lambda: bool(self.intake.ended))
        self.listening(port=port)
        await self.intake.until(lambda: len(self.intake.opened) == 2)

        await self.carries_traffic(link)

    async def test_a_stop_unbinds_over_the_socket(self) -> None:
        link = await self.bound(port=self.listening().port)

        await link.stop(5)
        await self.centre.until(lambda: not self.centre.esmes)

        assert self.intake.ended == [("alpha-1", True)]
