"""A stream cut into packets: STX, the header, parameters ended by TABs, two digits of checksum or none, ETX.

FrameReader     bytes in, whole packets out, STX and ETX included; keeps at most one that is incomplete
checksum_of     the sum of all octets from STX to the last TAB, modulo 256
read_head       operation and packet number of a packet, or None; of one that cannot be decoded too

Rule: what stands between ETX and STX is passed over: the centre greets with a line of plain text. A packet that a new
STX cuts short, or that is longer than the limit, is dropped and counted; the stream goes on with the next STX.

Source: sheet section 1.
"""

from zlib import adler32

MAX_PACKET = 4096

STX = b"\2"
ETX = b"\3"
# Within so many octets the lower half of Adler-32 cannot run over: 256 * 255 is less than 65521.
_SUMMED_BY_ADLER = 256

NUMBERS: dict[bytes, int] = {b"%03d" % number: number for number in range(256)}


def checksum_of(octets: bytes) -> int:
    """Their sum, modulo 256. Adler-32 begun with 0 has it in its lower half, and is five times as fast as sum()."""
    if len(octets) <= _SUMMED_BY_ADLER:
        return adler32(octets, 0) & 0xFF
    return sum(octets) & 0xFF


def read_head(packet: bytes) -> tuple[int, int] | None:
    """Operation and packet number; None where the header is broken."""
    number = NUMBERS.get(packet[4:7])
    if number is None or packet[3:4] != b":" or packet[7:8] != b"\t" or not packet[1:3].isdigit():
        return None
    return int(packet[1:3]), number


class FrameReader:
    """Cuts a stream into packets. Each octet is copied a constant number of times, however it arrives."""

    __slots__ = ("_max_packet", "_rest", "dropped")

    def __init__(self, max_packet: int = MAX_PACKET) -> None:
        self.dropped = 0  # packets that never came to their ETX, or were too long
        self._max_packet = max_packet
        self._rest = bytearray()  # the beginning of one packet, from its STX on; never longer than max_packet

    def read(self, data: bytes) -> list[bytes]:
        """The packets that are complete now, in order."""
        if self._rest:
            if STX not in data and ETX not in data:
                self._keep(data)
                return []
            data = bytes(self._rest) + data
            self._rest.clear()
        return self._cut(data)

    def _cut(self, data: bytes) -> list[bytes]:
        packets: list[bytes] = []
        at = data.find(STX)
        while at >= 0:
            end = data.find(ETX, at)
            if end < 0:
                break
            start = data.rfind(STX, at, end)
            if start > at:
                self.dropped += data.count(STX, at, start)
            if end - start < self._max_packet:
                packets.append(data[start : end + 1])
            else:
                self.dropped += 1
            at = data.find(STX, end)
        if at >= 0:
            start = data.rfind(STX)
            self.dropped += data.count(STX, at, start)
            self._keep(data[start:])
        return packets

    def _keep(self, data: bytes) -> None:
        self._rest += data
        # An ETX has to follow yet.
        if len(self._rest) >= self._max_packet:
            self.dropped += 1
            self._rest.clear()

    @property
    def pending(self) -> int:
        """How many octets of an incomplete packet are kept."""
        return len(self._rest)
