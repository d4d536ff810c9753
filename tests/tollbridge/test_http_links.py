"""The examples of conf/ for operators that speak HTTP, each driven end to end: the real service, an aggregator, a
partner, all over real sockets. MO → partner → reply → receipt; an answer that got lost; what is charged.
"""

import asyncio
import hashlib
import hmac
import json
import signal
import socket
import time
import tomllib
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import aiohttp
import pytest
import sqlalchemy as sa
from aiohttp import web

from store.database import connect
from store.schema import Mo, Mt
from tests.partners import Partner, answers
from tests.ports import free_port
from tests.smsc_link.protocols.http.aggregator import Aggregator
from tests.tollbridge.shell import within, write_config
from tests.tollbridge.test_cli_run import a_database, running

ANNA = "79001112233"
CONF = Path("conf").resolve()
EXAMPLES = ("http-query", "http-kannel", "http-json")
ACCEPTED = "0: Accepted for delivery"


class Place:
    """The service with one of the examples, its aggregator and its partner."""

    def __init__(self, folder: Path, example: str) -> None:
        self.folder = folder
        self.example = example
        self.listens = free_port()
        self.api = write_config(folder, f'[links]\nhttp_listen = "127.0.0.1:{self.listens}"\n')
        self.aggregator = Aggregator()
        self.texts: list[str] = []
        a_database(folder)

    @property
    def url(self) -> str:
        link = tomllib.loads((CONF / f"{self.example}.toml").read_text())["link"][0]["name"]
        return f"http://127.0.0.1:{self.listens}/links/{link}"

    async def play(self, story: Callable[["Place", aiohttp.ClientSession], Awaitable[None]], partner: Partner) -> None:
        """The story, while the service runs; it ends well."""
        await self.aggregator.open()
        async with partner, aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as client:
            self.load(partner)
            with running(self.folder, self.api) as process:
                await self.bound(client)
                await story(self, client)
                process.send_signal(signal.SIGTERM)
                assert await asyncio.to_thread(process.wait, 40) == 0
        await self.aggregator.close()
        checked = within("check", cwd=self.folder)
        assert checked.returncode == 0, checked.stdout

    def load(self, partner: Partner) -> None:
        """The example with the aggregator and the partner of this test."""
        text = (CONF / f"{self.example}.toml").read_text()
        for before, after in (
            ('host = "sms.alpha.example"', 'host = "127.0.0.1"'),
            ('host = "api.alpha.example"', 'host = "127.0.0.1"'),
            ("port = 443\n", f"port = {self.aggregator.port}\n"),
            ("port = 13013\n", f"port = {self.aggregator.port}\n"),
            ("tls = true", "tls = false"),
            ("http://127.0.0.1:8082", f"http://127.0.0.1:{self.listens}"),
            ("http://127.0.0.1:9000/mo", partner.url),
        ):
            text = text.replace(before, after)
        (self.folder / "all.toml").write_text(text)
        loaded = within("load", "all.toml", "--config", "tollbridge.toml", cwd=self.folder)
        assert loaded.returncode == 0, loaded.stderr
        assert "stays disabled" not in loaded.stdout

    async def bound(self, client: aiohttp.ClientSession) -> None:
        async with asyncio.timeout(20):
            while set((await self.health(client)).values()) != {"bound"}:
                await asyncio.sleep(0.05)

    async def health(self, client: aiohttp.ClientSession) -> dict[str, str]:
        """The states of the links."""
        async with client.get(f"http://127.0.0.1:{self.api}/health") as answer:
            links: dict[str, str] = (await answer.json())["links"]
            return links

    def rows(self, table: type[Any]) -> list[Any]:
        """Rows of the service's database."""
        database = connect(f"sqlite:///{self.folder}/var/tollbridge.db")
        try:
            with database.read() as connection:
                return list(connection.execute(sa.select(table.__table__)).all())
        finally:
            database.close()

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not await asyncio.to_thread(holds):
                await asyncio.sleep(0.05)

    def life(self, number: str = ANNA) -> dict[str, Any]:
        """Of the one message of a subscriber."""
        listed = json.loads(within("message", "--msisdn", number, "--json", cwd=self.folder).stdout)
        told = within("message", str(listed[0]["id"]), "--full-numbers", "--json", cwd=self.folder)
        found: dict[str, Any] = json.loads(told.stdout)
        return found


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_loaded_as_it_stands_and_dumped_and_loaded_again(example: str, tmp_path: Path) -> None:
    write_config(tmp_path)
    a_database(tmp_path)
    loaded = within("load", str(CONF / f"{example}.toml"), "--config", "tollbridge.toml", cwd=tmp_path)
    dumped = within("dump", "--config", "tollbridge.toml", cwd=tmp_path)
    (tmp_path / "dump.toml").write_text(dumped.stdout)
    again = within("load", "dump.toml", "--config", "tollbridge.toml", cwd=tmp_path)
    twice = within("load", str(CONF / f"{example}.toml"), "--config", "tollbridge.toml", cwd=tmp_path)

    assert loaded.returncode == 0, loaded.stderr
    assert "stays disabled" not in loaded.stdout
    assert "nothing changed" in again.stdout, again.stdout + again.stderr
    assert "nothing changed" in twice.stdout, twice.stdout
    assert "key of theirs" not in dumped.stdout
    assert b"key of theirs" not in (tmp_path / "var/tollbridge.db").read_bytes()


