"""The PDUs that make, keep and end a session: binds, outbind, unbind, enquire_link.

Source: SMPP 3.4, 4.1, 4.2 and 4.11; sheet section 3.
"""

from dataclasses import dataclass, field
from typing import ClassVar

from wire.smpp.pdu import Request, Response


@dataclass(slots=True)
class BindResp(Response):
    """What the three bind responses share."""

    system_id: str = ""


@dataclass(slots=True)
class BindReceiverResp(BindResp):
    """Answers bind_receiver."""

    command_id: ClassVar[int] = 0x80000001
    name: ClassVar[str] = "bind_receiver_resp"


@dataclass(slots=True)
class BindTransmitterResp(BindResp):
    """Answers bind_transmitter."""

    command_id: ClassVar[int] = 0x80000002
    name: ClassVar[str] = "bind_transmitter_resp"


@dataclass(slots=True)
class BindTransceiverResp(BindResp):
    """Answers bind_transceiver."""

    command_id: ClassVar[int] = 0x80000009
    name: ClassVar[str] = "bind_transceiver_resp"


@dataclass(slots=True)
class Bind(Request):
    """What the three binds share."""

    system_id: str = ""
    password: str = field(default="", repr=False)
    system_type: str = ""
    interface_version: int = 0x34
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: str = ""


@dataclass(slots=True)
class BindReceiver(Bind):
    """MO and receipts only."""

    command_id: ClassVar[int] = 0x00000001
    name: ClassVar[str] = "bind_receiver"
    response_type: ClassVar[type[Response] | None] = BindReceiverResp


@dataclass(slots=True)
class BindTransmitter(Bind):
    """MT only."""

    command_id: ClassVar[int] = 0x00000002
    name: ClassVar[str] = "bind_transmitter"
    response_type: ClassVar[type[Response] | None] = BindTransmitterResp


@dataclass(slots=True)
class BindTransceiver(Bind):
    """Both ways."""

    command_id: ClassVar[int] = 0x00000009
    name: ClassVar[str] = "bind_transceiver"
    response_type: ClassVar[type[Response] | None] = BindTransceiverResp


@dataclass(slots=True)
class Outbind(Request):
    """The SMSC has connected to us and asks us to bind. No answer but a bind."""

    command_id: ClassVar[int] = 0x0000000B
    name: ClassVar[str] = "outbind"

    system_id: str = ""
    password: str = field(default="", repr=False)


@dataclass(slots=True)
class UnbindResp(Response):
    """Answers unbind."""

    command_id: ClassVar[int] = 0x80000006
    name: ClassVar[str] = "unbind_resp"


@dataclass(slots=True)
class Unbind(Request):
    """The session is to end."""

    command_id: ClassVar[int] = 0x00000006
    name: ClassVar[str] = "unbind"
    response_type: ClassVar[type[Response] | None] = UnbindResp


@dataclass(slots=True)
class EnquireLinkResp(Response):
    """Answers enquire_link."""

    command_id: ClassVar[int] = 0x80000015
    name: ClassVar[str] = "enquire_link_resp"


@dataclass(slots=True)
class EnquireLink(Request):
    """Are you there?"""

    command_id: ClassVar[int] = 0x00000015
    name: ClassVar[str] = "enquire_link"
    response_type: ClassVar[type[Response] | None] = EnquireLinkResp
