"""What numbers in answers and receipts mean, and what to do about them.

lookup(error)            the row of an error code (900), also for codes that the table lacks
sentence(error)          one line for a log or a page
is_temporary, is_permanent, is_session    may succeed later; never; the login is at fault, not the message
status_of(code)          the row of a status (061): is it final, is it a success
cause_sentence(cause)    a status error (062), which says why, for people

Rule: an error that is not listed is permanent, but of 100 to 199 the session's, since those refuse a login; a status
that is not listed is not final: nothing is settled by it.

Source: sheet sections 4 and 6.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["ok", "temporary", "permanent", "session"]

NACK = 99
"""What a decoder says of a packet that is to be sent again: operation 99 answers it, not an error code."""

OK = 0
UNEXPECTED = 1
SYNTAX = 2
UNSUPPORTED_PARAMETER = 3
NOT_FOUND = 7
BAD_FORMAT = 8
FAILED = 9
CONGESTION = 10
INVALID_LOGIN = 100
LOGIN_REFUSED = 103
INVALID_WINDOW = 104
WINDOWING_DISABLED = 105
INVALID_SUBADDRESS = 107
BAD_DESTINATION = 300
BAD_USER_DATA = 302
BAD_COMBINATION = 303
BAD_CODING = 304
BAD_VALIDITY = 305
BAD_ORIGINATOR = 306
BAD_PROTOCOL_ID = 307
BAD_FIRST_DELIVERY = 308
BAD_REPLY_PATH = 309
BAD_STATUS_REPORT_REQUEST = 310
BAD_CANCEL_ENABLED = 311
BAD_PRIORITY = 312
BAD_TARIFF_CLASS = 313
BAD_SERVICE_DESCRIPTION = 314
BAD_MORE_MESSAGES = 318
BAD_ALPHA_ORIGINATOR = 322
BAD_ENQUIRED_ADDRESS = 400
BAD_ENQUIRED_TIME = 401
BAD_REQUEST_MODE = 501
BAD_CANCELLED_TIME = 600
BAD_CANCELLED_ADDRESS = 601
BAD_CANCEL_MODE = 602
PASSWORD_NOT_CHANGED = 800
UNSUPPORTED_ITEM = 900


@dataclass(frozen=True, slots=True)
class Error:
    """One row of 900. `once`: temporary, but to be tried once more only."""

    code: int
    meaning: str
    kind: Kind
    once: bool = False


_GENERAL: dict[int, tuple[str, Kind]] = {
    OK: ("none", "ok"),
    UNEXPECTED: ("unexpected operation", "permanent"),
    SYNTAX: ("syntax error", "permanent"),
    UNSUPPORTED_PARAMETER: ("unsupported parameter", "permanent"),
    4: ("connection to the SMS center lost", "temporary"),
    5: ("no response from the SMS center", "temporary"),
    6: ("general system error", "temporary"),
    NOT_FOUND: ("cannot find information", "permanent"),
    BAD_FORMAT: ("parameter formatting error", "permanent"),
    FAILED: ("requested operation failed", "temporary"),
    CONGESTION: ("temporary congestion", "temporary"),
}
_LOGIN: dict[int, str] = {
    INVALID_LOGIN: "invalid login",
    101: "incorrect access type",
    102: "too many users with this login id",
    LOGIN_REFUSED: "login refused",
    INVALID_WINDOW: "invalid window size",
    WINDOWING_DISABLED: "windowing disabled",
    106: "barred by virtual SMS center",
    INVALID_SUBADDRESS: "invalid subaddress",
    108: "alias account, login refused",
}
_USAGE: dict[int, str] = {
    BAD_DESTINATION: "destination address",
    301: "number of destination addresses",
    BAD_USER_DATA: "user data syntax",
    BAD_COMBINATION: "combination of binary, header and normal user data",
    BAD_CODING: "data coding scheme",
    BAD_VALIDITY: "validity period",
    BAD_ORIGINATOR: "originator address",
    BAD_PROTOCOL_ID: "protocol identifier",
    BAD_FIRST_DELIVERY: "first delivery time",
    BAD_REPLY_PATH: "reply path",
    BAD_STATUS_REPORT_REQUEST: "status report request",
    BAD_CANCEL_ENABLED: "cancel enabled",
    BAD_PRIORITY: "priority",
    BAD_TARIFF_CLASS: "tariff class",
    BAD_SERVICE_DESCRIPTION: "service description",
    315: "transport type",
    316: "message type",
    BAD_MORE_MESSAGES: "more messages to send",
    319: "operation timer",
    320: "dialogue id",
    321: "alphanumeric originator",
    BAD_ALPHA_ORIGINATOR: "data of the alphanumeric originator",
    BAD_ENQUIRED_ADDRESS: "address in enquire",
    BAD_ENQUIRED_TIME: "time stamp in enquire",
    500: "time stamp in delivery request",
    BAD_REQUEST_MODE: "mode of delivery request",
    502: "combination in delivery request",
    BAD_CANCELLED_TIME: "time stamp in cancel",
    BAD_CANCELLED_ADDRESS: "address in cancel",
    BAD_CANCEL_MODE: "mode of cancel",
    603: "combination in cancel",
}
_REST: dict[int, str] = {
    PASSWORD_NOT_CHANGED: "changing the password failed",
    801: "changing the password is not allowed",
    UNSUPPORTED_ITEM: "unsupported item in get",
}

ERRORS: dict[int, Error] = {
    **{code: Error(code, meaning, kind, code == FAILED) for code, (meaning, kind) in _GENERAL.items()},
    **{code: Error(code, meaning, "session") for code, meaning in _LOGIN.items()},
    **{code: Error(code, f"incorrect usage of {what}", "permanent") for code, what in _USAGE.items()},
    **{code: Error(code, meaning, "permanent") for code, meaning in _REST.items()},
}


def lookup(error: int) -> Error:
    """The row for a code; one that the table lacks is permanent, or the session's."""
    found = ERRORS.get(error)
    if found is not None:
        return found
    return Error(error, "unlisted error", "session" if 100 <= error <= 199 else "permanent")


