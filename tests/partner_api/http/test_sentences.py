"""What is said of a wrong field: our words, whatever pydantic finds."""

from typing import Any

import pytest
from pydantic_core import ErrorDetails, PydanticKnownError
from pydantic_core._pydantic_core import list_all_errors

from core.errors import RequestError
from partner_api.http.bodies import read_model
from partner_api.http.sentences import sentence
from partner_api.http.views import TEXT_MAX, ReplyBody


def errors_of(content: str) -> dict[str, str]:
    with pytest.raises(RequestError) as caught:
        read_model(ReplyBody, content.encode())
    assert caught.value.status == 422
    return caught.value.errors


@pytest.mark.parametrize(
    ("content", "errors"),
    [
        ("{}", {"text": "is missing; add it to the object"}),
        ('{"text": 7}', {"text": 'must be a string; send it in quotes, like "…"'}),
        ('{"text": ""}', {"text": "must not be empty; send at least one character"}),
        ('{"text": "%s"}' % ("x" * 40_000), {"text": f"is too long; send at most {TEXT_MAX} characters"}),
        ('{"text": "x", "form": "y"}', {"form": "is no key of this call; leave it out"}),
        ('{"text": "x", "txet": "y"}', {"txet": "is no key of this call; leave it out; did you mean text?"}),
        ("[]", {"body": 'must be an object; send {"…": …}'}),
        ("null", {"body": 'must be an object; send {"…": …}'}),
    ],
)
def test_a_wrong_field_says_what_is_wrong_and_what_to_do(content: str, errors: dict[str, str]) -> None:
    assert errors_of(content) == errors


def test_what_is_no_json_says_where_it_ends_to_be() -> None:
    with pytest.raises(RequestError, match=r"^the body is not JSON \(EOF while parsing.* column 9\); send an object"):
        read_model(ReplyBody, b'{"text": ')


def test_nothing_that_pydantic_can_say_is_sent_as_it_says_it() -> None:
    for known in list_all_errors():
        kind: Any = known["type"]
        context: Any = known.get("example_context")
        error = PydanticKnownError(kind, context)
        finding = ErrorDetails(type=kind, loc=("key",), msg=error.message(), input=None)
        if context:
            finding["ctx"] = context

        said = sentence(finding, ("text",))

        assert said.isprintable(), kind
        assert said[:1].islower(), kind
        assert error.message() not in said, kind
