"""All PDUs of SMPP 3.4 under one roof.

pdu                  Operation, Request, Response, GenericNack
link_operations      binds, outbind, unbind, enquire_link
message_operations   submit_sm, deliver_sm, data_sm, submit_multi, query, cancel, replace, alert
COMMANDS             command_id -> class: all there are
user_data            the octets of a text, wherever they are

Source: SMPP 3.4, section 4; sheet sections 2 and 3.
"""

from wire.smpp.link_operations import (
    Bind,
    BindReceiver,
    BindReceiverResp,
    BindResp,
    BindTransceiver,
    BindTransceiverResp,
    BindTransmitter,
    BindTransmitterResp,
    EnquireLink,
    EnquireLinkResp,
    Outbind,
    Unbind,
    UnbindResp,
)
from wire.smpp.message_operations import (
    AlertNotification,
    CancelSm,
    CancelSmResp,
    DataSm,
    DataSmResp,
    DeliverSm,
    DeliverSmResp,
    Destination,
    DistributionList,
    Failure,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    ReplaceSmResp,
    ShortMessage,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    SubmitSmResp,
)
from wire.smpp.pdu import GenericNack, Operation, Request, Response
from wire.smpp.tlvs import MESSAGE_PAYLOAD, read_octets

__all__ = [
    "COMMANDS",
    "AlertNotification",
    "Bind",
    "BindReceiver",
    "BindReceiverResp",
    "BindResp",
    "BindTransceiver",
    "BindTransceiverResp",
    "BindTransmitter",
    "BindTransmitterResp",
    "CancelSm",
    "CancelSmResp",
    "DataSm",
    "DataSmResp",
    "DeliverSm",
    "DeliverSmResp",
    "Destination",
    "DistributionList",
    "EnquireLink",
    "EnquireLinkResp",
    "Failure",
    "GenericNack",
    "Operation",
    "Outbind",
    "QuerySm",
    "QuerySmResp",
    "ReplaceSm",
    "ReplaceSmResp",
    "Request",
    "Response",
    "ShortMessage",
    "SubmitMulti",
    "SubmitMultiResp",
    "SubmitSm",
    "SubmitSmResp",
    "Unbind",
    "UnbindResp",
    "carries_two_texts",
    "user_data",
]

_ALL: tuple[type[Operation], ...] = (
    *(BindReceiver, BindTransmitter, BindTransceiver, Outbind, Unbind, EnquireLink, SubmitSm, DeliverSm),
    *(DataSm, SubmitMulti, QuerySm, CancelSm, ReplaceSm, AlertNotification, GenericNack),
    *(BindReceiverResp, BindTransmitterResp, BindTransceiverResp, UnbindResp, EnquireLinkResp),
    *(SubmitSmResp, DeliverSmResp, DataSmResp, SubmitMultiResp, QuerySmResp, CancelSmResp, ReplaceSmResp),
)

COMMANDS: dict[int, type[Operation]] = {operation.command_id: operation for operation in _ALL}


def user_data(operation: ShortMessage | SubmitMulti | ReplaceSm | DataSm) -> bytes:
    """The octets of the text, header included: short_message, or message_payload where sm_length is 0.

    Both at once is illegal; short_message wins (sheet, pitfall 7), and carries_two_texts() tells.
    """
    text = b"" if isinstance(operation, DataSm) else operation.short_message
    return text or read_octets(operation.tlvs, MESSAGE_PAYLOAD) or b""


def carries_two_texts(operation: ShortMessage | SubmitMulti | ReplaceSm) -> bool:
    """Short_message and message_payload together: somebody should look at that peer."""
    return bool(operation.short_message) and bool(read_octets(operation.tlvs, MESSAGE_PAYLOAD))
