"""The call to a partner's end point: what we post, and what an answer means."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ussd.actions import BUSY, Item, Outcome
from core.ussd.asking import ANSWER_MAX, question, read_answer
from tests.core.ussd.makers import MSISDN, Network, balance_menu


def test_a_question_names_the_call_the_subscriber_and_the_answers() -> None:
    network = Network(balance_menu(), language="fr")
    network.dial("*384*1*2*12345#")
    (call,) = network.calls
    session = network.of(MSISDN)
    assert session is not None

    asked = json.loads(question(call, session))

    assert asked == {
        "id": f"{session.id}-{call.visit}",
        "session": session.id,
        "msisdn": MSISDN,
        "code": "*384*1#",
        "menu": "balance",
        "screen": "account",
        "language": "fr",
        "input": "12345",
        "answers": {"account": "12345"},
        "list": False,
    }
    assert "alpha" not in session.id


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ({"outcome": "found", "values": {"debt": 12.50, "count": 3}}, Outcome("found", {"debt": "12.5", "count": "3"})),
        ({"outcome": "unknown"}, Outcome("unknown")),
        ({"text": "PIN?"}, Outcome(text="PIN?")),
        ({"text": "Bye", "end": True}, Outcome(text="Bye", end=True)),
        ({"items": [{"key": "7", "label": "Kitchen"}]}, Outcome(items=(Item("7", "Kitchen"),))),
        ({"items": []}, Outcome()),
    ],
)
def test_an_answer_means_what_the_page_says(answer: dict[str, Any], outcome: Outcome) -> None:
    assert read_answer(200, json.dumps(answer).encode()) == outcome


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (500, b"{}", "status 500"),
        (200, b"", "no JSON"),
        (200, b"[]", "must be an object"),
        (200, b"{}", "one of outcome, text and items"),
        (200, b'{"outcome": "a", "text": "b"}', "one of outcome, text and items"),
        (200, b'{"outcome": "a", "values": {"x": null}}', "values must be texts"),
        (200, b'{"outcome": "a", "values": []}', None),
        (200, b'{"items": [{"key": 7}]}', "each of items"),
        (200, b"[" * 100_000, "longer than"),
        (200, b"[" * (ANSWER_MAX - 1), "no JSON"),
        (200, b'{"outcome": ' + b"9" * 5000 + b"}", None),
        (200, b'"\xff"', "no JSON in UTF-8"),
    ],
)
def test_anything_else_is_busy_and_says_why(status: int, body: bytes, why: str | None) -> None:
    outcome = read_answer(status, body)

    if why is None:
        assert outcome.why == "" or outcome.name == BUSY
    else:
        assert outcome.name == BUSY
        assert why in outcome.why


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["outcome", "text", "end", "values", "items", "key", "label", "x"]), inner)
    ),
)


@given(body=st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_no_answer_breaks_anything(body: bytes) -> None:
    outcome = read_answer(200, body)

    assert len(outcome.text) <= 1000
    assert all(isinstance(value, str) for value in outcome.values.values())
