"""A mapping that cannot work says which link, which option, and what to do; one that is empty works as it stands."""

from typing import Any

import pytest

from core.errors import ConfigError
from smsc_link.options import describe
from smsc_link.protocols.http import HttpAdapter, HttpOptions
from tests.smsc_link.ends import a_link, an_operator


def adapter(options: dict[str, Any], **values: Any) -> HttpAdapter:
    return HttpAdapter(a_link(protocol="http", options=options, **values), an_operator())


HMAC = {"kind": "hmac", "header": "X"}
JSON_MO = {"format": "json", "methods": ["POST"], "id": "id"}
FIELDS = ("field:from", "field:to", "field:text")
RECEIPTS = {"id": "id", "states": {"ok": "delivered"}}
WRONG: tuple[tuple[dict[str, Any], str], ...] = (
    ({"submitt": {}}, "no option submitt; did you mean submit?"),
    ({"submit": {"pth": "/x"}}, "no option submit.pth; did you mean submit.path?"),
    ({"submit": {"answer": {"words": ["OK"]}}}, "no option submit.answer.words; did you mean submit.answer.word?"),
    ({"mo": "from"}, "option mo: 'from' is not a table; write [link.options.mo]"),
    ({"mo": {"methods": "GET"}}, "option mo.methods: 'GET' is not a list of at most 64 texts"),
    ({"mo": {"methods": ["FETCH"]}}, "option mo.methods: ['FETCH']; known are GET, POST, PUT"),
    ({"mo": {"format": "xml"}}, "option mo.format: 'xml' is none of query, form, json"),
    ({"mo": {"format": "json", "methods": ["GET"]}}, "option mo.format: a GET has no body; take query, or allow POST"),
    ({"mo": {"taken": {"status": 99}}}, "option mo.taken.status: 99 is not between 200 and 599"),
    ({"mo": {"taken": {"body": "OK {text}"}}}, "option mo.taken.body: there is no {text} here; known are id"),
    ({"mo": {"taken": {"content_type": "a; charset=klingon"}}}, "option mo.taken.content_type: there is no charset kl"),
    ({"mo": {"taken": {"content_type": "a; charset=idna"}}}, "option mo.taken.content_type: there is no charset idna"),
    ({"mo": {"coding": "c"}}, "option mo.coding: it needs mo.codings"),
    ({"mo": {"coding": "c", "codings": {"0": "morse"}}}, "option mo.codings: 'morse' is none of utf-8,"),
    ({"mo": {"codings": ["0"]}}, "option mo.codings: it is not a table of at most 64 names and values"),
    ({"mo": {"each": "list"}}, "option mo.each: only JSON has lists; set mo.format"),
    ({"mo": {"each": "a", "format": "json"}}, "option mo.each: the whole list comes again where one waits; it needs m"),
    ({"mo": {"part": "n"}}, "option mo.part: it needs mo.parts and mo.reference too"),
    ({"receipt": {"id": "id"}}, "option receipt.id: it needs receipt.states"),
    ({"receipt": {"id": "id", "states": {"OK": "fine"}}}, "option receipt.states.OK: 'fine' is none of on_its_way, de"),
    ({"receipt": {"mark": "type"}}, "option receipt.mark: it needs receipt.id"),
    ({"reply": "answer", "hold_s": 10}, "option hold_s: 10 s are too long, the operator waits for 10 s"),
    ({"reply": "maybe"}, "option reply: 'maybe' is none of answer, request"),
    ({"allowed": ["192.0.2.0/33"]}, "option allowed: '192.0.2.0/33' is no address and no network; write 192.0.2.7 or"),
    ({"public_url": "sms.example"}, "option public_url: 'sms.example' does not begin with https:// or http://"),
    ({"auth": {"kind": "token", "secret": "x"}}, "option auth: token needs to know where it is; give header or parame"),
    ({"auth": {"kind": "hmac", "header": "X", "signed": ["boddy"]}}, "option auth: signed: boddy cannot be signed"),
    ({"auth": {"kind": "hmac", "header": "X", "signed": ["timestamp"]}}, "option auth: a timestamp is signed; give th"),
    (
        {"auth": {**HMAC, "timestamp": "X-Time"}, "mo": JSON_MO},
        "option auth.timestamp: X-Time is looked at, but not signed: whoever saw a request may send it again with anoth"
    ),
    ({"auth": {"tolerance_s": 40_000}}, "option auth.tolerance_s: 40000 is not between 0 and 39600"),
    (
        {"submit": {"path": "/x"}, "receipt": RECEIPTS},
        "option submit.answer.id: is missing: no receipt (receipt.id) would find its message; say where the operator"
    ),
    (
        {"submit": {"path": "/x", "answer": {"own_id": True}}, "receipt": RECEIPTS},
        "option submit.answer.own_id: receipts are to bring back our id, and nothing that we send holds it; put {id} in"
    ),
    ({"auth": {"kind": "certificate"}}, "option auth: certificate needs a name in it or its SHA-256"),
    ({"auth": {"secret": 7}}, "option auth.secret: it is not a text"),
    ({"submit": {"path": "send"}}, "option submit.path: 'send' does not begin with / or is no path"),
    ({"submit": {"path": "/a b"}}, "option submit.path: '/a b' does not begin with / or is no path"),
    ({"submit": {"path": "/x", "parameters": {"a": "{txt}"}}}, "option submit.parameters.a: there is no {txt} here; k"),
    ({"submit": {"path": "/x", "headers": {"a b": "x"}}}, "option submit.headers: 'a b' is no name of a header field"),
    ({"submit": {"path": "/x", "parameters": {"u": "{receipt_url}"}}}, "option public_url: it is missing, and {receip"),
    ({"submit": {"path": "/x", "long": "parts"}}, "option submit.long: parts need a parameter with {udh_hex}"),
    ({"submit": {"path": "/x", "format": "json"}}, "option submit.format: GET has no body; take query, or method POST"),
    (
        {"submit": {"method": "POST", "format": "json", "parameters": {"a": "1", "a.b": "2"}}},
        "option submit.parameters: a.b: there is no place for b",
    ),
    ({"submit": {"answer": {"accepted_status": "2xx"}}}, "option submit.answer.accepted_status: '2xx' is no status; w"),
    ({"submit": {"answer": {"separator": ":", "id": "a"}}}, "option submit.answer.id: with a separator it is the numb"),
    ({"submit": {"answer": {"accepted_words": ["OK"]}}}, "option submit.answer.accepted_words: it needs word"),
    ({"submit": {"auth": {"kind": "hmac", "signed": []}}}, "option submit.auth.signed: an empty list cannot be signed"),
)  # fmt: skip


