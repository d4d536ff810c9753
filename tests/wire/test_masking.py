"""What the masks of all protocols share."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wire.masking import header, number, numbers_in, stars


def test_a_number_loses_its_middle_and_a_short_code_nothing() -> None:
    assert number(b"79001234567") == b"7900*****67"
    assert number(b"+79001234567") == b"+790******67"
    assert number(b"4446") == b"4446"
    assert number(b"123456") == b"123456"
    assert number(b"") == b""


def test_numbers_in_words_lose_their_middles() -> None:
    assert numbers_in(b"no route to 79001234567, error 11") == b"no route to 7900*****67, error 11"


@given(some.binary(max_size=40))
def test_nothing_changes_its_length(octets: bytes) -> None:
    assert [len(made(octets)) for made in (number, numbers_in, stars)] == [len(octets)] * 3


def test_of_a_header_stays_what_puts_parts_together() -> None:
    parts = bytes.fromhex("050003070201")
    assert header(parts) == parts
    ports_and_wide_parts = bytes.fromhex("0c 0504 0b84 23f0 0804 0007 0201".replace(" ", ""))
    assert header(ports_and_wide_parts) == ports_and_wide_parts


def test_other_elements_of_a_header_are_masked() -> None:
    # 0x22: a reply address; 0x00 stays beside it.
    mixed = bytes.fromhex("0a0003070201") + b"\x22\x03abc"

    assert header(mixed) == bytes.fromhex("0a0003070201") + b"\x22\x03***"


@pytest.mark.parametrize("octets", [b"", b"\5\0\3\7\2", b"\1\0", b"\3\0\5a", b"\x06\0\3\7\2\1"])
def test_what_is_no_header_is_none(octets: bytes) -> None:
    assert header(octets) is None