def test_shape_1_a_get_with_the_reply_in_its_answer(tmp_path: Path) -> None:
    async def story(place: Place, client: aiohttp.ClientSession) -> None:
        fields = {"msisdn": ANNA, "sn": "4446", "msg": "GAME 7", "smsid": "918273"}
        async with client.get(place.url, params=fields) as answer:
            assert (answer.status, await answer.text()) == (200, "Спасибо: 7")
        # What came again, because the answer had been lost, is answered and charged no second time.
        async with client.get(place.url, params=fields) as answer:
            assert (answer.status, await answer.text()) == (200, "Спасибо: 7")
        async with client.get(place.url, params={**fields, "msisdn": ""}) as answer:
            assert await answer.text() == "ERROR msisdn is no number of 1 to 20 characters; send one"
        await place.until(lambda: [row.state for row in place.rows(Mt)] == [2])

    place = Place(tmp_path, "http-query")
    asyncio.run(place.play(story, Partner(answers("Спасибо: 7"))))

    life = place.life()
    assert len(place.rows(Mo)) == 1
    assert life["mo"]["operator_key"] == "918273"
    assert not place.aggregator.asked
    log = (tmp_path / "run.log").read_text()
    assert "GAME 7" not in log
    assert ANNA not in log


def test_shape_2_kannel(tmp_path: Path) -> None:
    async def story(place: Place, client: aiohttp.ClientSession) -> None:
        place.aggregator.answers = lambda asked: web.Response(status=202, text=ACCEPTED)
        fields = {"id": "5f2c-11", "from": f"+{ANNA}", "to": "4446", "text": "GAME Привет"}
        async with client.get(place.url, params=fields) as answer:
            assert (answer.status, await answer.text()) == (200, "")
        async with asyncio.timeout(20):
            await place.aggregator.until(1)
        [asked] = place.aggregator.asked
        assert asked.path == "/cgi-bin/sendsms"
        assert {name: asked.query[name] for name in ("from", "to", "text", "coding", "username", "password")} == {
            "from": "4446", "to": ANNA, "text": "Ответ & more", "coding": "2", "username": "tollbridge",
            "password": "secret of sendsms",
        }  # fmt: skip
        assert asked.query["charset"] == "UTF-8"
        # Kannel fills in %d and %A, and calls.
        for code in ("8", "1"):
            url = asked.query["dlr-url"].replace("%d", code).replace("%A", "stat%3ADELIVRD")
            async with client.get(url) as answer:
                assert answer.status == 200
        await place.until(lambda: [row.state for row in place.rows(Mt)] == [3])

    place = Place(tmp_path, "http-kannel")
    asyncio.run(place.play(story, Partner(answers("Ответ & more"))))

    assert place.life()["mo"]["reply"]["state"] == "delivered"
    assert "secret of sendsms" not in (tmp_path / "run.log").read_text()


