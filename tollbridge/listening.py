"""An address that cannot be listened on, in one sentence for all doors: which key, which address, why, what to do.

no_door    a failure to listen → that sentence
"""

import errno
import socket

_WHY = {
    errno.EADDRINUSE: "another program listens there; end it, or choose another port",
    errno.EACCES: "ports below 1024 are kept for root; choose a higher one",
    errno.EADDRNOTAVAIL: "this machine has no such address; choose one of its own, or 0.0.0.0 for all of them",
}


def no_door(key: str, address: str, error: OSError) -> str:
    """`api.listen: 127.0.0.1:8080: another program listens there; …`."""
    # The failure itself may stand behind one of Twisted's, which has no number.
    inner = getattr(error.__cause__, "socketError", None) or error
    if isinstance(inner, socket.gaierror):
        return f"{key}: {address}: this name has no address; choose an address of this machine"
    why = _WHY.get(inner.errno or 0) or f"{(inner.strerror or str(inner)).rpartition(': ')[2]}; choose another address"
    return f"{key}: {address}: {why}"
