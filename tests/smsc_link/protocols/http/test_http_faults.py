"""What an operator's server and its callers do wrong: hangs, resets, streams without end, slow heads and bodies."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

from aiohttp import web
from structlog.testing import capture_logs

from core.message import Heard, SubmitAnswer, SubmitOutcome
from smsc_link.protocols.http import outward
from tests.case import AsyncioTestCase
from tests.smsc_link.ends import an_mt
from tests.smsc_link.protocols.http.aggregator import CLOCK, Aggregator, Raw, Rig, an_http_link

REQUEST = b"GET /links/alpha-1?from=79001112233&to=4446&text=GAME&id= HTTP/1.1\r\nHost: x\r\n"
QUICK = {"connect_timeout_s": 0.5}
Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def submit(rig: Rig) -> SubmitAnswer:
    return await rig.link.submit(rig.link.write(an_mt(), reference=1)[0])


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection by RST."""
    end = writer.get_extra_info("socket")
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class OperatorsServer(AsyncioTestCase):
    timeout = 40

    async def outcome(self, does: Behaviour, **values: Any) -> SubmitAnswer:
        async with Raw(does) as raw, Rig(QUICK, port=raw.port, **{"response_timeout_s": 1, **values}) as rig:
            return await submit(rig)

    async def test_a_server_that_hangs(self) -> None:
        async def hangs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await asyncio.Event().wait()

        assert (await self.outcome(hangs)).outcome is SubmitOutcome.UNANSWERED

    async def test_a_server_that_resets_or_closes(self) -> None:
        async def resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            reset(writer)

        async def closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")

        assert (await self.outcome(resets)).outcome is SubmitOutcome.UNANSWERED
        assert (await self.outcome(closes)).outcome is SubmitOutcome.UNANSWERED

    async def test_a_kept_connection_that_turns_out_to_be_closed_is_not_asked_twice(self) -> None:
        """aiohttp would send a GET once more: that would be two messages."""
        asked = 0

        async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal asked
            while True:
                await reader.readuntil(b"\r\n\r\n")
                asked += 1
                if asked == 2:
                    return
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nOK:1")

        async with Raw(once) as raw, Rig(port=raw.port) as rig:
            assert (await submit(rig)).outcome is SubmitOutcome.ACCEPTED
            assert (await submit(rig)).outcome is SubmitOutcome.UNANSWERED
            assert asked == 2

    async def test_a_stream_without_end_a_slow_one_and_no_http_at_all(self) -> None:
        async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                writer.write(b"OK:1" * 4096)
                await writer.drain()

        async def drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            while True:
                writer.write(b"O")
                await asyncio.sleep(0.1)

        async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"\0\1\2\3 no HTTP\r\n\r\n")

        for does in (endless, drips, garbage):
            answer = await self.outcome(does)
            assert answer.outcome is SubmitOutcome.UNANSWERED, does.__name__

    async def test_a_bomb_and_an_answer_that_is_no_json(self) -> None:
        submit_table = {"path": "/x", "answer": {"word": "status", "accepted_words": ["ok"], "id": "id"}}
        async with Rig({"submit": submit_table}) as rig:
            for body, encoding in ((b"<html>", "identity"), (b"\x1f\x8b", "gzip"), (b"[" * 50_000, "identity")):
                said = web.Response(body=body, headers={"Content-Encoding": encoding})
                rig.aggregator.answers = lambda asked, said=said: said
                assert (await submit(rig)).outcome is SubmitOutcome.UNANSWERED, body[:8]

    async def test_nobody_there_closes_the_way_out_at_once_and_it_comes_back(self) -> None:
        async with Rig() as rig:
            port = rig.aggregator.port
            await rig.aggregator.close()

            answer = await submit(rig)

            assert answer.outcome is SubmitOutcome.UNSENT
            assert (rig.link.is_open, rig.link.state, rig.link.room()) == (False, "connecting", 0)
            assert rig.intake.ended[-1] == ("alpha-1", True), "who waits is told, and nothing is in doubt"
            assert (await rig.mo())[0] == 200, "MO go on"

            opened = len(rig.intake.opened)
            await rig.aggregator.open(port)
            await rig.intake.until(lambda: len(rig.intake.opened) > opened)
            assert rig.link.state == "bound"
            assert rig.link.room() == 1, "one request until an answer has come"
            assert (await submit(rig)).outcome is SubmitOutcome.ACCEPTED
            assert rig.link.room() > 1

    async def test_what_waits_hears_that_the_way_is_closed_before_it_hears_that_it_was_not_sent(self) -> None:
        """Else it would be offered to the same link again, and again."""
        async with Rig() as rig:
            await rig.aggregator.close()
            part = rig.link.write(an_mt(), reference=1)[0]
            seen: list[bool] = []
            future = rig.link.submit(part)
            future.add_done_callback(lambda done: seen.append(rig.link.is_open))
            await future
            await asyncio.sleep(0)

            assert seen == [False]

    async def test_several_without_an_answer_close_it_too_with_longer_and_longer_pauses(self) -> None:
        async def resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if await reader.read(10):
                reset(writer)

        async with Raw(resets) as raw, Rig(port=raw.port) as rig:
            for _ in range(outward.SILENT_MAX):
                assert rig.link.is_open
                await submit(rig)
            assert not rig.link.is_open
            pauses = []
            for _ in range(2):
                begun_ms = CLOCK.monotonic_ms()
                opened = len(rig.intake.opened)
                await rig.intake.until(lambda opened=opened: len(rig.intake.opened) > opened)  # type: ignore[misc]
                pauses.append(CLOCK.monotonic_ms() - begun_ms)
                await submit(rig)
                assert not rig.link.is_open, "the first one without an answer closes it again"

            assert pauses[0] < pauses[1] * 2

    async def test_a_stop_does_not_wait_for_an_answer_that_does_not_come(self) -> None:
        async def hangs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await asyncio.Event().wait()

        async with Raw(hangs) as raw, Rig(port=raw.port, response_timeout_s=30) as rig:
            answer = rig.link.submit(rig.link.write(an_mt(), reference=1)[0])
            await asyncio.sleep(0.05)
            begun_ms = CLOCK.monotonic_ms()

            await rig.link.stop(0.2)

            assert (await answer).outcome is SubmitOutcome.UNANSWERED
            assert CLOCK.monotonic_ms() - begun_ms < 2000


