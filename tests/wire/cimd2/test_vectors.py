"""The recorded packets decode to what tshark made of them, and encode to the same bytes."""

from typing import Any

import pytest

from tests.wire.cimd2.makers import attempt
from tests.wire.cimd2.vectors import PACKETS, vectors
from wire.cimd2 import (
    Alive,
    Cimd2Session,
    Deliver,
    EnquireResp,
    GetResp,
    Login,
    Nack,
    Operation,
    Response,
    StatusReport,
    Submit,
    SubmitResp,
    decode,
    encode,
    minutes_of,
    read_text,
    response_to,
    write_text,
)
from wire.cimd2.codes import SYNTAX, status_of
from wire.cimd2.frames import FrameReader
from wire.cimd2.parameters import NUMBER_OF, PARAMETERS
from wire.errors import RemoteError

_ROWS = vectors("cimd2_packets")
_INVALID = vectors("invalid_frames")
_FIELD_OF = {number: name for name, number in NUMBER_OF.items() if name != "destinations"}


def _named(rows: list[dict[str, Any]]) -> Any:
    return pytest.mark.parametrize("row", rows, ids=[row["name"] for row in rows])


def _values_of(operation: Operation, number: int) -> list[str]:
    """What the operation holds for a parameter, spelled as in the vectors."""
    if number == 21 and isinstance(operation, Submit):
        return list(operation.destinations)
    if isinstance(operation, SubmitResp) and number in (21, 60):
        return [one.destination if number == 21 else one.time_stamp for one in operation.submitted]
    value = getattr(operation, _FIELD_OF[number])
    if number in (32, 34):
        value = value.hex().upper()
    elif isinstance(value, bytes):
        value = value.decode("latin-1")
    elif number == 900:
        value = f"{value:03}"
    return [str(value)]


@_named(_ROWS)
def test_a_recorded_packet_decodes_to_its_parameters(row: dict[str, Any]) -> None:
    expected = row["fields"]

    operation = decode(bytes.fromhex(row["hex"]))

    assert operation.code == int(expected["operation"])
    assert operation.sequence == expected["packet_number"]
    assert operation.others == ()
    for parameter in expected["parameters"]:
        assert _values_of(operation, int(parameter["code"])) == [parameter["value"]]
    recorded = {int(parameter["code"]) for parameter in expected["parameters"]}
    assert recorded <= set(PARAMETERS)


@_named(_ROWS)
def test_a_recorded_packet_encodes_to_its_bytes(row: dict[str, Any]) -> None:
    packet = bytes.fromhex(row["hex"])

    operation = decode(packet)

    assert encode(operation, checksum=row["fields"]["checksum"] is not None) == packet


@_named([row for row in _ROWS if "text" in row["fields"]])
def test_a_recorded_text_is_read(row: dict[str, Any]) -> None:
    operation = decode(bytes.fromhex(row["hex"]))
    assert isinstance(operation, Submit | Deliver)

    text = operation.user_data_binary.decode("utf-16-be") or read_text(operation.user_data)

    assert text == row["fields"]["text"]


@_named([row for row in _ROWS if "validity_minutes" in row["fields"]])
def test_a_recorded_validity_has_its_minutes(row: dict[str, Any]) -> None:
    operation = decode(bytes.fromhex(row["hex"]))

    assert isinstance(operation, Submit)
    assert operation.validity_relative is not None
    assert minutes_of(operation.validity_relative) == row["fields"]["validity_minutes"]


def test_what_identifies_a_message_is_read() -> None:
    response = decode(PACKETS["submit_ok"])
    report = decode(PACKETS["report_delivered"])
    pending = decode(PACKETS["report_in_process"])
    enquired = decode(PACKETS["enquire_failed"])
    clock = decode(PACKETS["get_time_resp"])

    assert isinstance(response, SubmitResp)
    assert response.submitted == (("+237670000001", "261124081000"),)
    assert isinstance(report, StatusReport)
    assert (report.destination, report.time_stamp) == ("237670000001", "261124081000")
    assert status_of(report.status_code).success
    assert isinstance(pending, StatusReport)
    assert not status_of(pending.status_code).final
    assert isinstance(enquired, EnquireResp)
    assert (enquired.status_code, enquired.status_error, enquired.error) == (3, 1, 0)
    assert isinstance(clock, GetResp)
    assert clock.centre_time == "261124081500"


