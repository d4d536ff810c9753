"""The recorded frames decode to what tshark made of them, and encode to the same bytes."""

from typing import Any

import pytest

from tests.wire.ucp.makers import attempt, on_wire, read
from tests.wire.ucp.vectors import FAULTY, FRAMES, vectors
from wire.errors import RemoteError
from wire.ucp import (
    DeliverNotification,
    OpenSession,
    Operation,
    Request,
    Result,
    SubmitMessage,
    UcpSession,
    decode,
    encode,
    read_identity,
)
from wire.ucp import codes as co
from wire.ucp.frames import checksum
from wire.ucp.operations import LAYOUTS
from wire.ucp.text import read_ira, read_originator, text_octets
from wire.ucp.times import read_time
from wire.ucp.xser import BILLING_IDENTIFIER, DATA_CODING_SCHEME, USER_DATA_HEADER, read_item, read_xser

_ROWS = vectors("ucp_messages")
_PUBLISHED = vectors("ucp_published")
# The characters of these vectors whose octet is not that of Latin-1.
_GSM = {"@": "\0", "£": "\1", "{": "\x1b(", "}": "\x1b)", "€": "\x1be", "é": "\5"}


def _named(rows: list[dict[str, Any]]) -> Any:
    return pytest.mark.parametrize("row", rows, ids=[row["name"] for row in rows])


def _having(*names: str) -> Any:
    return _named([row for row in _ROWS if any(name in row["fields"] for name in names)])


def _plain(operation: Operation) -> list[tuple[str, str]]:
    """Its fields in wire order, as the vectors name them; empty ones left out."""
    if isinstance(operation, Result):
        ec = f"{operation.ec:02d}" if operation.ec else ""
        row = [("ACK", "N" if ec else "A"), ("EC", ec), ("MVP", operation.mvp), ("SM", operation.sm)]
    else:
        assert isinstance(operation, Request)
        row = []
        for name in LAYOUTS[type(operation)]:
            value = getattr(operation, name)
            if isinstance(value, tuple):
                row += [("NPL", str(len(value))), *((name, each) for each in value)]
            else:
                row.append((name, value))
    return [(name.upper(), value) for name, value in row if value]


@_named(_ROWS)
def test_a_recorded_frame_decodes_to_its_fields(row: dict[str, Any]) -> None:
    expected = row["fields"]

    operation = decode(FRAMES[row["name"]])

    assert operation.sequence == int(expected["trn"])
    assert isinstance(operation, Request | Result)
    assert (operation.ot, isinstance(operation, Result)) == (expected["ot"], expected["o_r"] == "R")
    assert _plain(operation) == [(field["name"].upper(), field["value"]) for field in expected["fields"]]


@_named(_ROWS)
def test_a_recorded_frame_encodes_to_its_bytes(row: dict[str, Any]) -> None:
    frame = bytes.fromhex(row["hex"])

    assert encode(decode(frame[1:-1])) == frame
    assert frame == on_wire(row["ascii"].encode())


@_named(_PUBLISHED)
def test_a_published_message_is_read_and_written_unless_it_is_faulty(row: dict[str, Any]) -> None:
    frame, expected = FRAMES[row["name"]], row["fields"]

    operation = attempt(frame)

    if row["name"] == FAULTY:
        assert not expected["checksum_ok"]
        assert isinstance(operation, RemoteError)
        assert operation.answer is None  # a result is not answered
    else:
        assert isinstance(operation, Request | Result)
        assert (operation.sequence, operation.ot) == (int(expected["trn"]), expected["ot"])
        assert encode(operation) == on_wire(frame)


def test_the_checksum_of_the_worked_example_is_that_of_the_sheet() -> None:
    assert checksum(b"02/00035/O/31/0234765439845/0139/") == 0xA0


# --- what the fields mean -------------------------------------------------------------------------------


@_having("text")
def test_a_recorded_text_can_be_read(row: dict[str, Any]) -> None:
    operation: Any = decode(FRAMES[row["name"]])
    text = row["fields"]["text"]

    octets = text_octets(operation)

    if getattr(operation, "xser", "") and read_item(read_xser(operation.xser), DATA_CODING_SCHEME) == b"\x08":
        assert octets.decode("utf-16-be") == text
    else:
        assert octets.decode("latin-1") == "".join(_GSM.get(letter, letter) for letter in text)


