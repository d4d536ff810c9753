"""/v1/payouts: a partner asks for its money, and sees what became of it.

ROUTES       POST /v1/payouts, GET /v1/payouts

An Idempotency-Key stands for one payout for good: its answer is forgotten after a day (store/pruning.py), but a client
may repeat its request after a weekend, and must not ask for the same money twice by it.

Rule: asking moves nothing; our people approve it, and they alone send it.
"""

import hashlib
import secrets

from core.clock import iso_of
from core.errors import RequestError, StoreConflict, UserMistake
from core.money import BadAmount, format_micros, parse_micros
from core.payouts import IS_BACK
from partner_api.http.calls import Answered, Call, Route
from partner_api.http.repeats import HEADER, once
from partner_api.http.views import PayoutBody, PayoutsView, PayoutView
from store.life import Remembered
from store.payout_lists import list_payouts
from store.payouts import Ended, PayoutRow, read_payout
from store.repeats import OnceOnly

SHOWN = 100


async def request_payout(call: Call) -> Answered:
    """Ask for an amount, or for all that may be paid."""
    assert isinstance(call.body, PayoutBody), call.path
    currency, desk, partner = call.body.currency, call.ports.payments, call.partner
    amount = None if call.body.amount is None else _amount(call.body.amount)
    if desk is None or not any(target.currency == currency for target in partner.payouts):
        raise _wrong("currency", f"we do not know where your {currency} goes; tell us the account first")

    def answer(row: PayoutRow) -> Remembered:
        return Remembered(call.digest, 201, _view(row).model_dump_json())

    async def carry_out() -> Answered:
        remembered = OnceOnly(partner.id, call.request_key, answer) if call.request_key else None
        try:
            return 201, _view(await desk.request_payout(partner, currency, amount, _key(call), remembered))
        except RequestError:
            raise
        except StoreConflict as other:
            sentence = f"this {HEADER} was used for another request; take a new one"
            raise RequestError(sentence, status=422, errors={HEADER: sentence}) from other
        except Ended as ended:
            raise _over(ended.row) from ended
        except UserMistake as mistake:
            raise _wrong("amount", str(mistake).removeprefix(f"{partner.login}: ")) from mistake

    status, view = await once(call, carry_out, PayoutView)
    assert isinstance(view, PayoutView), view
    if call.request_key:
        # What was remembered is how it began. Who asks again after it was cancelled would wait for ever.
        row = await call.ports.run_read(lambda connection: read_payout(connection, int(view.id)))
        if row.state in IS_BACK:
            raise _over(row)
    return status, view


async def read_payouts(call: Call) -> Answered:
    """The latest first."""
    partner_id = call.partner.id
    rows = await call.ports.run_read(
        lambda connection: list(list_payouts(connection, partner_id=partner_id, limit=SHOWN))
    )
    return 200, PayoutsView(payouts=[_view(row) for row in rows])


def _key(call: Call) -> str:
    """The payout's own key, which is unique for good: of the request's key alone, without its day or its content."""
    word = hashlib.sha256(call.request_key.encode()).hexdigest()[:40] if call.request_key else secrets.token_hex(16)
    return f"api:{call.partner.id}:{word}"


def _amount(text: str) -> int:
    try:
        return parse_micros(text)
    except BadAmount as error:
        raise _wrong("amount", str(error)) from error


def _wrong(field: str, sentence: str) -> RequestError:
    return RequestError("some fields are wrong; see errors", status=422, errors={field: sentence})


def _over(row: PayoutRow) -> RequestError:
    became = Ended(row).became
    sentence = f"{row.text}, for which this {HEADER} asked, {became}; ask for it anew with a new {HEADER}"
    return RequestError(sentence, status=409, errors={HEADER: sentence})


def _view(row: PayoutRow) -> PayoutView:
    return PayoutView.model_validate(
        {
            "id": str(row.id),
            "amount": format_micros(row.amount),
            "currency": row.currency,
            "state": row.state.name.lower(),
            "requested_at": iso_of(row.requested_at),
            "ended_at": iso_of(row.ended_at) if row.ended_at else None,
            # Before its end it is a note of ours: what a provider said to us, or what our people should look at.
            "reason": row.error if row.state in IS_BACK else "",
        }
    )


ROUTES = (
    Route(
        "POST", "/v1/payouts", "requestPayout", "Ask for what you have earned",
        request_payout, {201: PayoutView}, (409,), PayoutBody,
    ),
    Route("GET", "/v1/payouts", "readPayouts", "Your payouts, the latest first", read_payouts, {200: PayoutsView}),
)  # fmt: skip
