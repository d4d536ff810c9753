"""The HTTP server below both doors, on real sockets; what each door says itself is tested with the door."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from structlog.testing import capture_logs

from plumbing.crowd import ServerLimits
from plumbing.http_server import HttpRunner, HttpTerms
from tests.case import AsyncioTestCase


def refusal(status: int, mistake: HttpProcessingError | None) -> web.Response:
    return web.Response(status=503 if mistake is None else 418, text="no")


class Served(AsyncioTestCase):
    timeout = 20

    @asynccontextmanager
    async def opened(self, *, connections: int = 10, idle_s: float | None = None) -> AsyncIterator[int]:
        async def answer(request: web.Request) -> web.Response:
            self.is_asked.set()
            await self.may_answer.wait()
            return web.Response(text="yes")

        async def fail(request: web.Request) -> web.Response:
            raise RuntimeError("a mistake")

        self.is_asked, self.may_answer = asyncio.Event(), asyncio.Event()
        app = web.Application()
        app.router.add_get("/", answer)
        app.router.add_get("/mistake", fail)
        terms = HttpTerms("side", ServerLimits(connections), refusal, 1_000, 1_000, idle_s=idle_s)
        runner = HttpRunner(app, terms, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield runner.addresses[0][1]
        finally:
            await runner.cleanup()

    async def said(self, port: int, octets: bytes) -> asyncio.StreamReader:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        self.addCleanup(writer.close)
        writer.write(octets)
        return reader

    async def test_who_says_nothing_is_cut_and_who_waits_for_an_answer_is_not(self) -> None:
        async with self.opened(idle_s=0.2) as port:
            busy = await self.said(port, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            await self.is_asked.wait()
            for half in (b"", b"GET / HTTP/1.1\r\nA: b"):
                assert await (await self.said(port, half)).read() == b""
            self.may_answer.set()

            assert (await busy.read()).startswith(b"HTTP/1.1 200 ")

    async def test_without_a_limit_silence_only_makes_room(self) -> None:
        async with self.opened(connections=2) as port:
            first, second = await self.said(port, b""), await self.said(port, b"")
            third = await self.said(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await self.is_asked.wait()

            assert await first.read() == b""
            assert not second.at_eof()
            self.may_answer.set()
            assert (await third.readline()).startswith(b"HTTP/1.1 200 ")

    async def test_nonsense_and_mistakes_are_answered_by_the_doors_own_words(self) -> None:
        async with self.opened() as port:
            for octets, status, level in (
                (b"\x00\x01\r\n\r\n", b"418", "info"),
                (b"GET /" + b"x" * 2_000 + b" HTTP/1.1\r\n\r\n", b"418", "info"),
                (b"GET /mistake HTTP/1.1\r\nHost: x\r\n\r\n", b"503", "error"),
            ):
                with capture_logs() as logs:
                    answer = await (await self.said(port, octets)).read()

                assert answer.split()[1] == status, octets[:20]
                assert b"Server: Tollbridge" in answer
                assert [(one["door"], one["log_level"]) for one in logs] == [("side", level)], logs
                assert "xxxx" not in str(logs)

    async def test_a_full_house_is_said_once_by_the_doors_name(self) -> None:
        async with self.opened(connections=1) as port:
            busy = await self.said(port, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            await self.is_asked.wait()
            with capture_logs() as logs:
                for _ in range(3):
                    try:
                        assert await (await self.said(port, b"")).read() == b""
                    except ConnectionError:
                        pass

            assert [(one["event"], one["door"]) for one in logs] == [("http connections at a limit", "side")]
            self.may_answer.set()
            assert (await busy.read()).startswith(b"HTTP/1.1 200 ")
