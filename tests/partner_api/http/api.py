"""The partner API on a real socket over a real database, and who asks it.

Api        build_app over a SQLite file with the rows of tests.partner_api.rows, listening on 127.0.0.1
ApiCase    a test case with one of them; `ask` is a request of acme's unless told otherwise

The reply port stands in for traffic.submit: it writes the MT and what is to be remembered in one transaction.
"""

import asyncio
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import sqlalchemy as sa
from aiohttp import web
from multidict import CIMultiDict

from core.catalogue import Catalogue, Partner
from core.errors import StoreAway
from partner_api.http.app import build_app, build_runner
from partner_api.http.ports import PaymentDesk, Ports
from plumbing.crowd import ServerLimits
from plumbing.threads import Readers, Writer
from store import cancellations, mt_orders, replacements, schema
from store.database import Database, connect
from store.life import Idempotency
from store.link_orders import give
from store.messages import Reader, T, remember
from tests import services
from tests.case import AsyncioTestCase
from tests.partner_api import rows

KEYS = {"acme": "key-of-acme", "cy": "key-of-cy", "gone": "key-of-gone"}
__all__ = ["KEYS", "Answer", "Api", "ApiCase", "Result"]


@dataclass(frozen=True)
class Result:
    """What became of a reply."""

    outcome: str
    mt_id: int = 0
    parts: int = 0
    sentence: str = ""