class Callers(AsyncioTestCase):
    timeout = 30

    async def test_silent_connections_and_slow_heads_are_cut_and_keep_nobody_out(self) -> None:
        terms = {"idle_s": 0.5, "connections": 20, "connections_per_network": 20}
        async with Rig(terms=terms) as rig:
            slow = [await asyncio.open_connection("127.0.0.1", rig.door.port) for _ in range(30)]
            for _, writer in slow:
                writer.write(REQUEST[:40])

            assert (await rig.mo())[0] == 200

            async with asyncio.timeout(10):
                assert [await reader.read() for reader, _ in slow] == [b""] * 30
            for _, writer in slow:
                writer.close()

    async def test_a_head_that_drips_is_cut(self) -> None:
        async with Rig(terms={"idle_s": 0.5}) as rig:
            reader, writer = await asyncio.open_connection("127.0.0.1", rig.door.port)
            with_end = asyncio.ensure_future(reader.read())
            while not with_end.done():
                try:
                    writer.write(b"X")
                    await asyncio.sleep(0.05)
                except ConnectionError:
                    break
            assert not rig.intake.deliveries

    async def test_a_body_that_does_not_come_is_given_up(self) -> None:
        async with Rig({"mo": {"format": "form"}}, terms={"body_wait_s": 0.3}) as rig:
            reader, writer = await asyncio.open_connection("127.0.0.1", rig.door.port)
            writer.write(b"POST /links/alpha-1 HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nfrom=")

            assert (await reader.readuntil(b"\r\n")) == b"HTTP/1.1 408 Request Timeout\r\n"
            writer.close()

    async def test_a_caller_who_is_gone_before_the_answer_leaves_his_message_in_doubt(self) -> None:
        async with Rig({"mo": {}}, says=None) as rig:
            _, writer = await asyncio.open_connection("127.0.0.1", rig.door.port)
            writer.write(REQUEST + b"\r\n")
            await rig.intake.until(lambda: bool(rig.intake.deliveries))
            [delivery] = rig.intake.deliveries

            reset(writer)
            while not delivery.lost:
                await asyncio.sleep(0.01)

            assert delivery.answer(Heard.TAKEN) is False
            assert rig.intake.ended == [("alpha-1", True)], "that one alone"
            assert rig.intake.never_heard == [], "whom it was answered knows that it was not heard"

    async def test_a_half_closed_caller_counts_as_gone(self) -> None:
        async with Rig({"mo": {}}, says=None) as rig:
            _, writer = await asyncio.open_connection("127.0.0.1", rig.door.port)
            writer.write(REQUEST + b"\r\n")
            await rig.intake.until(lambda: bool(rig.intake.deliveries))
            writer.close()
            while not rig.intake.deliveries[0].lost:
                await asyncio.sleep(0.01)

            assert rig.intake.deliveries[0].answer(Heard.TAKEN) is False

    async def test_nonsense_is_counted_and_a_line_of_the_log_once_and_without_what_was_sent(self) -> None:
        async with Rig({"auth": {"kind": "token", "secret": "t", "header": "X-Key"}}) as rig:
            with capture_logs() as logs:
                for _ in range(20):
                    assert (await rig.mo("my private words"))[0] == 401
                for octets in (b"\x16\x03\x01\x02\0\1\0\1", b"GET / HTTP/9\r\n\r\n", b"\0" * 20 + b"\r\n\r\n"):
                    reader, writer = await asyncio.open_connection("127.0.0.1", rig.door.port)
                    writer.write(octets)
                    await reader.readline()
                    writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", rig.door.port)
                writer.write(b"GET /links/alpha-1?text=" + b"x" * 40_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n")
                assert b" 400 " in await reader.readline()
                writer.close()

            assert [line["event"] for line in logs].count("request refused") == 1
            assert rig.link.counts.refused == 20
            assert "private" not in str(logs)
            assert "xxx" not in str(logs)

    async def test_mutated_requests_are_answered_and_never_more_than_refused(self) -> None:
        random = Random(5)
        async with Rig(terms={"idle_s": 0.3}) as rig:
            whole = REQUEST.replace(b"id=", b"id=%d0%b9") + b"X-A: b\r\n\r\n"
            with capture_logs() as logs:
                for _ in range(300):
                    octets = bytearray(whole)
                    for _ in range(random.choice((1, 1, 2, 4))):
                        octets[random.randrange(len(octets))] = random.randrange(256)
                    reader, writer = await asyncio.open_connection("127.0.0.1", rig.door.port)
                    writer.write(bytes(octets) + b"\r\n\r\n")
                    status = (await reader.readline())[9:12]
                    assert status in (b"", b"200", b"400", b"403", b"404", b"405", b"415", b"431", b"501"), octets
                    writer.close()

            assert not [line for line in logs if line["log_level"] == "error"]
            assert all(one.source and one.destination for one in rig.intake.deliveries)


class OutOfTheWay(AsyncioTestCase):
    timeout = 20

    async def test_a_slow_operator_holds_up_nobody_else(self) -> None:
        go = asyncio.Event()

        async def wait(asked: object) -> web.Response:
            await go.wait()
            return web.Response(text="OK:1")

        async with Rig(window=1, response_timeout_s=10) as rig:
            rig.aggregator.answers = wait
            waiting = asyncio.ensure_future(submit(rig))
            other = Aggregator()
            await other.open()
            second = rig.another(an_http_link(name="alpha-2", id=2, port=other.port))
            second.start()
            while not second.bound_at:
                await asyncio.sleep(0)

            answer = await second.submit(second.write(an_mt(), reference=1)[0])

            assert answer.outcome is SubmitOutcome.ACCEPTED
            assert not waiting.done()
            go.set()
            await waiting
            await second.stop(1)
            await other.close()
