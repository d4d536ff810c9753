"""The HTTP server below the application, on real sockets: nonsense is a problem and no noise; places are shared."""

import asyncio
import json
import logging
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as some
from structlog.testing import capture_logs

from partner_api.http import app
from plumbing import crowd as crowds
from plumbing.crowd import Crowd, ServerLimits
from plumbing.networks import is_this_host
from tests.partner_api.http.api import Answer, Api, ApiCase

BALANCE = b"GET /v1/balance HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer key-of-acme\r\n"


class Nonsense(ApiCase):
    """What is no request is answered as everything else is."""

    async def said_to(self, octets: bytes) -> Answer:
        port = int(self.api.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(octets)
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        first, *lines = head.decode().split("\r\n")
        return Answer(int(first.split()[1]), dict(line.split(": ", 1) for line in lines), body.decode())

    async def test_each_is_a_problem_with_a_sentence_and_one_line_of_the_log_at_most(self) -> None:
        library = self.library_lines()
        for octets, status, word in (
            (b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, "shorter path"),
            (b"GET /v1/balance?" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, "shorter path"),
            (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", 431, "header field"),
            (b"BREW /v1/balance HTTP/1.1\r\nHost: x\r\n\r\n", 405, "use GET or POST"),
            (b"\x00\x01\x02\xff\r\n\r\n", 405, "use GET or POST"),
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "without TLS"),
            (b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", 400, "no HTTP/1.1"),
            (b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400, "no HTTP/1.1"),
            (b"PATCH /v1/balance HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 405, "see Allow"),
            (b"GET /v1/balance HTTP/1.1\r\nHost: x\r\nExpect: tea\r\nConnection: close\r\n\r\n", 417, "Expect"),
        ):
            with capture_logs() as logs:
                answer = await self.said_to(octets)

            assert (answer.status, answer.is_problem) == (status, True), (octets[:40], answer)
            assert word in json.loads(answer.text)["detail"], (octets[:40], answer)
            assert answer.headers["Server"] == "Tollbridge", octets[:40]
            assert status != 405 or answer.headers["Allow"], octets[:40]
            assert [one["log_level"] for one in logs] in ([], ["info"]), (octets[:40], logs)
            assert not any("exc_info" in one or "xxxx" in str(one) for one in logs), logs
        assert library == []

    async def test_a_body_that_is_no_body_behind_its_answer_is_no_traceback(self) -> None:
        self.patch(app, "LINGER_S", 0.1)
        library, hasty = self.library_lines(), Api(self.database)
        await hasty.start()
        port = int(hasty.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with capture_logs() as logs:
            writer.write(b"POST /nowhere HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 404 ")
            writer.write(b"this is no chunk\r\n")
            await reader.read()
            writer.close()
        await hasty.stop()

        assert [one["log_level"] for one in logs] in ([], ["info"]), logs
        assert library == []

    def library_lines(self) -> list[str]:
        """What aiohttp itself logs from now on."""
        lines: list[str] = []

        class Keeps(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                lines.append(record.getMessage())

        logger, keeps = logging.getLogger("aiohttp"), Keeps(logging.INFO)
        logger.addHandler(keeps)
        self.addCleanup(logger.removeHandler, keeps)
        return lines


class Crowding(ApiCase):
    """Places that silence does not keep."""

    async def crowded(self, limits: ServerLimits) -> Api:
        api = Api(self.database, limits=limits)
        await api.start()
        return api

    async def connected(self, api: Api, said: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(api.url.rpartition(":")[2]))
        self.addCleanup(writer.close)
        writer.write(said)
        return reader, writer

    async def test_silent_connections_give_way_the_oldest_first(self) -> None:
        api = await self.crowded(ServerLimits(connections=3))
        half = b"GET /health HTTP/1.1\r\nHost: x\r\nA: b"
        waiting = [await self.connected(api, said) for said in (b"", half, b"")]

        answer = await self.ask("GET", "/health", key="", api=api)

        assert answer.status == 200
        assert await waiting[0][0].read() == b""
        waiting[1][1].write(b"\r\nConnection: close\r\n\r\n")
        assert (await waiting[1][0].read()).startswith(b"HTTP/1.1 200 ")
        await api.stop()

    async def test_who_is_being_answered_is_not_cut_and_the_newest_is_refused(self) -> None:
        api = await self.crowded(ServerLimits(connections=2))
        api.hangs = True
        busy = [
            await self.connected(
                api,
                BALANCE + b"Connection: close\r\n\r\n",
            )
            for _ in range(2)
        ]
        await api.until_asked(2)

        with capture_logs() as logs:
            for _ in range(3):
                assert await self.is_refused(api)

        [told] = logs
        assert (told["event"], told["log_level"], told["connections"]) == ("http connections at a limit", "warning", 2)
        api.release()
        for reader, _ in busy:
            assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
        assert (await self.ask("GET", "/health", key="", api=api)).status == 200
        await api.stop()

    async def is_refused(self, api: Api) -> bool:
        reader, _ = await self.connected(api)
        try:
            return await reader.read() == b""
        except ConnectionError:
            return True


@dataclass(eq=False)
class Guest:
    """A connection without a socket."""

    network: str
    is_idle: bool = True
    is_cut: bool = False

    def cut(self) -> None:
        self.is_cut = True


def test_a_network_at_its_limit_makes_room_among_its_own_and_this_host_has_none() -> None:
    crowd = Crowd(ServerLimits(connections=100, per_network=2))
    others, home = Guest("192.0.2.9"), [Guest("127.0.0.1") for _ in range(20)]
    crowd.enters(others, others.network)
    assert all(crowd.enters(one, one.network) for one in home)
    greedy = [Guest("192.0.2.1") for _ in range(3)]
    for one in greedy:
        assert crowd.enters(one, one.network)

    assert [one.is_cut for one in [*greedy, others, *home]] == [True] + [False] * 23
    greedy[1].is_idle = greedy[2].is_idle = False
    assert not crowd.enters(Guest("192.0.2.1"), "192.0.2.1")
    assert crowd.enters(Guest("192.0.2.2"), "192.0.2.2")


@given(
    moves=some.lists(
        some.tuples(some.booleans(), some.integers(0, 9), some.sampled_from("abc"), some.booleans()), max_size=100
    )
)
def test_no_move_breaks_a_limit_and_only_the_idle_are_cut(moves: list[tuple[bool, int, str, bool]]) -> None:
    limits = ServerLimits(connections=6, per_network=3)
    crowd, inside = Crowd(limits), list[Guest]()
    for comes, which, network, is_idle in moves:
        if comes:
            guest = Guest(network, is_idle)
            if crowd.enters(guest, network):
                inside.append(guest)
            assert all(one.is_idle for one in inside if one.is_cut)
            inside = [one for one in inside if not one.is_cut]
        elif inside:
            crowd.leaves(inside.pop(which % len(inside)))
        assert len(crowd) == len(inside) <= limits.connections
        assert all(sum(one.network == name for one in inside) <= limits.per_network for name in "abc")


def test_a_server_with_few_files_says_how_many_there_are_and_how_to_have_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowds, "raise_files", lambda wanted: 2_000)

    with capture_logs() as logs:
        limits = crowds.find_room(ServerLimits())

    assert (limits.connections, limits.per_network) == (500, 500)
    assert [(one["log_level"], one["descriptors"], one["wanted"]) for one in logs] == [("warning", 2_000, 40_000)]
    assert "LimitNOFILE=40000" in logs[0]["remedy"]


def test_a_door_that_was_asked_for_more_than_its_own_default_says_aloud_that_it_has_fewer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(crowds, "raise_files", lambda wanted: 8_000)
    levels = []
    for asked in (2_000, 5_000):
        with capture_logs() as logs:
            limits = crowds.find_room(ServerLimits(asked + 1), "links", asked + 1 if asked == 2_000 else 2_000)
        assert limits.connections == 2_000
        levels += [(one["event"].rpartition(" ")[0], one["log_level"]) for one in logs]

    assert levels == [("few file descriptors: fewer links", "info"), ("few file descriptors: fewer links", "warning")]


def test_this_host_is_known_by_its_networks() -> None:
    assert [is_this_host(one) for one in ("127.0.0.1", "127.9.9.9", "::/64", "::1")] == [True] * 4
    assert [is_this_host(one) for one in ("192.0.2.1", "2001:db8::/64", "", "x")] == [False] * 4
