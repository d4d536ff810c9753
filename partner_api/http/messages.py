"""/v1/messages: what became of a message, and the reply to an MO.

ROUTES       GET /v1/messages/{id}, POST /v1/messages/{id}/reply
view_of      a message's life → what its partner is shown of it

Rule: another partner's message is as unknown as one that never was: 404, the same words.
"""

from core.clock import Instant, iso_of
from core.errors import RequestError
from core.money import format_micros
from partner_api.http.calls import Answered, Call, Route
from partner_api.http.repeats import once
from partner_api.http.views import CallbackView, MoView, MtView, QueuedReply, ReplyBody, State, Step
from store.life import CallbackLife, MoLife, MtLife, Remembered
from store.messages import read_partner_message

ID_MAX = 2**63 - 1
_RANKS = {"queued": 0, "submitted": 1, "unknown": 2}
_END = 3
"""Of all other states: a late receipt leads out of unknown as well."""


async def read_message(call: Call) -> Answered:
    """An MT, or an MO with its reply."""
    message_id = _id(call)
    partner = call.partner
    found = await call.ports.run_read(lambda connection: read_partner_message(connection, partner.id, message_id))
    if found is None:
        raise _unknown(call)
    return 200, view_of(found, partner.currency)


async def reply(call: Call) -> Answered:
    """Queue the reply to an MO: the first one stays."""
    mo_id = _id(call)
    assert isinstance(call.body, ReplyBody), call.path
    text = call.body.text

    def answer(mt_id: int, parts: int) -> Remembered:
        queued = QueuedReply(id=str(mt_id), reply_to=str(mo_id), state="queued", parts=parts)
        return Remembered(call.digest, 202, queued.model_dump_json())

    async def carry_out() -> Answered:
        result = await call.ports.reply(call.partner, mo_id, text, call.idempotency(answer))
        match result.outcome:
            case "queued":
                return 202, QueuedReply.model_validate_json(answer(result.mt_id, result.parts).body)
            case "not_found":
                raise _unknown(call)
            case "already_answered":
                raise RequestError(result.sentence or "the message has its reply already; it gets one", status=409)
            case "too_long":
                sentence = result.sentence or "the text is too long; shorten it"
                raise RequestError(sentence, status=422, errors={"text": sentence})
        raise AssertionError(result.outcome)

    return await once(call, carry_out, QueuedReply)


ROUTES = (
    Route(
        "GET", "/v1/messages/{id}", "readMessage", "The state of a message, with times, cost and history",
        read_message, {200: MtView | MoView}, (404,),
    ),
    Route(
        "POST", "/v1/messages/{id}/reply", "replyToMessage", "Answer a subscriber's message",
        reply, {202: QueuedReply}, (404, 409), ReplyBody,
    ),
)  # fmt: skip


def view_of(life: MoLife | MtLife, currency: str) -> MoView | MtView:
    """What a partner is shown of its message; `currency` is that of messages without a charge."""
    return view_of_mt(life, currency) if isinstance(life, MtLife) else view_of_mo(life, currency)


def view_of_mo(mo: MoLife, currency: str) -> MoView:
    """The MO with what it earns, how its partner was called, and its reply."""
    charge = mo.charge
    money = charge.currency or currency
    answered = None if mo.reply is None else view_of_mt(mo.reply, money)
    return MoView(
        kind="mo",
        id=str(mo.id),
        state=None if answered is None else answered.state,
        msisdn=mo.source,
        short_code=mo.short_code,
        prefix=mo.prefix,
        service=mo.service,
        text=mo.text,
        operator=mo.operator,
        country=mo.country,
        price=format_micros(charge.price),
        share=format_micros(charge.partner_part),
        currency=money,
        held=charge.held,
        time=iso_of(mo.accepted_at),
        parts=mo.parts,
        test=mo.test,
        callback=None if mo.callback is None else _view_of_callback(mo.callback),
        reply=answered,
    )


def view_of_mt(mt: MtLife, currency: str) -> MtView:
    """The MT with its history, and what its partner pays for it."""
    return MtView(
        kind="mt",
        id=str(mt.id),
        reply_to=str(mt.reply_to) if mt.reply_to else None,
        state=_state(mt.state),
        to=mt.destination,
        sender=mt.source,
        text=mt.text,
        parts=mt.parts,
        price=format_micros(mt.price),
        currency=mt.currency or currency,
        created_at=iso_of(mt.created_at),
        submitted_at=_moment(mt.submitted_at),
        final_at=_moment(mt.final_at),
        valid_until=_moment(mt.valid_until),
        error=mt.error,
        history=_history(mt),
    )


def _history(mt: MtLife) -> list[Step]:
    """Times of states are columns, rare moves are rows: both, in order of time; of one moment in that of a life."""
    steps = [(mt.created_at, "queued", "")]
    steps += [(move.at, move.new, move.reason) for move in mt.moves]
    known = {move.new for move in mt.moves if move.new != move.old}
    if mt.submitted_at and "submitted" not in known:
        steps.append((mt.submitted_at, "submitted", ""))
    if mt.final_at and mt.state not in known:
        steps.append((mt.final_at, mt.state, mt.error))
    steps.sort(key=lambda step: (step[0], _RANKS.get(step[1], _END)))
    return [Step(state=_state(state), at=iso_of(at), reason=why) for at, state, why in steps]


def _view_of_callback(callback: CallbackLife) -> CallbackView:
    last = callback.attempts[-1] if callback.attempts else None
    return CallbackView.model_validate(
        {
            "state": callback.state,
            "attempts": len(callback.attempts),
            "tried_at": _moment(last.tried_at) if last else None,
            "due_at": _moment(callback.due_at or 0),
            "status": last.status if last else 0,
            "error": last.error if last else "",
        }
    )


def _state(word: str) -> State:
    assert word in State.__args__, word  # type: ignore[attr-defined]
    return word  # type: ignore[return-value]


def _moment(instant: Instant) -> str | None:
    return iso_of(instant) if instant else None


def read_id(text: str) -> int | None:
    """A message's id as it stands in a path; None: it cannot be one."""
    is_id = text.isascii() and text.isdigit() and len(text) <= len(str(ID_MAX)) and 0 < int(text) <= ID_MAX
    return int(text) if is_id else None


def _id(call: Call) -> int:
    """The id in the path; what cannot be one is as unknown as any other."""
    id_ = read_id(call.path["id"])
    if id_ is None:
        raise _unknown(call)
    return id_


def _unknown(call: Call) -> RequestError:
    return RequestError(f"you have no message {call.path['id'][:40]}", status=404)
