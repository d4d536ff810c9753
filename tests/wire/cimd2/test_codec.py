"""Operations to bytes and back: every packet, and what is refused."""

from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.wire.cimd2.makers import STAMP, a_receipt, an_mo, an_mt, any_operations, attempt
from tests.wire.cimd2.vectors import PACKETS
from wire.cimd2 import (
    OPERATIONS,
    Alive,
    AliveResp,
    Cancel,
    Deliver,
    DeliverResp,
    Enquire,
    EnquireResp,
    GeneralError,
    Get,
    Login,
    LoginResp,
    Nack,
    Operation,
    Set,
    SetResp,
    StatusReport,
    Submit,
    SubmitResp,
    Submitted,
    codes,
    decode,
    encode,
    response_to,
)
from wire.cimd2.codec import name_of, refusal_of
from wire.cimd2.frames import read_head
from wire.cimd2.packet import FIRST_RESPONSE, Request, Response
from wire.errors import LocalError, RemoteError


def _packet(head: str, *parameters: str) -> bytes:
    return ("\2" + "\t".join((head, *parameters, "")) + "\3").encode("latin-1")


@given(any_operations, some.booleans())
def test_what_is_written_is_read_again(operation: Operation, checksum: bool) -> None:
    packet = encode(operation, checksum=checksum)

    assert decode(packet) == operation
    assert read_head(packet) == (operation.code, operation.sequence)
    assert packet.endswith(b"\t\3") != checksum


@given(any_operations, some.data())
def test_a_damaged_packet_is_found_out(operation: Operation, data: some.DataObject) -> None:
    packet = bytearray(encode(operation))
    at = data.draw(some.integers(0, len(packet) - 4))
    packet[at] ^= 1 << data.draw(some.integers(0, 7))

    read = attempt(bytes(packet))

    assert isinstance(read, RemoteError)
    assert read.answer == codes.NACK


@given(any_operations, some.data())
def test_a_packet_without_some_of_its_parameters_raises_nothing_but_a_remote_error(
    operation: Operation, data: some.DataObject
) -> None:
    pieces = encode(operation, checksum=False)[:-2].split(b"\t")
    kept = [pieces[0], *(piece[: data.draw(some.integers(0, len(piece)))] for piece in pieces[1:])]

    read = attempt(b"\t".join((*kept, b"\3")))

    if isinstance(read, RemoteError):
        assert isinstance(operation, Request)
        assert not isinstance(operation, Deliver | StatusReport)
        assert read.answer not in (None, codes.NACK)
        assert not read.fatal
    else:
        assert type(read) is type(operation)


def test_a_checksum_in_small_letters_is_read_and_half_a_one_is_not() -> None:
    whole = PACKETS["login_ok"]

    assert decode(whole[:-3] + b"3c\3") == decode(whole)
    for tail in (b"3\3", b"3C0\3", b"  \3", b"3D\3", b"\3C\3"):
        with pytest.raises(RemoteError):
            decode(whole[:-3] + tail)


def test_no_value_is_zero_and_zero_is_said() -> None:
    silent = decode(encode(an_mt()))
    quiet = encode(an_mt(status_report_request=0))

    assert isinstance(silent, Submit)
    assert silent.status_report_request is None
    assert b"\t056:0\t" in quiet
    assert decode(quiet) == an_mt(status_report_request=0)


# --- lenient --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameter", "error"), [("900:10", 10), ("900:010", 10), ("900:abc", 9), ("900:", 9), ("900:000", 0)]
)
def test_an_answer_with_an_error_is_negative_however_it_is_spelled(parameter: str, error: int) -> None:
    assert decode(_packet("53:003", parameter)) == SubmitResp(3, error=error)


def test_a_refused_submit_may_name_its_destination() -> None:
    response = decode(_packet("53:003", "021:237670000001", "900:300"))

    assert response == SubmitResp(3, error=300, submitted=(Submitted("237670000001"),))


def test_each_destination_has_its_time_stamp() -> None:
    one, two = Submitted("237670000001", STAMP), Submitted("237670000002", STAMP)

    response = SubmitResp(3, submitted=(one, two))

    assert decode(encode(response)) == response
    assert decode(_packet("53:003", f"060:{STAMP}")) == SubmitResp(3, submitted=(Submitted("", STAMP),))
    mixed = decode(_packet("53:003", "021:1", f"060:{STAMP}", "021:2", "900:300"))
    assert mixed == SubmitResp(3, error=300, submitted=(Submitted("1", STAMP), Submitted("2")))


