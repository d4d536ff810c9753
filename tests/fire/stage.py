"""The stage of every campaign: a migrated database, message centres, a partner, the service as a process.

Stage        `async with Stage(...) as stage`: all of it made, and all of it gone at the end
Ask          what a stage is like: how many operators, what its services, links and limits are
PartnerBook  the partner of the sound services: what it was told, by id; it answers «re ID»

Each operator has one link, the first one perhaps spare ones; each link has its own centre and subscribers. The texts
are unique, so that once means once.

Rule: a stage decides nothing; what must hold is in truth.py.
"""

import asyncio
import contextlib
import secrets
import shutil
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qs

from cryptography.fernet import Fernet

from plumbing.clock import SystemClock
from plumbing.conversation import read_address
from plumbing.loop import spawn
from plumbing.pump import Listener, listen
from sim.centre import PocketSmsc
from sim.quirks import Quirks
from sim.subscribers import Subscribers
from store.database import Database, connect
from store.provisioning import load
from store.secrets import Keyring
from tests import partners, services
from tests.fire.process import ServiceProcess, tail
from tests.fire.proxy import Proxy

API_KEY = "fire-" + "k" * 59
WITHIN_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What a stage is like."""

    database: str = "sqlite"
    folder: Path | None = None
    """Where SQLite's file is; None: in a folder of its own."""
    operators: int = 1
    protocols: tuple[str, ...] = ("smpp",)
    """Of the operators' links; the last one's of those after it too."""
    seed: int = 0
    quirks: Quirks = field(default_factory=lambda: Quirks(retry_s=0.2, window=50))
    link: str = ""
    """More lines of every operator's link."""
    spares: tuple[tuple[str, str], ...] = ()
    """More links of the first operator, named spare-0 and so on: protocol, more lines."""
    centre: type[PocketSmsc] = PocketSmsc
    limits: str = ""
    services: tuple[tuple[str, str], ...] = ()
    """Of other partners: prefix, url."""
    texts: tuple[str, ...] = ("GAME {o}-{n}",)
    timeout_s: float = 3.0
    redis: str = ""
    module: str = "tollbridge.cli"
    arguments: tuple[str, ...] = ()
    database_url: Callable[[str], str] = lambda url: url
    """The URL that the service is given, for a database behind a proxy."""
    proxied: bool = False
    """Whether each centre stands behind a proxy."""

    @property
    def links(self) -> list[str]:
        """The protocol of each centre: those of the operators' links, then those of the spare ones."""
        last = self.protocols[-1:] * (self.operators - len(self.protocols))
        return [*self.protocols, *last, *(protocol for protocol, _ in self.spares)]


@dataclass
class PartnerBook:
    """What the sound partner heard: texts and calls by id."""

    texts: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    calls: Counter[int] = field(default_factory=Counter)
    ids: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    reply: Callable[[int], bytes] = lambda id_: partners.response(200, b"re %d" % id_)
    pause: asyncio.Event | None = None
    """Where it is set, an answer waits for it."""

    async def behave(self, heard: partners.Heard, writer: asyncio.StreamWriter) -> None:
        """Write down, answer."""
        told = parse_qs(heard.query)
        id_, text = int(told["id"][0]), told["text"][0]
        self.calls[id_] += 1
        self.texts[id_].add(text)
        self.ids[text].add(id_)
        if self.pause is not None:
            await self.pause.wait()
        writer.write(self.reply(id_))
        await writer.drain()


