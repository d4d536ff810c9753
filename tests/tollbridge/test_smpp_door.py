"""The section smpp_server reaches the door where partners bind."""

import ssl
import tempfile
from pathlib import Path

from prometheus_client import CollectorRegistry

from plumbing.metrics import Metrics
from tests.partner_api.smpp_ends import CLOCK, ServerCase
from tests.plumbing.certificates import write_certificates
from tollbridge.config import SmppServerSection
from tollbridge.smpp_door import open_smpp
from wire.smpp import status as st
from wire.smpp.operations import BindTransceiver, EnquireLink, Unbind


class Opened(ServerCase):
    async def opened(self, section: SmppServerSection) -> None:
        server = await open_smpp(section, lambda: self.catalogue, self.look, CLOCK, Metrics(CollectorRegistry()))
        self.servers.append(server)

    async def test_one_partner_has_as_many_binds_as_binds_per_partner_says(self) -> None:
        await self.opened(SmppServerSection(listen="127.0.0.1:0", binds_per_partner=2))

        answers = [await (await self.client()).bind("acme", "aaa") for _ in range(3)]

        assert [answer.status for answer in answers] == [0, 0, st.RBINDFAIL]

    async def test_who_is_silent_for_inactivity_s_is_unbound(self) -> None:
        await self.opened(SmppServerSection(listen="127.0.0.1:0", inactivity_s=1))
        began_ms = CLOCK.monotonic_ms()
        client = await self.client()
        await client.bind("acme", "aaa")

        said = [type(await client.hear()), type(await client.hear())]

        assert said == [EnquireLink, Unbind]
        assert 990 <= CLOCK.monotonic_ms() - began_ms < 10_000

    async def test_with_a_certificate_partners_bind_by_tls_and_not_without(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        write_certificates(Path(folder.name))
        pem = f"{folder.name}/server.pem"
        await self.opened(SmppServerSection(listen="127.0.0.1:0", tls_cert=pem, tls_key=pem))

        plain = await self.client()
        plain.say(BindTransceiver(system_id="acme", password="aaa"))
        by_tls = await self.client(tls=ssl.create_default_context(cafile=f"{folder.name}/authority.pem"))

        assert await plain.hear() is None, "cut off without an answer"
        assert (await by_tls.bind("acme", "aaa")).status == 0
