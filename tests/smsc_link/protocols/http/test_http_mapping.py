"""The pure side of the mapping: whatever comes in is read or refused, whatever goes out is escaped by where it goes."""

import json
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as some

from core.message import ReceiptState, SubmitOutcome
from core.sms.parts import Piece
from smsc_link.adapter import Unreadable
from smsc_link.protocols.http import HttpAdapter
from smsc_link.protocols.http.fields import BadForm, Fields, Once, find, identity, plant, read_fields, read_json
from smsc_link.protocols.http.outbound import PLACES, Outgoing
from smsc_link.protocols.http.templates import BadTemplate, Template, as_header, as_json, as_query, as_xml, escape_for
from smsc_link.visits import Visit
from tests.smsc_link.ends import a_link, an_mt, an_operator
from traffic.ports import Delivery

NO_HEX = "is no hex, two digits for each octet; send it so"
SMS = some.text(some.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)


def adapter(options: dict[str, Any] | None = None, **values: Any) -> HttpAdapter:
    return HttpAdapter(a_link(protocol="http", options=options or {}, **values), an_operator())


def visit(query: str = "", body: bytes = b"", tail: str = "") -> Visit:
    return Visit("POST" if body else "GET", "/links/alpha-1", tail, query, {}, body, "127.0.0.1")


def read(one: HttpAdapter, asked: Visit) -> list[Any]:
    table = one.table_of(asked)
    assert table is not None, asked.tail
    what, entries = one.entries(asked, partial(one.fields_of, asked, table))
    return [one.read(what, fields, 1000, 5, lambda heard: True) for fields in entries]


def mo(one: HttpAdapter, query: str, body: bytes = b"") -> Delivery:
    [found] = read(one, visit(query, body))
    assert isinstance(found, Delivery), found
    return found


# --- what comes in ----------------------------------------------------------------------------------------------------


@given(SMS)
def test_any_text_is_read_as_it_was_meant_by_query_form_and_json(text: str) -> None:
    pairs = f"from=79001112233&to=4446&text={quote(text)}"
    forms = (
        mo(adapter(), pairs),
        mo(adapter({"mo": {"format": "form"}}), "", pairs.encode()),
        mo(
            adapter({"mo": {"format": "json"}}),
            "",
            json.dumps({"from": 79001112233, "to": "4446", "text": text}).encode(),
        ),
    )

    assert {one.coding.decode(one.octets) for one in forms} == {text}
    assert len({one.fingerprint for one in forms}) == 1, "however it came, it is the same message"


@pytest.mark.parametrize(
    ("charset", "written", "text"),
    [
        ("latin-1", "sch%F6n", "schön"),
        ("cp1251", "%CF%F0%E8%E2%E5%F2", "Привет"),
        ("utf-16-be", "%04%1F%04%40", "Пр"),
        ("ucs2_hex", "041F0440", "Пр"),
        ("gsm_hex", "48651B65", "He€"),
        ("latin1_hex", "E4", "ä"),
    ],
)
def test_a_text_comes_in_every_charset(charset: str, written: str, text: str) -> None:
    one = adapter({"mo": {"charset": charset}})
    found = mo(one, f"from=79001112233&to=4446&text={written}")

    assert found.coding.decode(found.octets) == text
    assert one.coding_of(found.data_coding).decode(found.octets) == text, "a stored part is read by its number"


def test_the_charset_of_one_message_is_named_by_a_field() -> None:
    one = adapter({"mo": {"coding": "c", "codings": {"0": "gsm_hex", "8": "ucs2_hex"}}})

    assert mo(one, "from=79001112233&to=4446&c=8&text=041F").coding.decode(b"\x04\x1f") == "П"
    assert mo(one, "from=79001112233&to=4446&c=0&text=48").octets == b"H"
    assert mo(one, "from=79001112233&to=4446&text=plain").octets == b"plain"


