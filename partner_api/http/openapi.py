"""The description of the API, OpenAPI 3.1, made from the routes and their pydantic models.

Rule: nothing is described by hand that a route or a model says.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import TypeAdapter

from partner_api.http.calls import Route
from partner_api.http.problems import CONTENT_TYPE
from partner_api.http.repeats import HEADER, KEY_MAX
from partner_api.http.views import Problem

_REFERENCE = "#/components/schemas/{model}"
_WORDS = {
    200: "Found.",
    201: "Made: durable.",
    202: "Accepted: durable, and on its way.",
    400: "The request cannot be read.",
    401: "No API key, or a wrong one.",
    404: "You have no such thing.",
    409: "It was done before, in another way.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "A field is wrong; see `errors`.",
    429: "Too many wrong keys; wait as long as Retry-After says.",
    503: "The database is away, nothing was lost; send the request again after Retry-After.",
}


def describe(routes: Iterable[Route]) -> dict[str, Any]:
    """The whole document."""
    components: dict[str, Any] = {}
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, components)
    _schema(Problem, components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tollbridge partner API",
            "version": "1",
            "description": "Messages, replies and balances of a partner. Errors are application/problem+json.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "The API key."},
                "login": {"type": "http", "scheme": "basic", "description": "The login, and the API key as password."},
            },
        },
        "security": [{"key": []}, {"login": []}],
    }


def _operation(route: Route, components: dict[str, Any]) -> dict[str, Any]:
    answers = {str(status): _answer(status, _schema(model, components)) for status, model in route.answers.items()}
    for status in _problems_of(route):
        answers[str(status)] = _answer(status, {"$ref": _REFERENCE.format(model="Problem")}, CONTENT_TYPE)
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "parameters": list(_parameters_of(route)),
        "responses": dict(sorted(answers.items())),
    }
    if route.body is not None:
        schema = _schema(route.body, components)
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return operation


def _problems_of(route: Route) -> list[int]:
    common = {401, 429, 503}
    if route.method == "POST":
        common |= {400, 413, 415, 422}
    return sorted(common | set(route.problems))


def _parameters_of(route: Route) -> Iterable[dict[str, Any]]:
    if "{id}" in route.path:
        schema = {"type": "string", "pattern": "^[0-9]{1,19}$"}
        yield {"name": "id", "in": "path", "required": True, "schema": schema, "description": "A message's id."}
    if route.method == "POST":
        yield {
            "name": HEADER,
            "in": "header",
            "required": False,
            "schema": {"type": "string", "pattern": f"^[ -~]{{1,{KEY_MAX}}}$"},
            "description": "The same request again under the same key has one effect and gets the same answer.",
        }


def _answer(status: int, schema: Mapping[str, Any], content_type: str = "application/json") -> dict[str, Any]:
    return {"description": _WORDS[status], "content": {content_type: {"schema": schema}}}


def _schema(model: Any, components: dict[str, Any]) -> dict[str, Any]:
    """The schema of a model, or of one of several; what it refers to goes to the components."""
    made = TypeAdapter(model).json_schema(ref_template=_REFERENCE, mode="serialization")
    components.update(made.pop("$defs", {}))
    if "title" in made and "$ref" not in made and "anyOf" not in made:
        name = str(made["title"])
        components[name] = made
        return {"$ref": _REFERENCE.format(model=name)}
    return dict(made)
