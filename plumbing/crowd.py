"""Who may connect to a door that speaks HTTP: connections are counted, and make room for each other. No I/O.

ServerLimits   how many connections
Crowd          counts connections; makes room where idle ones stand in the way
find_room      the limits that this process can keep, by its files

A connection is idle while no request of its is being answered: it has said nothing, or half a head, or waits for the
next request. At a limit the oldest idle one gives way, of the same network at its own limit, of any at the limit of
all; where nobody is idle, the newest is refused. So silence never keeps a sound peer out.
"""

from dataclasses import dataclass, replace
from typing import Any, Protocol

from plumbing.files import raise_files, tell_fewer
from plumbing.networks import is_this_host

CONNECTIONS = 10_000
"""Of a door, if nobody asks for another number."""


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """How many connections there may be."""

    connections: int = CONNECTIONS
    per_network: int = 1_000
    """This host itself is only counted by the limit above: a proxy that everybody comes by stands there."""


class Guest(Protocol):
    """A connection, as the crowd sees it."""

    @property
    def is_idle(self) -> bool:
        """No request of its is being answered."""
        ...

    def cut(self) -> None:
        """End it at once."""
        ...


class Crowd:
    """All connections in the order of their coming."""

    def __init__(self, limits: ServerLimits) -> None:
        self._limits = limits
        self._networks: dict[Guest, str] = {}
        self._of: dict[str, dict[Guest, None]] = {}

    def __len__(self) -> int:
        return len(self._networks)

    def enters(self, guest: Guest, network: str) -> bool:
        """Whether there is a place for it; an idle one may be cut for that."""
        among = self._in_the_way(network)
        if among is not None:
            idle = next((one for one in among if one.is_idle), None)
            if idle is None:
                return False
            self.leaves(idle)
            idle.cut()
        self._networks[guest] = network
        self._of.setdefault(network, {})[guest] = None
        return True

    def leaves(self, guest: Guest) -> None:
        """It is gone; more than once does no harm."""
        network = self._networks.pop(guest, None)
        if network is None:
            return
        del self._of[network][guest]
        if not self._of[network]:
            del self._of[network]

    def _in_the_way(self, network: str) -> dict[Guest, Any] | None:
        """Those of whom one must go first; None: nobody."""
        own = self._of.get(network, {})
        if len(own) >= self._limits.per_network and not is_this_host(network):
            return own
        return self._networks if len(self._networks) >= self._limits.connections else None


def find_room(limits: ServerLimits, door: str = "http", default: int = CONNECTIONS) -> ServerLimits:
    """A quarter of all files at most, so that links, calls and SMPP are left theirs. `default`: how many the door has
    if nobody asks for another number.
    """
    wanted = 4 * limits.connections
    files = raise_files(wanted)
    most = max(1, files // 4)
    if most >= limits.connections:
        return limits
    tell_fewer(
        door,
        connections=most,
        asked=limits.connections,
        default=default,
        files=files,
        wanted=wanted,
    )
    return replace(limits, connections=most, per_network=min(most, limits.per_network))
