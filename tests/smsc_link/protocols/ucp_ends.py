"""Both ends of the mapping of UCP, for its tests.

an_adapter, an_mo, a_notification    made so that they work unless told otherwise
read, delivered, received, text_of   what the adapter makes of an operation that came over the wire
recorded                             a frame of the published and built ones, tests/vectors/
"""

from typing import Any

from core.message import Receipt
from smsc_link.adapter import Adapter, Inbound
from smsc_link.protocols.ucp import UcpAdapter
from tests.smsc_link.ends import a_link, an_operator
from tests.wire.ucp.vectors import FRAMES
from traffic.ports import Delivery
from wire.ucp import DeliverMessage, DeliverNotification, Operation, decode, encode
from wire.ucp.text import write_ira

NOW = 1_790_000_000_000
SCTS = "241126081000"


def a_ucp_link(**values: Any) -> Any:
    return a_link(**({"protocol": "ucp"} | values))


def as_contract(adapter: UcpAdapter) -> Adapter:
    """That it is one, the types say."""
    return adapter


def an_adapter(operator_code: str = "alpha", *, link: dict[str, Any] | None = None, **options: object) -> UcpAdapter:
    return UcpAdapter(a_ucp_link(options=options, **(link or {})), an_operator(code=operator_code))


def an_mo(text: bytes = b"GAME 7", **values: Any) -> DeliverMessage:
    given = {"adc": "4446", "oadc": "79001112233", "scts": SCTS, "mt": "3", "msg": write_ira(text)}
    return DeliverMessage(**(given | values))


def a_notification(**values: Any) -> DeliverNotification:
    given = {"adc": "4446", "oadc": "79001112233", "scts": SCTS, "dst": "0", "rsn": "000"}
    return DeliverNotification(**(given | values))


def recorded(name: str) -> Operation:
    return decode(FRAMES[name])


def read(operation: Operation, adapter: UcpAdapter | None = None) -> Inbound:
    """As it comes over the wire."""
    return (adapter or an_adapter()).read(decode(encode(operation)[1:-1]), NOW, 5, lambda heard: True)


def delivered(operation: Operation, adapter: UcpAdapter | None = None) -> Delivery:
    inbound = read(operation, adapter)
    assert isinstance(inbound, Delivery), inbound
    return inbound


def received(operation: Operation, adapter: UcpAdapter | None = None) -> Receipt:
    inbound = read(operation, adapter)
    assert isinstance(inbound, Receipt), inbound
    return inbound


def text_of(delivery: Delivery) -> str:
    return delivery.coding.decode(delivery.octets)
