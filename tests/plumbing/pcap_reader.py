"""A reader of our own for what plumbing/pcap.py writes, for machines without tshark.

packets   a file → its TCP packets, lengths and checksums looked at
streams   packets → the bytes of each direction, put together by their sequence numbers

Rule: it shares nothing with the writer but the documents.
"""

import ipaddress
import struct
from collections.abc import Iterator
from dataclasses import dataclass

HEAD, RECORD = 24, 16
FIN, SYN, ACK = 1, 2, 16


@dataclass(frozen=True)
class Packet:
    """One. `time_us` since 1970."""

    time_us: int
    source: tuple[str, int]
    target: tuple[str, int]
    sequence: int
    acknowledged: int
    flags: int
    payload: bytes


def packets(file: bytes) -> list[Packet]:
    """All of them, in order."""
    magic, major, minor, _, _, _, network = struct.unpack_from("<IHHiIII", file)
    assert (magic, major, minor, network) == (0xA1B2C3D4, 2, 4, 1), file[:HEAD]
    return list(_packets(file))


def _packets(file: bytes) -> Iterator[Packet]:
    at = HEAD
    while at < len(file):
        seconds, micros, kept, whole = struct.unpack_from("<IIII", file, at)
        assert kept == whole
        assert micros < 1_000_000
        frame = file[at + RECORD : at + RECORD + kept]
        assert len(frame) == kept, "the last packet is cut"
        at += RECORD + kept
        yield _packet(seconds * 1_000_000 + micros, frame)


def _packet(time_us: int, frame: bytes) -> Packet:
    kind = frame[12:14]
    ip = frame[14:]
    if kind == b"\x08\x00":
        assert ip[0] == 0x45
        assert struct.unpack_from(">H", ip, 2)[0] == len(ip)
        assert _sum(ip[:20]) == 0xFFFF, "the IP header's checksum"
        ends, segment = ip[12:20], ip[20:]
        source, target = ipaddress.ip_address(ip[12:16]), ipaddress.ip_address(ip[16:20])
    else:
        assert kind == b"\x86\xdd", kind
        assert struct.unpack_from(">H", ip, 4)[0] == len(ip) - 40
        ends, segment = ip[8:40], ip[40:]
        source, target = ipaddress.ip_address(ip[8:24]), ipaddress.ip_address(ip[24:40])
    assert _sum(ends + struct.pack(">II", len(segment), 6) + segment) == 0xFFFF, "the TCP checksum"
    first, second, sequence, acknowledged, offset, flags = struct.unpack_from(">HHIIBB", segment)
    payload = segment[(offset >> 4) * 4 :]
    return Packet(time_us, (str(source), first), (str(target), second), sequence, acknowledged, flags, payload)


def _sum(octets: bytes) -> int:
    octets += b"\0" * (len(octets) % 2)
    total = sum(struct.unpack(f">{len(octets) // 2}H", octets))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def streams(found: list[Packet]) -> dict[tuple[str, int], bytes]:
    """By who said it. Nothing is missing, doubled, or acknowledged before it was said."""
    bodies: dict[tuple[str, int], bytes] = {}
    next_of: dict[tuple[str, int], int] = {}
    for packet in found:
        expected = next_of.setdefault(packet.source, packet.sequence)
        assert packet.sequence == expected, packet
        if packet.flags & ACK and packet.target in next_of:
            assert packet.acknowledged == next_of[packet.target], packet
        bodies[packet.source] = bodies.get(packet.source, b"") + packet.payload
        step = len(packet.payload) + bool(packet.flags & (SYN | FIN))
        next_of[packet.source] = (expected + step) & 0xFFFFFFFF
    return bodies
