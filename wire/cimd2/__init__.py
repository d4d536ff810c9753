"""CIMD2, either side, as a machine without I/O.

session       Cimd2Session: bytes to events and back       settings     what one session may be told
states        who may say what, and when                   operations   the packets as dataclasses
codec         decode(), encode(), response_to()            parameters   number, form and limits of each parameter
flights       our requests: window, numbers, NACKs         duties       the peer's: taken once, refused, answered again
numbers       odd and even packet numbers                  frames       a stream cut into packets
packet        what every operation has                     codes        errors, statuses and causes: what to do
text          user data with its escapes                   times        the centre's clock, relative validity
identity      destination and time stamp as an id

An owner needs the names below; codes (as a module) is imported from its home.
"""

from wire.cimd2.codec import decode, encode, response_to
from wire.cimd2.operations import (
    OPERATIONS,
    Alive,
    AliveResp,
    Cancel,
    CancelResp,
    Deliver,
    DeliverResp,
    DeliveryRequest,
    DeliveryRequestResp,
    Enquire,
    EnquireResp,
    GeneralError,
    Get,
    GetResp,
    Goodbye,
    Login,
    LoginResp,
    Logout,
    LogoutResp,
    Nack,
    Operation,
    Request,
    Response,
    Set,
    SetResp,
    StatusReport,
    StatusReportResp,
    Submit,
    SubmitResp,
    Submitted,
)
from wire.cimd2.session import Cimd2Session
from wire.cimd2.settings import Settings
from wire.cimd2.states import State
from wire.cimd2.text import read_text, write_text
from wire.cimd2.times import minutes_of, read_time, validity_code, write_time
from wire.session import Role

__all__ = [
    "OPERATIONS",
    "Alive",
    "AliveResp",
    "Cancel",
    "CancelResp",
    "Cimd2Session",
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
    "Role",
    "Set",
    "SetResp",
    "Settings",
    "State",
    "StatusReport",
    "StatusReportResp",
    "Submit",
    "SubmitResp",
    "Submitted",
    "decode",
    "encode",
    "minutes_of",
    "read_text",
    "read_time",
    "response_to",
    "validity_code",
    "write_text",
    "write_time",
]
