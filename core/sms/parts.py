"""Long messages: a text is cut into parts, parts are joined to a text.

count()                    how many messages a text is, and so what it costs
split(), cut()             the payload of each, without a header
headers(), with_header()   the concatenation headers of a message's parts; one before its payload
read_header()              the header of what arrived; Piece says which part of which message it is
Assembly                   the pieces of one long message, in whatever order they come

Rule: join octets, then decode. A sender may cut an escape or a surrogate pair in two; we never do.
Rule: count() and split() agree always. One is what the subscriber pays, the other is what we send.

Payloads of GSM7 are unpacked septets here; pack() them for a link that wants it, with the header's length.
The facts are from 3GPP TS 23.040, sections 9.2.3.16 and 9.2.3.24.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from core.sms.alphabet import Alphabet, encode, encode_gsm

MESSAGE_OCTETS = 140
MESSAGE_SEPTETS = 160
PARTS_MAX = 255


class TooLong(ValueError):
    """A text of more parts than a header can number."""


@dataclass(frozen=True, slots=True)
class Split:
    """A text as messages. One that fits into a single message is one chunk, and needs no header."""

    alphabet: Alphabet
    chunks: tuple[bytes, ...]
    units: int

    @property
    def parts(self) -> int:
        return len(self.chunks)


# --- A text to parts --------------------------------------------------------------------------------


def split(text: str, *, bits: int = 8) -> Split:
    """Cuts a text for headers whose reference has so many bits (8, or 16 at a loss of one unit a part)."""
    septets = encode_gsm(text)
    if septets is not None:
        return Split(Alphabet.GSM7, cut(septets, Alphabet.GSM7, bits=bits), units=len(septets))

    octets = encode(text, Alphabet.UCS2)
    return Split(Alphabet.UCS2, cut(octets, Alphabet.UCS2, bits=bits), units=len(octets) // 2)


def count(text: str, *, bits: int = 8) -> int:
    """How many parts split() makes."""
    septets = encode_gsm(text)
    if septets is not None:
        return 1 if len(septets) <= MESSAGE_SEPTETS else len(cut(septets, Alphabet.GSM7, bits=bits))
    if 4 * len(text) <= MESSAGE_OCTETS:  # UTF-16 takes four octets at most.
        return 1

    return len(cut(encode(text, Alphabet.UCS2), Alphabet.UCS2, bits=bits))


def cut(octets: bytes, alphabet: Alphabet, *, bits: int = 8) -> tuple[bytes, ...]:
    """Cuts an encoded message; escape and surrogate pairs stay whole."""
    if len(octets) <= (MESSAGE_SEPTETS if alphabet is Alphabet.GSM7 else MESSAGE_OCTETS):
        return (octets,)

    room = room_octets(alphabet, bits=bits)
    chunks: list[bytes] = []
    start = 0
    while start < len(octets):
        if len(chunks) == PARTS_MAX:
            raise TooLong(f"{len(octets)} octets are more than {PARTS_MAX} parts of {room}; shorten the text")
        end = min(start + room, len(octets))
        if end < len(octets):
            end -= _begun_pair_octets(octets, end, alphabet)
        chunks.append(octets[start:end])
        start = end
    return tuple(chunks)


def room_octets(alphabet: Alphabet, *, bits: int = 8) -> int:
    """What is left for the payload beside a concatenation header; for GSM7, in unpacked septets."""
    octets = MESSAGE_OCTETS - _HEADER_OCTETS[bits]
    if alphabet is Alphabet.GSM7:
        return octets * 8 // 7

    return octets // 2 * 2 if alphabet is Alphabet.UCS2 else octets


def _begun_pair_octets(octets: bytes, end: int, alphabet: Alphabet) -> int:
    """Octets just before this end that belong to a pair which the end would cut."""
    if alphabet is Alphabet.GSM7:
        return 1 if octets[end - 1] == _ESCAPE else 0
    if alphabet is Alphabet.UCS2:
        return 2 if octets[end - 2] & 0xFC == _HIGH_SURROGATE else 0

    return 0


_ESCAPE = 0x1B
_HIGH_SURROGATE = 0xD8
_HEADER_OCTETS = {8: 6, 16: 7}


# --- Headers ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Which part of which long message this is. References of 8 and of 16 bits are counted apart."""

    reference: int
    total: int
    sequence: int
    bits: int

    def __post_init__(self) -> None:
        assert 1 <= self.sequence <= self.total <= PARTS_MAX, self
        assert 0 <= self.reference < 1 << self.bits, self


@dataclass(frozen=True, slots=True)
class Ports:
    """Application ports; what they carry is seldom text."""

    destination: int
    source: int


@dataclass(frozen=True, slots=True)
class Header:
    """A user data header. Elements are kept as they came: identifier and octets."""

    octets: int
    elements: tuple[tuple[int, bytes], ...]
    piece: Piece | None
    ports: Ports | None


