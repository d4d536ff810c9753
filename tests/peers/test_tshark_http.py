"""A trace of a link over HTTP, as tshark's dissectors of HTTP, JSON, forms and XML read it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import encode_basic_auth, web

from smsc_link.tracing import Trace
from tests.peers.capture import missing
from tests.peers.programs import cannot_run
from tests.smsc_link.dissect import details, dissected
from tests.smsc_link.protocols.http.aggregator import Rig, sends
from tests.smsc_link.protocols.http.noted import hides
from tests.smsc_link.protocols.http.test_http_trace import ANNA, ANSWER, JSON, PASSWORD, TEXT, by_json, by_query, traced

FORM: dict[str, Any] = {
    "reply": "answer",
    "hold_s": 0.2,
    "auth": {"kind": "basic", "user": "them", "secret": "key-of-theirs"},
    "mo": {"format": "form", "taken": {"body": "<ok>{id}</ok>", "content_type": "application/xml"}},
    "submit": {"path": "/s", "method": "POST", "format": "form", "auth": {"kind": "basic"},
               "parameters": {"to": "{destination}", "text": "{text}", "id": "{id}"}, "answer": {"own_id": True}},
}  # fmt: skip


async def by_form(rig: Rig, trace: Trace) -> None:
    """A form with a login, an answer in XML, an MT as a form, an answer in HTML, a body that is none."""
    known = {"Authorization": encode_basic_auth("them", "key-of-theirs")}
    mo = {"from": ANNA, "to": "4446", "text": TEXT}
    for body in (mo, {**mo, "text": TEXT * 2000}, b"\x1f\x8b" * 20_000):
        async with rig.client.post(rig.url, data=body, headers=known) as answer:
            assert answer.status in (200, 400)
    rig.aggregator.answers = lambda asked: web.Response(text=f"<h1>{ANSWER}</h1>", content_type="text/html")
    await sends(rig, ANSWER, destination=ANNA)
    rig.aggregator.answers = lambda asked: web.Response(text=f"<r>{ANSWER}</r>", content_type="application/xml")
    await sends(rig, ANSWER, destination=ANNA)
    rig.aggregator.answers = lambda asked: web.Response(status=204)
    await sends(rig, ANSWER, destination=ANNA)


STORIES: dict[str, tuple[dict[str, Any], Any, int, int]] = {
    "json": (JSON, by_json, 8, 0),
    "query": ({}, by_query, 8, 0),
    "form": (FORM, by_form, 12, 2),
}
SHOWN = {
    "json": ("JavaScript Object Notation", "Key: text", "[Request in frame: "),
    "query": ("Request URI Query Parameter: to=4446", "[Request in frame: "),
    "form": ("HTML Form URL Encoded", "eXtensible Markup Language", "[Request in frame: "),
}


@pytest.mark.peers
@pytest.mark.parametrize("texts", [False, True])
@pytest.mark.parametrize("story", STORIES)
def test_every_message_is_dissected_and_none_is_malformed(story: str, texts: bool, tmp_path: Path) -> None:
    if missing():
        cannot_run(missing())
    options, tell, count, left_out = STORIES[story]
    trace, written, ports = asyncio.run(traced(options, tell, texts=texts))
    file = tmp_path / "http.pcap"
    file.write_bytes(written)

    assert len(dissected(file, "http", *ports)) == count
    assert trace.left_out == left_out - (texts and story == "form"), "stars are no XML, its text is"
    shown = details(file, "http", *ports)
    assert hides(shown.encode(), PASSWORD, "key-of-theirs", *(() if texts else (TEXT, ANSWER, ANNA)))
    for name in SHOWN[story]:
        assert name in shown, name
