"""One more protocol for the pocket SMSC: one file here, one line in TONGUES.

TONGUES    the name of a protocol → how a centre speaks it (sim/tongue.py); `tollbridge sim NAME`

smpp       SMPP 3.4
ucp        UCP/EMI
cimd2      CIMD2

tests/kits/test_every_tongue.py runs over the register.
"""

from collections.abc import Mapping

from sim.tongue import Tongue
from sim.tongues import cimd2, smpp, ucp

TONGUES: Mapping[str, Tongue] = {
    "smpp": smpp.SmppTongue(),
    "ucp": ucp.UcpTongue(),
    "cimd2": cimd2.Cimd2Tongue(),
}
