"""Requests and answers of real gateways: the vectors ussd_http.json."""

import json
from typing import Any

import pytest

from core.ussd.turn import Reply
from smsc_link.ussd_shapes import SHAPES
from smsc_link.ussd_shapes.contract import HttpAnswer, Wrong, refuse
from tests.core.ussd.makers import vectors
from tests.smsc_link.ussd_shapes.makers import OPTIONS, an_http_request, kind_and_input

ROWS = vectors("ussd_http")
rows = pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])


@rows
def test_a_request_is_the_turn_that_the_vectors_say(row: dict[str, Any]) -> None:
    expected = row["turn"]

    turn = SHAPES[row["shape"]].parse(an_http_request(row["request"]), OPTIONS)

    if expected["kind"] == "invalid":
        assert isinstance(turn, Wrong)
        return
    assert not isinstance(turn, Wrong)
    assert (turn.session, turn.msisdn) == (expected["session"], expected["msisdn"])
    raw = expected.get("previous_text", "") if expected["kind"] != "begin" else None
    kind, code, typed = kind_and_input(turn, raw, is_known=expected["kind"] != "begin")
    assert (kind, typed) == (expected["kind"], expected["input"])
    assert kind != "begin" or code == expected["code"]


@rows
def test_a_reply_is_the_answer_that_the_vectors_say(row: dict[str, Any]) -> None:
    shape, expected = SHAPES[row["shape"]], row["response"]
    turn = shape.parse(an_http_request(row["request"]), OPTIONS)

    if isinstance(turn, Wrong):
        answer = refuse(turn)
    else:
        answer = shape.render(turn, _reply(row), OPTIONS)

    assert (answer.status, answer.content_type) == (expected["status"], expected["content_type"])
    assert {name: dict(answer.headers)[name] for name in expected["headers"]} == expected["headers"]
    if expected["body"] is not None:
        assert _body(answer, expected["body"]) == expected["body"]


def _reply(row: dict[str, Any]) -> Reply | None:
    """What is shown; the screen's name is in the vectors only where the gateway gets it."""
    if row["reply"] is None:
        return None
    body = row["response"]["body"]
    screen = body["ClientState"] or body["Label"].lower() if row["shape"] == "hubtel" else ""
    return Reply(row["reply"]["text"], row["reply"]["end"], screen)


def _body(answer: HttpAnswer, like: object) -> Any:
    return json.loads(answer.body) if isinstance(like, dict) else answer.body.decode()
