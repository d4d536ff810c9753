"""An aggregator in small, over real sockets: it takes our requests, and calls us.

Aggregator   an HTTP server that keeps what it was asked and answers as it is told, and a client of ours
Asked        one request of ours
Raw          a server of plain sockets, for those who do not speak HTTP
Rig          a door, a link behind it, an intake, and an aggregator
sends        an MT over a rig's link, all its parts
an_http_link a link with a mapping: the options of `change` over a plain one
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Self

import aiohttp
from aiohttp import web

from core.catalogue import Link
from core.message import Heard, SubmitAnswer
from plumbing.clock import SystemClock
from plumbing.pump import connect
from smsc_link.keeping import Surroundings
from smsc_link.protocols import PROTOCOLS
from smsc_link.protocols.http import HttpLink
from smsc_link.protocols.http.door import DoorTerms, HttpDoor
from tests.smsc_link.ends import FakeIntake, a_link, an_mt, an_operator
from traffic.ports import Intake, TakeTurns

CLOCK = SystemClock()

SUBMIT: dict[str, Any] = {
    "path": "/send",
    "parameters": {"from": "{source}", "to": "{destination}", "text": "{text}", "ref": "{id}"},
    "answer": {"separator": ":", "word": "0", "accepted_words": ["OK"], "id": "1"},
}
RECEIPT: dict[str, Any] = {"id": "id", "states": {"DELIVRD": "delivered", "UNDELIV": "failed", "ENROUTE": "on_its_way"}}


def an_http_link(change: Mapping[str, Any] | None = None, **values: Any) -> Link:
    """A link that takes MO with an id, sends by a GET, and hears receipts."""
    options: dict[str, Any] = {
        "mo": {"id": "id", "taken": {"body": "OK"}},
        "submit": SUBMIT,
        "receipt": RECEIPT,
        **(change or {}),
    }
    return a_link(protocol="http", options=options, **{"response_timeout_s": 2, **values})


@dataclass(slots=True)
class Asked:
    """One request of ours, as it came."""

    method: str
    path: str
    query: dict[str, str]
    raw_query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Answering = Callable[[Asked], Awaitable[web.StreamResponse] | web.StreamResponse]


@dataclass
class Aggregator:
    """`answers` decides; "OK:m1", "OK:m2" … by default."""

    answers: Answering | None = None
    asked: list[Asked] = field(default_factory=list)
    port: int = 0
    tls: Any = None
    _runner: web.AppRunner | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def open(self, port: int = 0) -> None:
        """Listen."""
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port, ssl_context=self.tls).start()
        self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        """It is gone."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        asked = Asked(request.method, request.path, dict(request.query), request.raw_path.partition("?")[2],
                      dict(request.headers), body)  # fmt: skip
        self.asked.append(asked)
        self._changed.set()
        if self.answers is None:
            return web.Response(text=f"OK:m{len(self.asked)}")
        answer = self.answers(asked)
        return answer if isinstance(answer, web.StreamResponse) else await answer

    async def until(self, count: int) -> None:
        """Until it was asked so often."""
        while len(self.asked) < count:
            self._changed.clear()
            await self._changed.wait()


class Rig:
    """A link with its door and an aggregator. `async with`."""

    def __init__(
        self,
        change: Mapping[str, Any] | None = None,
        *,
        says: Heard | None = Heard.TAKEN,
        terms: Mapping[str, Any] | None = None,
        far_tls: Any = None,
        intake: Intake | None = None,
        turns: TakeTurns | None = None,
        **values: Any,
    ) -> None:
        self.aggregator = Aggregator(tls=far_tls)
        self.intake = FakeIntake(says=says)
        self.door = HttpDoor(DoorTerms(port=0, **(terms or {})))
        self._change, self._values = change, values
        self._given: Intake = intake or self.intake
        self._turns = turns

    async def __aenter__(self) -> Self:
        await self.aggregator.open()
        self.client = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=15))
        self.link = self.another(an_http_link(self._change, **{"port": self.aggregator.port, **self._values}))
        self.link.start()
        while not self.link.bound_at and not self.link.last_error:
            await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.link.stop(1)
        await self.door.close()
        await self.client.close()
        await self.aggregator.close()

    def another(self, link: Link, seed: int = 2) -> HttpLink:
        """One more link behind the door."""
        protocol = PROTOCOLS["http"]
        adapter = protocol.adapter(link, an_operator())
        kept = protocol.keep(
            link, adapter, Surroundings(self._given, connect, CLOCK, Random(seed), self.door, self._turns)
        )
        assert isinstance(kept, HttpLink)
        return kept

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.door.port}/links/{self.link.link.name}"

    async def mo(self, text: str = "GAME 7", **fields: str) -> tuple[int, str]:
        """Deliver an MO; status and body of the answer."""
        given = {"from": "79001112233", "to": "4446", "text": text, "id": "op-1", **fields}
        async with self.client.get(self.url, params=given) as answer:
            return answer.status, await answer.text()

    async def receipt(self, id: str, status: str = "DELIVRD", **fields: str) -> tuple[int, str]:
        """Deliver a receipt."""
        async with self.client.get(f"{self.url}/receipt", params={"id": id, "status": status, **fields}) as answer:
            return answer.status, await answer.text()


async def sends(rig: Rig, text: str = "Thank you", **values: Any) -> list[SubmitAnswer]:
    """An MT, all its parts."""
    return [await rig.link.submit(part) for part in rig.link.write(an_mt(text, **values), reference=7)]


@dataclass
class Raw:
    """A server of plain sockets that does as `does` says with each connection."""

    does: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
    port: int = 0
    _server: asyncio.Server | None = None
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    async def __aenter__(self) -> "Raw":
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self.does(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
