"""Optional parameters (TLVs): tag 2 octets, length 2 octets, value; after the mandatory fields.

Tlvs                   a tuple of (tag, value): keeps order, repeats and unknown tags; () when there are none
read_octets, read_int, read_text, read_all    one parameter out of a Tlvs, leniently; None when absent
write_tlv              a pair in the form that the table gives
cut_tlvs, join_tlvs    to and from the wire
TAGS                   the table of section 5 of the sheet, 5.0 included

Rule: what a peer put into a TLV never ends a session. Lengths on the wire do not always follow the table:
integers come longer, or as ASCII digits; strings come without their NUL (Kannel, php-smpp 70).

Source: SMPP 3.4, 5.3; SMPP 5.0, 4.8.4.
"""

from dataclasses import dataclass
from struct import Struct
from struct import error as StructError
from typing import Literal, TypeAlias

from wire.errors import LocalError, RemoteError
from wire.smpp.status import RINVOPTPARSTREAM, RINVPARLEN

Tlv: TypeAlias = tuple[int, bytes]
Tlvs: TypeAlias = tuple[Tlv, ...]
Form: TypeAlias = Literal["int", "text", "octets"]

ADDITIONAL_STATUS_INFO_TEXT = 0x001D
RECEIPTED_MESSAGE_ID = 0x001E
USER_MESSAGE_REFERENCE = 0x0204
SAR_MSG_REF_NUM = 0x020C
SAR_TOTAL_SEGMENTS = 0x020E
SAR_SEGMENT_SEQNUM = 0x020F
SC_INTERFACE_VERSION = 0x0210
CALLBACK_NUM = 0x0381
NETWORK_ERROR_CODE = 0x0423
MESSAGE_PAYLOAD = 0x0424
DELIVERY_FAILURE_REASON = 0x0425
MORE_MESSAGES_TO_SEND = 0x0426
MESSAGE_STATE = 0x0427
CONGESTION_STATE = 0x0428
USSD_SERVICE_OP = 0x0501
BILLING_IDENTIFICATION = 0x060B
ITS_SESSION_INFO = 0x1383


@dataclass(frozen=True, slots=True)
class Tag:
    """One row of the table. `size` is the length of an int, the most of a text (its NUL counted) or octets."""

    number: int
    name: str
    form: Form
    size: int


_ROWS: tuple[tuple[int, str, Form, int], ...] = (
    (0x0005, "dest_addr_subunit", "int", 1),
    (0x0006, "dest_network_type", "int", 1),
    (0x0007, "dest_bearer_type", "int", 1),
    (0x0008, "dest_telematics_id", "int", 2),
    (0x000D, "source_addr_subunit", "int", 1),
    (0x000E, "source_network_type", "int", 1),
    (0x000F, "source_bearer_type", "int", 1),
    (0x0010, "source_telematics_id", "int", 1),
    (0x0017, "qos_time_to_live", "int", 4),
    (0x0019, "payload_type", "int", 1),
    (0x001D, "additional_status_info_text", "text", 256),
    (0x001E, "receipted_message_id", "text", 65),
    (0x0030, "ms_msg_wait_facilities", "int", 1),
    (0x0201, "privacy_indicator", "int", 1),
    (0x0202, "source_subaddress", "octets", 23),
    (0x0203, "dest_subaddress", "octets", 23),
    (0x0204, "user_message_reference", "int", 2),
    (0x0205, "user_response_code", "int", 1),
    (0x020A, "source_port", "int", 2),
    (0x020B, "destination_port", "int", 2),
    (0x020C, "sar_msg_ref_num", "int", 2),
    (0x020D, "language_indicator", "int", 1),
    (0x020E, "sar_total_segments", "int", 1),
    (0x020F, "sar_segment_seqnum", "int", 1),
    (0x0210, "sc_interface_version", "int", 1),
    (0x0302, "callback_num_pres_ind", "int", 1),
    (0x0303, "callback_num_atag", "octets", 65),
    (0x0304, "number_of_messages", "int", 1),
    (0x0381, "callback_num", "octets", 19),
    (0x0420, "dpf_result", "int", 1),
    (0x0421, "set_dpf", "int", 1),
    (0x0422, "ms_availability_status", "int", 1),
    (0x0423, "network_error_code", "octets", 3),
    (0x0424, "message_payload", "octets", 65535),
    (0x0425, "delivery_failure_reason", "int", 1),
    (0x0426, "more_messages_to_send", "int", 1),
    (0x0427, "message_state", "int", 1),
    (0x0428, "congestion_state", "int", 1),
    (0x0501, "ussd_service_op", "int", 1),
    (0x0600, "broadcast_channel_indicator", "int", 1),
    (0x0601, "broadcast_content_type", "octets", 3),
    (0x0602, "broadcast_content_type_info", "octets", 255),
    (0x0603, "broadcast_message_class", "int", 1),
    (0x0604, "broadcast_rep_num", "int", 2),
    (0x0605, "broadcast_frequency_interval", "octets", 3),
    (0x0606, "broadcast_area_identifier", "octets", 101),
    (0x0607, "broadcast_error_status", "int", 4),
    (0x0608, "broadcast_area_success", "int", 1),
    (0x0609, "broadcast_end_time", "text", 17),
    (0x060A, "broadcast_service_group", "octets", 255),
    (0x060B, "billing_identification", "octets", 1024),
    (0x060D, "source_network_id", "text", 65),
    (0x060E, "dest_network_id", "text", 65),
    (0x060F, "source_node_id", "octets", 6),
    (0x0610, "dest_node_id", "octets", 6),
    (0x0611, "dest_addr_np_resolution", "int", 1),
    (0x0612, "dest_addr_np_information", "octets", 10),
    (0x0613, "dest_addr_np_country", "octets", 5),
    (0x1201, "display_time", "int", 1),
    (0x1203, "sms_signal", "int", 2),
    (0x1204, "ms_validity", "int", 1),
    (0x130C, "alert_on_message_delivery", "octets", 1),
    (0x1380, "its_reply_type", "int", 1),
    (0x1383, "its_session_info", "int", 2),
)