def sentence(error: int) -> str:
    """ "104: invalid window size"."""
    return f"{error}: {lookup(error).meaning}"


def is_temporary(error: int) -> bool:
    """The same request may succeed later."""
    return lookup(error).kind == "temporary"


def is_permanent(error: int) -> bool:
    """The request will never succeed as it is."""
    return lookup(error).kind == "permanent"


def is_session(error: int) -> bool:
    """The login is at fault: have a person look at it."""
    return lookup(error).kind == "session"


# --- 061 ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Status:
    """One row of 061."""

    code: int
    meaning: str
    final: bool
    success: bool = False


_STATUS_ROWS: tuple[tuple[int, str, bool, bool], ...] = (
    (1, "in process", False, False),
    (2, "validity period expired", True, False),
    (3, "delivery failed", True, False),
    (4, "delivered", True, True),
    (5, "no response", False, False),
    (6, "last no response", True, False),
    (7, "cancelled", True, False),
    (8, "deleted", True, False),
    (9, "deleted by cancel", True, False),
)
STATUSES: dict[int, Status] = {row[0]: Status(*row) for row in _STATUS_ROWS}


def status_of(code: int | None) -> Status:
    """The row for a status; one that the table lacks, or that was not said, is not final."""
    found = None if code is None else STATUSES.get(code)
    return found if found is not None else Status(-1 if code is None else code, "unlisted status", False)


# --- 062 ------------------------------------------------------------------------------------------------


CAUSES: dict[int, str] = {
    0: "no error",
    1: "unknown subscriber",
    9: "illegal subscriber",
    11: "teleservice not provisioned",
    13: "call barred",
    15: "closed user group reject",
    19: "no SMS support in the handset",
    20: "error in the handset",
    21: "facility not supported",
    22: "memory capacity exceeded",
    29: "absent subscriber",
    30: "handset busy",
    36: "network or protocol failure",
    44: "illegal equipment",
    60: "no paging response",
    61: "congestion in the gateway MSC",
    63: "HLR time-out",
    64: "MSC or SGSN time-out",
    70: "SMRSE or TCP error",
    72: "congestion on the way to the handset",
    75: "GPRS suspended",
    80: "no paging response via MSC",
    81: "IMSI detached",
    82: "roaming restriction",
    83: "deregistered in HLR for GSM",
    84: "purged for GSM",
    85: "no paging response via SGSN",
    86: "GPRS detached",
    87: "deregistered in HLR for GPRS",
    88: "purged for GPRS",
    89: "unidentified subscriber via MSC",
    90: "unidentified subscriber via SGSN",
    112: "originator has no credit on a prepaid account",
    113: "destination has no credit on a prepaid account",
    114: "error in the prepaid system",
}
"""Why a message was not delivered."""


def cause_sentence(cause: int) -> str:
    """ "error 29: absent subscriber"."""
    return f"error {cause}: {CAUSES.get(cause, 'unlisted cause')}"