def test_parts_are_told_by_a_header_or_by_numbers() -> None:
    by_header = adapter({"mo": {"udh": "udh"}})
    by_numbers = adapter({"mo": {"reference": "ref", "part": "n", "parts": "of"}})
    plain = "from=79001112233&to=4446&text=x"

    assert mo(by_header, f"{plain}&udh=0500032A0302").piece == Piece(reference=0x2A, total=3, sequence=2, bits=8)
    assert mo(by_header, f"{plain}&udh=").piece is None
    assert mo(by_numbers, f"{plain}&ref=7&n=2&of=3").piece == Piece(reference=7, total=3, sequence=2, bits=16)
    assert mo(by_numbers, f"{plain}&ref=5f2c-uuid&n=1&of=2").piece is not None
    assert mo(by_numbers, f"{plain}&n=1&of=1&ref=").piece is None
    for wrong in ("n=4&of=3", "n=0&of=3", "n=1&of=256", "n=x&of=3", "n=1&of="):
        with pytest.raises(BadForm):
            mo(by_numbers, f"{plain}&ref=1&{wrong}")


def test_a_plus_that_was_not_escaped_and_numbers_as_operators_write_them() -> None:
    one = adapter({"number_form": "national"})
    for written in ("+79001112233", "%2B79001112233", "89001112233", "79001112233", "9001112233"):
        assert mo(one, f"from={written}&to=4446&text=x").source == "79001112233", written
    assert mo(adapter({"mo": {"default_destination": "4446"}}), "from=79001112233&text=x").destination == "4446"


def test_a_redelivery_is_known_whatever_became_of_the_numbers_rules_meanwhile() -> None:
    changes: tuple[dict[str, Any], ...] = (
        {},
        {"number_rules": "8>7"},
        {"number_form": "national"},
        {"number_form": "as_is"},
        {"mo": {"default_destination": "4446"}},
        {"mo": {"default_destination": "5557"}, "number_rules": "8+11>99"},
    )
    plain = [mo(adapter(one), "from=89001112233&to=%2B4446&text=GAME") for one in changes]
    bare = [mo(adapter(one), "from=89001112233&text=GAME") for one in changes if "mo" in one]
    part = {"mo": {"udh": "udh"}}
    parts = [mo(adapter(part), f"from=89001112233&to=4446&text=GAME&udh=0500032A020{number}") for number in (1, 2)]

    assert len({one.source for one in plain}) > 1
    assert len({one.fingerprint for one in plain}) == 1
    assert {one.destination for one in bare} == {"4446", "5557"}
    assert len({one.fingerprint for one in bare}) == 1
    assert len({one.fingerprint for one in (plain[0], bare[0], *parts)}) == 4, "other messages are others"


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("to=4446&text=x", "from is no number of 1 to 20 characters; send one"),
        ("from=1&text=x", "to is no number of 1 to 20 characters; send one"),
        ("from=%00&to=4446&text=x", "from is no number of 1 to 20 characters; send one"),
        (f"from={'1' * 21}&to=4446&text=x", "from is no number of 1 to 20 characters; send one"),
    ],
)
def test_numbers_that_are_none_are_refused_by_name(query: str, sentence: str) -> None:
    [found] = read(adapter(), visit(query))

    assert isinstance(found, Unreadable)
    assert found.reason == sentence


@pytest.mark.parametrize(
    ("options", "asked", "sentence"),
    [
        ({}, visit("from=1&from=2&to=4446&text=x"), "from stands twice in the query; send it once"),
        ({}, visit("from=1&to=4446&text=%FF"), "text in the query is not in utf-8; send it so"),
        ({}, visit("&".join(f"a{n}=1" for n in range(300))), "the query has more than 200 fields; send fewer"),
        ({"mo": {"format": "json"}}, visit(body=b"{"), "the body is no JSON; send a JSON object"),
        ({"mo": {"format": "json"}}, visit(body=b"[" * 60_000), "the body is no JSON; send a JSON object"),
        ({"mo": {"format": "json"}}, visit(body=b"\xff"), "the body is no UTF-8; send JSON in UTF-8"),
        (
            {"mo": {"format": "json"}},
            visit(body=b'{"from": {"a": 1}}'),
            "from in the JSON body is no text and no number; send a plain value",
        ),
        (
            {"mo": {"format": "json", "id": "id", "each": "list"}},
            visit(body=b'{"list": []}'),
            "list in the JSON body is not a list of 1 to 1000 entries; send one",
        ),
        ({"mo": {"charset": "ucs2_hex"}}, visit("from=1&to=4446&text=xyz"), f"text {NO_HEX}"),
        ({"mo": {"udh": "u"}}, visit("from=1&to=4446&text=x&u=0"), f"u {NO_HEX}"),
    ],
)  # fmt: skip
def test_a_request_that_cannot_be_read_says_why(options: dict[str, Any], asked: Visit, sentence: str) -> None:
    with pytest.raises(BadForm) as raised:
        read(adapter(options), asked)

    assert str(raised.value) == sentence


