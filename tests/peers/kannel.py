"""Kannel from Debian, as an ESME: bearerbox binds, smsbox calls a partner of ours over HTTP and submits.

Kannel    the two programs with their configuration in a folder
Partner   an HTTP server for smsbox's get-url and dlr-url

MO come out at Partner.mos, receipts at Partner.receipts; send() is smsbox's sendsms. Its ports are free ones, found by
binding: another program might take one in between, which would fail with Kannel's own words.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl

from aiohttp import ClientSession, ClientTimeout, web

from tests.peers.programs import Program, which
from tests.ports import free_port

CONF = """
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = admin
status-password = status
smsbox-port = {box}
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1
box-deny-ip = "*.*.*.*"
dlr-storage = internal
sms-resend-freq = 1
log-level = 1

group = smsc
smsc = smpp
smsc-id = pocket
host = 127.0.0.1
port = {smsc}
transceiver-mode = true
smsc-username = {login}
smsc-password = {password}
system-type = ""
enquire-link-interval = 1
reconnect-delay = 1
max-pending-submits = 10

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
sendsms-interface = 127.0.0.1
log-level = 1

group = sendsms-user
username = tester
password = foobar
max-messages = 5
concatenation = true

group = sms-service
keyword = default
get-url = "http://127.0.0.1:{partner}/mo?from=%p&to=%P&text=%a&charset=%C"
max-messages = 5
concatenation = true
omit-empty = true
accept-x-kannel-headers = true
"""

TOOK = ("0: Accepted", "3: Queued")
"""How smsbox begins to say that it took an MT. "Queued": the link to the centre is not up yet."""


def missing() -> str:
    """Why Kannel cannot be run; "": it can."""
    gone = [name for name in ("bearerbox", "smsbox") if not which(name)]
    return f"{' and '.join(gone)} not installed (apt-get install kannel)" if gone else ""


class Partner:
    """Takes MO, replying with `reply`, and receipts."""

    def __init__(self) -> None:
        self.mos: list[dict[str, str]] = []
        self.receipts: list[dict[str, str]] = []
        self.reply = ""
        self.port = 0
        self._came = asyncio.Event()

    async def start(self) -> None:
        app = web.Application()
        app.add_routes([web.get("/mo", self._mo), web.get("/receipt", self._receipt)])
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def until(self, predicate: Callable[[], bool]) -> None:
        while not predicate():
            self._came.clear()
            await self._came.wait()

    async def _mo(self, request: web.Request) -> web.Response:
        query = dict(parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True, encoding="latin-1"))
        # Kannel writes the octets of UCS-2 as they are, and says so.
        self.mos.append(query | {"text": query["text"].encode("latin-1").decode(query["charset"])})
        self._came.set()
        return web.Response(text=self.reply, content_type="text/plain", charset="utf-8")

    async def _receipt(self, request: web.Request) -> web.Response:
        self.receipts.append(dict(request.query))
        self._came.set()
        return web.Response(text="")


class Kannel:
    """Bearerbox and, when it is asked for, smsbox. To be made on the event loop."""

    def __init__(
        self,
        folder: Path,
        *,
        smsc_port: int,
        partner: Partner,
        login: str = "esme1",
        password: str = "password",
        conf: str = CONF,
    ) -> None:
        admin, box, self._sendsms = free_port(), free_port(), free_port()
        self._partner = partner
        self._folder = folder
        ports = {"admin": admin, "box": box, "sendsms": self._sendsms, "smsc": smsc_port, "partner": partner.port}
        (folder / "kannel.conf").write_text(conf.format(login=login, password=password, **ports))
        self.smsbox: Program | None = None
        self.bearerbox = self._run("bearerbox")

    @property
    def sendsms_port(self) -> int:
        """Where smsbox takes MT."""
        return self._sendsms

    async def with_smsbox(self) -> None:
        """Start smsbox; wait until MO reach it."""
        await self.bearerbox.says("Start-up done")
        self.smsbox = self._run("smsbox")
        # It says that it is connected a little before it is, when a sendsms makes it panic; its heartbeat is later.
        await self.smsbox.says("(gw/heartbeat.c:heartbeat_thread)")

    async def send(self, text: str, *, to: str = "79001112233", source: str = "4446") -> str:
        """Submit through smsbox, with a receipt; what it says."""
        receipt = f"http://127.0.0.1:{self._partner.port}/receipt?status=%d&answer=%A&to=%p"
        values = {"username": "tester", "password": "foobar", "from": source, "to": to, "text": text}
        values |= {"charset": "UTF-8", "coding": "0" if text.isascii() else "2", "dlr-mask": "31", "dlr-url": receipt}
        address = f"http://127.0.0.1:{self._sendsms}/cgi-bin/sendsms"
        async with (
            ClientSession(timeout=ClientTimeout(10)) as session,
            session.get(address, params=values) as answer,
        ):
            return await answer.text()

    async def stop(self) -> tuple[int, int]:
        """SIGTERM to bearerbox, which would wait for a box that is gone, then to smsbox; their codes."""
        bearerbox = await self.bearerbox.stop(20)
        return bearerbox, await self.smsbox.stop() if self.smsbox is not None else 0

    def _run(self, name: str) -> Program:
        command = [which(name), "-v", "0", "kannel.conf"]
        return Program(command, self._folder, environ={"PATH": "/usr/bin:/bin"})
