"""The guard of addresses: callbacks go to public addresses only (reliability.md, section 4).

Guard            says why an address may not be called; literal addresses are asked directly
CheckedResolver  names → addresses, each of them checked; a connection then goes to exactly these

Rule: a name with one forbidden address is refused as a whole, so that no order of answers and no second look-up leads
inside. `allow_private_addresses` lifts loopback, private, shared and our own addresses, never link-local and the others
where clouds keep their secrets, multicast, reserved or unspecified ones.
"""

import asyncio
import ipaddress
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

from core.errors import PeerRefused
from plumbing.loop import spawn

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Lookup: TypeAlias = Callable[[str], list[str]]
Found: TypeAlias = tuple[list[str], str]
"""Addresses, and the sentence why there are none."""

KNOWN_FOR_S = 30.0
"""How long a resolved name and a judged address are remembered."""
UNKNOWN_FOR_S = 5.0
"""How long a name that could not be resolved is not asked for again."""
REMEMBERED_MAX = 10_000
LOOK_UP_S = 4.0
"""How long a call waits for the addresses of a name: less than a whole call may take, so that it says why."""
THREADS = 64
LOOK_UPS_EACH = 2
"""So many names are looked up at once for one partner: few of all threads, for the resolver of the system may hold each
for half a minute (resolv.conf(5): timeout, attempts)."""

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NAT64_LOCAL = ipaddress.IPv6Network("64:ff9b:1::/48")
_TUNNELS = (ipaddress.IPv6Network("2002::/16"), ipaddress.IPv6Network("2001::/32"))
_COMPATIBLE = ipaddress.IPv6Network("::/96")
_CLOUDS = frozenset(
    map(
        ipaddress.ip_address,
        ("168.63.129.16", "192.0.0.192", "100.100.100.200", "fd00:ec2::254", "fd20:ce::254"),
    )
)
"""Where Azure (its host), Oracle, Alibaba, Amazon and Google answer a machine's questions about itself, some with its
secrets, besides 169.254.0.0/16: among public, shared and private addresses, so that no range names them."""
_THIS_NETWORK = ipaddress.IPv4Network("0.0.0.0/8")
_SHARED = ipaddress.IPv4Network("100.64.0.0/10")
_ONLY_PUBLIC = "callbacks go to public addresses only"
_OR_ALLOW = ", or set dispatch.allow_private_addresses = true"
_LIFTED = frozenset({"loopback", "private", "shared", "our own"})


def kind_of(address: Address) -> str:
    """What makes an address unfit for a callback, in a word; "" for a public one."""
    if address in _CLOUDS:
        return "a cloud's own"
    if isinstance(address, ipaddress.IPv6Address):
        inner = _inner(address)
        if inner is not None:
            return kind_of(inner)
        if address.is_site_local or address in _NAT64_LOCAL:
            return "private"
        if any(address in tunnel for tunnel in _TUNNELS):
            return "a tunnel"
    elif address in _THIS_NETWORK:
        return "unspecified"
    elif address in _SHARED:
        return "shared"
    if address.is_unspecified:
        return "unspecified"
    if address.is_loopback:
        return "loopback"
    if address.is_link_local:
        return "link-local"
    if address.is_multicast:
        return "multicast"
    if address.is_reserved or address in _COMPATIBLE:
        return "reserved"
    if address.is_private or not address.is_global:
        return "private"
    return ""


