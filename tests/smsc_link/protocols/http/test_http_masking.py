"""What a trace of an HTTP link shows: no text, number or secret, however it is written and wherever it stands."""

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from html import escape
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as some

from core.message import Heard
from smsc_link.protocols.http.masking import Secrets
from smsc_link.visits import Asked, VisitAnswer
from tests.smsc_link.protocols.http.noted import (
    AUTH,
    ENDS,
    FIRST,
    LAST,
    NUMBER,
    PASSWORD,
    SECRET,
    TEXTS,
    WRITINGS,
    Traced,
    hides,
    raw_octets,
    whole_percent,
)


@given(text=TEXTS, write=some.sampled_from(WRITINGS), form=some.sampled_from(["query", "form"]))
def test_no_text_number_or_secret_of_a_query_or_a_form_is_shown(
    text: str, write: Callable[[str], str], form: str
) -> None:
    traced = Traced({"mo": {"format": form, "id": "id"}, "auth": AUTH})
    pairs = (
        f"from=%2B{NUMBER}&to=4446&text={write(text)}&id=op-1&more={write(text)}&sig={quote(SECRET)}&x&{write(text)}"
    )

    noted = traced.asked(pairs) if form == "query" else traced.asked("", pairs.encode("latin-1"))

    assert hides(noted, FIRST, LAST, NUMBER, SECRET)
    assert not traced.notes.left_out
    if write is not raw_octets:
        assert b"from=%2B7900*****33&to=4446&text=" in noted
        assert b"&id=op-1&****=" in noted


@given(text=TEXTS, ascii_only=some.booleans(), each=some.booleans())
def test_no_text_number_or_secret_of_json_is_shown(text: str, ascii_only: bool, each: bool) -> None:
    mo = {"format": "json", "source": "user.from", "text": "body.0", "id": "id", **({"each": "all"} if each else {})}
    traced = Traced({"mo": mo, "auth": AUTH})
    one = {
        "user": {"from": int(NUMBER), "name": text}, "to": 4446, "body": [text, text], "id": 17, text: [text],
        "key": SECRET, "sig": SECRET,
    }  # fmt: skip
    body = json.dumps({"all": [one, one]} if each else one, ensure_ascii=ascii_only).encode()

    noted = traced.asked("", body, kind="application/json")

    assert hides(noted, FIRST, LAST, NUMBER, SECRET)
    assert not traced.notes.left_out
    found = json.loads(noted.partition(b"\r\n\r\n")[2])
    shown = found["all"][1] if each else found
    assert (shown["user"]["from"], shown["to"], shown["id"], shown["sig"]) == (
        "7900*****33",
        4446,
        17,
        "*" * len(SECRET),
    )
    assert set(shown["body"][0]) == {"*"}


@given(octets=some.binary(max_size=60), form=some.sampled_from(["query", "form", "json"]), texts=some.booleans())
def test_whatever_comes_is_noted_or_left_out_and_hurts_nobody(octets: bytes, form: str, texts: bool) -> None:
    traced = Traced({"mo": {"format": form}, "auth": AUTH}, texts=texts)
    body = octets + f'{{"sig": "{SECRET}"}}'.encode()

    noted = traced.asked(octets.decode("latin-1").replace("\n", ""), body, tail="/receipt", kind="text/x-odd")

    assert hides(noted, SECRET)
    assert (noted.endswith(b"\r\n\r\n"), traced.notes.left_out) == (True, 1)
    traced.asked(octets.decode("latin-1"), body)
    traced.ear.calls(Asked(ENDS, "GET", octets, ((octets, octets),))).asked(octets)
    assert len(traced.notes.messages) == 3
    assert hides(traced.notes.all, SECRET)


