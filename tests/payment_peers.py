"""Payment providers in small, from their public descriptions: what they send us, and what answers our payouts.

SETTINGS        a section of the configuration per provider
NOTIFICATIONS   provider → a signed notification of a top-up, as a form
YooKassa        its payouts on a local port: `async with YooKassa() as peer`; keys are known, answers may get lost
KnowsReturns    our way to such a peer that also tells of payouts that came back, as banks' APIs do
encoded         fields → the octets of a form

Rule: signatures are made here by other code than ours, after the descriptions.
"""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from aiohttp import web

from core.clock import DAY_MS
from partner_api.payments import yookassa
from partner_api.payments.contract import Outcome, Sent

SETTINGS: dict[str, dict[str, str]] = {
    "yoomoney": {"secret": "01234567890ABCDEF01234567890", "wallet": "41001234567890"},
    "webmoney": {"secret": "k3y-0f-a-purse", "purse": "Z123456789012", "currency": "USD"},
    "yookassa": {"secret": "test_secret", "gateway": "500000"},
}


def yoomoney(number: str = "17", amount: str = "98.00", paid: str = "100.00", **more: str) -> dict[str, str]:
    """As the wallet tells it today."""
    fields = {
        "notification_type": "card-incoming", "bill_id": "", "operation_id": "904035776918098009", "amount": amount,
        "withdraw_amount": paid, "currency": "643", "datetime": "2026-11-24T08:11:05Z", "sender": "",
        "codepro": "false", "label": number, "unaccepted": "false", "operation_label": "2f3b588d-000f-5000", **more,
    }  # fmt: skip
    text = "&".join(f"{key}={quote(fields[key], safe='')}" for key in sorted(fields))
    secret = SETTINGS["yoomoney"]["secret"].encode()
    return fields | {"sign": hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()}


def webmoney(number: str = "17", amount: str = "100.00", **more: str) -> dict[str, str]:
    """As Merchant tells it after the payment."""
    fields = {
        "LMI_MODE": "0", "LMI_PAYMENT_AMOUNT": amount, "LMI_PAYEE_PURSE": "Z123456789012", "LMI_PAYMENT_NO": number,
        "LMI_PAYER_WM": "898472048237", "LMI_PAYER_PURSE": "Z847392391238", "LMI_SYS_INVS_NO": "365495932",
        "LMI_SYS_TRANS_NO": "3649346729", "LMI_SYS_TRANS_DATE": "20261124 08:11:05", **more,
    }  # fmt: skip
    order = "PAYEE_PURSE PAYMENT_AMOUNT HOLD PAYMENT_NO MODE SYS_INVS_NO SYS_TRANS_NO SYS_TRANS_DATE".split()
    words = [fields[f"LMI_{name}"] for name in order if f"LMI_{name}" in fields]
    words += [SETTINGS["webmoney"]["secret"], fields["LMI_PAYER_PURSE"], fields["LMI_PAYER_WM"]]
    return fields | {
        "LMI_HASH": hashlib.sha256("".join(words).encode()).hexdigest().upper(),
        "LMI_HASH2": hashlib.sha256(";".join(words).encode()).hexdigest().upper(),
    }


NOTIFICATIONS: dict[str, Callable[..., dict[str, str]]] = {"yoomoney": yoomoney, "webmoney": webmoney}


def encoded(fields: Mapping[str, str]) -> bytes:
    """As a browser sends a form."""
    return urlencode(fields).encode()


