"""A link that its centre calls, over real sockets: TCP, both families, TLS, a port that is taken."""

import asyncio
import socket
import tempfile
from pathlib import Path
from random import Random
from typing import Any

from plumbing.clock import SystemClock
from plumbing.conversation import Address, Tls
from plumbing.loop import spawn
from plumbing.pump import connect, listen
from sim.calling import Callee, keep_calling
from sim.centre import PocketSmsc
from sim.quirks import Quirks
from smsc_link.called import CalledLink
from smsc_link.keeping import Surroundings
from smsc_link.protocols import PROTOCOLS
from tests.case import AsyncioTestCase
from tests.plumbing.certificates import write_certificates
from tests.ports import free_port
from tests.smsc_link.calls import a_called_link
from tests.smsc_link.ends import FakeIntake, an_operator

CLOCK = SystemClock()


class CalledOverSockets(AsyncioTestCase):
    timeout = 30

    def setUp(self) -> None:
        self.intake = FakeIntake()
        self.links: list[CalledLink] = []
        self.callees: list[Callee] = []
        self.port = free_port()

    async def tearDown(self) -> None:
        for link in self.links:
            await link.stop(1)
        for callee in self.callees:
            callee.cut()
        for _ in range(5):
            await asyncio.sleep(0)

    def a_link(self, protocol: str = "ucp", *, host: str = "127.0.0.1", **options: Any) -> CalledLink:
        given = {"callers": ["127.0.0.1", "::1"], **options}
        link = a_called_link(protocol, host=host, port=self.port, tls="tls_certificate" in given, options=given)
        adapter = PROTOCOLS[protocol].adapter(link, an_operator())
        kept = PROTOCOLS[protocol].keep(
            link, adapter, Surroundings(self.intake, connect, CLOCK, Random(2), listen=listen)
        )
        assert isinstance(kept, CalledLink)
        self.links.append(kept)
        return kept

    async def until_it_says(self, link: CalledLink, words: str) -> None:
        while words not in link.last_error:
            await asyncio.sleep(0.005)

    async def call(self, protocol: str = "ucp", host: str = "127.0.0.1", tls: Tls | None = None) -> PocketSmsc:
        """A centre that has called."""
        centre = PocketSmsc(CLOCK, Random(1), quirks=Quirks(accounts={"tollbridge": "secret"}), protocol=protocol)
        wire, callee = centre.call(host)
        self.callees.append(callee)
        await connect(Address(host, self.port, tls), wire, callee, CLOCK)
        return centre

    async def carries_mo(self, centre: PocketSmsc) -> None:
        mo = centre.write("79001112233", "4446", "GAME 7 " * 40)
        await centre.until(lambda: mo.is_acknowledged)
        assert len(self.intake.deliveries) == mo.parts

    async def test_tcp_by_ucp(self) -> None:
        self.a_link().start()
        await asyncio.sleep(0)
        await self.carries_mo(await self.call())

    async def test_tcp_by_smpp(self) -> None:
        self.a_link("smpp").start()
        await asyncio.sleep(0)
        await self.carries_mo(await self.call("smpp"))

    async def test_who_listens_for_both_families_knows_callers_of_either(self) -> None:
        link = self.a_link(host="::")
        link.start()
        await asyncio.sleep(0)
        centre = await self.call(host="127.0.0.1")
        await self.carries_mo(centre)
        centre.cut()
        await self.intake.until(lambda: bool(self.intake.ended))
        self.intake.deliveries.clear()
        await self.carries_mo(await self.call(host="::1"))

    async def test_a_stranger_is_closed_before_anything_is_said(self) -> None:
        link = self.a_link(callers=["203.0.113.7"])
        link.start()
        await asyncio.sleep(0)
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)

        assert await reader.read() == b""
        assert link.counts.strangers == 1
        writer.close()

    async def test_a_port_that_is_taken_is_tried_again_until_it_is_free(self) -> None:
        link = self.a_link()
        with socket.socket() as other:
            other.bind(("127.0.0.1", self.port))
            other.listen()
            link.start()
            await self.until_it_says(link, f"127.0.0.1:{self.port}: cannot listen: [Errno 98] Address already in use")
            assert link.state == "connecting"
        await self.until_it_says(link, "waiting for the centre to call")

        await self.carries_mo(await self.call())

    async def test_a_stop_frees_the_port_and_a_start_takes_it_again(self) -> None:
        link = self.a_link()
        link.start()
        await asyncio.sleep(0)
        centre = await self.call()
        await self.carries_mo(centre)
        await link.stop(5)
        assert self.intake.ended == [("alpha-1", True)]
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind(("127.0.0.1", self.port))
        self.intake.deliveries.clear()
        link.start()
        await asyncio.sleep(0)
        await self.carries_mo(await self.call())

    async def test_a_centre_that_keeps_calling_is_there_again_after_a_restart_of_ours(self) -> None:
        link = self.a_link("smpp")
        centre = PocketSmsc(CLOCK, Random(1), quirks=Quirks(), protocol="smpp")
        told: list[str] = []
        calling = spawn(
            keep_calling(centre, Address("127.0.0.1", self.port), connect, CLOCK, told.append), name="calls"
        )
        link.start()
        while link.state != "bound":
            await asyncio.sleep(0.005)
        await link.stop(1)
        assert not centre.esmes
        link.start()
        await centre.until(lambda: bool(centre.esmes))
        calling.cancel()

        await self.carries_mo(centre)
        self.callees += centre.esmes  # type: ignore[arg-type]  # it was called, so it is one
        assert f"the call to 127.0.0.1:{self.port} is over: the peer unbound" in told

    def certificates(self) -> Path:
        folder = tempfile.TemporaryDirectory(prefix="tollbridge-tls-")
        self.addCleanup(folder.cleanup)
        write_certificates(Path(folder.name))
        return Path(folder.name)

    async def test_tls_asks_the_centre_for_its_certificate_where_an_authority_is_named(self) -> None:
        folder = self.certificates()
        authority = str(folder / "authority.pem")
        link = self.a_link(tls_certificate=str(folder / "server.pem"), tls_authority=authority)
        link.start()
        await asyncio.sleep(0)
        try:
            await self.call(tls=Tls(authority=authority))
            await self.callees[0].ended
        except ConnectionError:
            pass  # TLS 1.2 is refused in the handshake, 1.3 after it.
        assert (link.counts.sessions, self.intake.deliveries) == (0, [])

        centre = await self.call(tls=Tls(authority=authority, certificate=str(folder / "client.pem")))
        await self.carries_mo(centre)

    async def test_tls_without_one_takes_any_caller_that_may_call(self) -> None:
        folder = self.certificates()
        authority = str(folder / "authority.pem")
        pem = str(folder / "server.pem")
        self.a_link("smpp", tls_certificate=pem, tls_authority=authority, tls_verify=False).start()
        await asyncio.sleep(0)
        await self.carries_mo(await self.call("smpp", tls=Tls(authority=authority)))

    async def test_a_caller_that_makes_no_tls_gives_way_to_one_that_does(self) -> None:
        folder = self.certificates()
        self.a_link(tls_certificate=str(folder / "server.pem")).start()
        await asyncio.sleep(0)
        _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        centre = await self.call(tls=Tls(authority=str(folder / "authority.pem")))
        await self.carries_mo(centre)
        writer.close()

    async def test_a_certificate_that_is_not_there_is_told(self) -> None:
        link = self.a_link(tls_certificate="/nowhere/ours.pem")
        link.start()
        await self.until_it_says(link, "TLS: /nowhere/ours.pem: No such file or directory")
