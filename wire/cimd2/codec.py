"""Packets to operations and back.

decode(packet)              -> Operation; raises RemoteError and nothing else, with the error code to answer
encode(operation)           -> bytes; raises LocalError and nothing else
response_to(request, error=..., ...)        the right response, with its packet number
refusal_of(code, sequence, error)           what the centre answers to a packet that could not be decoded, or None
name_of(packet)                             its operation, for people

Everything goes by the table of parameters.py, which is made into one reader and one writer for each operation when
this module is loaded.

Rule: what the application asks is read strictly, since it can be refused; an answer, and what the centre sends, is
read leniently, to the end. Nobody is helped by refusing what has no refusal. A damaged packet has the answer NACK.

Source: sheet sections 1, 3 and 4.
"""

from collections.abc import Callable
from dataclasses import MISSING, fields
from operator import attrgetter
from typing import Any, TypeAlias

from wire.cimd2 import codes
from wire.cimd2.frames import checksum_of, read_head
from wire.cimd2.operations import (
    NO_NEGATIVE,
    OPERATIONS,
    Deliver,
    Enquire,
    GeneralError,
    Get,
    Login,
    StatusReport,
    Submit,
    SubmitResp,
    Submitted,
)
from wire.cimd2.packet import FIRST_RESPONSE, Operation, Parameters, Request, Response
from wire.cimd2.parameters import ANSWERS, NUMBER_OF, PARAMETERS, Read, Write
from wire.errors import LocalError, RemoteError

_Reader: TypeAlias = Callable[[int, list[str]], Operation]
_Writer: TypeAlias = Callable[[Any], list[str]]

UNWRITABLE = (TypeError, ValueError, OverflowError, AttributeError, LookupError)

_NUMBERS: dict[str, int] = {f"{number:03}": number for number in range(256)}
_DIGITS: dict[int, str] = {number: digits for digits, number in _NUMBERS.items()}
_TAILS: tuple[str, ...] = tuple(f"{checksum:02X}\3" for checksum in range(256))
_TAIL_OCTETS: tuple[bytes, ...] = tuple(tail.encode() for tail in _TAILS)
_HEADS: dict[type[Operation], str] = {command: f"\2{code:02}:" for code, command in OPERATIONS.items()}
_FROM_CENTRE = frozenset({Deliver, StatusReport})


def decode(packet: bytes) -> Operation:
    """One whole packet, as FrameReader gives it."""
    pieces = packet.decode("latin-1").split("\t")
    head, tail = pieces[0], pieces[-1]
    number = _NUMBERS.get(head[4:])
    if number is None or len(pieces) < 2 or tail[-1:] != "\3":
        raise RemoteError("no header of a packet", answer=codes.NACK)
    # The checksum comes first: in a damaged packet nothing may be believed.
    if tail != "\3" and tail.upper() != _TAILS[checksum_of(packet[: -len(tail)])]:
        raise RemoteError("wrong checksum", answer=codes.NACK)
    reader = _READERS.get(head[:4])
    if reader is None:
        raise _unknown(packet)
    del pieces[0], pieces[-1]
    return reader(number, pieces)


def _unknown(packet: bytes) -> RemoteError:
    head = read_head(packet)
    if packet[:1] != b"\2" or head is None:
        return RemoteError("no header of a packet", answer=codes.NACK)
    answer = None if head[0] >= FIRST_RESPONSE else codes.UNEXPECTED
    return RemoteError(f"unknown operation {head[0]:02}", answer=answer)


def encode(operation: Operation, *, checksum: bool = True) -> bytes:
    """The whole packet."""
    writer = _WRITERS.get(type(operation))
    if writer is None:
        raise LocalError(f"{type(operation).__name__} is no operation")
    name = operation.name
    try:
        pieces = writer(operation)
        if operation.others:
            pieces += [_other(number, value) for number, value in operation.others]
        text = "\t".join((_HEADS[type(operation)] + _DIGITS[operation.sequence], *pieces, ""))
        octets = text.encode("latin-1")
    except LocalError as error:
        raise LocalError(error.reason, operation=name) from None
    except UNWRITABLE:
        # Not chained: Python's own errors quote what they could not write, and it may be a password.
        raise LocalError("a parameter has no form on the wire", operation=name) from None
    if text.count("\t") != len(pieces) + 1 or text.rfind("\2") or "\3" in text or "\0" in text:
        raise LocalError("NUL, STX, ETX or TAB inside a parameter would end it", operation=name)
    return octets + _TAIL_OCTETS[checksum_of(octets)] if checksum else octets + b"\3"


def _other(number: int, value: str) -> str:
    if not 0 <= number <= 999:
        raise LocalError(f"parameter number {number}")
    return f"{number:03d}:{value}"


