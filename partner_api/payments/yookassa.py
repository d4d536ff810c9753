"""YooKassa: payouts to YooMoney wallets by its API.

After «Выплаты на кошельки ЮMoney» and «Формат взаимодействия с API ЮKassa» (YooKassa developers): POST /payouts with
an Idempotence-Key gives the payout; the same key within 24 hours gives the same one. `status` is pending, succeeded
or canceled (then cancellation_details.reason); GET /payouts/ID gives it again. 400 refuses the request; after 500,
and without an answer, it is not known whether it was carried out: repeat it with the same key. `succeeded` and
`canceled` are final: of what comes back later the API says nothing.

Rule: what is not clearly refused may have been paid. It stays unknown until the provider, or a person, has said.
"""

import json
from collections.abc import Mapping
from typing import Any

import aiohttp

from core.clock import HOUR_MS
from core.money import format_micros, parse_micros
from partner_api.payments.contract import Order, Outcome, PayoutWay, Provider, Sent, Setting, Settings
from partner_api.payments.forms import amount_of

NAME = "yookassa"
ANSWER_MAX = 64 * 1024
_STATES = {"succeeded": Outcome.PAID, "pending": Outcome.PENDING, "canceled": Outcome.REFUSED}
_REFERENCE_MAX = 80


class YooKassa:
    """One gateway of ours there."""

    repeat_ms = 23 * HOUR_MS
    """An hour less than the provider keeps a key."""
    returns_ms = 0
    """`succeeded` is its last word: what comes back is told by a person."""

    def __init__(self, settings: Settings, session: aiohttp.ClientSession) -> None:
        self._url = settings["url"].rstrip("/")
        self._who = aiohttp.encode_basic_auth(settings["gateway"], settings["secret"])
        self._session = session

    async def send(self, order: Order) -> Sent:
        """Ask for a payout; again with the same key it is the same one."""
        body = {
            "amount": {"value": amount_of(order.amount), "currency": order.currency},
            "payout_destination_data": {"type": "yoo_money", "account_number": order.details.get("wallet", "")},
            "description": f"Payout {order.number}",
            "metadata": {"payout": str(order.number)},
        }
        status, content = await self._call("POST", "/payouts", body, {"Idempotence-Key": order.key})
        if status == 200:
            return _read(content, order)
        if status == 400 and str(content.get("parameter", "")).lower() != "idempotence-key":
            return Sent(Outcome.REFUSED, sentence=_sentence(content, "the request is refused"))
        return _unclear(status, content)

    async def ask(self, reference: str) -> Sent:
        """What became of one that it has."""
        status, content = await self._call("GET", f"/payouts/{reference}", None, {})
        if status == 200 and content.get("id") == reference:
            return _read(content, None)
        return _unclear(status, content, reference)

    async def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, Any]]:
        """Status and content; status 0 without an answer, -1 for one that cannot be read."""
        request: dict[str, Any] = {
            "json": body,
            "headers": {**headers, "Authorization": self._who},
            "allow_redirects": False,
        }
        try:
            async with self._session.request(method, f"{self._url}{path}", **request) as answer:
                text = await _read_some(answer.content)
                content = json.loads(text) if text is not None else None
                return answer.status, content if isinstance(content, dict) else {}
        except TimeoutError:
            return 0, {"description": "nothing came in time"}
        except (aiohttp.ClientError, OSError) as error:
            return 0, {"description": str(error) or type(error).__name__}
        except ValueError:
            return -1, {"description": "the answer is no JSON"}


async def _read_some(content: aiohttp.StreamReader) -> bytes | None:
    """The body; None for one that is too long."""
    text = bytearray()
    async for piece in content.iter_chunked(8192):
        text += piece
        if len(text) > ANSWER_MAX:
            return None
    return bytes(text)


def _read(content: Mapping[str, Any], order: Order | None) -> Sent:
    reference, state = content.get("id"), _STATES.get(str(content.get("status")))
    if not isinstance(reference, str) or not 0 < len(reference) <= _REFERENCE_MAX or state is None:
        return Sent(Outcome.UNKNOWN, sentence="the answer names no payout or no known status")
    if order is not None and (wrong := _other_amount(content, order)):
        return Sent(Outcome.UNKNOWN, reference, wrong)
    details = content.get("cancellation_details")
    reason = details.get("reason", "") if isinstance(details, dict) else ""
    sentence = f"cancelled by the provider: {reason or 'no reason given'}" if state is Outcome.REFUSED else ""
    return Sent(state, reference, sentence[:200])


def _other_amount(content: Mapping[str, Any], order: Order) -> str:
    """That an answer is about another amount than was asked for; "" where it is the same."""
    said = content.get("amount")
    try:
        amount = parse_micros(str(said["value"])) if isinstance(said, dict) else -1
        currency = str(said["currency"]) if isinstance(said, dict) else ""
    except (KeyError, ValueError):
        amount, currency = -1, ""
    if (amount, currency) == (order.amount, order.currency):
        return ""
    return f"the answer is about another amount than {format_micros(order.amount)} {order.currency}"


def _unclear(status: int, content: Mapping[str, Any], reference: str = "") -> Sent:
    sentence = _sentence(content, f"status {status}, with no reason")
    return Sent(Outcome.UNKNOWN, reference, sentence, heard=status != 0)


def _sentence(content: Mapping[str, Any], otherwise: str) -> str:
    said = content.get("description") or content.get("code")
    return str(said)[:200] if said else otherwise


def _payouts(settings: Settings, session: aiohttp.ClientSession) -> PayoutWay:
    return YooKassa(settings, session)


def _fault(settings: Settings) -> str:
    if not settings["url"].startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
        return "url: must begin with https://"
    return ""


PROVIDER = Provider(
    settings=(
        Setting("secret", "the secret key of the gateway for payouts", is_secret=True),
        Setting("gateway", "the id of the gateway (agentId)"),
        Setting("url", "where its API is", "https://api.yookassa.ru/v3"),
    ),
    currency=lambda _: "RUB",
    payouts=_payouts,
    fault=_fault,
)