@dataclass(frozen=True)
class Answer:
    """An answer of the API."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def is_problem(self) -> bool:
        """An application/problem+json with everything that belongs to it."""
        content = self.json
        named = {"type", "title", "status", "detail"} <= set(content) and content["status"] == self.status
        return self.headers["Content-Type"].startswith("application/problem+json") and named


class TestClock:
    """Time that stands until it is moved."""

    __test__ = False

    def __init__(self) -> None:
        self.ms = rows.T

    def now(self) -> int:
        return self.ms

    def monotonic_ms(self) -> int:
        return self.ms


def a_catalogue() -> Catalogue:
    """acme and cy, and one who is not active any more."""
    ids = {"acme": rows.ACME, "cy": rows.CY, "gone": 5}
    hashes = {login: hashlib.sha256(key.encode()).hexdigest() for login, key in KEYS.items()}
    partners = {
        login: Partner(id_, login, "RUB", api_key_hash=hashes[login], active=login != "gone")
        for login, id_ in ids.items()
    }
    return Catalogue(1, partners=partners)


@dataclass
class Api:
    """One process that serves the API."""

    database: Database
    clock: TestClock = field(default_factory=TestClock)
    url: str = ""
    effects: int = 0
    away: bool = False
    hangs: bool = False
    limits: ServerLimits | None = None
    payments: PaymentDesk | None = None
    admin_key: str = ""
    asked: int = 0
    state: dict[str, Any] = field(default_factory=lambda: {"status": "ok", "links": {"alpha-1": "bound"}})
    _catalogue: Catalogue = field(default_factory=a_catalogue)
    _writer: Writer = field(default_factory=Writer)
    _readers: Readers = field(default_factory=Readers)
    _runner: web.AppRunner | None = None
    _stirred: asyncio.Event = field(default_factory=asyncio.Event)
    _may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        self._writer.start()
        ports = Ports(
            catalogue=lambda: self._catalogue,
            run_read=self.run_read,
            reply=self.reply,
            health=lambda: self.state,
            metrics=lambda: b"# HELP tollbridge_up 1\ntollbridge_up 1\n",
            payments=self.payments,
            admin_key=self.admin_key,
            order_links=self.order_links,
            order_message=self.order_message,
        )
        self._runner = build_runner(build_app(ports, clock=self.clock), self.limits)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        assert self._runner is not None
        await self._runner.cleanup()
        await self._writer.stop()
        self._readers.stop()

    async def run_read(self, function: Reader[T], /) -> T:
        self.asked += 1
        self._stirred.set()
        if self.hangs:
            await self._may_answer.wait()
        return await self._readers.run(self._read, function)

    async def write(self, function: Callable[..., T], *args: Any) -> T:
        """Work of the writer's thread."""

        def work() -> T:
            self._refuse_when_away()
            return function(*args)

        return await self._writer.run(work)

    async def until_asked(self, times: int) -> None:
        """Until so many questions have come to the database."""
        while self.asked < times:
            self._stirred.clear()
            await self._stirred.wait()

    def release(self) -> None:
        """The database hangs no longer."""
        self.hangs = False
        self._may_answer.set()

    def _read(self, function: Reader[T]) -> T:
        self._refuse_when_away()
        with self.database.read() as connection:
            return function(connection)

    async def order_links(self, name: str, kind: str, author: str) -> list[int]:
        return await self.write(partial(give, self.database, [name], kind, author=author, now=self.clock.now()))

    async def order_message(self, kind: str, mt_id: int, author: str, note: str, text: str) -> mt_orders.Given:
        word: dict[str, Any] = {"author": author, "note": note, "now": self.clock.now()}
        if kind == "replace":
            return await self.write(partial(replacements.give, self.database, mt_id, text, **word))
        return (await self.write(partial(cancellations.give, self.database, [mt_id], **word)))[0]

    async def reply(self, partner: Partner, mo_id: int, text: str, idempotency: Idempotency | None, /) -> Result:
        return await self._writer.run(self._reply, partner, mo_id, text, idempotency)

    def _reply(self, partner: Partner, mo_id: int, text: str, idempotency: Idempotency | None) -> Result:
        self._refuse_when_away()
        job, mt = schema.Callback, schema.Mt
        with self.database.write() as connection:
            own = sa.select(job.mo_id).where(job.mo_id == mo_id, job.partner_id == partner.id)
            if connection.execute(own).first() is None:
                return Result("not_found")
            if connection.execute(sa.select(mt.id).where(mt.reply_to == mo_id)).first() is not None:
                return Result("already_answered")
            if len(text) > 1530:
                return Result("too_long", sentence="the text has more than ten parts; shorten it")
            self.effects += 1
            mt_id, parts = mo_id + 50, -(-len(text) // 160)
            rows.add(
                connection, mt, id=mt_id, reply_to=mo_id, partner_id=partner.id, text=text, parts=parts, created_at=1
            )  # fmt: skip
            if idempotency is not None:
                answer = idempotency.answer(mt_id, parts)
                remember(connection, partner_id=partner.id, key=idempotency.key, answer=answer, at=self.clock.now())
            return Result("queued", mt_id, parts)

    def _refuse_when_away(self) -> None:
        if self.away:
            raise StoreAway("the database is away")


class ApiCase(AsyncioTestCase):
    """One API, one client."""

    timeout = 30

    async def setUp(self) -> None:
        # On a thread: Django refuses to migrate where a loop is running.
        self.database = connect(await asyncio.to_thread(self.database_url))
        self.fill()
        self.open_mo = rows.MO + 1000
        self.api = self.make_api()
        await self.api.start()
        self.client = aiohttp.ClientSession()

    def database_url(self) -> str:
        """A migrated, empty database."""
        return services.fresh_sqlite(self.folder())

    def make_api(self) -> Api:
        """Not started yet."""
        return Api(self.database)

    def fill(self) -> None:
        """What is in the database."""
        with self.database.write() as connection:
            rows.a_world(connection)
            unanswered = {"partner_id": rows.ACME, "service_id": 7, "state": 2}
            for number in range(3):
                id_ = rows.MO + 1000 + number
                rows.add(connection, schema.Mo, id=id_, source="7900", text="GAME", service_id=7, partner_id=rows.ACME)
                rows.add(connection, schema.Callback, mo_id=id_, **unanswered)

    def folder(self) -> Path:
        """A folder of the test's own. (trial's mktemp makes it in the working directory.)"""
        folder = Path(tempfile.mkdtemp(prefix="tollbridge-api-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        return folder

    async def tearDown(self) -> None:
        await self.client.close()
        await self.api.stop()
        self.database.close()

    async def ask(
        self, method: str, path: str, *, key: str = "key-of-acme", api: Api | None = None, **words: Any
    ) -> Answer:
        """One request; `key` "" sends none."""
        headers = CIMultiDict(words.pop("headers", {}))
        if key:
            headers.setdefault("Authorization", f"Bearer {key}")
        url = f"{(api or self.api).url}{path}"
        async with self.client.request(method, url, headers=headers, allow_redirects=False, **words) as answer:
            return Answer(answer.status, answer.headers, (await answer.read()).decode())

    async def reply(self, mo_id: int, text: str = "Hello", request_key: str = "", **words: Any) -> Answer:
        """POST /v1/messages/{id}/reply."""
        headers = {"Idempotency-Key": request_key} if request_key else {}
        return await self.ask("POST", f"/v1/messages/{mo_id}/reply", json={"text": text}, headers=headers, **words)
