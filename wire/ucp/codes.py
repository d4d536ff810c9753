"""EC (why an operation was refused), Rsn and Dst (what became of a message): the meaning, and what to do.

lookup(ec), reason(rsn)    the row of a table, also for codes that it lacks
sentence(ec), reason_sentence(rsn)    one line for a log or a page
is_temporary(ec, sm)       the same request may succeed later (throttling included)
is_throttle(ec, sm)        slow this link down; the message itself is fine
is_permanent(ec, sm)       the request will never succeed
STATES                     Dst -> word, whether it is final, whether it is a success

Rule: a code that is not listed is permanent; 90-99 belong to the operator, whose meanings are the link's option. 04 is
the usual answer to an overrun, but means a barred account as well: its text decides, and without one it is temporary,
to be tried again a few times. With Dst 0 the Rsn has no meaning, and Rsn never says whether a state is final: Dst does.

Source: sheet section 6; smsc_emi.c of Kannel. The sheet gives no classes for Rsn: those are ours, by the meaning.
"""

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["ok", "temporary", "permanent", "session"]

EC_OK = 0
"""A positive result; never on the wire."""
EC_UNREADABLE = -1
"""A negative result whose EC is no number."""
EC_CHECKSUM = 1
EC_SYNTAX = 2
EC_NOT_SUPPORTED = 3
EC_NOT_ALLOWED = 4
EC_ADC_INVALID = 6
EC_AUTHENTICATION = 7
EC_TIME_INVALID = 22
EC_MESSAGE_TYPE = 23
EC_TOO_LONG = 24
EC_NOT_FOUND = 27
EC_LOW_NETWORK = 50
EC_SYSTEM = 55


@dataclass(frozen=True, slots=True)
class Code:
    """One row: what a peer's code means."""

    code: int
    meaning: str
    kind: Kind


_P: Kind = "permanent"
_T: Kind = "temporary"

_ERRORS: tuple[tuple[int, str, Kind], ...] = (
    (EC_OK, "ok", "ok"),
    (EC_CHECKSUM, "checksum error", _P),
    (EC_SYNTAX, "syntax error", _P),
    (EC_NOT_SUPPORTED, "operation not supported", _P),
    (EC_NOT_ALLOWED, "operation not allowed", _T),
    (5, "call barring active", _P),
    (EC_ADC_INVALID, "AdC invalid", _P),
    (EC_AUTHENTICATION, "authentication failure", "session"),
    (8, "legitimisation code for all calls failed", _P),
    (9, "GA not valid", _P),
    (10, "repetition not allowed", _P),
    (11, "legitimisation code for repetition failed", _P),
    (12, "priority call not allowed", _P),
    (13, "legitimisation code for a priority call failed", _P),
    (14, "urgent message not allowed", _P),
    (15, "legitimisation code for an urgent message failed", _P),
    (16, "reverse charging not allowed", _P),
    (17, "legitimisation code for reverse charging failed", _P),
    (18, "deferred delivery not allowed", _P),
    (19, "new AC not valid", _P),
    (20, "new legitimisation code not valid", _P),
    (21, "standard text not valid", _P),
    (EC_TIME_INVALID, "time period not valid", _P),
    (EC_MESSAGE_TYPE, "message type not supported", _P),
    (EC_TOO_LONG, "message too long", _P),
    (25, "requested standard text not valid", _P),
    (26, "message type not valid for the pager type", _P),
    (EC_NOT_FOUND, "message not found", _P),
    (28, "invalid character set", _P),
    (30, "subscriber hang-up", _P),
    (31, "fax group not supported", _P),
    (32, "fax message type not supported", _P),
    (33, "address already in the list", _P),
    (34, "address not in the list", _P),
    (35, "list full", _P),
    (36, "RPID already in use", _P),
    (37, "delivery in progress", _P),
    (38, "message forwarded", _P),
    (EC_LOW_NETWORK, "low network status", _T),
    (51, "legitimisation code for a standard text failed", _P),
    (53, "partially successful", _P),
    (54, "not successful", _P),
    (EC_SYSTEM, "system error", _T),
    (57, "AdC already member of the group", _P),
    (58, "AdC not member of the group", _P),
    (59, "standard text list invalid", _P),
    (61, "not controller of the group list", _P),
    (62, "standard text too large", _P),
    (63, "not owner of the list", _P),
    (64, "address list full", _P),
    (65, "GAdC invalid", _P),
    (66, "restricted to mobile subscribers", _P),
    (68, "invalid AdC type", _P),
    (69, "cannot add AdC to the group", _P),
)

