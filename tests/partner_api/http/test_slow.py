"""Those who take their time: clients that say nothing or only half, a database that does not answer."""

import asyncio
import time

from partner_api.http import app, bodies
from tests.partner_api.http.api import Api, ApiCase

HEAD = (
    "POST /v1/messages/1/reply HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer key-of-acme\r\n"
    "Content-Type: application/json\r\n"
)


class Slow(ApiCase):
    async def connected(self, api: Api | None = None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        port = int((api or self.api).url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        self.addCleanup(writer.close)
        return reader, writer

    async def test_a_body_that_does_not_arrive_is_408(self) -> None:
        self.patch(bodies, "BODY_WAIT_S", 0.05)
        reader, writer = await self.connected()
        writer.write(f"{HEAD}Content-Length: 100\r\n\r\n".encode() + b'{"text": ')

        head = (await reader.readuntil(b"\r\n\r\n")).decode()

        assert head.startswith("HTTP/1.1 408 ")
        assert "Content-Type: application/problem+json" in head
        assert self.api.effects == 0

    async def test_a_body_that_breaks_off_has_no_effect(self) -> None:
        reader, writer = await self.connected()
        writer.write(f"{HEAD}Content-Length: 100\r\n\r\n".encode() + b'{"text": "Hello"}')
        writer.write_eof()

        assert not (await reader.read(100)).startswith(b"HTTP/1.1 5")
        assert self.api.effects == 0

    async def test_a_body_without_an_end_is_413_when_it_is_too_long(self) -> None:
        reader, writer = await self.connected()
        writer.write(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode())
        for _ in range(app.BODY_MAX // 1024 + 1):
            writer.write(b"400\r\n" + b" " * 1024 + b"\r\n")

        assert (await reader.readline()).startswith(b"HTTP/1.1 413 ")

    async def test_a_connection_that_says_nothing_or_half_a_head_is_closed(self) -> None:
        self.patch(app, "KEEP_ALIVE_S", 0.1)
        hasty = Api(self.database)
        await hasty.start()
        for said in (b"", b"GET /health HTTP/1.1\r\nHost: x\r\nA: b"):
            reader, writer = await self.connected(hasty)
            writer.write(said)

            assert await asyncio.wait_for(reader.read(100), 5) == b"", said
        await hasty.stop()

    async def test_a_database_that_does_not_answer_is_503_in_time(self) -> None:
        self.patch(app, "ANSWER_WAIT_S", 0.05)
        self.api.hangs = True
        began = time.monotonic()

        answer = await self.ask("GET", "/v1/balance")

        assert (answer.status, answer.is_problem, answer.headers["Retry-After"]) == (503, True, "5")
        assert time.monotonic() - began < 5
