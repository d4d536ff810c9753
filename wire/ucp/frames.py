"""A stream cut into frames: STX TRN / LEN / O or R / OT / fields / checksum ETX.

Frames         bytes in, what stood between STX and ETX out; keeps at most one that is incomplete
read_frame     one of them -> its TRN, its kind ("O/51"), its fields; checks LEN and checksum
write_frame    the whole frame, STX and ETX included
addressed      TRN and OT of an operation that cannot be read further, as far as one can answer it
checksum       of the octets from behind STX to the last slash

Rule: STX begins a frame wherever it stands, so a stream is never lost: what has no STX, no ETX, or is longer than
the limit is passed over, and the next STX is waited for.

Source: sheet section 1; vectors invalid_frames.json.
"""

from zlib import adler32

from wire.errors import LocalError, RemoteError
from wire.ucp.codes import EC_CHECKSUM, EC_SYNTAX

MAX_FRAME = 10_000
"""Octets between STX and ETX; the longest message, of 1400 digits with 400 of extra services, has about 2000."""
TRNS = 100
"""A TRN has two digits."""

_STX, _ETX = 2, 3
_HEADER = 14  # TRN/LEN/O/OT/
_LENGTH_MAX = 99_999
_TRN: dict[str, int] = {f"{trn:02d}/": trn for trn in range(TRNS)}
# Written once, looked up ever after: a format costs more than all else that is done to a number.
_TRN_TEXTS = tuple(_TRN)
_LENGTHS = tuple(f"{length:05d}/" for length in range(1024))
_CHECKSUMS = tuple(f"{number:02X}" for number in range(256))
_ENDINGS = tuple(f"{number:02X}\3".encode("ascii") for number in range(256))


class Frames:
    """Cuts a stream into frames. Each octet is copied a constant number of times, however it arrives."""

    __slots__ = ("_max_frame", "_rest", "overlong")

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self.overlong = 0  # frames that were passed over for their length
        self._max_frame = max_frame
        self._rest = bytearray()  # STX and the beginning of one frame

    def read(self, data: bytes) -> list[bytes]:
        """The frames that are complete now, in order, without STX and ETX."""
        last = data.rfind(_ETX)
        if last < 0:
            self._keep(data)
            return []
        whole = bytes(self._rest) + data if self._rest else data
        self._rest.clear()
        frames: list[bytes] = []
        at, end = 0, len(whole) - len(data) + last + 1
        while at < end:
            close = whole.index(_ETX, at)
            start = whole.rfind(_STX, at, close)
            if start >= 0 and close - start - 1 <= self._max_frame:
                frames.append(whole[start + 1 : close])
            elif start >= 0:
                self.overlong += 1
            at = close + 1
        self._keep(whole[end:])
        return frames

    def _keep(self, data: bytes) -> None:
        """Bytes without an ETX: the beginning of a frame from the last STX on, or more of the one that is kept."""
        start = data.rfind(_STX)
        if start >= 0:
            self._rest[:] = data[start:]
        elif self._rest:
            self._rest += data
        if len(self._rest) > self._max_frame + 1:
            self.overlong += 1
            self._rest.clear()

    @property
    def pending(self) -> int:
        """How many octets of an incomplete frame are kept."""
        return len(self._rest)


def read_frame(frame: bytes, *, tolerant_length: bool = False) -> tuple[int, str, str]:
    """TRN, kind and the fields with the slashes between them. A RemoteError answers an operation with its EC.

    LEN is only passed over if a peer needs it: one example of the document itself is wrong there.
    """
    text = frame.decode("latin-1")
    trn = _TRN.get(text[:3])
    # "00/00019/O/60/": the slashes stand where they must, and one before the checksum.
    if trn is None or text[8:9] != "/" or text[13:14] != "/" or text[-3:-2] != "/":
        raise RemoteError("no UCP frame", answer=_answer(frame, EC_SYNTAX))
    expected = _CHECKSUMS[checksum(frame[:-2])]
    if text[-2:] != expected and text[-2:].upper() != expected:
        raise RemoteError("the checksum is wrong", answer=_answer(frame, EC_CHECKSUM))
    if text[3:9] != _length(len(frame)) and not tolerant_length:
        raise RemoteError("LEN is not the frame's length", answer=_answer(frame, EC_SYNTAX))
    return trn, text[9:13], text[14:-3]


def write_frame(trn: int, kind: str, fields: str) -> bytes:
    """The whole frame of "O/51" or "R/51"; the fields with the slashes between them."""
    length = _HEADER + len(fields) + 3
    if not 0 <= trn < TRNS:
        raise LocalError(f"a TRN of {trn}; there are 00 to 99")
    if length > _LENGTH_MAX:
        raise LocalError(f"a frame of {length} octets; LEN has five digits")
    if not (fields.isascii() and fields.isprintable()):
        raise LocalError("a field has characters that are not printable ASCII")
    octets = f"{_TRN_TEXTS[trn]}{_length(length)}{kind}/{fields}/".encode("ascii")
    return b"\2" + octets + _ENDINGS[checksum(octets)]


def addressed(frame: bytes) -> tuple[int, str] | None:
    """TRN and OT of an operation, where they can be read; None of a result, which is never answered."""
    trn, _, rest = frame[:100].decode("latin-1").partition("/")
    number = _TRN.get(trn + "/")
    parts = rest.split("/", 3)
    if number is None or len(parts) < 4 or parts[1] != "O":
        return None
    ot = parts[2]
    return (number, ot) if len(ot) == 2 and ot.isascii() and ot.isdigit() else None


def checksum(octets: bytes) -> int:
    """Their sum modulo 256."""
    # Adler-32 begins with the plain sum modulo 65521, which 256 octets, or 512 of ASCII, cannot reach: thirty times as
    # fast as sum().
    if len(octets) <= 256 or (len(octets) <= 512 and octets.isascii()):
        return adler32(octets, 0) & 0xFF
    return sum([adler32(octets[at : at + 256], 0) & 0xFF for at in range(0, len(octets), 256)]) & 0xFF


def _length(length: int) -> str:
    return _LENGTHS[length] if length < 1024 else f"{length:05d}/"


def _answer(frame: bytes, ec: int) -> int | None:
    return ec if addressed(frame) is not None else None
