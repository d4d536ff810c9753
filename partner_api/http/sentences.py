"""What is wrong with a field of a body, and what to do: pydantic's findings in our words.

sentence   one finding → our sentence; nothing that pydantic says by itself is ever sent

Rule: a sentence never repeats a value; of a key that nobody knows it names the nearest that is known.

Source: pydantic_core.list_all_errors() for the types and their contexts.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic_core import ErrorDetails

from store.provisioning.sentences import did_you_mean

_WANTED = {
    "missing": "is missing; add it to the object",
    "string_type": 'must be a string; send it in quotes, like "…"',
    "string_unicode": "has characters that are no UTF-8; send the body as UTF-8",
    "int_type": "must be a whole number, without quotes",
    "int_from_float": "must be a whole number, without quotes",
    "int_parsing": "must be a whole number, without quotes",
    "int_parsing_size": "is too large a number; send a smaller one",
    "float_type": "must be a number, without quotes",
    "float_parsing": "must be a number, without quotes",
    "finite_number": "must be a number, without quotes",
    "bool_type": "must be true or false, without quotes",
    "bool_parsing": "must be true or false, without quotes",
    "none_required": "must be null, or left out",
    "list_type": "must be a list; send […]",
    "dict_type": 'must be an object; send {"…": …}',
    "model_type": 'must be an object; send {"…": …}',
    "model_attributes_type": 'must be an object; send {"…": …}',
    "string_pattern_mismatch": "has not the form that is wanted; see /v1/openapi.json",
    "datetime_type": 'must be a moment of ISO 8601, like "2026-11-24T08:11:05Z"',
    "datetime_parsing": 'must be a moment of ISO 8601, like "2026-11-24T08:11:05Z"',
    "datetime_from_date_parsing": 'must be a moment of ISO 8601, like "2026-11-24T08:11:05Z"',
    "timezone_aware": 'needs its zone; send it in UTC, like "2026-11-24T08:11:05Z"',
    "url_type": "must be a URL, like https://example.org/receipts",
    "url_parsing": "must be a URL, like https://example.org/receipts",
    "url_scheme": "must be a URL that begins with http:// or https://",
}
_BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
_ANY_OTHER = "is not accepted; see /v1/openapi.json for what is"


def sentence(finding: ErrorDetails, known: Iterable[str] = ()) -> str:
    """What is wrong and what to do; `known` are the keys of the object."""
    kind = finding["type"]
    context: Mapping[str, Any] = finding.get("ctx", {})
    if kind == "extra_forbidden":
        return f"is no key of this call; leave it out{did_you_mean(str(finding['loc'][-1]), known)}"
    if kind in {"string_too_short", "too_short"}:
        return _too_short(kind, int(context["min_length"]))
    if kind in {"string_too_long", "too_long"}:
        what = "characters" if kind == "string_too_long" else "items"
        return f"is too long; send at most {context['max_length']} {what}"
    if kind in {"literal_error", "enum"}:
        return f"must be one of {context['expected']}"
    if kind == "json_invalid":
        return f'is not JSON ({context["error"]}); send an object like {{"…": …}}'
    if kind in {"greater_than_equal", "greater_than", "less_than_equal", "less_than"}:
        return "must be " + " and ".join(f"{_BOUNDS[key]} {value}" for key, value in context.items() if key in _BOUNDS)
    return _WANTED.get(kind, _ANY_OTHER)


def _too_short(kind: str, least: int) -> str:
    what = "character" if kind == "string_too_short" else "item"
    if least == 1:
        return f"must not be empty; send at least one {what}"
    return f"is too short; send at least {least} {what}s"