@given(some.binary(max_size=300))
def test_whatever_comes_is_read_or_refused_and_nothing_else_happens(octets: bytes) -> None:
    for form in ("query", "form", "json"):
        one = adapter({"mo": {"format": form, "id": "id", "udh": "u", "coding": "c", "codings": {"1": "gsm_hex"}}})
        try:
            found = read(one, visit(octets.decode("latin-1"), octets))
        except BadForm:
            continue
        assert all(isinstance(each, Delivery | Unreadable) for each in found)


def test_what_is_read_once_is_kept_and_so_is_what_is_wrong_with_it() -> None:
    reads: list[bytes] = []

    def read(body: bytes) -> Fields:
        reads.append(body)
        return read_fields("json", "", body, "")

    right, wrong = Once(partial(read, b'{"a": 1}')), Once(partial(read, b"{"))
    assert reads == [], "not before somebody asks"
    for _ in range(3):
        assert right().get("a") == "1"
        with pytest.raises(BadForm, match=r"^the body is no JSON; send a JSON object$"):
            wrong()

    assert reads == [b'{"a": 1}', b"{"]


def test_numbers_in_json_stay_as_they_were_written() -> None:
    assert read_json(b'{"id": 12345678901234567890, "x": 1.10}') == {"id": "12345678901234567890", "x": "1.10"}
    assert read_fields("json", "", b'{"a": {"b": [{"c": true}]}, "a.d": 1}', "").get("a.b.0.c") == "true"
    assert find({"a.b": 1, "a": {"b": 2}}, "a.b") == 1


@given(
    some.dictionaries(
        some.lists(some.text("abc", min_size=1, max_size=3), min_size=1, max_size=3).map(".".join),
        some.text(),
        max_size=5,
    )
)
def test_what_is_planted_is_found(values: dict[str, str]) -> None:
    tree: Any = None
    planted = {}
    for path, value in values.items():
        try:
            tree = plant(tree, path, value)
        except ValueError:
            continue  # one path runs through the value of another
        planted[path] = value

    assert {path: find(tree, path) for path in planted} == planted


def test_a_receipt_is_found_however_its_id_is_written() -> None:
    one = adapter(
        {"receipt": {"id": "id", "states": {"ok": "delivered", "gone": "expired"}, "error": "e", "number": "n"}}
    )
    [found] = read(one, visit("id=00ab-C&status=ok&e=17&n=%2B79001112233", tail="receipt"))

    assert found.keys == ("AB-C",)
    assert (found.state, found.word, found.error, found.source) == (ReceiptState.DELIVERED, "ok", "17", "79001112233")
    assert identity("x" * 65) == identity("x" * 65) != identity("x" * 66)


# --- what goes out ----------------------------------------------------------------------------------------------------


def sent(options: dict[str, Any], text: str, **values: Any) -> Outgoing:
    [request] = adapter({"submit": options}, password="p&s").write(an_mt(text, **values), 1, 1_000)
    return request


