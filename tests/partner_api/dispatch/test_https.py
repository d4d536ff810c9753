"""Callbacks over TLS: to whom the subscribers' texts are told, and why not to others."""

import asyncio
import os
import socket
import ssl
import tempfile
from pathlib import Path

from core.message import Answer, Outcome
from partner_api.dispatch.http import HttpCaller
from plumbing.clock import SystemClock
from tests.case import AsyncioTestCase
from tests.partners import Partner, a_callback, answers
from tests.plumbing.certificates import write_certificates


class SecurePartner(Partner):
    """A partner's end point that speaks TLS with a certificate of its own."""

    def __init__(self, certificate: Path) -> None:
        super().__init__(answers("Hello"))
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)

    async def __aenter__(self) -> "SecurePartner":
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0, ssl=self._context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self


class Secured(AsyncioTestCase):
    async def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        write_certificates(self.folder)
        # What the platform trusts: OpenSSL looks here for it.
        before = dict(os.environ)
        os.environ["SSL_CERT_FILE"] = str(self.folder / "authority.pem")
        self.addCleanup(os.environ.update, before)
        self.addCleanup(os.environ.pop, "SSL_CERT_FILE")
        self.caller = HttpCaller(
            clock=SystemClock(), timeout_s=2, allow_private_addresses=True, look_up=lambda name: ["127.0.0.1"]
        )

    async def tearDown(self) -> None:
        await self.caller.close()

    async def called(self, certificate: str, host: str = "localhost") -> tuple[Answer, Partner]:
        async with SecurePartner(self.folder / f"{certificate}.pem") as partner:
            return await self.caller.get(a_callback(f"https://{host}:{partner.port}/mo")), partner

    async def test_a_good_certificate_is_trusted_by_name_and_by_address(self) -> None:
        for host in ("localhost", "127.0.0.1", "LOCALHOST", "localhost."):
            answer, partner = await self.called("server", host)

            assert (answer.outcome, answer.reply) == (Outcome.ANSWERED, "Hello"), (host, answer)
            assert len(partner.heard) == 1

    async def test_what_is_not_trusted_hears_nothing_and_the_answer_says_why(self) -> None:
        for certificate, host, reason in (
            ("expired", "localhost", "certificate has expired"),
            ("stranger", "localhost", "self-signed certificate"),
            ("elsewhere", "localhost", "Hostname mismatch"),
            ("elsewhere", "127.0.0.1", "IP address mismatch"),
            ("server", "partner.example", "Hostname mismatch"),
        ):
            answer, partner = await self.called(certificate, host)

            assert answer.outcome is Outcome.AGAIN, certificate
            assert answer.error.startswith("no connection: the certificate was not accepted: "), (certificate, answer)
            assert reason in answer.error, (certificate, answer)
            assert partner.heard == [], certificate

    async def test_certificates_are_checked_and_nothing_older_than_tls_1_2_is_spoken(self) -> None:
        context = self.caller._connections._context()

        assert context.minimum_version is ssl.TLSVersion.TLSv1_2
        assert (context.verify_mode, context.check_hostname) == (ssl.VerifyMode.CERT_REQUIRED, True)

    async def test_a_partner_without_tls_is_a_failure_with_a_reason(self) -> None:
        async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(refuse, "127.0.0.1", 0)
        answer = await self.caller.get(a_callback(f"https://localhost:{server.sockets[0].getsockname()[1]}/mo"))
        server.close()

        assert answer.outcome is Outcome.AGAIN
        assert answer.error.startswith("no connection: ")
        assert "wrong version number" in answer.error

    async def test_a_partner_that_never_ends_its_handshake_holds_up_nobody(self) -> None:
        caller = HttpCaller(clock=SystemClock(), timeout_s=0.1, allow_private_addresses=True)
        with socket.create_server(("127.0.0.1", 0)) as mute:
            answer = await caller.get(a_callback(f"https://127.0.0.1:{mute.getsockname()[1]}/mo"))
        await caller.close()

        assert (answer.outcome, answer.error) == (Outcome.AGAIN, "no whole answer within 0.1 s")
