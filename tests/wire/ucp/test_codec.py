"""Operations to frames and back: every kind, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.wire.ucp.makers import (
    a_login,
    an_mo,
    an_mt,
    any_operations,
    any_requests,
    attempt,
    framed,
)
from wire.errors import LocalError, RemoteError
from wire.ucp import (
    Alert,
    CallInput,
    ChangePassword,
    DeliverNotification,
    Goodbye,
    ListManagement,
    MessageTransfer,
    MultipleCallInput,
    OpenSession,
    Operation,
    Request,
    Result,
    SubmitMessage,
    SupplementaryCallInput,
    decode,
    encode,
    result_to,
)
from wire.ucp.codec import command_of, refusal_of
from wire.ucp.operations import HAS_MVP, LAYOUTS, REQUESTS

_EMPTY = {"adc": "1", "mt": "3"}


def _fifties(ot: str, **values: str) -> bytes:
    """A frame of the 50 series by hand."""
    names = LAYOUTS[SubmitMessage]
    return framed(f"O/{ot}", "".join(f"{(_EMPTY | values).get(name, '')}/" for name in names))


@given(any_operations)
def test_what_is_written_is_read_again(operation: Operation) -> None:
    frame = encode(operation)

    assert decode(frame[1:-1]) == operation


@given(any_requests)
def test_a_frame_is_what_the_sheet_says(request: Request) -> None:
    frame = encode(request)[1:-1].decode()

    head, check = frame[:-2], frame[-2:]
    assert head[:14] == f"{request.sequence:02d}/{len(frame):05d}/O/{request.ot}/"
    assert head[-1] == "/"
    assert int(check, 16) == sum(head.encode()) % 256


@given(any_operations, some.data())
def test_a_frame_with_fewer_fields_raises_nothing_but_a_remote_error(
    operation: Operation, data: some.DataObject
) -> None:
    frame = encode(operation)[1:-1].decode()
    fields = frame[14:-2].split("/")[:-1]
    kept = fields[: data.draw(some.integers(0, len(fields) - 1))]

    read = attempt(framed(frame[9:13], "".join(field + "/" for field in kept)))

    if isinstance(read, RemoteError):
        assert isinstance(operation, Request) or not kept
        assert read.answer == (None if isinstance(operation, Result) else 2)
        assert not read.fatal
    else:
        assert isinstance(operation, Result)


def test_the_fifties_have_33_fields_and_sessions_12() -> None:
    assert {len(LAYOUTS[request]) for request in REQUESTS if request.ot[0] == "5"} == {33}
    assert {len(LAYOUTS[kind]) for kind in (OpenSession, ChangePassword, ListManagement)} == {12}
    assert len(LAYOUTS[MessageTransfer]) == 10
    assert set(HAS_MVP) == {*"01 02 03 30 31 51 52 53 54 55 56 57 58 60 61".split()}
    assert {ot for ot, has_mvp in HAS_MVP.items() if has_mvp} == {"30", *(f"5{last}" for last in range(1, 9))}


# --- requests -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["32", "34"])
def test_another_number_of_fields_is_a_syntax_error(number: str) -> None:
    error = attempt(framed("O/51", "1/" * int(number)))

    assert isinstance(error, RemoteError)
    assert error.answer == 2


@pytest.mark.parametrize("msg", ["486", "48 65 ", "4X", "é8", "0x48"])
def test_a_text_that_is_no_hex_is_a_syntax_error(msg: str) -> None:
    for mt, nb in (("3", ""), ("4", "0016")):
        error = attempt(_fifties("51", mt=mt, nb=nb, msg=msg))
        assert isinstance(error, RemoteError)
        assert error.answer == 2


def test_hex_in_lower_case_is_taken_and_never_written() -> None:
    read = decode(_fifties("52", msg="4a4b", xser="0c014a"))

    assert read == an_mo(b"", sequence=7, adc="1", oadc="", scts="", msg="4a4b", xser="0c014a")
    for operation in (an_mt(msg="4a4b"), an_mt(xser="0c014a")):
        with pytest.raises(LocalError, match="lower case"):
            encode(operation)


def test_a_numeric_message_is_of_digits() -> None:
    error = attempt(_fifties("51", mt="2", msg="12A4"))

    assert isinstance(error, RemoteError)
    assert error.answer == 2
    with pytest.raises(LocalError):
        encode(an_mt(mt="2", msg="12A4"))


@pytest.mark.parametrize("mt", ["", "1", "5", "33"])
def test_a_text_of_no_type_that_is_known_is_refused_by_its_own_code(mt: str) -> None:
    error = attempt(_fifties("51", mt=mt, msg="48"))

    assert isinstance(error, RemoteError)
    assert error.answer == 23


def test_a_message_to_nobody_is_refused_by_its_own_code() -> None:
    frames = [_fifties("51", adc="", msg="48"), framed("O/30", "/" * 10), framed("O/02", "0///3/48/")]

    assert [getattr(attempt(frame), "answer", None) for frame in frames] == [6, 6, 6]
    for operation in (an_mt(adc=""), MultipleCallInput(mt="3", msg="48"), MessageTransfer(msg="48")):
        with pytest.raises(LocalError, match="AdC"):
            encode(operation)


@pytest.mark.parametrize("xser", ["01", "0102", "010", "0101AA02", "0X00"])
def test_extra_services_that_break_off_are_a_syntax_error(xser: str) -> None:
    error = attempt(_fifties("52", xser=xser))

    assert isinstance(error, RemoteError)
    assert error.answer == 2
    with pytest.raises(LocalError):
        encode(an_mt(xser=xser))


def test_a_notification_is_taken_whatever_its_words_are() -> None:
    read = decode(_fifties("53", msg="odd", xser="01", scts="241126081000", dst="0", mt=""))

    assert isinstance(read, DeliverNotification)
    assert (read.msg, read.scts, read.dst) == ("odd", "241126081000", "0")


def test_transparent_data_without_its_bits_is_taken_and_never_written() -> None:
    assert isinstance(decode(_fifties("51", mt="4", msg="48")), SubmitMessage)
    with pytest.raises(LocalError, match="NB"):
        encode(an_mt(mt="4"))


@pytest.mark.parametrize("npl", ["", "x", "-1", "3", "1", "99999", "²"])
def test_a_list_that_is_not_as_long_as_its_npl_is_a_syntax_error(npl: str) -> None:
    two, three = framed("O/02", f"{npl}/111/222/8511//3/48/"), framed("O/03", f"8/8//{npl}/1/2///////////3/48/")

    assert [getattr(attempt(frame), "answer", None) for frame in (two, three)] == [2, 2]


def test_lists_are_read_by_their_npl() -> None:
    assert decode(framed("O/02", "02/111/222/8511//3/48/")) == MultipleCallInput(
        7, ("111", "222"), "8511", "", "3", "48"
    )
    assert decode(framed("O/03", "8/9//1/55///////////3/48/")) == SupplementaryCallInput(
        7, "8", "9", ga=("55",), mt="3", msg="48"
    )


def test_the_kind_of_a_60_is_its_styp() -> None:
    fields = "8511/6/5/{}/7077//0100//////"

    kinds = [type(attempt(framed("O/60", fields.format(styp)))).__name__ for styp in "146392"]

    assert kinds == ["OpenSession", "OpenSession", "ChangePassword", "ChangePassword", "RemoteError", "RemoteError"]
    with pytest.raises(LocalError):
        encode(OpenSession(styp="3"))


def test_an_unknown_operation_is_not_supported_and_an_unknown_result_not_answered() -> None:
    operation, result = framed("O/99", "1/"), framed("R/99", "A//")

    assert [getattr(attempt(frame), "answer", 0) for frame in (operation, result)] == [3, None]
    assert refusal_of(operation, 3) == b"\2" + framed("R/99", "N/03//") + b"\3"
    assert refusal_of(result, 3) is None
    assert (command_of(operation), command_of(result)) == ("O/99", "no operation")


@pytest.mark.parametrize("value", ["a/b", "a\2", "a\3", "é", "\n", None, 7, b"51"])
def test_a_value_without_a_form_on_the_wire_is_our_mistake(value: object) -> None:
    for operation in (an_mt(oadc=value), Alert(adc=value), CallInput(ac=value, mt="3")):  # type: ignore[arg-type]
        with pytest.raises(LocalError):
            encode(operation)
    with pytest.raises(LocalError):
        encode(MultipleCallInput(adc=("1", value), mt="3"))  # type: ignore[arg-type]


def test_what_is_no_frame_is_our_mistake() -> None:
    for thing in (Goodbye(), Operation(), MultipleCallInput(adc="12", mt="3"), an_mt(sequence=100)):  # type: ignore[arg-type]
        with pytest.raises(LocalError):
            encode(thing)


# --- results --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "fields", "result"),
    [
        ("R/51", "A//1:241126081000/", Result(7, "51", 0, "", "1:241126081000")),
        ("R/51", "A/1:241126081000/", Result(7, "51", 0, "", "1:241126081000")),
        ("R/51", "A/", Result(7, "51")),
        ("R/51", "A/2612260930/", Result(7, "51", 0, "", "2612260930")),
        ("R/51", "A//a/b c/", Result(7, "51", 0, "", "a/b c")),
        ("R/51", "A/////", Result(7, "51")),
        ("R/60", "A//text/", Result(7, "60", 0, "", "text")),
        ("R/60", "A/", Result(7, "60")),
        ("R/31", "A/1/2/", Result(7, "31", 0, "", "1/2")),
        ("R/51", "N/04/busy/at 10/", Result(7, "51", 4, "", "busy/at 10")),
        ("R/51", "N/4/", Result(7, "51", 4)),
        ("R/51", "N/", Result(7, "51", -1)),
        ("R/51", "N/00//", Result(7, "51", -1)),
        ("R/51", "N/x/y/", Result(7, "51", -1, "", "y")),
        ("R/51", "N/²//", Result(7, "51", -1)),
        ("R/51", "A//\xe9\x01/", Result(7, "51", 0, "", "é\x01")),
    ],
)
def test_a_result_is_read_with_more_or_fewer_fields(kind: str, fields: str, result: Result) -> None:
    assert decode(framed(kind, fields)) == result


@pytest.mark.parametrize("fields", ["", "/", "B//", "a//", "AA//"])
def test_a_result_that_says_neither_is_none(fields: str) -> None:
    error = attempt(framed("R/51", fields))

    assert isinstance(error, RemoteError)
    assert error.answer is None


@pytest.mark.parametrize(
    "result",
    [Result(ot="51", ec=-1), Result(ot="51", ec=100), Result(ot="99"), Result(), Result(ot="51", sm="a/b")],
)
def test_a_result_without_a_form_is_our_mistake(result: Result) -> None:
    with pytest.raises(LocalError):
        encode(result)


def test_a_result_answers_its_request() -> None:
    request = an_mt(sequence=42)

    assert result_to(request, sm="x") == Result(42, "51", 0, "", "x")
    assert encode(result_to(request, 4)) == b"\2" + framed("R/51", "N/04//", trn="42") + b"\3"
    assert result_to(request).name == "R/51"


# --- what is not told -----------------------------------------------------------------------------------


@pytest.mark.parametrize("pwd", ["73/65", "73\n65", "s3crét", b"secret"])
def test_a_password_is_in_no_repr_and_in_no_error(pwd: object) -> None:
    login = a_login(pwd=pwd, npwd=pwd)

    with pytest.raises(LocalError) as error:
        encode(login)

    shown = f"{login!r} {error.value!r} {error.value}"
    for secret in ("73", "65", "s3cr", "secret", "é"):
        assert secret not in shown


def test_a_text_is_in_no_repr() -> None:
    assert an_mo(b"PIN 4711").msg not in repr(an_mo(b"PIN 4711"))
    assert "0C01" not in repr(an_mt(xser="0C014A"))