# --- user data, validity --------------------------------------------------------------------------------


@_named(vectors("cimd2_userdata"))
def test_recorded_user_data_is_read_and_written(row: dict[str, Any]) -> None:
    octets, text = bytes.fromhex(row["hex"]), row["fields"]["text"]

    assert read_text(octets) == text
    if row["note"] != "decoding only":
        assert write_text(text) == octets
        assert octets == row["fields"]["user_data"].encode("latin-1")


@pytest.mark.parametrize("row", vectors("gsm_relative_validity"), ids=lambda row: row["name"])
def test_a_recorded_code_has_its_minutes(row: dict[str, Any]) -> None:
    assert minutes_of(row["fields"]["code"]) == row["fields"]["minutes"]


# --- frames that are wrong ------------------------------------------------------------------------------


def _centre() -> Cimd2Session:
    """A centre whose peer has logged in with packet 001."""
    session = Cimd2Session("smsc", now_ms=0)
    (login,) = session.receive(PACKETS["login"], 0)
    assert isinstance(login, Login)
    session.answer(login, response_to(login))
    session.tick(0)
    session.output()
    return session


def test_every_expectation_about_wrong_frames_is_known() -> None:
    assert {row["name"]: row["fields"]["expect"] for row in _INVALID} == {
        "checksum_wrong": "nack",
        "missing_colon": "reject (syntax error)",
        "even_number_from_app": "nack",
        "unterminated": "drop the first part, accept the second",
        "unknown_parameter": "incomplete: wait for more",
    }


@_named([row for row in _INVALID if row["fields"]["expect"] == "nack"])
def test_a_damaged_packet_and_a_wrong_number_get_a_nack_with_the_expected_number(row: dict[str, Any]) -> None:
    session = _centre()

    assert session.receive(bytes.fromhex(row["hex"]), 0) == []
    assert decode(session.output()) == Nack(3)


def test_a_parameter_without_a_colon_is_a_syntax_error() -> None:
    session = _centre()
    (row,) = [row for row in _INVALID if row["name"] == "missing_colon"]

    assert session.receive(bytes.fromhex(row["hex"]), 0) == []
    response = decode(session.output())
    assert isinstance(response, Response)
    assert (response.name, response.sequence, response.error) == ("submit_resp", 3, SYNTAX)


def test_a_packet_that_is_cut_short_is_dropped_and_the_next_is_taken() -> None:
    session = _centre()
    (row,) = [row for row in _INVALID if row["name"] == "unterminated"]

    events = session.receive(bytes.fromhex(row["hex"]), 0)

    assert events == [decode(PACKETS["submit_simple"])]
    assert session.ignored == 1


def test_a_packet_without_its_end_is_waited_for() -> None:
    (row,) = [row for row in _INVALID if row["name"] == "unknown_parameter"]
    reader = FrameReader()

    assert reader.read(bytes.fromhex(row["hex"])) == []
    assert reader.pending == len(bytes.fromhex(row["hex"]))
    (packet,) = reader.read(b"999:later\t\3")
    submit = decode(packet)
    assert isinstance(submit, Submit)
    assert submit.others == ((999, "later"),)


@_named(_INVALID)
def test_a_wrong_frame_raises_nothing_but_a_remote_error(row: dict[str, Any]) -> None:
    read = attempt(bytes.fromhex(row["hex"]))

    assert isinstance(read, RemoteError | Alive)


def test_a_password_is_not_in_a_repr() -> None:
    assert "secret" not in repr(Login(user_identity="us", password="secret"))
    assert len(PACKETS) == len(_ROWS)
