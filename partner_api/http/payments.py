"""/payments/NAME: what payment providers tell us, over HTTP. No API key: the notification is signed
(partner_api/payments).

PaymentDoor   one request: bounded, read, then taken; the answer is what the provider expects

In this order: is the provider set up, is the body a small form, is it signed; then a test is answered, a question
looked up, and money that came is booked or parked. The answer goes out when that is durable; while it cannot be, it
is 503, and the provider tells it again.

Rule: nothing of an unsigned notification is kept or logged, and none is answered as if it had been taken. What is wrong
with a question is told to the log alone: whoever asks may be anybody.
"""

import asyncio

from aiohttp import web
from structlog import get_logger

from core.errors import RequestError
from core.top_ups import number_of, problem_of
from partner_api.http.ports import PaymentDesk, Ports
from partner_api.payments import PROVIDERS
from partner_api.payments.contract import Notification, Question, Refused, Reply
from partner_api.payments.forms import read_form

log = get_logger()

PATH = "/payments/{provider}"
BODY_MAX = 64 * 1024
BODY_WAIT_S = 20
ANSWER_WAIT_S = 20
"""How long the database may take; the provider is then told to come again."""
FORM = "application/x-www-form-urlencoded"


class PaymentDoor:
    """The door for the providers of a configuration."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    async def answer(self, request: web.Request) -> web.Response:
        """Raises what partner_api/http/problems.py makes an answer of."""
        name, desk = request.match_info["provider"], self._ports.payments
        if desk is None or name not in desk.settings or PROVIDERS[name].read is None:
            raise web.HTTPNotFound
        body = await _read_body(request)
        async with asyncio.timeout(ANSWER_WAIT_S):
            reply = await _answer(name, body, desk)
        return web.Response(status=reply.status, text=reply.text, content_type=reply.content_type)


async def _read_body(request: web.Request) -> bytes:
    if request.content_type != FORM:
        raise RequestError(f"the body must be a form; send Content-Type: {FORM}", status=415)
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise RequestError("the body must not be compressed; send no Content-Encoding", status=415)
    if (request.content_length or 0) > BODY_MAX:
        raise web.HTTPRequestEntityTooLarge(max_size=BODY_MAX, actual_size=request.content_length or 0)
    try:
        async with asyncio.timeout(BODY_WAIT_S):
            body = await request.read()
    except TimeoutError:
        raise RequestError(f"the body did not arrive within {BODY_WAIT_S} s", status=408) from None
    if len(body) > BODY_MAX:
        raise web.HTTPRequestEntityTooLarge(max_size=BODY_MAX, actual_size=len(body))
    return body


async def _answer(name: str, body: bytes, desk: PaymentDesk) -> Reply:
    fields = read_form(body)
    if fields is None:
        raise RequestError("the body is no form, or says a field twice")
    read = PROVIDERS[name].read
    assert read is not None, name
    match read(fields, desk.settings[name]):
        case Refused() as refused:
            log.warning("payment notification refused", provider=name, why=refused.why)
            return refused.reply
        case Question() as question:
            why = problem_of(question.told, await desk.expected(number_of(question.told.top_up)))
            log.info("payment asked about", provider=name, top_up=question.told.top_up[:40], no=why)
            return question.no if why else question.yes
        case Notification() as notification:
            return await _take(name, notification, desk)
    raise AssertionError(name)


async def _take(name: str, notification: Notification, desk: PaymentDesk) -> Reply:
    told = notification.told
    if notification.is_test:
        log.info("payment notification is a test", provider=name, reference=told.reference)
        return notification.reply
    taken = await desk.take(told)
    state = taken.row.state.name.lower()
    log.info("payment", provider=name, payment=taken.row.id, state=state, again=taken.is_repeat)
    return notification.reply
