"""Test partners: real HTTP end points on real sockets, sound and unsound.

Partner       listens on 127.0.0.1; keeps what it heard, octet by octet; answers as it is told
Heard         one request as it came over the wire
answers …     how a partner may behave: sound answers, then every way to misbehave
a_service, a_callback   what calls it

Rule: a partner never fails a test by itself; what it heard is for the test to judge.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from core.catalogue import Service
from core.message import Callback

MiB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Heard:
    """A request: its line and headers as they came, its body."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def method(self) -> str:
        return self.line.split(" ")[0]

    @property
    def target(self) -> str:
        """Path and query, raw."""
        return self.line.split(" ")[1]

    @property
    def query(self) -> str:
        """Everything behind the first question mark, raw."""
        return self.target.partition("?")[2]

    @property
    def signed(self) -> bytes:
        """What the signature is over: the raw query of a GET, the raw body of a POST."""
        return self.query.encode() if self.method == "GET" else self.body


Behaviour: TypeAlias = Callable[[Heard, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Partner:
    """A partner's end point. `async with Partner(behaviour) as partner: partner.url`."""

    behaviour: Behaviour
    heard: list[Heard] = field(default_factory=list)
    connections: int = 0
    sent: int = 0
    """Octets that an endless body got rid of."""
    port: int = 0
    _server: asyncio.Server | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/mo"

    async def __aenter__(self) -> "Partner":
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        self.connections += 1
        try:
            while True:
                heard = await _read(reader)
                self.heard.append(heard)
                await self.behaviour(heard, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            self._writers.discard(writer)
            self._tasks.discard(task)


async def _read(reader: asyncio.StreamReader) -> Heard:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *fields = head[:-4].split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in fields)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Heard(line, headers, body)


def response(status: int, body: bytes = b"", content_type: str = "text/plain; charset=utf-8", *more: str) -> bytes:
    """An HTTP response, whole."""
    fields = [f"HTTP/1.1 {status} Any", f"Content-Length: {len(body)}", *more]
    if content_type:
        fields.append(f"Content-Type: {content_type}")
    return ("\r\n".join(fields) + "\r\n\r\n").encode("latin-1") + body


# --- Sound ---------------------------------------------------------------------------------------


def says(octets: bytes) -> Behaviour:
    """These octets, whatever is asked."""

    async def behave(heard: Heard, writer: asyncio.StreamWriter) -> None:
        writer.write(octets)
        await writer.drain()

    return behave


def answers(
    text: str = "", status: int = 200, content_type: str = "text/plain; charset=utf-8", *more: str
) -> Behaviour:
    """One sound answer, always."""
    return says(response(status, text.encode(), content_type, *more))


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """One after the other, the last for ever: 500 for a while, then 200."""
    left = list(behaviours)

    async def behave(heard: Heard, writer: asyncio.StreamWriter) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(heard, writer)

    return behave


def in_chunks(*chunks: bytes) -> Behaviour:
    """A sound answer with a chunked body."""
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    return says(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n" + body)


def until_close(body: bytes) -> Behaviour:
    """A sound answer whose end is the end of the connection."""

    async def behave(heard: Heard, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n" + body)
        writer.close()

    return behave


# --- Unsound -------------------------------------------------------------------------------------


async def hangs(heard: Heard, writer: asyncio.StreamWriter) -> None:
    """Nothing, for ever."""
    await asyncio.Event().wait()


async def hangs_in_the_body(heard: Heard, writer: asyncio.StreamWriter) -> None:
    """The head and half of the body, then nothing."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\nhalf")
    await asyncio.Event().wait()


async def resets(heard: Heard, writer: asyncio.StreamWriter) -> None:
    """TCP reset instead of an answer."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    writer.transport.abort()


async def closes(heard: Heard, writer: asyncio.StreamWriter) -> None:
    """The end of the connection instead of an answer."""
    writer.close()
    await writer.wait_closed()


async def drips(heard: Heard, writer: asyncio.StreamWriter) -> None:
    """One octet after the other: never silent for long, never done."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.01)


def endless(partner_of: Callable[[], Partner], *, content_length: bool = False) -> Behaviour:
    """A body without end, as fast as it goes; up to 64 MiB, so that a test that fails ends too."""

    async def behave(heard: Heard, writer: asyncio.StreamWriter) -> None:
        length = b"Content-Length: 1000000000\r\n" if content_length else b"Connection: close\r\n"
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n" + length + b"\r\n")
        while partner_of().sent < 64 * MiB:
            writer.write(b"x" * 65536)
            await writer.drain()
            partner_of().sent += 65536

    return behave


async def lies_about_its_length(heard: Heard, writer: asyncio.StreamWriter) -> None:
    """Fewer octets than Content-Length says, then the end."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\nonly this")
    writer.close()


def redirects(to: str, status: int = 302) -> Behaviour:
    """Elsewhere."""
    return answers("moved", status, "text/plain", f"Location: {to}")


async def sends_huge_headers(heard: Heard, writer: asyncio.StreamWriter) -> None:
    """A head without end."""
    writer.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(100_000):
        writer.write(b"X-Filler-%d: %b\r\n" % (number, b"y" * 1000))
        await writer.drain()


sends_garbage = says(b"\x00\x01\x02 this is not HTTP at all \xff\xfe\r\n\r\n")


# --- Who calls -----------------------------------------------------------------------------------


def a_service(url: str, *, method: str = "http_get", secret: str = "s3cret", mode: str = "sync") -> Service:
    """A partner's service that is called at a url."""
    return Service(id=7, partner="acme", name="game", method=method, url=url, secret=secret, mode=mode)


def a_callback(
    url: str, *, text: str = "GAME 7", body: str = "7", secret: str = "s3cret", attempt: int = 1
) -> Callback:
    """A call about one MO to a url."""
    return Callback(
        mo_id=884321890123776,
        partner_id=3,
        partner="acme",
        service=a_service(url, secret=secret),
        attempt=attempt,
        source="79001112233",
        short_code="4446",
        prefix="GAME",
        text=text,
        body=body,
        operator="alpha",
        country="RU",
        price=12_000_000,
        share=3_000_000,
        currency="RUB",
        accepted_at=1_795_507_865_700,
        parts=1,
    )
