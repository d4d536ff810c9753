"""What a link submits is read by the pocket aggregator as it was meant; what is wrong with it is said."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.aggregator.submissions import Submission, SubmissionReader, Wrong
from smsc_link.protocols.http.outbound import Outgoing
from tests.sim.mappings import adapter, asked, mapping
from tests.smsc_link.ends import an_mt

NOW = 1_767_225_600_000
ANNA = "79001112233"
ANSWER = {"separator": ":", "word": "0", "accepted_words": ["OK"], "id": "1"}
SHAPES: dict[str, dict[str, Any]] = {
    "query": {"path": "/send?key=9&who={user}", "parameters": {
        "from": "{source}", "to": "{destination}", "text": "{text}", "ref": "{id}", "charset": "UTF-8",
        "ttl": "{validity_s}", "pw": "{password}"}},
    "form": {"path": "/v2/{link}/sms", "method": "POST", "format": "form", "parameters": {
        "n": "tel:{destination}", "t": "{text_hex}", "dlr": True, "prio": 3}, "headers": {"X-Who": "{user}@{link}"}},
    "json": {"path": "/v1", "method": "POST", "format": "json", "parameters": {
        "messages.0.to": "{destination}", "messages.0.text": "{text}", "messages.0.ref": "{id}", "messages.0.dlr": True,
        "ttl": "{validity_min}"}},
    "hex": {"path": "/send", "parameters": {
        "to": "{destination}", "data": "{octets_hex}", "dcs": "{coding}", "udh": "{udh_hex}"}, "long": "parts"},
    "parts": {"path": "/send", "parameters": {
        "to": "{destination}", "text": "{text}", "part": "{part}", "of": "{parts}", "ref": "{reference}"},
        "long": "parts"},
}  # fmt: skip
AUTHS: list[dict[str, Any]] = [
    {"kind": "basic"},
    {"kind": "token", "prefix": "Bearer "},
    {"kind": "hmac", "header": "X-Sign", "signed": ["timestamp", "method", "path", "query", "body"], "joiner": "\n",
     "timestamp": "X-Time", "prefix": "v1="},
    {"kind": "hmac", "header": "X-Sign", "encoding": "base64", "algorithm": "sha1"},
]  # fmt: skip
TEXTS = st.text(st.characters(codec="utf-16-be", exclude_categories=("Cc", "Cs")), min_size=1, max_size=300)


def options(shape: str, **more: Any) -> dict[str, Any]:
    return {"submit": {**SHAPES[shape], "answer": ANSWER, **more}}


def sent(given: dict[str, Any], text: str, **values: Any) -> list[Outgoing]:
    return adapter(given, **values).write(an_mt(text, id=77, parts=2, valid_until=NOW + 3_600_000), 7, NOW)


@pytest.mark.parametrize("shape", SHAPES)
@given(text=TEXTS)
@settings(max_examples=30)
def test_any_text_is_read_as_it_was_meant(shape: str, text: str) -> None:
    reader = SubmissionReader(mapping(options(shape)))

    read = [reader.read(asked(one)) for one in sent(options(shape), text)]

    assert all(isinstance(one, Submission) for one in read), read
    submissions = [one for one in read if isinstance(one, Submission)]
    assert "".join(one.text for one in submissions) == text
    assert {one.destination for one in submissions} == {ANNA}
    assert [one.piece.sequence for one in submissions if one.piece] == (
        list(range(1, len(submissions) + 1)) if len(submissions) > 1 else []
    )


@pytest.mark.parametrize("auth", AUTHS, ids=str)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_link_is_known_and_nobody_else(shape: str, auth: dict[str, Any]) -> None:
    given_options = options(shape, auth=auth)
    reader = SubmissionReader(mapping(given_options, password="right"))
    [known] = sent(given_options, "Thank you", password="right")
    [other] = sent(given_options, "Thank you", password="wrong")

    assert isinstance(reader.read(asked(known)), Submission)
    refused = reader.read(asked(other))
    assert isinstance(refused, Wrong)
    assert refused.status == 401
    assert "submit.auth" in refused.sentence
    assert "right" not in refused.sentence + "wrong" or "wrong" not in refused.sentence
    bare = reader.read(asked(Outgoing(known.method, known.target, (), known.body, "")))
    assert isinstance(bare, Wrong)
    assert "is missing" in bare.sentence


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("/send?", "/other?", "submit.path: the request has another path"),
        ("charset=UTF-8", "charset=KOI8", "submit.parameters.charset: it is missing, or is not what the mapping says"),
        ("key=9", "key=8", "submit.path.key: it is missing"),
        ("who=tollbridge", "who=another", "submit.path.who: this is not the link's {user}"),
        ("pw=secret", "pw=guess", "submit.parameters.pw: this is not the link's {password}"),
        ("&text=", "&taxt=", "submit.parameters.text: it is missing"),
        ("&to=", "&to=1&to=", "a name stands twice in the query"),
        ("text=Thank", "text=%FF", "the query is not in utf-8"),
    ],
)
def test_what_is_not_as_the_mapping_says_is_named(before: str, after: str, said: str) -> None:
    [one] = sent(options("query"), "Thank you")
    assert before in one.target
    changed = Outgoing(one.method, one.target.replace(before, after), one.headers, one.body, "")

    read = SubmissionReader(mapping(options("query"))).read(asked(changed))

    assert isinstance(read, Wrong)
    assert said in read.sentence
    assert read.status in (400, 404)


def test_another_method_and_a_body_that_is_no_json_are_named() -> None:
    reader = SubmissionReader(mapping(options("json")))

    for method, said in (("GET", "submit.method: it is POST"), ("POST", "the body is no JSON")):
        read = reader.read(asked(Outgoing(method, "/v1", (), b"{", "")))
        assert isinstance(read, Wrong)
        assert said in read.sentence


def test_a_url_for_the_receipt_is_kept_with_its_id() -> None:
    given_options = {
        "public_url": "https://sms.example.com",
        "submit": {"path": "/send", "answer": ANSWER, "parameters": {
            "to": "{destination}", "text": "{text}", "dlr": "{receipt_url}?id={id}&state=%d"}},
    }  # fmt: skip
    [one] = sent(given_options, "Thank you")

    read = SubmissionReader(mapping(given_options)).read(asked(one))

    assert isinstance(read, Submission)
    assert (read.own_id, read.receipt_query) == ("77", "id=77&state=%d")
