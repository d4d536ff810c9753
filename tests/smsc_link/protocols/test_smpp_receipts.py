"""SMPP: receipts in all their spellings."""

from typing import Any

import pytest

from core.message import Receipt, ReceiptState
from core.sms.parts import with_header
from smsc_link.adapter import Unreadable
from smsc_link.protocols.smpp import SmppAdapter
from tests.smsc_link.protocols.smpp_ends import NOW, a_deliver, an_adapter, delivered, read, text_of, vectors
from wire.smpp import receipt_key
from wire.smpp import tlvs as tlv
from wire.smpp.operations import (
    DataSm,
    DeliverSm,
    Operation,
    SubmitSmResp,
)
from wire.smpp.receipts import receipt_tlvs


def receipt(operation: Operation, adapter: SmppAdapter | None = None) -> Receipt:
    inbound = read(operation, adapter)
    assert isinstance(inbound, Receipt), inbound
    return inbound


def a_receipt(text: bytes, **values: Any) -> DeliverSm:
    return a_deliver(text, **({"esm_class": 0x04} | values))


@pytest.mark.parametrize("fields", vectors("smpp_receipts"))
def test_receipts_from_the_field_are_read(fields: dict[str, Any]) -> None:
    expected = fields["expected"]
    found = receipt(a_receipt(b"", tlvs=((tlv.MESSAGE_PAYLOAD, fields["text"].encode()),)))

    if "id" in expected:
        assert found.keys == (receipt_key(expected["id"]),)
    if expected.get("ok") is True:
        assert found.state is ReceiptState.DELIVERED
    if expected.get("final") is False:
        assert found.state is ReceiptState.ON_ITS_WAY
    if expected.get("final") is True and expected.get("ok") is False:
        assert found.state in (ReceiptState.EXPIRED, ReceiptState.FAILED, ReceiptState.UNKNOWN)


@pytest.mark.parametrize("fields", vectors("smpp_message_ids"))
def test_a_receipt_is_matched_with_its_answer_whatever_the_spelling(fields: dict[str, Any]) -> None:
    adapter = an_adapter(message_id_base=fields["mode"])
    answer = adapter.submit_answer(SubmitSmResp(message_id=fields["submit_sm_resp_id"]))
    found = receipt(a_receipt(f"id:{fields['receipt_id']} stat:DELIVRD".encode()), adapter)

    assert (answer.key in found.keys) is fields["match"]


def test_a_receipt_tells_its_word_error_and_addresses() -> None:
    found = receipt(a_receipt(b"id:7 stat:UNDELIV err:045", source_addr="+79001112233"))

    assert (found.word, found.error, found.state) == ("UNDELIV", "045", ReceiptState.FAILED)
    assert (found.source, found.destination) == ("79001112233", "4446")
    assert (found.link, found.operator_id, found.arrived_at) == ("alpha-1", 7, NOW)


@pytest.mark.parametrize(
    ("state", "meaning"),
    [
        (1, ReceiptState.ON_ITS_WAY),
        (2, ReceiptState.DELIVERED),
        (3, ReceiptState.EXPIRED),
        (4, ReceiptState.FAILED),
        (5, ReceiptState.FAILED),
        (6, ReceiptState.ON_ITS_WAY),
        (7, ReceiptState.UNKNOWN),
        (8, ReceiptState.FAILED),
    ],
)
def test_states_mean_what_they_mean_for_billing(state: int, meaning: ReceiptState) -> None:
    assert receipt(a_receipt(b"", tlvs=receipt_tlvs("77", state))).state is meaning


def test_accepted_is_the_end_only_where_the_link_says_so() -> None:
    accepted = a_receipt(b"id:7 stat:ACCEPTD")

    assert receipt(accepted).state is ReceiptState.ON_ITS_WAY
    assert receipt(accepted, an_adapter(accepted_is_final=True)).state is ReceiptState.DELIVERED


def test_an_intermediate_notification_is_never_the_end() -> None:
    notice = a_receipt(b"id:7 stat:DELIVRD", esm_class=0x20)

    assert receipt(notice).state is ReceiptState.ON_ITS_WAY
    assert receipt(notice, an_adapter(accepted_is_final=True)).state is ReceiptState.ON_ITS_WAY


def test_a_receipt_is_known_by_its_type_bits_whatever_else_is_set() -> None:
    octets = with_header(b"id:7 stat:DELIVRD", reference=1, total=1, sequence=1)

    assert receipt(a_receipt(octets, esm_class=0x44)).keys == ("7",)
    assert receipt(a_receipt(b"id:7 stat:DELIVRD", esm_class=0x44)).keys == ("7",)


def test_a_text_that_looks_like_a_receipt_is_an_mo_unless_the_link_says_otherwise() -> None:
    lookalike = a_deliver(b"id:7 stat:DELIVRD")

    assert text_of(delivered(lookalike)) == "id:7 stat:DELIVRD"
    by_text = an_adapter(receipts_by_text=True)
    assert receipt(lookalike, by_text).keys == ("7",)
    assert text_of(delivered(a_deliver(b"GAME 7"), by_text)) == "GAME 7"


def test_tlv_and_text_may_spell_the_id_in_different_bases() -> None:
    adapter = an_adapter(message_id_base="resp_hex_receipt_dec")
    answer = adapter.submit_answer(SubmitSmResp(message_id="39f99dd5"))

    both = a_receipt(b"id:0972660181 stat:DELIVRD", tlvs=receipt_tlvs("39F99DD5", 2))

    assert answer.key in receipt(both, adapter).keys


def test_a_receipt_in_ucs2_and_one_by_data_sm_are_read() -> None:
    assert receipt(a_receipt("id:7 stat:DELIVRD".encode("utf-16-be"), data_coding=8)).keys == ("7",)
    by_data_sm = DataSm(source_addr="79001112233", esm_class=4, tlvs=receipt_tlvs("7", 2))
    assert receipt(by_data_sm).state is ReceiptState.DELIVERED


def test_a_receipt_that_says_nothing_is_refused_for_good() -> None:
    assert isinstance(read(a_receipt(b"hello")), Unreadable)
