"""From which network somebody comes: what guessing and crowding are counted by. No I/O.

network_of      the network that an address counts for
is_this_host    whether that is this machine, where a proxy may stand that everybody comes by
read_address    an address as proxies write it
is_within       whether an address is of some networks
caller_of       who calls, by the word of a proxy only where that is one of ours

Rule: who has many addresses has one network: of IPv6 a customer is given a /64 at least, 2**64 addresses.
"""

import re
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

_WRITTEN = re.compile(r"\[([^\]]*)\](?::[0-9]+)?|([^:]*):[0-9]+|([^\[\]]*)")
"""In brackets with or without a port, IPv4 with a port, or bare."""


def network_of(address: str) -> str:
    """The address itself; of IPv6 the /64, which one customer has whole; of IPv4 in IPv6 clothes the IPv4."""
    found = read_address(address)
    if found is None:
        return address
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or IPv6Network((int(found) >> 64 << 64, 64)))
    return str(found)


def is_this_host(network: str) -> bool:
    """Whether a network is the loopback."""
    found = read_address(network.partition("/")[0])
    return found is not None and (found.is_loopback or network == "::/64")


def read_address(text: str) -> Address | None:
    """`192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711`; None for all else."""
    found = _WRITTEN.fullmatch(text.strip())
    try:
        return ip_address(found[1] or found[2] or found[3]) if found is not None else None
    except ValueError:
        return None


def is_within(text: str, networks: Iterable[Network]) -> bool:
    """Whether it is an address of one of them."""
    found = _plain(read_address(text))
    return found is not None and any(found in network for network in networks)


def caller_of(peer: str, forwarded: Iterable[str], is_ours: Callable[[Address], bool]) -> str:
    """The address that a request comes from. `forwarded`: its fields X-Forwarded-For, which count only where the peer
    is a proxy of ours; one in IPv6 clothes is judged by its IPv4.
    """
    found = _plain(read_address(peer))
    if found is None or not is_ours(found):
        return peer
    # The last one is what the proxy itself saw; those before it are anybody's words. Some proxies add a field of
    # their own behind the client's, so all fields are one list (RFC 9110, 5.3).
    said = read_address(",".join(forwarded).rpartition(",")[2])
    return peer if said is None else str(said)


def _plain(address: Address | None) -> Address | None:
    """A socket for both families shows IPv4 in the clothes of IPv6."""
    return getattr(address, "ipv4_mapped", None) or address