def with_header(chunk: bytes, *, reference: int, total: int, sequence: int, bits: int = 8) -> bytes:
    """A payload behind its concatenation header; to be sent with the UDHI bit of esm_class set."""
    piece = Piece(reference=reference, total=total, sequence=sequence, bits=bits)
    if bits == 8:
        return bytes((5, _CONCAT_8, 3, piece.reference, piece.total, piece.sequence)) + chunk

    start = bytes((6, _CONCAT_16, 4)) + piece.reference.to_bytes(2, "big")
    return start + bytes((piece.total, piece.sequence)) + chunk


def headers(reference: int, total: int, bits: int) -> list[bytes]:
    """The headers of all parts, in their order; none for a single one. Of any reference the lowest bits count."""
    if total == 1:
        return [b""]
    reference &= (1 << bits) - 1
    return [
        with_header(b"", reference=reference, total=total, sequence=number, bits=bits) for number in range(1, total + 1)
    ]


def read_header(user_data: bytes) -> Header | None:
    """The header at the start of user data; the text is what follows its octets.

    None if it does not add up: some SMSCs set UDHI on a message whose header they took off, and then all of it
    is text. Others leave UDHI clear: where that is known of a link, believe a header that has a piece.
    """
    if not user_data or user_data[0] >= len(user_data):
        return None

    elements = _read_elements(user_data[1 : 1 + user_data[0]])
    if elements is None:
        return None

    piece: Piece | None = None
    ports: Ports | None = None
    # 23.040, 9.2.3.24: of elements that exclude each other or are repeated, the last counts.
    for identifier, octets in elements:
        piece = _read_concat(identifier, octets) or piece
        ports = _read_ports(identifier, octets) or ports
    return Header(1 + user_data[0], elements, piece, ports)


def piece_of(*, reference: int, total: int, sequence: int, bits: int = 16) -> Piece | None:
    """A piece as a peer numbers it, in a header or in SMPP's sar_ parameters; None if that cannot be."""
    if not 1 <= sequence <= total <= PARTS_MAX or not 0 <= reference < 1 << bits:
        return None

    return Piece(reference=reference, total=total, sequence=sequence, bits=bits)


def _read_elements(octets: bytes) -> tuple[tuple[int, bytes], ...] | None:
    """Elements that fill a header exactly; else None."""
    elements = []
    rest = octets
    while len(rest) >= 2 and len(rest) >= 2 + rest[1]:
        elements.append((rest[0], rest[2 : 2 + rest[1]]))
        rest = rest[2 + rest[1] :]
    return None if rest else tuple(elements)


def _read_concat(identifier: int, octets: bytes) -> Piece | None:
    """23.040, 9.2.3.24.1: an element that numbers a part 0, or beyond the total, is ignored."""
    if (identifier, len(octets)) not in ((_CONCAT_8, 3), (_CONCAT_16, 4)):
        return None

    reference = int.from_bytes(octets[:-2], "big")
    return piece_of(reference=reference, total=octets[-2], sequence=octets[-1], bits=8 * (len(octets) - 2))


def _read_ports(identifier: int, octets: bytes) -> Ports | None:
    if (identifier, len(octets)) not in ((_PORTS_8, 2), (_PORTS_16, 4)):
        return None

    half = len(octets) // 2
    return Ports(int.from_bytes(octets[:half], "big"), int.from_bytes(octets[half:], "big"))


_CONCAT_8 = 0x00
_CONCAT_16 = 0x08
_PORTS_8 = 0x04
_PORTS_16 = 0x05


# --- Parts to a text --------------------------------------------------------------------------------


class Added(StrEnum):
    """What a piece was to its assembly."""

    NEW = "new"
    REPEAT = "repeat"
    CONFLICT = "conflict"


@dataclass(slots=True)
class Assembly:
    """The pieces of one long message. The first of each sequence counts; a repeat changes nothing.

    A conflict (the same sequence with other octets) is a reference used again before the first message was
    complete, so the caller begins another assembly with it.
    """

    total: int
    _pieces: dict[int, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        assert 1 <= self.total <= PARTS_MAX, self

    def add(self, sequence: int, octets: bytes) -> Added:
        """Takes a payload, without its header; if packed, unpacked."""
        assert 1 <= sequence <= self.total, (sequence, self.total)
        if sequence not in self._pieces:
            self._pieces[sequence] = octets
            return Added.NEW

        return Added.REPEAT if self._pieces[sequence] == octets else Added.CONFLICT

    @property
    def complete(self) -> bool:
        return len(self._pieces) == self.total

    @property
    def missing(self) -> tuple[int, ...]:
        return tuple(number for number in range(1, self.total + 1) if number not in self._pieces)

    def joined(self) -> bytes:
        """All that came, in the order of the parts; to be decoded as a whole, complete or not."""
        return b"".join(self._pieces[number] for number in sorted(self._pieces))