class Stage:
    """Everything, running; the service is not started yet."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self.clock = SystemClock()
        self.random = Random(ask.seed)
        self.centres: list[PocketSmsc] = []
        self.book = PartnerBook()
        self.partner = partners.Partner(self.book.behave)
        self._key = Fernet.generate_key().decode()
        self.keyring = Keyring(self._key)
        self.proxies: list[Proxy] = []
        self._listeners: list[Listener] = []
        self._load: list[asyncio.Task[None]] = []
        self._stack = contextlib.AsyncExitStack()
        self._folder = Path()
        self.url = ""
        self.database: Database
        self.service: ServiceProcess

    async def __aenter__(self) -> "Stage":
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(self.partner)
            self.url = await asyncio.to_thread(self._new_database)
            stack.push_async_callback(asyncio.to_thread, self._remove_database)
            self.database = connect(self.url)
            stack.callback(self.database.close)
            stack.push_async_callback(self._close_centres)
            await self._open_centres()
            await asyncio.to_thread(self.provision, self.catalogue())
            self.service = ServiceProcess(self._config(), module=self.ask.module)
            self.service.arguments = list(self.ask.arguments)
            stack.push_async_callback(asyncio.to_thread, self.service.remove)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            print(f"--- the service's log ends with\n{tail(self.service.folder / 'log')}")
        self.calm()
        await self._stack.aclose()

    # --- making ------------------------------------------------------------------------------------------

    def _new_database(self) -> str:
        if self.ask.database == "mariadb":
            return services.fresh_mariadb()
        folder = self.ask.folder or services._guarded_folder("fire")
        self._folder = folder
        return services.fresh_sqlite(folder)

    def _remove_database(self) -> None:
        if self.ask.database == "mariadb":
            services.mariadb().drop(self.url)
        elif self.ask.folder is None:
            shutil.rmtree(self._folder, ignore_errors=True)

    async def _open_centres(self) -> None:
        ask = self.ask
        first = [f"79{place:02d}1000000" for place in range(ask.operators)]
        first += [f"7900{place}000000" for place, _ in enumerate(ask.spares, 2)]
        for place, (number, protocol) in enumerate(zip(first, ask.links)):
            crowd = Subscribers(
                ask.seed + place,
                short_codes=("4446",),
                texts=tuple(text.replace("{o}", str(place)) for text in ask.texts),
                first_number=number,
                numbers=1_000_000,
            )
            random = Random(ask.seed + place)
            centre = ask.centre(self.clock, random, quirks=ask.quirks, subscribers=crowd, protocol=protocol)
            self.centres.append(centre)
            self._listeners.append(listen(read_address("127.0.0.1:0"), centre.accept, self.clock))
        if self.ask.proxied:
            self.proxies = [Proxy(listener.port) for listener in self._listeners]
            await asyncio.gather(*(proxy.open() for proxy in self.proxies))

    async def _close_centres(self) -> None:
        """Ports and connections, and both ends of proxies: trial looks for what is left."""
        await asyncio.gather(*(proxy.close() for proxy in self.proxies))
        for listener in self._listeners:
            await listener.close(abort=True)
        for centre in self.centres:
            centre.cut()
        while any(centre.esmes for centre in self.centres):
            await asyncio.sleep(0.01)

    def catalogue(self) -> str:
        """The provisioning file."""
        lines = [_PLAN]
        tariffs = ""
        for place, port in enumerate(self.ports[: self.ask.operators]):
            code = f"{place:02d}"
            lines.append(_OPERATOR.format(place=code))
            protocol = self.ask.links[place]
            lines.append(
                _LINK.format(name=f"link-{code}", place=code, protocol=protocol, port=port, more=self.ask.link)
            )
            tariffs += _TARIFF.format(place=code)
        for number, (port, (protocol, more)) in enumerate(zip(self.ports[self.ask.operators :], self.ask.spares)):
            lines.append(_LINK.format(name=f"spare-{number}", place="00", protocol=protocol, port=port, more=more))
        lines.insert(1, '[[short_code]]\nnumber = "4446"\n' + tariffs)
        lines.append(_PARTNER.format(login="acme", key=f'api_key = "{API_KEY}"', prefix="GAME", url=self.partner.url))
        for prefix, url in self.ask.services:
            lines.append(_PARTNER.format(login=prefix.lower(), key="", prefix=prefix, url=url))
        lines.append(self.ask.limits)
        return "\n".join(lines)

    @property
    def ports(self) -> list[int]:
        """Where the links connect to."""
        return [end.port for end in self.proxies or self._listeners]

    def provision(self, text: str) -> None:
        """Load into the catalogue; blocks."""
        load(self.database, text, "fire.toml", self.clock.now(), self.keyring)

    def _config(self) -> str:
        ask = self.ask
        return (
            f'[database]\nurl = "{ask.database_url(self.url)}"\n[redis]\nurl = "{ask.redis}"\n'
            f'[api]\nlisten = "127.0.0.1:PORT"\n[smpp_server]\nlisten = "127.0.0.1:0"\n'
            f"[dispatch]\nallow_private_addresses = true\ntimeout_s = {ask.timeout_s}\n"
            f'[logs]\nformat = "json"\n[security]\nkey = "{self._key}"\n'
        )

    # --- what goes on -------------------------------------------------------------------------------------

    @property
    def centre(self) -> PocketSmsc:
        """The first one."""
        return self.centres[0]

    def load(self, per_second: float) -> None:
        """MO at this rate in all, until `calm`."""
        rate = per_second / len(self.centres)
        self._load += [spawn(centre.trickle(rate), name="load") for centre in self.centres]

    @contextlib.asynccontextmanager
    async def under_load(self, per_second: float) -> AsyncIterator[None]:
        """MO at this rate meanwhile."""
        self.load(per_second)
        try:
            yield
        finally:
            self.calm()

    def calm(self) -> None:
        """Nobody writes any more."""
        for task in self._load:
            task.cancel()
        self._load = []

    @property
    def written(self) -> int:
        return sum(centre.counted.written for centre in self.centres)

    @property
    def acknowledged(self) -> int:
        return sum(centre.counted.acknowledged for centre in self.centres)

    async def until(self, holds: Callable[[], bool], what: str, within_s: float = WITHIN_S) -> None:
        """Wait for something that the centres see. Raises TimeoutError that says what."""
        waits = [asyncio.ensure_future(centre.until(holds)) for centre in self.centres]
        try:
            async with asyncio.timeout(within_s):
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError as error:
            raise TimeoutError(f"not within {within_s:g} s: {what}; {self.tell()}") from error
        finally:
            for wait in waits:
                wait.cancel()

    async def until_acknowledged(self, more: int, within_s: float = WITHIN_S) -> None:
        """Wait until so many more MO are acknowledged than now."""
        goal = self.acknowledged + more
        await self.until(lambda: self.acknowledged >= goal, f"{more} more acknowledgements", within_s)

    async def until_bound(self, within_s: float = WITHIN_S) -> None:
        """Wait until every centre has a client."""
        await self.until(lambda: all(centre.esmes for centre in self.centres), "every link bound", within_s)

    async def until_settled(self, within_s: float = WITHIN_S) -> None:
        """Wait until all that was written is acknowledged, and no work is left in the database."""
        centres = self.centres
        await self.until(
            # A flood that waits for a link is not written yet.
            lambda: self.acknowledged >= self.written and not any(centre.unwritten for centre in centres),
            "everything acknowledged",
            within_s,
        )
        try:
            await self.until_rows(_LEFT, lambda left: left == (0, 0), "no work left in the database", within_s)
        except TimeoutError as error:
            left = await asyncio.to_thread(self.rows, _LEFT_MT.format(now=self.clock.now()))
            raise TimeoutError(f"{error}; MT (id, state, attempt, due ms, error, receipts kept): {left}") from error

    async def until_rows(self, sql: str, holds: Callable[[Any], bool], what: str, within_s: float = WITHIN_S) -> Any:
        """Poll the database until the first row is so; the row. Raises TimeoutError that says what."""
        begun = time.monotonic()
        while True:
            row = await asyncio.to_thread(self.row, sql)
            if holds(row):
                return row
            if time.monotonic() - begun > within_s:
                raise TimeoutError(f"not within {within_s:g} s: {what}; it is {row}; {self.tell()}")
            await asyncio.sleep(0.05)

    def row(self, sql: str) -> Any:
        """The first row of a query; blocks."""
        return next(iter(self.rows(sql)), None)

    def rows(self, sql: str) -> list[Any]:
        """All rows of a query; blocks."""
        with self.database.read() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(sql).all()]

    def tell(self) -> str:
        """Where it stands, for the message of a failure."""
        return "; ".join(
            f"written {c.written}, acknowledged {c.acknowledged}, put off {c.put_off}, unanswered {c.unanswered}, "
            f"sent {c.sent}, submitted {c.submitted}, binds {c.binds}"
            for c in (centre.counted for centre in self.centres)
        )


def a_key() -> str:
    """An Idempotency-Key."""
    return secrets.token_hex(16)


_LEFT = (
    "SELECT (SELECT COUNT(*) FROM callback WHERE due_at IS NOT NULL), "
    "(SELECT COUNT(*) FROM mt WHERE state < 2 OR (state = 2 AND NOT maybe_twice))"
)
"""Jobs to be done; replies that are not at the operator, or whose receipt is missing though they went once."""

_LEFT_MT = """
SELECT id, state, attempt, due_at - {now}, error, (SELECT COUNT(*) FROM receipt WHERE receipt.`key` = mt.`key`)
FROM mt WHERE state < 2 OR (state = 2 AND NOT maybe_twice) LIMIT 5
"""

_PLAN = """
[[tariff_plan]]
name = "standard"
tiers_mode = "graduated"
tiers = [ { from = "0", share = "0.60" }, { from = "1000", share = "0.70" } ]
currency = "RUB"
"""
_OPERATOR = """
[[operator]]
code = "op{place}"
name = "Operator {place}"
country = "RU"
currency = "RUB"
vat = "0.20"
msisdn_prefixes = ["79{place}"]
"""
_LINK = """
[[link]]
name = "{name}"
operator = "op{place}"
protocol = "{protocol}"
host = "127.0.0.1"
port = {port}
system_id = "tollbridge"
password = "secret"
{more}
"""
_TARIFF = """  [[short_code.tariff]]
  operator = "op{place}"
  price = "12.00"
  payout = "0.50"
"""
_PARTNER = """
[[partner]]
login = "{login}"
email = "ops@{login}.example"
password = "correct horse battery"
plan = "standard"
currency = "RUB"
{key}

[[service]]
partner = "{login}"
name = "game"
method = "http_get"
url = "{url}"
secret = "s3cret"
mode = "sync"
prefixes = [ {{ short_code = "4446", prefix = "{prefix}" }} ]
status = "approved"
"""
