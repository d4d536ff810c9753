"""Both ends of the mapping of SMPP, for its tests.

an_adapter, a_deliver    made so that they work unless told otherwise
read, delivered, text_of what the adapter makes of an operation that came over the wire
vectors                  situations from the field, tests/vectors/
"""

import json
from pathlib import Path
from typing import Any

import pytest

from smsc_link.adapter import Inbound
from smsc_link.protocols.smpp import SmppAdapter
from tests.smsc_link.ends import a_link, an_operator
from traffic.ports import Delivery
from wire.smpp import decode, encode
from wire.smpp.operations import (
    DeliverSm,
    Operation,
)

VECTORS = Path(__file__).parents[2] / "vectors"
NOW = 1_790_000_000_000


def vectors(name: str) -> list[Any]:
    found: list[Any] = json.loads((VECTORS / f"{name}.json").read_text())["vectors"]
    return [pytest.param(vector["fields"], id=vector["name"]) for vector in found]


def an_adapter(operator_code: str = "alpha", *, id_tlv: str = "", **options: object) -> SmppAdapter:
    return SmppAdapter(a_link(options=options, id_tlv=id_tlv), an_operator(code=operator_code))


def a_deliver(text: bytes = b"GAME 7", **values: Any) -> DeliverSm:
    return DeliverSm(**({"source_addr": "79001112233", "destination_addr": "4446", "short_message": text} | values))


def read(operation: Operation, adapter: SmppAdapter | None = None) -> Inbound:
    """As it comes over the wire."""
    return (adapter or an_adapter()).read(decode(encode(operation)), NOW, 5, lambda heard: True)


def delivered(operation: Operation, adapter: SmppAdapter | None = None) -> Delivery:
    inbound = read(operation, adapter)
    assert isinstance(inbound, Delivery), inbound
    return inbound


def text_of(delivery: Delivery) -> str:
    return delivery.coding.decode(delivery.octets)
