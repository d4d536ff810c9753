"""The partner API as an aiohttp application: routes, who may, bodies, health, metrics.

build_app   Ports → web.Application
build_runner   the application → its runner (server.py); the roof puts sites on it, where api.listen says
ROUTES      every call of the contract that is built

A request is let in in this order: path, method, key, media type, body, its fields, Idempotency-Key.

Rule: `/health` never waits for more than DATABASE_WAIT_S, whatever hangs.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable

from aiohttp import web

from core.clock import Clock
from core.errors import StoreAway
from partner_api.http import account, messages, payouts, top_ups
from partner_api.http.admin import AdminDoor
from partner_api.http.auth import Callers
from partner_api.http.bodies import read_body, read_model
from partner_api.http.calls import Call, InFlight, Route
from partner_api.http.openapi import describe
from partner_api.http.payments import PATH, PaymentDoor
from partner_api.http.ports import Ports
from partner_api.http.problems import show_problems
from partner_api.http.repeats import HEADER, digest_of, read_key
from partner_api.http.server import ApiRunner
from plumbing.crowd import ServerLimits
from plumbing.loop import spawn

BODY_MAX = 256 * 1024
KEEP_ALIVE_S = 75
LINGER_S = 10.0
"""How long the rest of a body is read behind its answer: to close before would take the answer from a slow sender."""
ANSWER_WAIT_S = 20
"""How long the database may take; a server that hangs is then taken for away."""
DATABASE_WAIT_S = 1.5

ROUTES: tuple[Route, ...] = (*messages.ROUTES, *account.ROUTES, *top_ups.ROUTES, *payouts.ROUTES)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def build_app(ports: Ports, *, clock: Clock) -> web.Application:
    """The application. It owns nothing that must be closed."""
    app = web.Application(middlewares=[show_problems], client_max_size=BODY_MAX)
    callers = Callers(ports.catalogue, clock)
    in_flight = InFlight()
    for route in ROUTES:
        app.router.add_route(route.method, route.path, _serve(route, ports, clock, callers, in_flight), name=route.name)
    description = json.dumps(describe(ROUTES), ensure_ascii=False)

    async def openapi(request: web.Request) -> web.Response:
        return web.json_response(text=description)

    async def metrics(request: web.Request) -> web.Response:
        return web.Response(body=ports.metrics(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    app.router.add_get("/v1/openapi.json", openapi, name="openapi")
    app.router.add_post(PATH, PaymentDoor(ports).answer, name="payment")
    if ports.admin_key and ports.order_links is not None:
        app.add_routes(AdminDoor(ports, ports.order_links, clock).routes())
    app.router.add_get("/health", Health(ports).answer, name="health")
    app.router.add_get("/metrics", metrics, name="metrics")
    app.on_response_prepare.append(_say_little)
    return app


def build_runner(app: web.Application, limits: ServerLimits | None = None) -> web.AppRunner:
    """How it is run: bodies as they came (a bomb is refused, not unpacked), no access log, short waits at the end."""
    return ApiRunner(
        app,
        limits or ServerLimits(),
        access_log=None,
        auto_decompress=False,
        keepalive_timeout=KEEP_ALIVE_S,
        lingering_time=LINGER_S,
        shutdown_timeout=5.0,
    )


async def _say_little(request: web.Request, response: web.StreamResponse) -> None:
    """aiohttp would tell everybody its version and Python's."""
    response.headers["Server"] = "Tollbridge"


def _serve(route: Route, ports: Ports, clock: Clock, callers: Callers, in_flight: InFlight) -> Handler:
    async def serve(request: web.Request) -> web.StreamResponse:
        partner = callers.caller_of(request)
        content = b""
        body = None
        if route.body is not None:
            content = await read_body(request)
            body = read_model(route.body, content)
        key = digest = ""
        if route.method == "POST":
            key = read_key(request.headers.getall(HEADER, []))
            digest = digest_of(route.method, request.path, content) if key else ""
        path = dict(request.match_info)
        call = Call(ports, clock, partner, path, body, in_flight, key, digest)
        async with asyncio.timeout(ANSWER_WAIT_S):
            status, answer = await route.serve(call)
        return web.Response(status=status, text=answer.model_dump_json(by_alias=True), content_type="application/json")

    return serve


class Health:
    """GET /health: what the roof says of its roles, and whether the database answers right now."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._probe: asyncio.Task[bool] | None = None

    async def answer(self, request: web.Request) -> web.Response:
        """200 once everything is up, 503 otherwise; at once, or after DATABASE_WAIT_S where the database hangs."""
        content = dict(self._ports.health())
        if not await self._database_answers():
            content["status"] = "database away"
        return web.json_response(content, status=200 if content.get("status") == "ok" else 503)

    async def _database_answers(self) -> bool:
        """One question at a time, however many ask: a database that hangs holds up one thread."""
        probe = self._probe
        if probe is None or probe.done():
            probe = self._probe = spawn(self._ask(), name="health probe")
        done, _ = await asyncio.wait({probe}, timeout=DATABASE_WAIT_S)
        # Meanwhile another who asks may have sent the next one. What else it may fail by is logged by spawn.
        return bool(done) and probe.exception() is None and probe.result()

    async def _ask(self) -> bool:
        try:
            await self._ports.run_read(lambda connection: connection.exec_driver_sql("SELECT 1").scalar())
        except StoreAway:
            return False
        return True