@_having("originator_text")
def test_a_recorded_name_can_be_read(row: dict[str, Any]) -> None:
    operation = decode(FRAMES[row["name"]])

    assert isinstance(operation, SubmitMessage)
    assert operation.otoa == "5039"
    assert read_originator(operation.oadc).decode() == row["fields"]["originator_text"]


@_having("password_text")
def test_a_recorded_password_can_be_read(row: dict[str, Any]) -> None:
    operation: Any = decode(FRAMES[row["name"]])

    assert read_ira(operation.pwd).decode() == row["fields"]["password_text"]


@_having("xser")
def test_recorded_extra_services_can_be_read(row: dict[str, Any]) -> None:
    operation: Any = decode(FRAMES[row["name"]])
    fields = row["fields"]

    items = read_xser(operation.xser)

    assert items == tuple((int(item["type"], 16), bytes.fromhex(item["value"])) for item in fields["xser"])
    for item in fields["xser"]:
        if "text" in item:
            assert read_item(items, BILLING_IDENTIFIER) == item["text"].encode()
    if "concat" in fields:
        parts = fields["concat"]
        assert read_item(items, USER_DATA_HEADER) == bytes((5, 0, 3, parts["ref"], parts["total"], parts["seq"]))


@_having("sm_adc", "scts")
def test_a_recorded_identity_and_time_can_be_read(row: dict[str, Any]) -> None:
    operation: Any = decode(FRAMES[row["name"]])
    fields = row["fields"]

    identity = read_identity(operation.sm) if isinstance(operation, Result) else None
    scts = identity.scts if identity else operation.scts

    moment = read_time(scts)
    assert moment is not None
    assert moment.isoformat() == fields.get("sm_scts", fields.get("scts"))
    assert identity is None or identity.recipient == fields["sm_adc"]


@_having("status")
def test_a_recorded_notification_says_its_state_and_reason(row: dict[str, Any]) -> None:
    operation = decode(FRAMES[row["name"]])

    assert isinstance(operation, DeliverNotification)
    assert co.STATES[operation.dst].word == row["fields"]["status"]
    reason = co.reason(operation.rsn)
    assert reason is not None
    assert reason.code == row["fields"]["reason"]


# --- frames that are wrong ------------------------------------------------------------------------------

_INVALID = vectors("invalid_frames")
_SECOND = "drop the first part, accept the second"
# What the sheet accepts, as the EC of our answer; None: nothing is answered.
_ANSWERS: dict[str, tuple[int | None, ...]] = {"reject": (None, 1, 2), "reject (EC 02)": (2,)}


@_named([row for row in _INVALID if row["fields"]["expect"] in _ANSWERS])
def test_a_wrong_frame_is_rejected_by_the_session(row: dict[str, Any]) -> None:
    session = UcpSession("smsc", now_ms=0)

    events = session.receive(bytes.fromhex(row["hex"]), 0)

    said = session.output()
    answer = read(said) if said else None
    assert events == []
    assert session.refused + session.ignored == 1
    assert answer is None or isinstance(answer, Result)
    assert (answer and answer.ec) in _ANSWERS[row["fields"]["expect"]]


def test_a_frame_that_begins_inside_another_is_the_one_that_counts() -> None:
    (row,) = [row for row in _INVALID if row["fields"]["expect"] == _SECOND]
    session = UcpSession("smsc", now_ms=0)
    session.receive(on_wire(FRAMES["open_session"]), 0)
    (login,) = session._owed.values()
    assert isinstance(login, OpenSession)
    session.answer(login, Result(ot="60"))
    session.tick(0)

    (submit,) = session.receive(bytes.fromhex(row["hex"]), 0)

    assert submit == decode(FRAMES["submit_text"])


def test_every_expectation_about_wrong_frames_is_known() -> None:
    assert {row["fields"]["expect"] for row in _INVALID} == {_SECOND, *_ANSWERS}


def test_the_example_of_the_document_with_a_wrong_len_is_taken_by_a_tolerant_reader_only() -> None:
    wrong = b"04/00024/R/31/A/0003/2E"

    assert isinstance(attempt(wrong), RemoteError)
    assert decode(wrong, tolerant_length=True) == Result(4, "31", 0, "", "0003")
