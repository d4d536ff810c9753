"""A stream cut into PDUs: a header of 16 octets, of which the first four are the length of all.

FrameReader     bytes in, complete PDUs out; keeps at most one that is incomplete
read_header     command_length, command_id, command_status, sequence_number

Rule: SMPP has no start marker. After a length that cannot be true the stream is lost: the reader gives the
PDUs before it, sets `error` (fatal: answer generic_nack 0x02 with sequence 0, then close) and reads no more.

Source: SMPP 3.4, 3.2; sheet section 1.
"""

from struct import Struct

from wire.errors import RemoteError
from wire.smpp.status import RINVCMDLEN

HEADER_LENGTH = 16
MAX_PDU = 70_000

HEADER = Struct(">IIII")
_read_length = Struct(">I").unpack_from


def read_header(frame: bytes) -> tuple[int, int, int, int]:
    """command_length, command_id, command_status, sequence_number."""
    if len(frame) < HEADER_LENGTH:
        raise RemoteError(f"{len(frame)} octets are no PDU", answer=RINVCMDLEN, fatal=True)
    length, command_id, status, sequence = HEADER.unpack_from(frame)
    return length, command_id, status, sequence


class FrameReader:
    """Cuts a stream into PDUs. Each octet is copied a constant number of times, however it arrives."""

    __slots__ = ("_max_pdu", "_needed", "_rest", "error")

    def __init__(self, max_pdu: int = MAX_PDU) -> None:
        self.error: RemoteError | None = None
        self._max_pdu = max_pdu
        self._rest = bytearray()  # the beginning of one PDU; never longer than max_pdu
        self._needed = 4  # octets of it before anything more can be said

    def read(self, data: bytes) -> list[bytes]:
        """The PDUs that are complete now, in order."""
        if self.error is not None:
            return []
        if self._rest:
            self._rest += data
            if len(self._rest) < self._needed:
                return []
            data = bytes(self._rest)
            self._rest.clear()
        return self._cut(data)

    def _cut(self, data: bytes) -> list[bytes]:
        frames: list[bytes] = []
        add = frames.append
        max_pdu = self._max_pdu
        at, end = 0, len(data)
        while end - at >= 4:
            (length,) = _read_length(data, at)
            if length < HEADER_LENGTH or length > max_pdu:
                self.error = RemoteError(f"command_length 0x{length:08X}", answer=RINVCMDLEN, fatal=True)
                return frames
            after = at + length
            if after > end:
                self._needed = length
                break
            add(data[at:after])
            at = after
        else:
            self._needed = 4
        self._rest += data[at:]
        return frames

    @property
    def pending(self) -> int:
        """How many octets of an incomplete PDU are kept."""
        return len(self._rest)

    @property
    def rest(self) -> bytes:
        """Those octets."""
        return bytes(self._rest)