def test_shape_3_json_both_ways(tmp_path: Path) -> None:
    async def story(place: Place, client: aiohttp.ClientSession) -> None:
        place.aggregator.answers = lambda asked: web.json_response({"messages": [{"id": "b7-C", "status": "QUEUED"}]})

        async def post(content: Any, tail: str = "", key: bytes = b"key of theirs") -> tuple[int, Any]:
            body, now = json.dumps(content).encode(), str(int(time.time()))
            digest = hmac.new(key, now.encode() + b"." + body, hashlib.sha256).hexdigest()
            headers = {"X-Timestamp": now, "X-Signature": f"sha256={digest}", "Content-Type": "application/json"}
            async with client.post(place.url + tail, data=body, headers=headers) as answer:
                return answer.status, await answer.json(content_type=None) if answer.status != 401 else None

        mo = {"message": {"id": "5f2c", "from": f"+{ANNA}", "to": "4446", "text": "GAME 7"}}
        assert await post(mo, key=b"another") == (401, None)
        assert await post(mo) == (200, {"status": "accepted"})
        assert await post(mo) == (200, {"status": "accepted"})
        assert (await post({"message": {"id": "x"}}))[1]["status"] == "refused"
        async with asyncio.timeout(20):
            await place.aggregator.until(1)
        [asked] = place.aggregator.asked
        assert asked.headers["Authorization"] == "Bearer token of ours"
        [message] = asked.json["messages"]
        assert (message["to"], message["text"], message["report"]) == (f"+{ANNA}", 'She said "7"', True)
        # A receipt may come before the service knows the id: then it waits for it.
        events = [{"id": "B7-c", "state": "DELIVRD", "error": "000"}, {"id": "unknown", "state": "EXPIRED"}]
        assert await post({"events": events}, "/receipt") == (200, {"status": "ok"})
        await place.until(lambda: [row.state for row in place.rows(Mt)] == [3])

    place = Place(tmp_path, "http-json")
    asyncio.run(place.play(story, Partner(answers('She said "7"'))))

    assert len(place.rows(Mo)) == 1
    assert place.life()["mo"]["reply"]["state"] == "delivered"
    log = (tmp_path / "run.log").read_text()
    assert "key of theirs" not in log
    assert "token of ours" not in log


def test_an_answer_that_got_lost_is_charged_once_and_the_same_text_in_good_health_twice(tmp_path: Path) -> None:
    """Without an id of the operator: the caller is gone before his answer, and delivers again."""
    text = (
        (CONF / "http-query.toml").read_text().replace('    id = "smsid"\n', "").replace("hold_s = 8", "hold_s = 0.2")
    )

    async def cut(place: Place, path: str) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", place.listens)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    async def story(place: Place, client: aiohttp.ClientSession) -> None:
        for number in range(5):
            path = f"{place.url}?msisdn=7900111220{number}&sn=4446&msg=GAME+{number}"
            await cut(place, path.partition(str(place.listens))[2])
            await place.until(partial(_has, place, number + 1))
            async with client.get(path) as answer:
                assert answer.status == 200
        assert len(place.rows(Mo)) == 5, "a redelivery was charged"
        path = f"{place.url}?msisdn=79001112299&sn=4446&msg=GAME+vote"
        for _ in range(2):
            async with client.get(path) as answer:
                assert answer.status == 200
        assert len(place.rows(Mo)) == 7, "two votes are two"

    place = Place(tmp_path, "http-query")
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/http-query.toml").write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"{__name__}.CONF", tmp_path / "conf")
        asyncio.run(place.play(story, Partner(answers("thank you"))))


