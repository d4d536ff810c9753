"""The operations that carry messages, and those that ask what became of one.

CallInput, MultipleCallInput, SupplementaryCallInput, MessageTransfer    01, 02, 03, 30: old centres
ShortMessage                  the 33 fields that 51 to 58 share
SubmitMessage, DeliverMessage, DeliverNotification                       51, 52, 53: MT, MO, receipts
ModifyMessage, InquireMessage, DeleteMessage                             54, 55, 56
InquiryResponse, DeleteResponse                                          57, 58: operations of the centre

`msg` is NMsg, AMsg or TMsg, by MT; text.py reads and writes it.

Source: sheet section 3.
"""

from dataclasses import dataclass, field
from typing import ClassVar

from wire.ucp.operation import Request


@dataclass(slots=True)
class CallInput(Request):
    """01: a message of an old kind; some centres send it as MO."""

    ot: ClassVar[str] = "01"
    name: ClassVar[str] = "call_input"

    adc: str = ""
    oadc: str = ""
    ac: str = ""
    mt: str = ""
    msg: str = field(default="", repr=False)


@dataclass(slots=True)
class MultipleCallInput(Request):
    """02: one message to several addresses. NPL is their number."""

    ot: ClassVar[str] = "02"
    name: ClassVar[str] = "multiple_call_input"

    adc: tuple[str, ...] = ()
    oadc: str = ""
    ac: str = ""
    mt: str = ""
    msg: str = field(default="", repr=False)


@dataclass(slots=True)
class SupplementaryCallInput(Request):
    """03: a message with supplementary services. NPL is the number of group addresses (GA)."""

    ot: ClassVar[str] = "03"
    name: ClassVar[str] = "supplementary_call_input"

    adc: str = ""
    oadc: str = ""
    ac: str = ""
    ga: tuple[str, ...] = ()
    rp: str = ""
    lrp: str = ""
    pr: str = ""
    lpr: str = ""
    um: str = ""
    lum: str = ""
    rc: str = ""
    lrc: str = ""
    dd: str = ""
    ddt: str = ""
    mt: str = ""
    msg: str = field(default="", repr=False)


@dataclass(slots=True)
class MessageTransfer(Request):
    """30: a text, of IRA characters always."""

    ot: ClassVar[str] = "30"
    name: ClassVar[str] = "message_transfer"
    has_mvp: ClassVar[bool] = True
    mt: ClassVar[str] = "3"

    adc: str = ""
    oadc: str = ""
    ac: str = ""
    nrq: str = ""
    nadc: str = ""
    npid: str = ""
    dd: str = ""
    ddt: str = ""
    vp: str = ""
    msg: str = field(default="", repr=False)


@dataclass(slots=True)
class ShortMessage(Request):
    """What 51 to 58 share: everything."""

    has_mvp: ClassVar[bool] = True

    adc: str = ""
    oadc: str = ""
    ac: str = ""
    nrq: str = ""
    nadc: str = ""
    nt: str = ""
    npid: str = ""
    lrq: str = ""
    lrad: str = ""
    lpid: str = ""
    dd: str = ""
    ddt: str = ""
    vp: str = ""
    rpid: str = ""
    scts: str = ""
    dst: str = ""
    rsn: str = ""
    dscts: str = ""
    mt: str = ""
    nb: str = ""
    msg: str = field(default="", repr=False)
    mms: str = ""
    pr: str = ""
    dcs: str = ""
    mcls: str = ""
    rpi: str = ""
    cpg: str = ""
    rply: str = ""
    otoa: str = ""
    hplmn: str = ""
    xser: str = field(default="", repr=False)  # may hold the header of a text, or a price
    res4: str = ""
    res5: str = ""


@dataclass(slots=True)
class SubmitMessage(ShortMessage):
    """51: an MT."""

    ot: ClassVar[str] = "51"
    name: ClassVar[str] = "submit_message"


@dataclass(slots=True)
class DeliverMessage(ShortMessage):
    """52: an MO."""

    ot: ClassVar[str] = "52"
    name: ClassVar[str] = "deliver_message"


@dataclass(slots=True)
class DeliverNotification(ShortMessage):
    """53: what became of an MT. OAdC is the handset, SCTS that of the submission."""

    ot: ClassVar[str] = "53"
    name: ClassVar[str] = "deliver_notification"


@dataclass(slots=True)
class ModifyMessage(ShortMessage):
    """54: change the message of AdC, OAdC and SCTS."""

    ot: ClassVar[str] = "54"
    name: ClassVar[str] = "modify_message"


@dataclass(slots=True)
class InquireMessage(ShortMessage):
    """55: which messages wait from OAdC to AdC; answered by 57."""

    ot: ClassVar[str] = "55"
    name: ClassVar[str] = "inquire_message"


@dataclass(slots=True)
class DeleteMessage(ShortMessage):
    """56: delete the message of AdC, OAdC and SCTS; answered by 58."""

    ot: ClassVar[str] = "56"
    name: ClassVar[str] = "delete_message"


@dataclass(slots=True)
class InquiryResponse(ShortMessage):
    """57: what the centre found; an operation of its own, which gets a result."""

    ot: ClassVar[str] = "57"
    name: ClassVar[str] = "inquiry_response"


@dataclass(slots=True)
class DeleteResponse(ShortMessage):
    """58: what the centre deleted; an operation of its own, which gets a result."""

    ot: ClassVar[str] = "58"
    name: ClassVar[str] = "delete_response"