def _inner(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that a mapped or a NAT64 address leads to (RFC 4291, 2.5.5.2; RFC 6052)."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def is_our_own(address: Address) -> bool:
    """Whether one of our interfaces has the address: what is sent to it would then come from it.

    No datagram is sent. To bind a socket to it would tell the same, but not where a host may bind to addresses that it
    has not yet (net.ipv4.ip_nonlocal_bind, as beside keepalived): there every address would be ours.
    """
    if isinstance(address, ipaddress.IPv6Address):
        address = _inner(address) or address
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((str(address), 9))
            return ipaddress.ip_address(probe.getsockname()[0]) == address
    except OSError:
        return False


def _remedy(kind: str) -> str:
    """What to do about an address of this kind: the setting is named only where it helps."""
    return _ONLY_PUBLIC + (_OR_ALLOW if kind in _LIFTED else "")


class Guard:
    """Judges addresses; remembers its judgements for a while, as interfaces come and go."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._judged: dict[str, tuple[float, str]] = {}

    def problem_of_host(self, host: str) -> str:
        """The sentence against a host that is a literal address; "" for a name, which the resolver checks."""
        first = host[:1]
        if not (first.isdigit() or ":" in host):
            return ""
        kind = self.judge(host)
        return "" if not kind else f"the address {host} is {kind}; {_remedy(kind)}"

    def judge(self, host: str) -> str:
        """What is wrong with a literal address, in a word; "" for a fit one and for what is no address."""
        now = time.monotonic()
        known = self._judged.get(host)
        if known is not None and known[0] > now:
            return known[1]
        kind = self._judge_anew(host)
        if len(self._judged) >= REMEMBERED_MAX:
            self._judged.clear()
        self._judged[host] = (now + KNOWN_FOR_S, kind)
        return kind

    def _judge_anew(self, host: str) -> str:
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return ""
        kind = kind_of(address)
        if not kind and is_our_own(address):
            kind = "our own"
        return "" if self._allow_private and kind in _LIFTED else kind


def look_up(name: str) -> list[str]:
    """The addresses of a name by the system's resolver; blocks. Raises OSError."""
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return list(dict.fromkeys(str(item[4][0]) for item in found))


class CheckedResolver:
    """Looks names up for partners: remembered shortly, for all; every address judged each time.

    Look-ups run on threads of their own. A partner whose name servers are slow holds up LOOK_UPS_EACH of them, however
    many names he has, and waits behind himself; who asks for the same name does not wait for his.
    """

    def __init__(self, guard: Guard, look_up: Lookup = look_up) -> None:
        self._guard = guard
        self._look_up = look_up
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="resolver")
        self._known: dict[str, tuple[float, list[str], str]] = {}
        self._asking: dict[str, dict[str, asyncio.Task[Found]]] = {}

    async def resolve(self, host: str, partner: str) -> list[str]:
        """The addresses of a name, all of them fit. Raises PeerRefused with a sentence."""
        addresses, problem = await self._addresses_of(host, partner)
        if problem:
            raise PeerRefused(problem)
        for address in addresses:
            kind = self._guard.judge(address)
            if kind:
                raise PeerRefused(f"{host[:80]} leads to the address {address}, which is {kind}; {_remedy(kind)}")
        return addresses

    async def close(self) -> None:
        """Give the threads back; look-ups that run are left to end by themselves."""
        for asking in self._asking.values():
            for task in asking.values():
                task.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _addresses_of(self, host: str, partner: str) -> Found:
        found = self._remembered(host)
        if found is not None:
            return found
        try:
            async with asyncio.timeout(LOOK_UP_S):
                return await self._look_up_in_turn(host, partner)
        except TimeoutError:
            return [], f"the name {host[:80]} was not resolved within {LOOK_UP_S:g} s; see to its name server"

    async def _look_up_in_turn(self, host: str, partner: str) -> Found:
        """Join a look-up of the same name, or wait until one of the partner's is over: no thread can be called off."""
        while (found := self._remembered(host)) is None:
            asking = self._asking.setdefault(partner, {})
            task = asking.get(host)
            if task is None and len(asking) < LOOK_UPS_EACH:
                task = asking[host] = spawn(self._ask(host, partner), name="look-up of a name")
            if task is not None:
                # Shielded: a caller whose time is up must not take the answer from the others who wait for it.
                return await asyncio.shield(task)
            await asyncio.wait(asking.values(), return_when=asyncio.FIRST_COMPLETED)
        return found

    def _remembered(self, host: str) -> Found | None:
        known = self._known.get(host)
        return (known[1], known[2]) if known is not None and known[0] > time.monotonic() else None

    async def _ask(self, host: str, partner: str) -> Found:
        """Look a name up on a thread and remember what came, a failure too."""
        try:
            addresses = await asyncio.get_running_loop().run_in_executor(self._threads, self._look_up, host)
            problem = "" if addresses else f"the name {host[:80]} has no address"
        except (OSError, UnicodeError) as failure:
            # As people say it, without its number; UnicodeError has no such words.
            why = getattr(failure, "strerror", None) or failure
            addresses, problem = [], f"the name {host[:80]} cannot be resolved: {why}"
        finally:
            self._over(host, partner)
        if len(self._known) >= REMEMBERED_MAX:
            self._known.clear()
        lasts_s = UNKNOWN_FOR_S if problem else KNOWN_FOR_S
        self._known[host] = (time.monotonic() + lasts_s, addresses, problem)
        return addresses, problem

    def _over(self, host: str, partner: str) -> None:
        asking = self._asking[partner]
        del asking[host]
        if not asking:
            del self._asking[partner]
