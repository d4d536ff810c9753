"""One more protocol towards operators: one file here, one line in PROTOCOLS.

PROTOCOLS    the name in a link's `protocol` → its adapter (the contract is smsc_link/adapter.py)

smpp         SMPP 3.4 (5.0 tolerated)

tests/kits/test_every_protocol.py runs over the register.
"""

from collections.abc import Callable

from core.catalogue import Link, Operator
from smsc_link.adapter import Adapter
from smsc_link.protocols import smpp

PROTOCOLS: dict[str, Callable[[Link, Operator], Adapter]] = {
    "smpp": smpp.SmppAdapter,
}