def test_an_answer_is_read_to_its_end_whatever_stands_in_it() -> None:
    response = decode(
        _packet("54:031", "nonsense", "021:someone", "060:26", "061:x", "062:12345", "901:" + "e" * 100, "x", "777:7")
    )

    assert response == EnquireResp(
        31, ((777, "7"),), 0, "e" * 100, destination="someone", time_stamp="26", status_error=12345
    )


def test_an_mo_is_taken_whatever_its_sender_is_called() -> None:
    mo = decode(_packet("20:000", "021:8511", "023:InfoService", "060:x", "030:999", "034:0g", "033:hi", "junk"))

    assert mo == Deliver(
        destination="8511", originating_address="InfoService", time_stamp="x", data_coding=999, user_data=b"hi"
    )


def test_an_mo_may_be_empty() -> None:
    empty = an_mo(b"")

    assert b"\t033:\t" in encode(empty)
    assert decode(encode(empty)) == empty


def test_what_has_no_field_is_kept_and_written_again() -> None:
    packet = _packet("20:000", "021:8511", "023:23767", f"060:{STAMP}", "033:one", "033:two", "777:a:b")

    mo = decode(packet)

    assert isinstance(mo, Deliver)
    assert (mo.user_data, mo.others) == (b"one", ((33, "two"), (777, "a:b")))
    assert encode(mo, checksum=False) == packet
    assert "two" not in repr(mo)


# --- strict ---------------------------------------------------------------------------------------------

_TO = "021:237670000001"
_STRICT: list[tuple[str, tuple[str, ...], int]] = [
    ("03:003", (), codes.BAD_DESTINATION),
    ("03:003", ("021:", "033:x"), codes.BAD_DESTINATION),
    ("03:003", ("021:Bob", "033:x"), codes.BAD_DESTINATION),
    ("03:003", ("021:" + "1" * 21, "033:x"), codes.BAD_DESTINATION),
    ("03:003", (_TO, "021:x", "033:x"), codes.BAD_DESTINATION),
    ("03:003", (_TO,), codes.BAD_USER_DATA),
    ("03:003", (_TO, "033:"), codes.BAD_USER_DATA),
    ("03:003", (_TO, "033:" + "x" * 481), codes.BAD_USER_DATA),
    ("03:003", (_TO, "034:0"), codes.BAD_USER_DATA),
    ("03:003", (_TO, "034:00 1"), codes.BAD_USER_DATA),
    ("03:003", (_TO, "034:" + "00" * 141), codes.BAD_USER_DATA),
    ("03:003", (_TO, "033:x", "034:00"), codes.BAD_COMBINATION),
    ("03:003", (_TO, "033:x", "032:0x"), codes.BAD_COMBINATION),
    ("03:003", (_TO, "033:x", "023:x"), codes.BAD_ORIGINATOR),
    ("03:003", (_TO, "033:x", "027:twelve chars"), codes.BAD_ALPHA_ORIGINATOR),
    ("03:003", (_TO, "033:x", "030:256"), codes.BAD_CODING),
    ("03:003", (_TO, "033:x", "030:F5"), codes.BAD_CODING),
    ("03:003", (_TO, "033:x", "030:²"), codes.BAD_CODING),
    ("03:003", (_TO, "033:x", "030:"), codes.BAD_CODING),
    ("03:003", (_TO, "033:x", "044:2"), codes.BAD_MORE_MESSAGES),
    ("03:003", (_TO, "033:x", "050:-2"), codes.BAD_VALIDITY),
    ("03:003", (_TO, "033:x", "051:2612240930"), codes.BAD_VALIDITY),
    ("03:003", (_TO, "033:x", "052:1000"), codes.BAD_PROTOCOL_ID),
    ("03:003", (_TO, "033:x", "053:256"), codes.BAD_FIRST_DELIVERY),
    ("03:003", (_TO, "033:x", "054:x"), codes.BAD_FIRST_DELIVERY),
    ("03:003", (_TO, "033:x", "055:9"), codes.BAD_REPLY_PATH),
    ("03:003", (_TO, "033:x", "056:64"), codes.BAD_STATUS_REPORT_REQUEST),
    ("03:003", (_TO, "033:x", "058:-1"), codes.BAD_CANCEL_ENABLED),
    ("03:003", (_TO, "033:x", "064:100"), codes.BAD_TARIFF_CLASS),
    ("03:003", (_TO, "033:x", "065:-1"), codes.BAD_SERVICE_DESCRIPTION),
    ("03:003", (_TO, "033:x", "067:0"), codes.BAD_PRIORITY),
    ("03:003", (_TO, "033x"), codes.SYNTAX),
    ("03:003", (_TO, "033:x", ""), codes.SYNTAX),
    ("03:003", (_TO, "033:x", "7x7:1"), codes.SYNTAX),
    ("01:001", ("011:pass",), codes.INVALID_LOGIN),
    ("01:001", ("010:" + "u" * 33, "011:p"), codes.INVALID_LOGIN),
    ("01:001", ("010:us", "012:x"), codes.INVALID_SUBADDRESS),
    ("01:001", ("010:us", "019:0"), codes.INVALID_WINDOW),
    ("01:001", ("010:us", "019:129"), codes.INVALID_WINDOW),
    ("04:003", (f"060:{STAMP}",), codes.BAD_ENQUIRED_ADDRESS),
    ("04:003", ("021:x", f"060:{STAMP}"), codes.BAD_ENQUIRED_ADDRESS),
    ("04:003", (_TO,), codes.BAD_ENQUIRED_TIME),
    ("04:003", (_TO, "060:1"), codes.BAD_ENQUIRED_TIME),
    ("05:003", ("068:3",), codes.BAD_REQUEST_MODE),
    ("06:003", ("059:3",), codes.BAD_CANCEL_MODE),
    ("06:003", ("021:x",), codes.BAD_CANCELLED_ADDRESS),
    ("06:003", ("060:x",), codes.BAD_CANCELLED_TIME),
    ("09:003", (), codes.UNSUPPORTED_ITEM),
    ("09:003", ("500:x",), codes.UNSUPPORTED_ITEM),
    ("30:003", (), codes.UNEXPECTED),
]


