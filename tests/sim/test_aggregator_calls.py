"""What the pocket aggregator calls with is what the link reads: MO, receipts, who calls, by any mapping."""

from functools import partial
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.message import Receipt, ReceiptState
from core.sms.parts import Assembly
from sim.aggregator.calls import CallWriter, charset_of
from sim.aggregator.mapping import MoTable
from sim.subscribers import DELIVERED, EXPIRED, UNDELIVERABLE, Fate, Written
from smsc_link.adapter import Inbound
from smsc_link.protocols.http.adapter import HttpAdapter
from tests.sim.mappings import PATH, adapter, visit
from tollbridge.commands.sim_http import mapping_of
from traffic.ports import Delivery

NOW = 1_767_225_600_000
ANNA = "79001112233"
NAMES = {
    "query": {"source": "from", "destination": "to", "text": "text", "id": "id"},
    "form": {"source": "msisdn", "destination": "sn", "text": "msg", "id": "smsid"},
    "json": {"source": "message.from", "destination": "message.to", "text": "message.body.0", "id": "id"},
}
CHARSETS = ("utf-8", "latin-1", "cp1251", "utf-16-be", "ucs2_hex", "gsm_hex", "latin1_hex")
TEXTS = st.text(st.characters(codec="utf-16-be", exclude_categories=("Cc", "Cs")), min_size=1, max_size=400)
AUTHS: list[dict[str, Any]] = [
    {},
    {"kind": "basic", "user": "alpha"},
    {"kind": "token", "header": "Authorization", "prefix": "Bearer"},
    {"kind": "token", "parameter": "key"},
    {"kind": "hmac", "header": "X-Signature", "prefix": "sha256=", "signed": ["timestamp", "query", "body"],
     "joiner": ".", "timestamp": "X-Time"},
    {"kind": "hmac", "parameter": "sign", "signed": ["method", "path", "query", "body"], "encoding": "base64"},
    {"kind": "hmac", "parameter": "sign", "signed": ["timestamp", "query", "body"], "timestamp": "ts",
     "algorithm": "sha512"},
    {"kind": "hmac", "header": "S", "signed": ["query", "body"], "timestamp": "field:ts"},
    {"kind": "hmac", "header": "S", "signed": ["field:id", "query", "body"], "joiner": "|", "algorithm": "sha1"},
]  # fmt: skip


def table(form: str, **more: Any) -> dict[str, Any]:
    return {"format": form, **NAMES[form], **more}


def drafts(link: HttpAdapter, text: str, **values: Any) -> list[Inbound]:
    """What the link reads of an MO with this text."""
    writer = CallWriter(mapping_of(link), PATH)
    read = []
    for draft in writer.mo(Written(ANNA, "4446", text), identity="a-1", reference=777, **values):
        call = visit(writer.call(draft, NOW))
        found = link.table_of(call)
        assert found is not None
        assert call.method in found.methods
        assert link.gate.knows(call, lambda call=call, found=found: link.fields_of(call, found), NOW)  # type: ignore[misc]
        what, entries = link.entries(call, partial(link.fields_of, call, found))
        assert what == "mo"
        read += [link.read(what, one, NOW, 0, lambda heard: True) for one in entries]
    return read


@pytest.mark.parametrize(("form", "charset"), list(product(NAMES, CHARSETS)))
@given(text=TEXTS)
@settings(max_examples=20)
def test_any_text_arrives_as_far_as_the_charset_has_its_letters(form: str, charset: str, text: str) -> None:
    link = adapter({"mo": table(form, charset=charset)})

    [delivery] = drafts(link, text)

    assert isinstance(delivery, Delivery)
    assert (delivery.source, delivery.destination, delivery.key) == (ANNA, "4446", "a-1")
    if charset_of(MoTable(charset=charset), text) == ("", charset) and _all_letters(charset, text):
        assert delivery.coding.decode(delivery.octets) == text


def _all_letters(charset: str, text: str) -> bool:
    names = {"ucs2_hex": "utf-16-be", "latin1_hex": "latin-1"}
    if charset == "gsm_hex":
        return all(letter in "abcdefghijklmnopqrstuvwxyz 0123456789" for letter in text)
    try:
        text.encode(names.get(charset, charset))
    except UnicodeEncodeError:
        return False
    return not text.startswith("\ufeff")


@pytest.mark.parametrize("auth", AUTHS, ids=str)
@pytest.mark.parametrize("form", NAMES)
def test_whoever_the_link_wants_to_see_is_shown(form: str, auth: dict[str, Any]) -> None:
    link = adapter({"mo": table(form), "auth": {**auth, **({"secret": "key of theirs"} if auth else {})}})

    [delivery] = drafts(link, "GAME ünd 7")

    assert isinstance(delivery, Delivery)