def response_to(request: Request, error: int = 0, **values: Any) -> Response:
    """The response that answers this request."""
    return request.response_type(sequence=request.sequence, error=error, **values)


def refusal_of(code: int, sequence: int, error: int) -> Response | None:
    """What the centre answers to a request that it cannot take: its negative response, or a general error.

    None: a response.
    """
    if code >= FIRST_RESPONSE:
        return None
    operation = OPERATIONS.get(code)
    if operation is None or not issubclass(operation, Request) or operation.response_type in NO_NEGATIVE:
        return GeneralError(sequence, error=error)
    return operation.response_type(sequence, error=error)


def name_of(packet: bytes) -> str:
    """The name of a packet's operation; of an unknown one its number."""
    head = read_head(packet)
    if head is None:
        return "no operation"
    operation = OPERATIONS.get(head[0])
    return operation.name if operation is not None else f"{head[0]:02}"


# --- reading --------------------------------------------------------------------------------------------


def _is_lenient(command: type[Operation]) -> bool:
    return issubclass(command, Response) or command in _FROM_CENTRE


def _columns(command: type[Operation]) -> list[tuple[str, int, Any]]:
    """Field, parameter number and default, in the order of the wire: an error stands behind what it is about."""
    own = [column for column in fields(command) if column.name in NUMBER_OF]
    own.sort(key=lambda column: column.name.startswith("error"))
    return [(column.name, NUMBER_OF[column.name], column.default) for column in own]


def _reads(command: type[Operation]) -> dict[str, tuple[str, Read]]:
    """ "021:" -> the field and its reader."""
    lenient = _is_lenient(command)
    answers = ANSWERS.get(command, {})
    found: dict[str, tuple[str, Read]] = {}
    for name, number, _ in _columns(command):
        row = PARAMETERS[number]
        read = row.form.reader(answers.get(name, row.answer), lenient=lenient)
        if name == "destinations":
            read = _one_of_many(read)
        elif name == "error":
            read = _negative(read)
        found[f"{number:03}:"] = (name, read)
    return found


def _one_of_many(read: Read) -> Read:
    return lambda text: (read(text),)


def _negative(read: Read) -> Read:
    """An answer with an error is negative, even if nobody can read which."""

    def read_error(text: str) -> int:
        value: int | None = read(text)
        return codes.FAILED if value is None else value

    return read_error


def _table_reader(command: type[Operation]) -> _Reader:
    reads = _reads(command)
    lenient = _is_lenient(command)
    require = _REQUIRED.get(command)

    slot_of = reads.get

    def read(sequence: int, pieces: list[str]) -> Operation:
        values: dict[str, Any] = {}
        odd: list[str] = []
        for piece in pieces:
            slot = slot_of(piece[:4])
            if slot is None:
                odd.append(piece)
                continue
            name, read_value = slot
            if name in values:
                odd.append(piece)
            else:
                values[name] = read_value(piece[4:])
        others = _read_others(odd, values, reads, lenient) if odd else ()
        operation = command(sequence, others, **values)
        if require is not None:
            require(operation)
        return operation

    return read


def _read_others(
    odd: list[str], values: dict[str, Any], reads: dict[str, tuple[str, Read]], lenient: bool
) -> Parameters:
    """What has no field, or came twice. Only destinations may come twice."""
    others: list[tuple[int, str]] = []
    for piece in odd:
        number = piece[:3]
        if piece[3:4] != ":" or not (number.isascii() and number.isdigit()):
            if not lenient:
                raise RemoteError("a parameter without number and colon", answer=codes.SYNTAX)
        elif number == "021" and "destinations" in values:
            values["destinations"] += reads["021:"][1](piece[4:])
        else:
            others.append((int(number), piece[4:]))
    return tuple(others)


def _read_submit_resp(sequence: int, pieces: list[str]) -> Operation:
    """Each destination is followed by its time stamp; only an answer that says more goes by the table too."""
    submitted: list[Submitted] = []
    rest: list[str] = []
    for piece in pieces:
        if piece[:4] == "021:":
            submitted.append(Submitted(piece[4:]))
        elif piece[:4] == "060:":
            destination = submitted.pop().destination if submitted and not submitted[-1].time_stamp else ""
            submitted.append(Submitted(destination, piece[4:]))
        else:
            rest.append(piece)
    if not rest:
        return SubmitResp(sequence, submitted=tuple(submitted))
    response = _read_submit_resp_errors(sequence, rest)
    assert isinstance(response, SubmitResp), response
    response.submitted = tuple(submitted)
    return response


