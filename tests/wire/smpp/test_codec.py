"""Operations to bytes and back: every PDU, both ways of the hot ones, and what is refused."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.wire.smpp.makers import an_mo, an_mt, any_operations, attempt, operations_of
from tests.wire.smpp.vectors import PDUS
from wire.errors import LocalError, RemoteError
from wire.smpp import (
    COMMANDS,
    BindResp,
    BindTransceiver,
    BindTransceiverResp,
    CancelSm,
    DataSmResp,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    GenericNack,
    Operation,
    Outbind,
    QuerySmResp,
    Request,
    Response,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    SubmitSmResp,
    carries_two_texts,
    decode,
    encode,
    response_to,
    user_data,
)
from wire.smpp.codec import _table_reader, refusal_of, write_by_table
from wire.smpp.frames import read_header
from wire.smpp.tlvs import MESSAGE_PAYLOAD, write_tlv


def _frame(command: type[Operation], body: bytes, status: int = 0, sequence: int = 7) -> bytes:
    head = (16 + len(body), command.command_id, status, sequence)
    return b"".join(number.to_bytes(4, "big") for number in head) + body


@given(any_operations)
def test_what_is_written_is_read_again(operation: Operation) -> None:
    frame = encode(operation)

    assert decode(frame) == operation
    assert read_header(frame) == (len(frame), operation.command_id, operation.status, operation.sequence)


@given(some.one_of([operations_of(kind) for kind in (SubmitSm, DeliverSm, SubmitSmResp)]))
def test_the_fast_ways_agree_with_the_table(operation: Operation) -> None:
    frame = encode(operation)

    assert frame == write_by_table(operation)
    assert _table_reader(type(operation))(frame, operation.status, operation.sequence) == operation


@given(any_operations, some.data())
def test_a_cut_pdu_raises_nothing_but_a_remote_error(operation: Operation, data: some.DataObject) -> None:
    frame = encode(operation)
    cut = frame[16 : data.draw(some.integers(16, len(frame)))]

    read = attempt(_frame(type(operation), cut))

    if isinstance(read, RemoteError):
        assert isinstance(operation, Request)
        assert read.answer
        assert not read.fatal
    else:
        assert type(read) is type(operation)


@pytest.mark.parametrize("body", ["", "00", "0A1B2C3D\0"])
def test_an_error_response_may_have_no_body_an_empty_one_or_a_full_one(body: str) -> None:
    octets = bytes.fromhex(body) if len(body) == 2 else body.encode()

    response = decode(_frame(SubmitSmResp, octets, status=0x45))

    assert response == SubmitSmResp(7, 0x45, (), body[:-1] if len(body) > 2 else "")


@pytest.mark.parametrize(
    "command", [kind for kind in COMMANDS.values() if issubclass(kind, Response)], ids=lambda kind: kind.name
)
def test_every_error_response_may_be_a_header_only(command: type[Operation]) -> None:
    response = decode(_frame(command, b"", status=0x58))

    assert response == command(7, 0x58)


@pytest.mark.parametrize(
    "command", [kind for kind in COMMANDS.values() if issubclass(kind, Response)], ids=lambda kind: kind.name
)
def test_an_error_response_is_a_header_only_but_for_those_that_peers_read_by_their_nul(
    command: type[Operation],
) -> None:
    nul = b"\0" if issubclass(command, BindResp | DeliverSmResp) else b""

    assert encode(command(7, 0x58)) == _frame(command, nul, status=0x58)


@pytest.mark.parametrize("body", [b"0A1B", b"0A1B\0\x04", b"0A1B\0\x04\x27\0\x09\x02"])
def test_a_response_with_a_broken_tail_keeps_its_id(body: bytes) -> None:
    response = decode(_frame(SubmitSmResp, body))

    assert response == SubmitSmResp(7, 0, (), "0A1B")


def test_a_response_may_spell_an_id_longer_than_the_document_allows() -> None:
    response = decode(_frame(DataSmResp, b"A" * 100 + b"\0"))

    assert response == DataSmResp(7, 0, (), "A" * 100)


def test_a_list_of_failures_that_breaks_off_keeps_the_whole_ones() -> None:
    whole = b"id\0\x02\x01\x01123\0\0\0\0\x0b"

    response = decode(_frame(SubmitMultiResp, whole + b"\x01\x01124\0\0"))

    assert isinstance(response, SubmitMultiResp)
    assert [failure.destination_addr for failure in response.unsuccess] == ["123"]


def test_a_deliver_sm_resp_is_always_17_octets() -> None:
    answers = [DeliverSmResp(), DeliverSmResp(status=0x64), DeliverSmResp(message_id="no use")]

    assert [len(encode(answer)) for answer in answers] == [17, 17, 17]


def test_a_long_password_is_taken_and_a_long_system_id_is_not() -> None:
    long = encode(BindTransceiver(system_id="us", password="twelve chars"))

    assert decode(long) == BindTransceiver(system_id="us", password="twelve chars")
    with pytest.raises(RemoteError) as error:
        decode(_frame(BindTransceiver, b"S" * 16 + b"\0pw\0\0\x34\0\0\0"))
    assert error.value.answer == 0x0F


_STRICT = [
    (SubmitSm, b"A" * 6 + b"\0\0\0\0\0\0123\0" + bytes(10), 0x15),
    (SubmitSm, b"\0\0\0" + b"A" * 21 + b"\0\0\x00123\0" + bytes(10), 0x0A),
    (SubmitSm, b"\0\0\0\0\0\0" + b"1" * 21 + b"\0" + bytes(10), 0x0B),
    (SubmitSm, b"\0\0\0\0\0\x00123\0\0\0\0" + b"1" * 17 + b"\0" + bytes(7), 0x61),
    (SubmitSm, b"\0\0\0\0\0\x00123\0\0\0\0\0" + b"1" * 17 + b"\0" + bytes(6), 0x62),
    (SubmitSm, b"\0\0\0\0\0\x00123\0" + bytes(9) + b"\x05four", 0x01),
    (SubmitSm, b"\0\0\0\0\0\x00123", 0x02),
    (SubmitSm, b"\0\0\0\0\0\x00123\0\0\0", 0x02),
    (DeliverSm, b"\0\0\0\0\0\x00123\0" + bytes(10) + b"\x04", 0xC0),
    (DeliverSm, b"\0\0\0\0\0\x00123\0" + bytes(10) + b"\x04\x24\0\x09four", 0xC2),
    (CancelSm, b"\0" + b"1" * 65 + b"\0" + bytes(6), 0x0C),
    (SubmitMulti, b"\0\0\0\0\0" + bytes(12), 0x33),
    (SubmitMulti, b"\0\0\0\0\x01\x03" + bytes(12), 0x40),
    (SubmitMulti, b"\0\0\0\0\x01\x02" + b"L" * 21 + b"\0" + bytes(12), 0x34),
    (SubmitMulti, b"\0\0\0\0\x02\x01\0\x00123\0", 0x02),
    (BindTransceiver, b"us\0pw\0" + b"T" * 13 + b"\0\x34\0\0\0", 0x53),
    (BindTransceiver, b"us\0pw\0\0\x34\0\0" + b"9" * 41 + b"\0", 0x0D),
]


@pytest.mark.parametrize(("command", "body", "status"), _STRICT)
def test_a_broken_request_is_answered_with_the_status_that_names_its_field(
    command: type[Request], body: bytes, status: int
) -> None:
    frame = _frame(command, body)

    with pytest.raises(RemoteError) as error:
        decode(frame)

    assert (error.value.answer, error.value.fatal) == (status, False)
    refusal = refusal_of(frame, status)
    assert refusal is not None
    assert (type(refusal), refusal.sequence, refusal.status) == (command.response_type, 7, status)


@pytest.mark.parametrize(
    "operation",
    [
        an_mt(source_addr_ton=256),
        an_mt(data_coding=-1),
        an_mt(text=b"x" * 256),
        an_mt(sequence=1 << 32),
        an_mt(tlvs=((0x10000, b""),)),
        an_mt(tlvs=((0x0424, b"x" * 65536),)),
        SubmitSm(destination_addr=""),
        SubmitSm(destination_addr="1" * 21),
        SubmitSm(destination_addr="12\x003"),
        SubmitSm(destination_addr="1", source_addr="Ж"),
        an_mt(validity_period="x" * 17),
        an_mt(schedule_delivery_time="x" * 17),
        an_mt(validity_period="0\x001"),
        an_mt(validity_period="Ж"),
        an_mt(validity_period=b"000001000000000R"),
        an_mt(validity_period=3600),
        SubmitSm(destination_addr=None),  # type: ignore[arg-type]
        an_mo(text="text"),  # type: ignore[arg-type]
        BindTransceiver(system_id="S" * 16),
        SubmitMulti(),
        QuerySmResp(message_state=999),
        Operation(),
        Request(),
    ],
    ids=str,
)
def test_what_has_no_form_on_the_wire_is_our_mistake(operation: Operation) -> None:
    with pytest.raises(LocalError):
        encode(operation)


def test_a_request_is_answered_by_its_own_response() -> None:
    bind = BindTransceiver(sequence=5)

    assert response_to(bind, system_id="them") == BindTransceiverResp(5, 0, (), "them")
    assert isinstance(response_to(bind), BindResp)
    with pytest.raises(LocalError):
        response_to(Outbind())


def test_nothing_answers_a_response_or_a_statement() -> None:
    assert refusal_of(encode(Outbind(sequence=3)), 0x02) is None
    assert refusal_of(encode(SubmitSmResp(sequence=3)), 0x02) is None
    assert refusal_of(_frame(GenericNack, b""), 0x02) is None


def test_a_length_that_is_not_the_frames_is_fatal() -> None:
    for frame in (b"", encode(EnquireLink())[:15], encode(EnquireLink()) + b"\0"):
        with pytest.raises(RemoteError) as error:
            decode(frame)
        assert error.value.fatal
        assert error.value.answer == 0x02


def test_the_text_is_the_short_message_or_else_the_payload() -> None:
    payload = (write_tlv(MESSAGE_PAYLOAD, b"payload"),)

    assert user_data(an_mo(text=b"short")) == b"short"
    assert user_data(an_mo(text=b"", tlvs=payload)) == b"payload"
    assert user_data(an_mo(text=b"short", tlvs=payload)) == b"short"
    assert user_data(an_mo(text=b"")) == b""
    assert carries_two_texts(an_mo(text=b"short", tlvs=payload))
    assert not carries_two_texts(an_mo(text=b"", tlvs=payload))
    data_sm = decode(PDUS["data_sm"])
    assert user_data(data_sm) == b"via data\x11sm"  # type: ignore[arg-type]


def test_commands_know_their_numbers_and_names() -> None:
    assert all(number == command.command_id for number, command in COMMANDS.items())
    assert len({command.name for command in COMMANDS.values()}) == len(COMMANDS)
    for command in COMMANDS.values():
        assert [field.name for field in fields(command)][:3] == ["sequence", "status", "tlvs"]
        if issubclass(command, Request) and command.response_type:
            assert command.response_type.command_id == command.command_id | 0x80000000
