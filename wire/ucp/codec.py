"""Frames to operations and back.

decode(frame)       -> Request or Result; raises RemoteError and nothing else, with the EC to answer
encode(operation)   -> bytes, STX and ETX included; raises LocalError and nothing else
refusal_of(frame, ec)    what answers an operation that could not be decoded, or None
command_of(frame)        its kind, for people: "O/51"

A frame is split once; the fields are handed to the operation's class in their order, and joined again in it. Texts
are looked at, not decoded: of an operation that decode() lets pass, text.py and xser.py can read the text and XSer.
Of a notification they perhaps cannot: nobody needs its words, and refused it would only come again.

Sizes of fields are not enforced: those of the sheet are general knowledge, and centres differ.

Rule: a result is read leniently. Its SM is free text and may hold slashes (sheet, pitfall 6), MVP and SM may be
missing; nobody is helped by refusing an answer.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, TypeAlias

from wire.errors import LocalError, RemoteError
from wire.ucp import codes
from wire.ucp.frames import addressed, read_frame, write_frame
from wire.ucp.operations import (
    HAS_MVP,
    LAYOUTS,
    CallInput,
    ChangePassword,
    DeliverNotification,
    MessageTransfer,
    MultipleCallInput,
    OpenSession,
    Operation,
    Request,
    Result,
    SessionManagement,
    ShortMessage,
    SubmitMessage,
    SupplementaryCallInput,
)
from wire.ucp.text import ALPHANUMERIC, NUMERIC, TRANSPARENT, read_digits, read_hex
from wire.ucp.xser import read_xser

_Reader: TypeAlias = Callable[[int, str], Operation]
_Writer: TypeAlias = Callable[[Any], bytes]

_REPEATED: dict[type[Request], str] = {MultipleCallInput: "adc", SupplementaryCallInput: "ga"}
_NEEDS_ADC = (SubmitMessage, SupplementaryCallInput, MultipleCallInput, MessageTransfer)
_TEXTED = (CallInput, MultipleCallInput, SupplementaryCallInput, MessageTransfer, ShortMessage)
# What Python says of a value that has no form on the wire.
_UNWRITABLE = (TypeError, ValueError, AttributeError, OverflowError)
_OTS = frozenset(HAS_MVP)


def decode(frame: bytes, *, tolerant_length: bool = False) -> Operation:
    """What stood between STX and ETX, as Frames gives it."""
    trn, kind, fields = read_frame(frame, tolerant_length=tolerant_length)
    reader = _READERS.get(kind)
    if reader is not None:
        return reader(trn, fields)
    raise RemoteError(
        "an operation that is not known" if kind[:2] == "O/" else "neither an operation nor a result that is known",
        answer=None if addressed(frame) is None else codes.EC_NOT_SUPPORTED,
    )


def encode(operation: Operation) -> bytes:
    """The whole frame."""
    writer = _WRITERS.get(type(operation))
    if writer is None:
        raise LocalError(f"{type(operation).__name__} is no frame")
    try:
        return writer(operation)
    except LocalError as error:
        raise LocalError(error.reason, operation=operation.name) from error  # type: ignore[attr-defined]
    except _UNWRITABLE as error:
        # `from None`: what Python says may repeat the value.
        name: str = operation.name  # type: ignore[attr-defined]
        raise LocalError(f"a field has no form on the wire ({type(error).__name__})", operation=name) from None


def refusal_of(frame: bytes, ec: int) -> bytes | None:
    """The frame that refuses an operation which could not be decoded. None: a result, or nothing that can be named."""
    asked = addressed(frame)
    if asked is None:
        return None
    trn, ot = asked
    return write_frame(trn, f"R/{ot}", f"N/{ec:02d}/")


def command_of(frame: bytes) -> str:
    """ "O/51", as far as it can be read."""
    asked = addressed(frame)
    return f"O/{asked[1]}" if asked is not None else "no operation"


# --- operations -----------------------------------------------------------------------------------------


def _syntax(reason: str) -> RemoteError:
    return RemoteError(reason, answer=codes.EC_SYNTAX)


def _reader_of(request: type[Request]) -> _Reader:
    count = len(LAYOUTS[request])
    make: Callable[..., Any] = request
    look = _check_of(request)

    def read(trn: int, fields: str) -> Operation:
        values = fields.split("/")
        if len(values) != count:
            raise _syntax(f"{len(values)} fields, {count} there are")
        if not (fields.isascii() and fields.isprintable()):
            raise _syntax("a field has characters that are not printable ASCII")
        operation = make(trn, *values)
        if look is not None:
            look(operation)
        return operation  # type: ignore[no-any-return]

    return read


def _repeating_reader_of(request: type[Request], name: str) -> _Reader:
    layout = LAYOUTS[request]
    place, others = layout.index(name), len(layout) - 1
    make: Callable[..., Any] = request

    def read(trn: int, fields: str) -> Operation:
        values = fields.split("/")
        number = values[place] if len(values) > place else ""
        if not (number.isascii() and number.isdigit() and len(number) <= 4):
            raise _syntax("NPL is no number")
        first, behind = place + 1, place + 1 + int(number)
        if len(values) != others + 1 + int(number):
            raise _syntax(f"{len(values)} fields, {others + 1 + int(number)} there are with an NPL of {int(number)}")
        if not (fields.isascii() and fields.isprintable()):
            raise _syntax("a field has characters that are not printable ASCII")
        operation = make(trn, *values[:place], tuple(values[first:behind]), *values[behind:])
        _check_message(operation)
        return operation  # type: ignore[no-any-return]

    return read


def _read_session_management(trn: int, fields: str) -> Operation:
    operation = _read_open_session(trn, fields)
    assert isinstance(operation, SessionManagement), operation
    if operation.styp in OpenSession.styps:
        return operation
    if operation.styp in ChangePassword.styps:
        return _read_change_password(trn, fields)
    raise RemoteError("a STYP that is not known", answer=codes.EC_NOT_SUPPORTED)


def _check_of(request: type[Request]) -> Callable[[Any], None] | None:
    """What is looked at in an operation that came: its text, if that is needed."""
    if request is DeliverNotification or not issubclass(request, _TEXTED):
        return None
    return _check_short_message if issubclass(request, ShortMessage) else _check_message


def _check_short_message(operation: ShortMessage) -> None:
    if operation.msg:
        _check_text(operation.mt, operation.msg)
    if operation.xser:
        read_xser(operation.xser)
    if not operation.adc and type(operation) is SubmitMessage:
        raise RemoteError("no AdC", answer=codes.EC_ADC_INVALID)


def _check_message(operation: Any) -> None:
    _check_text(operation.mt, operation.msg)
    if not operation.adc and isinstance(operation, _NEEDS_ADC):
        raise RemoteError("no AdC", answer=codes.EC_ADC_INVALID)


def _check_text(mt: str, msg: str) -> None:
    if mt == NUMERIC:
        read_digits(msg)
    elif mt in (ALPHANUMERIC, TRANSPARENT):
        read_hex(msg)
    else:
        raise RemoteError("a message type that is not known", answer=codes.EC_MESSAGE_TYPE)


def _writer_of(request: type[Request]) -> _Writer:
    layout = LAYOUTS[request]
    kind, slashes = f"O/{request.ot}", len(layout) - 1
    values_of = attrgetter(*layout)
    look = _check_short_message if issubclass(request, ShortMessage) else _check_of(request)

    def write(operation: Any) -> bytes:
        fields = "/".join(values_of(operation))
        if fields.count("/") != slashes:
            raise LocalError("a field has a slash, which would end it")
        if look is not None:
            _check_written(operation, look)
        return write_frame(operation.sequence, kind, fields)

    return write


def _repeating_writer_of(request: type[Request], name: str) -> _Writer:
    layout = LAYOUTS[request]
    kind = f"O/{request.ot}"
    place = layout.index(name)
    values_of = attrgetter(*layout)

    def write(operation: Any) -> bytes:
        values = values_of(operation)
        several = values[place]
        if type(several) is not tuple:
            raise LocalError(f"{name} is a tuple of texts")
        fields = "/".join((*values[:place], str(len(several)), *several, *values[place + 1 :]))
        if fields.count("/") != len(layout) - 1 + len(several):
            raise LocalError("a field has a slash, which would end it")
        _check_written(operation, _check_message)
        return write_frame(operation.sequence, kind, fields)

    return write


def _check_written(operation: Any, look: Callable[[Any], None]) -> None:
    """Our own message: what a peer would be refused for, and what some centres refuse."""
    try:
        look(operation)
    except RemoteError as error:
        raise LocalError(error.reason) from None
    hexes = operation.msg
    if look is _check_short_message:
        hexes += operation.xser
        if operation.mt == TRANSPARENT and not operation.nb:
            raise LocalError("MT 4 without NB, which many centres refuse")
    if hexes.upper() != hexes:
        raise LocalError("hex in lower case, which some centres refuse")


def _write_session_management(operation: SessionManagement) -> bytes:
    if operation.styp not in operation.styps:
        raise LocalError("a STYP of another operation")
    return _write_by_layout[type(operation)](operation)


# --- results --------------------------------------------------------------------------------------------


def _result_reader_of(ot: str, has_mvp: bool) -> _Reader:
    def read(trn: int, fields: str) -> Operation:
        answer, _, rest = fields.partition("/")
        if answer == "A":
            mvp, slash, sm = rest.partition("/") if has_mvp else ("", "/", rest)
            # Fewer fields: the one that came is the SM. More: an SM with slashes, or empty ones around it.
            return Result(trn, ot, codes.EC_OK, mvp, sm.strip("/")) if slash else Result(trn, ot, codes.EC_OK, "", mvp)
        if answer != "N":
            raise RemoteError("a result that is neither A nor N", answer=None)
        ec, _, sm = rest.partition("/")
        known = ec.isascii() and ec.isdigit() and 0 < len(ec) <= 4 and int(ec) > 0
        return Result(trn, ot, int(ec) if known else codes.EC_UNREADABLE, "", sm.strip("/"))

    return read


def _write_result(result: Result) -> bytes:
    ot, ec = result.ot, result.ec
    if ot not in _OTS:
        raise LocalError("a result of no operation that there is")
    if ec:
        if not 0 < ec <= 99:
            raise LocalError(f"an EC of {ec}; there are 01 to 99")
        fields, slashes = f"N/{ec:02d}/{result.sm}", 2
    elif HAS_MVP[ot]:
        fields, slashes = f"A/{result.mvp}/{result.sm}", 2
    else:
        fields, slashes = f"A/{result.sm}", 1
    if fields.count("/") != slashes:
        raise LocalError("a field has a slash, which would end it")
    return write_frame(result.sequence, f"R/{ot}", fields)


_read_open_session = _reader_of(OpenSession)
_read_change_password = _reader_of(ChangePassword)

_READERS: dict[str, _Reader] = {
    **{f"O/{request.ot}": _reader_of(request) for request in LAYOUTS if request not in _REPEATED},
    **{f"O/{request.ot}": _repeating_reader_of(request, name) for request, name in _REPEATED.items()},
    **{f"R/{ot}": _result_reader_of(ot, has_mvp) for ot, has_mvp in HAS_MVP.items()},
    "O/60": _read_session_management,
}

_write_by_layout: dict[type[Operation], _Writer] = {
    request: _writer_of(request) if request not in _REPEATED else _repeating_writer_of(request, _REPEATED[request])
    for request in LAYOUTS
}

_WRITERS: dict[type[Operation], _Writer] = {
    **_write_by_layout,
    OpenSession: _write_session_management,
    ChangePassword: _write_session_management,
    Result: _write_result,
}