@dataclass
class YooKassa:
    """Payouts. `behave` says what happens at the next requests: what is not told is done and answered."""

    behave: list[str] = field(default_factory=list)
    """`lost`: done, and the connection is cut; `stall`: done, and never answered; `dead`: cut before; `error`: done,
    and 500; `refuse`: 400; `busy`: 429."""
    states: list[str] = field(default_factory=list)
    """The status of the next payouts: `succeeded` where none is told."""
    made: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Payouts by Idempotence-Key."""
    asked: int = 0
    url: str = ""
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _runner: web.AppRunner | None = None

    async def __aenter__(self) -> "YooKassa":
        app = web.Application()
        app.router.add_post("/v3/payouts", self._create)
        app.router.add_get("/v3/payouts/{id}", self._find)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v3"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    @property
    def settings(self) -> dict[str, str]:
        """Our section for it."""
        return SETTINGS["yookassa"] | {"url": self.url}

    @property
    def paid(self) -> list[str]:
        """The amounts that left our money there."""
        return [one["amount"]["value"] for one in self.made.values() if one["status"] == "succeeded"]

    def settle(self, status: str, reason: str = "", *, of: str = "pending") -> None:
        """What was pending comes to its end; what has `succeeded` may be `returned`, which the real one never says."""
        for one in self.made.values():
            if one["status"] == of:
                one["status"] = status
                if reason:
                    one["cancellation_details"] = {"party": "payout_network", "reason": reason}

    async def _create(self, request: web.Request) -> web.Response:
        self.asked += 1
        self.arrived.set()
        how = self.behave.pop(0) if self.behave else ""
        if (refusal := self._refusal(request)) is not None:
            return refusal
        if how == "dead":
            return _cut(request)
        if how == "busy":
            return _error(429, "too_many_requests", "slower")
        if how == "refuse":
            return _error(400, "invalid_request", "the wallet is not there", "payout_destination_data.account_number")
        key, body = request.headers.get("Idempotence-Key", ""), await request.json()
        if not 0 < len(key) <= 64:
            return _error(400, "invalid_request", "Idempotence key is missing", "Idempotence-Key")
        payout = self.made.setdefault(key, self._payout(body))
        if payout["amount"] != body["amount"]:
            return _error(400, "invalid_request", "Idempotence key duplicated", "Idempotence-Key")
        if how == "lost":
            return _cut(request)
        if how == "stall":
            await asyncio.Event().wait()
        if how == "error":
            return _error(500, "internal_server_error", "try again")
        return web.json_response(payout)

    def _payout(self, body: Mapping[str, Any]) -> dict[str, Any]:
        status = self.states.pop(0) if self.states else "succeeded"
        destination = body["payout_destination_data"]
        assert destination["type"] == "yoo_money", destination
        made: dict[str, Any] = {
            "id": f"po-{len(self.made) + 1:034d}", "amount": body["amount"], "status": status,
            "payout_destination": destination, "description": body["description"], "test": True,
        }  # fmt: skip
        if status == "canceled":
            made["cancellation_details"] = {"party": "yoo_money", "reason": "one_time_limit_exceeded"}
        return made

    async def _find(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        found = [one for one in self.made.values() if one["id"] == request.match_info["id"]]
        return web.json_response(found[0]) if found else _error(404, "not_found", "no such payout")

    @staticmethod
    def _refusal(request: web.Request) -> web.Response | None:
        """None for who may ask."""
        wanted = base64.b64encode(b"500000:test_secret").decode()
        if request.headers.get("Authorization") != f"Basic {wanted}":
            return _error(401, "invalid_credentials", "Basic authentication failed")
        return None


class KnowsReturns(yookassa.YooKassa):
    """A provider that speaks as YooKassa does and has one word more: `returned`, for some days after it has paid."""

    returns_ms = 5 * DAY_MS

    async def ask(self, reference: str) -> Sent:
        status, content = await self._call("GET", f"/payouts/{reference}", None, {})
        if status == 200 and content.get("status") == "returned":
            return Sent(Outcome.RETURNED, reference, content["cancellation_details"]["reason"])
        return await super().ask(reference)


def _error(status: int, code: str, description: str, parameter: str = "") -> web.Response:
    content = {"type": "error", "id": "ab5a11cd", "code": code, "description": description, "parameter": parameter}
    return web.Response(status=status, text=json.dumps(content), content_type="application/json")


def _cut(request: web.Request) -> web.Response:
    """The connection is gone before an answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()
