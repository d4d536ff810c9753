"""A conversation as a file that tshark and Wireshark open: pcap, with Ethernet, IP and TCP made around its bytes.

pcap_head   how a file begins
Capture     one TCP connection: what was said and heard → records, with its real addresses and ports

Sequence numbers go on as the bytes do, and checksums are right, so that a dissector puts frames together as it would
those of the cable. Times are microseconds.

Rule: bytes in, bytes out; no file, no clock.
"""

from array import array
from ipaddress import IPv4Address, IPv6Address, ip_address
from struct import Struct
from typing import TypeAlias

Place: TypeAlias = tuple[str, int]
"""An address and a port."""

SEGMENT_MAX = 16_384
"""Octets of a packet's payload: more than on a cable, and few enough for the length in its IP header."""

_MAGIC, _ETHERNET, _SNAP = 0xA1B2C3D4, 1, 262_144
_FILE = Struct("<IHHiIII")
_RECORD = Struct("<IIII")
_IPV4 = Struct(">BBHHHBBH4s4s")
_IPV6 = Struct(">IHBB16s16s")
_TCP = Struct(">HHIIBBHHH")
_TCP_NUMBER, _HOPS, _WINDOW = 6, 64, 65_535
_FIN, _SYN, _PUSH, _ACK = 0x01, 0x02, 0x08, 0x10
_OURS, _THEIRS = b"\x02\0\0\0\0\1", b"\x02\0\0\0\0\2"
# Where an end of the connection has no IP address: addresses that are for examples only (RFC 5737).
_NOWHERE = (IPv4Address("192.0.2.1"), IPv4Address("192.0.2.2"))


def pcap_head() -> bytes:
    """The header of the file."""
    return _FILE.pack(_MAGIC, 2, 4, 0, 0, _SNAP, _ETHERNET)


class _End:
    """One end: where it is, and how far its bytes are."""

    __slots__ = ("address", "ethernet", "port", "sequence")

    def __init__(self, address: IPv4Address | IPv6Address, port: int, ethernet: bytes, start: int) -> None:
        self.address = address
        self.port = port
        self.ethernet = ethernet
        self.sequence = start


class Capture:
    """One connection between us and a peer. Each call gives the records to write.

    `start` is where both sequence numbers begin: another one tells a connection from one before of the same ports.
    """

    def __init__(self, ours: Place, theirs: Place, *, start: int = 0) -> None:
        first, second = _addresses(ours[0], theirs[0])
        self._us = _End(first, ours[1], _OURS, start)
        self._peer = _End(second, theirs[1], _THEIRS, start)
        self._identification = 0

    def opened(self, time_us: int, *, by_peer: bool = False) -> bytes:
        """The three packets with which we connected, or the peer did."""
        first, second = (self._peer, self._us) if by_peer else (self._us, self._peer)
        made = self._packet(first, second, time_us, _SYN)
        first.sequence += 1
        made += self._packet(second, first, time_us, _SYN | _ACK)
        second.sequence += 1
        return made + self._packet(first, second, time_us, _ACK)

    def said(self, octets: bytes, time_us: int) -> bytes:
        """What we wrote."""
        return self._carry(self._us, self._peer, octets, time_us)

    def heard(self, octets: bytes, time_us: int) -> bytes:
        """What the peer wrote."""
        return self._carry(self._peer, self._us, octets, time_us)

    def closed(self, time_us: int) -> bytes:
        """Both ends are done."""
        us, peer = self._us, self._peer
        made = self._packet(us, peer, time_us, _FIN | _ACK)
        us.sequence += 1
        made += self._packet(peer, us, time_us, _FIN | _ACK)
        peer.sequence += 1
        return made + self._packet(us, peer, time_us, _ACK)

    def _carry(self, source: _End, target: _End, octets: bytes, time_us: int) -> bytes:
        made = b""
        for start in range(0, len(octets), SEGMENT_MAX):
            piece = octets[start : start + SEGMENT_MAX]
            is_last = start + SEGMENT_MAX >= len(octets)
            made += self._packet(source, target, time_us, _ACK | (_PUSH if is_last else 0), piece)
            source.sequence += len(piece)
        return made

    def _packet(self, source: _End, target: _End, time_us: int, flags: int, payload: bytes = b"") -> bytes:
        acknowledged = target.sequence if flags & _ACK else 0
        segment = _TCP.pack(
            source.port, target.port, source.sequence & 0xFFFFFFFF, acknowledged & 0xFFFFFFFF,
            (_TCP.size // 4) << 4, flags, _WINDOW, 0, 0,
        ) + payload  # fmt: skip
        ends = source.address.packed + target.address.packed
        length = len(segment)
        summed = _checksum(ends + length.to_bytes(4, "big") + _TCP_NUMBER.to_bytes(4, "big") + segment)
        segment = segment[:16] + summed.to_bytes(2, "big") + segment[18:]
        frame = target.ethernet + source.ethernet + self._wrapped(source, target, segment)
        seconds, micros = divmod(time_us, 1_000_000)
        return _RECORD.pack(seconds, micros, len(frame), len(frame)) + frame

    def _wrapped(self, source: _End, target: _End, segment: bytes) -> bytes:
        """The Ethernet type, the IP header, the segment."""
        if source.address.version == 6:
            head = _IPV6.pack(
                6 << 28, len(segment), _TCP_NUMBER, _HOPS, source.address.packed, target.address.packed
            )  # fmt: skip
            return b"\x86\xdd" + head + segment
        self._identification = (self._identification + 1) & 0xFFFF
        values = [0x45, 0, 20 + len(segment), self._identification, 0x4000, _HOPS, _TCP_NUMBER]
        ends = (source.address.packed, target.address.packed)
        head = _IPV4.pack(*values, _checksum(_IPV4.pack(*values, 0, *ends)), *ends)
        return b"\x08\0" + head + segment


def _addresses(ours: str, theirs: str) -> tuple[IPv4Address | IPv6Address, IPv4Address | IPv6Address]:
    """Of one family; ends without an address get one that is nobody's."""
    try:
        first, second = (ip_address(text.partition("%")[0]) for text in (ours, theirs))
    except ValueError:
        return _NOWHERE
    return (first, second) if first.version == second.version else _NOWHERE


def _checksum(octets: bytes) -> int:
    """The ones' complement sum of RFC 1071."""
    words = array("H", octets if len(octets) % 2 == 0 else octets + b"\0")
    words.byteswap()
    total = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
