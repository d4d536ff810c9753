"""TCP between two of them: what goes through can be cut, swallowed, added to.

Proxy      listens at `port`, connects to `target`; `up` and `down` are the gates that octets pass
Passage    one connection: what has passed so far
gates      open_gate, swallow, cut_after, cut_at

Rule: a cut is a reset in both directions at once, as of a cable or a firewall; what passed before it has passed.
Whether the client has read it nobody knows; where it was hung up on, it has.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import TypeAlias

_CHUNK = 65536
_NO_LINGER = struct.pack("ii", 1, 0)


@dataclass(eq=False, slots=True)
class Passage:
    """A connection through the proxy."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    up: int = 0
    """Octets that went from the client to the server."""
    budget: int = -1
    """For gates that cut: how many may go up."""
    armed: bool = False
    is_cut: bool = False
    """Nothing passes any more: an answer to the last octets must not slip through before the reset."""
    is_hung_up: bool = False

    def reset(self) -> None:
        """End both sides with a RST."""
        for writer in (self.client, self.server):
            _reset(writer)

    def hang_up(self) -> None:
        """End it as a server does that goes: what has passed arrives, and then its end; nothing passes any more."""
        if not self.is_cut:
            self.is_cut = self.is_hung_up = True
            self.client.write_eof()
            _reset(self.server)


def _reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    if sock is not None:  # Closed already, it has none any more.
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    writer.transport.abort()


class Cut(Exception):
    """Pass `last`, then cut."""

    def __init__(self, last: bytes) -> None:
        super().__init__("cut")
        self.last = last


Gate: TypeAlias = Callable[[Passage, bytes], bytes]
"""What of these octets goes on; raises Cut."""


def open_gate(passage: Passage, octets: bytes) -> bytes:
    """All of it."""
    return octets


def swallow(passage: Passage, octets: bytes) -> bytes:
    """Nothing: the other side hears silence, and its connection is up."""
    return b""


def cut_after(random: Random, most: int) -> Gate:
    """Cut after a random number of octets of each connection, in the middle of whatever they are."""

    def gate(passage: Passage, octets: bytes) -> bytes:
        if passage.budget < 0:
            passage.budget = random.randrange(1, most)
        left = passage.budget - passage.up
        if len(octets) >= left:
            raise Cut(octets[:left])
        return octets

    return gate


def cut_at(word: bytes, *, behind: bytes, passes: bool) -> Gate:
    """Cut once, where `word` goes by on a connection where `behind` did before. `passes`: the other side still gets it,
    and only its answer is lost."""
    is_done = False

    def gate(passage: Passage, octets: bytes) -> bytes:
        nonlocal is_done
        passage.armed = passage.armed or behind in octets
        if passage.armed and word in octets:
            passage.armed = False
            if not is_done:
                is_done = True
                raise Cut(octets if passes else b"")
        return octets

    return gate


@dataclass
class Proxy:
    """`await proxy.open()`, `await proxy.close()`."""

    target: int
    up: Gate = open_gate
    down: Gate = open_gate
    refuses: bool = False
    """Who connects is cut off at once."""
    port: int = 0
    cuts: int = 0
    connections: int = 0
    passages: set[Passage] = field(default_factory=set)
    _server: asyncio.Server | None = None
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    async def open(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Cut everything and stop listening."""
        assert self._server is not None
        self._server.close()
        self.reset()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def reset(self) -> None:
        """Cut what is connected now."""
        for passage in list(self.passages):
            passage.reset()

    def hang_up(self) -> None:
        """End what is connected now, so that all that has passed arrives."""
        for passage in list(self.passages):
            passage.hang_up()

    def inject(self, octets: bytes) -> None:
        """Write these to every client, as if the server had."""
        for passage in self.passages:
            passage.client.write(octets)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            if self.refuses:
                raise ConnectionRefusedError
            their_reader, their_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            self._tasks.discard(task)
            return
        passage = Passage(writer, their_writer)
        self.passages.add(passage)
        up = asyncio.ensure_future(self._pass(reader, their_writer, passage, upward=True))
        down = asyncio.ensure_future(self._pass(their_reader, writer, passage, upward=False))
        try:
            await asyncio.wait([up, down], return_when=asyncio.FIRST_COMPLETED)
            if passage.is_hung_up:
                # Closed before the client has read all, our socket would take back what has passed.
                await asyncio.wait([up])
        finally:
            up.cancel()
            down.cancel()
            await asyncio.gather(up, down, return_exceptions=True)
            writer.close()
            their_writer.close()
            self.passages.discard(passage)
            self._tasks.discard(task)

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, passage: Passage, *, upward: bool
    ) -> None:
        try:
            while octets := await reader.read(_CHUNK):
                if passage.is_cut:
                    continue
                passed = (self.up if upward else self.down)(passage, octets)
                if upward:
                    passage.up += len(passed)
                if passed:
                    writer.write(passed)
                    await writer.drain()
        except Cut as cut:
            passage.is_cut = True
            self.cuts += 1
            writer.write(cut.last)
            if cut.last:
                await _has_left(writer)
            passage.reset()
        except OSError:
            pass


async def _has_left(writer: asyncio.StreamWriter) -> None:
    """What was written is in the kernel; a reset would throw away what is not. The peer reads it before the RST."""
    while writer.transport.get_write_buffer_size():
        await asyncio.sleep(0)
    await asyncio.sleep(0.002)
