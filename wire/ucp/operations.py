"""All operations of UCP under one roof.

operation             Operation, Request, Result, result_to
session_operations    31, 60, 61, and Goodbye
message_operations    01, 02, 03, 30, 51 to 58
REQUESTS              all there are on the wire
LAYOUTS               class -> its fields in wire order, from the dataclass: the one table that reads and writes

Source: sheet section 3.
"""

from dataclasses import fields

from wire.ucp.message_operations import (
    CallInput,
    DeleteMessage,
    DeleteResponse,
    DeliverMessage,
    DeliverNotification,
    InquireMessage,
    InquiryResponse,
    MessageTransfer,
    ModifyMessage,
    MultipleCallInput,
    ShortMessage,
    SubmitMessage,
    SupplementaryCallInput,
)
from wire.ucp.operation import Operation, Request, Result, result_to
from wire.ucp.session_operations import (
    Alert,
    ChangePassword,
    Goodbye,
    ListManagement,
    OpenSession,
    SessionManagement,
)

__all__ = [
    "HAS_MVP",
    "LAYOUTS",
    "REQUESTS",
    "Alert",
    "CallInput",
    "ChangePassword",
    "DeleteMessage",
    "DeleteResponse",
    "DeliverMessage",
    "DeliverNotification",
    "Goodbye",
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
    "SessionManagement",
    "ShortMessage",
    "SubmitMessage",
    "SupplementaryCallInput",
    "result_to",
]

REQUESTS: tuple[type[Request], ...] = (
    *(CallInput, MultipleCallInput, SupplementaryCallInput, MessageTransfer, Alert),
    *(SubmitMessage, DeliverMessage, DeliverNotification, ModifyMessage, InquireMessage, DeleteMessage),
    *(InquiryResponse, DeleteResponse, OpenSession, ChangePassword, ListManagement),
)

LAYOUTS: dict[type[Request], tuple[str, ...]] = {
    request: tuple(field.name for field in fields(request) if field.name != "sequence") for request in REQUESTS
}

HAS_MVP: dict[str, bool] = {request.ot: request.has_mvp for request in REQUESTS}
"""OT -> whether a positive result has the field MVP before SM."""
