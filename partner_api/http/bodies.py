"""Bodies of requests: JSON, not compressed, within a time; then a model of them.

read_body    the octets, as they came
read_model   octets → the fields of a model

Rule: what is wrong is a RequestError: 408, 415, 400 for what is no JSON, 422 with `errors` by field.
"""

import asyncio

from aiohttp import web
from pydantic import BaseModel, ValidationError

from core.errors import RequestError
from partner_api.http.sentences import sentence

BODY_WAIT_S = 20
"""How long a body may take to arrive."""


async def read_body(request: web.Request) -> bytes:
    """All of it. Raises RequestError."""
    if request.content_type != "application/json":
        raise RequestError("the body must be JSON; send Content-Type: application/json", status=415)
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise RequestError("the body must not be compressed; send no Content-Encoding", status=415)
    try:
        async with asyncio.timeout(BODY_WAIT_S):
            return await request.read()
    except TimeoutError:
        raise RequestError(f"the body did not arrive within {BODY_WAIT_S} s", status=408) from None


def read_model(model: type[BaseModel], content: bytes) -> BaseModel:
    """The body. Raises RequestError: 400 for what is no JSON, 422 with `errors` for fields that are wrong."""
    try:
        return model.model_validate_json(content)
    except ValidationError as mistakes:
        found = mistakes.errors(include_url=False, include_input=False)
        if found[0]["type"] == "json_invalid":
            raise RequestError(f"the body {sentence(found[0])}") from None
        known = tuple(model.model_fields)
        errors = {".".join(map(str, one["loc"]))[:80] or "body": sentence(one, known) for one in found[:20]}
        raise RequestError("some fields are wrong; see errors", status=422, errors=errors) from None