@pytest.mark.parametrize(("head", "parameters", "answer"), _STRICT)
def test_a_broken_request_is_answered_with_the_error_that_names_its_parameter(
    head: str, parameters: tuple[str, ...], answer: int
) -> None:
    with pytest.raises(RemoteError) as error:
        decode(_packet(head, *parameters))

    assert (error.value.answer, error.value.fatal) == (answer, False)
    refusal = refusal_of(int(head[:2]), int(head[3:]), answer)
    assert refusal is not None
    assert (refusal.sequence, refusal.error) == (int(head[3:]), answer)
    command = OPERATIONS.get(int(head[:2]))
    assert type(refusal) is (
        command.response_type if command is not None and issubclass(command, Request) else GeneralError
    )


@pytest.mark.parametrize(
    "packet", [b"", b"\2\3", b"03:003\t\3", b"\x0203:003\3", b"\x0203:003\t", b"\x0203:256\t\3", b"\x02+3:003\t\3"]
)
def test_what_has_no_header_is_to_be_sent_again(packet: bytes) -> None:
    with pytest.raises(RemoteError) as error:
        decode(packet)

    assert error.value.answer == codes.NACK
    assert name_of(packet) in ("no operation", "submit")


def test_an_unknown_response_is_never_answered() -> None:
    with pytest.raises(RemoteError) as error:
        decode(_packet("30:003"))
    assert error.value.answer == codes.UNEXPECTED

    with pytest.raises(RemoteError) as error:
        decode(_packet("91:003"))
    assert error.value.answer is None
    assert refusal_of(91, 3, codes.UNEXPECTED) is None
    assert (name_of(_packet("91:003")), name_of(_packet("20:002"))) == ("91", "deliver")


def test_a_long_password_is_taken_and_met_by_the_check_of_it_alone() -> None:
    login = decode(_packet("01:001", "010:us", "011:" + "p" * 40))

    assert login == Login(1, user_identity="us", password="p" * 40)


def test_what_has_no_negative_form_is_refused_by_a_general_error() -> None:
    assert refusal_of(Deliver.code, 4, 1) == GeneralError(4, error=1)
    assert refusal_of(Alive.code, 4, 1) == GeneralError(4, error=1)