@given(text=TEXTS, form=some.sampled_from(["query", "form", "json"]))
def test_no_text_number_or_secret_of_ours_is_shown(text: str, form: str) -> None:
    parameters = {
        "from": "{source}", "to": "{destination}", "text": "{text}", "hex": "{text_hex}", "oct": "{octets_hex}",
        "user": "{user}", "pw": "{password}", "key": "constant-key", "charset": "UTF-8", "id": "{id}", "report": True,
        "url": "{receipt_url}?id={id}&sig=constant-key",
    }  # fmt: skip
    submit = {
        "path": "/v1/{password}/{text}/send?login={user}&p={password}&t={text}", "method": "POST", "format": form,
        "parameters": parameters, "headers": {"X-Key": "constant-key", "X-Id": "{id}"},
        "auth": {"kind": "token", "header": "Authorization", "prefix": "Bearer "},
    }  # fmt: skip
    options = {"submit": submit, "public_url": "https://us.example"}
    login: dict[str, Any] = {"system_id": "tollbridge", "password": "pw-of-ours"}
    traced, with_texts = Traced(options, **login), Traced(options, texts=True, **login)

    noted = traced.sent(text.replace("\n", " "))

    assert hides(with_texts.sent(text.replace("\n", " ")), "pw-of-ours", "constant-key")
    assert hides(noted, FIRST, LAST, NUMBER, "pw-of-ours", "constant-key")
    assert b"/send?login=tollbridge&p=**********&t=*" in noted
    assert b"Authorization: Bearer **********\r\n" in noted
    assert b"UTF-8" in noted
    assert b"7900*****33" in noted
    assert not traced.notes.left_out


@given(text=TEXTS, body=some.sampled_from(["<r><t>{text}</t></r>", '{{"t": "{text}"}}', "{text}"]))
def test_our_answer_with_the_reply_shows_none_of_it(text: str, body: str) -> None:
    kind = {"<": "application/xml", "{": "application/json"}.get(body[0] if body[1:2] in "r{" else "", "text/plain")
    reply = {"body": body.replace("{{", "{").replace("}}", "}"), "content_type": kind}
    traced = Traced({"reply": "answer", "hold_s": 1, "reply_answer": reply}, response_timeout_s=5)
    traced.asked(f"from={NUMBER}&to=4446&text=x")

    noted = traced.answered(
        traced.adapter.reader.reply_answer(text=text, id="op-1", source="4446", destination=NUMBER)
    )  # fmt: skip

    assert hides(noted, FIRST, LAST)
    assert noted.startswith(b"HTTP/1.1 200 OK\r\nServer: Tollbridge\r\n")
    assert not traced.notes.left_out


@pytest.mark.parametrize(
    ("id_", "shown"), [("op-1", "op-1"), (f"{NUMBER}-17", "*" * 14), (f"17/8{NUMBER[1:]}", "*" * 14), ("4446", "4446")]
)
def test_an_answer_says_why_and_a_number_in_an_id_is_hidden_in_it_too(id_: str, shown: str) -> None:
    traced = Traced({"mo": {"id": "id", "taken": {"body": "OK {id}"}}})
    traced.asked(f"from=%2B{NUMBER[0]}+{NUMBER[1:4]}+{NUMBER[4:]}&to=4446&text=x&id={id_}")
    reader = traced.adapter.reader

    assert f"&id={shown}".encode() in traced.notes.messages[0]
    taken = traced.answered(reader.answer("mo", Heard.TAKEN)(id=id_, reason=""))
    assert taken.endswith(f"OK {shown}".encode())
    refused = traced.answered(reader.answer("mo", Heard.NEVER)(id="", reason="to is no number"))
    assert refused.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert refused.endswith(b"\r\n\r\nto is no number")


@pytest.mark.parametrize("texts", [False, True])
@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Basic " + b64encode(f"us:{SECRET}".encode()).decode()},
        {"Authorization": f"Bearer {SECRET}"},
        {"Authorization": SECRET},
        {"X-Signature": f"sha256={SECRET}"},
        {"Cookie": f"a={SECRET}"},
        {"X-Anything": SECRET},
        {"User-Agent": f"curl {quote(SECRET)}"},
        {"X-MSISDN": NUMBER},
    ],
)
def test_header_fields_show_no_secret(headers: dict[str, str], texts: bool) -> None:
    auth = {"kind": "hmac", "secret": SECRET, "header": "X-Signature", "signed": ["query"]}
    traced = Traced({"auth": auth}, texts=texts)
    (name,) = headers

    noted = traced.asked("from=1&to=2", headers={**headers, "Host": "us.example"})

    assert hides(noted, SECRET, NUMBER)
    assert f"\r\n{name}: ".encode() in noted
    assert b"\r\nHost: us.example\r\n" in noted


