"""/admin: what administrators may, by the key `api.admin_key`. Not among the partners' calls, so not in openapi.

AdminDoor   GET /admin/links; POST /admin/links/NAME/{enable|disable|drain|reconnect};
            POST /admin/messages/ID/{cancel|replace}

An order waits for what comes of it, as `tollbridge link` does, at most WAIT_S or as long as `wait` says. What is as
wanted already stays so: to order the same again changes nothing, but that a link is connected once more. The same
holds of a message that is taken back, as by `tollbridge cancel`; one that is changed, as by `tollbridge replace`, takes
no other text while that is under way.

Rule: without a key in the configuration there is nothing at these paths, and nothing that tells of them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, TypeAlias, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from core.clock import Clock
from core.errors import RequestError, StoreAway, UserMistake
from core.question import CANCEL, REPLACE
from partner_api.http.auth import Administrators
from partner_api.http.bodies import read_body, read_model
from partner_api.http.messages import read_id
from partner_api.http.ports import OrderLinks, Ports
from partner_api.http.problems import ADMIN, away_for
from store import mt_orders
from store.link_orders import DISABLE, DRAIN, ENABLE, RECONNECT, Order, UnknownLink, read_given, read_rows
from store.messages import Reader

T = TypeVar("T", Order, mt_orders.Order)
Handler: TypeAlias = Callable[[web.Request], Awaitable[web.Response]]
ORDERS = (ENABLE, DISABLE, DRAIN, RECONNECT)
WAIT_S = 15.0
LOOK_S = 0.1
ANSWER_WAIT_S = 20
"""How long the database may take."""


class OrderBody(BaseModel):
    """Who wants it; kept for good."""

    model_config = ConfigDict(extra="forbid", strict=True)

    by: str


class CancelBody(BaseModel):
    """Who wants it, and why; kept for good."""

    model_config = ConfigDict(extra="forbid", strict=True)

    by: str
    because: str


class ReplaceBody(CancelBody):
    """The new text, too."""

    text: str


BODIES: dict[str, type[CancelBody]] = {CANCEL: CancelBody, REPLACE: ReplaceBody}
"""Orders to messages."""


class AdminDoor:
    """The paths of administrators."""

    def __init__(self, ports: Ports, order_links: OrderLinks, clock: Clock) -> None:
        self._ports = ports
        self._order = order_links
        self._clock = clock
        self._administrators = Administrators(ports.admin_key, clock)

    def routes(self) -> list[web.RouteDef]:
        """For the application."""
        paths = f"/admin/links/{{name}}/{{order:{'|'.join(ORDERS)}}}"
        return [
            *(
                web.post(
                    f"/admin/messages/{{id}}/{kind}",
                    _advising("order it again", partial(self.order_message, kind)),
                    name=f"admin-{kind}",
                )
                for kind in BODIES
            ),
            web.get("/admin/links", _advising("ask again in a moment", self.links), name=ADMIN),
            web.post(
                paths, _advising("see GET /admin/links before you order it again", self.order), name="admin-order"
            ),
        ]

    async def links(self, request: web.Request) -> web.Response:
        """All links, with what is in force."""
        self._administrators.let_in(request)
        now = self._clock.now()
        async with asyncio.timeout(ANSWER_WAIT_S):
            rows = await self._ports.run_read(lambda connection: read_rows(connection, now))
        return web.json_response({"links": [row.value() for row in rows]})

    async def order(self, request: web.Request) -> web.Response:
        """Give an order, and tell what came of it: 200, or 202 while it is under way."""
        self._administrators.let_in(request)
        wait_s = _wait_of(request)
        body = read_model(OrderBody, await read_body(request))
        assert isinstance(body, OrderBody), body
        name, kind = request.match_info["name"], request.match_info["order"]
        try:
            async with asyncio.timeout(ANSWER_WAIT_S):
                ids = await self._order(name, kind, body.by)
        except UnknownLink as error:
            raise RequestError(str(error), status=404) from error
        except UserMistake as error:
            errors = {"by": str(error).removeprefix("--by: ")}
            raise RequestError("some fields are wrong; see errors", status=422, errors=errors) from error
        found = await self._wait(ids, wait_s)
        content = {"link": name, "order": kind, "by": body.by, "processes": [_value(one) for one in found]}
        return web.json_response(content, status=200 if all(one.is_over for one in found) else 202)

    async def order_message(self, kind: str, request: web.Request) -> web.Response:
        """Take a message back, or give it another text, and tell what came of it: 200, or 202 while it is under way."""
        self._administrators.let_in(request)
        wait_s = _wait_of(request)
        body = read_model(BODIES[kind], await read_body(request))
        assert isinstance(body, CancelBody), body
        given = await self._give(kind, request.match_info["id"], body)
        if not given.order_id:
            said = {"by": body.by, "because": body.because, "outcome": "nothing", "result": given.sentence}
            return web.json_response({"id": str(given.mt_id), **said})
        ids = [given.order_id]
        (found,) = await self._until(lambda one: mt_orders.read_given(one, ids, self._clock.now()), wait_s)
        return web.json_response(found.value(), status=200 if found.is_over else 202)

    async def _give(self, kind: str, mt_id: str, body: CancelBody) -> mt_orders.Given:
        assert self._ports.order_message is not None, "who orders links orders messages"
        text = body.text if isinstance(body, ReplaceBody) else ""
        try:
            async with asyncio.timeout(ANSWER_WAIT_S):
                return await self._ports.order_message(kind, read_id(mt_id) or 0, body.by, body.because, text)
        except mt_orders.UnknownMessage as error:
            raise RequestError("there is no message to a subscriber with this id", status=404) from error
        except UserMistake as error:
            field, _, sentence = str(error).removeprefix("--").partition(": ")
            raise RequestError("some fields are wrong; see errors", status=422, errors={field: sentence}) from error

    async def _wait(self, ids: Sequence[int], wait_s: float) -> list[Order]:
        return await self._until(lambda connection: read_given(connection, ids), wait_s)

    async def _until(self, read: Reader[list[T]], wait_s: float) -> list[T]:
        """When all of it is over, or the time is."""
        loop = asyncio.get_running_loop()
        end_s = loop.time() + wait_s
        while True:
            async with asyncio.timeout(ANSWER_WAIT_S):
                found = await self._ports.run_read(read)
            if all(one.is_over for one in found) or loop.time() >= end_s:
                return found
            await asyncio.sleep(LOOK_S)


def _advising(advice: str, serve: Handler) -> Handler:
    """503 with advice of this door: it reads no Idempotency-Key."""

    async def answer(request: web.Request) -> web.Response:
        try:
            return await serve(request)
        except (StoreAway, TimeoutError) as error:
            return away_for(error, advice)

    return answer


def _value(order: Order) -> dict[str, Any]:
    outcome = order.outcome or ("failed" if order.is_over else "pending")
    return {"process": order.process or None, "outcome": outcome, "result": order.sentence()}


def _wait_of(request: web.Request) -> float:
    text = request.query.get("wait", f"{WAIT_S:g}")
    if not (text.isascii() and text.isdigit() and len(text) < 4 and int(text) <= WAIT_S):
        raise RequestError(f"wait must be a whole number of seconds, at most {WAIT_S:g}")
    return float(text)
