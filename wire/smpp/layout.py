"""The form of every field, and the layout of every PDU: one table that both reads and writes.

FORMS      field name -> its form, for all PDUs; LONGER: the PDUs where an address may have 64 characters
LAYOUTS    class -> its fields in wire order, from the dataclass
read_body, write_body    by the table; the hot PDUs have faster ways in codec.py that must agree with these

A form reads strictly what a peer asks (RemoteError with the status that names the field) and leniently what
it answers: a response cannot be refused, so what can be read of it is kept.

Rule: every field must end inside its PDU before it is used; sizes of C-strings include the NUL.

Source: SMPP 3.4, section 4 and 5.2; sheet section 3.
"""

from dataclasses import dataclass, fields
from struct import Struct
from typing import Any, Protocol

from wire.errors import LocalError, RemoteError
from wire.smpp import status as st
from wire.smpp.operations import (
    COMMANDS,
    AlertNotification,
    DataSm,
    Destination,
    DistributionList,
    Failure,
    Operation,
    Response,
)
from wire.smpp.tlvs import UNWRITABLE

_LONG = Struct(">I")


class Form(Protocol):
    """How one field stands on the wire. `read` gives the value and where the next field begins."""

    def read(self, frame: bytes, at: int, lenient: bool) -> tuple[Any, int]: ...
    def write(self, value: Any) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Octet:
    """An integer of one octet."""

    def read(self, frame: bytes, at: int, lenient: bool) -> tuple[int, int]:
        if at >= len(frame):
            raise RemoteError("the PDU ends before its fields", answer=st.RINVCMDLEN)
        return frame[at], at + 1

    def write(self, value: int) -> bytes:
        if not 0 <= value <= 0xFF:
            raise LocalError(f"{value} is not one octet")
        return bytes((value,))


@dataclass(frozen=True, slots=True)
class CString:
    """ASCII ended by NUL. `size` counts the NUL; `answer` says which field a longer one breaks.

    A long password is only met by a check of the password: many providers give out more than 8 characters.
    """

    size: int
    answer: int
    any_length: bool = False

    def read(self, frame: bytes, at: int, lenient: bool) -> tuple[str, int]:
        end = frame.find(0, at)
        if end < 0:
            if lenient:
                return frame[at:].decode("latin-1"), len(frame)
            raise RemoteError("a string does not end in its PDU", answer=st.RINVCMDLEN)
        if end - at >= self.size and not (lenient or self.any_length):
            raise RemoteError(f"a string of {end - at} octets, at most {self.size - 1}", answer=self.answer)
        return frame[at:end].decode("latin-1"), end + 1

    def write(self, value: str) -> bytes:
        if len(value) >= self.size and not self.any_length:
            raise LocalError(f"a string of {len(value)} characters, at most {self.size - 1}")
        if "\0" in value:
            raise LocalError("a NUL inside a string would end it")
        try:
            return value.encode("latin-1") + b"\0"
        except UnicodeEncodeError as error:
            raise LocalError("a string has characters beyond one octet") from error


@dataclass(frozen=True, slots=True)
class Text:
    """sm_length and as many octets."""

    def read(self, frame: bytes, at: int, lenient: bool) -> tuple[bytes, int]:
        if at >= len(frame):
            raise RemoteError("the PDU ends before its fields", answer=st.RINVCMDLEN)
        start = at + 1
        end = start + frame[at]
        if end > len(frame):
            raise RemoteError("sm_length goes beyond the PDU", answer=st.RINVMSGLEN)
        return frame[start:end], end

    def write(self, value: bytes) -> bytes:
        if len(value) > 0xFF:
            raise LocalError(f"a short_message of {len(value)} octets; message_payload takes longer ones")
        return bytes((len(value),)) + value


_OCTET = Octet()
_DESTINATION = CString(21, st.RINVDSTADR)
_LIST_NAME = CString(21, st.RINVDLNAME)


@dataclass(frozen=True, slots=True)
class Destinations:
    """number_of_dests and as many addresses (flag 1) or names of lists (flag 2). SMPP 3.4, 4.5.1.1."""

    def read(self, frame: bytes, at: int, lenient: bool) -> tuple[tuple[Destination | DistributionList, ...], int]:
        count, at = _OCTET.read(frame, at, lenient)
        if count == 0:
            raise RemoteError("no destination", answer=st.RINVNUMDESTS)
        found: list[Destination | DistributionList] = []
        for _ in range(count):
            flag, at = _OCTET.read(frame, at, lenient)
            if flag == 1:
                ton, at = _OCTET.read(frame, at, lenient)
                npi, at = _OCTET.read(frame, at, lenient)
                address, at = _DESTINATION.read(frame, at, lenient)
                found.append(Destination(ton, npi, address))
            elif flag == 2:
                name, at = _LIST_NAME.read(frame, at, lenient)
                found.append(DistributionList(name))
            else:
                raise RemoteError(f"dest_flag {flag}", answer=st.RINVDESTFLAG)
        return tuple(found), at

    def write(self, value: tuple[Destination | DistributionList, ...]) -> bytes:
        if not 1 <= len(value) <= 0xFF:
            raise LocalError(f"{len(value)} destinations; 1 to 255 go into one PDU")
        parts = [bytes((len(value),))]
        for to in value:
            if isinstance(to, DistributionList):
                parts.append(b"\2" + _LIST_NAME.write(to.dl_name))
            else:
                kind = _OCTET.write(to.dest_addr_ton) + _OCTET.write(to.dest_addr_npi)
                parts.append(b"\1" + kind + _DESTINATION.write(to.destination_addr))
        return b"".join(parts)


