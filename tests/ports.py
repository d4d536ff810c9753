"""Ports for what a test starts.

free_port   one that nobody has, and that nobody gets by chance

Rule: none that the system gives to outgoing connections or to who asks for any: what runs beside a test would get it
before the test's own process has opened it.
"""

import contextlib
import secrets
import socket

_FIRST, _COUNT = 10_000, 22_000
"""Linux gives out those from 32768 on (ip_local_port_range)."""
_given: set[int] = set()


def free_port() -> int:
    """Each only once in a process."""
    while True:
        port = _FIRST + secrets.randbelow(_COUNT)
        with socket.socket() as one, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", port))
            if port not in _given:
                _given.add(port)
                return port
