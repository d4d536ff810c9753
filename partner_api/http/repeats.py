"""Idempotency-Key: the same request twice has one effect and one answer (interfaces.md, section 5).

read_key    the header, checked
once        carries a request out, or gives the answer that it got before

The answer is remembered in the transaction of the effect, by who carries it out (store.life.Idempotency): so a crash
between the two cannot be, and another process that was faster is found by asking once more. What had no effect (a
refusal) is not remembered: it is judged again.

Rule: the same key with other content is refused with 422, whatever became of the first.
"""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from pydantic import BaseModel

from core.errors import RequestError
from partner_api.http.calls import Answered, Call
from store.life import Remembered
from store.messages import read_remembered

HEADER = "Idempotency-Key"
KEY_MAX = 80
M = TypeVar("M", bound=BaseModel)


def read_key(fields: Sequence[str]) -> str:
    """The key, "" without one. Raises RequestError for two, and for one that is empty, too long or not printable."""
    if not fields:
        return ""
    header = fields[0]
    if not (len(fields) == 1 and 0 < len(header) <= KEY_MAX and header.isascii() and header.isprintable()):
        sentence = f"{HEADER} must be one, of 1 to {KEY_MAX} printable ASCII characters"
        raise RequestError(sentence, errors={HEADER: sentence})
    return header


def digest_of(method: str, path: str, body: bytes) -> str:
    """What makes two requests the same: method, path and body, octet by octet."""
    return hashlib.sha256(b"%b %b\n%b" % (method.encode(), path.encode("utf-8", "surrogateescape"), body)).hexdigest()


async def once(call: Call, carry_out: Callable[[], Awaitable[Answered]], model: type[M]) -> Answered:
    """Carry a request out, unless its key was answered before."""
    if not call.request_key:
        return await carry_out()
    place = (call.partner.id, call.request_key)
    await call.in_flight.enter(place)
    try:
        known = await _known(call)
        if known is not None:
            return known.status, model.model_validate_json(known.body)
        try:
            return await carry_out()
        except RequestError:
            # Another process may have been faster with the same request; then its answer is ours too.
            known = await _known(call)
            if known is None:
                raise
            return known.status, model.model_validate_json(known.body)
    finally:
        call.in_flight.leave(place)


async def _known(call: Call) -> Remembered | None:
    """What the key was answered. Raises RequestError where that was for another content."""
    key, partner_id = call.request_key, call.partner.id
    known = await call.ports.run_read(lambda connection: read_remembered(connection, partner_id, key))
    if known is not None and known.digest != call.digest:
        sentence = f"this {HEADER} was used for another request; take a new one"
        raise RequestError(sentence, status=422, errors={HEADER: sentence})
    return known
