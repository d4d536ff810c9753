"""The operations that make, keep and end a session, and those that keep its lists: 31, 60, 61.

OpenSession, ChangePassword    both are 60, by STYP
ListManagement                 61
Alert                          31
Goodbye                        none: UCP has no logout, so nothing goes on the wire

Source: sheet sections 2 and 3.
"""

from dataclasses import dataclass, field
from typing import ClassVar

from wire.ucp.operation import Request


@dataclass(slots=True)
class Alert(Request):
    """31: are you there? PID 0539 is a PC by TCP/IP."""

    ot: ClassVar[str] = "31"
    name: ClassVar[str] = "alert"

    adc: str = ""
    pid: str = "0539"


@dataclass(slots=True)
class SessionManagement(Request):
    """What both kinds of 60 share: everything. Passwords are IRA hex (text.py). The defaults are Kannel's."""

    ot: ClassVar[str] = "60"
    styps: ClassVar[frozenset[str]] = frozenset()

    oadc: str = ""
    oton: str = "6"
    onpi: str = "5"
    styp: str = ""
    pwd: str = field(default="", repr=False)
    npwd: str = field(default="", repr=False)
    vers: str = "0100"
    ladc: str = ""
    lton: str = ""
    lnpi: str = ""
    opid: str = ""
    res1: str = ""


@dataclass(slots=True)
class OpenSession(SessionManagement):
    """60 with STYP 1 (or 4, a session for provisioning): the login."""

    name: ClassVar[str] = "open_session"
    styps: ClassVar[frozenset[str]] = frozenset({"1", "4"})

    styp: str = "1"


@dataclass(slots=True)
class ChangePassword(SessionManagement):
    """60 with STYP 3 (or 6, that of provisioning)."""

    name: ClassVar[str] = "change_password"
    styps: ClassVar[frozenset[str]] = frozenset({"3", "6"})

    styp: str = "3"


@dataclass(slots=True)
class ListManagement(Request):
    """61: STYP 1 to 3 add to, remove from, verify the MO list; 4 to 6 the MT list."""

    ot: ClassVar[str] = "61"
    name: ClassVar[str] = "list_management"

    oadc: str = ""
    oton: str = ""
    onpi: str = ""
    styp: str = ""
    pwd: str = field(default="", repr=False)
    npwd: str = field(default="", repr=False)
    vers: str = "0100"
    ladc: str = ""
    lton: str = ""
    lnpi: str = ""
    res1: str = ""
    res2: str = ""


@dataclass(slots=True)
class Goodbye(Request):
    """Said to a session, not to its peer: send nothing more, hear the results that are due, then close."""

    name: ClassVar[str] = "goodbye"
