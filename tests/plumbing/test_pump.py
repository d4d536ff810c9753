"""Conversations over real sockets on loopback: IPv4, IPv6, TLS; what leaves together, who waits for whom."""

import asyncio
import socket
import ssl
import tempfile
import warnings
from pathlib import Path

import pytest
from OpenSSL import SSL

from plumbing.clock import SystemClock
from plumbing.conversation import Address, Owner, Tls
from plumbing.pump import Listener, Pump, connect, listen
from plumbing.tls import client_options, server_options
from tests.case import AsyncioTestCase
from tests.plumbing.certificates import write_certificates
from tests.plumbing.talkers import LineSession, Recorder, Said
from wire.session import Session

CLOCK = SystemClock()


class PumpCase(AsyncioTestCase):
    """Listens and connects; all is closed at the end."""

    def setUp(self) -> None:
        self.server = Recorder()
        self.server_session = LineSession()
        self.listeners: list[Listener] = []
        self.pumps: list[Pump] = []

    async def tearDown(self) -> None:
        for pump in self.pumps:
            pump.close()
        for listener in self.listeners:
            await listener.close(abort=True)
        # Twisted tells of a closed socket in a turn of its own, and trial looks for what is left over.
        for _ in range(5):
            await asyncio.sleep(0)

    def listening(self, host: str = "127.0.0.1", tls: Tls | None = None) -> Address:
        def answering(peer: str) -> tuple[Session, Owner]:
            return self.server_session, self.server

        self.listeners.append(listen(Address(host, 0, tls), answering, CLOCK))
        return Address(host, self.listeners[-1].port)

    async def connected(self, address: Address, owner: Recorder, session: LineSession | None = None) -> Pump:
        pump = await connect(address, session or LineSession(), owner, CLOCK)
        self.pumps.append(pump)
        return pump


class OverSockets(PumpCase):
    async def test_a_request_comes_and_its_answer_goes_back(self) -> None:
        client = Recorder()
        pump = await self.connected(self.listening(), client)

        pump.send(Said("hello"))
        await client.until(lambda: client.answers_heard)

        assert client.answers_heard == ["HELLO"]

    async def test_ipv6_works_too(self) -> None:
        client = Recorder()
        address = self.listening("::1")
        pump = await self.connected(address, client)

        pump.send(Said("hello"))
        await client.until(lambda: client.answers_heard)

        assert str(address) == f"[::1]:{address.port}"

    async def test_what_is_said_in_one_turn_of_the_loop_leaves_in_one_write(self) -> None:
        client = Recorder()
        pump = await self.connected(self.listening(), client)
        writes = pump.writes

        for number in range(100):
            pump.send(Said(f"n{number}"))
        await client.until(lambda: len(client.answers_heard) == 100)

        assert pump.writes == writes + 1
        assert self.server.conversation is not None
        assert self.server.conversation.writes == 1

    async def test_the_end_of_the_peer_is_heard_once(self) -> None:
        client = Recorder()
        pump = await self.connected(self.listening(), client)

        pump.close()
        await client.until(lambda: client.closed)
        await self.server.until(lambda: self.server.closed)

        assert len(client.heard_events) == 1
        assert len(self.server.heard_events) == 1

    async def test_a_session_that_ends_closes_its_connection_after_the_last_word(self) -> None:
        client = Recorder()
        pump = await self.connected(self.listening(), client)

        pump.send(Said("BYE"))
        await self.server.until(lambda: self.server.closed)
        await client.until(lambda: client.closed)

        assert client.answers_heard == ["FAREWELL"]

    async def test_nobody_listens(self) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]

        with pytest.raises(ConnectionError, match=f"127.0.0.1:{port}: .*refused"):
            await connect(Address("127.0.0.1", port), LineSession(), Recorder(), CLOCK)

    async def test_a_port_that_is_taken_is_named(self) -> None:
        address = self.listening()

        with pytest.raises(OSError, match=f"127.0.0.1:{address.port}: cannot listen"):
            listen(address, lambda peer: (LineSession(), Recorder()), CLOCK)

    async def test_a_session_is_ticked_at_its_deadline(self) -> None:
        session = LineSession()
        session.deadline = CLOCK.monotonic_ms() + 30
        wanted = session.deadline
        client = Recorder()
        await self.connected(self.listening(), client, session)

        while not session.ticks:
            await asyncio.sleep(0.001)

        assert session.ticks[0] >= wanted - 2

    async def test_an_owner_that_fails_ends_its_connection_only(self) -> None:
        class Failing(Recorder):
            def heard(self, events: list[object]) -> None:
                super().heard(events)
                if self.closed is None:
                    raise RuntimeError("a bug of ours")

        self.server = Failing()
        client = Recorder()
        pump = await self.connected(self.listening(), client)

        pump.send(Said("hello"))
        await client.until(lambda: client.closed)
        await self.server.until(lambda: self.server.closed)

    async def test_a_peer_that_does_not_read_is_not_read_either(self) -> None:
        address = self.listening()
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.connect((address.host, address.port))
        raw.setblocking(False)
        self.addCleanup(raw.close)
        line = b"x" * 1000 + b"\n"
        sent = 0
        quiet = 0
        while quiet < 50:
            try:
                sent += raw.send(line * 50)
                quiet = 0
            except BlockingIOError:
                quiet += 1
            await asyncio.sleep(0.001)

        def taken() -> int:
            return sum(len(event.text) for event in self.server.heard_events if isinstance(event, Said))

        held = taken()
        assert sent > held, "the rest waits in the peer's own buffers"
        while taken() == held:
            try:
                raw.recv(1 << 20)
            except BlockingIOError:
                await asyncio.sleep(0.001)


class OverTls(PumpCase):
    def setUp(self) -> None:
        super().setUp()
        self.folder = Path(tempfile.mkdtemp())
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
        contexts = [
            server_options(own).getContext(),
            server_options(Tls(certificate=self.file("server"), authority=self.file("authority"))).getContext(),
            client_options(Address("localhost", 1, Tls(verify=False)))._context,
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
