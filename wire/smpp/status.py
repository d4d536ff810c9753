"""command_status: the name, the meaning, and what to do about each.

lookup(status)        the row of the table, also for codes that it lacks
sentence(status)      one line for a log or a page
is_temporary(status)  the same request may succeed later (throttling included)
is_throttle(status)   slow this link down; the message itself is fine
is_permanent(status)  the request will never succeed
is_session(status)    the bind is at fault, not the message

Rule: a code that is not listed is permanent (as in Kannel); 0x400-0x4FF belong to the operator, whose
meanings are the link's option, not ours.

Source: SMPP 3.4, 5.1.3; SMPP 5.0, 4.7.6; smsc_smpp.c of Kannel for what to repeat.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["ok", "temporary", "throttle", "permanent", "session"]

ROK = 0x00
RINVMSGLEN = 0x01
RINVCMDLEN = 0x02
RINVCMDID = 0x03
RINVBNDSTS = 0x04
RALYBND = 0x05
RSYSERR = 0x08
RINVSRCADR = 0x0A
RINVDSTADR = 0x0B
RINVMSGID = 0x0C
RBINDFAIL = 0x0D
RINVPASWD = 0x0E
RINVSYSID = 0x0F
RCANCELFAIL = 0x11
RREPLACEFAIL = 0x13
RMSGQFUL = 0x14
RINVSERTYP = 0x15
RINVNUMDESTS = 0x33
RINVDLNAME = 0x34
RINVDESTFLAG = 0x40
RINVESMCLASS = 0x43
RSUBMITFAIL = 0x45
RINVSYSTYP = 0x53
RTHROTTLED = 0x58
RINVSCHED = 0x61
RINVEXPIRY = 0x62
RX_T_APPN = 0x64
RX_P_APPN = 0x65
RX_R_APPN = 0x66
RQUERYFAIL = 0x67
RPROHIBITED = 0x101
RINVOPTPARSTREAM = 0xC0
ROPTPARNOTALLWD = 0xC1
RINVPARLEN = 0xC2
RINVOPTPARAMVAL = 0xC4
RDELIVERYFAILURE = 0xFE
RUNKNOWNERR = 0xFF


@dataclass(frozen=True, slots=True)
class Status:
    """One row: what a peer's answer means."""

    code: int
    name: str
    meaning: str
    kind: Kind


_P: Kind = "permanent"
_T: Kind = "temporary"
_S: Kind = "session"

