"""The parameters: one table that both reads and writes.

PARAMETERS    number -> Parameter: its field, its form, the error code that names it
NUMBER_OF     field name -> number
ANSWERS       the error codes of those that another operation names otherwise
Whole, Letters, Address, Moment, Hex, Octets    the forms: strict readers for what the application asks, lenient ones
              for answers and for what the centre sends, since neither can be refused

Rule: a reason never quotes a value: it may be a password or a text.

Source: sheet sections 4 and 6.
"""

from binascii import unhexlify
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from wire.cimd2 import codes
from wire.cimd2.operations import Cancel, Enquire, Set
from wire.cimd2.packet import Operation
from wire.errors import LocalError, RemoteError

Read: TypeAlias = Callable[[str], Any]
Write: TypeAlias = Callable[[Any], str]


class Form(Protocol):
    """How one value stands on the wire. A lenient reader takes what it cannot read at all for absent."""

    def reader(self, answer: int, *, lenient: bool) -> Read: ...
    def writer(self, prefix: str) -> Write: ...


class _Known(dict[Any, Any]):
    """What is usual, looked up; what is not is left to `unusual`. A lookup costs a fifth of a call."""

    def __init__(self, usual: dict[Any, Any], unusual: Callable[[Any], Any]) -> None:
        super().__init__(usual)
        self._unusual = unusual

    def __missing__(self, key: Any) -> Any:
        return self._unusual(key)


@dataclass(frozen=True, slots=True)
class Whole:
    """A number in decimal, with leading zeros up to `digits`."""

    low: int
    high: int
    digits: int = 1

    def reader(self, answer: int, *, lenient: bool) -> Read:
        low, high = self.low, self.high

        def read(text: str) -> int | None:
            if not (text.isascii() and text.removeprefix("-").isdigit()) or len(text) > 9:
                if lenient:
                    return None
                raise RemoteError("a number that is none", answer=answer)
            value = int(text)
            if not low <= value <= high and not lenient:
                raise RemoteError(f"a number of {len(text)} digits that is not in {low} to {high}", answer=answer)
            return value

        return _Known({str(value): value for value in range(low, high + 1)}, read).__getitem__

    def writer(self, prefix: str) -> Write:
        low, high = self.low, self.high

        def refuse(value: int) -> str:
            raise LocalError(f"{value:d} is not in {low} to {high}")

        usual = {value: f"{prefix}{value:0{self.digits}}" for value in range(low, high + 1)}
        return _Known(usual, refuse).__getitem__


@dataclass(frozen=True, slots=True)
class Letters:
    """Any Latin-1 but the four octets that frame a packet (which codec.py looks for).

    Those of an account are `tidy`: people wrote them, so what cannot be printed is a slip, and spaces around them are
    refused by centres (pitfall 14). A long password is only met by a check of the password.
    """

    size: int
    any_length: bool = False
    tidy: bool = False

    def reader(self, answer: int, *, lenient: bool) -> Read:
        if lenient or self.any_length:
            return str
        size = self.size

        def read(text: str) -> str:
            if len(text) > size:
                raise RemoteError(f"a string of {len(text)} characters, at most {size}", answer=answer)
            return text

        return read

    def writer(self, prefix: str) -> Write:
        size, tidy = self.size, self.tidy

        def write(value: str) -> str:
            if len(value) > size:
                raise LocalError(f"a string of {len(value)} characters, at most {size}")
            if tidy and value != value.strip(" "):
                raise LocalError("a string with spaces around it")
            if tidy and not value.isprintable():
                raise LocalError("a string with letters that cannot be printed")
            return prefix + value

        return write


_NO_ADDRESS = str.maketrans("", "", "0123456789+-")


@dataclass(frozen=True, slots=True)
class Address:
    """Digits, "+" and "-". What the centre names a sender is kept whatever it is."""

    size: int = 20

    def reader(self, answer: int, *, lenient: bool) -> Read:
        if lenient:
            return str
        size = self.size

        def read(text: str) -> str:
            if text.isdigit() and text.isascii() and len(text) <= size:
                return text
            if not text or len(text) > size or text.translate(_NO_ADDRESS):
                raise RemoteError(f"an address of {len(text)} characters that is none", answer=answer)
            return text

        return read

    def writer(self, prefix: str) -> Write:
        size = self.size

        def write(value: str) -> str:
            if len(value) > size:
                raise LocalError(f"an address of {len(value)} characters, at most {size}")
            if not (value.isdigit() and value.isascii()) and value.translate(_NO_ADDRESS):
                raise LocalError("an address has digits, + and - only")
            return prefix + value

        return write


@dataclass(frozen=True, slots=True)
class Moment:
    """yymmddhhmmss, as text: its zone is the centre's, which times.py is told."""

    def reader(self, answer: int, *, lenient: bool) -> Read:
        if lenient:
            return str

        def read(text: str) -> str:
            if not (len(text) == 12 and text.isascii() and text.isdigit()):
                raise RemoteError(f"a time of {len(text)} characters that is none", answer=answer)
            return text

        return read

    def writer(self, prefix: str) -> Write:
        def write(value: str) -> str:
            if len(value) != 12 or not (value.isascii() and value.isdigit()):
                raise LocalError("a time has twelve digits")
            return prefix + value

        return write


