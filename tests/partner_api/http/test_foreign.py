"""R10: every call of the API as another partner. A call without a case here fails: it would not be walked.

FOREIGN   a call's name → its case: cy asks for acme's, and acme is asked, too, so that there is something to see
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import sqlalchemy as sa

from core.ids import Ids
from core.ledger.accounts import earnings
from core.ledger.details import About, DetailKind, moved
from partner_api.http.app import ROUTES, build_app
from partner_api.http.ports import Ports
from partner_api.payments import check
from store import processes
from store.books import Act
from store.desk import Desk
from store.schema import Payout, TopUp
from tests.partner_api import rows
from tests.partner_api.http.api import Api, ApiCase
from tests.partner_api.http.test_payouts import RUB, catalogue
from tests.payment_peers import SETTINGS
from tollbridge.payments import Payments

CY = "key-of-cy"
EVERYBODY = {"/health", "/metrics", "/v1/openapi.json"}
"""Nothing of anybody's is there."""
PROVIDERS = {"/payments/{provider}"}
"""Signed by a provider; tests/partner_api/http/test_payments.py forges them."""
ADMIN_KEY = "admin-key-of-at-least-32-characters"


class Foreign(ApiCase):
    """acme has messages and 120.00 RUB more than the world's; cy has none of that."""

    timeout = 60

    def make_api(self) -> Api:
        payments = Payments({"yoomoney": check("yoomoney", SETTINGS["yoomoney"])})
        known = catalogue()
        cy = replace(known.partners["cy"], payouts=known.partners["acme"].payouts)
        both = replace(known, partners={**known.partners, "cy": cy})
        api = Api(self.database, payments=payments, _catalogue=both, admin_key=ADMIN_KEY)
        me = processes.register(self.database, roles="api", now=api.clock.now())
        ids = Ids(me.slot, after=me.after)
        payments.open(self.database, lambda: both, api.clock, ids, me.id, write=api.write, read=api.run_read)
        self.desk = Desk(self.database, lambda: both, api.clock, ids, me.id)
        return api

    def earn(self, key: str) -> None:
        """acme, another 120.00 RUB."""
        details = moved(
            DetailKind.ADJUSTED, "expense:loss", earnings("acme"), 120 * RUB,
            currency="RUB", month=202611, about=About(partner_id=rows.ACME),
        )  # fmt: skip
        act = Act(key, "adjusted", "acme", self.desk.now())
        self.desk.run(lambda connection: self.desk.books.book(connection, act, details=details))

    def owners(self, table: type[Any]) -> list[int]:
        with self.database.read() as connection:
            return list(connection.execute(sa.select(table.partner_id).order_by(table.id)).scalars())

    async def test_every_call_is_walked_as_another_partner(self) -> None:
        names = {route.name for route in ROUTES}
        assert names == FOREIGN.keys(), "a call needs a case as another partner in FOREIGN, and a case a call"
        for route in ROUTES:
            await FOREIGN[route.name](self)

    async def test_what_is_no_partners_call_is_known_and_no_partner_gets_in_there(self) -> None:
        """Everything else that the application answers at all: told here what it is, or it fails."""
        ports = Ports(_nothing, _nothing, _nothing, dict, bytes, None, ADMIN_KEY, self.api.order_links)
        app = build_app(ports, clock=self.api.clock)
        walked = {(route.method, route.path) for route in ROUTES}
        others = {
            (route.method, route.resource.canonical)
            for route in app.router.routes()
            if route.method != "HEAD" and route.resource is not None
        } - walked

        admin = {one for one in others if one[1].startswith("/admin/")}
        assert {path for _, path in others - admin} == EVERYBODY | PROVIDERS
        assert admin, "administrators have calls of their own"
        for method, path in admin:
            path = path.replace("{name}", "alpha-1").replace("{order}", "drain").replace("{id}", str(rows.MT))
            for key in (CY, "key-of-acme", ""):
                answer = await self.ask(method, path, key=key, json={"author": "cy"} if method == "POST" else None)
                assert (answer.status, answer.is_problem) == (401, True), (method, path, key)


def _nothing(*request: object) -> Any:
    raise AssertionError(request)


async def read_message(api: Foreign) -> None:
    """An MO, an MT, one that is not answered: as unknown as one that never was."""
    for id_ in (rows.MO, rows.MT, api.open_mo):
        assert (await api.ask("GET", f"/v1/messages/{id_}")).status == 200, id_
        unknown = await api.ask("GET", f"/v1/messages/{id_}", key=CY)
        never = await api.ask("GET", "/v1/messages/17", key=CY)
        assert (unknown.status, unknown.text.replace(str(id_), "17")) == (404, never.text), id_


async def reply(api: Foreign) -> None:
    """Nobody answers another's subscriber, under no key either."""
    for key in ("", "k-1"):
        assert (await api.reply(api.open_mo, "hello from cy", key, key=CY)).status == 404
    assert api.api.effects == 0
    assert (await api.reply(api.open_mo, "hello", "k-1")).status == 202
    assert (await api.reply(api.open_mo, "hello", "k-1", key=CY)).status == 404, "the key is acme's"


async def read_balance(api: Foreign) -> None:
    """What acme earns moves acme's balance alone."""
    before = [(await api.ask("GET", "/v1/balance", key=key)).text for key in (CY, "key-of-acme")]
    api.earn("balance")
    after = [(await api.ask("GET", "/v1/balance", key=key)).text for key in (CY, "key-of-acme")]
    assert after[0] == before[0]
    assert after[1] != before[1]


async def begin_top_up(api: Foreign) -> None:
    """Under acme's key, with acme's body: it is cy's own, with a number of its own."""
    body, once = {"provider": "yoomoney", "amount": "100.00"}, {"Idempotency-Key": "top-up"}
    ours = await api.ask("POST", "/v1/top-ups", json=body, headers=once)
    others = await api.ask("POST", "/v1/top-ups", json=body, headers=once, key=CY)
    assert (ours.status, others.status) == (201, 201), others.text
    assert ours.json["id"] != others.json["id"]
    assert api.owners(TopUp) == [rows.ACME, rows.CY]


async def request_payout(api: Foreign) -> None:
    """cy has no 100 roubles, and acme's are not cy's."""
    api.earn("payout")
    body, once = {"currency": "RUB", "amount": "100.00"}, {"Idempotency-Key": "payout"}
    assert (await api.ask("POST", "/v1/payouts", json=body, headers=once, key=CY)).status == 422
    assert (await api.ask("POST", "/v1/payouts", json=body, headers=once)).status == 201
    assert (await api.ask("POST", "/v1/payouts", json=body, headers=once, key=CY)).status == 422
    assert api.owners(Payout) == [rows.ACME]


async def read_payouts(api: Foreign) -> None:
    """acme's are seen by acme."""
    api.earn("payouts")
    await api.ask("POST", "/v1/payouts", json={"currency": "RUB", "amount": "1.00"})
    assert (await api.ask("GET", "/v1/payouts")).json["payouts"]
    assert (await api.ask("GET", "/v1/payouts", key=CY)).json["payouts"] == []


Case: TypeAlias = Callable[[Foreign], Awaitable[None]]
FOREIGN: Mapping[str, Case] = {
    "readMessage": read_message,
    "replyToMessage": reply,
    "readBalance": read_balance,
    "beginTopUp": begin_top_up,
    "requestPayout": request_payout,
    "readPayouts": read_payouts,
}
