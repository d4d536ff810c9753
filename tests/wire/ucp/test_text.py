"""Texts, bits and packed names, both ways."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wire.errors import LocalError, RemoteError
from wire.ucp import MessageTransfer, SubmitMessage
from wire.ucp.text import (
    bit_count,
    pack,
    read_digits,
    read_ira,
    read_originator,
    text_octets,
    unpack,
    write_ira,
    write_originator,
    write_transparent,
)

_GSM7 = json.loads((Path(__file__).parents[2] / "vectors" / "gsm7.json").read_text())["vectors"]
_PACKED = [row for row in _GSM7 if "packed_hex" in row["fields"] and "udh_hex" not in row["fields"]]
_names = some.lists(some.integers(0, 127), min_size=1, max_size=11).map(bytes)


@given(some.binary(max_size=160))
def test_octets_are_read_as_written(octets: bytes) -> None:
    field = write_ira(octets)

    assert field == field.upper()
    assert read_ira(field) == read_ira(field.lower()) == octets


@pytest.mark.parametrize("field", ["4", "4X", "48 65", " 4865", "48\t65", "é0", "²0"])
def test_what_is_no_hex_of_whole_octets_is_the_peer_s_mistake(field: str) -> None:
    with pytest.raises(RemoteError) as error:
        read_ira(field)

    assert error.value.answer == 2
    assert field not in str(error.value)


def test_digits_go_as_they_are() -> None:
    assert read_digits("716436383334") == "716436383334"
    assert read_digits("") == ""
    with pytest.raises(RemoteError):
        read_digits("12a")
    with pytest.raises(RemoteError):
        read_digits("²")


def test_transparent_data_has_its_bits() -> None:
    assert write_transparent(b"\x02\x01\x00\x03\xff") == ("02010003FF", "0040")
    assert write_transparent(pack(b"hello"), bits=35) == ("E8329BFD06", "0035")
    assert (bit_count("0040"), bit_count("32"), bit_count(""), bit_count("x"), bit_count("²")) == (
        40,
        32,
        None,
        None,
        None,
    )
    for octets, bits in ((b"a", 9), (b"a", -1), (bytes(1250), None)):
        with pytest.raises(LocalError):
            write_transparent(octets, bits)


def test_a_text_is_read_by_its_type() -> None:
    assert text_octets(SubmitMessage(mt="2", msg="12")) == b"12"
    assert text_octets(SubmitMessage(mt="3", msg="4865")) == b"He"
    assert text_octets(SubmitMessage(mt="4", nb="0008", msg="4865")) == b"He"  # NB shortens nothing
    assert text_octets(MessageTransfer(msg="4865")) == b"He"


# --- names ----------------------------------------------------------------------------------------------


@given(_names)
def test_a_name_is_read_as_written_unless_it_ends_as_the_filling_does(septets: bytes) -> None:
    read = read_originator(write_originator(septets))

    assert read == (septets[:-1] if len(septets) == 8 and septets[-1] == 0 else septets)


@given(some.lists(some.integers(1, 127), min_size=1, max_size=11).map(bytes))
def test_a_name_of_an_encoder_that_rounds_to_octets_is_read_as_meant(septets: bytes) -> None:
    packed = pack(septets)

    assert read_originator(f"{2 * len(packed):02X}{packed.hex()}") == septets


@pytest.mark.parametrize(
    ("name", "field"),
    [
        (b"ALPHA\0NUM", "10412614190438AB4D"),  # published
        (b"BILLAGG", "0DC22493193C1E01"),
        (b"test", "07F4F29C0E"),
        (b"A", "0241"),
    ],
)
def test_known_names_are_written_by_the_rule(name: bytes, field: str) -> None:
    assert write_originator(name) == field
    assert read_originator(field) == name


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("08F4F29C0E", b"test"),  # a public Go client
        ("0EC22493193C1E01", b"BILLAGG"),  # seven, rounded to octets
        ("0E31D98C56B3DD70", b"12345678"),  # eight, by the rule
        ("0A61F1985C06", b"abcde"),
        ("0C61F1985C3603", b"abcdef"),
        ("14412614190438AB4D", b"ALPHA\0NUM"),  # more semi-octets than there are: what is there
        ("00", b""),
    ],
)
def test_other_spellings_of_names_are_read(field: str, name: bytes) -> None:
    assert read_originator(field) == name


@pytest.mark.parametrize("field", ["", "0", "0X41", "07F4F", "8511!"])
def test_what_is_no_packed_name_is_the_peer_s_mistake(field: str) -> None:
    with pytest.raises(RemoteError):
        read_originator(field)


@given(some.binary(max_size=30))
def test_any_octets_are_a_name_of_at_most_what_they_hold(octets: bytes) -> None:
    field = octets.hex()
    if octets:
        assert len(read_originator(field)) <= 8 * (len(octets) - 1) // 7


@pytest.mark.parametrize("septets", [b"", b"twelve chars", b"\x80"])
def test_what_is_no_name_is_our_mistake(septets: bytes) -> None:
    with pytest.raises(LocalError):
        write_originator(septets)


@pytest.mark.parametrize("row", _PACKED, ids=[row["name"] for row in _PACKED])
def test_recorded_septets_are_packed_and_unpacked(row: dict[str, object]) -> None:
    fields, septets = row["fields"], bytes.fromhex(str(row["hex"]))
    assert isinstance(fields, dict)

    packed = pack(septets)

    assert packed.hex().upper() == fields["packed_hex"]
    assert unpack(packed, len(septets)) == septets