@dataclass(frozen=True, slots=True)
class Hex:
    """Octets, two digits each; the size counts digits."""

    size: int

    def reader(self, answer: int, *, lenient: bool) -> Read:
        size = self.size

        def read(text: str) -> bytes:
            try:
                if len(text) <= size or lenient:
                    return unhexlify(text)
            except ValueError:
                pass
            if lenient:
                return b""
            raise RemoteError(f"{len(text)} characters that are no octets in hex", answer=answer)

        return read

    def writer(self, prefix: str) -> Write:
        size = self.size

        def write(value: bytes) -> str:
            if 2 * len(value) > size:
                raise LocalError(f"{len(value)} octets, at most {size // 2}")
            return prefix + value.hex().upper()

        return write


@dataclass(frozen=True, slots=True)
class Octets:
    """Octets as they stand: the escaped text."""

    size: int

    def reader(self, answer: int, *, lenient: bool) -> Read:
        size = self.size

        def read(text: str) -> bytes:
            if len(text) > size and not lenient:
                raise RemoteError(f"a text of {len(text)} octets, at most {size}", answer=answer)
            return text.encode("latin-1")

        return read

    def writer(self, prefix: str) -> Write:
        size = self.size

        def write(value: bytes) -> str:
            if len(value) > size:
                raise LocalError(f"a text of {len(value)} octets, at most {size}")
            return prefix + value.decode("latin-1")

        return write


@dataclass(frozen=True, slots=True)
class Parameter:
    """One row: its number, the field that holds it, its form, and the error code of an application's mistake in it."""

    number: int
    field: str
    form: Form
    answer: int


_FLAG = Whole(0, 1)
_OCTET = Whole(0, 255)
_VALIDITY = Whole(-1, 255)

_ROWS: tuple[tuple[int, str, Form, int], ...] = (
    (10, "user_identity", Letters(32, tidy=True), codes.INVALID_LOGIN),
    (11, "password", Letters(32, any_length=True, tidy=True), codes.INVALID_LOGIN),
    (12, "subaddress", Whole(0, 9), codes.INVALID_SUBADDRESS),
    (19, "window_size", Whole(1, 128), codes.INVALID_WINDOW),
    (21, "destination", Address(), codes.BAD_DESTINATION),
    (23, "originating_address", Address(), codes.BAD_ORIGINATOR),
    (26, "originating_imsi", Address(), codes.BAD_FORMAT),
    (27, "alphanumeric_originator", Letters(11), codes.BAD_ALPHA_ORIGINATOR),
    (28, "visited_msc", Address(), codes.BAD_FORMAT),
    (30, "data_coding", _OCTET, codes.BAD_CODING),
    (32, "user_data_header", Hex(280), codes.BAD_COMBINATION),
    (33, "user_data", Octets(480), codes.BAD_USER_DATA),
    (34, "user_data_binary", Hex(280), codes.BAD_USER_DATA),
    (44, "more_messages", _FLAG, codes.BAD_MORE_MESSAGES),
    (50, "validity_relative", _VALIDITY, codes.BAD_VALIDITY),
    (51, "validity_absolute", Moment(), codes.BAD_VALIDITY),
    (52, "protocol_id", _OCTET, codes.BAD_PROTOCOL_ID),
    (53, "first_delivery_relative", _VALIDITY, codes.BAD_FIRST_DELIVERY),
    (54, "first_delivery_absolute", Moment(), codes.BAD_FIRST_DELIVERY),
    (55, "reply_path", _FLAG, codes.BAD_REPLY_PATH),
    (56, "status_report_request", Whole(0, 63), codes.BAD_STATUS_REPORT_REQUEST),
    (58, "cancel_enabled", _FLAG, codes.BAD_CANCEL_ENABLED),
    (59, "cancel_mode", Whole(0, 2), codes.BAD_CANCEL_MODE),
    (60, "time_stamp", Moment(), codes.BAD_FORMAT),
    (61, "status_code", Whole(0, 99), codes.BAD_FORMAT),
    (62, "status_error", Whole(0, 999), codes.BAD_FORMAT),
    (63, "discharge_time", Moment(), codes.BAD_FORMAT),
    (64, "tariff_class", Whole(0, 99), codes.BAD_TARIFF_CLASS),
    (65, "service_description", Whole(0, 99), codes.BAD_SERVICE_DESCRIPTION),
    (66, "message_count", Whole(0, 999), codes.BAD_FORMAT),
    (67, "priority", Whole(1, 9), codes.BAD_PRIORITY),
    (68, "delivery_request_mode", Whole(0, 2), codes.BAD_REQUEST_MODE),
    (69, "centre_address", Address(), codes.BAD_FORMAT),
    (500, "get_parameter", Whole(0, 999), codes.UNSUPPORTED_ITEM),
    (501, "centre_time", Moment(), codes.BAD_FORMAT),
    (900, "error", Whole(0, 999, digits=3), codes.BAD_FORMAT),
    (901, "error_text", Letters(64), codes.BAD_FORMAT),
)

PARAMETERS: dict[int, Parameter] = {row[0]: Parameter(*row) for row in _ROWS}

NUMBER_OF: dict[str, int] = {row[1]: row[0] for row in _ROWS} | {"destinations": 21}

ANSWERS: dict[type[Operation], dict[str, int]] = {
    Enquire: {"destination": codes.BAD_ENQUIRED_ADDRESS, "time_stamp": codes.BAD_ENQUIRED_TIME},
    Cancel: {"destination": codes.BAD_CANCELLED_ADDRESS, "time_stamp": codes.BAD_CANCELLED_TIME},
    Set: {"password": codes.PASSWORD_NOT_CHANGED},
}
