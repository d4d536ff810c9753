"""A conversation in memory as a capture that tshark opens: raw IP packets of a TCP connection that never was.

tap, tap_rig  note what a session, or a link and its centre, write; Written, one such write
write_pcap    such writes → a file (libpcap 2.4, link type 101: raw IP)
dissect       tshark's view of a file: one dictionary of fields per packet that a protocol's dissector took
frames_of     the same by frame, of which a packet may have several
missing       why tshark cannot be run
"""

import json
import struct
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plumbing.conversation import Owner
from tests.peers.programs import which
from tests.smsc_link.ends import Rig
from wire.session import Session

LINK, CENTRE = (10, 0, 0, 1), (10, 0, 0, 2)
CLIENT_PORT = 40_000
_RAW_IP = 101
_PSH_ACK, _SYN, _SYN_ACK = 0x18, 0x02, 0x12


@dataclass(frozen=True, slots=True)
class Written:
    """What one end wrote at once."""

    by_centre: bool
    octets: bytes


def tap(session: Session, written: list[Written], *, by_centre: bool) -> Session:
    """The session, and from now on what it writes is noted. Nothing is changed."""
    output = session.output

    def noted() -> bytes:
        octets = output()
        if octets:
            written.append(Written(by_centre, octets))
        return octets

    vars(session)["output"] = noted
    return session


def tap_rig(rig: Rig, written: list[Written]) -> None:
    """Note all that the rig's link and its centre say to each other."""
    begin, accept = rig.link._adapter.session, rig.centre.accept

    def accepted(peer: str) -> tuple[Session, Owner]:
        session, owner = accept(peer)
        return tap(session, written, by_centre=True), owner

    vars(rig.link._adapter)["session"] = lambda now_ms: tap(begin(now_ms), written, by_centre=False)
    rig.network.listen(rig.address, accepted, rig.clock)


def write_pcap(path: Path, written: Iterable[Written], port: int) -> None:
    """One packet per write, behind a handshake, a millisecond apart."""
    sequence = {False: 1, True: 1}
    packets = [_packet(False, _SYN, 0, 0, port), _packet(True, _SYN_ACK, 0, 1, port)]
    for one in written:
        by = one.by_centre
        packets.append(_packet(by, _PSH_ACK, sequence[by], sequence[not by], port, one.octets))
        sequence[by] += len(one.octets)
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, _RAW_IP))
        for number, packet in enumerate(packets):
            file.write(struct.pack("<IIII", 1_790_000_000, 1000 * number, len(packet), len(packet)) + packet)


def _packet(by_centre: bool, flags: int, sequence: int, acknowledged: int, port: int, octets: bytes = b"") -> bytes:
    source, target = (CENTRE, LINK) if by_centre else (LINK, CENTRE)
    ports = (port, CLIENT_PORT) if by_centre else (CLIENT_PORT, port)
    tcp = struct.pack("!HHIIBBHHH", *ports, sequence, acknowledged, 5 << 4, flags, 65_535, 0, 0) + octets
    # Check sums of 0: tshark does not look at them by default.
    ip = struct.pack("!BBHHHBBH4B4B", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0, *source, *target)
    return ip + tcp


def missing() -> str:
    """Why tshark cannot be run; "": it can."""
    return "" if which("tshark") else "tshark not installed (apt-get install tshark)"


def dissect(path: Path, protocol: str, port: int) -> list[dict[str, Any]]:
    """The layers of every packet with payload."""
    reading = [which("tshark"), "-r", str(path), "-d", f"tcp.port=={port},{protocol}", "-Y", "tcp.len > 0"]
    command = [*reading, "-T", "json", "--no-duplicate-keys"]
    shown = subprocess.run(command, check=True, capture_output=True, timeout=60)
    # What its dissector of CIMD2 makes of an escape that it does not know is no UTF-8.
    packets: list[dict[str, Any]] = json.loads(shown.stdout.decode("utf-8", "replace"))
    return [packet["_source"]["layers"] for packet in packets]


def frames_of(packets: Iterable[dict[str, Any]], layer: str) -> list[dict[str, Any]]:
    """The frames of a protocol, in order."""
    layers = [packet[layer] for packet in packets]
    return [frame for found in layers for frame in (found if isinstance(found, list) else [found])]
