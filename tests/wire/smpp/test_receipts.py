"""Receipts are read leniently and written strictly."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.wire.smpp.makers import tlv_lists
from tests.wire.smpp.vectors import vectors
from wire.errors import LocalError
from wire.smpp.receipts import (
    _USUAL,
    STATES,
    NetworkError,
    ReceiptText,
    Unreadable,
    _fields_of,
    _odd_fields_of,
    is_intermediate,
    is_receipt,
    read_network_error,
    read_receipt,
    receipt_tlvs,
    write_receipt,
)
from wire.smpp.tlvs import Tlvs

_ROWS = vectors("smpp_receipts")
_NAMES = {"id": "message_id", "final": "is_final"}
_DONE_MS = 1_795_507_865_000


def _read(text: str | bytes, tlvs: Tlvs = (), **options: bool) -> ReceiptText:
    receipt = read_receipt(text, tlvs, **options)
    assert isinstance(receipt, ReceiptText), receipt
    return receipt


@pytest.mark.parametrize("row", _ROWS, ids=[row["name"] for row in _ROWS])
def test_a_recorded_receipt_says_what_was_meant(row: dict[str, Any]) -> None:
    for text in (bytes.fromhex(row["hex"]), row["fields"]["text"]):
        receipt = _read(text)

        for name, value in row["fields"]["expected"].items():
            assert getattr(receipt, _NAMES.get(name, name)) == value, name


@pytest.mark.parametrize(
    ("word", "is_final", "ok"),
    [
        ("DELIVRD", True, True),
        ("EXPIRED", True, False),
        ("DELETED", True, False),
        ("UNDELIV", True, False),
        ("REJECTD", True, False),
        ("UNKNOWN", True, False),
        ("SKIPPED", True, False),
        ("FAILED", True, False),
        ("XYZZY", True, False),
        ("0", True, True),
        ("ACCEPTD", False, None),
        ("ENROUTE", False, None),
        ("SCHEDULED", False, None),
        ("ACKED", False, None),
        ("BUFFRED", False, None),
        ("BUFFERD", False, None),
        ("delivrd", True, True),
        ("DELIVERED", True, True),
    ],
)
def test_a_state_settles_a_charge_or_waits(word: str, is_final: bool, ok: bool | None) -> None:
    receipt = _read(f"id:7 stat:{word}")

    assert (receipt.is_final, receipt.ok) == (is_final, ok)
    assert receipt.stat == word.upper()


def test_tlvs_win_over_the_text() -> None:
    receipt = _read("id:11259375 stat:ENROUTE err:001", receipt_tlvs("ABCDEF", 2))

    assert (receipt.message_id, receipt.text_id) == ("ABCDEF", "11259375")
    assert (receipt.state, receipt.is_final, receipt.ok) == (2, True, True)
    assert (receipt.stat, receipt.err) == ("ENROUTE", "001")


def test_tlvs_alone_are_enough() -> None:
    receipt = _read(b"", receipt_tlvs("0A1B", 5, NetworkError(3, 27)))

    assert receipt == ReceiptText("0A1B", "UNDELIV", 5, True, False, network_error=NetworkError(3, 27))


def test_an_id_as_tlv_and_a_state_as_text_are_enough() -> None:
    receipt = _read("stat:DELIVRD", receipt_tlvs("0A1B", 2)[:1])

    assert (receipt.message_id, receipt.ok) == ("0A1B", True)


@pytest.mark.parametrize("octets", [b"\x02", b"2", b"\0\0\0\x02", b"02"])
def test_a_state_may_come_in_any_form(octets: bytes) -> None:
    assert _read("id:7 stat:ENROUTE", ((0x0427, octets),)).state == 2


def test_a_state_that_is_none_leaves_the_word() -> None:
    assert _read("id:7 stat:DELIVRD", ((0x0427, b"\x4d"),)).state == 2
    assert read_receipt("id:7", ((0x0427, b"\x4d"),)) == Unreadable("no message state")


@pytest.mark.parametrize(
    ("octets", "error"),
    [
        (b"\x03\0\x1b", NetworkError(3, 27)),
        (b"027", NetworkError(0, 27)),
        (b"\x03\x1b", NetworkError(3, 27)),
        (b"\x08\xff\xff", NetworkError(8, 0xFFFF)),
        (b"", None),
        (b"\x03", None),
    ],
)
def test_a_network_error_is_three_octets_or_three_digits(octets: bytes, error: NetworkError | None) -> None:
    assert read_network_error(((0x0423, octets),)) == error


def test_an_intermediate_notification_is_never_final() -> None:
    receipt = _read("id:7 stat:DELIVRD", intermediate=True)

    assert (receipt.is_final, receipt.ok) == (False, None)


@pytest.mark.parametrize("text", ["", "GAME 7", "id: stat:DELIVRD", "id:7", "stat:DELIVRD", b"\xff\xfe", "valid:5"])
def test_the_subscriber_s_own_text_is_unreadable_not_an_error(text: str | bytes) -> None:
    assert isinstance(read_receipt(text), Unreadable)


@given(some.one_of(some.text(), some.binary()), tlv_lists)
def test_nothing_makes_the_reader_raise(text: str | bytes, tlvs: Tlvs) -> None:
    assert isinstance(read_receipt(text, tlvs), ReceiptText | Unreadable)


@given(
    some.lists(some.sampled_from("id: stat: sub: done date: text: DELIVRD 7 0000000000 \0".split(" "))).map(" ".join)
)
def test_no_order_of_labels_makes_the_reader_raise(text: str) -> None:
    assert isinstance(read_receipt(text), ReceiptText | Unreadable)


_VALUES = some.sampled_from(
    ["7", "0A-1.b/", "a:b", "7stat:X", "1sub:2", "", " ", "0", "261124081105", "DELIVRD", "é", "\0"]
)


@given(
    values=some.lists(_VALUES | some.text(max_size=3), min_size=8, max_size=8),
    label=some.sampled_from([str.lower, str.upper, str.title]),
)
def test_the_usual_form_is_read_at_once_and_alike(values: list[str], label: Callable[[str], str]) -> None:
    names = ("id:", " sub:", " dlvrd:", " submit date:", " done date:", " stat:", " err:", " text:")
    text = "".join(label(name) + value for name, value in zip(names, values, strict=True))

    assert _fields_of(text) == _odd_fields_of(text)


def test_what_we_write_is_the_usual_form() -> None:
    text = write_receipt("0A1B-7.c/d", 2, submit_ms=0, done_ms=_DONE_MS, err="1b", text="stat:X err:1\n")

    assert _USUAL.fullmatch(text)


@pytest.mark.parametrize(
    ("date", "read"),
    [
        ("2611240811", "2026-11-24T08:11:00"),
        ("261124081105", "2026-11-24T08:11:05"),
        ("20261124081105", "2026-11-24T08:11:05"),
        ("261124081105000+", "2026-11-24T08:11:05"),
        ("0000000000", None),
        ("2613240811", None),
        ("2611242511", None),
        ("26-11-24", None),
        ("", None),
    ],
)
def test_a_date_is_wall_time_in_any_of_four_forms(date: str, read: str | None) -> None:
    assert _read(f"id:7 stat:DELIVRD done date:{date} err:000").done_date == read


def test_a_receipt_is_written_as_in_the_document() -> None:
    text = write_receipt(
        "0123456789", 2, submit_ms=_DONE_MS - 60_000, done_ms=_DONE_MS, text="Hello, hello, hello, hello"
    )

    assert text == (
        "id:0123456789 sub:001 dlvrd:001 submit date:2611240810 done date:2611240811 "
        "stat:DELIVRD err:000 text:Hello, hello, hello,"
    )


@given(some.sampled_from(sorted(STATES)), some.text(), some.integers(0, 999))
def test_a_receipt_is_read_as_written(state: int, text: str, sub: int) -> None:
    written = write_receipt("0A1B-7", state, submit_ms=0, done_ms=_DONE_MS, err="27", text=text, sub=sub)

    receipt = _read(written, receipt_tlvs("0A1B-7", state))

    row = STATES[state]
    assert (receipt.message_id, receipt.state, receipt.ok) == ("0A1B-7", state, row.ok)
    assert (receipt.sub, receipt.dlvrd, receipt.err) == (sub, int(state == 2), "027")
    assert receipt.done_date == "2026-11-24T08:11:00"


@pytest.mark.parametrize(
    "wrong",
    [
        {"message_id": ""},
        {"message_id": "a b"},
        {"message_id": "x" * 65},
        {"state": 77},
        {"err": "0000"},
        {"err": "a:"},
        {"sub": 1000},
        {"dlvrd": -1},
        {"done_ms": 1 << 62},
    ],
)
def test_a_receipt_that_nobody_could_read_is_our_mistake(wrong: dict[str, Any]) -> None:
    values: dict[str, Any] = {"message_id": "7", "state": 2, "submit_ms": 0, "done_ms": 0} | wrong

    with pytest.raises(LocalError):
        write_receipt(**values)


def test_a_network_error_out_of_range_is_our_mistake() -> None:
    with pytest.raises(LocalError):
        receipt_tlvs("7", 2, NetworkError(256, 0))


@pytest.mark.parametrize(
    ("esm_class", "receipt", "intermediate"),
    [(0x04, 1, 0), (0x44, 1, 0), (0x20, 0, 1), (0, 0, 0), (0x24, 0, 0), (0xC3, 0, 0)],
)
def test_the_type_bits_tell_a_receipt(esm_class: int, receipt: bool, intermediate: bool) -> None:
    assert is_receipt(esm_class) == bool(receipt)
    assert is_intermediate(esm_class) == bool(intermediate)