@dataclass(frozen=True, slots=True)
class Failures:
    """no_unsuccess and as many addresses with their status. Only in a response, so always lenient."""

    def read(self, frame: bytes, at: int, lenient: bool) -> tuple[tuple[Failure, ...], int]:
        count, at = _OCTET.read(frame, at, lenient)
        found: list[Failure] = []
        for _ in range(count):
            end = frame.find(0, at + 2)
            if end < 0 or end + 5 > len(frame):
                return tuple(found), len(frame)
            address = frame[at + 2 : end].decode("latin-1")
            found.append(Failure(frame[at], frame[at + 1], address, *_LONG.unpack_from(frame, end + 1)))
            at = end + 5
        return tuple(found), at

    def write(self, value: tuple[Failure, ...]) -> bytes:
        if len(value) > 0xFF:
            raise LocalError(f"{len(value)} failures; at most 255 go into one PDU")
        parts = [bytes((len(value),))]
        for failure in value:
            if not 0 <= failure.error_status_code <= 0xFFFFFFFF:
                raise LocalError(f"error_status_code {failure.error_status_code}")
            kind = _OCTET.write(failure.dest_addr_ton) + _OCTET.write(failure.dest_addr_npi)
            code = _LONG.pack(failure.error_status_code)
            parts.append(kind + _DESTINATION.write(failure.destination_addr) + code)
        return b"".join(parts)


_OCTETS = (
    "interface_version addr_ton addr_npi source_addr_ton source_addr_npi dest_addr_ton dest_addr_npi "
    "esme_addr_ton esme_addr_npi esm_class protocol_id priority_flag registered_delivery "
    "replace_if_present_flag data_coding sm_default_msg_id message_state error_code"
)

FORMS: dict[str, Form] = {
    **dict.fromkeys(_OCTETS.split(), _OCTET),
    "system_id": CString(16, st.RINVSYSID),
    "password": CString(9, st.RINVPASWD, any_length=True),
    "system_type": CString(13, st.RINVSYSTYP),
    "address_range": CString(41, st.RBINDFAIL),
    "service_type": CString(6, st.RINVSERTYP),
    "source_addr": CString(21, st.RINVSRCADR),
    "destination_addr": _DESTINATION,
    "esme_addr": CString(65, st.RINVDSTADR),
    "message_id": CString(65, st.RINVMSGID),
    "schedule_delivery_time": CString(17, st.RINVSCHED),
    "validity_period": CString(17, st.RINVEXPIRY),
    "final_date": CString(17, st.RINVEXPIRY),
    "short_message": Text(),
    "dest_address": Destinations(),
    "unsuccess": Failures(),
}

LONGER: dict[type[Operation], dict[str, Form]] = {
    DataSm: {"source_addr": CString(65, st.RINVSRCADR), "destination_addr": CString(65, st.RINVDSTADR)},
    AlertNotification: {"source_addr": CString(65, st.RINVSRCADR)},
}

_COMMON = {field.name for field in fields(Operation)}


def _layout_of(operation: type[Operation]) -> tuple[tuple[str, Form], ...]:
    forms = FORMS | LONGER.get(operation, {})
    return tuple((field.name, forms[field.name]) for field in fields(operation) if field.name not in _COMMON)


LAYOUTS: dict[type[Operation], tuple[tuple[str, Form], ...]] = {
    operation: _layout_of(operation) for operation in COMMANDS.values()
}


def read_body(operation: Operation, frame: bytes, at: int) -> int:
    """Fill the operation's fields from the frame; where the optional part begins."""
    lenient = isinstance(operation, Response)
    for name, form in LAYOUTS[type(operation)]:
        if lenient and at >= len(frame):
            break
        value, at = form.read(frame, at, lenient)
        setattr(operation, name, value)
    return at


def write_body(operation: Operation) -> bytes:
    """The mandatory fields in wire order."""
    try:
        return b"".join([form.write(getattr(operation, name)) for name, form in LAYOUTS[type(operation)]])
    except LocalError as error:
        raise LocalError(error.reason, operation=operation.name) from error
    except UNWRITABLE as error:
        raise LocalError("a field has the wrong type", operation=operation.name) from error
