"""One more protocol towards operators: one folder here, one line in PROTOCOLS.

PROTOCOLS    the name in a link's `protocol` → its adapter, who keeps its links up, and what else is asked of a protocol
             (smsc_link/keeping.py); whoever needs the names of protocols has them from here

smpp         SMPP 3.4 (5.0 tolerated)
ucp          UCP/EMI 3.5 to 5
cimd2        CIMD2
http         HTTP, by a declared mapping

tests/kits/test_every_protocol.py runs over the register.
"""

from smsc_link.called import keep
from smsc_link.keeping import Registered
from smsc_link.link import OperatorLink
from smsc_link.protocols import cimd2, http, smpp, ucp

PROTOCOLS: dict[str, Registered] = {
    "smpp": Registered(smpp.SmppAdapter, keep, smpp.RECEIPT_OPTIONS, smpp.TRACED),
    "ucp": Registered(ucp.UcpAdapter, keep, ucp.RECEIPT_OPTIONS, ucp.TRACED),
    "cimd2": Registered(cimd2.Cimd2Adapter, OperatorLink, cimd2.RECEIPT_OPTIONS, cimd2.TRACED),
    "http": Registered(http.HttpAdapter, http.HttpLink, http.RECEIPT_OPTIONS, remarks=http.HttpAdapter.remarks),
}
