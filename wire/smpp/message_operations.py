"""The PDUs that carry messages, and those that ask what became of one.

SubmitSm, DeliverSm, DataSm, SubmitMulti        messages
QuerySm, CancelSm, ReplaceSm                    a message that was submitted before
AlertNotification                               a handset that can be reached again

Source: SMPP 3.4, 4.4 to 4.10 and 4.12; sheet section 3.
"""

from dataclasses import dataclass, field
from typing import ClassVar

from wire.smpp.pdu import Request, Response


@dataclass(slots=True)
class ShortMessage(Request):
    """What submit_sm and deliver_sm share: everything. sm_length is the length of short_message."""

    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = field(default=b"", repr=False)


@dataclass(slots=True)
class SubmitSmResp(Response):
    """Answers submit_sm. The message_id is in whatever spelling the SMSC likes: see receipts.py."""

    command_id: ClassVar[int] = 0x80000004
    name: ClassVar[str] = "submit_sm_resp"

    message_id: str = ""


@dataclass(slots=True)
class SubmitSm(ShortMessage):
    """An MT."""

    command_id: ClassVar[int] = 0x00000004
    name: ClassVar[str] = "submit_sm"
    response_type: ClassVar[type[Response] | None] = SubmitSmResp


@dataclass(slots=True)
class DeliverSmResp(Response):
    """Answers deliver_sm. Always 17 octets: the message_id is read, and written as one NUL."""

    command_id: ClassVar[int] = 0x80000005
    name: ClassVar[str] = "deliver_sm_resp"

    message_id: str = ""


@dataclass(slots=True)
class DeliverSm(ShortMessage):
    """An MO, or a receipt (esm_class)."""

    command_id: ClassVar[int] = 0x00000005
    name: ClassVar[str] = "deliver_sm"
    response_type: ClassVar[type[Response] | None] = DeliverSmResp


@dataclass(slots=True)
class DataSmResp(Response):
    """Answers data_sm."""

    command_id: ClassVar[int] = 0x80000103
    name: ClassVar[str] = "data_sm_resp"

    message_id: str = ""


@dataclass(slots=True)
class DataSm(Request):
    """A message either way; the text is in the TLV message_payload."""

    command_id: ClassVar[int] = 0x00000103
    name: ClassVar[str] = "data_sm"
    response_type: ClassVar[type[Response] | None] = DataSmResp

    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    esm_class: int = 0
    registered_delivery: int = 0
    data_coding: int = 0


@dataclass(frozen=True, slots=True)
class Destination:
    """One address of a submit_multi (dest_flag 1)."""

    dest_addr_ton: int
    dest_addr_npi: int
    destination_addr: str


@dataclass(frozen=True, slots=True)
class DistributionList:
    """A list of addresses that the SMSC keeps (dest_flag 2)."""

    dl_name: str


@dataclass(frozen=True, slots=True)
class Failure:
    """One address of a submit_multi that was not accepted."""

    dest_addr_ton: int
    dest_addr_npi: int
    destination_addr: str
    error_status_code: int


@dataclass(slots=True)
class SubmitMultiResp(Response):
    """Answers submit_multi. Status 0 can hide failures in its list."""

    command_id: ClassVar[int] = 0x80000021
    name: ClassVar[str] = "submit_multi_resp"

    message_id: str = ""
    unsuccess: tuple[Failure, ...] = ()


@dataclass(slots=True)
class SubmitMulti(Request):
    """An MT to 1-255 addresses or lists."""

    command_id: ClassVar[int] = 0x00000021
    name: ClassVar[str] = "submit_multi"
    response_type: ClassVar[type[Response] | None] = SubmitMultiResp

    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_address: tuple[Destination | DistributionList, ...] = ()
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = field(default=b"", repr=False)


@dataclass(slots=True)
class QuerySmResp(Response):
    """Answers query_sm. final_date is empty while the state is not final."""

    command_id: ClassVar[int] = 0x80000003
    name: ClassVar[str] = "query_sm_resp"

    message_id: str = ""
    final_date: str = ""
    message_state: int = 0
    error_code: int = 0


@dataclass(slots=True)
class QuerySm(Request):
    """What became of a message? The source must be that of the submit."""

    command_id: ClassVar[int] = 0x00000003
    name: ClassVar[str] = "query_sm"
    response_type: ClassVar[type[Response] | None] = QuerySmResp

    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""


@dataclass(slots=True)
class CancelSmResp(Response):
    """Answers cancel_sm."""

    command_id: ClassVar[int] = 0x80000008
    name: ClassVar[str] = "cancel_sm_resp"


@dataclass(slots=True)
class CancelSm(Request):
    """Forget a message, or, with an empty message_id, all from a source to a destination."""

    command_id: ClassVar[int] = 0x00000008
    name: ClassVar[str] = "cancel_sm"
    response_type: ClassVar[type[Response] | None] = CancelSmResp

    service_type: str = ""
    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""


@dataclass(slots=True)
class ReplaceSmResp(Response):
    """Answers replace_sm."""

    command_id: ClassVar[int] = 0x80000007
    name: ClassVar[str] = "replace_sm_resp"


@dataclass(slots=True)
class ReplaceSm(Request):
    """Another text for a message. It has no service_type, destination or data_coding."""

    command_id: ClassVar[int] = 0x00000007
    name: ClassVar[str] = "replace_sm"
    response_type: ClassVar[type[Response] | None] = ReplaceSmResp

    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = field(default=b"", repr=False)


@dataclass(slots=True)
class AlertNotification(Request):
    """A handset can be reached again. No answer."""

    command_id: ClassVar[int] = 0x00000102
    name: ClassVar[str] = "alert_notification"

    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    esme_addr_ton: int = 0
    esme_addr_npi: int = 0
    esme_addr: str = ""