_REASONS: tuple[tuple[int, str, Kind], ...] = (
    (0, "unknown subscriber", _P),
    *((rsn, "service temporarily not available", _T) for rsn in range(1, 9)),
    (9, "illegal error code", _P),
    (10, "network time-out", _T),
    (100, "facility not supported", _P),
    (101, "unknown subscriber", _P),
    (102, "facility not provided", _P),
    (103, "call barred", _P),
    (104, "operation barred", _P),
    (105, "service centre congestion", _T),
    (106, "facility not supported", _P),
    (107, "absent subscriber", _T),
    (108, "delivery failed", _T),
    (109, "service centre congestion", _T),
    (110, "protocol error", _P),
    (111, "handset not equipped", _P),
    (112, "unknown service centre", _P),
    (113, "service centre congestion", _T),
    (114, "illegal handset", _P),
    (115, "handset is no subscriber", _P),
    (116, "error in the handset", _T),
    (117, "SMS not provisioned in the lower layer", _P),
    (118, "system failure", _T),
    (119, "PLMN system failure", _T),
    (120, "HLR system failure", _T),
    (121, "VLR system failure", _T),
    (122, "previous VLR system failure", _T),
    (123, "controlling MSC system failure", _T),
    (124, "VMSC system failure", _T),
    (125, "EIR system failure", _T),
    (126, "system failure", _T),
    (127, "unexpected data value", _P),
    (200, "error in the address of the service centre", _P),
    (201, "invalid absolute validity period", _P),
    (202, "message exceeds the maximum", _P),
    (203, "GSM message cannot be unpacked", _P),
    (204, "cannot be converted to IRA", _P),
    (205, "invalid format of the validity period", _P),
    (206, "invalid destination address", _P),
    (207, "duplicate message", _P),
    (208, "invalid message type indicator", _P),
)

ERRORS: dict[int, Code] = {row[0]: Code(*row) for row in _ERRORS}
REASONS: dict[int, Code] = {row[0]: Code(*row) for row in _REASONS}

# What centres write into the SM of a 04 that will pass: " Operation not allowed (at this point in time)".
_PASSES = re.compile(
    r"\btime\b|load|busy|later|queue|full|window|through|throttl|congest|limit|exceed|too (?:many|fast)|capacity"
)


@dataclass(frozen=True, slots=True)
class DeliveryState:
    """One row of Dst. `ok` is None while the outcome is open."""

    code: str
    word: str
    is_final: bool
    ok: bool | None


STATES: dict[str, DeliveryState] = {
    "0": DeliveryState("0", "delivered", True, True),
    "1": DeliveryState("1", "buffered", False, None),
    "2": DeliveryState("2", "failed", True, False),
}


def lookup(ec: int) -> Code:
    """The row for an EC; one that the table lacks is permanent."""
    found = ERRORS.get(ec)
    if found is not None:
        return found
    if 90 <= ec <= 99:
        return Code(ec, "the operator's own error", _P)
    return Code(ec, "unreadable error code" if ec == EC_UNREADABLE else "unlisted error", _P)


def reason(rsn: str) -> Code | None:
    """The row for an Rsn as it stands in the notification; None when there is none, or no number."""
    if not (rsn.isascii() and rsn.isdigit() and len(rsn) <= 9):
        return None
    return REASONS.get(int(rsn)) or Code(int(rsn), "unlisted reason", _P)


def sentence(ec: int) -> str:
    """ "EC 05: call barring active"."""
    row = lookup(ec)
    return row.meaning if ec <= EC_OK else f"EC {ec:02d}: {row.meaning}"


def reason_sentence(rsn: str) -> str:
    """ "Rsn 107: absent subscriber"; empty when there is none."""
    row = reason(rsn)
    return "" if row is None else f"Rsn {row.code:03d}: {row.meaning}"


def is_temporary(ec: int, sm: str = "") -> bool:
    """The same request may succeed later. `sm` is the text of the refusal, which decides for 04."""
    if ec == EC_NOT_ALLOWED and sm.strip():
        return is_throttle(ec, sm)
    return lookup(ec).kind == "temporary"


def is_throttle(ec: int, sm: str = "") -> bool:
    """The link is too fast for the peer: a 04 whose text speaks of time or load."""
    return ec == EC_NOT_ALLOWED and _PASSES.search(sm.lower()) is not None


def is_permanent(ec: int, sm: str = "") -> bool:
    """The request will never succeed as it is."""
    return ec != EC_OK and not is_session(ec) and not is_temporary(ec, sm)


def is_session(ec: int) -> bool:
    """The login is at fault: have a person look at the credentials, and back off (sheet, pitfall 11)."""
    return lookup(ec).kind == "session"