TAGS: dict[int, Tag] = {row[0]: Tag(*row) for row in _ROWS}
TAG_NUMBERS: dict[str, int] = {tag.name: tag.number for tag in TAGS.values()}

# What Python says of a value that has no form on the wire.
UNWRITABLE = (TypeError, ValueError, AttributeError, OverflowError, StructError)

_HEAD = Struct(">HH")
_read_head = _HEAD.unpack_from
_write_head = _HEAD.pack


def read_octets(tlvs: Tlvs, tag: int) -> bytes | None:
    """The raw value of the first parameter with this tag."""
    for number, value in tlvs:
        if number == tag:
            return value
    return None


def read_all(tlvs: Tlvs, tag: int) -> list[bytes]:
    """Every value with this tag, in order: callback_num may repeat."""
    return [value for number, value in tlvs if number == tag]


def read_int(tlvs: Tlvs, tag: int) -> int | None:
    """An integer of any length up to 8 octets, or ASCII digits; None when absent or not a number.

    Digits are only taken for digits where the length is not the table's: one octet 0x32 is fifty.
    """
    value = read_octets(tlvs, tag)
    if not value:
        return None
    known = TAGS.get(tag)
    binary = len(value) == known.size if known and known.form == "int" else len(value) in (1, 2, 4)
    digits = value.strip(b"\0 ")
    if not binary and digits.isdigit() and len(digits) <= 20:
        return int(digits)
    return int.from_bytes(value, "big") if len(value) <= 8 else None


def read_text(tlvs: Tlvs, tag: int) -> str | None:
    """A string up to its NUL, or to its end where the NUL is missing."""
    value = read_octets(tlvs, tag)
    return None if value is None else value.partition(b"\0")[0].decode("latin-1")


def write_tlv(tag: int, value: int | str | bytes) -> Tlv:
    """A pair in the table's form: an int takes the table's size, a text ends with NUL, bytes go as they are.

    For a tag that is not in the table an int takes 1, 2 or 4 octets and a string has no NUL.
    """
    known = TAGS.get(tag)
    try:
        octets = _form_of(known, value)
    except (OverflowError, UnicodeEncodeError) as error:
        raise LocalError(f"TLV 0x{tag:04X}: the value has no form on the wire") from error
    most = known.size if known and known.form != "int" else 65535
    if len(octets) > most:
        raise LocalError(f"TLV 0x{tag:04X}: {len(octets)} octets, at most {most}")
    return tag, octets


def _form_of(known: Tag | None, value: int | str | bytes) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("latin-1") + (b"\0" if known and known.form == "text" else b"")
    if known and known.form == "int":
        return value.to_bytes(known.size, "big")
    return value.to_bytes(1 if value < 0x100 else 2 if value < 0x10000 else 4, "big")


def cut_tlvs(frame: bytes, at: int, *, lenient: bool = False) -> Tlvs:
    """The parameters from `at` to the frame's end. Lenient: stop where they break, keep what was read."""
    tlvs: list[Tlv] = []
    end = len(frame)
    while at < end:
        if end - at < 4:
            if lenient:
                break
            raise RemoteError(f"{end - at} octets are no TLV", answer=RINVOPTPARSTREAM)
        tag, length = _read_head(frame, at)
        at += 4 + length
        if at > end:
            if lenient:
                break
            raise RemoteError(f"TLV 0x{tag:04X} ends beyond its PDU", answer=RINVPARLEN)
        tlvs.append((tag, frame[at - length : at]))
    return tuple(tlvs)


def join_tlvs(tlvs: Tlvs) -> bytes:
    """The parameters as they go on the wire."""
    try:
        return b"".join([_write_head(tag, len(value)) + value for tag, value in tlvs])
    except UNWRITABLE as error:
        raise LocalError("a TLV has a tag or a length beyond 16 bits, or no bytes") from error
