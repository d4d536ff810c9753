"""Both ends of the mapping of CIMD2, for its tests.

an_adapter, an_mo, a_report          made so that they work unless told otherwise
heard                                what no good centre says, and ours cannot write
read, delivered, received, text_of   what the adapter makes of an operation that came over the wire
recorded                             a packet of the published and built ones, tests/vectors/
"""

from typing import Any

from core.message import Receipt
from smsc_link.adapter import Adapter, Inbound
from smsc_link.protocols.cimd2 import Cimd2Adapter
from tests.smsc_link.ends import a_link, an_operator
from tests.wire.cimd2.vectors import PACKETS
from traffic.ports import Delivery
from wire.cimd2 import Deliver, Operation, StatusReport, decode, encode

NOW = 1_790_000_000_000
STAMP = "261126081000"


def a_cimd2_link(**values: Any) -> Any:
    return a_link(**({"protocol": "cimd2"} | values))


def as_contract(adapter: Cimd2Adapter) -> Adapter:
    """That it is one, the types say."""
    return adapter


def an_adapter(operator_code: str = "alpha", *, link: dict[str, Any] | None = None, **options: object) -> Cimd2Adapter:
    return Cimd2Adapter(a_cimd2_link(options=options, **(link or {})), an_operator(code=operator_code))


def an_mo(text: bytes = b"GAME 7", **values: Any) -> Deliver:
    given: dict[str, Any] = {
        "destination": "4446",
        "originating_address": "79001112233",
        "time_stamp": STAMP,
        "user_data": text,
    }
    return Deliver(**(given | values))


def data(octets: bytes, coding: int | None = None, header: bytes = b"") -> Deliver:
    """An MO whose text stands in 034."""
    return an_mo(b"", user_data_binary=octets, data_coding=coding, user_data_header=header)


def a_report(**values: Any) -> StatusReport:
    given: dict[str, Any] = {
        "destination": "79001112233",
        "originating_address": "4446",
        "time_stamp": STAMP,
        "status_code": 4,
    }
    return StatusReport(**(given | values))


def recorded(name: str) -> Operation:
    return decode(PACKETS[name])


def heard(code: int, *parameters: str) -> Operation:
    """A packet by its parameters, "021:4446"."""
    return decode("\t".join((f"\2{code:02}:000", *parameters, "\3")).encode("latin-1"))


def read(operation: Operation, adapter: Cimd2Adapter | None = None) -> Inbound:
    """As it comes over the wire."""
    return take(decode(encode(operation)), adapter)


def take(operation: Operation, adapter: Cimd2Adapter | None = None) -> Inbound:
    """What the adapter makes of an operation."""
    return (adapter or an_adapter()).read(operation, NOW, 5, lambda heard: True)


def delivered(operation: Operation, adapter: Cimd2Adapter | None = None) -> Delivery:
    inbound = read(operation, adapter)
    assert isinstance(inbound, Delivery), inbound
    return inbound


def received(operation: Operation, adapter: Cimd2Adapter | None = None) -> Receipt:
    inbound = read(operation, adapter)
    assert isinstance(inbound, Receipt), inbound
    return inbound


def text_of(delivery: Delivery) -> str:
    return delivery.coding.decode(delivery.octets)