def test_a_reply_goes_over_another_link_of_the_operator_when_its_own_has_nobody_there(tmp_path: Path) -> None:
    text = (CONF / "http-kannel.toml").read_text()
    link = text[text.index("[[link]]") : text.index("[[short_code]]")]
    second = free_port()
    another = link.replace("alpha-kannel", "alpha-two").replace("port = 13013", f"port = {second}")

    async def story(place: Place, client: aiohttp.ClientSession) -> None:
        other = Aggregator(answers=lambda asked: web.Response(status=202, text=ACCEPTED))
        await other.open(second)
        port = place.aggregator.port
        await place.aggregator.close()

        begun = time.monotonic()
        async with client.get(place.url, params={"id": "1", "from": ANNA, "to": "4446", "text": "GAME 1"}) as answer:
            assert answer.status == 200
        async with asyncio.timeout(20):
            await other.until(1)
        assert time.monotonic() - begun < 1
        assert (await place.health(client))["alpha-kannel"] == "connecting"

        await place.aggregator.open(port)
        await place.bound(client)
        await other.close()

    place = Place(tmp_path, "http-kannel")
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/http-kannel.toml").write_text(text + another)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"{__name__}.CONF", tmp_path / "conf")
        asyncio.run(place.play(story, Partner(answers("thank you"))))


JSON_ID = '    id = "message.id"\n'
Signed: TypeAlias = tuple[bytes, dict[str, str]]


def written(text: str, second: int) -> Signed:
    """A request of shape 3 without an id, signed in that second."""
    body = json.dumps({"message": {"from": ANNA, "to": "4446", "text": text}}).encode()
    signed = str(second)
    digest = hmac.new(b"key of theirs", signed.encode() + b"." + body, hashlib.sha256).hexdigest()
    return body, {"X-Timestamp": signed, "X-Signature": f"sha256={digest}"}


async def post(place: Place, client: aiohttp.ClientSession, request: Signed) -> None:
    """As operators do: what is put off is sent again."""
    status = 503
    while status == 503:
        async with client.post(place.url, data=request[0], headers=request[1]) as answer:
            status, said = answer.status, await answer.json(content_type=None)
    assert (status, said) == (200, {"status": "accepted"})


def cut(place: Place, request: Signed) -> None:
    """Send it, and be gone before its answer."""
    body, headers = request
    lines = [f"POST {place.url.partition(str(place.listens))[2]} HTTP/1.1", "Host: x"]
    lines += [f"{name}: {value}" for name, value in {**headers, "Content-Length": str(len(body))}.items()]
    with socket.create_connection(("127.0.0.1", place.listens)) as caller:
        # The request and the end of the connection leave together.
        caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        caller.sendall("\r\n".join([*lines, "", ""]).encode() + body)


def test_a_signed_request_that_comes_again_is_charged_once_with_or_without_a_lost_answer(tmp_path: Path) -> None:
    """Without an id of the operator: by its signature, and by its content where it is signed anew."""

    async def story(place: Place, client: aiohttp.ClientSession) -> None:
        # Not by a clock that goes on: two seconds that are told apart may come to be one.
        now = int(time.time())
        seen = written("GAME 1", now)
        for _ in range(3):
            await post(place, client, seen)
        assert len(place.rows(Mo)) == 1, "who saw it makes no second one of it"
        await post(place, client, written("GAME 1", now - 1))
        assert len(place.rows(Mo)) == 2, "the same text at another time is another message"

        lost = written("GAME 2", now)
        cut(place, lost)
        await place.until(partial(_has, place, 3))
        for _ in range(3):
            await post(place, client, lost)
        assert len(place.rows(Mo)) == 3, "a redelivery was charged"
        await post(place, client, written("GAME 2", now - 1))
        assert len(place.rows(Mo)) == 4, "the doubt about the first was used up by its redelivery"

        cut(place, written("GAME 3", now - 2))
        await place.until(partial(_has, place, 5))
        await post(place, client, written("GAME 3", now - 1))
        assert len(place.rows(Mo)) == 5, "a redelivery that is signed anew is known by its content"

    place = Place(tmp_path, "http-json")
    place.aggregator.answers = lambda asked: web.json_response({"messages": [{"id": "b7", "status": "QUEUED"}]})
    text = (CONF / "http-json.toml").read_text()
    assert JSON_ID in text
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/http-json.toml").write_text(text.replace(JSON_ID, ""))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"{__name__}.CONF", tmp_path / "conf")
        asyncio.run(place.play(story, Partner(answers("thank you"))))


def _has(place: Place, messages: int) -> bool:
    return len(place.rows(Mo)) == messages
