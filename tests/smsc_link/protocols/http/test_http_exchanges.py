"""What a trace of an HTTP link knows of an exchange: a request and its answer, who asks, and how much work it costs."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from core.message import Heard
from smsc_link.protocols.http import masking
from smsc_link.protocols.http.ear import AT_ONCE_MAX
from smsc_link.protocols.http.fields import BODY_MAX
from smsc_link.protocols.http.kinds import Kind
from smsc_link.protocols.http.masking import TAIL, Secrets, Veil
from smsc_link.visits import VisitAnswer
from tests.smsc_link.protocols.http.noted import AUTH, NUMBER, SECRET, Traced, hides

PARAMETERS = {"to": "{destination}", "t": "{text}"}


# --- work -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("texts", [False, True])
def test_a_long_body_of_blanks_costs_no_more_than_its_length(texts: bool) -> None:
    traced = Traced({"mo": {"format": "json"}, "auth": AUTH}, texts=texts)
    body = b'{"to": "4446"%s}' % (b" " * (BODY_MAX - 15))
    assert masking._TOKEN.match(" 1") is None, "from each blank it would pass over all the others anew"

    traced.asked("", body, kind="application/json")
    traced.answered(VisitAnswer(200))

    asked, _ = traced.notes.messages
    assert asked.partition(b"\r\n\r\n")[2] == body
    assert not traced.notes.left_out


class Counting(set[bytes]):
    """Numbers that are known, and how often one is looked up."""

    looks = 0

    def __contains__(self, one: object) -> bool:
        self.looks += 1
        return super().__contains__(one)

    def __iter__(self) -> Any:
        raise AssertionError("they are many")


def test_an_id_costs_the_same_however_many_numbers_are_known() -> None:
    veil = Veil(Secrets(()), texts=False)
    known = veil._tails = Counting()
    for number in range(5000):
        veil.knows(Kind.NUMBER, b"7900%07d" % number)

    shown = [veil(Kind.CODE, one, one) for one in (b"1" * 80, b"op-1", b"x79000001234", b"00004999")]

    assert shown == [b"1" * 80, b"op-1", b"*" * 12, b"*" * TAIL]
    assert known.looks <= 2 * (80 + TAIL)


# --- who asks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("answer", "is_there"), [(200, True), (503, True), (401, False), (404, False), (429, False)])
@pytest.mark.parametrize("is_long", [False, True])
def test_a_long_body_of_who_is_refused_is_left_out_and_counted(answer: int, is_there: bool, is_long: bool) -> None:
    traced = Traced({"mo": {"format": "json", "id": "id"}, "auth": AUTH})
    body = json.dumps({"to": "4446", "id": "op-1", "sig": SECRET, "text": "x" * (AT_ONCE_MAX * is_long)}).encode()

    before = traced.asked("", body, kind="application/json")
    traced.answered(VisitAnswer(answer))

    asked, told = traced.notes.messages
    assert told.startswith(b"HTTP/1.1 %d " % answer)
    assert before == (b"" if is_long else asked)
    assert (b'"id": "op-1"' in asked) == (is_there or not is_long)
    assert traced.notes.left_out == (is_long and not is_there)
    assert (b"X-Trace-Left-Out: %d\r\n" % len(body) in asked) == (is_long and not is_there)


def test_a_refusal_in_the_mappings_own_words_is_no_refusal_of_the_caller() -> None:
    traced = Traced({"mo": {"format": "json", "id": "id", "never": {"status": 404}}})
    traced.asked("", json.dumps({"id": "op-1", "text": "x" * AT_ONCE_MAX}).encode(), kind="application/json")

    traced.answered(traced.adapter.reader.answer("mo", Heard.NEVER)(id="", reason="to is no number"))

    assert b'"id": "op-1"' in traced.notes.messages[0]


# --- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [NUMBER, f"8{NUMBER[1:]}", f"+{NUMBER}"])
def test_a_number_of_the_request_is_hidden_in_the_word_and_the_id_of_its_answer(number: str) -> None:
    json_link = Traced({"submit": {"path": "/s", "parameters": PARAMETERS, "answer": {"word": "status", "id": "id"}}})
    text_link = Traced(
        {"submit": {"path": "/s/{destination}", "parameters": {"t": "{text}"},
                    "answer": {"separator": ":", "word": "0", "id": "1"}}}
    )  # fmt: skip
    said = {"status": f"REJECTED:{number}", "id": number, "code": "b7"}

    by_json = json_link.sent("x", (200, "application/json", json.dumps(said).encode()))
    by_text = text_link.sent("x", (200, "text/plain", f"{number}:{number}:b7".encode()))

    for noted in (by_json, by_text):
        answer = noted.partition(b"HTTP/1.1 200")[2]
        assert hides(answer, NUMBER[-TAIL:])
        assert b"7900*****33" in noted
    assert b'"id": "%s"' % (b"*" * len(number)) in by_json
    assert by_text.endswith(b"%s:%s:**" % (b"*" * len(number), b"*" * len(number)))


def test_a_number_of_another_exchange_is_no_reason_to_hide_an_id() -> None:
    traced = Traced({"mo": {"id": "id"}})

    traced.asked(f"from={NUMBER}&to=4446&text=x&id=1")
    noted = traced.asked(f"from=79005556677&to=4446&text=x&id={NUMBER}")

    assert f"&id={NUMBER}".encode() in noted


# --- secrets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "charset"), [("pässwörd1", "latin-1"), ("парольparol1", "cp1251"), ("парольparol1", "utf-16-be")]
)
def test_a_secret_in_another_charset_is_hidden_with_texts_too(word: str, charset: str) -> None:
    traced = Traced(
        {"mo": {"charset": charset, "id": "id"}, "submit": {"path": "/s", "parameters": PARAMETERS}},
        texts=True, password=word,
    )  # fmt: skip
    octets = word.encode(charset)

    asked = traced.asked(f"from=1&to=4446&text=a{quote(octets)}z&id=op-1")
    answer = traced.sent("x", (200, "text/plain", b"wrong " + octets))

    assert b"&id=op-1" in asked
    assert quote(octets).encode() not in asked
    assert octets not in answer


@pytest.mark.parametrize("encoding", ["hex", "base64"])
@pytest.mark.parametrize("texts", [False, True])
def test_our_own_signature_is_hidden_where_an_answer_repeats_it(texts: bool, encoding: str) -> None:
    auth = {"kind": "hmac", "header": "X-Signature", "prefix": "v1=", "encoding": encoding}
    submit = {"path": "/s", "method": "POST", "format": "form", "parameters": PARAMETERS, "auth": auth}
    traced = Traced({"submit": {**submit, "answer": {"word": "status", "id": "id"}}}, texts=texts)
    [request] = traced.written("x")
    signature = dict(request.headers)["X-Signature"].removeprefix("v1=")

    said = {"status": f"bad={signature}", "id": signature[:80], "note": f"we had {signature}, not v1"}
    noted = traced.sent("x", (200, "application/json", json.dumps(said).encode()))

    assert hides(noted, signature)
    assert not traced.notes.left_out


def test_a_key_that_the_mapping_names_so_is_hidden_where_an_answer_repeats_it() -> None:
    submit = {
        "path": "/s?apikey=q%2B9f8e7d6c", "parameters": {**PARAMETERS, "keyword": "GAMES", "token": "t-1a2b3c4d"},
        "headers": {"X-Api-Key": "Key 5e6f7a8b9c", "X-Brand": "brand-2026"},
    }  # fmt: skip
    traced = Traced({"submit": submit}, texts=True)

    def answered(word: str) -> bytes:
        return traced.sent("x", (200, "text/plain", f"we had {word} of you".encode())).partition(b"HTTP/1.1 200")[2]

    for key in ("q+9f8e7d6c", "t-1a2b3c4d", "5e6f7a8b9c"):
        assert hides(answered(key), key)
    for word in ("GAMES", "brand-2026"):
        assert word.encode() in answered(word)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/send/KEY-9f8e7d6c5b4a/v1", "/send/****************/v1"),
        ("/cgi-bin/sendsms", "/cgi-bin/sendsms"),
        ("/api/v2.1/messages.json", "/api/v2.1/messages.json"),
        ("/api/2/send_sms.php", "/api/2/send_sms.php"),
        ("/bot123456:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/send", "/********************************************/send"),
        ("/s/AbCdEfGhIjKlMnOpQrStUvWxYz", "/s/**************************"),
        ("/s/12345678", "/s/********"),
    ],
)
@pytest.mark.parametrize("texts", [False, True])
def test_of_our_path_only_what_is_plainly_technical_is_shown(path: str, shown: str, texts: bool) -> None:
    traced = Traced({"submit": {"path": path, "parameters": PARAMETERS}}, texts=texts)

    assert traced.sent("x").startswith(f"GET {shown}?to=".encode())