@pytest.mark.parametrize("texts", [False, True])
def test_a_secret_in_a_path_or_in_another_field_is_hidden(texts: bool) -> None:
    gateway = {"ussd_shape": "flares", "ussd_gateway": {"secret": "s3cret-path"}}
    traced = Traced({**gateway, "auth": AUTH}, texts=texts)

    noted = [
        traced.asked("SessionID=abc&input=1", tail="/ussd/s3cret-path"),
        traced.asked("SessionID=abc&input=1", tail="/usSd/s3cret-path/x"),
        traced.asked(f"from=1&to={quote(SECRET)}&text=1{quote_plus(SECRET)}&{quote(SECRET)}=1&{quote(SECRET)}"),
        traced.asked(f"from=1&password=guess&id={PASSWORD.encode().hex()}"),
    ]

    assert hides(b"\n".join(noted), SECRET, PASSWORD, "s3cret-path", "guess")
    assert b"/links/alpha-1/ussd/***********?SessionID=abc&input=" in noted[0]


@pytest.mark.parametrize(
    "written",
    [
        PASSWORD.encode(), quote(PASSWORD).encode(), quote_plus(PASSWORD).encode(), whole_percent(PASSWORD).encode(),
        json.dumps(PASSWORD).encode(), escape(PASSWORD).encode(), PASSWORD.encode().hex().upper().encode(),
        b64encode(PASSWORD.encode()), b64encode(f"us:{PASSWORD}".encode()),
        PASSWORD.encode("utf-16-be"), quote(PASSWORD.encode("utf-16-be")).encode(),
    ],
)  # fmt: skip
def test_a_secret_is_known_in_every_spelling(written: bytes) -> None:
    secrets = Secrets((PASSWORD, "", "7"), ("us",))

    assert secrets.are_in(b"<" + written + b">")
    assert not secrets.are_in(b"a word of 77 letters")
    assert secrets.are_in(b"7")


@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
@pytest.mark.parametrize("before", ["", "us:", "pä:"])
def test_a_secret_is_known_in_both_alphabets_of_base64(encode: Callable[[bytes], bytes], before: str) -> None:
    secret = "???>>>~~~ÿÿÿ"
    secrets = Secrets((secret,), ("us", "pä"))

    for charset in ("utf-8", "latin-1"):
        written = encode((before + secret).encode(charset))
        assert set(written) & set(b"+/-_")
        assert secrets.are_in(written)


def test_with_texts_the_text_and_the_number_are_there() -> None:
    traced = Traced({"mo": {"id": "id"}}, texts=True)

    assert f"?from={NUMBER}&to=4446&text=GAME+7&id=op-1&pin=****".encode() in traced.asked(
        f"from={NUMBER}&to=4446&text=GAME+7&id=op-1&pin=1234"
    )


@pytest.mark.parametrize(
    ("answer", "masked", "with_texts"),
    [
        ("0: Accepted for delivery", "0:**********************", "0: Accepted for delivery"),
        (f"5: no route to {NUMBER}", "5:************************", f"5: no route to {NUMBER}"),
        (f"1: wrong {quote(PASSWORD)}", None, None),
    ],
)
def test_an_answer_in_text_shows_its_word(answer: str, masked: str | None, with_texts: str | None) -> None:
    submit = {"path": "/s", "parameters": {"t": "{text}"}, "answer": {"separator": ":", "word": "0"}}
    hidden = "*" * len(answer)

    for texts, wanted in ((False, masked), (True, with_texts)):
        noted = Traced({"submit": submit}, texts=texts).sent("x", (200, "text/plain", answer.encode()))
        assert noted.partition(b"HTTP/1.1 200")[2].endswith(b"\r\n\r\n" + (wanted or hidden).encode())


