"""Masked frames: as long as before, with a right checksum, and nothing in them that a subscriber wrote."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from tests.wire.ucp.makers import a_change, a_login, an_mo, an_mt, any_operations, framed, on_wire, read
from wire.ucp import CallInput, MessageTransfer, MultipleCallInput, Operation, Result, encode
from wire.ucp.masking import mask

NUMBER, HIDDEN = "79001234567", "7900*****67"
UDH = "050003070201"
_VECTORS = [
    row
    for file in ("ucp_messages", "ucp_published")
    for row in json.loads((Path(__file__).parents[2] / f"vectors/{file}.json").read_text())["vectors"]
]


def masked(operation: Operation, *, texts: bool = False) -> Any:
    frame = encode(operation)
    found = mask(frame, texts=texts)
    assert found is not None
    assert len(found) == len(frame)
    return read(found)


def test_text_and_number_of_an_mt_are_masked_and_nothing_else() -> None:
    mt = an_mt(b"hello", adc=NUMBER, oadc="4446", ac="77777", sequence=9)

    assert masked(mt) == replace(mt, adc=HIDDEN, msg="2A" * 5, ac="00000")


def test_with_texts_only_passwords_are_masked() -> None:
    mt = an_mt(b"hello", adc=NUMBER, sequence=9)

    assert masked(mt, texts=True) == mt
    login = a_login(oadc="8511", pwd="733363726574", sequence=1)
    assert masked(login, texts=True) == masked(login) == replace(login, pwd="2A2A2A2A2A2A")
    change = a_change(pwd="7333", npwd="7334", sequence=1)
    assert masked(change, texts=True) == replace(change, pwd="2A2A", npwd="2A2A")


def test_texts_of_every_kind() -> None:
    digits = an_mo(sequence=1)
    digits.mt, digits.msg, digits.oadc = "2", "4711", NUMBER
    assert masked(digits) == replace(digits, msg="0000", oadc=HIDDEN)
    octets = an_mo(sequence=1)
    octets.mt, octets.nb, octets.msg = "4", "0016", "0041"
    assert masked(octets).msg == "2A2A"
    old = CallInput(adc=NUMBER, oadc="4446", mt="3", msg="616263", sequence=1)
    assert masked(old) == replace(old, adc=HIDDEN, msg="2A2A2A")
    older = MessageTransfer(adc=NUMBER, oadc="4446", msg="616263", sequence=1)
    assert masked(older) == replace(older, adc=HIDDEN, msg="2A2A2A")
    several = MultipleCallInput(adc=(NUMBER, "79009999999"), oadc="4446", mt="3", msg="61", sequence=1)
    assert masked(several) == replace(several, adc=(HIDDEN, "7900*****99"), msg="2A")


def test_a_word_as_originator_stays() -> None:
    mt = an_mt(b"hello", adc=NUMBER, oadc="0DCD32E86C7ECBC3", otoa="5039", sequence=1)

    assert masked(mt).oadc == "0DCD32E86C7ECBC3"


def test_of_extra_services_headers_and_small_integers_stay() -> None:
    header, coding, price, other = f"0106{UDH}", "020108", "0C03313233", "0903373930"
    mt = an_mt(b"hello", adc=NUMBER, xser=header + coding + price + other, sequence=1)

    assert masked(mt).xser == header + coding + "0C032A2A2A" + "09032A2A2A"


def test_a_result_loses_the_number_and_keeps_the_time() -> None:
    taken = Result(7, "51", sm=f"{NUMBER}:281126001534")
    assert masked(taken) == replace(taken, sm=f"{HIDDEN}:281126001534")
    refused = Result(7, "51", ec=3, sm=f" no route to {NUMBER}")
    assert masked(refused) == replace(refused, sm=f" no route to {HIDDEN}")


@pytest.mark.parametrize(
    "frame",
    [
        b"", b"\2\3", b"no frame", encode(an_mt(sequence=1))[:-3] + b"00\3", encode(an_mt(sequence=1))[1:],
        on_wire(framed("O/51", "a/b")), on_wire(framed("O/99", "a/b")), on_wire(framed("O/02", "x/1/2/3/4")),
        on_wire(framed("O/01", "79001234567/4446//3/no hex")), on_wire(framed("O/01", "79001234567/4446//9/text")),
    ],
)  # fmt: skip
def test_what_is_no_known_frame_is_not_for_sure(frame: bytes) -> None:
    assert mask(frame) is None


@given(any_operations)
def test_any_frame_is_masked_at_its_length_and_read_again(operation: Operation) -> None:
    frame = encode(operation)
    found = mask(frame)

    assert found is not None, frame
    assert len(found) == len(frame)
    again = read(found)
    assert type(again) is type(operation)
    assert again.sequence == operation.sequence
    assert mask(found) == found


@pytest.mark.parametrize("row", _VECTORS, ids=lambda row: row["name"])
def test_recorded_frames(row: dict[str, str]) -> None:
    frame = bytes.fromhex(row["hex"])
    found = mask(frame)

    assert found is None or len(found) == len(frame)
