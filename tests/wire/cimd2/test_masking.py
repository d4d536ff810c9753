"""Masked packets: as long as before, with a right checksum, and nothing in them that a subscriber wrote."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given

from tests.wire.cimd2.makers import an_mo, an_mt, any_operations
from wire.cimd2 import Login, Operation, SubmitResp, Submitted, encode
from wire.cimd2.frames import checksum_of
from wire.cimd2.masking import mask

NUMBER, HIDDEN = "79001234567", "7900*****67"
_VECTORS = json.loads((Path(__file__).parents[2] / "vectors/cimd2_packets.json").read_text())["vectors"]


def masked(operation: Operation, *, texts: bool = False) -> bytes:
    frame = encode(operation)
    found = mask(frame, texts=texts)
    assert found is not None
    assert len(found) == len(frame)
    return found


def test_text_and_number_of_an_mt_are_masked_and_nothing_else() -> None:
    mt = replace(an_mt(b"hello _e0 you", sequence=9), destinations=(NUMBER, "4446"))
    as_told = encode(mt).replace(NUMBER.encode(), HIDDEN.encode()).replace(b"hello _e0 you", b"*" * 13)

    assert masked(mt)[:-3] == as_told[:-3]
    assert masked(mt)[-3:] == b"%02X\3" % checksum_of(masked(mt)[:-3])


def test_with_texts_only_the_password_is_masked() -> None:
    mt = replace(an_mt(b"hello", sequence=9), destinations=(NUMBER,))
    login = Login(user_identity="us", password="secret", sequence=1)

    assert masked(mt, texts=True) == encode(mt)
    assert masked(login, texts=True) == masked(login) == encode(replace(login, password="******"))


def test_hex_stays_hex() -> None:
    mo = replace(an_mo(b"", sequence=1), user_data=b"", user_data_binary=b"abc", user_data_header=b"\5\0\3\7\2\1")
    found = masked(mo)

    assert b"034:2A2A2A\t" in found
    assert b"032:050003070201\t" in found


def test_what_is_not_known_is_masked_and_what_is_not_as_its_number_says_too() -> None:
    packet = b"\x0203:001\t021:79001234567\t999:a text\t060:no time\t012:7\t\x03"

    assert mask(packet) == b"\x0203:001\t021:7900*****67\t999:******\t060:*******\t012:7\t\x03"


def test_an_answer_stays_and_its_words_lose_numbers() -> None:
    taken = SubmitResp(submitted=(Submitted(NUMBER, "261128001534"),), sequence=1)
    assert b"060:261128001534\t" in masked(taken)
    refused = SubmitResp(error=300, error_text=f"no route to {NUMBER}", sequence=1)
    assert f"901:no route to {HIDDEN}\t".encode() in masked(refused)


@pytest.mark.parametrize(
    "packet",
    [b"", b"\2\3", b"\x0203:001\x03", b"\x0203:001\tno parameter\t\x03", b"\x0203:001\t021:79\tA\x03", b"03:001\t"],
)  # fmt: skip
def test_what_is_no_packet_is_not_for_sure(packet: bytes) -> None:
    assert mask(packet) is None


@given(any_operations)
def test_any_packet_is_masked_at_its_length_with_a_right_checksum(operation: Operation) -> None:
    frame = encode(operation)
    found = mask(frame)

    assert found is not None, frame
    assert len(found) == len(frame)
    assert mask(found) == found


@pytest.mark.parametrize("row", _VECTORS, ids=lambda row: row["name"])
def test_recorded_packets(row: dict[str, str]) -> None:
    frame = bytes.fromhex(row["hex"])
    found = mask(frame)

    assert found is None or (len(found) == len(frame) and found[:8] == frame[:8])
