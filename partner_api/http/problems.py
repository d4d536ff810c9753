"""Errors as application/problem+json (RFC 9457): `type`, `title`, `status`, `detail`, and `errors` by field.

problem          one as a response
problem_of       what aiohttp raises, as one
show_problems    the middleware that makes one of everything that goes wrong

Rule: a malformed request never gives 5xx; 503 is said where the database is away, with Retry-After; 500 is a bug of
ours, logged with its traceback and told without it.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from structlog import get_logger

from core.errors import RequestError, StoreAway

log = get_logger()

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_S = 5
_DETAILS = {
    404: "there is nothing at this path; the calls are described at /v1/openapi.json",
    405: "this path does not know the method; see Allow",
    413: "the body is larger than 256 KiB; send a smaller one",
    417: "nothing else can be expected here than 100-continue; leave the header field Expect out",
}
_NO_SUCH_ORDER = "there is nothing at this path; the calls are described in docs/operators.md, section 18"
ADMIN = "admin-links"
"""The name of a path that is there where administrators are let in (partner_api/http/admin.py)."""
_KEPT_HEADERS = ("Allow", "WWW-Authenticate", "Retry-After", "Location")


def problem(
    status: int, detail: str, *, errors: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> web.Response:
    """One problem. Its type is `about:blank`: the status says what kind it is, the detail what to do."""
    content: dict[str, object] = {
        "type": "about:blank",
        "title": _title(status),
        "status": status,
        "detail": detail,
    }
    if errors:
        content["errors"] = dict(errors)
    # ASCII only: what somebody sent us comes back in it, half surrogate pairs too.
    return web.Response(status=status, text=json.dumps(content), content_type=CONTENT_TYPE, headers=headers)


def _title(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def problem_of(refusal: web.HTTPException, detail: str = "") -> web.Response:
    """What aiohttp refuses by itself, in a sentence of ours."""
    kept = {name: refusal.headers[name] for name in _KEPT_HEADERS if name in refusal.headers}
    return problem(refusal.status, detail or _DETAILS.get(refusal.status, refusal.reason), headers=kept)


def _said_of(request: web.Request, status: int) -> str:
    """Of a path below /admin; openapi.json is for partners alone. Without a key for it, it is a path like any other."""
    is_below = request.path == "/admin" or request.path.startswith("/admin/")
    return _NO_SUCH_ORDER if status == HTTPStatus.NOT_FOUND and is_below and ADMIN in request.app.router else ""


def away(detail: str) -> web.Response:
    """503: nothing was done, or it may have been; the same request may be sent again."""
    return problem(503, detail, headers={"Retry-After": str(RETRY_AFTER_S)})


def away_for(error: StoreAway | TimeoutError, advice: str) -> web.Response:
    """The same: what it is that did not answer, and what to do then."""
    what = "the answer took too long" if isinstance(error, TimeoutError) else "the database is away"
    return away(f"{what}; {advice}")


@web.middleware
async def show_problems(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """The edge of the door: every failure leaves as a problem."""
    try:
        return await handler(request)
    except RequestError as mistake:
        return problem(mistake.status, str(mistake), errors=mistake.errors)
    except (StoreAway, TimeoutError) as error:
        return away_for(error, "send the request again, with the same Idempotency-Key")
    except web.HTTPException as refusal:
        return problem_of(refusal, _said_of(request, refusal.status))
    except (HttpProcessingError, web.RequestPayloadError):
        return problem(400, "the body broke off or cannot be decoded")
    except Exception:
        log.exception("request failed", method=request.method, path=request.match_info.route.name)
        return problem(500, "a mistake of ours; it is in the log")
