"""UCP/EMI 3.5 to 5, either side, as a machine without I/O.

session       UcpSession: bytes to events and back         settings     what one session may be told
states        who may say what, and when                   trns         the hundred numbers of one direction
operations    all operations as dataclasses, their layout  operation    what each of them has; the one Result
codec         decode(), encode()                           frames       a stream cut into frames; LEN, checksum
codes         EC, Rsn and Dst, and what to do about each   times        DDMMYYhhmm and DDMMYYhhmmss
text          the texts of the wire, packed originators    xser         extra services
identity      recipient and SCTS in place of a message id

An owner needs the names below; codes, text, xser and times are imported from their homes.
"""

from wire.session import Role
from wire.ucp.codec import decode, encode
from wire.ucp.identity import Identity, read_identity, write_identity
from wire.ucp.operations import (
    REQUESTS,
    Alert,
    CallInput,
    ChangePassword,
    DeleteMessage,
    DeleteResponse,
    DeliverMessage,
    DeliverNotification,
    Goodbye,
    InquireMessage,
    InquiryResponse,
    ListManagement,
    MessageTransfer,
    ModifyMessage,
    MultipleCallInput,
    OpenSession,
    Operation,
    Request,
    Result,
    SessionManagement,
    ShortMessage,
    SubmitMessage,
    SupplementaryCallInput,
    result_to,
)
from wire.ucp.session import UcpSession
from wire.ucp.settings import Settings
from wire.ucp.states import State

__all__ = [
    "REQUESTS",
    "Alert",
    "CallInput",
    "ChangePassword",
    "DeleteMessage",
    "DeleteResponse",
    "DeliverMessage",
    "DeliverNotification",
    "Goodbye",
    "Identity",
    "InquireMessage",
    "InquiryResponse",
    "ListManagement",
    "MessageTransfer",
    "ModifyMessage",
    "MultipleCallInput",
    "OpenSession",
    "Operation",
    "Request",
    "Result",
    "Role",
    "SessionManagement",
    "Settings",
    "ShortMessage",
    "State",
    "SubmitMessage",
    "SupplementaryCallInput",
    "UcpSession",
    "decode",
    "encode",
    "read_identity",
    "result_to",
    "write_identity",
]
