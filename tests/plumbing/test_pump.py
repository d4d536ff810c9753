"""Conversations over real sockets on loopback: IPv4, IPv6; what leaves together, who waits for whom."""

import asyncio
import socket

import pytest

from plumbing.conversation import Address
from plumbing.pump import connect, listen
from tests.plumbing.pump_case import CLOCK, PumpCase
from tests.plumbing.talkers import LineSession, Recorder, Said


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

    async def test_it_knows_both_ends(self) -> None:
        address = self.listening()
        owner = Recorder()
        pump = await self.connected(address, owner)

        ours, theirs = pump.ends

        assert (ours[0], theirs) == ("127.0.0.1", ("127.0.0.1", address.port))
        assert ours[1] not in (0, address.port)

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
