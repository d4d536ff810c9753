"""Conversations over TLS on loopback: who is trusted, and who is told when TLS never came up."""

import asyncio
import socket
import ssl
import tempfile
import warnings
from pathlib import Path

import pytest
from cryptography import x509
from OpenSSL import SSL
from structlog.testing import capture_logs

from plumbing import pump
from plumbing.conversation import Address, Conversation, Owner, Tls
from plumbing.pump import connect, listen
from plumbing.tls import Unverified, client_options, server_options
from tests.plumbing.certificates import write_certificates
from tests.plumbing.pump_case import CLOCK, PumpCase
from tests.plumbing.talkers import LineSession, Recorder, Said
from wire.session import Closed, Session
from wire.smpp.session import SmppSession


class TlsCase(PumpCase):
    """With certificates in a folder of its own."""

    def setUp(self) -> None:
        super().setUp()
        folder = tempfile.TemporaryDirectory(prefix="tollbridge-tls-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        write_certificates(self.folder)

    def file(self, name: str) -> str:
        return str(self.folder / f"{name}.pem")

    def secured(self, authority: str = "", certificate: str = "server") -> Address:
        return self.listening(tls=Tls(certificate=self.file(certificate), authority=authority))

    async def hello(self, address: Address, tls: Tls) -> list[str]:
        client = Recorder()
        pump = await self.connected(Address(address.host, address.port, tls), client)
        pump.send(Said("hello"))
        await client.until(lambda: client.answers_heard or client.closed)
        return client.answers_heard


class OverTls(TlsCase):
    async def test_a_certificate_of_a_known_authority_is_trusted(self) -> None:
        address = self.secured()

        assert await self.hello(address, Tls(authority=self.file("authority"))) == ["HELLO"]

    async def test_a_certificate_of_a_stranger_is_refused_with_the_reason(self) -> None:
        address = self.secured(certificate="stranger")

        with pytest.raises(ConnectionError, match=r"certificate verify failed|self.signed"):
            await self.hello(address, Tls(authority=self.file("authority")))
        assert self.server.conversation is None, "the server's owner was never opened"

    async def test_a_certificate_for_another_name_is_refused(self) -> None:
        address = self.secured()

        with pytest.raises(ConnectionError):
            await self.hello(address, Tls(authority=self.file("authority"), name="smsc.example"))

    async def test_a_certificate_that_signed_itself_is_trusted_when_it_is_given_as_the_authority(self) -> None:
        address = self.secured(certificate="stranger")

        assert await self.hello(address, Tls(authority=self.file("stranger"))) == ["HELLO"]

    async def test_a_stranger_may_be_trusted_on_request(self) -> None:
        address = self.secured(certificate="stranger")

        assert await self.hello(address, Tls(verify=False)) == ["HELLO"]

    async def test_a_server_may_ask_for_the_clients_certificate(self) -> None:
        address = self.secured(authority=self.file("authority"))
        trusted = self.file("authority")

        answers = await self.hello(address, Tls(authority=trusted, certificate=self.file("client")))

        assert answers == ["HELLO"]

    async def test_a_client_without_a_certificate_is_not_let_in(self) -> None:
        address = self.secured(authority=self.file("authority"))

        try:
            assert await self.hello(address, Tls(authority=self.file("authority"))) == []
        except ConnectionError:
            pass  # In TLS 1.2 the refusal comes within the handshake, in 1.3 after it.
        assert self.server.conversation is None

    async def test_nothing_below_tls_1_2_is_offered_or_taken(self) -> None:
        own = Tls(certificate=self.file("server"))
        anybody = client_options(Address("localhost", 1, Tls(verify=False)))
        assert isinstance(anybody, Unverified)
        contexts = [
            server_options(own).getContext(),
            server_options(Tls(certificate=self.file("server"), authority=self.file("authority"))).getContext(),
            anybody._context,
        ]

        for context in contexts:
            excluded = context.set_options(0)
            assert excluded & SSL.OP_NO_TLSv1
            assert excluded & SSL.OP_NO_TLSv1_1
            assert not excluded & SSL.OP_NO_TLSv1_2

    async def test_an_old_client_is_turned_away(self) -> None:
        address = self.secured()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1

        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection(address.host, address.port, ssl=context)

    async def test_a_client_that_speaks_no_tls_is_not_heard(self) -> None:
        address = self.secured()
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(b"hello\n" * 10)

        while await reader.read(1000):
            pass
        writer.close()

        assert self.server.conversation is None

    async def test_a_file_that_is_missing_is_named(self) -> None:
        with pytest.raises(ValueError, match=r"nowhere\.pem: No such file"):
            await self.hello(Address("127.0.0.1", 1), Tls(authority="nowhere.pem"))


class TlsThatNeverComesUp(TlsCase):
    """The owner that was made for the peer hears the end, and nothing is left open."""

    async def refused(self, address: Address, tls: Tls | None) -> str:
        """Why a client of ours could not connect; its owner hears nothing."""
        client = Recorder()
        with pytest.raises(ConnectionError) as caught:
            await self.connected(Address(address.host, address.port, tls), client)
        assert (client.conversation, client.heard_events) == (None, [])
        return str(caught.value)

    async def told(self) -> str:
        """What the server's owner was told, who was never opened."""
        await self.server.until(lambda: self.server.closed)
        assert self.server.conversation is None
        [closed] = self.server.heard_events
        assert isinstance(closed, Closed)
        return closed.reason

    async def test_a_client_that_speaks_no_tls(self) -> None:
        address = self.secured()
        _, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(b"\0\0\0\x10 this is no TLS")

        assert (await self.told()).startswith("TLS: ")
        writer.close()

    async def test_a_client_that_hangs_up_before_the_handshake(self) -> None:
        address = self.secured()
        _, writer = await asyncio.open_connection(address.host, address.port)
        writer.close()

        assert (await self.told()).startswith("TLS: no handshake: ")

    async def test_a_client_that_says_nothing(self) -> None:
        self.patch(pump, "HANDSHAKE_S", 0.05)
        address = self.secured()
        reader, writer = await asyncio.open_connection(address.host, address.port)

        assert await self.told() == "TLS: no handshake within 0.05 s"
        with pytest.raises(ConnectionResetError):
            await reader.read(1)
        writer.close()

    async def test_a_tls_client_at_a_plain_port(self) -> None:
        self.server_session = SmppSession("smsc")
        address = self.listening()

        reason = await self.refused(address, Tls(verify=False))
        await self.server.until(lambda: self.server.closed)

        assert "TLS" in reason
        assert self.server.closed is not None
        assert self.server.closed.reason.startswith("command_length ")

    async def test_a_server_that_does_not_answer_the_handshake(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as mute:
            address = Address("127.0.0.1", mute.getsockname()[1], Tls(verify=False))

            with pytest.raises(ConnectionError, match=r"no TLS handshake within 0\.5 s"):
                await connect(address, LineSession(), Recorder(), CLOCK, timeout_s=0.5)

    async def refused_certificate(self, certificate: str, name: str = "") -> str:
        """What is said of a server's certificate, behind the words of OpenSSL."""
        tls = Tls(authority=self.file("authority"), name=name)
        before, found, after = (await self.refused(self.secured(certificate=certificate), tls)).partition(
            "TLS: certificate verify failed: "
        )
        assert (before, bool(found)) == (f"127.0.0.1:{self.listeners[-1].port}: ", True)
        return after

    async def test_a_certificate_that_has_expired(self) -> None:
        ended = x509.load_pem_x509_certificate((self.folder / "expired.pem").read_bytes()).not_valid_after_utc

        assert await self.refused_certificate("expired") == f"expired since {ended:%Y-%m-%d %H:%M} UTC"
        assert "certificate expired" in await self.told()

    async def test_a_certificate_that_is_not_valid_yet(self) -> None:
        begins = x509.load_pem_x509_certificate((self.folder / "early.pem").read_bytes()).not_valid_before_utc

        assert await self.refused_certificate("early") == f"not valid before {begins:%Y-%m-%d %H:%M} UTC"

    async def test_a_certificate_for_another_host(self) -> None:
        assert await self.refused_certificate("elsewhere") == "it is for smsc.example, not for 127.0.0.1"
        assert (await self.told()).startswith("TLS: ")

    async def test_a_certificate_that_does_not_have_the_name_that_we_look_for(self) -> None:
        said = await self.refused_certificate("server", name="smsc.example")

        assert said == "it is for localhost, 127.0.0.1, not for smsc.example"

    async def test_a_certificate_that_nobody_else_has_signed(self) -> None:
        assert await self.refused_certificate("stranger") == "unknown issuer: stranger has signed it itself"

    async def test_a_certificate_of_an_unknown_issuer_whose_name_steers_no_terminal(self) -> None:
        assert await self.refused_certificate("orphan") == "unknown issuer: Nobody?[2J"

    async def test_a_certificate_whose_authority_has_expired(self) -> None:
        said = await self.refused_certificate("below")

        assert said.startswith("expired since ")
        assert said.endswith(" UTC (the certificate of Middle in its chain)")

    async def test_a_client_whose_certificate_is_not_accepted_is_told_why(self) -> None:
        trusted = self.file("authority")
        address = self.secured(authority=trusted)
        client = Recorder()
        tls = Tls(authority=trusted, certificate=self.file("expired"))

        # In TLS 1.3 the client's handshake is done before the server has seen its certificate.
        await self.connected(Address(address.host, address.port, tls), client)
        await client.until(lambda: client.closed)

        assert "certificate verify failed" in await self.told()
        assert client.closed is not None
        assert "certificate expired" in client.closed.reason

    async def test_a_mistake_in_answering_closes_the_socket_and_the_next_one_is_served(self) -> None:
        mistakes = iter([RuntimeError("a bug of ours")])

        def answering(peer: str) -> tuple[Session, Owner]:
            for mistake in mistakes:
                raise mistake
            return self.server_session, self.server

        self.listeners.append(listen(Address("127.0.0.1", 0, Tls(certificate=self.file("server"))), answering, CLOCK))
        address = Address("127.0.0.1", self.listeners[0].port)
        with capture_logs() as logs:
            reader, writer = await asyncio.open_connection(address.host, address.port)
            assert await reader.read(1) == b""
        writer.close()

        assert [one["event"] for one in logs] == ["connection not taken"]
        assert await self.hello(address, Tls(authority=self.file("authority"))) == ["HELLO"]

    async def test_a_mistake_of_the_owner_when_it_is_opened_closes_the_socket(self) -> None:
        class Failing(Recorder):
            def opened(self, conversation: Conversation) -> None:
                super().opened(conversation)
                raise RuntimeError("a bug of ours")

        self.server = Failing()
        client = Recorder()
        address = self.secured()
        with capture_logs() as logs:
            await self.connected(Address(address.host, address.port, Tls(authority=self.file("authority"))), client)
            await client.until(lambda: client.closed)
            await self.server.until(lambda: self.server.closed)

        assert [one["event"] for one in logs] == ["conversation failed"]
        assert len(self.server.heard_events) == 1
