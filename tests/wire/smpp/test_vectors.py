"""The recorded PDUs decode to what tshark made of them, and encode to the same bytes."""

from typing import Any

import pytest

from tests.wire.smpp.makers import attempt
from tests.wire.smpp.vectors import PDUS, vectors
from wire.errors import RemoteError
from wire.smpp import (
    BindTransceiver,
    DeliverSmResp,
    Destination,
    DistributionList,
    Operation,
    SmppSession,
    Unbind,
    decode,
    encode,
    read_receipt,
    read_time,
    user_data,
)
from wire.smpp.codec import write_by_table
from wire.smpp.operations import DataSm, ReplaceSm, ShortMessage, SubmitMulti
from wire.smpp.receipts import ReceiptText
from wire.smpp.times import Relative
from wire.smpp.tlvs import TAGS, read_int, read_octets, read_text

_ROWS = vectors("smpp_pdus")
_HEADER = {"command", "command_length", "command_id", "command_status", "sequence_number", "sm_length"}
_MEANING = {"text", "udh_hex", "concat", "validity_seconds", "receipt", "ussd"}


def _named(rows: list[dict[str, Any]]) -> Any:
    return pytest.mark.parametrize("row", rows, ids=[row["name"] for row in rows])


@_named(_ROWS)
def test_a_recorded_pdu_decodes_to_its_fields(row: dict[str, Any]) -> None:
    expected = row["fields"]

    operation = decode(bytes.fromhex(row["hex"]))

    assert operation.name == expected["command"]
    assert operation.command_id == int(expected["command_id"], 16)
    assert operation.status == int(expected["command_status"], 16)
    assert operation.sequence == expected["sequence_number"]
    for name, value in expected.items():
        if name not in _HEADER | _MEANING | {"tlvs"}:
            assert _field_of(operation, name) == value, name
    assert [tag for tag, _ in operation.tlvs] == [int(tlv["tag"], 16) for tlv in expected.get("tlvs", [])]
    for tlv in expected.get("tlvs", []):
        _check_tlv(operation, tlv)


def _field_of(operation: Operation, name: str) -> Any:
    if name == "short_message_hex":
        assert isinstance(operation, ShortMessage | SubmitMulti | ReplaceSm)
        return operation.short_message.hex()
    if name == "dest_address":
        assert isinstance(operation, SubmitMulti)
        return [_plain(destination) for destination in operation.dest_address]
    return getattr(operation, name)


def _plain(destination: Destination | DistributionList) -> dict[str, Any]:
    if isinstance(destination, DistributionList):
        return {"dl_name": destination.dl_name}
    return {name: getattr(destination, name) for name in ("dest_addr_ton", "dest_addr_npi", "destination_addr")}


def _check_tlv(operation: Operation, tlv: dict[str, Any]) -> None:
    tag = int(tlv["tag"], 16)
    if tlv["name"]:
        assert TAGS[tag].name == tlv["name"]
    if "value_hex" in tlv:
        octets = read_octets(operation.tlvs, tag)
        assert octets is not None
        assert octets.hex() == tlv["value_hex"]
    elif isinstance(tlv["value"], int):
        assert read_int(operation.tlvs, tag) == tlv["value"]
    else:
        assert read_text(operation.tlvs, tag) == tlv["value"]


@_named(_ROWS)
def test_a_recorded_pdu_encodes_to_its_bytes(row: dict[str, Any]) -> None:
    frame = bytes.fromhex(row["hex"])

    operation = decode(frame)

    assert encode(operation) == frame
    if not isinstance(operation, DeliverSmResp):  # which is longer than the table makes an error's
        assert write_by_table(operation) == frame


@_named([row for row in _ROWS if "validity_seconds" in row["fields"]])
def test_a_recorded_validity_has_its_seconds(row: dict[str, Any]) -> None:
    operation = decode(bytes.fromhex(row["hex"]))

    assert isinstance(operation, ShortMessage)
    assert read_time(operation.validity_period) == Relative(row["fields"]["validity_seconds"])


@_named([row for row in _ROWS if "receipt" in row["fields"]])
def test_a_recorded_receipt_can_be_read(row: dict[str, Any]) -> None:
    operation = decode(bytes.fromhex(row["hex"]))
    expected = row["fields"]["receipt"]

    assert isinstance(operation, ShortMessage | DataSm)
    receipt = read_receipt(user_data(operation), operation.tlvs)

    assert isinstance(receipt, ReceiptText)
    assert receipt.message_id == expected["id"]
    assert receipt.stat == expected["stat"] if "stat" in expected else receipt.state == expected["message_state"]


# --- frames that are wrong ------------------------------------------------------------------------------

# What invalid_frames.json accepts, as (command_id, status) of our answer; None: nothing is answered.
_ANSWERS: dict[str, tuple[tuple[int, int] | None, ...]] = {
    "fatal": ((0x80000000, 0x02),),
    "generic_nack 0x03 seq 42": ((0x80000000, 0x03),),
    "ignore": (None,),
    "0xC0 or 0xC2 resp": ((0x80000004, 0xC0), (0x80000004, 0xC2)),
    "0xC0 resp or ignore the tail": ((0x80000004, 0xC0),),
    "0x0F resp": ((0x80000002, 0x0F),),
    "submit_sm_resp 0x0B": ((0x80000004, 0x0B),),
}
_INVALID = vectors("invalid_frames")


@_named([row for row in _INVALID if row["fields"]["expect"] in _ANSWERS])
def test_a_wrong_frame_gets_its_answer_from_the_session(row: dict[str, Any]) -> None:
    session = SmppSession("smsc", now_ms=0)
    frame = bytes.fromhex(row["hex"])

    events = session.receive(frame, 0)

    answer = session.output()
    said = decode(answer) if answer else None
    assert (said and (said.command_id, said.status)) in _ANSWERS[row["fields"]["expect"]]
    if row["fields"]["expect"] == "fatal":
        assert said is not None
        assert said.sequence == 0
        assert len(events) == 1
    else:
        assert events == []
        assert said is None or answer[12:16] == frame[12:16]


@_named([row for row in _INVALID if row["fields"]["expect"] != "ignore"])
def test_a_wrong_frame_raises_nothing_but_a_remote_error(row: dict[str, Any]) -> None:
    read = attempt(bytes.fromhex(row["hex"]))

    if isinstance(read, RemoteError):
        assert read.fatal == (row["fields"]["expect"] == "fatal")
    else:
        assert row["name"] in ("both_text_fields", "udhl_beyond_message")
        assert isinstance(read, ShortMessage)
        assert user_data(read) == read.short_message  # short_message wins; a broken header is raw


def test_every_expectation_about_wrong_frames_is_known() -> None:
    accepted = {"0x01/0xC1 resp or short_message wins", "deliver_sm_resp 0x43 or accept as raw"}

    assert {row["fields"]["expect"] for row in _INVALID} == accepted | set(_ANSWERS)


def test_a_password_is_not_in_a_repr() -> None:
    assert "secret" not in repr(BindTransceiver(system_id="us", password="secret"))
    assert repr(Unbind()) == "Unbind(sequence=0, status=0)"
    assert len(PDUS) == len(_ROWS)
