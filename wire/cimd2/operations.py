"""All operations of CIMD2.

Login, Logout, Alive                            the session: by the application; either side asks whether it is alive
Submit, Enquire, Cancel                         an MT, what became of it, forget it
DeliveryRequest                                 how many MO are waiting, or send them
Set, Get                                        a new password, the centre's clock
Goodbye                                         none: a centre has no logout, so nothing goes on the wire
Deliver, StatusReport                           an MO, a receipt: by the centre, without a negative answer
OPERATIONS                                      operation number -> class: all there are

Rule: the message is known by destination and time stamp together, to the second: two submits to one number within a
second cannot be told apart (sheet, pitfall 8).

Source: sheet sections 3 and 4.
"""

from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

from wire.cimd2.packet import GeneralError, Nack, Operation, Request, Response

__all__ = [
    "NO_NEGATIVE",
    "OPERATIONS",
    "Alive",
    "AliveResp",
    "Cancel",
    "CancelResp",
    "Deliver",
    "DeliverResp",
    "DeliveryRequest",
    "DeliveryRequestResp",
    "Enquire",
    "EnquireResp",
    "GeneralError",
    "Get",
    "GetResp",
    "Goodbye",
    "Login",
    "LoginResp",
    "Logout",
    "LogoutResp",
    "Nack",
    "Operation",
    "Request",
    "Response",
    "Set",
    "SetResp",
    "StatusReport",
    "StatusReportResp",
    "Submit",
    "SubmitResp",
    "Submitted",
]

# --- the session ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class LoginResp(Response):
    """Answers login; 104 and 105 refuse its window."""

    code: ClassVar[int] = 51
    name: ClassVar[str] = "login_resp"


@dataclass(slots=True)
class Login(Request):
    """Who we are, and how many requests may be under way at once (1 when that is not said)."""

    code: ClassVar[int] = 1
    name: ClassVar[str] = "login"
    response_type: ClassVar[type[Response]] = LoginResp

    user_identity: str = ""
    password: str = field(default="", repr=False)
    subaddress: int | None = None
    window_size: int | None = None


@dataclass(slots=True)
class LogoutResp(Response):
    """Answers logout."""

    code: ClassVar[int] = 52
    name: ClassVar[str] = "logout_resp"


@dataclass(slots=True)
class Logout(Request):
    """The session is to end."""

    code: ClassVar[int] = 2
    name: ClassVar[str] = "logout"
    response_type: ClassVar[type[Response]] = LogoutResp


@dataclass(slots=True)
class AliveResp(Response):
    """Answers alive."""

    code: ClassVar[int] = 90
    name: ClassVar[str] = "alive_resp"


@dataclass(slots=True)
class Alive(Request):
    """Are you there?"""

    code: ClassVar[int] = 40
    name: ClassVar[str] = "alive"
    response_type: ClassVar[type[Response]] = AliveResp


# --- of the application ---------------------------------------------------------------------------------


class Submitted(NamedTuple):
    """One destination of a submit in its answer. Without a time stamp it was not accepted."""

    destination: str
    time_stamp: str = ""


@dataclass(slots=True)
class SubmitResp(Response):
    """Answers submit: a time stamp for each destination."""

    code: ClassVar[int] = 53
    name: ClassVar[str] = "submit_resp"

    submitted: tuple[Submitted, ...] = ()


@dataclass(slots=True)
class Submit(Request):
    """An MT to one destination or more. Its text is user_data (escaped, text.py) or user_data_binary, never both."""

    code: ClassVar[int] = 3
    name: ClassVar[str] = "submit"
    response_type: ClassVar[type[Response]] = SubmitResp

    destinations: tuple[str, ...] = ()
    originating_address: str = ""  # what the centre appends to the account's own number
    alphanumeric_originator: str = ""
    data_coding: int | None = None
    user_data_header: bytes = b""
    user_data: bytes = field(default=b"", repr=False)
    user_data_binary: bytes = field(default=b"", repr=False)
    more_messages: int | None = None
    validity_relative: int | None = None
    validity_absolute: str = ""
    protocol_id: int | None = None
    first_delivery_relative: int | None = None
    first_delivery_absolute: str = ""
    reply_path: int | None = None
    cancel_enabled: int | None = None
    tariff_class: int | None = None
    service_description: int | None = None
    priority: int | None = None
    status_report_request: int | None = None


@dataclass(slots=True)
class EnquireResp(Response):
    """Answers enquire: codes.py says what status_code and status_error mean."""

    code: ClassVar[int] = 54
    name: ClassVar[str] = "enquire_resp"

    destination: str = ""
    time_stamp: str = ""
    status_code: int | None = None
    status_error: int | None = None
    discharge_time: str = ""