def _require_submit(operation: Any) -> None:
    if not operation.destinations:
        raise RemoteError("no destination", answer=codes.BAD_DESTINATION)
    if not operation.user_data and not operation.user_data_binary:
        raise RemoteError("no user data", answer=codes.BAD_USER_DATA)
    if operation.user_data and operation.user_data_binary:
        raise RemoteError("user data twice", answer=codes.BAD_COMBINATION)


def _require_login(operation: Any) -> None:
    if not operation.user_identity:
        raise RemoteError("no user identity", answer=codes.INVALID_LOGIN)


def _require_enquire(operation: Any) -> None:
    if not operation.destination:
        raise RemoteError("no destination", answer=codes.BAD_ENQUIRED_ADDRESS)
    if not operation.time_stamp:
        raise RemoteError("no time stamp", answer=codes.BAD_ENQUIRED_TIME)


def _require_get(operation: Any) -> None:
    if operation.get_parameter is None:
        raise RemoteError("no parameter to get", answer=codes.UNSUPPORTED_ITEM)


_REQUIRED: dict[type[Operation], Callable[[Any], None]] = {
    Submit: _require_submit,
    Login: _require_login,
    Enquire: _require_enquire,
    Get: _require_get,
}

# --- writing --------------------------------------------------------------------------------------------


def _table_writer(command: type[Operation], *required: str) -> _Writer:
    columns = [column for column in _columns(command) if column[0] != "destinations"]
    if not columns:
        return lambda operation: []
    rows: list[tuple[Write, Any]] = [
        (PARAMETERS[number].form.writer(f"{number:03}:"), default) for _, number, default in columns
    ]
    names = [name for name, _, _ in columns]
    get = attrgetter(*names, names[0])  # one more, so that it is a tuple always

    def write(operation: Any) -> list[str]:
        for name in required:
            if getattr(operation, name) in ("", None):
                raise LocalError(f"no {name}")
        # Whatever is absent is None or the one empty value that there is: `is` spares most of the comparisons.
        return [
            form(value)
            for value, (form, default) in zip(get(operation), rows)
            if value is not default and value != default
        ]

    return write


def _write_submit(operation: Submit) -> list[str]:
    if not operation.destinations or not all(operation.destinations):
        raise LocalError("no destination")
    if bool(operation.user_data) is bool(operation.user_data_binary):
        raise LocalError("either user data or binary user data, not both, not none")
    return [_write_destination(one) for one in operation.destinations] + _write_rest_of_submit(operation)


def _write_deliver(operation: Deliver) -> list[str]:
    if operation.user_data and operation.user_data_binary:
        raise LocalError("either user data or binary user data, not both")
    pieces = _write_full_deliver(operation)
    if not operation.user_data and not operation.user_data_binary:
        # An MO may be empty, but 033 or 034 has to be there.
        pieces.append("033:")
    return pieces


def _write_submit_resp(operation: SubmitResp) -> list[str]:
    if not operation.error and not (operation.submitted and all(one.time_stamp for one in operation.submitted)):
        raise LocalError("an accepted submit has a time stamp for each destination")
    pieces = []
    for destination, time_stamp in operation.submitted:
        pieces.append(_write_destination(destination))
        if time_stamp:
            pieces.append(_write_time_stamp(time_stamp))
    return pieces + _write_errors(operation)


def _write_nothing(operation: Response) -> list[str]:
    if operation.error or operation.error_text:
        raise LocalError("this answer has no negative form")
    return []


assert all(column.default is not MISSING for command in OPERATIONS.values() for column in fields(command))

_read_submit_resp_errors = _table_reader(SubmitResp)
_write_destination = PARAMETERS[21].form.writer("021:")
_write_time_stamp = PARAMETERS[60].form.writer("060:")
_write_errors = _table_writer(SubmitResp)
_write_rest_of_submit = _table_writer(Submit)
_write_full_deliver = _table_writer(Deliver, "destination", "originating_address", "time_stamp")

_READERS: dict[str, _Reader] = {head: _table_reader(command) for command, head in _HEADS.items()} | {
    _HEADS[SubmitResp]: _read_submit_resp
}

_WRITERS: dict[type[Operation], _Writer] = {
    **{command: _table_writer(command) for command in OPERATIONS.values()},
    **dict.fromkeys(NO_NEGATIVE, _write_nothing),
    Login: _table_writer(Login, "user_identity"),
    Submit: _write_submit,
    SubmitResp: _write_submit_resp,
    Enquire: _table_writer(Enquire, "destination", "time_stamp"),
    Get: _table_writer(Get, "get_parameter"),
    Deliver: _write_deliver,
    StatusReport: _table_writer(StatusReport, "destination", "time_stamp", "status_code"),
}
