"""Optional parameters are written by the table and read as they come."""

import pytest
from hypothesis import given

from tests.wire.smpp.makers import tlv_lists
from wire.errors import LocalError, RemoteError
from wire.smpp.tlvs import (
    CALLBACK_NUM,
    CONGESTION_STATE,
    MESSAGE_STATE,
    NETWORK_ERROR_CODE,
    RECEIPTED_MESSAGE_ID,
    SAR_MSG_REF_NUM,
    TAG_NUMBERS,
    TAGS,
    Tlvs,
    cut_tlvs,
    join_tlvs,
    read_all,
    read_int,
    read_octets,
    read_text,
    write_tlv,
)

_VENDOR = 0x1402


@given(tlv_lists)
def test_order_repeats_and_unknown_tags_survive(tlvs: Tlvs) -> None:
    assert cut_tlvs(b"head" + join_tlvs(tlvs), 4) == tlvs


@pytest.mark.parametrize(("octets", "status"), [("04", 0xC0), ("042700", 0xC0), ("04270001020424000301", 0xC2)])
def test_a_broken_tail_is_refused_or_left_by_a_lenient_reader(octets: str, status: int) -> None:
    tail = bytes.fromhex(octets)

    with pytest.raises(RemoteError) as error:
        cut_tlvs(tail, 0)

    assert error.value.answer == status
    assert cut_tlvs(tail, 0, lenient=True) == (((MESSAGE_STATE, b"\x02"),) if len(tail) > 5 else ())


@pytest.mark.parametrize(
    ("tag", "octets", "number"),
    [
        (MESSAGE_STATE, b"\x02", 2),
        (MESSAGE_STATE, b"\0\0\0\x02", 2),
        (MESSAGE_STATE, b"02", 2),
        (MESSAGE_STATE, b"2\0", 2),
        (CONGESTION_STATE, b"2", 50),  # one octet is the table's length: a number, not a digit
        (SAR_MSG_REF_NUM, b"\x07", 7),
        (SAR_MSG_REF_NUM, b"12345", 12345),
        (SAR_MSG_REF_NUM, b"", None),
        (SAR_MSG_REF_NUM, b"not a number at all", None),
        (_VENDOR, b"500", 500),
        (_VENDOR, b"\x01\xf4", 500),
        (_VENDOR, b"9" * 30, None),
    ],
)
def test_an_integer_may_have_any_length_or_be_digits(tag: int, octets: bytes, number: int | None) -> None:
    assert read_int(((tag, octets),), tag) == number


@pytest.mark.parametrize("octets", [b"0A1B", b"0A1B\0", b"0A1B\0junk"])
def test_a_string_may_lack_its_nul(octets: bytes) -> None:
    assert read_text(((RECEIPTED_MESSAGE_ID, octets),), RECEIPTED_MESSAGE_ID) == "0A1B"


def test_a_parameter_that_is_absent_is_none() -> None:
    assert read_octets((), MESSAGE_STATE) is None
    assert read_int((), MESSAGE_STATE) is None
    assert read_text((), MESSAGE_STATE) is None
    assert read_all((), CALLBACK_NUM) == []


def test_callback_num_may_repeat() -> None:
    tlvs = ((CALLBACK_NUM, b"one"), (_VENDOR, b"x"), (CALLBACK_NUM, b"two"))

    assert read_all(tlvs, CALLBACK_NUM) == [b"one", b"two"]
    assert read_octets(tlvs, CALLBACK_NUM) == b"one"


@pytest.mark.parametrize(
    ("tag", "value", "octets"),
    [
        (MESSAGE_STATE, 2, b"\x02"),
        (SAR_MSG_REF_NUM, 7, b"\0\x07"),
        (RECEIPTED_MESSAGE_ID, "0A1B", b"0A1B\0"),
        (NETWORK_ERROR_CODE, b"\x03\0\x01", b"\x03\0\x01"),
        (_VENDOR, "500", b"500"),
        (_VENDOR, 255, b"\xff"),
        (_VENDOR, 500, b"\x01\xf4"),
        (_VENDOR, 70_000, b"\0\x01\x11\x70"),
    ],
)
def test_a_value_takes_the_form_of_the_table(tag: int, value: int | str | bytes, octets: bytes) -> None:
    assert write_tlv(tag, value) == (tag, octets)


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (MESSAGE_STATE, 256),
        (MESSAGE_STATE, -1),
        (_VENDOR, 1 << 32),
        (_VENDOR, b"x" * 65536),
        (RECEIPTED_MESSAGE_ID, "Ж"),
        (RECEIPTED_MESSAGE_ID, "x" * 65),
        (NETWORK_ERROR_CODE, b"four"),
    ],
)
def test_a_value_without_a_form_is_our_mistake(tag: int, value: int | str | bytes) -> None:
    with pytest.raises(LocalError):
        write_tlv(tag, value)


def test_the_table_has_each_tag_once() -> None:
    assert len(TAG_NUMBERS) == len(TAGS) == 64
    assert all(TAGS[number].name == name for name, number in TAG_NUMBERS.items())