@dataclass(slots=True)
class Enquire(Request):
    """What became of a message?"""

    code: ClassVar[int] = 4
    name: ClassVar[str] = "enquire"
    response_type: ClassVar[type[Response]] = EnquireResp

    destination: str = ""
    time_stamp: str = ""


@dataclass(slots=True)
class DeliveryRequestResp(Response):
    """Answers delivery_request: how many messages wait."""

    code: ClassVar[int] = 55
    name: ClassVar[str] = "delivery_request_resp"

    message_count: int | None = None


@dataclass(slots=True)
class DeliveryRequest(Request):
    """Mode 0 asks how many messages wait, 1 for one of them, 2 for all."""

    code: ClassVar[int] = 5
    name: ClassVar[str] = "delivery_request"
    response_type: ClassVar[type[Response]] = DeliveryRequestResp

    delivery_request_mode: int | None = None


@dataclass(slots=True)
class CancelResp(Response):
    """Answers cancel."""

    code: ClassVar[int] = 56
    name: ClassVar[str] = "cancel_resp"


@dataclass(slots=True)
class Cancel(Request):
    """Forget a message (mode 2, with destination and time stamp), or wider."""

    code: ClassVar[int] = 6
    name: ClassVar[str] = "cancel"
    response_type: ClassVar[type[Response]] = CancelResp

    cancel_mode: int | None = None
    destination: str = ""
    time_stamp: str = ""


@dataclass(slots=True)
class SetResp(Response):
    """Answers set."""

    code: ClassVar[int] = 58
    name: ClassVar[str] = "set_resp"


@dataclass(slots=True)
class Set(Request):
    """A new password, or whatever stands in `others`."""

    code: ClassVar[int] = 8
    name: ClassVar[str] = "set"
    response_type: ClassVar[type[Response]] = SetResp

    password: str = field(default="", repr=False)


@dataclass(slots=True)
class GetResp(Response):
    """Answers get."""

    code: ClassVar[int] = 59
    name: ClassVar[str] = "get_resp"

    centre_time: str = ""


@dataclass(slots=True)
class Get(Request):
    """Tell a parameter: 501 is the centre's clock."""

    code: ClassVar[int] = 9
    name: ClassVar[str] = "get"
    response_type: ClassVar[type[Response]] = GetResp

    get_parameter: int | None = None


# --- of the centre --------------------------------------------------------------------------------------


@dataclass(slots=True)
class DeliverResp(Response):
    """Answers deliver. No negative form is on the wire: a session that gets one from its owner closes instead."""

    code: ClassVar[int] = 70
    name: ClassVar[str] = "deliver_resp"


@dataclass(slots=True)
class Deliver(Request):
    """An MO."""

    code: ClassVar[int] = 20
    name: ClassVar[str] = "deliver"
    response_type: ClassVar[type[Response]] = DeliverResp

    destination: str = ""
    originating_address: str = ""
    time_stamp: str = ""
    originating_imsi: str = ""
    visited_msc: str = ""
    data_coding: int | None = None
    user_data_header: bytes = b""
    user_data: bytes = field(default=b"", repr=False)
    user_data_binary: bytes = field(default=b"", repr=False)
    protocol_id: int | None = None


@dataclass(slots=True)
class StatusReportResp(Response):
    """Answers status_report. No negative form, as with deliver."""

    code: ClassVar[int] = 73
    name: ClassVar[str] = "status_report_resp"


@dataclass(slots=True)
class StatusReport(Request):
    """A receipt: destination and time_stamp are those of the submit's answer."""

    code: ClassVar[int] = 23
    name: ClassVar[str] = "status_report"
    response_type: ClassVar[type[Response]] = StatusReportResp

    destination: str = ""
    originating_address: str = ""
    time_stamp: str = ""
    status_code: int | None = None
    status_error: int | None = None
    discharge_time: str = ""


@dataclass(slots=True)
class Goodbye(Request):
    """Said to a session, not to its peer: send nothing more, hear the answers that are due, then close."""

    name: ClassVar[str] = "goodbye"


_REQUESTS: tuple[type[Request], ...] = (
    *(Login, Logout, Submit, Enquire, DeliveryRequest, Cancel, Set, Get, Alive, Deliver, StatusReport),
)

OPERATIONS: dict[int, type[Operation]] = {
    **{request.code: request for request in _REQUESTS},
    **{request.response_type.code: request.response_type for request in _REQUESTS},
    GeneralError.code: GeneralError,
    Nack.code: Nack,
}

NO_NEGATIVE: frozenset[type[Response]] = frozenset({AliveResp, DeliverResp, StatusReportResp, Nack})
"""Answers that have no form with an error (sheet, section 3)."""
