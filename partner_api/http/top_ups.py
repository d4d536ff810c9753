"""/v1/top-ups: a partner is about to pay in for its outgoing SMS.

ROUTES       POST /v1/top-ups

Rule: the number is durable before anybody can pay by it, and nothing is booked here: the provider tells what came.
"""

from collections.abc import Callable

from core.errors import RequestError
from core.money import AMOUNT_MAX, BadAmount, floor_to_minor, format_micros, minor_digits, parse_micros
from partner_api.http.calls import Answered, Call, Route
from partner_api.http.ports import PaymentDesk
from partner_api.http.repeats import once
from partner_api.http.views import PayView, TopUpBody, TopUpView
from partner_api.payments import PROVIDERS
from store.life import Remembered
from store.repeats import OnceOnly


async def begin_top_up(call: Call) -> Answered:
    """A number for a payment, and where it is paid."""
    assert isinstance(call.body, TopUpBody), call.path
    name, desk = call.body.provider, call.ports.payments
    if desk is None or name not in desk.settings or PROVIDERS[name].pay is None:
        raise _wrong("provider", "there is no such provider; ask us which there are")
    currency = _currency(call, desk, name)
    amount = _amount(call.body.amount, currency)

    def view(number: int) -> TopUpView:
        return _view(number, name, amount, currency, desk)

    def answer(number: int) -> Remembered:
        return Remembered(call.digest, 201, view(number).model_dump_json())

    async def carry_out() -> Answered:
        return 201, view(await desk.begin(call.partner, name, currency, amount, _once(call, answer)))

    return await once(call, carry_out, TopUpView)


def _once(call: Call, answer: Callable[[int], Remembered]) -> OnceOnly[int] | None:
    return OnceOnly(call.partner.id, call.request_key, answer) if call.request_key else None


def _currency(call: Call, desk: PaymentDesk, name: str) -> str:
    """The provider's: the partner must be able to use it."""
    currency = PROVIDERS[name].currency(desk.settings[name])
    used = {call.partner.currency, *(plan.currency for plan in call.partner.plans)}
    if currency not in used:
        raise _wrong(
            "provider", f"{name} takes {currency}, and you pay in {' or '.join(sorted(used))}; take another one"
        )
    return currency


def _amount(text: str, currency: str) -> int:
    try:
        amount = parse_micros(text)
    except BadAmount as error:
        raise _wrong("amount", str(error)) from error
    if not 0 < amount <= AMOUNT_MAX:
        raise _wrong("amount", f"must be above 0 and at most {format_micros(AMOUNT_MAX)}")
    if amount != floor_to_minor(amount, currency):
        raise _wrong("amount", f"{currency} is paid with {minor_digits(currency)} decimals; write no more")
    return amount


def _wrong(field: str, sentence: str) -> RequestError:
    return RequestError("some fields are wrong; see errors", status=422, errors={field: sentence})


def _view(number: int, name: str, amount: int, currency: str, desk: PaymentDesk) -> TopUpView:
    pay = PROVIDERS[name].pay
    assert pay is not None, name
    how = pay(number, amount, desk.settings[name])
    return TopUpView(
        id=str(number),
        provider=name,
        amount=format_micros(amount),
        currency=currency,
        pay=PayView.model_validate({"method": how.method, "url": how.url, "fields": dict(how.fields)}),
    )


ROUTES = (
    Route(
        "POST", "/v1/top-ups", "beginTopUp", "Begin to pay in for outgoing messages",
        begin_top_up, {201: TopUpView}, (409,), TopUpBody,
    ),
)  # fmt: skip
