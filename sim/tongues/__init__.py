"""One more protocol for the pocket SMSC: one file here, one line in TONGUES.

TONGUES    the name of a protocol → how a centre speaks it (sim/tongue.py); `tollbridge sim NAME`

smpp       SMPP 3.4
ucp        UCP/EMI

tests/kits/test_every_tongue.py runs over the register.
"""

from collections.abc import Mapping

from sim.tongue import Tongue
from sim.tongues import smpp, ucp

TONGUES: Mapping[str, Tongue] = {
    "smpp": smpp.SmppTongue(),
    "ucp": ucp.UcpTongue(),
}