@given(SMS)
def test_any_text_arrives_as_it_was_in_query_form_and_json(text: str) -> None:
    parameters = {"to": "{destination}", "t[x]": "<{text}>"}
    query = sent({"path": "/s?own=1", "parameters": parameters}, text)
    form = sent({"path": "/s", "method": "POST", "format": "form", "parameters": parameters}, text)
    as_object = sent({"path": "/s", "method": "POST", "format": "json", "parameters": {"a.0.t": "{text}"}}, text)

    assert dict(parse_qsl(urlsplit(query.target).query, keep_blank_values=True)) == {
        "own": "1", "to": "79001112233", "t[x]": f"<{text}>",
    }  # fmt: skip
    assert dict(parse_qsl(form.body.decode(), keep_blank_values=True))["t[x]"] == f"<{text}>"
    assert json.loads(as_object.body) == {"a": [{"t": text}]}
    assert query.target.isascii()
    assert " " not in query.target


@given(some.text(max_size=60))
def test_a_header_takes_nothing_that_would_begin_another(value: str) -> None:
    try:
        assert not set(as_header(value)) & set("\r\n\0")
    except ValueError:
        assert not (value.isascii() and value.isprintable())


@given(SMS)
def test_an_answer_is_escaped_by_its_type(text: str) -> None:
    assert json.loads('{"reply": "' + as_json(text) + '"}') == {"reply": text}
    assert "<" not in as_xml(text)
    assert escape_for("application/json; charset=utf-8") is as_json
    assert (
        Template('{"a": "{text}", {x} {1}}', ["text", "x"]).fill({"text": '"', "x": ""}, as_json)
        == '{"a": "\\"",  {1}}'
    )


def test_validity_and_receipts_are_told_where_there_are_any() -> None:
    table = {
        "path": "/s",
        "parameters": {"v": "{validity_s}", "m": "{validity_min}", "u": "{receipt_url}?id={id}&s=%d"},
    }
    one = adapter({"submit": table, "public_url": "https://us.example/"})
    [with_end] = one.write(an_mt(valid_until=91_000), 1, 1_000)
    [without] = one.write(an_mt(), 1, 1_000)

    assert dict(parse_qsl(with_end.target.partition("?")[2])) == {
        "v": "90", "m": "1", "u": "https://us.example/links/alpha-1/receipt?id=5&s=%d",
    }  # fmt: skip
    assert "v=" not in without.target


def test_every_place_says_what_it_is_called_and_none_is_worked_out_that_no_template_names() -> None:
    everything = {"path": "/s", "long": "parts", "parameters": {name: "{" + name + "}" for name in PLACES}}
    one = adapter({"submit": everything, "public_url": "https://us.example"}, system_id="we", password="p&s")
    [short] = one.write(an_mt("Hi €", valid_until=181_000), 1, 1_000)
    parts = one.write(an_mt("ы" * 100), 0x1FF, 1_000)

    assert dict(parse_qsl(short.target.partition("?")[2])) == {
        "source": "4446", "destination": "79001112233", "text": "Hi €", "text_hex": "00480069002020ac",
        "octets_hex": "4869201b65", "id": "5", "coding": "0", "validity_s": "180", "validity_min": "3",
        "receipt_url": "https://us.example/links/alpha-1/receipt", "timestamp": "1", "user": "we", "password": "p&s",
        "link": "alpha-1",
    }  # fmt: skip
    told = [dict(parse_qsl(part.target.partition("?")[2])) for part in parts]
    assert [(part["part"], part["parts"], part["reference"]) for part in told] == [("1", "2", "255"), ("2", "2", "255")]
    assert [part["udh_hex"] for part in told] == ["050003ff0201", "050003ff0202"]
    assert [(part["id"], part["coding"]) for part in told] == [("5-1", "2"), ("5-2", "2")]
    assert [part["octets_hex"] for part in told] == [part["text_hex"] for part in told]
    assert "".join(part["text"] for part in told) == "ы" * 100

    few = adapter({"submit": {"path": "/s", "parameters": {"to": "{destination}", "t": "<{text}>"}}})
    assert [name for name, _ in few.writer._values] == ["destination", "text"]


def test_a_place_that_there_is_not_names_those_that_are() -> None:
    with pytest.raises(BadTemplate, match=r"there is no \{txt\} here; known are id, text"):
        Template("{txt}", ["text", "id"])
    with pytest.raises(ValueError):
        as_query("П", "latin-1")