@pytest.mark.parametrize(("options", "sentence"), WRONG, ids=[sentence[:60] for _, sentence in WRONG])
def test_what_is_wrong_is_named_with_its_link_and_what_to_do(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError) as raised:
        adapter(options)

    assert str(raised.value).startswith(f"link alpha-1: {sentence}"), raised.value


@pytest.mark.parametrize(
    ("signed", "more", "open_to_all", "remedy"),
    [
        (["body"], {}, "an MO says in the query (mo.format)",
         "add query to auth.signed, or field:from, field:to, field:text, or set mo.format where its fields are in"),
        (["body"], {"mo": JSON_MO, "receipt": RECEIPTS}, "a receipt says in the query (receipt.format)",
         "add query to auth.signed, or field:id, field:status, or set receipt.format where"),
        (["method", "query"], {"mo": {"format": "form"}}, "an MO says in the body (mo.format)", "add body to auth"),
        ([*FIELDS[:2]], {"mo": {"id": "id"}}, "an MO says in the query (mo.format)",
         "add query to auth.signed, or field:text, field:id"),
        ([*FIELDS], {"mo": {"coding": "c", "codings": {"8": "ucs2_hex"}}}, "an MO says in the query (mo.format)",
         "add query to auth.signed, or field:c"),
        (["field:list"], {"mo": {**JSON_MO, "each": "list"}}, "an MO says in the body (mo.format)",
         "add body to auth.signed"),
    ],
)  # fmt: skip
def test_a_signature_over_less_than_is_read_is_refused(
    signed: list[str], more: dict[str, Any], open_to_all: str, remedy: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        adapter({"auth": {**HMAC, "signed": signed}, **more})

    assert str(raised.value).startswith(
        f"link alpha-1: option auth.signed: a signature over {', '.join(signed)} leaves open what {open_to_all}, which "
        f"anybody could forge; {remedy}"
    )


def test_a_time_that_is_a_field_must_be_a_signed_one() -> None:
    timed = {**HMAC, "signed": [*FIELDS, "field:at"], "timestamp": "field:time"}
    with pytest.raises(ConfigError, match=r"add query to auth.signed, or field:time$"):
        adapter({"auth": timed})


@pytest.mark.parametrize(
    "options",
    [
        {"auth": {**HMAC, "signed": ["query"]}},
        {"auth": {**HMAC, "signed": [*FIELDS]}},
        {"auth": HMAC, "mo": JSON_MO},
        {"auth": HMAC, "mo": JSON_MO, "receipt": {**RECEIPTS, "format": "json"}},
        {"auth": {**HMAC, "signed": ["body", "query"]}, "mo": JSON_MO, "receipt": RECEIPTS},
        {"auth": {**HMAC, "timestamp": "field:at"}, "mo": JSON_MO},
        {"auth": {**HMAC, "signed": [*FIELDS, "field:at"], "timestamp": "field:at"}},
        {"receipt": RECEIPTS, "reply": "answer"},
        {"receipt": RECEIPTS, "submit": {"path": "/x", "answer": {"id": "id"}}},
        {"receipt": RECEIPTS, "submit": {"path": "/x?ref={id}", "answer": {"own_id": True}}},
    ],
    ids=str,
)
def test_a_signature_over_all_that_is_read_and_receipts_with_an_id_are_right(options: dict[str, Any]) -> None:
    assert adapter(options).receives


def test_what_is_never_asked_needs_no_signature_and_what_is_never_sent_no_id() -> None:
    adapter({"auth": HMAC}, bind="transmitter")
    adapter({"receipt": RECEIPTS, "submit": {"path": "/x"}}, bind="receiver")


@pytest.mark.parametrize(
    ("auth", "mo", "remark"),
    [
        (
            {},
            {},
            "each time as a new MO that is charged: no time is signed (auth.timestamp), and mo.id is not",
        ),
        (
            {},
            {"id": "id"},
            "once its id is forgotten, after 24 h: no time is signed (auth.timestamp); set auth.",
        ),
        (
            {"timestamp": "at", "tolerance_s": 0},
            {},
            "each time as a new MO that is charged: auth.tolerance_s is 0",
        ),
        ({"timestamp": "at"}, {}, ""),
        ({"timestamp": "at", "tolerance_s": 39_600}, {"id": "id"}, ""),
        ({"kind": "token"}, {}, ""),
    ],
)
def test_what_a_signature_leaves_open_is_remarked(auth: dict[str, Any], mo: dict[str, Any], remark: str) -> None:
    signed = {**HMAC, "signed": ["timestamp", "query"] if auth.get("timestamp") else ["query"]}

    found = list(adapter({"auth": {**signed, **auth}, "mo": mo}).remarks())

    assert len(found) == bool(remark)
    assert remark in "".join(found)


def test_a_secret_is_needed_where_one_is_compared_and_never_shown() -> None:
    with pytest.raises(ConfigError, match=r"auth: basic needs a secret; give auth.secret, or a password of the link"):
        adapter({"auth": {"kind": "basic"}}, password="")
    with pytest.raises(ConfigError, match=r"submit.auth: token needs a password of the link"):
        adapter({"submit": {"auth": {"kind": "token"}}}, password="")


def test_an_empty_mapping_takes_mo_by_plain_names_and_sends_nothing() -> None:
    plain = adapter({})

    assert (plain.sends, plain.receives, plain.requests) == (False, True, False)
    assert plain.methods == {"GET", "POST"}
    assert plain.parts_of("x" * 161) == 2


def test_what_a_link_does_follows_from_its_mapping_and_its_bind() -> None:
    both = {"submit": {"path": "/x"}}
    assert adapter(both).sends
    assert not adapter(both, bind="receiver").sends
    assert not adapter(both, bind="transmitter").receives
    assert adapter({"reply": "answer"}).sends


def test_every_row_says_what_it_means() -> None:
    rows = list(describe(HttpOptions))

    assert len({name for name, _, _ in rows}) == len(rows) > 80
    assert all(meaning for _, _, meaning in rows)
    assert "submit.answer.word" in {name for name, _, _ in rows}