_ROWS: tuple[tuple[int, str, str, Kind], ...] = (
    (ROK, "ESME_ROK", "ok", "ok"),
    (RINVMSGLEN, "ESME_RINVMSGLEN", "message length invalid", _P),
    (RINVCMDLEN, "ESME_RINVCMDLEN", "command length invalid", _P),
    (RINVCMDID, "ESME_RINVCMDID", "unknown command", _P),
    (RINVBNDSTS, "ESME_RINVBNDSTS", "wrong bind state for this command", _S),
    (RALYBND, "ESME_RALYBND", "already bound", _S),
    (0x06, "ESME_RINVPRTFLG", "priority flag invalid", _P),
    (0x07, "ESME_RINVREGDLVFLG", "registered delivery flag invalid", _P),
    (RSYSERR, "ESME_RSYSERR", "system error", _T),
    (RINVSRCADR, "ESME_RINVSRCADR", "source address invalid", _P),
    (RINVDSTADR, "ESME_RINVDSTADR", "destination address invalid", _P),
    (RINVMSGID, "ESME_RINVMSGID", "message id invalid", _P),
    (RBINDFAIL, "ESME_RBINDFAIL", "bind failed", _S),
    (RINVPASWD, "ESME_RINVPASWD", "password wrong", _S),
    (RINVSYSID, "ESME_RINVSYSID", "system id wrong", _S),
    (RCANCELFAIL, "ESME_RCANCELFAIL", "cancel failed", _P),
    (RREPLACEFAIL, "ESME_RREPLACEFAIL", "replace failed", _P),
    (RMSGQFUL, "ESME_RMSGQFUL", "message queue full", "throttle"),
    (RINVSERTYP, "ESME_RINVSERTYP", "service type invalid", _P),
    (RINVNUMDESTS, "ESME_RINVNUMDESTS", "number of destinations invalid", _P),
    (RINVDLNAME, "ESME_RINVDLNAME", "distribution list name invalid", _P),
    (RINVDESTFLAG, "ESME_RINVDESTFLAG", "destination flag invalid", _P),
    (0x42, "ESME_RINVSUBREP", "submit with replace invalid", _P),
    (RINVESMCLASS, "ESME_RINVESMCLASS", "esm_class invalid", _P),
    (0x44, "ESME_RCNTSUBDL", "cannot submit to a distribution list", _P),
    (RSUBMITFAIL, "ESME_RSUBMITFAIL", "submit failed", _P),
    (0x48, "ESME_RINVSRCTON", "source TON invalid", _P),
    (0x49, "ESME_RINVSRCNPI", "source NPI invalid", _P),
    (0x50, "ESME_RINVDSTTON", "destination TON invalid", _P),
    (0x51, "ESME_RINVDSTNPI", "destination NPI invalid", _P),
    (RINVSYSTYP, "ESME_RINVSYSTYP", "system type invalid", _S),
    (0x54, "ESME_RINVREPFLAG", "replace_if_present flag invalid", _P),
    (0x55, "ESME_RINVNUMMSGS", "number of messages invalid", _P),
    (RTHROTTLED, "ESME_RTHROTTLED", "throttled", "throttle"),
    (RINVSCHED, "ESME_RINVSCHED", "scheduled delivery time invalid", _P),
    (RINVEXPIRY, "ESME_RINVEXPIRY", "validity period invalid", _P),
    (0x63, "ESME_RINVDFTMSGID", "predefined message not found", _P),
    (RX_T_APPN, "ESME_RX_T_APPN", "receiver's temporary error", _T),
    (RX_P_APPN, "ESME_RX_P_APPN", "receiver's permanent error", _P),
    (RX_R_APPN, "ESME_RX_R_APPN", "rejected by the receiver", _P),
    (RQUERYFAIL, "ESME_RQUERYFAIL", "query failed", _P),
    (RINVOPTPARSTREAM, "ESME_RINVOPTPARSTREAM", "optional part of the PDU broken", _P),
    (ROPTPARNOTALLWD, "ESME_ROPTPARNOTALLWD", "optional parameter not allowed", _P),
    (RINVPARLEN, "ESME_RINVPARLEN", "parameter length invalid", _P),
    (0xC3, "ESME_RMISSINGOPTPARAM", "optional parameter missing", _P),
    (RINVOPTPARAMVAL, "ESME_RINVOPTPARAMVAL", "optional parameter's value invalid", _P),
    (RDELIVERYFAILURE, "ESME_RDELIVERYFAILURE", "delivery failed (data_sm)", _P),
    (RUNKNOWNERR, "ESME_RUNKNOWNERR", "unknown error", _T),
    (0x100, "ESME_RSERTYPUNAUTH", "service type not authorised", _P),
    (RPROHIBITED, "ESME_RPROHIBITED", "operation prohibited", _P),
    (0x102, "ESME_RSERTYPUNAVAIL", "service type unavailable", _T),
    (0x103, "ESME_RSERTYPDENIED", "service type denied", _P),
    (0x104, "ESME_RINVDCS", "data_coding invalid", _P),
    (0x105, "ESME_RINVSRCADDRSUBUNIT", "source address subunit invalid", _P),
    (0x106, "ESME_RINVDSTADDRSUBUNIT", "destination address subunit invalid", _P),
    (0x107, "ESME_RINVBCASTFREQINT", "broadcast frequency interval invalid", _P),
    (0x108, "ESME_RINVBCASTALIAS_NAME", "broadcast alias name invalid", _P),
    (0x109, "ESME_RINVBCASTAREAFMT", "broadcast area format invalid", _P),
    (0x10A, "ESME_RINVNUMBCAST_AREAS", "number of broadcast areas invalid", _P),
    (0x10B, "ESME_RINVBCASTCNTTYPE", "broadcast content type invalid", _P),
    (0x10C, "ESME_RINVBCASTMSGCLASS", "broadcast message class invalid", _P),
    (0x10D, "ESME_RBCASTFAIL", "broadcast failed", _P),
    (0x10E, "ESME_RBCASTQUERYFAIL", "query of a broadcast failed", _P),
    (0x10F, "ESME_RBCASTCANCELFAIL", "cancel of a broadcast failed", _P),
    (0x110, "ESME_RINVBCAST_REP", "number of repeated broadcasts invalid", _P),
    (0x111, "ESME_RINVBCASTSRVGRP", "broadcast service group invalid", _P),
    (0x112, "ESME_RINVBCASTCHANIND", "broadcast channel indicator invalid", _P),
)

STATUSES: dict[int, Status] = {row[0]: Status(*row) for row in _ROWS}


def lookup(status: int) -> Status:
    """The row for a code; one that the table lacks is permanent."""
    found = STATUSES.get(status)
    if found is not None:
        return found
    if 0x400 <= status <= 0x4FF:
        return Status(status, f"vendor 0x{status:X}", "vendor specific error", _P)
    return Status(status, f"reserved 0x{status:X}", "unlisted error", _P)


def sentence(status: int) -> str:
    """ "0x58 ESME_RTHROTTLED: throttled"."""
    row = lookup(status)
    return f"0x{status:02X} {row.name}: {row.meaning}"


def is_temporary(status: int) -> bool:
    """The same request may succeed later."""
    return lookup(status).kind in ("temporary", "throttle")


def is_throttle(status: int) -> bool:
    """The link is too fast for the peer; the message goes back to the front of its queue."""
    return lookup(status).kind == "throttle"


def is_permanent(status: int) -> bool:
    """The request will never succeed as it is."""
    return lookup(status).kind == "permanent"


def is_session(status: int) -> bool:
    """The bind is at fault: rebind, or have a person look at the credentials."""
    return lookup(status).kind == "session"