ANSWERS: tuple[tuple[dict[str, Any], int, bytes, SubmitOutcome, str], ...] = (
    ({}, 200, b"anything", SubmitOutcome.ACCEPTED, ""),
    ({}, 204, b"", SubmitOutcome.ACCEPTED, ""),
    ({}, 401, b"", SubmitOutcome.TEMPORARY, ""),
    ({}, 404, b"", SubmitOutcome.PERMANENT, ""),
    ({}, 500, b"", SubmitOutcome.UNANSWERED, ""),
    ({"temporary_status": "500-599"}, 502, b"", SubmitOutcome.TEMPORARY, ""),
    ({"prefix": "OK"}, 200, b" OK 17", SubmitOutcome.ACCEPTED, ""),
    ({"prefix": "OK"}, 200, b"ERR", SubmitOutcome.PERMANENT, ""),
    ({"separator": " ", "id": "1"}, 200, b"ID 00ab\r\n", SubmitOutcome.ACCEPTED, "AB"),
    ({"separator": "|", "word": "0", "throttled_words": ["5"]}, 200, b"5|slow", SubmitOutcome.THROTTLED, ""),
    ({"separator": "|", "word": "3", "accepted_words": ["0"]}, 200, b"0|1", SubmitOutcome.PERMANENT, ""),
    ({"word": "s", "accepted_words": ["0"], "temporary_words": ["9"]}, 200, b'{"s": 9}', SubmitOutcome.TEMPORARY, ""),
    ({"word": "s", "accepted_words": ["0"], "id": "r.0"}, 200, b'{"s": 0, "r": [12]}', SubmitOutcome.ACCEPTED, "12"),
    ({"word": "s", "accepted_words": ["0"]}, 200, b"<html>", SubmitOutcome.UNANSWERED, ""),
    ({"id": "id"}, 200, b"[]", SubmitOutcome.ACCEPTED, ""),
    ({"own_id": True}, 200, b"", SubmitOutcome.ACCEPTED, "5"),
)  # fmt: skip


@pytest.mark.parametrize(("table", "status", "body", "outcome", "key"), ANSWERS)
def test_what_an_answer_means(
    table: dict[str, Any], status: int, body: bytes, outcome: SubmitOutcome, key: str
) -> None:
    one = adapter({"submit": {"path": "/s", "answer": table}})
    [request] = one.write(an_mt(), 1, 1_000)

    answer = one.writer.submit_answer(request, status, body)

    assert (answer.outcome, answer.key) == (outcome, key), answer


@given(some.binary(max_size=200), some.integers(100, 599))
def test_no_answer_breaks_anything(body: bytes, status: int) -> None:
    for table in ({"separator": ":", "word": "0", "id": "1", "accepted_words": ["0"]}, {"word": "a.b", "id": "c.0"}):
        one = adapter({"submit": {"path": "/s", "answer": table}})
        [request] = one.write(an_mt(), 1, 1_000)
        assert len(one.writer.submit_answer(request, status, body).key) <= 64


def test_fields_of_a_json_that_is_no_object_are_empty() -> None:
    assert Fields(["x"], "body").get("a") == ""
    assert Fields("x", "body").get("a") == ""


@pytest.mark.parametrize(
    ("said", "shown"), [("Error for 79001112233", "Error for 7900***33"), ("79001112233 " * 30, "7900***33 " * 6)]
)
def test_an_operators_word_is_kept_without_the_numbers_in_it(said: str, shown: str) -> None:
    answer = {"separator": ":", "word": "0", "accepted_words": ["OK"], "id": "1"}
    receipts = {"id": "id", "error": "error", "states": {"ok": "delivered"}}
    one = adapter({"submit": {"path": "/send", "answer": answer}, "receipt": receipts})

    refused = one.writer.submit_answer(Outgoing("GET", "/", (), b"", ""), 200, f"{said}: barred".encode())
    query = f"id=1&status={quote(said)}&error={quote(said)}"
    [receipt] = read(one, Visit("GET", "/links/alpha-1", "receipt", query, {}, b"", "127.0.0.1"))

    assert refused.sentence == f"HTTP 200: its word is {shown!r}"
    assert (receipt.word, receipt.error) == (shown[:20], shown[:20])
