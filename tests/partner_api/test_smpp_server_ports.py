"""The port where partners bind: TLS, IPv6, and an address or a certificate that cannot be had."""

import ssl
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from core.errors import ConfigError
from plumbing.conversation import Tls
from tests.partner_api.smpp_ends import QUICK, ServerCase
from tests.plumbing.certificates import write_certificates


class Connecting(ServerCase):
    def certificates(self) -> tuple[Tls, ssl.SSLContext]:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        write_certificates(Path(folder.name))
        pem = f"{folder.name}/server.pem"
        return Tls(certificate=pem, key=pem), ssl.create_default_context(cafile=f"{folder.name}/authority.pem")

    async def test_tls(self) -> None:
        ours, trust = self.certificates()
        await self.serving(tls=ours)
        client = await self.client(tls=trust)

        assert (await client.bind("acme", "aaa")).status == 0
        assert await client.is_served()

    async def test_who_never_gets_tls_up_is_counted_and_counted_out(self) -> None:
        ours, trust = self.certificates()
        server = await self.serving(replace(QUICK, unbound_per_network=3), tls=ours)
        silent = [await self.client() for _ in range(4)]
        assert await silent[0].hear() is None
        assert server.totals()["connections"] == 3
        silent[1].say(b"\0\0\0\x10 this is no TLS")
        silent[2].hang_up()
        await self.until(lambda: server.totals()["connections"] == 1)

        assert (await (await self.client(tls=trust)).bind("acme", "aaa")).status == 0
        await server.stop(1)
        assert server.totals()["connections"] == 0

    async def test_a_client_without_tls_can_be_found_in_the_log(self) -> None:
        ours, _ = self.certificates()
        server = await self.serving(tls=ours)
        with capture_logs() as logs:

            def over() -> list[Any]:
                return [one for one in logs if one["event"] == "smpp connection over, not bound"]

            client = await self.client()
            client.say(b"\0\0\0\x10 this is no TLS")
            # Not the count of connections: it is zero before ours is accepted, too.
            await self.until(lambda: bool(over()) and not server.totals()["connections"])

        [told] = over()
        assert told["reason"].startswith("TLS: ")
        assert told["peer"].startswith("127.0.0.1:")

    async def test_ipv6(self) -> None:
        await self.serving(host="::1")

        assert (await (await self.client(host="::1")).bind("acme", "aaa")).status == 0

    async def test_a_port_that_is_taken_is_told_with_its_address(self) -> None:
        server = await self.serving()
        server.address = replace(server.address, port=server.port)
        with pytest.raises(OSError, match=f"127.0.0.1:{server.port}: .*Address already in use"):
            await server.start()

    async def test_a_certificate_that_cannot_be_read_is_a_mistake_that_names_it(self) -> None:
        with pytest.raises(ConfigError) as caught:
            await self.serving(tls=Tls(certificate="/nowhere.pem", key="/nowhere.pem"))

        assert "/nowhere.pem" in str(caught.value)