@pytest.mark.parametrize("auth", [auth for auth in AUTHS if auth], ids=str)
def test_with_another_secret_the_link_knows_nobody(auth: dict[str, Any]) -> None:
    link = adapter({"mo": table("form"), "auth": {**auth, "secret": "key of theirs"}})
    other = adapter({"mo": table("form"), "auth": {**auth, "secret": "another key"}})
    writer = CallWriter(mapping_of(other), PATH)
    [draft] = writer.mo(Written(ANNA, "4446", "GAME 7"), identity="a-1", reference=1)
    call = visit(writer.call(draft, NOW))

    assert not link.gate.knows(call, lambda: link.fields_of(call, link.options.mo), NOW)


@pytest.mark.parametrize("text", ["GAME " + "x" * 400, "ИГРА " + "я" * 200, "€" * 200 + "😀" * 60])
@pytest.mark.parametrize(
    ("ties", "bits"),
    [({"udh": "udh"}, 8), ({"udh": "udh"}, 16), ({"reference": "ref", "part": "part", "parts": "parts"}, 8)],
)
def test_a_long_text_comes_in_parts_where_the_mapping_ties_them(ties: dict[str, str], bits: int, text: str) -> None:
    link = adapter({"mo": table("form", charset="utf-8", **ties)})

    read = [one for one in drafts(link, text, bits=bits) if isinstance(one, Delivery)]

    assert len(read) > 1
    assert {one.key for one in read} == {f"a-1-{number}" for number in range(1, len(read) + 1)}
    pieces = [one.piece for one in read]
    assert all(piece is not None and piece.reference == 777 & ((1 << bits) - 1) for piece in pieces)
    whole = Assembly(len(read))
    for one in read:
        assert one.piece is not None
        whole.add(one.piece.sequence, one.octets)
    assert whole.joined().decode() == text


def test_the_coding_is_named_and_one_that_has_all_letters_is_taken() -> None:
    codings = {"0": "gsm_hex", "8": "ucs2_hex"}
    link = adapter({"mo": table("query", coding="dcs", codings=codings)})

    for text, data_coding in (("GAME @7", 0), ("ИГРА", 8)):
        [delivery] = drafts(link, text)
        assert isinstance(delivery, Delivery)
        assert (delivery.data_coding, delivery.coding.decode(delivery.octets)) == (data_coding, text)


def test_a_list_of_messages_has_one() -> None:
    link = adapter({"mo": {"format": "json", "each": "in.messages", "id": "id", "text": "body.text"}})

    [delivery] = drafts(link, "GAME 7")

    assert isinstance(delivery, Delivery)
    assert delivery.octets == b"GAME 7"


RECEIPT = {
    "id": "id", "state": "state", "error": "err", "number": "msisdn",
    "states": {"ENROUTE": "on_its_way", "DELIVRD": "delivered", "UNDELIV": "failed", "EXPIRED": "expired"},
}  # fmt: skip
FATES = {DELIVERED: ReceiptState.DELIVERED, EXPIRED: ReceiptState.EXPIRED, UNDELIVERABLE: ReceiptState.FAILED}


@pytest.mark.parametrize(
    "form", [{}, {"format": "form"}, {"format": "json", "each": "events"}, {"mark": "type", "marks": ["dlr"]}], ids=str
)
@pytest.mark.parametrize("state", FATES)
def test_a_receipt_is_read_as_what_became_of_the_message(form: dict[str, Any], state: int) -> None:
    link = adapter({"receipt": {**RECEIPT, **form}, "auth": {**AUTHS[4], "secret": "key of theirs"}})
    writer = CallWriter(mapping_of(link), PATH)
    draft = writer.receipt(Fate(state, "001"), identity="m7", number=ANNA)
    assert draft is not None
    call = visit(writer.call(draft, NOW))

    table = link.table_of(call)
    assert table is not None

    what, [entry] = link.entries(call, partial(link.fields_of, call, table))
    receipt = link.read(what, entry, NOW, 0, lambda heard: True)

    assert isinstance(receipt, Receipt)
    assert (receipt.keys, receipt.state, receipt.error) == (("M7",), FATES[state], "001")
    assert link.gate.knows(call, lambda: entry, NOW)


def test_the_places_of_a_url_for_receipts_are_filled_and_the_rest_of_it_is_kept() -> None:
    writer = CallWriter(mapping_of(adapter({"receipt": {**RECEIPT, "error": "error"}})), PATH)
    draft = writer.receipt(
        Fate(DELIVERED, "000"), identity="5", number=ANNA, url_query="id=77&state=%d&error=%A&k=v%2F"
    )
    assert draft is not None

    assert writer.call(draft, NOW).target == f"{PATH}/receipt?id=77&k=v%2F&state=DELIVRD&error=000&msisdn={ANNA}"


def test_without_a_word_for_it_there_is_no_receipt() -> None:
    writer = CallWriter(mapping_of(adapter({"receipt": {"id": "id", "states": {"NO": "failed"}}})), PATH)

    assert writer.receipt(Fate(DELIVERED, "000"), identity="5", number=ANNA) is None
    assert writer.receipt(Fate(EXPIRED, "000"), identity="5", number=ANNA) is not None