@pytest.mark.parametrize(
    ("kind", "body", "is_left_out"),
    [
        ("application/json", b'{"status": "ACCEPTED", "id": "b7", "to": "79001112233", "note": "x y"}', False),
        ("application/json", b"no JSON", True),
        ("application/xml", b"<r>79001112233</r>", True),
        ("text/html", b"<h1>79001112233</h1>", False),
        ("", b"", False),
    ],
)
def test_an_answer_that_no_dissector_would_take_is_left_out(kind: str, body: bytes, is_left_out: bool) -> None:
    answer = {"word": "status", "id": "id", "accepted_words": ["ACCEPTED"]}
    traced = Traced({"submit": {"path": "/s", "parameters": {"t": "{text}"}, "answer": answer}})

    noted = traced.sent("x", (200, kind, body)).partition(b"HTTP/1.1 200 OK")[2]

    assert hides(noted, NUMBER)
    assert traced.notes.left_out == is_left_out
    assert (b"X-Trace-Left-Out: %d\r\n" % len(body) in noted) == is_left_out
    if body.startswith(b"{"):
        assert noted.endswith(b'{"status": "ACCEPTED", "id": "b7", "**": "***********", "****": "***"}')


def test_a_field_that_stands_twice_is_hidden() -> None:
    traced = Traced({"mo": {"id": "id"}})

    assert b"&id=****&to=4446&id=******" in traced.asked("from=1&id=op-1&to=4446&id=secret")
    json_link = Traced({"mo": {"format": "json", "id": "id"}})
    assert b'{"id": "****", "id": "******"}' in json_link.asked("", b'{"id": "op-1", "id": "secret"}')


@pytest.mark.parametrize("texts", [False, True])
def test_screens_of_ussd_are_texts(texts: bool) -> None:
    traced = Traced({"ussd_shape": "nalo"}, texts=texts)
    given = {"MSISDN": NUMBER, "USERDATA": "my secret", "SESSIONID": "s-1", "MSGTYPE": False}
    screen = {"USERID": "us", "MSISDN": NUMBER, "MSG": "You have 7", "MSGTYPE": True}

    asked = traced.asked("", json.dumps(given).encode(), tail="/ussd", kind="application/json")
    answer = traced.answered(VisitAnswer(200, json.dumps(screen).encode(), "application/json; charset=utf-8"))
    xml = traced.answered(VisitAnswer(200, b"<r>You have 7</r>", "application/xml"))
    plain = traced.answered(VisitAnswer(200, b"CON You have 7"))

    for noted in (asked, answer, xml, plain):
        assert hides(noted, NUMBER, "my secret", "You have") != texts
    assert b'"SESSIONID": "s-1", "MSGTYPE": false' in asked
    assert traced.notes.left_out == (0 if texts else 1)


def test_what_is_too_deep_or_too_much_is_left_out_or_hidden() -> None:
    traced = Traced({"mo": {"format": "json"}}, texts=True)

    traced.asked("", b"[" * 40 + b"]" * 40)
    traced.asked("", b"[" + b"1," * 20_000 + b"1]")
    traced.answered(VisitAnswer(200))
    traced.asked("", b'{"%s": [1]}' % (b"k" * 300))
    assert traced.notes.left_out == 3
    assert b"?*" + b"*" * 10 in Traced(texts=True).asked("&".join(["to=4446"] * 300))


def test_with_texts_an_answer_is_there_but_for_what_is_named_like_a_secret() -> None:
    answer = {"word": "status"}
    traced = Traced({"submit": {"path": "/s", "parameters": {"t": "{text}"}, "answer": answer}}, texts=True)

    noted = traced.sent("x", (200, "application/json", b'{"status": "NO", "why": "no money", "new_token": "abc"}'))

    assert noted.endswith(b'{"status": "NO", "why": "no money", "new_token": "***"}')


def test_a_mistake_of_the_mask_leaves_the_message_out() -> None:
    traced = Traced()
    traced.ear.mapped = None  # type: ignore[assignment]

    hearing = traced.ear.calls(Asked(ENDS, "GET", b"/links/alpha-1", ()))
    hearing.asked(b"")
    hearing.answered(VisitAnswer(200), has_left=True)

    assert not traced.notes.messages
    assert traced.notes.left_out == 2


def test_what_was_not_answered_ends_its_connection() -> None:
    traced = Traced()
    traced.asked("from=1")
    traced.hearing.answered(VisitAnswer(200), has_left=False)

    assert traced.notes.ended == [ENDS]
    assert len(traced.notes.messages) == 1