# --- ours -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "operation",
    [
        an_mt(sequence=256),
        an_mt(sequence=-1),
        an_mt(sequence=None),
        an_mt(b""),
        an_mt(user_data_binary=b"both"),
        an_mt(b"x" * 481),
        an_mt(b"tab\tinside"),
        an_mt(b"nul\0inside"),
        an_mt(b"stx\2inside"),
        an_mt(b"etx\3inside"),
        an_mt(data_coding=256),
        an_mt(data_coding=-1),
        an_mt(data_coding="8"),
        an_mt(data_coding=[8]),
        an_mt(validity_absolute="2611240810"),
        an_mt(alphanumeric_originator="twelve chars"),
        an_mt(alphanumeric_originator="Ж"),
        an_mt(originating_address="Bob"),
        an_mt(user_data_header=bytes(141)),
        an_mt(user_data_header="05"),
        an_mt(others=((1000, "x"),)),
        an_mt(others=((777, "a\tb"),)),
        an_mt(others=(("777", "a"),)),
        Submit(destinations=(), user_data=b"x"),
        Submit(destinations=("",), user_data=b"x"),
        Submit(destinations=("1" * 21,), user_data=b"x"),
        Submit(destinations=None, user_data=b"x"),  # type: ignore[arg-type]
        an_mo("text"),  # type: ignore[arg-type]
        an_mo(destination=""),
        an_mo(time_stamp=""),
        an_mo(user_data_binary=b"both"),
        a_receipt(status_code=None),
        SubmitResp(),
        SubmitResp(submitted=(Submitted("1"),)),
        DeliverResp(error=6),
        AliveResp(error=6),
        Nack(error_text="why"),
        LoginResp(error=1000),
        LoginResp(error=103, error_text="x" * 65),
        Login(),
        Login(user_identity=" us"),
        Login(user_identity="us", password="s3cret "),
        Login(user_identity="us\x1b"),
        Login(user_identity="us", password="s3c\nret"),
        Login(user_identity="us", password="s3cret\xa0"),
        Set(password="s3c\x7fret"),
        Login(user_identity="us", window_size=129),
        Enquire(destination="1"),
        Get(),
        Cancel(cancel_mode=3),
        Operation(),
        Request(),
        Response(),
    ],
    ids=lambda operation: type(operation).__name__,
)
def test_what_has_no_form_on_the_wire_is_our_mistake(operation: Operation) -> None:
    with pytest.raises(LocalError):
        encode(operation)


@pytest.mark.parametrize(
    "password", ["s3cret" * 6, "s3cret\t", "s3cret\3", "s3cret\r", "s3cretЖ", " s3cret", b"s3cret", ("s3cret",)]
)
@pytest.mark.parametrize("command", [Login, Set])
def test_a_password_is_in_no_error(command: Any, password: Any) -> None:
    operation = command(password=password) if command is Set else Login(user_identity="us", password=password)

    with pytest.raises(LocalError) as error:
        encode(operation)

    told = f"{error.value} {error.value!r} {error.value.__cause__!r}"
    assert "s3cret" not in told
    assert "Ж" not in told
    assert error.value.__context__ is None or error.value.__suppress_context__


@pytest.mark.parametrize("parameters", [("011:s3cret", "019:x"), ("011:s3cret", "010:" + "s3cret" * 6), ("011s3cret",)])
def test_a_password_is_in_no_error_of_the_peer_either(parameters: tuple[str, ...]) -> None:
    with pytest.raises(RemoteError) as error:
        decode(_packet("01:001", *parameters))

    assert "s3cret" not in f"{error.value} {error.value!r} {error.value.__cause__!r}"


def test_a_request_is_answered_by_its_own_response_with_its_number() -> None:
    assert response_to(Login(5, user_identity="us"), 104, error_text="no") == LoginResp(5, (), 104, "no")
    assert response_to(Set(7)) == SetResp(7)


def test_operations_know_their_numbers_and_names() -> None:
    assert len({command.name for command in OPERATIONS.values()}) == len(OPERATIONS) == 24
    for number, command in OPERATIONS.items():
        assert number == command.code
        assert [field.name for field in fields(command)][:2] == ["sequence", "others"]
        assert issubclass(command, Response) == (number >= FIRST_RESPONSE)
        if issubclass(command, Request):
            assert command.response_type.code == number + 50
            assert command.response_type.name == f"{command.name}_resp"
