"""Masked PDUs: as long as before, read as before, and nothing in them that a subscriber wrote."""

from dataclasses import replace
from struct import pack
from typing import Any

import pytest
from hypothesis import given

from tests.wire.smpp.makers import an_mo, an_mt, any_operations
from tests.wire.smpp.vectors import PDUS
from wire.errors import RemoteError
from wire.smpp import (
    BindTransceiver,
    DataSm,
    Destination,
    DistributionList,
    Failure,
    GenericNack,
    Operation,
    QuerySm,
    ReplaceSm,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSmResp,
    decode,
    encode,
)
from wire.smpp.masking import mask
from wire.smpp.tlvs import MESSAGE_PAYLOAD, NETWORK_ERROR_CODE, RECEIPTED_MESSAGE_ID, SAR_MSG_REF_NUM

NUMBER, HIDDEN = "79001234567", "7900*****67"
VENDOR = 0x1400
UDH = bytes.fromhex("050003070201")


def masked(operation: Operation, *, texts: bool = False) -> Any:
    frame = encode(operation)
    found = mask(frame, texts=texts)
    assert found is not None
    assert len(found) == len(frame)
    return decode(found)


def test_text_and_number_of_an_mt_are_masked_and_nothing_else() -> None:
    mt = replace(an_mt(b"your code is 4711", data_coding=8, sequence=9), source_addr="4446", destination_addr=NUMBER)

    assert masked(mt) == replace(mt, destination_addr=HIDDEN, short_message=b"*" * 17)


def test_with_texts_only_the_password_is_masked() -> None:
    mt = replace(an_mt(b"your code is 4711", sequence=9), destination_addr=NUMBER)
    bind = BindTransceiver(system_id="us", password="secret", system_type="VMA", sequence=1)

    assert masked(mt, texts=True) == mt
    assert masked(bind, texts=True) == masked(bind) == replace(bind, password="******")


def test_the_header_of_a_part_stays() -> None:
    mt = an_mt(UDH + b"part of a text", esm_class=0x40, sequence=1)

    assert masked(mt).short_message == UDH + b"*" * 14


def test_a_part_that_has_no_header_though_it_says_so_is_not_for_sure() -> None:
    assert mask(encode(an_mt(b"\x7ftext", esm_class=0x40, sequence=1))) is None


def test_of_a_receipt_all_stays_but_its_text() -> None:
    text = b"id:12ab sub:001 dlvrd:001 submit date:2611280014 done date:2611280015 stat:DELIVRD err:000 text:"
    receipt = an_mo(text + b"your code", esm_class=0x04, sequence=1)

    assert masked(receipt).short_message == text + b"*" * 9


def test_a_text_that_only_looks_like_a_receipt_is_masked() -> None:
    text = b"id:12ab text:hello"

    assert masked(an_mo(text, sequence=1)).short_message == b"*" * len(text)
    odd = b"id:12ab my secret is 7"
    assert masked(an_mo(odd, esm_class=0x04, sequence=1)).short_message == b"id:12ab" + b"*" * 15


def test_optional_parameters_stay_only_where_they_are_known_to_be_numbers_or_ids() -> None:
    tlvs = (
        (SAR_MSG_REF_NUM, b"\0\7"), (RECEIPTED_MESSAGE_ID, b"12ab\0"), (NETWORK_ERROR_CODE, b"\3\0\x0b"),
        (VENDOR, b"a text of a vendor's"), (MESSAGE_PAYLOAD, b"a long text"), (SAR_MSG_REF_NUM, b"no integer at all"),
    )  # fmt: skip
    hidden = (*tlvs[:3], (VENDOR, b"*" * 20), (MESSAGE_PAYLOAD, b"*" * 11), (SAR_MSG_REF_NUM, b"*" * 17))

    assert masked(replace(an_mo(b"", sequence=1), tlvs=tlvs)).tlvs == hidden
    assert masked(replace(an_mo(b"", sequence=1), tlvs=tlvs), texts=True).tlvs == tlvs
    with_header = DataSm(esm_class=0x40, tlvs=((MESSAGE_PAYLOAD, UDH + b"text"),), sequence=1)
    assert masked(with_header).tlvs == ((MESSAGE_PAYLOAD, UDH + b"****"),)


def test_every_address_of_a_list_loses_its_middle() -> None:
    several = (Destination(1, 1, NUMBER), DistributionList("friends"), Destination(1, 1, "79009999999"))
    multi = SubmitMulti(dest_address=several, short_message=b"hello", sequence=1)
    found = masked(multi)

    assert found.dest_address == (
        Destination(1, 1, HIDDEN),
        DistributionList("friends"),
        Destination(1, 1, "7900*****99"),
    )
    assert found.short_message == b"*****"
    answer = SubmitMultiResp(message_id="7", unsuccess=(Failure(1, 1, NUMBER, 11),), sequence=1)
    assert masked(answer).unsuccess == (Failure(1, 1, HIDDEN, 11),)


def test_other_requests_too() -> None:
    assert masked(QuerySm(message_id="7", source_addr=NUMBER, sequence=1)).source_addr == HIDDEN
    replaced = ReplaceSm(message_id="7", source_addr=NUMBER, short_message=b"new", sequence=1)
    assert masked(replaced) == replace(replaced, source_addr=HIDDEN, short_message=b"***")


def test_responses_stay_as_they_are() -> None:
    for response in (SubmitSmResp(message_id="79001234567", sequence=3), GenericNack(sequence=3, status=3)):
        assert masked(response) == response
    refused = pack(">IIII", 16, 0x80000004, 0x58, 3)
    assert mask(refused) == refused


@pytest.mark.parametrize(
    "frame",
    [
        b"", b"\0\0\0\x10", pack(">IIII", 16, 0x00000004, 0, 1), pack(">IIII", 16, 0x00000099, 0, 1),
        pack(">IIII", 17, 0x00000015, 0, 1), encode(an_mt(sequence=1))[:-1] + b"x" * 3,
    ],
)  # fmt: skip
def test_what_is_no_known_pdu_is_not_for_sure(frame: bytes) -> None:
    assert mask(frame) is None


@given(any_operations)
def test_any_pdu_is_masked_at_its_length_and_read_again_or_not_at_all(operation: Operation) -> None:
    frame = encode(operation)
    found = mask(frame)

    if found is None:
        return
    assert len(found) == len(frame)
    assert mask(found) == found or "message_payload" in repr(operation) or found[:16] == frame[:16]
    try:
        again = decode(found)
    except RemoteError:
        # Read strictly, a number with stars in it may be none.
        return
    assert type(again) is type(operation)
    assert again.sequence == operation.sequence


@pytest.mark.parametrize("name", sorted(PDUS))
def test_recorded_pdus(name: str) -> None:
    frame = PDUS[name]
    for found in (mask(frame), mask(frame, texts=True)):
        assert found is None or (len(found) == len(frame) and found[:16] == frame[:16])
